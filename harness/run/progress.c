// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "run/progress.h"

#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_COLUMNS = 80 };
static const double plain_interval_ns = 10e9;

static size_t find_columns(FILE *out)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col;
    return USUAL_COLUMNS;
}

void progress_begin(Progress *progress, FILE *out, const Job *jobs, const bool *done, size_t count,
                    double now_ns)
{
    *progress = (Progress){.out = out, .total = count, .start_ns = now_ns};
    progress->terminal = out && isatty(fileno(out));
    progress->columns = progress->terminal ? find_columns(out) : 0;
    progress->last_line_ns = now_ns;
    for (size_t i = 0; i < count; i++) {
        progress->done += done[i];
        progress->left[jobs[i].task] += !done[i];
    }
}

void progress_format_time(double ns, char *buffer, size_t buffer_bytes)
{
    const long seconds = (long)ceil(ns / 1e9);
    if (seconds >= 3600)
        (void)snprintf(buffer, buffer_bytes, "%ld h %02ld min", seconds / 3600,
                       seconds % 3600 / 60);
    else if (seconds >= 60)
        (void)snprintf(buffer, buffer_bytes, "%ld min %02ld s", seconds / 60, seconds % 60);
    else
        (void)snprintf(buffer, buffer_bytes, "%ld s", seconds);
}

// A task that was not taken yet is thought as long as the average of the others.
static double estimate_left_ns(const Progress *progress)
{
    double spent = 0;
    size_t taken = 0;
    for (int i = 0; i < SAMPLE_TASK_COUNT; i++) {
        spent += progress->spent_ns[i];
        taken += progress->taken[i];
    }
    double left = 0;
    for (int i = 0; taken && i < SAMPLE_TASK_COUNT; i++) {
        const double each = progress->taken[i] ? progress->spent_ns[i] / (double)progress->taken[i]
                                               : spent / (double)taken;
        left += each * (double)progress->left[i];
    }
    return taken ? left : (double)NAN;
}

static void format_line(const Progress *progress, const Job *job, const char *cell, char *line,
                        size_t bytes)
{
    static const char *const doing[SAMPLE_TASK_COUNT] = {"verify", "pilot", "round",
                                                         "count",  "round", "canary"};
    char left[32] = "";
    char round[16] = "";
    char failed[40] = "";
    char rejected[40] = "";
    const double left_ns = estimate_left_ns(progress);
    if (!isnan(left_ns)) {
        char time[24];
        progress_format_time(left_ns, time, sizeof time);
        (void)snprintf(left, sizeof left, "%s left  ", time);
    }
    if (job->task == SAMPLE_TIME || job->task == SAMPLE_EMULATE)
        (void)snprintf(round, sizeof round, " %d", job->round + 1);
    if (progress->failed_cells)
        (void)snprintf(failed, sizeof failed, "%zu failed  ", progress->failed_cells);
    if (progress->rejected)
        (void)snprintf(rejected, sizeof rejected, "%zu rejected  ", progress->rejected);
    const size_t percent = progress->total ? 100 * progress->done / progress->total : 100;
    (void)snprintf(line, bytes, "%3zu %%  %zu of %zu  %s%s%s%s%s  %s", percent, progress->done,
                   progress->total, left, failed, rejected, doing[job->task], round, cell);
}

void progress_show(Progress *progress, const Job *job, const char *cell, double now_ns)
{
    char line[512];
    if (!progress->out)
        return;
    if (!progress->terminal && now_ns - progress->last_line_ns < plain_interval_ns)
        return;
    progress->last_line_ns = now_ns;
    format_line(progress, job, cell, line, sizeof line);
    if (progress->terminal) {
        if (strlen(line) >= progress->columns)
            line[progress->columns - 1] = '\0';
        (void)fprintf(progress->out, "\r%s\033[K", line);
    } else {
        (void)fprintf(progress->out, "%s\n", line);
    }
    (void)fflush(progress->out);
}

void progress_taken(Progress *progress, const Job *job, const char *cell, const Sample *sample)
{
    progress->done++;
    progress->left[job->task]--;
    progress->taken[job->task]++;
    progress->spent_ns[job->task] += sample->worker_ns;
    if (sample->ok)
        return;
    progress->failed_cells++;
    if (progress->out)
        (void)fprintf(progress->out, "%sfailed: %s (%s): %s\n",
                      progress->terminal ? "\r\033[K" : "", cell, sample_task_name(job->task),
                      sample->reason);
}

void progress_rejected(Progress *progress, const Job *job, const Sample *sample)
{
    progress->rejected++;
    progress->taken[job->task]++;
    progress->spent_ns[job->task] += sample->worker_ns;
}

void progress_skipped(Progress *progress, const Job *job)
{
    progress->done++;
    progress->left[job->task]--;
}

void progress_end(Progress *progress)
{
    if (progress->out && progress->terminal)
        (void)fputs("\r\033[K", progress->out);
    if (progress->out)
        (void)fflush(progress->out);
}
