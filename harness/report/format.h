// SPDX-License-Identifier: Apache-2.0
// format.h - numbers as people read them. Unknown (NAN) is an en dash, never "nan".
#ifndef HYP_FORMAT_H
#define HYP_FORMAT_H

#include <stdbool.h>
#include <stdio.h>

// Room for any text below.
enum { FORMAT_BYTES = 64 };
#define FORMAT_UNKNOWN "–"

// "4.012 ms": four significant digits, with the unit that leaves one to three before the point.
void format_time(double ns, char *text);

// "4.001 to 4.021 ms", both ends in the unit of the greater; unknown if an end is.
void format_time_interval(double low_ns, double high_ns, char *text);

// At most `digits` significant digits, no exponent below 1e15: "66.94", "524288".
void format_number(double value, int digits, char *text);

// "52.3 %".
void format_percent(double fraction, char *text);

// A Markdown table cell: `|` escaped and line breaks turned into spaces.
void format_markdown_cell(FILE *out, const char *text);

#endif
