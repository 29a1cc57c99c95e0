// SPDX-License-Identifier: Apache-2.0
// journal.h - journal.jsonl, the source of truth of a run: one line a sample, written as it is
// taken and on the disk before the sample after it is written.
#ifndef HYP_JOURNAL_H
#define HYP_JOURNAL_H

#include "record/sample.h"
#include "record/sync_thread.h"

#include <sys/types.h>

// What a journal file holds. A torn last line (without its end of line: the run was killed while
// writing it) is dropped and counted.
typedef struct JournalContent {
    Sample *samples; // that count, in the order they were taken
    size_t sample_count;
    Sample *rejected; // beyond the limits of the scenario, and taken again
    size_t rejected_count;
    Sample *canaries;
    size_t canary_count;
    size_t torn_lines; // 0 or 1
} JournalContent;

// A missing file is an empty journal. `cell_count`: cells of the plan; a line of any other cell is
// an error, as is every bad line but a torn last one; the problem is "path:line: reason". The
// caller clears.
bool journal_read(const char *path, size_t cell_count, JournalContent *content, Problem *problem);
void journal_clear(JournalContent *content);

typedef struct Journal {
    int descriptor;
    off_t whole_bytes; // up to and with the last end of line
    SyncThread sync;
    char path[4096];
} Journal;

// Opens for appending, creates it if missing, and cuts off a torn last line. The journal must not
// move until it is closed.
bool journal_open(Journal *journal, const char *path, Problem *problem);
// One line, written at once: after true, the sample survives the end of this process, and after the
// next true that of the machine; the sync goes on while the next worker starts. False when the disk
// does not take it (full, a quota, a limit); the lines before it are then whole.
bool journal_append(Journal *journal, const Sample *sample, Problem *problem);
// Waits until everything appended is on the disk.
bool journal_flush(Journal *journal, Problem *problem);
void journal_close(Journal *journal);

#endif
