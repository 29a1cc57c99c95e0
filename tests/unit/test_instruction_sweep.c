// SPDX-License-Identifier: Apache-2.0
// test_instruction_sweep.c - a sweep that measures instructions from plan to metrics, with a fake
// worker: what is planned, asked of the workers and made of their counts.
#define _GNU_SOURCE
#include "hyperion/simd.h"
#include "record/writers/writer.h"
#include "run/protocol.h"
#include "stats/metrics_emulated.h"
#include "workload/simd_choice.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/sweep_fixture.h"

static const char scenario[] =
    "name: mixed\n"
    "defaults: {samples: 3, counters: [PAPI_TOT_INS]}\n"
    "sweeps:\n"
    "  - name: counted\n"
    "    measure: instructions\n"
    "    workload: kernel\n"
    "    axes: {op: gemm, m: [8, 16], n: 8, k: 8, simd_level: [scalar, best]}\n"
    "  - name: timed\n"
    "    workload: kernel\n"
    "    axes: {op: gemm, m: 4, n: 4, k: 4}\n";
enum { COUNTED = 4, TIMED_CELL = COUNTED, SAMPLES = 3 };

static size_t find_cell(const Plan *plan, const Cell *cell)
{
    size_t index = 0;
    while (index < plan->cell_count && strcmp(plan->cells[index].id, cell->id) != 0)
        index++;
    assert_true(index < plan->cell_count);
    return index;
}

// What the fake worker is asked and told to answer.
typedef struct FakeWorld {
    const Plan *plan;
    size_t tasks[SAMPLE_TASK_COUNT]; // launches
    double drift;                    // instructions more with each sample of the first cell
    bool no_caches, no_instructions;
} FakeWorld;

static bool add_emulated(const FakeWorld *world, size_t cell, Sample *outcome)
{
    const double drift = cell ? 0 : world->drift * (double)world->tasks[SAMPLE_EMULATE];
    if (world->no_instructions)
        return true;
    if (!sample_add_value(outcome, "instructions", 1000 * (double)(cell + 1) + drift, "",
                          "emulated", ""))
        return false;
    if (world->no_caches)
        return sample_add_value(outcome, "simulated.L1.misses", NAN, "lines", "", "no caches here");
    return sample_add_value(outcome, "simulated.L1.misses", 50, "lines", "sim", "") &&
           sample_add_value(outcome, "simulated.L1.read_misses", 40, "lines", "sim", "") &&
           sample_add_value(outcome, "simulated.L1.write_misses", 10, "lines", "sim", "") &&
           sample_add_value(outcome, "simulated.LL.misses", 20, "lines", "sim", "") &&
           sample_add_value(outcome, "simulated.LL.level", 2, "", "sim", "");
}

static bool answer_task(const FakeWorld *world, const WorkerRequest *request, size_t cell,
                        Sample *outcome)
{
    outcome->ok = true;
    outcome->iterations = request->task == SAMPLE_PILOT ? 10 : request->iterations;
    switch (request->task) {
    case SAMPLE_VERIFY:
        return sample_add_value(outcome, "predicted.L1.misses", 48, "lines", "model", "") &&
               sample_add_value(outcome, "predicted.L2.misses", 19, "lines", "model", "");
    case SAMPLE_EMULATE: return add_emulated(world, cell, outcome);
    case SAMPLE_TIME:
    case SAMPLE_CANARY:
        outcome->real_count = (size_t)request->repetitions;
        outcome->real_ns = calloc(outcome->real_count, sizeof *outcome->real_ns);
        for (size_t i = 0; outcome->real_ns && i < outcome->real_count; i++)
            outcome->real_ns[i] = 1000;
        return outcome->real_ns != NULL;
    default: return true;
    }
}

static void fake_launch(void *context, const char *text, const LaunchLimits *limits, WorkerEnd *end)
{
    (void)limits;
    FakeWorld *world = context;
    ReceivedRequest received;
    Problem problem = {0};
    if (!request_read(text, strlen(text), &received, &problem))
        fail_msg("%s", problem.text);
    const WorkerRequest *request = &received.request;
    const bool canary = request->task == SAMPLE_CANARY;
    const size_t cell = canary ? world->plan->cell_count : find_cell(world->plan, &request->cell);
    // Verification and samples alike must know that the level stops at AVX2.
    assert_int_equal(request->emulated, cell < COUNTED);
    Sample outcome = sample_empty();
    assert_true(answer_task(world, request, cell, &outcome));
    world->tasks[request->task]++;
    *end = (WorkerEnd){
        .ending = WORKER_EXITED, .disturbance = {NAN, NAN, NAN}, .answer = answer_write(&outcome)};
    assert_non_null(end->answer);
    end->answer_length = strlen(end->answer);
    sample_clear(&outcome);
    request_clear(&received);
}

static double fake_clock(void *context)
{
    (void)context;
    return 0;
}

