// SPDX-License-Identifier: Apache-2.0
// test_pipeline.c - scenario, plan, rounds, journal and result files with a fake clock and a fake
// worker: every number is known, and the files are those in tests/golden.
// HYPERION_UPDATE_GOLDEN=1 writes them anew.
#define _GNU_SOURCE
#include "common/file.h"
#include "run/protocol.h"
#include "run/sweep_run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

static const char scenario[] =
    "name: pipeline\n"
    "defaults: {seed: 7, samples: 3, repetitions: 3, min_time: 1ms, counters: [PAPI_L1_DCM, "
    "PAPI_TOT_INS]}\n"
    "sweeps:\n"
    "  - name: blocks\n"
    "    workload: kernel\n"
    "    axes: {op: gemm, m: 100, n: 100, k: 100, simd_level: scalar, block_size: 32..128 *2}\n"
    "  - name: functions\n"
    "    workload: kernel\n"
    "    axes: {op: activation, size: 1000, function: [relu, gelu]}\n";
// Cells 0 to 2 are products, 3 and 4 functions; the worker below fails cell 4.
enum { PRODUCTS = 3, BROKEN_CELL = 4, CELLS = 5 };

// What the fake worker has done so far, and the time that took.
typedef struct FakeWorld {
    Plan *plan;
    double now_ns;
    double other_cpus;
    size_t launches;
    size_t stop_after; // launches; 0 = never
    char order[512];   // "v0 v1 p0 ... t2": task and cell of every launch
    size_t timed[CELLS];
} FakeWorld;

static size_t find_cell(const FakeWorld *world, const Cell *cell)
{
    for (size_t i = 0; i < world->plan->cell_count; i++)
        if (strcmp(world->plan->cells[i].id, cell->id) == 0)
            return i;
    fail_msg("the request's cell %s is not of the plan", cell->id);
    return 0;
}

static void add_facts(Sample *outcome, size_t cell)
{
    const bool product = cell < PRODUCTS;
    bool added = sample_add_value(outcome, "flops", product ? 2e6 : 1000, "FLOP", "model", "") &&
                 sample_add_value(outcome, "bytes", product ? 120000 : 8000, "B", "model", "");
    if (product)
        added = added && sample_add_value(outcome, "kernel.gemm_fake", 1, "", "model", "") &&
                sample_add_value(outcome, "predicted.L1.misses", 1000 + (double)cell, "lines",
                                 "model", "");
    else
        added = added && sample_add_value(outcome, "predicted.L1.misses", NAN, "lines", "model",
                                          "no prediction, \"yet\"");
    assert_true(added);
}

// The cell's time is 1000 ns times its number from 1; samples are 10 ns apart, repetitions 1 ns.
static void add_times(FakeWorld *world, const WorkerRequest *request, size_t cell, Sample *outcome)
{
    outcome->real_count = (size_t)request->repetitions;
    outcome->real_ns = calloc(outcome->real_count, sizeof *outcome->real_ns);
    outcome->cpu_ns = calloc(outcome->real_count, sizeof *outcome->cpu_ns);
    assert_true(outcome->real_ns && outcome->cpu_ns);
    const double sample = (double)world->timed[cell]++;
    for (size_t i = 0; i < outcome->real_count; i++) {
        outcome->real_ns[i] = 1000.0 * (double)(cell + 1) + 10 * sample + (double)i;
        outcome->cpu_ns[i] = outcome->real_ns[i] - 0.5;
    }
}

static void fake_answer(FakeWorld *world, const WorkerRequest *request, size_t cell,
                        Sample *outcome)
{
    outcome->ok = true;
    outcome->peak_rss_kib = 5000;
    outcome->iterations = request->iterations;
    switch (request->task) {
    case SAMPLE_VERIFY: add_facts(outcome, cell); break;
    case SAMPLE_PILOT: outcome->iterations = 100 + cell; break;
    case SAMPLE_TIME: add_times(world, request, cell, outcome); break;
    default:
        assert_true(sample_add_value(outcome, "PAPI_L1_DCM", NAN, "", "unavailable", "no PMU") &&
                    sample_add_value(outcome, "PAPI_TOT_INS", 5e5, "", "pmu", ""));
    }
    // The request must carry what the pilot found.
    if (request->task == SAMPLE_TIME || request->task == SAMPLE_COUNT)
        assert_int_equal(request->iterations, 100 + cell);
}

