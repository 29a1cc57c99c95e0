// SPDX-License-Identifier: Apache-2.0
// test_killed_runs.c - a run that is killed at any moment is completed by the next: every sample is
// taken once, none is lost. Usage: test_killed_runs FAKE_WORKER [KILLS]
#define _GNU_SOURCE
#include "common/clock.h"
#include "run/interrupt.h"
#include "run/launch.h"
#include "run/sweep_run.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

enum { USUAL_KILLS = 12, EXIT_OF_INTERRUPTED = 130 };

static char *worker_path;
static int kills = USUAL_KILLS;

static const char scenario[] = "name: killed\ndefaults: {samples: 8, counters: [PAPI_TOT_INS]}\n"
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

static bool was_interrupted(void *context)
{
    (void)context;
    return interrupt_requested();
}

// A whole `hyperion run --resume` in a process of its own.
static pid_t start_run(const Plan *plan)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    const RunnerTools tools = {launch, read_clock, was_interrupted, worker_path};
    Problem problem = {0};
    RunnerOutcome outcome;
    json_t *machine = fixture_machine("here");
    const SweepRun sweep = fixture_sweep(plan, machine, true);
    interrupt_install();
    const bool good = sweep_run(&sweep, &tools, &outcome, &problem);
    if (!good)
        (void)fprintf(stderr, "%s\n", problem.text);
    _exit(!good ? 1 : outcome.interrupted ? EXIT_OF_INTERRUPTED : 0);
}

static int wait_for(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void sleep_ms(unsigned ms)
{
    (void)usleep(ms * 1000);
}

// Until the run has taken samples beyond those `before`; then it is in the middle of its work.
static void wait_for_samples(const Plan *plan, size_t before)
{
    for (int i = 0; i < 5000; i++) {
        JournalContent content = fixture_journal(plan);
        const bool more = content.sample_count > before;
        journal_clear(&content);
        if (more)
            return;
        sleep_ms(2);
    }
    fail_msg("no sample after 10 s");
}

static void every_sample_is_taken_once_however_often_the_run_is_killed(void **state)
{
    (void)state;
    char text[512];
    // Enough samples for the last kill to come before the end.
    (void)snprintf(text, sizeof text,
                   "name: killed\ndefaults: {samples: %d, counters: [PAPI_TOT_INS]}\n"
                   "sweeps:\n  - name: all\n    workload: kernel\n"
                   "    axes: {op: gemm, k: 1..8 +1, n: 1, m: 1}\n",
                   kills);
    Plan *plan = fixture_plan(text);
    unsigned seed = (unsigned)getpid();
    print_message("seed %u\n", seed);
    size_t before = 0;
    for (int i = 0; i < kills; i++) {
        const pid_t child = start_run(plan);
        sleep_ms((unsigned)rand_r(&seed) % 60);
        (void)kill(child, SIGKILL);
        const int status = wait_for(child);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
        JournalContent content = fixture_journal(plan);
        assert_true(content.sample_count >= before);
        before = content.sample_count;
        journal_clear(&content);
    }
    print_message("%zu samples survived %d kills\n", before, kills);
    assert_int_equal(wait_for(start_run(plan)), 0);
    fixture_assert_complete(plan);
    plan_free(plan);
}

static void torn_line_is_taken_again(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    assert_int_equal(wait_for(start_run(plan)), 0);
    // Cuts the last line in the middle, as a crash of the machine can.
    FILE *file = fopen("run/" RUN_JOURNAL, "re");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const long size = ftell(file);
    (void)fclose(file);
    assert_int_equal(truncate("run/" RUN_JOURNAL, size - 40), 0);
    assert_int_equal(wait_for(start_run(plan)), 0);
    fixture_assert_complete(plan);
    plan_free(plan);
}

static void interrupted_run_keeps_its_journal_and_is_completed(void **state)
{
    (void)state;
    static const int numbers[] = {SIGINT, SIGTERM};
    Plan *plan = fixture_plan(scenario);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        JournalContent content = fixture_journal(plan);
        const size_t before = content.sample_count;
        journal_clear(&content);
        const pid_t child = start_run(plan);
        wait_for_samples(plan, before);
        (void)kill(child, numbers[i]);
        const int status = wait_for(child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), EXIT_OF_INTERRUPTED);
        assert_int_equal(access("run/cells.csv", F_OK), 0);
    }
    assert_int_equal(wait_for(start_run(plan)), 0);
    fixture_assert_complete(plan);
    plan_free(plan);
}