static bool never_interrupted(void *context)
{
    (void)context;
    return false;
}

// Runs the scenario into "run" and reads it back.
typedef struct Ran {
    Plan *plan;
    RunRecord *record;
    CellSummary *summaries;
} Ran;

static Ran run_world(FakeWorld *world)
{
    const RunnerTools tools = {fake_launch, fake_clock, never_interrupted, world};
    Problem problem = {0};
    RunnerOutcome outcome;
    Ran ran = {.plan = fixture_plan(scenario)};
    json_t *machine = fixture_machine("here");
    world->plan = ran.plan;
    fixture_remove("run");
    const SweepRun sweep = fixture_sweep(ran.plan, machine, false);
    if (!sweep_run(&sweep, &tools, &outcome, &problem))
        fail_msg("%s", problem.text);
    json_decref(machine);
    ran.record = run_record_load("run", &problem);
    assert_non_null(ran.record);
    ran.summaries = metrics_summarise(ran.record);
    assert_non_null(ran.summaries);
    return ran;
}

static void free_ran(Ran *ran)
{
    metrics_free(ran->summaries, ran->plan->cell_count);
    run_record_free(ran->record);
    plan_free(ran->plan);
}

static void counted_cells_need_no_pilot_and_no_counters(void **state)
{
    (void)state;
    FakeWorld world = {.drift = 0};
    Ran ran = run_world(&world);
    assert_int_equal(world.tasks[SAMPLE_VERIFY], COUNTED + 1);
    assert_int_equal(world.tasks[SAMPLE_EMULATE], COUNTED * SAMPLES);
    assert_int_equal(world.tasks[SAMPLE_PILOT], 1);
    assert_int_equal(world.tasks[SAMPLE_TIME], SAMPLES);
    assert_int_equal(world.tasks[SAMPLE_COUNT], 1);
    // Rounds with a clock have a canary each.
    assert_int_equal(world.tasks[SAMPLE_CANARY], SAMPLES);
    assert_int_equal(plan_worker_count(ran.plan), COUNTED * (1 + SAMPLES) + 3 + 2 * SAMPLES);
    for (size_t i = 0; i < ran.plan->cell_count; i++)
        assert_string_equal(cell_status(ran.record, &ran.summaries[i]), "ok");
    free_ran(&ran);
}

static void metrics_are_those_of_the_counts(void **state)
{
    (void)state;
    FakeWorld world = {.drift = 0};
    Ran ran = run_world(&world);
    const CellSummary *cell = &ran.summaries[1];
    assert_true(metric_value("instructions", ran.record, cell) == 2000);
    assert_true(metric_value("instructions_range", ran.record, cell) == 0);
    assert_true(metric_value("simulated_l1_misses", ran.record, cell) == 50);
    assert_true(metric_value("simulated_l1_write_misses", ran.record, cell) == 10);
    assert_true(metric_value("simulated_ll_misses", ran.record, cell) == 20);
    // The last simulated level is the second here: its prediction stands beside it.
    assert_true(metric_value("predicted_ll_misses", ran.record, cell) == 19);
    assert_true(metric_value("samples", ran.record, cell) == SAMPLES);
    assert_true(isnan(metric_value("time_ns", ran.record, cell)));
    double values[SAMPLES];
    assert_int_equal(metrics_emulated_values(cell, "instructions", values), SAMPLES);
    assert_true(values[0] == 2000 && values[2] == 2000);
    // And a timed cell has no instructions, and says why.
    const Metric *instructions = metric_find("instructions");
    cell = &ran.summaries[TIMED_CELL];
    assert_true(isnan(instructions->value(ran.record, cell)));
    assert_string_equal(metric_reason(instructions, ran.record, cell),
                        "the sweep does not measure instructions");
    free_ran(&ran);
}

static void counts_that_differ_show_their_range(void **state)
{
    (void)state;
    FakeWorld world = {.drift = 1};
    Ran ran = run_world(&world);
    assert_true(metric_value("instructions_range", ran.record, &ran.summaries[0]) > 0);
    assert_true(metric_value("instructions_range", ran.record, &ran.summaries[1]) == 0);
    double values[SAMPLES];
    assert_int_equal(metrics_emulated_values(&ran.summaries[0], "instructions", values), SAMPLES);
    const double least = fmin(values[0], fmin(values[1], values[2]));
    assert_true(metric_value("instructions", ran.record, &ran.summaries[0]) == least);
    free_ran(&ran);
}

static void misses_that_were_not_simulated_say_why(void **state)
{
    (void)state;
    FakeWorld world = {.no_caches = true};
    Ran ran = run_world(&world);
    const Metric *misses = metric_find("simulated_l1_misses");
    assert_true(isnan(misses->value(ran.record, &ran.summaries[0])));
    assert_string_equal(metric_reason(misses, ran.record, &ran.summaries[0]), "no caches here");
    assert_true(isnan(metric_value("predicted_ll_misses", ran.record, &ran.summaries[0])));
    assert_true(metric_value("instructions", ran.record, &ran.summaries[0]) == 1000);
    free_ran(&ran);
}

