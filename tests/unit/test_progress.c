// SPDX-License-Identifier: Apache-2.0
// test_progress.c - what is said during a run: shares, time left, failures; plain and on a
// terminal.
#define _GNU_SOURCE
#include "run/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const Job jobs[] = {
    {0, -1, SAMPLE_VERIFY, 0}, {1, -1, SAMPLE_VERIFY, 0}, {0, -1, SAMPLE_PILOT, 0},
    {1, -1, SAMPLE_PILOT, 0},  {1, 0, SAMPLE_TIME, 0},    {0, 0, SAMPLE_TIME, 0},
    {0, 1, SAMPLE_TIME, 0},    {1, 1, SAMPLE_TIME, 0},
};
enum { JOB_COUNT = sizeof jobs / sizeof *jobs };

static char *text;
static size_t text_bytes;

static FILE *open_text(void)
{
    FILE *out = open_memstream(&text, &text_bytes);
    assert_non_null(out);
    return out;
}

static void close_text(FILE *out)
{
    assert_int_equal(fclose(out), 0);
    free(text);
    text = NULL;
}

static Progress begin(FILE *out)
{
    static const bool done[JOB_COUNT] = {true, true};
    Progress progress;
    progress_begin(&progress, out, jobs, done, JOB_COUNT, 0);
    return progress;
}

static Sample sample_of(double worker_ns, const char *reason)
{
    Sample sample = sample_empty();
    sample.ok = !reason;
    sample.worker_ns = worker_ns;
    if (reason)
        (void)snprintf(sample.reason, sizeof sample.reason, "%s", reason);
    return sample;
}

static void times_are_readable(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } times[] = {{0, "0 s"},
                 {0.2, "1 s"},
                 {59, "59 s"},
                 {60, "1 min 00 s"},
                 {3599, "59 min 59 s"},
                 {3600, "1 h 00 min"},
                 {90000, "25 h 00 min"}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char made[32];
        progress_format_time(times[i].seconds * 1e9, made, sizeof made);
        assert_string_equal(made, times[i].text);
    }
}

static void terminal_line_tells_share_time_left_and_cell(void **state)
{
    (void)state;
    FILE *out = open_text();
    Progress progress = begin(out);
    progress.terminal = true;
    progress.columns = 80;
    progress_show(&progress, &jobs[2], "cell/a", 0);
    assert_string_equal(text, "\r 25 %  2 of 8  pilot  cell/a\033[K");
    const Sample taken = sample_of(2e9, NULL);
    progress_taken(&progress, &jobs[2], "cell/a", &taken);
    progress_taken(&progress, &jobs[3], "cell/b", &taken);
    // Four samples are left; nothing is known of their length but the pilots'.
    progress_show(&progress, &jobs[4], "cell/b", 0);
    assert_non_null(strstr(text, "\r 50 %  4 of 8  8 s left  round 1  cell/b\033[K"));
    const Sample sample = sample_of(10e9, NULL);
    progress_taken(&progress, &jobs[4], "cell/b", &sample);
    progress_show(&progress, &jobs[5], "cell/a", 0);
    assert_non_null(strstr(text, "30 s left"));
    progress_end(&progress);
    close_text(out);
}

static void long_lines_are_cut_at_the_edge(void **state)
{
    (void)state;
    FILE *out = open_text();
    Progress progress = begin(out);
    progress.terminal = true;
    progress.columns = 30;
    progress_show(&progress, &jobs[2], "cell/with/a/long/name/that/would/wrap", 0);
    assert_int_equal(strlen(text), 1 + 29 + strlen("\033[K"));
    close_text(out);
}

static void failures_are_said_at_once_and_counted(void **state)
{
    (void)state;
    FILE *out = open_text();
    Progress progress = begin(out);
    const Sample failed = sample_of(1e9, "worker killed by SIGSEGV");
    progress_taken(&progress, &jobs[2], "cell/a", &failed);
    assert_int_equal(fflush(out), 0);
    assert_string_equal(text, "failed: cell/a (pilot): worker killed by SIGSEGV\n");
    progress_skipped(&progress, &jobs[5]);
    progress_show(&progress, &jobs[3], "cell/b", 20e9);
    assert_non_null(strstr(text, " 50 %  4 of 8  4 s left  1 failed  pilot  cell/b\n"));
    close_text(out);
}

static void plain_lines_come_every_ten_seconds(void **state)
{
    (void)state;
    FILE *out = open_text();
    Progress progress = begin(out);
    size_t lines = 0;
    for (int second = 0; second <= 35; second++)
        progress_show(&progress, &jobs[2], "cell/a", second * 1e9);
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 3);
    assert_null(strchr(text, '\r'));
    close_text(out);
}

static void silence_is_possible(void **state)
{
    (void)state;
    Progress progress = begin(NULL);
    const Sample failed = sample_of(1e9, "reason");
    progress_show(&progress, &jobs[2], "cell/a", 1e12);
    progress_taken(&progress, &jobs[2], "cell/a", &failed);
    progress_end(&progress);
    assert_int_equal(progress.done, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_readable),
        cmocka_unit_test(terminal_line_tells_share_time_left_and_cell),
        cmocka_unit_test(long_lines_are_cut_at_the_edge),
        cmocka_unit_test(failures_are_said_at_once_and_counted),
        cmocka_unit_test(plain_lines_come_every_ten_seconds),
        cmocka_unit_test(silence_is_possible),
    };
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
