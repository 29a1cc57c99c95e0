// SPDX-License-Identifier: Apache-2.0
// test_worker_task.c - what a worker does for a request, with a fake clock and a fake workload: the
// pilot's count, warm-up, times, facts, and every way to fail.
#include "run/worker_task.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// The world of one test. Each run of the workload takes run_ns of the fake time.
static struct World {
    double now_ns;
    double run_ns;
    size_t runs, opened, closed;
    bool open_fails, verify_fails, loops_fail, predicts;
    size_t runs_at_loops; // runs before the timed loops
    size_t prepared;
} world;

static double fake_now(void)
{
    return world.now_ns;
}

static void *fake_open(const struct Cell *cell, const WorkloadMachine *machine, Problem *problem)
{
    (void)cell;
    assert_int_equal(machine->seed, 42);
    assert_int_equal(machine->topology.level_count, 2);
    if (world.open_fails) {
        (void)problem_set(problem, "no room for the operands");
        return NULL;
    }
    world.opened++;
    return &world;
}

static bool fake_verify(void *context, Problem *problem)
{
    assert_ptr_equal(context, &world);
    return !world.verify_fails || problem_set(problem, "element 3: expected 1, given 2");
}

static void fake_run(void *context)
{
    assert_ptr_equal(context, &world);
    world.runs++;
    world.now_ns += world.run_ns;
}

static void fake_prepare(void *context)
{
    assert_ptr_equal(context, &world);
    world.prepared++;
    world.now_ns += 12345;
}

static WorkloadFacts fake_facts(void *context)
{
    (void)context;
    WorkloadFacts facts = {.flops = 2000,
                           .executed_flops = NAN,
                           .bytes = 300,
                           .elements = NAN,
                           .kernel = "fake_f32",
                           .has_blocking = true,
                           .blocking = {64, 32, 512, 6, 16, 8},
                           .operand_bytes = 4096};
    if (world.predicts) {
        facts.predicted.valid = true;
        facts.predicted.level_count = 1;
        facts.predicted.levels[0] =
            (HyperionCacheLevelStats){.accesses = 10, .misses = 4, .hit_rate = 0.6};
        facts.predicted.memory_read_bytes = 256;
    } else {
        (void)snprintf(facts.predicted_reason, sizeof facts.predicted_reason, "not modelled");
    }
    return facts;
}

static void fake_close(void *context)
{
    assert_ptr_equal(context, &world);
    world.closed++;
}

static bool fake_loops(const char *name, const TimedBody *body, uint64_t iterations,
                       int repetitions, double *real_ns, double *cpu_ns)
{
    assert_string_equal(name, "fake/cell");
    world.runs_at_loops = world.runs;
    for (int i = 0; i < repetitions; i++) {
        const double start_ns = world.now_ns;
        for (uint64_t j = 0; j < iterations; j++)
            body->run(body->context);
        real_ns[i] = (world.now_ns - start_ns) / (double)iterations;
        cpu_ns[i] = real_ns[i] / 2;
    }
    return !world.loops_fail;
}

static const Workload workload = {
    .name = "fake",
    .open = fake_open,
    .verify = fake_verify,
    .run = fake_run,
    .facts = fake_facts,
    .close = fake_close,
};
static char cell_id[] = "fake/cell";
static const char *const no_counters[] = {NULL};

static int reset_world(void **state)
{
    (void)state;
    world = (struct World){.run_ns = 1000};
    return 0;
}

static Sample do_task(SampleTask task, uint64_t iterations)
{
    static const TaskTools tools = {fake_now, fake_loops};
    const WorkerRequest request = {
        .task = task,
        .cell = {.workload = &workload, .id = cell_id},
        .seed = 42,
        .topology = {.level_count = 2},
        .iterations = iterations,
        .repetitions = 3,
        .min_time_ns = 1e6,
        .warmup_ns = 5e3,
        .counters = no_counters,
    };
    Sample outcome;
    worker_task_do(&request, &tools, &outcome);
    assert_int_equal(world.opened, world.closed);
    assert_int_equal(outcome.task, task);
    return outcome;
}

static const SampleValue *find_value(const Sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->value_count; i++)
        if (strcmp(sample->values[i].name, name) == 0)
            return &sample->values[i];
    return NULL;
}

static void pilot_finds_a_count_that_lasts_long_enough(void **state)
{
    (void)state;
    static const double run_ns[] = {1, 37, 1000, 99999, 1e6, 5e7};
    for (size_t i = 0; i < sizeof run_ns / sizeof *run_ns; i++) {
        world = (struct World){.run_ns = run_ns[i]};
        Sample outcome = do_task(SAMPLE_PILOT, 0);
        assert_true(outcome.ok);
        const double lasts_ns = (double)outcome.iterations * run_ns[i];
        assert_true(lasts_ns >= 1e6);
        // Not much longer than asked: a fifth more, and what rounding to whole iterations costs.
        assert_true(lasts_ns <= 1.21e6 + run_ns[i]);
        assert_int_equal(outcome.real_count, 1);
        assert_true(fabs(outcome.real_ns[0] - run_ns[i]) < 1e-6 * run_ns[i]);
        sample_clear(&outcome);
    }
}

