// SPDX-License-Identifier: Apache-2.0
// model_arrays.h - tensors from and to files: raw little-endian arrays, row-major, no header.
#ifndef HYP_MODEL_ARRAYS_H
#define HYP_MODEL_ARRAYS_H

#include "common/problem.h"
#include "hyperion/tensor.h"

#include <jansson.h>

// Fills `tensor` from the file, which must hold exactly its bytes; of bool, only 0 and 1.
bool model_array_read(const char *path, const char *name, HyperionTensor *tensor, Problem *problem);

// <folder>/<name>.bin, where "/" in the name becomes "_". False where that is too long.
bool model_array_path(const char *folder, const char *name, char *path, size_t path_bytes,
                      Problem *problem);

// Writes `tensor` to that file, making its folder.
bool model_array_write(const char *path, const HyperionTensor *tensor, Problem *problem);

// {"least": 0, "greatest": 1, "mean": 0.5, "not_finite": 0}: of the finite values; null without
// any.
json_t *model_array_summary(const HyperionTensor *tensor);

#endif