static void answer_without_instructions_fails_its_cell(void **state)
{
    (void)state;
    FakeWorld world = {.no_instructions = true};
    Ran ran = run_world(&world);
    assert_true(ran.summaries[0].failed);
    assert_non_null(strstr(ran.summaries[0].reason, "no instructions"));
    assert_false(ran.summaries[TIMED_CELL].failed);
    free_ran(&ran);
}

static void assert_refused(const char *sweep, const char *words)
{
    Problem problem = {0};
    FILE *file = fopen("bad.yaml", "we");
    assert_non_null(file);
    assert_true(fprintf(file, "name: t\nsweeps:\n  - {name: s, workload: kernel, %s}\n", sweep) >
                0);
    assert_int_equal(fclose(file), 0);
    assert_null(plan_from_scenario("bad.yaml", NULL, &problem));
    if (!strstr(problem.text, words))
        fail_msg("'%s' says nothing of '%s'", problem.text, words);
}

static void what_cannot_be_emulated_is_refused_at_planning(void **state)
{
    (void)state;
    assert_refused("measure: instructions, axes: {op: binary, size: 8, simd_level: [avx2, avx512]}",
                   "instructions cannot be measured at simd_level avx512: callgrind knows AVX2 at "
                   "most");
    assert_refused("measure: instructions, axes: {op: binary, size: 8, threads: 2}",
                   "instructions cannot be measured at more than one thread");
    assert_refused("measure: cycles, axes: {op: binary, size: 8}",
                   "measure: expected time or instructions or counts, given 'cycles'");
    assert_refused("measure: instruction, axes: {op: binary, size: 8}",
                   "did you mean 'instructions'?");
    assert_refused("measure: [time], axes: {op: binary, size: 8}", "measure");
}

static void plan_json_keeps_what_is_measured(void **state)
{
    (void)state;
    Problem problem = {0};
    Plan *plan = fixture_plan(scenario);
    json_t *json = plan_to_json(plan);
    json_t *settings =
        json_object_get(json_array_get(json_object_get(json, "sweeps"), 0), "settings");
    assert_string_equal(json_string_value(json_object_get(settings, "measure")), "instructions");
    Plan *read = plan_from_json(json, &problem);
    assert_non_null(read);
    assert_int_equal(read->sweeps[0].settings.measure, MEASURE_INSTRUCTIONS);
    assert_int_equal(read->sweeps[1].settings.measure, MEASURE_TIME);
    assert_string_equal(read->hash, plan->hash);
    plan_free(read);
    // Of the timed sweep it may be missing, as it is in older plans; of this one it is in the hash.
    json_t *timed = json_object_get(json_array_get(json_object_get(json, "sweeps"), 1), "settings");
    assert_int_equal(json_object_del(timed, "measure"), 0);
    read = plan_from_json(json, &problem);
    assert_non_null(read);
    plan_free(read);
    assert_int_equal(json_object_del(settings, "measure"), 0);
    assert_null(plan_from_json(json, &problem));
    assert_non_null(strstr(problem.text, "hash"));
    problem = (Problem){0};
    assert_int_equal(json_object_set_new(settings, "measure", json_string("joules")), 0);
    assert_null(plan_from_json(json, &problem));
    assert_non_null(strstr(problem.text, "measure: unknown word 'joules'"));
    json_decref(json);
    plan_free(plan);
}

static void best_level_stops_at_avx2_where_emulated(void **state)
{
    (void)state;
    const HyperionSIMDLevel best = hyperionGetSIMDCapabilities().best_level;
    HyperionSIMDLevel level;
    Problem problem = {0};
    assert_true(simd_choice_resolve("best", false, &level, &problem));
    assert_int_equal(level, best);
    assert_true(simd_choice_resolve("best", true, &level, &problem));
    assert_int_equal(level, best > HYPERION_SIMD_AVX2 ? HYPERION_SIMD_AVX2 : best);
    assert_true(simd_choice_resolve("scalar", true, &level, &problem));
    assert_int_equal(level, HYPERION_SIMD_SCALAR);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_enter, fixture_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(counted_cells_need_no_pilot_and_no_counters),
        TEST(metrics_are_those_of_the_counts),
        TEST(counts_that_differ_show_their_range),
        TEST(misses_that_were_not_simulated_say_why),
        TEST(answer_without_instructions_fails_its_cell),
        TEST(what_cannot_be_emulated_is_refused_at_planning),
        TEST(plan_json_keeps_what_is_measured),
        cmocka_unit_test(best_level_stops_at_avx2_where_emulated),
    };
    return cmocka_run_group_tests_name("instruction_sweep", tests, NULL, NULL);
}
