// SPDX-License-Identifier: Apache-2.0
// test_worker_faults.c - whatever a worker does, it costs one cell with its reason and the sweep
// goes on. Usage: test_worker_faults FAKE_WORKER
#define _GNU_SOURCE
#include "common/clock.h"
#include "run/launch.h"
#include "run/sweep_run.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

#define FAULT(NAME, reason) FAULT_##NAME,
enum {
    FAULT_NONE,
#include "faults.def"
    FAULT_COUNT
};
#undef FAULT

#define FAULT(NAME, reason) [FAULT_##NAME] = reason,
static const char *const expected_reasons[FAULT_COUNT] = {
#include "faults.def"
};
#undef FAULT

static char *worker_path;

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

static RunnerOutcome run_plan(const Plan *plan, const char *worker)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s", worker);
    const RunnerTools tools = {launch, read_clock, never, path};
    Problem problem = {0};
    RunnerOutcome outcome;
    json_t *machine = fixture_machine("here");
    const SweepRun sweep = fixture_sweep(plan, machine, false);
    if (!sweep_run(&sweep, &tools, &outcome, &problem))
        fail_msg("%s", problem.text);
    json_decref(machine);
    return outcome;
}

static const Sample *find_failure(const JournalContent *content, size_t cell)
{
    for (size_t i = 0; i < content->sample_count; i++)
        if (content->samples[i].cell == cell && !content->samples[i].ok)
            return &content->samples[i];
    return NULL;
}

static void assert_reason(const Sample *failure, const char *words)
{
    const char *reason = failure ? failure->reason : "no failure";
    if (!strstr(reason, words))
        fail_msg("expected '%s' in '%s'", words, reason);
}

// Every fault at once, and the good cell among them: m = 1.
static void run_all_faults(const char *scenario, SampleTask task)
{
    Plan *plan = fixture_plan(scenario);
    assert_int_equal(plan->cell_count, FAULT_COUNT);
    const RunnerOutcome outcome = run_plan(plan, worker_path);
    JournalContent content = fixture_journal(plan);
    assert_int_equal(outcome.failed_cells, FAULT_COUNT - 1);
    assert_null(find_failure(&content, 0));
    for (size_t i = 1; i < FAULT_COUNT; i++) {
        const Sample *failure = find_failure(&content, i);
        assert_non_null(failure);
        assert_int_equal(failure->task, task);
        assert_reason(failure, expected_reasons[i]);
        size_t samples = 0;
        for (size_t j = 0; j < content.sample_count; j++)
            samples += content.samples[j].cell == i;
        assert_int_equal(samples, (size_t)task + 1); // nothing after its failure
    }
    journal_clear(&content);
    plan_free(plan);
}

#define FAULT_SCENARIO(n)                                                                          \
    "name: faults\ndefaults: {samples: 1, timeout: 1s, counters: none}\n"                          \
    "sweeps:\n  - name: all\n    workload: kernel\n"                                               \
    "    axes: {op: gemm, k: 1, n: " #n ", m: 1..17 +1}\n"

static void fault_while_verifying_fails_its_cell_alone(void **state)
{
    (void)state;
    run_all_faults(FAULT_SCENARIO(1), SAMPLE_VERIFY);
}

static void fault_while_timing_fails_its_cell_alone(void **state)
{
    (void)state;
    run_all_faults(FAULT_SCENARIO(3), SAMPLE_TIME);
}

static void hanging_cell_leaves_its_stack(void **state)
{
    (void)state;
    Plan *plan = fixture_plan("name: hang\ndefaults: {samples: 1, timeout: 1s, counters: none}\n"
                              "sweeps:\n  - name: all\n    workload: kernel\n"
                              "    axes: {op: gemm, k: 1, n: 1, m: 4}\n"); // FAULT_HANG
    (void)run_plan(plan, worker_path);
    JournalContent content = fixture_journal(plan);
    const Sample *failure = find_failure(&content, 0);
    assert_reason(failure, "timeout of 1 s; it said: stack: ");
    assert_reason(failure, "< hang_for_ever+0x");
    assert_reason(failure, "< main+0x");
    journal_clear(&content);
    plan_free(plan);
}

