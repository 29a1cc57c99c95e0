// SPDX-License-Identifier: Apache-2.0
// layer_times_file.h - times of a model's layers, measured once a machine and program and kept in
// the user's cache folder, so that every worker of a cell plans the same.
#ifndef HYP_LAYER_TIMES_FILE_H
#define HYP_LAYER_TIMES_FILE_H

#include "hyperion/memory_optimizer.h"
#include "hyperion/simd.h"
#include "scenario/axes.h"

// The file for what the axes say at that level; "" where there is no place for it.
void layer_times_name(const AxisValue *values, HyperionSIMDLevel level, char *path,
                      size_t path_bytes);

// False where there is no such file that can be read.
bool layer_times_take(HyperionMemoryOptimizer *optimizer, const char *path);

// Where that fails, the next worker measures again. Nothing in a worker that is watched while it
// runs: its times are nobody else's.
void layer_times_keep(const HyperionMemoryOptimizer *optimizer, const char *path);

#endif
