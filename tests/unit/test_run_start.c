// SPDX-License-Identifier: Apache-2.0
// test_run_start.c - which directories a run takes, which it refuses and why; what is read back.
#define _GNU_SOURCE
#include "run/run_start.h"

#include "common/json_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

#define SCENARIO(m)                                                                                \
    "name: start\nsweeps:\n  - name: all\n    workload: kernel\n"                                  \
    "    axes: {op: gemm, m: " #m ", n: 1, k: 1}\n"

static void expect_refusal(const char *directory, const Plan *plan, bool resume, const char *words)
{
    RunStart start;
    Problem problem = {0};
    assert_false(run_start(directory, plan, resume, &start, &problem));
    assert_int_equal(start.lock, -1);
    if (!strstr(problem.text, words))
        fail_msg("expected '%s' in '%s'", words, problem.text);
}

static void expect_start(const char *directory, const Plan *plan, bool resume, bool resumes)
{
    RunStart start;
    Problem problem = {0};
    if (!run_start(directory, plan, resume, &start, &problem))
        fail_msg("%s", problem.text);
    assert_int_equal(start.resumes, resumes);
    run_start_release(&start);
}

static void directories_are_taken_once_and_then_with_resume(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(SCENARIO(1));
    Plan *other = fixture_plan(SCENARIO(2));
    expect_start("a/b/c", plan, false, false); // and those above it are made
    expect_refusal("a/b/c", plan, false, "--resume completes it");
    expect_refusal("a/b/c", other, false, "holds another plan");
    expect_refusal("a/b/c", other, true, "holds another plan");
    expect_start("a/b/c", plan, true, true);
    expect_start("new", plan, true, false); // nothing there to resume: just runs
    fixture_remove("a/b/c");
    fixture_remove("a/b");
    fixture_remove("a");
    fixture_remove("new");
    plan_free(plan);
    plan_free(other);
}

