// SPDX-License-Identifier: Apache-2.0
// writer.h - the result files of a run: one file each, and their table.
#ifndef HYP_WRITER_H
#define HYP_WRITER_H

#include "stats/metrics.h"

#include <stdio.h>

typedef struct Writer {
    const char *file; // name in the run directory
    const char *help;
    // False only when out of memory; write errors show in the stream.
    bool (*write)(const RunRecord *run, const CellSummary *summaries, FILE *out, Problem *problem);
} Writer;

extern const Writer *const writer_table[]; // NULL-terminated

// Writes every result file of a run from its plan, machine and journal.
bool writers_write_all(const char *directory, Problem *problem);

// "ok", "failed", "incomplete" (samples are missing) or "other_shard".
const char *cell_status(const RunRecord *run, const CellSummary *summary);

#endif
