// SPDX-License-Identifier: Apache-2.0
// test_plan_size.c - a plan of 100,000 cells is made and written to its run directory in 200 MB; as
// a benchmark (argument `timed`, label perf) also in a second of CPU time.
#define _GNU_SOURCE
#include "run/run_start.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static const char scenario[] = "name: large\nsweeps:\n  - name: all\n    workload: kernel\n"
                               "    axes: {op: gemm, m: 1..500 +1, n: 1..200 +1, k: 7}\n";

// In a process of its own, whose memory is that of the plan.
static int make_and_write(void)
{
    Problem problem = {0};
    RunStart start;
    Plan *plan = plan_from_scenario("scenario.yaml", NULL, &problem);
    if (!plan || plan->cell_count != 100000 || !run_start("run", plan, false, &start, &problem)) {
        (void)fprintf(stderr, "%s\n", problem.text);
        return 1;
    }
    run_start_release(&start);
    plan_free(plan);
    return 0;
}

static bool timed;

static void large_plan_takes_a_second_and_200_megabytes(void **state)
{
    (void)state;
    FILE *file = fopen("scenario.yaml", "we");
    assert_non_null(file);
    assert_true(fputs(scenario, file) >= 0);
    assert_int_equal(fclose(file), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(make_and_write());
    int status = 0;
    struct rusage usage;
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_int_equal(status, 0);
    const double cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    print_message("%.2f s of CPU time, %ld KiB\n", cpu_s, usage.ru_maxrss);
    if (SANITIZED) {
        print_message("skipped: sanitizers take time and memory of their own\n");
        skip();
    }
    assert_true(!timed || cpu_s < 1);
    assert_true(usage.ru_maxrss < 200000);
}

int main(int argc, char **argv)
{
    timed = argc > 1 && strcmp(argv[1], "timed") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(large_plan_takes_a_second_and_200_megabytes, fixture_enter,
                                        fixture_leave),
    };
    return cmocka_run_group_tests_name("plan_size", tests, NULL, NULL);
}