static void memory_limit_is_named_in_the_reason(void **state)
{
    (void)state;
    if (SANITIZED) {
        print_message("skipped: sanitizers need all the address space\n");
        skip();
    }
    Plan *plan = fixture_plan(
        "name: memory\ndefaults: {samples: 1, timeout: 20s, memory_limit: 256MiB, counters: none}\n"
        "sweeps:\n  - name: all\n    workload: kernel\n"
        "    axes: {op: gemm, k: 1, n: 1, m: 1000}\n");
    (void)run_plan(plan, worker_path);
    JournalContent content = fixture_journal(plan);
    const Sample *failure = find_failure(&content, 0);
    assert_reason(failure, "SIGABRT");
    assert_reason(failure, "its memory limit was 256 MiB");
    assert_reason(failure, "out of memory after");
    journal_clear(&content);
    plan_free(plan);
}

static void worker_that_is_not_there_is_said(void **state)
{
    (void)state;
    Plan *plan = fixture_plan("name: nobody\ndefaults: {samples: 1, counters: none}\n"
                              "sweeps:\n  - name: all\n    workload: kernel\n"
                              "    axes: {op: gemm, k: 1, n: 1, m: 1}\n");
    (void)run_plan(plan, "/nowhere/hyperion-worker");
    JournalContent content = fixture_journal(plan);
    const Sample *failure = find_failure(&content, 0);
    assert_reason(failure, "cannot execute /nowhere/hyperion-worker: No such file");
    journal_clear(&content);
    plan_free(plan);
}

static void busy_neighbours_are_noticed(void **state)
{
    (void)state;
    const LaunchLimits limits = {.timeout_ns = 5e9, .memory_bytes = 0};
    WorkerEnd end;
    const pid_t neighbour = fork();
    assert_true(neighbour >= 0);
    if (neighbour == 0)
        for (;;) {
        }
    worker_launch("/bin/sh", "sleep 0.5\n", &limits, &end);
    (void)kill(neighbour, SIGKILL);
    assert_int_equal(waitpid(neighbour, NULL, 0), neighbour);
    free(end.answer);
    if (isnan(end.disturbance.other_cpus)) {
        print_message("skipped: /proc/stat does not tell the load\n");
        skip();
    }
    assert_true(end.disturbance.other_cpus > 0.3);
}

static void nothing_is_left_running_or_open(void **state)
{
    (void)state;
    const LaunchLimits limits = {.timeout_ns = 5e9, .memory_bytes = 0};
    WorkerEnd end;
    // Leaves a process behind that holds its pipes.
    char shell[] = "/bin/sh";
    worker_launch(shell, "sleep 30 & echo $! >&3\n", &limits, &end);
    assert_int_equal(end.ending, WORKER_EXITED);
    assert_true(end.life_ns < 4e9);
    assert_non_null(end.answer);
    const pid_t left = (pid_t)atol(end.answer);
    assert_true(left > 0);
    // Killed, but it takes a moment to be gone, and then somebody has to reap it.
    for (int i = 0; i < 100 && kill(left, 0) == 0; i++) {
        char path[64];
        char line[256] = "";
        (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)left);
        FILE *file = fopen(path, "re");
        if (file) {
            (void)fgets(line, sizeof line, file);
            (void)fclose(file);
        }
        if (strstr(line, ") Z "))
            break;
        (void)usleep(20000);
        assert_int_not_equal(i, 99);
    }
    free(end.answer);
    int lowest = dup(0);
    worker_launch(shell, "exit 0\n", &limits, &end);
    int after = dup(0);
    assert_int_equal(after, lowest + 1);
    free(end.answer);
    (void)close(lowest);
    (void)close(after);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    worker_path = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fault_while_verifying_fails_its_cell_alone, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(fault_while_timing_fails_its_cell_alone, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(hanging_cell_leaves_its_stack, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(memory_limit_is_named_in_the_reason, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(worker_that_is_not_there_is_said, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test(busy_neighbours_are_noticed),
        cmocka_unit_test(nothing_is_left_running_or_open),
    };
    return cmocka_run_group_tests_name("worker_faults", tests, NULL, NULL);
}
