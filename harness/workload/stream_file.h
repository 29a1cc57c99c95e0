// SPDX-License-Identifier: Apache-2.0
// stream_file.h - the file that the weights of a model are streamed from.
#ifndef HYP_STREAM_FILE_H
#define HYP_STREAM_FILE_H

#include "common/problem.h"
#include "scenario/axes.h"

#include <stddef.h>

enum { STREAM_PATH_BYTES = 1024 };

// A file of values[AXIS_MODEL] in which the weights stand as in memory: that itself, or a streaming
// file made of it (as `hyperion model import` does) in the folder values[AXIS_SCRATCH], where it
// stays for the next worker of this program. Those that nobody used for a day are deleted when
// another is made. False with the reason.
bool stream_file_find(const AxisValue *values, char *path, size_t path_bytes, Problem *problem);

#endif