static char *answer_canary(const WorkerRequest *request)
{
    Sample outcome = sample_empty();
    outcome.ok = true;
    outcome.iterations = request->iterations;
    outcome.real_count = (size_t)request->repetitions;
    outcome.real_ns = calloc(outcome.real_count, sizeof *outcome.real_ns);
    assert_non_null(outcome.real_ns);
    for (size_t i = 0; i < outcome.real_count; i++)
        outcome.real_ns[i] = 5e5;
    char *answer = answer_write(&outcome);
    sample_clear(&outcome);
    return answer;
}

static void fake_launch(void *context, const char *text, const LaunchLimits *limits, WorkerEnd *end)
{
    FakeWorld *world = context;
    ReceivedRequest received;
    Problem problem = {0};
    if (!request_read(text, strlen(text), &received, &problem))
        fail_msg("%s", problem.text);
    assert_true(limits->timeout_ns == 60e9);
    const bool canary = received.request.task == SAMPLE_CANARY;
    const size_t cell = canary ? CELLS : find_cell(world, &received.request.cell);
    const size_t used = strlen(world->order);
    if (!canary)
        (void)snprintf(world->order + used, sizeof world->order - used, "%s%c%zu", used ? " " : "",
                       "vptc"[received.request.task], cell);
    *end = (WorkerEnd){.started_unix_s = 1700000000 + world->now_ns / 1e9,
                       .life_ns = 5e6,
                       .disturbance = {world->other_cpus, 0, NAN}};
    world->now_ns += 5e6;
    world->launches++;
    if (received.request.task == SAMPLE_CANARY) {
        end->answer = answer_canary(&received.request);
        end->answer_length = strlen(end->answer);
    } else if (cell == BROKEN_CELL) {
        end->ending = WORKER_SIGNALLED;
        end->code = 11;
    } else {
        Sample outcome = sample_empty();
        fake_answer(world, &received.request, cell, &outcome);
        end->answer = answer_write(&outcome);
        end->answer_length = strlen(end->answer);
        sample_clear(&outcome);
    }
    request_clear(&received);
}

static double fake_clock(void *context)
{
    FakeWorld *world = context;
    return world->now_ns += 1000;
}

static bool fake_interrupt(void *context)
{
    const FakeWorld *world = context;
    return world->stop_after && world->launches >= world->stop_after;
}

static RunnerOutcome run_world(FakeWorld *world, bool resume)
{
    const RunnerTools tools = {fake_launch, fake_clock, fake_interrupt, world};
    Problem problem = {0};
    RunnerOutcome outcome;
    json_t *machine = fixture_machine("here");
    const SweepRun sweep = fixture_sweep(world->plan, machine, resume);
    if (!sweep_run(&sweep, &tools, &outcome, &problem))
        fail_msg("%s", problem.text);
    json_decref(machine);
    return outcome;
}

static void copy_file(const char *from, const char *to)
{
    Problem problem = {0};
    size_t bytes = 0;
    char *text = file_read(from, 1 << 24, &bytes, &problem);
    FILE *file = fopen(to, "we");
    if (!text || !file || fwrite(text, 1, bytes, file) != bytes || fclose(file) != 0)
        fail_msg("copy %s to %s: %s", from, to, problem.text);
    free(text);
}

static void assert_golden(const char *made, const char *name)
{
    Problem problem = {0};
    char golden[512];
    size_t bytes = 0;
    (void)snprintf(golden, sizeof golden, "%s/tests/golden/%s", HYPERION_SOURCE_DIR, name);
    if (getenv("HYPERION_UPDATE_GOLDEN"))
        copy_file(made, golden);
    char *expected = file_read(golden, 1 << 24, &bytes, &problem);
    char *given = file_read(made, 1 << 24, &bytes, &problem);
    if (!expected || !given)
        fail_msg("%s", problem.text);
    size_t at = 0;
    while (expected[at] && expected[at] == given[at])
        at++;
    if (expected[at] != given[at])
        fail_msg("%s differs from tests/golden/%s at byte %zu:\nexpected ...%.80s\ngiven    "
                 "...%.80s\nif that is meant, HYPERION_UPDATE_GOLDEN=1 writes it anew",
                 made, name, at, expected + (at > 20 ? at - 20 : 0),
                 given + (at > 20 ? at - 20 : 0));
    free(expected);
    free(given);
}

