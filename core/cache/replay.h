// SPDX-License-Identifier: Apache-2.0
// replay.h - predictions by telling a simulator of every touch.
#ifndef HYP_REPLAY_H
#define HYP_REPLAY_H

#include "hyperion/simulate.h"

#include "kernel_table.h"

// Tells the simulator what is done to memory; the same each time.
typedef bool (*HypReplaySource)(HyperionSimulator *simulator, void *context);

// Statistics of what `source` tells, as `config` wants them, without layers. Not valid, last error
// set, where caches or assumptions cannot be or the source fails.
HyperionCacheStats hyp_replay(const HyperionCacheTopology *topology, int threads,
                              const HyperionPredictionConfig *config, HypReplaySource source,
                              void *context);

// Tells the simulator of one call of a kernel, on the simulator's threads.
void hyp_replay_kernel(HyperionSimulator *simulator, const HypKernelVariant *variant,
                       const HypKernelArgs *args);

// The simulator as a sink of touches.
HypTouchSink hyp_replay_sink(HyperionSimulator *simulator);

// Statistics of one forward pass, without layers. The model is held.
HyperionCacheStats hyp_replay_model(HyperionModel *model, const HyperionCacheTopology *topology);

// False, and the last error names what cannot be.
bool hyp_prediction_config_is_valid(const HyperionPredictionConfig *config, int level_count);

#endif
