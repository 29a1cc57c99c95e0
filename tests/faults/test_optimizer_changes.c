// SPDX-License-Identifier: Apache-2.0
// test_optimizer_changes.c - the n-th allocation fails, for every n, in each call that changes an
// optimizer or its model: nothing leaks, and optimizer and model are as they were before the call.
#include "hyperion/hyperion.h"

#include "platform/platform.h"
#include "support/counted_allocations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char times_path[] = HYPERION_BINARY_DIR "/test_optimizer_changes.times";

enum { COMPARED_BYTES = 64 };

typedef struct Setup {
    HyperionModel *model;
    HyperionMemoryOptimizer *optimizer;
    HyperionTensor *input, *output;
    unsigned char expected[COMPARED_BYTES];
} Setup;

// True where it did what it was called for.
typedef bool (*Change)(Setup *setup);

static bool load_times(Setup *setup)
{
    return hyperionLoadLayerTimes(setup->optimizer, times_path);
}

static bool attach(Setup *setup)
{
    return hyperionOptimizeMemoryUsage(setup->optimizer, setup->model, 0);
}

static bool plan_within_budget(Setup *setup)
{
    return hyperionOptimizeMemoryUsage(setup->optimizer, setup->model, (size_t)1 << 30);
}

static bool set_tradeoff(Setup *setup)
{
    hyperionSetMemorySpeedTradeoff(setup->optimizer, 0.75F);
    return hyperionGetMemorySpeedTradeoff(setup->optimizer) == 0.75F;
}

static bool disable_in_place(Setup *setup)
{
    hyperionEnableInPlaceOperations(setup->optimizer, false);
    return hyperionGetMemoryOptimizerStats(setup->optimizer).in_place_count == 0;
}

static bool run_model(Setup *setup)
{
    return hyperionRunModel(setup->model, &setup->input, &setup->output);
}

static bool make_and_free_tensors(void *user_data)
{
    (void)user_data;
    HyperionTensor *first = hyperionCreateTensor(HYPERION_TYPE_F32, 1, (int64_t[]){300});
    HyperionTensor *second = hyperionCreateTensor(HYPERION_TYPE_F32, 1, (int64_t[]){40});
    hyperionFreeTensor(first);
    hyperionFreeTensor(second);
    return first && second;
}

static bool reuse_tensors(Setup *setup)
{
    return hyperionExecuteWithTensorReuse(setup->optimizer, make_and_free_tensors, NULL);
}

static bool save_times(Setup *setup)
{
    return hyperionSaveLayerTimes(setup->optimizer, times_path);
}

static Setup set_up(void)
{
    static const HyperionMemoryOptimizerConfig config = {.enable_tensor_reuse = true,
                                                         .enable_in_place_ops = true};
    Setup setup = {.model = hyperionLoadModel("builtin:transformer:seq=8,hidden=16,heads=2"),
                   .optimizer = hyperionCreateMemoryOptimizer(&config)};
    const HyperionTensorInfo in = hyperionModelInput(setup.model, 0);
    const HyperionTensorInfo out = hyperionModelOutput(setup.model, 0);
    setup.input = hyperionCreateTensor(in.type, in.rank, in.dims);
    setup.output = hyperionCreateTensor(out.type, out.rank, out.dims);
    assert_true(setup.model && setup.optimizer && setup.input && setup.output);
    assert_true(out.size_bytes >= COMPARED_BYTES);
    float *values = hyperionTensorData(setup.input);
    for (size_t i = 0; i < in.size_bytes / sizeof *values; i++)
        values[i] = (float)(i % 7) - 3;
    return setup;
}

static void tear_down(Setup *setup)
{
    hyperionFreeModel(setup->model);
    hyperionFreeMemoryOptimizer(setup->optimizer);
    hyperionFreeTensor(setup->input);
    hyperionFreeTensor(setup->output);
}

static void expect_same(const HyperionMemoryPlan *plan, const HyperionMemoryPlan *before)
{
    assert_int_equal(plan->valid, before->valid);
    assert_int_equal(plan->total_bytes, before->total_bytes);
    assert_int_equal(plan->activation_bytes, before->activation_bytes);
    assert_int_equal(plan->packed_bytes, before->packed_bytes);
    assert_true(plan->predicted_ns == before->predicted_ns);
}

