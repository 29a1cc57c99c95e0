// SPDX-License-Identifier: Apache-2.0
// layer_visit.h - the callback of a backward replay, for one layer.
#ifndef HYP_LAYER_VISIT_H
#define HYP_LAYER_VISIT_H

#include "scheduler/scheduler.h"

// Calls back with what the layer read and made. False, last error set, where the callback gives
// false, or when out of memory.
bool hyp_layer_visit(const HyperionLayerScheduler *scheduler, const HypRun *run, int layer);

#endif