static void files_of_a_run_with_known_times_are_golden(void **state)
{
    (void)state;
    FakeWorld world = {.plan = fixture_plan(scenario)};
    const RunnerOutcome outcome = run_world(&world, false);
    assert_false(outcome.interrupted);
    assert_int_equal(outcome.failed_cells, 1);
    assert_int_equal(outcome.taken, world.launches);
    assert_true(outcome.workers_ns == 5e6 * (double)world.launches);
    // The runner reads the clock once a sample, 1 us each, and for itself.
    assert_true(outcome.wall_ns - outcome.workers_ns <= 1000.0 * ((double)world.launches + 4));
    assert_golden("run/cells.csv", "pipeline_cells.csv");
    assert_golden("run/benchmark.json", "pipeline_benchmark.json");
    assert_golden("run/topology.xml", "pipeline_topology.xml");
    plan_free(world.plan);
}

static void benchmark_json_is_strict_and_has_only_finite_times(void **state)
{
    (void)state;
    FakeWorld world = {.plan = fixture_plan(scenario)};
    (void)run_world(&world, false);
    json_t *document = json_load_file("run/benchmark.json", JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    const json_t *rows = json_object_get(document, "benchmarks");
    // Four good cells: three samples and four aggregates each.
    assert_int_equal(json_array_size(rows), 4 * (3 + 4));
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        assert_null(json_object_get(row, "error_occurred"));
        assert_true(json_number_value(json_object_get(row, "real_time")) > 0);
        assert_true(json_number_value(json_object_get(row, "cpu_time")) > 0);
        const char *name = json_string_value(json_object_get(row, "run_name"));
        assert_string_equal(name + strlen(name) - strlen("/real_time"), "/real_time");
    }
    json_decref(document);
    plan_free(world.plan);
}

static void order_is_verify_pilot_rounds_counts(void **state)
{
    (void)state;
    FakeWorld world = {.plan = fixture_plan(scenario)};
    (void)run_world(&world, false);
    assert_true(strncmp(world.order, "v0 v1 v2 v3 v4 p0 p1 p2 p3 t", 28) == 0);
    const char *counts = strstr(world.order, "c0");
    assert_non_null(counts);
    assert_string_equal(counts, "c0 c1 c2 c3");
    // Each round has every good cell once.
    const char *at = world.order + 27;
    for (int round = 0; round < 3; round++) {
        unsigned seen = 0;
        for (int i = 0; i < 4; i++, at += 3)
            seen |= 1U << (at[1] - '0');
        assert_int_equal(seen, 0xf);
    }
    plan_free(world.plan);
}

static void order_depends_on_the_seed_alone(void **state)
{
    (void)state;
    Plan *plan = fixture_plan(scenario);
    size_t count = 0;
    Job *first = schedule_make(plan, &count);
    Job *again = schedule_make(plan, &count);
    plan_set_seed(plan, 8);
    Job *other = schedule_make(plan, &count);
    assert_memory_equal(first, again, count * sizeof *first);
    assert_int_not_equal(memcmp(first, other, count * sizeof *first), 0);
    free(first);
    free(again);
    free(other);
    plan_free(plan);
}

static void load_of_others_is_recorded_and_averaged(void **state)
{
    (void)state;
    FakeWorld world = {.plan = fixture_plan(scenario), .other_cpus = 0.75};
    assert_true(run_world(&world, false).other_cpus == 0.75);
    JournalContent content = fixture_journal(world.plan);
    for (size_t i = 0; i < content.sample_count; i++) {
        const Sample *sample = &content.samples[i];
        if (sample->task != SAMPLE_TIME)
            continue;
        assert_int_equal(sample->value_count, 3);
        assert_string_equal(sample->values[0].name, "other_cpus");
        assert_string_equal(sample->values[0].provenance, "os");
        assert_true(sample->values[0].value == 0.75);
    }
    journal_clear(&content);
    plan_free(world.plan);
}

