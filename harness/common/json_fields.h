// SPDX-License-Identifier: Apache-2.0
// json_fields.h - strict reading of the members of a JSON object; every failure names the member,
// what was expected and what was there.
#ifndef HYP_JSON_FIELDS_H
#define HYP_JSON_FIELDS_H

#include "common/problem.h"

#include <jansson.h>
#include <stddef.h>

// An integer from minimum to maximum.
bool json_read_integer(const json_t *object, const char *key, long long minimum, long long maximum,
                       long long *value, Problem *problem);

// A finite number; null where `unknown` allows it, stored as NAN.
bool json_read_number(const json_t *object, const char *key, bool unknown, double *value,
                      Problem *problem);

bool json_read_flag(const json_t *object, const char *key, bool *value, Problem *problem);

// Text that fits buffer_bytes with its NUL. A missing member is an error unless `optional`, then
// "".
bool json_read_text(const json_t *object, const char *key, bool optional, char *buffer,
                    size_t buffer_bytes, Problem *problem);

// An array of finite numbers; *values is allocated (NULL when empty), the caller frees it.
bool json_read_numbers(const json_t *object, const char *key, double **values, size_t *count,
                       Problem *problem);

// The number, or null for NAN and infinities, which JSON cannot say.
json_t *json_number_or_null(double value);
// Text of any bytes: those that are no UTF-8 (a line cut in the middle, a crashing program's
// output) become question marks.
json_t *json_text(const char *text);
json_t *json_numbers(const double *values, size_t count);

#endif
