// SPDX-License-Identifier: Apache-2.0
// progress.h - what a person sees while a run goes on: one line that updates itself on a terminal,
// plain lines otherwise.
#ifndef HYP_PROGRESS_H
#define HYP_PROGRESS_H

#include "run/schedule.h"

#include <stdio.h>

typedef struct Progress {
    FILE *out;     // NULL = silent
    bool terminal; // rewrites its line
    size_t columns;
    size_t done, total;
    size_t failed_cells;
    size_t rejected; // samples
    double start_ns;
    double last_line_ns; // of the last plain line
    // Worker time so far, for the time left: a verification lasts otherwise than a sample.
    double spent_ns[SAMPLE_TASK_COUNT];
    size_t taken[SAMPLE_TASK_COUNT];
    size_t left[SAMPLE_TASK_COUNT];
} Progress;

// `out` is usually stderr; whether it is a terminal decides the form.
void progress_begin(Progress *progress, FILE *out, const Job *jobs, const bool *done, size_t count,
                    double now_ns);
// Before a job, `cell` is its identity.
void progress_show(Progress *progress, const Job *job, const char *cell, double now_ns);
// After a job.
void progress_taken(Progress *progress, const Job *job, const char *cell, const Sample *sample);
// After a job that will be done again.
void progress_rejected(Progress *progress, const Job *job, const Sample *sample);
// A job that needs no more doing, because its cell failed.
void progress_skipped(Progress *progress, const Job *job);
// Clears the updating line.
void progress_end(Progress *progress);

// "1 h 02 min", "3 min 20 s", "12 s".
void progress_format_time(double ns, char *buffer, size_t buffer_bytes);

#endif
