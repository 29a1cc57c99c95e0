// SPDX-License-Identifier: Apache-2.0
// file.h - reading small text files.
#ifndef HYP_FILE_H
#define HYP_FILE_H

#include "common/problem.h"

#include <stddef.h>

// The whole file, with a NUL after its `*size_bytes` bytes; the caller frees. NULL, and the problem
// names the file, when it cannot be read or is larger than `limit_bytes`.
char *file_read(const char *path, size_t limit_bytes, size_t *size_bytes, Problem *problem);

#endif
