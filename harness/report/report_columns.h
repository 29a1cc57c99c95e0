// SPDX-License-Identifier: Apache-2.0
// report_columns.h - the columns that tables of a report can have, what stands in their cells and
// why some are empty.
#ifndef HYP_REPORT_COLUMNS_H
#define HYP_REPORT_COLUMNS_H

#include "stats/metrics.h"

#include <stdio.h>

enum { COLUMN_BYTES = 160, COLUMN_TABLE_COUNT = 9, COLUMN_MOST = 16, NOTE_COUNT = 12 };

// Text of one table cell; "" where the value is unknown.
typedef void (*ColumnWriter)(const RunRecord *run, const CellSummary *summary, char *text);

typedef struct Column {
    const char *title;
    const char *metric; // gives provenance, reason and help; NULL = a name, not a number
    ColumnWriter write;
    const char *unless; // left out where this metric has values: a better measure
    const char *help;   // where the metric's own is about one number only
} Column;

typedef struct ColumnTable {
    const char *title;     // NULL: of the results
    const Column *columns; // ended by a NULL title
    bool whole; // all columns, or none if no cell has a value in any; else those with a value
    bool of[MEASURE_KINDS]; // sweeps that measure what
} ColumnTable;

extern const ColumnTable column_tables[COLUMN_TABLE_COUNT]; // the first is that of the results

// Why values are unknown, each reason once a table.
typedef struct Notes {
    const char *reasons[NOTE_COUNT];
    size_t count;
} Notes;

// Footnote mark of the reason; "" when there are too many.
const char *notes_mark(Notes *notes, const char *reason);
void notes_write(const Notes *notes, FILE *out);

// Whether a cell of the sweep has a value in the column, and none in what it gives way to.
bool column_has_value(const Column *column, const RunRecord *run, const CellSummary *summaries,
                      const PlanSweep *sweep);

// Whether the table has the column for this sweep.
bool column_is_shown(const ColumnTable *table, const Column *column, const RunRecord *run,
                     const CellSummary *summaries, const PlanSweep *sweep);

// " 4.183 |", or why there is no value.
void column_write_value(const Column *column, const RunRecord *run, const CellSummary *summary,
                        Notes *notes, FILE *out);

#endif
