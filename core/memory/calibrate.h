// SPDX-License-Identifier: Apache-2.0
// calibrate.h - measures how long layers take in each of their variants.
#ifndef HYP_CALIBRATE_H
#define HYP_CALIBRATE_H

#include "memory/activation_plan.h"
#include "memory/layer_times.h"

// Runs the model, which has no optimizer attached, on seeded inputs: all layers in one variant,
// three to eight times, then in the next, and models that run in less than some 60 ms in up to five
// rounds of that; of each layer's times the least counts. Where there are groups to run in bands,
// so many runs again do, for the times of their layers. Meanwhile it needs the memory of the
// variant that needs most. False, last error set and `times` unchanged, when a run fails.
bool hyp_calibrate(HyperionModel *model, const HypActivationSettings *settings, HypBanding *banding,
                   HypLayerTimes *times);

#endif
