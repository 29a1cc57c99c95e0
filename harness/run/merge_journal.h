// SPDX-License-Identifier: Apache-2.0
// merge_journal.h - the journals of several runs of one plan as one, in an order of its own.
#ifndef HYP_MERGE_JOURNAL_H
#define HYP_MERGE_JOURNAL_H

#include "common/problem.h"
#include "record/sample.h"

#include <stddef.h>
#include <stdio.h>

// One line as it stands in its journal.
typedef struct MergeLine {
    SampleTask task;
    int round;
    size_t cell;
    double started_unix_s;
    size_t source; // which of the journals
    const char *text;
} MergeLine;

typedef struct MergeJournal {
    MergeLine *lines;
    size_t count, capacity;
    size_t duplicates; // found by merge_journal_settle
} MergeJournal;

// Adds the lines of a journal; a torn last one is left out. `bytes` is the whole file; it is cut
// into lines in place and must live as long as the journal. A bad line is refused as "path:line:
// reason".
bool merge_journal_add(MergeJournal *journal, const char *path, char *bytes, size_t size_bytes,
                       size_t source, size_t cell_count, Problem *problem);

// Sorts by task, round, cell and time, and keeps once what several sources hold. Refused: sources
// that hold different samples of the same job.
bool merge_journal_settle(MergeJournal *journal, const char *const *source_names, Problem *problem);

// False when the stream fails.
bool merge_journal_write(const MergeJournal *journal, FILE *out);
void merge_journal_clear(MergeJournal *journal);

#endif