static void expect_memory_error(const char *what, int n)
{
    if (hyperionGetLastErrorKind() != HYPERION_ERROR_MEMORY)
        fail_msg("%s, allocation %d: kind %d: %s", what, n, (int)hyperionGetLastErrorKind(),
                 hyperionGetLastError());
}

// Lets every allocation of the change fail until it succeeds; how many did.
static int fail_each(Setup *setup, Change change, const char *what)
{
    for (int n = 0; n < 10000; n++) {
        const HyperionMemoryPlan before = hyperionGetMemoryPlan(setup->optimizer);
        const HyperionMemoryStats stats = hyperionGetMemoryOptimizerStats(setup->optimizer);
        const float tradeoff = hyperionGetMemorySpeedTradeoff(setup->optimizer);
        const int64_t live_before = live_count;
        until_failure = n;
        const bool changed = change(setup);
        const bool failed_one = until_failure < 0;
        until_failure = -1;
        if (!failed_one) {
            assert_true(changed);
            return n;
        }
        expect_memory_error(what, n);
        const HyperionMemoryPlan plan = hyperionGetMemoryPlan(setup->optimizer);
        assert_false(changed);
        // Memory of runs may have been given back, or kept for the next one.
        if (change != run_model && change != reuse_tensors)
            assert_true(live_count <= live_before);
        expect_same(&plan, &before);
        assert_true(hyperionGetMemorySpeedTradeoff(setup->optimizer) == tradeoff);
        assert_int_equal(hyperionGetMemoryOptimizerStats(setup->optimizer).in_place_count,
                         stats.in_place_count);
    }
    fail_msg("%s: 10000 allocations and no end", what);
    return 0;
}

// Measures, so that the other optimizers need not, and are the same each time.
static void keep_times(void)
{
    Setup setup = set_up();
    assert_true(attach(&setup) && save_times(&setup));
    tear_down(&setup);
}

static void failed_calls_leave_optimizer_and_model_as_they_were(void **state)
{
    (void)state;
    static const struct {
        Change change;
        const char *what;
        int least; // allocations
    } calls[] = {
        {load_times, "load layer times", 1},
        {reuse_tensors, "execute with tensor reuse", 4},
        {attach, "optimize memory usage", 20},
        {save_times, "save layer times", 0},
        {set_tradeoff, "set the tradeoff", 20},
        {disable_in_place, "disable in-place operations", 20},
        {plan_within_budget, "set the budget", 20},
        {reuse_tensors, "execute with tensor reuse again", 2},
    };
    keep_times();
    const int64_t live_before = live_count;
    Setup setup = set_up();
    assert_true(fail_each(&setup, run_model, "the first run") > 5);
    memcpy(setup.expected, hyperionTensorData(setup.output), COMPARED_BYTES);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const int failures = fail_each(&setup, calls[i].change, calls[i].what);
        if (failures < calls[i].least)
            fail_msg("%s: only %d allocations", calls[i].what, failures);
        (void)fail_each(&setup, run_model, "a run");
        assert_memory_equal(hyperionTensorData(setup.output), setup.expected, COMPARED_BYTES);
    }
    tear_down(&setup);
    assert_int_equal(live_count, live_before);
    assert_int_equal(remove(times_path), 0);
}

// Asked about, never an allocation.
static void statistics_allocate_nothing(void **state)
{
    (void)state;
    Setup setup = set_up();
    assert_true(attach(&setup));
    until_failure = 0;
    assert_true(hyperionGetMemoryOptimizerStats(setup.optimizer).valid);
    assert_true(hyperionGetMemoryPlan(setup.optimizer).valid);
    assert_int_equal(until_failure, 0);
    until_failure = -1;
    tear_down(&setup);
}

int main(void)
{
    until_failure = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failed_calls_leave_optimizer_and_model_as_they_were),
        cmocka_unit_test(statistics_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
