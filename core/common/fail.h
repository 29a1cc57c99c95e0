// SPDX-License-Identifier: Apache-2.0
// fail.h - internal side of error.h: record why, and return the failure value in one statement.
#ifndef HYP_FAIL_H
#define HYP_FAIL_H

#include "hyperion/error.h"

#include <stdbool.h>
#include <stdint.h>

// Makes this the last error; the arguments may be the last message itself.
__attribute__((format(printf, 2, 3))) void hyp_fail_record(HyperionErrorKind kind,
                                                           const char *format, ...);

// Always false: `return hyp_fail(HYPERION_ERROR_IO, "open %s: %s", path, reason);`
// A macro, so that the analyzer sees that it is, and what cannot follow from it.
#define hyp_fail(...) (hyp_fail_record(__VA_ARGS__), false)

// Always NULL, for constructors.
#define hyp_fail_null(...) (hyp_fail_record(__VA_ARGS__), (void *)0)

// How often an error was recorded on this thread: tells a failure of now from an older one.
uint64_t hyp_fail_count(void);

// Lets the last error begin with the path, once; its kind stays.
void hyp_fail_at_path(const char *path);

// Makes the last error one of the file: as hyp_fail_at_path, and blames the file for what does not
// fit together in it.
void hyp_fail_in_file(const char *path);

#endif
