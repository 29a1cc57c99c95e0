// SPDX-License-Identifier: Apache-2.0
// test_full_disk.c - a run whose disk fills up says so, leaves a journal of whole lines, and is
// completed once there is room. Usage: test_full_disk FAKE_WORKER
#define _GNU_SOURCE
#include "common/clock.h"
#include "common/whole_file.h"
#include "run/interrupt.h"
#include "run/launch.h"
#include "run/sweep_run.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

enum { STATUS_SKIPPED = 77, STATUS_WRONG = 9 };

static char *worker_path;

// 88 samples, about 35 kB.
static const char scenario[] = "name: full\ndefaults: {samples: 8, counters: [PAPI_TOT_INS]}\n"
                               "sweeps:\n  - name: all\n    workload: kernel\n"
                               "    axes: {op: gemm, k: 1..8 +1, n: 1, m: 1}\n";

static void launch(void *context, const char *request, const LaunchLimits *limits, WorkerEnd *end)
{
    worker_launch(context, request, limits, end);
}

static double read_clock(void *context)
{
    (void)context;
    return clock_monotonic_ns();
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static bool run(const Plan *plan, Problem *problem)
{
    const RunnerTools tools = {launch, read_clock, never, worker_path};
    RunnerOutcome outcome;
    json_t *machine = fixture_machine("here");
    const SweepRun sweep = fixture_sweep(plan, machine, true);
    interrupt_install();
    const bool good = sweep_run(&sweep, &tools, &outcome, problem);
    json_decref(machine);
    return good;
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void journal_stays_whole_where_a_file_may_not_grow(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    Problem problem = {0};
    limit_files(16000);
    const bool good = run(plan, &problem);
    limit_files(RLIM_INFINITY);
    assert_false(good);
    if (!strstr(problem.text, RUN_JOURNAL ": File too large; the samples before are whole"))
        fail_msg("%s", problem.text);
    JournalContent content = fixture_journal(plan);
    assert_int_equal(content.torn_lines, 0);
    assert_in_range(content.sample_count, 10, 80);
    journal_clear(&content);
    problem.text[0] = '\0';
    if (!run(plan, &problem))
        fail_msg("%s", problem.text);
    fixture_assert_complete(plan);
    plan_free(plan);
}

static bool write_bytes(const char *path, size_t count, Problem *problem)
{
    WholeFile file;
    bool written = whole_file_open(&file, path, problem);
    for (size_t i = 0; written && i < count; i++)
        written = fputc('x', file.stream) != EOF;
    return whole_file_close(&file, written, problem);
}

static void result_files_keep_what_they_were(void **state)
{
    (void)state;
    Problem problem = {0};
    interrupt_install();
    assert_true(write_bytes("cells.csv", 100, &problem));
    limit_files(8192);
    const bool good = write_bytes("cells.csv", 100000, &problem);
    limit_files(RLIM_INFINITY);
    assert_false(good);
    assert_string_equal(problem.text, "cells.csv.tmp: File too large");
    struct stat status;
    assert_int_equal(stat("cells.csv", &status), 0);
    assert_int_equal(status.st_size, 100);
    assert_int_equal(access("cells.csv.tmp", F_OK), -1);
}

// In a mount namespace of its own: the status to exit with.
static int run_on_tiny_disk(const Plan *plan)
{
    Problem problem = {0};
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mkdir("run", 0777) != 0 || mount("none", "run", "tmpfs", 0, "size=28k") != 0)
        return STATUS_SKIPPED;
    if (run(plan, &problem) || !strstr(problem.text, "No space left on device")) {
        (void)fprintf(stderr, "expected a full disk, given: %s\n", problem.text);
        return STATUS_WRONG;
    }
    (void)fprintf(stderr, "%s\n", problem.text);
    JournalContent content = fixture_journal(plan);
    const bool whole = content.torn_lines == 0 && content.sample_count > 0;
    journal_clear(&content);
    problem.text[0] = '\0';
    if (mount("none", "run", "tmpfs", MS_REMOUNT, "size=1m") != 0 || !run(plan, &problem)) {
        (void)fprintf(stderr, "%s\n", problem.text);
        return STATUS_WRONG;
    }
    fixture_assert_complete(plan);
    return whole ? 0 : STATUS_WRONG;
}

static void run_on_a_full_disk_is_completed_when_there_is_room(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    int status = 0;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(run_on_tiny_disk(plan));
    assert_int_equal(waitpid(child, &status, 0), child);
    plan_free(plan);
    (void)rmdir("run");
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == STATUS_SKIPPED) {
        print_message("skipped: no right to mount a small disk\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    worker_path = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(journal_stays_whole_where_a_file_may_not_grow,
                                        fixture_enter, fixture_leave),
        cmocka_unit_test_setup_teardown(result_files_keep_what_they_were, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(run_on_a_full_disk_is_completed_when_there_is_room,
                                        fixture_enter, fixture_leave),
    };
    return cmocka_run_group_tests_name("full_disk", tests, NULL, NULL);
}
