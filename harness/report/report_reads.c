// SPDX-License-Identifier: Apache-2.0
#include "report/report_parts.h"

#include "report/format.h"
#include "stats/metrics_loader.h"

#include <string.h>

enum { MOST_ROWS = 16, ASKED_BYTES = 64 };

// A choice that the loader made, or had to make.
typedef struct ReadRow {
    char asked[ASKED_BYTES];
    const char *used, *reason;
} ReadRow;

typedef struct ReadRows {
    ReadRow rows[MOST_ROWS];
    size_t count;
} ReadRows;

static void add_row(ReadRows *list, const Cell *cell, AxisId axis, const char *used,
                    const char *reason)
{
    ReadRow row = {.used = used, .reason = reason};
    if (!used[0] || !reason[0] || list->count == MOST_ROWS)
        return;
    axis_format(axis, cell->values[axis], row.asked, sizeof row.asked);
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->rows[i].asked, row.asked) == 0 && strcmp(list->rows[i].used, used) == 0 &&
            strcmp(list->rows[i].reason, reason) == 0)
            return;
    list->rows[list->count++] = row;
}

void report_reads(const RunRecord *run, const CellSummary *summaries, const PlanSweep *sweep,
                  FILE *out)
{
    ReadRows list = {.count = 0};
    for (size_t i = sweep->first_cell; i < sweep->first_cell + sweep->cell_count; i++) {
        const Cell *cell = &run->plan->cells[i];
        const char *reason = "";
        const char *backend = metrics_loader_backend(&summaries[i], &reason);
        add_row(&list, cell, AXIS_IO_BACKEND, backend, reason);
        reason = "";
        const char *mode = metrics_loader_mode(&summaries[i], &reason);
        add_row(&list, cell, AXIS_IO_MODE, mode, reason);
    }
    if (list.count == 0)
        return;
    (void)fputs("\n#### Why files were read so\n\n| asked for | used | why |\n|---|---|---|\n",
                out);
    for (size_t i = 0; i < list.count; i++) {
        (void)fprintf(out, "| %s | %s | ", list.rows[i].asked, list.rows[i].used);
        format_markdown_cell(out, list.rows[i].reason);
        (void)fputs(" |\n", out);
    }
}
