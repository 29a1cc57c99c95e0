// SPDX-License-Identifier: Apache-2.0
// model_buffers.h - the activations of a model as an instance of the offset problem.
#ifndef HYP_MODEL_BUFFERS_H
#define HYP_MODEL_BUFFERS_H

#include "common/problem.h"
#include "hyperion/planners.h"

#include <stddef.h>

// The activations of one pass of the model at `path` (hyperionLoadModel), which is run to find
// them: each is needed from the step that writes it to the last that reads it, and none is written
// over another. The caller frees *buffers. False with the reason.
bool model_buffers_read(const char *path, HyperionBuffer **buffers, size_t *count,
                        Problem *problem);

#endif