// What prepares an iteration is in no time, be it of the pilot or of the loops.
static void iterations_are_prepared_outside_of_their_time(void **state)
{
    (void)state;
    Workload prepared = workload;
    prepared.prepare = fake_prepare;
    WorkerRequest request = {.task = SAMPLE_PILOT,
                             .cell = {.workload = &prepared, .id = cell_id},
                             .seed = 42,
                             .topology = {.level_count = 2},
                             .min_time_ns = 5e3};
    const TaskTools tools = {fake_now, fake_loops};
    Sample outcome;
    worker_task_do(&request, &tools, &outcome);
    assert_true(outcome.ok);
    assert_true(fabs(outcome.real_ns[0] - 1000) < 1e-3);
    assert_int_equal(outcome.iterations, 6);
    assert_int_equal(world.prepared, 1 + 6);
    assert_int_equal(world.runs, 1 + 1 + 6); // that of the warm-up is not prepared
    sample_clear(&outcome);
    static const char *const counted[] = {"minor_faults", NULL};
    request.task = SAMPLE_COUNT;
    request.iterations = 1;
    request.counters = counted;
    worker_task_do(&request, &tools, &outcome);
    assert_true(outcome.ok);
    assert_true(isnan(sample_value(&outcome, counted[0])));
    assert_non_null(strstr(sample_find_value(&outcome, counted[0])->reason, "prepares"));
    sample_clear(&outcome);
}

static void pilot_of_nothing_is_refused(void **state)
{
    (void)state;
    world.run_ns = 0;
    world.now_ns = 1e9;
    const TaskTools tools = {fake_now, fake_loops};
    const WorkerRequest request = {.task = SAMPLE_PILOT,
                                   .cell = {.workload = &workload, .id = cell_id},
                                   .seed = 42,
                                   .topology = {.level_count = 2},
                                   .min_time_ns = 0};
    Sample outcome;
    worker_task_do(&request, &tools, &outcome);
    assert_false(outcome.ok);
    assert_non_null(strstr(outcome.reason, "took no time"));
    sample_clear(&outcome);
}

static void timing_warms_up_and_takes_the_given_count(void **state)
{
    (void)state;
    Sample outcome = do_task(SAMPLE_TIME, 7);
    assert_true(outcome.ok);
    assert_int_equal(world.runs_at_loops, 5); // 5 us of 1 us each
    assert_int_equal(world.runs, 5 + 3 * 7);
    assert_int_equal(outcome.iterations, 7);
    assert_int_equal(outcome.real_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(outcome.real_ns[i] == 1000 && outcome.cpu_ns[i] == 500);
    assert_true(outcome.minor_faults >= 0);
    assert_true(outcome.peak_rss_kib > 0);
    sample_clear(&outcome);
}

static void verification_brings_the_facts(void **state)
{
    (void)state;
    world.predicts = true;
    Sample outcome = do_task(SAMPLE_VERIFY, 0);
    assert_true(outcome.ok);
    assert_true(find_value(&outcome, "flops")->value == 2000);
    assert_string_equal(find_value(&outcome, "flops")->provenance, "model");
    assert_string_equal(find_value(&outcome, "operand_bytes")->provenance, "os");
    assert_null(find_value(&outcome, "elements")); // does not apply
    assert_non_null(find_value(&outcome, "kernel.fake_f32"));
    assert_true(find_value(&outcome, "kc")->value == 32);
    assert_true(find_value(&outcome, "predicted.L1.misses")->value == 4);
    assert_true(find_value(&outcome, "predicted.memory_read_bytes")->value == 256);
    assert_null(find_value(&outcome, "predicted.L2.misses"));
    assert_int_equal(world.runs, 0); // nothing is timed
    sample_clear(&outcome);
}

static void missing_prediction_is_unknown_at_every_level(void **state)
{
    (void)state;
    Sample outcome = do_task(SAMPLE_VERIFY, 0);
    static const char *const names[] = {"predicted.L1.misses", "predicted.L2.misses"};
    for (size_t i = 0; i < 2; i++) {
        const SampleValue *value = find_value(&outcome, names[i]);
        assert_non_null(value);
        assert_true(isnan(value->value));
        assert_string_equal(value->provenance, "unavailable");
        assert_string_equal(value->reason, "not modelled");
    }
    sample_clear(&outcome);
}

static void failures_carry_their_reason(void **state)
{
    (void)state;
    world.verify_fails = true;
    Sample outcome = do_task(SAMPLE_VERIFY, 0);
    assert_false(outcome.ok);
    assert_string_equal(outcome.reason, "element 3: expected 1, given 2");
    assert_int_equal(outcome.value_count, 0);
    sample_clear(&outcome);

    world.loops_fail = true;
    outcome = do_task(SAMPLE_TIME, 1);
    assert_false(outcome.ok);
    assert_non_null(strstr(outcome.reason, "did not give 3 results"));
    sample_clear(&outcome);

    world.open_fails = true;
    outcome = do_task(SAMPLE_PILOT, 0);
    assert_false(outcome.ok);
    assert_string_equal(outcome.reason, "no room for the operands");
    sample_clear(&outcome);
}

static void counting_nothing_counts_nothing(void **state)
{
    (void)state;
    Sample outcome = do_task(SAMPLE_COUNT, 3);
    assert_true(outcome.ok);
    assert_int_equal(outcome.value_count, 0);
    sample_clear(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pilot_finds_a_count_that_lasts_long_enough, reset_world),
        cmocka_unit_test_setup(iterations_are_prepared_outside_of_their_time, reset_world),
        cmocka_unit_test_setup(pilot_of_nothing_is_refused, reset_world),
        cmocka_unit_test_setup(timing_warms_up_and_takes_the_given_count, reset_world),
        cmocka_unit_test_setup(verification_brings_the_facts, reset_world),
        cmocka_unit_test_setup(missing_prediction_is_unknown_at_every_level, reset_world),
        cmocka_unit_test_setup(failures_carry_their_reason, reset_world),
        cmocka_unit_test_setup(counting_nothing_counts_nothing, reset_world),
    };
    return cmocka_run_group_tests_name("worker_task", tests, NULL, NULL);
}