static void touch(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void places_that_are_no_run_are_refused(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(SCENARIO(1));
    expect_refusal("", plan, false, "no name");
    expect_refusal("scenario.yaml", plan, false, "scenario.yaml: not a directory");
    expect_refusal("scenario.yaml/under", plan, false, "Not a directory");
    assert_int_equal(mkdir("home", 0777), 0);
    touch("home/letter.txt", "dear");
    expect_refusal("home", plan, true, "other files (letter.txt)");
    assert_int_equal(access("home/" RUN_PLAN, F_OK), -1);
    assert_int_equal(mkdir("bad", 0777), 0);
    touch("bad/" RUN_PLAN, "{\"schema\": 3}\n");
    expect_refusal("bad", plan, true, "bad/plan.json");
    plan_free(plan);
}

static void plan_that_was_not_finished_writing_does_not_count(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(SCENARIO(1));
    assert_int_equal(mkdir("run", 0777), 0);
    touch("run/" RUN_PLAN ".tmp", "{\"sch");
    touch("run/" RUN_LOCK, "");
    expect_start("run", plan, true, false);
    plan_free(plan);
}

static void default_directory_has_date_host_and_commit(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(SCENARIO(1));
    char name[128];
    assert_true(run_default_directory(plan, 1700000000, "my host/1", "0123456789abcdef", name,
                                      sizeof name));
    assert_string_equal(name, "results/start/20231114T221320Z-my_host_1-0123456789ab");
    assert_true(run_default_directory(plan, 1700000000, "", NULL, name, sizeof name));
    assert_string_equal(name, "results/start/20231114T221320Z-unknown-unknown");
    assert_false(run_default_directory(plan, 1700000000, "host", NULL, name, 20));
    plan_free(plan);
}

static void unused_launch(void *context, const char *request, const LaunchLimits *limits,
                          WorkerEnd *end)
{
    (void)context;
    (void)request;
    (void)limits;
    *end = (WorkerEnd){.ending = WORKER_NOT_STARTED, .output = "no more processes"};
}

static double zero_clock(void *context)
{
    (void)context;
    return 0;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static bool sweep(const Plan *plan, const char *key, bool resume, Problem *problem)
{
    const RunnerTools tools = {unused_launch, zero_clock, never, NULL};
    RunnerOutcome outcome;
    json_t *machine = fixture_machine(key);
    const SweepRun run = fixture_sweep(plan, machine, resume);
    const bool good = sweep_run(&run, &tools, &outcome, problem);
    json_decref(machine);
    return good;
}

static void run_is_not_resumed_on_another_machine(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(SCENARIO(1));
    Problem problem = {0};
    assert_true(sweep(plan, "here", false, &problem));
    assert_true(sweep(plan, "here", true, &problem));
    assert_false(sweep(plan, "there", true, &problem));
    assert_non_null(strstr(problem.text, "begun on another machine (key here)"));
    plan_free(plan);
}

static void run_is_read_back(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(SCENARIO(1));
    Problem problem = {0};
    assert_true(sweep(plan, "here", false, &problem));
    RunRecord *record = run_record_load("run", &problem);
    if (!record)
        fail_msg("%s", problem.text);
    assert_string_equal(record->plan->hash, plan->hash);
    assert_int_equal(record->sample_count, 1);
    assert_non_null(strstr(record->samples[0].reason, "no more processes"));
    assert_string_equal(json_string_value(json_object_get(record->machine, "key")), "here");
    run_record_free(record);
    assert_int_equal(unlink("run/" RUN_MACHINE), 0);
    assert_null(run_record_load("run", &problem));
    assert_non_null(strstr(problem.text, "run/machine.json"));
    assert_null(run_record_load("nowhere", &(Problem){0}));
    plan_free(plan);
}

static void single_cells_can_be_chosen(void **state)
{
    (void)state;
    Plan *plan = fixture_plan("name: choose\nsweeps:\n"
                              "  - name: first\n    workload: kernel\n"
                              "    axes: {op: gemm, m: [1, 2], n: 1, k: 1}\n"
                              "  - name: second\n    workload: kernel\n"
                              "    axes: {op: gemm, m: [3, 4], n: 1, k: 1}\n");
    char hash[sizeof plan->hash];
    Problem problem = {0};
    memcpy(hash, plan->hash, sizeof hash);
    char wanted[128];
    (void)snprintf(wanted, sizeof wanted, "%s", plan->cells[3].id);
    const char *const missing[] = {wanted, "kernel/op:gemm/m:5", NULL};
    assert_false(plan_keep_cells(plan, missing, &problem));
    assert_non_null(strstr(problem.text, "no cell 'kernel/op:gemm/m:5'"));
    assert_int_equal(plan->cell_count, 4);
    assert_string_equal(plan->hash, hash);
    const char *const ids[] = {wanted, NULL};
    assert_true(plan_keep_cells(plan, ids, &(Problem){0}));
    assert_int_equal(plan->cell_count, 1);
    assert_int_equal(plan->sweep_count, 1);
    assert_string_equal(plan->sweeps[0].name, "second");
    assert_string_equal(plan->cells[0].id, wanted);
    assert_ptr_equal(plan->cells[0].sweep, &plan->sweeps[0]);
    assert_string_not_equal(plan->hash, hash);
    // The plan that is left reads back as any other.
    json_t *json = plan_to_json(plan);
    Plan *read = plan_from_json(json, &(Problem){0});
    assert_non_null(read);
    plan_free(read);
    json_decref(json);
    plan_free(plan);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, fixture_enter, fixture_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(directories_are_taken_once_and_then_with_resume),
        IN_FOLDER(places_that_are_no_run_are_refused),
        IN_FOLDER(plan_that_was_not_finished_writing_does_not_count),
        IN_FOLDER(default_directory_has_date_host_and_commit),
        IN_FOLDER(run_is_not_resumed_on_another_machine),
        IN_FOLDER(run_is_read_back),
        IN_FOLDER(single_cells_can_be_chosen),
    };
    return cmocka_run_group_tests_name("run_start", tests, NULL, NULL);
}
