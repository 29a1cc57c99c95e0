// SPDX-License-Identifier: Apache-2.0
// comparison_formats.h - ways to write a comparison: one row each of the table.
#ifndef HYP_COMPARISON_FORMATS_H
#define HYP_COMPARISON_FORMATS_H

#include "compare/comparison.h"

typedef struct ComparisonFormat {
    const char *name;                                       // "json"
    bool (*write)(const Comparison *comparison, FILE *out); // false: out of memory
} ComparisonFormat;

// Ended by a NULL name.
extern const ComparisonFormat comparison_formats[];

bool comparison_write_text(const Comparison *comparison, FILE *out);
bool comparison_write_markdown(const Comparison *comparison, FILE *out);
bool comparison_write_json(const Comparison *comparison, FILE *out);
// JUnit's XML: a test case a cell; slower, failed and missing ones fail, inconclusive are skipped.
bool comparison_write_junit(const Comparison *comparison, FILE *out);
// Workflow commands of GitHub Actions: errors for what fails, warnings for what cannot be told.
bool comparison_write_github(const Comparison *comparison, FILE *out);

#endif
