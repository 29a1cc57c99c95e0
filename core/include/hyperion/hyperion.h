// SPDX-License-Identifier: Apache-2.0
// hyperion.h - the whole public interface.
#ifndef HYPERION_H
#define HYPERION_H

#include "hyperion/cache.h"
#include "hyperion/error.h"
#include "hyperion/layer_scheduler.h"
#include "hyperion/memory_optimizer.h"
#include "hyperion/model.h"
#include "hyperion/parallel.h"
#include "hyperion/planners.h"
#include "hyperion/profile.h"
#include "hyperion/progressive_loader.h"
#include "hyperion/simd.h"
#include "hyperion/simulate.h"
#include "hyperion/tensor.h"
#include "hyperion/types.h"
#include "hyperion/weights.h"

#endif
