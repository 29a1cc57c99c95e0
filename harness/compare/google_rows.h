// SPDX-License-Identifier: Apache-2.0
// google_rows.h - the rows that Google Benchmark's compare.py prints for two files.
#ifndef HYP_GOOGLE_ROWS_H
#define HYP_GOOGLE_ROWS_H

#include "compare/google_file.h"
#include "stats/google_compare.h"

#include <stdio.h>

typedef enum GoogleRowKind { GOOGLE_PAIR, GOOGLE_P_VALUES, GOOGLE_GEOMEAN } GoogleRowKind;

typedef struct GoogleReportRow {
    GoogleRowKind kind;
    const char *name; // of the files
    // A pair or the geometric mean: relative changes, and the times in the files' unit (s).
    double real_change, cpu_change, base_real, latest_real, base_cpu, latest_cpu;
    // P-values: the test, and the repetitions of each side.
    GoogleUTest test;
    size_t base_count, latest_count;
} GoogleReportRow;

typedef struct GoogleReport {
    GoogleReportRow *rows;
    size_t row_count;
} GoogleReport;

// The files must outlive the report. NULL: out of memory. The caller frees.
GoogleReport *google_report_make(const GoogleFile *base, const GoogleFile *latest);
void google_report_free(GoogleReport *report); // NULL is allowed

// The rows under their heads, as compare.py prints them without colours; unknown times are dashes.
void google_report_print(const GoogleReport *report, FILE *out);

#endif
