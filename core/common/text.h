// SPDX-License-Identifier: Apache-2.0
// text.h - copies of strings, and the nearest of several names.
#ifndef HYP_TEXT_H
#define HYP_TEXT_H

#include <stddef.h>

// A copy for free(); NULL, last error set, when out of memory.
char *hyp_text_copy(const char *text);

// Both, one behind the other, likewise.
char *hyp_text_join(const char *first, const char *second);

// Number of characters to insert, delete or replace to make `a` of `b`; longer texts than 63
// characters count as wholly different.
size_t hyp_text_distance(const char *a, const char *b);

#endif