// Notes what a cell's worker is to be bound to: "threads: CPUs"; no cell gets further.
static void note_cpus(void *context, const char *text, const LaunchLimits *limits, WorkerEnd *end)
{
    FakeWorld *world = context;
    ReceivedRequest received;
    Problem problem = {0};
    (void)limits;
    if (!request_read(text, strlen(text), &received, &problem))
        fail_msg("%s", problem.text);
    const WorkerRequest *request = &received.request;
    size_t used = strlen(world->order);
    used +=
        (size_t)snprintf(world->order + used, sizeof world->order - used,
                         "%s%lld:", used ? ", " : "", request->cell.values[AXIS_THREADS].integer);
    for (size_t i = 0; i < request->cpu_count; i++)
        used += (size_t)snprintf(world->order + used, sizeof world->order - used, " %d",
                                 request->cpus[i]);
    *end = (WorkerEnd){.ending = WORKER_SIGNALLED, .code = 9, .life_ns = 1};
    request_clear(&received);
}

static void workers_get_a_cpu_for_each_thread_and_none_starts_without(void **state)
{
    (void)state;
    static const TopologyCpu cpus[] = {{4, 2, 0, 0}, {6, 3, 0, 0}, {0, 0, 0, 0}};
    FakeWorld world = {
        .plan = fixture_plan("name: team\n"
                             "sweeps:\n"
                             "  - name: team\n"
                             "    workload: kernel\n"
                             "    axes: {op: binary, size: 1000, binding: [core, none], threads: "
                             "[1, 2, 8]}\n")};
    const RunnerTools tools = {note_cpus, fake_clock, fake_interrupt, &world};
    Problem problem = {0};
    RunnerOutcome outcome;
    json_t *machine = fixture_machine("here");
    SweepRun sweep = fixture_sweep(world.plan, machine, false);
    sweep.cpus = cpus;
    sweep.cpu_count = 3;
    if (!sweep_run(&sweep, &tools, &outcome, &problem))
        fail_msg("%s", problem.text);
    assert_string_equal(world.order, "1: 4, 2: 4 6, 1:, 2:, 8:");
    assert_int_equal(outcome.failed_cells, 6);
    JournalContent journal = fixture_journal(world.plan);
    assert_string_equal(journal.samples[2].reason,
                        "threads 8: binding core, smt false leaves 3 CPUs to bind to");
    journal_clear(&journal);
    json_decref(machine);
    plan_free(world.plan);
}

// Stopped after every possible number of launches, a run and its resumption take together what one
// takes in one go, in the same order.
static void resumed_run_goes_on_where_it_stopped(void **state)
{
    (void)state;
    FakeWorld whole = {.plan = fixture_plan(scenario)};
    (void)run_world(&whole, false);
    for (size_t stop = 1; stop < whole.launches; stop += 3) {
        fixture_remove("run");
        FakeWorld world = {.plan = whole.plan, .stop_after = stop};
        RunnerOutcome outcome = run_world(&world, false);
        assert_true(outcome.interrupted);
        assert_int_equal(outcome.taken, stop);
        world.stop_after = 0;
        outcome = run_world(&world, true);
        assert_false(outcome.interrupted);
        assert_int_equal(outcome.failed_cells, 1);
        assert_string_equal(world.order, whole.order);
    }
    assert_golden("run/cells.csv", "pipeline_cells.csv");
    plan_free(whole.plan);
}

static void interrupted_run_has_files_that_say_incomplete(void **state)
{
    (void)state;
    Problem problem = {0};
    size_t bytes = 0;
    FakeWorld world = {.plan = fixture_plan(scenario), .stop_after = 10};
    assert_true(run_world(&world, false).interrupted);
    char *csv = file_read("run/cells.csv", 1 << 20, &bytes, &problem);
    assert_non_null(csv);
    assert_non_null(strstr(csv, ",incomplete,"));
    assert_non_null(strstr(csv, ",failed,worker killed by SIGSEGV"));
    assert_null(strstr(csv, ",ok,"));
    free(csv);
    plan_free(world.plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(workers_get_a_cpu_for_each_thread_and_none_starts_without,
                                        fixture_enter, fixture_leave),
        cmocka_unit_test_setup_teardown(files_of_a_run_with_known_times_are_golden, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(benchmark_json_is_strict_and_has_only_finite_times,
                                        fixture_enter, fixture_leave),
        cmocka_unit_test_setup_teardown(order_is_verify_pilot_rounds_counts, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(order_depends_on_the_seed_alone, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(load_of_others_is_recorded_and_averaged, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(resumed_run_goes_on_where_it_stopped, fixture_enter,
                                        fixture_leave),
        cmocka_unit_test_setup_teardown(interrupted_run_has_files_that_say_incomplete,
                                        fixture_enter, fixture_leave),
    };
    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
