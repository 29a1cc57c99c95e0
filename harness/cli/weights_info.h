// SPDX-License-Identifier: Apache-2.0
// weights_info.h - what `hyperion model info` says of a safetensors file that holds weights alone.
#ifndef HYP_WEIGHTS_INFO_H
#define HYP_WEIGHTS_INFO_H

#include "common/problem.h"

#include <jansson.h>
#include <stdbool.h>

// Whether the file is well-formed safetensors without a graph of ours.
bool weights_are_alone(const char *path);

// {"file": ..., "bytes": ..., "tensors": [{"name", "type", "dims", "bytes"}]}; NULL, and the
// problem, when it cannot be read. The caller decrefs.
json_t *weights_describe(const char *path, Problem *problem);

// False when out of memory.
bool weights_print(const json_t *description);

#endif
