// SPDX-License-Identifier: Apache-2.0
// lenient_json.h - JSON as C and C++ programs print it: with bare NaN and infinities.
#ifndef HYP_LENIENT_JSON_H
#define HYP_LENIENT_JSON_H

#include "common/problem.h"

#include <jansson.h>

// Reads a file of at most 1 GiB; NaN, nan(...), inf, Infinity and the like, with either sign,
// become null; of a member that stands twice the last counts. NULL, and the problem is
// "path:line:column: reason". The caller decrefs.
json_t *lenient_json_read(const char *path, Problem *problem);

#endif
