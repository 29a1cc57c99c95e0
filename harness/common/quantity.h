// SPDX-License-Identifier: Apache-2.0
// quantity.h - numbers, sizes and times as people write them. All parsers want the whole text, no
// blanks, and leave *value alone when they return false: not such a number, or out of range.
#ifndef HYP_QUANTITY_H
#define HYP_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>

// "-12": decimal digits with an optional sign.
bool quantity_parse_integer(const char *text, long long *value);

// "0.25", "1e-3": decimal, finite.
bool quantity_parse_real(const char *text, double *value);

// "5%" or "0.05": the share, finite.
bool quantity_parse_share(const char *text, double *value);

// "64KiB", "1.5GiB", "10MB" (powers of 1000), "512B", "512": a whole number of bytes, 0 to 2^53.
bool quantity_parse_bytes(const char *text, long long *bytes);

// "20ms", "1.5s", "3m", "1h", "100us", "50ns"; a bare number is no time.
// Rounded to whole nanoseconds, 0 to 1e18.
bool quantity_parse_time(const char *text, double *ns);

// The shortest text that parses back to the same value; at most 32 bytes with the NUL.
void quantity_format_real(double value, char *buffer, size_t buffer_bytes);
void quantity_format_bytes(long long bytes, char *buffer, size_t buffer_bytes);
void quantity_format_time(double ns, char *buffer, size_t buffer_bytes);

#endif
