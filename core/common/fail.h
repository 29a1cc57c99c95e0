// SPDX-License-Identifier: Apache-2.0
// fail.h - internal side of error.h: record why, and return the failure value in one statement.
#ifndef HYP_FAIL_H
#define HYP_FAIL_H

#include "hyperion/error.h"

#include <stdbool.h>
#include <stdint.h>

// Always returns false: `return hyp_fail(HYPERION_ERROR_IO, "open %s: %s", path, reason);`
__attribute__((format(printf, 2, 3))) bool hyp_fail(HyperionErrorKind kind, const char *format,
                                                    ...);

// How often it was called on this thread: tells a failure of now from an older one.
uint64_t hyp_fail_count(void);

// Always returns NULL, for constructors.
#define hyp_fail_null(...) ((void)hyp_fail(__VA_ARGS__), (void *)0)

// Makes the last error one of the file: it begins with the path, once, and blames the file for what
// does not fit together in it.
void hyp_fail_in_file(const char *path);

#endif
