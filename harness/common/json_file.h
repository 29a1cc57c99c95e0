// SPDX-License-Identifier: Apache-2.0
// json_file.h - whole JSON documents in files.
#ifndef HYP_JSON_FILE_H
#define HYP_JSON_FILE_H

#include "common/problem.h"

#include <jansson.h>

// Digits that JSON numbers are written with: 15 give back every decimal number of that length.
#define JSON_FILE_FLAGS (JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15))

// Reads one document, strictly; NULL, and the problem is "path:line:column: reason". The caller
// decrefs.
json_t *json_file_read(const char *path, Problem *problem);

// Writes it indented, so that a reader sees the old file or the whole new one, even after a crash:
// to "<path>.tmp", synced, then renamed.
bool json_file_write(const char *path, const json_t *json, Problem *problem);

#endif
