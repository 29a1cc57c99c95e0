// SPDX-License-Identifier: Apache-2.0
// comparison_words.h - what every format says of a comparison, in the same words.
#ifndef HYP_COMPARISON_WORDS_H
#define HYP_COMPARISON_WORDS_H

#include "compare/comparison.h"
#include "report/format.h"

extern const char *const comparison_side_names[SIDE_COUNT]; // "BASE", "NEW"

// "other machine" instead of a verdict where the keys differ; "monotone" along an axis where no
// later point is slower.
const char *comparison_overall_name(const Comparison *comparison);

// "faster" and "slower" of a time are "less" and "more" of anything else.
const char *comparison_row_word(const ComparedRow *row);

// Whether a row is shown where people read: not what is the same and no time; along an axis, later
// points that are or may be slower, or that need less memory.
bool comparison_row_is_shown(const Comparison *comparison, const ComparedRow *row);

// "180 comparisons: 178 same, 2 slower": rows that decide, by verdict.
void comparison_print_totals(const Comparison *comparison, FILE *out);

// Everything to know beside the rows, one line each: grounds, sessions, machines, environment, the
// smallest visible effect, false alarms, groups and fronts. Each is printed between prefix and
// suffix.
void comparison_print_notes(const Comparison *comparison, const char *prefix, const char *suffix,
                            FILE *out);

enum { COMPARISON_COLUMNS = 11, COMPARISON_COLUMN_BYTES = FORMAT_BYTES * 2 + 8 };
extern const char *const comparison_column_titles[COMPARISON_COLUMNS];
typedef struct ComparisonTexts {
    char text[COMPARISON_COLUMNS][COMPARISON_COLUMN_BYTES];
} ComparisonTexts;
void comparison_row_texts(const ComparedRow *row, ComparisonTexts *texts);

#endif