// The worker of a runner, or 0 where the kernel does not tell.
static pid_t find_worker(pid_t runner)
{
    char path[64];
    long worker = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)runner, (long)runner);
    for (int i = 0; i < 1000 && worker == 0; i++) {
        FILE *file = fopen(path, "re");
        if (!file || fscanf(file, "%ld", &worker) != 1)
            worker = 0;
        if (file)
            (void)fclose(file);
        sleep_ms(2);
    }
    return (pid_t)worker;
}

// Gone, or a zombie that nobody has reaped yet.
static bool has_ended(pid_t process)
{
    char path[64];
    char line[256] = "";
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)process);
    FILE *file = fopen(path, "re");
    if (!file)
        return true;
    const bool read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    return !read || strstr(line, ") Z ") != NULL;
}

#define ONE_CELL(m, k)                                                                             \
    "name: one\ndefaults: {samples: 2, timeout: 60s, counters: none}\n"                            \
    "sweeps:\n  - name: all\n    workload: kernel\n"                                               \
    "    axes: {op: gemm, n: 1, m: " #m ", k: " #k "}\n"

static void expect_interrupted(pid_t runner)
{
    const int status = wait_for(runner);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_OF_INTERRUPTED);
}

static void interrupted_run_finishes_its_sample(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(ONE_CELL(1, 400)); // 400 ms a worker
    const pid_t runner = start_run(plan);
    if (find_worker(runner) == 0) {
        (void)kill(runner, SIGKILL);
        (void)wait_for(runner);
        plan_free(plan);
        print_message("skipped: the kernel does not list a process's children\n");
        skip();
    }
    sleep_ms(20);
    (void)kill(runner, SIGTERM);
    expect_interrupted(runner);
    JournalContent content = fixture_journal(plan);
    assert_int_equal(content.sample_count, 1);
    assert_true(content.samples[0].ok);
    journal_clear(&content);
    plan_free(plan);
}

static void second_interrupt_stops_at_once(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(ONE_CELL(4, 1)); // FAULT_HANG
    const double start_ns = clock_monotonic_ns();
    const pid_t runner = start_run(plan);
    (void)find_worker(runner);
    sleep_ms(50);
    (void)kill(runner, SIGTERM);
    sleep_ms(50);
    (void)kill(runner, SIGINT);
    expect_interrupted(runner);
    assert_true(clock_monotonic_ns() - start_ns < 30e9);
    JournalContent content = fixture_journal(plan);
    assert_int_equal(content.sample_count, 0);
    journal_clear(&content);
    plan_free(plan);
}

static void killed_run_takes_its_worker_along(void **state)
{
    (void)state;
    Plan *plan = fixture_plan("name: hang\ndefaults: {samples: 1, timeout: 60s, counters: none}\n"
                              "sweeps:\n  - name: all\n    workload: kernel\n"
                              "    axes: {op: gemm, k: 1, n: 1, m: 4}\n"); // FAULT_HANG
    const pid_t runner = start_run(plan);
    const pid_t worker = find_worker(runner);
    sleep_ms(50); // until it is a worker that hangs
    (void)kill(runner, SIGKILL);
    (void)wait_for(runner);
    plan_free(plan);
    if (worker == 0) {
        print_message("skipped: the kernel does not list a process's children\n");
        skip();
    }
    for (int i = 0; i < 1000 && !has_ended(worker); i++)
        sleep_ms(2);
    assert_true(has_ended(worker));
}

static void two_runs_cannot_use_one_directory(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    const pid_t first = start_run(plan);
    wait_for_samples(plan, 0);
    const int status = wait_for(start_run(plan));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_int_equal(wait_for(first), 0);
    fixture_assert_complete(plan);
    plan_free(plan);
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3)
        return 2;
    worker_path = argv[1];
    if (argc == 3)
        kills = (int)strtol(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_sample_is_taken_once_however_often_the_run_is_killed,
                                        fixture_enter, fixture_leave),
        cmocka_unit_test_setup_teardown(torn_line_is_taken_again, fixture_enter, fixture_leave),
        cmocka_unit_test_setup_teardown(interrupted_run_keeps_its_journal_and_is_completed,
                                        fixture_enter, fixture_leave),
        cmocka_unit_test_setup_teardown(interrupted_run_finishes_its_sample, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(second_interrupt_stops_at_once, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(killed_run_takes_its_worker_along, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(two_runs_cannot_use_one_directory, fixture_enter,
                                        fixture_leave),
    };
    return cmocka_run_group_tests_name("killed_runs", tests, NULL, NULL);
}
