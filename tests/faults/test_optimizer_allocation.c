// SPDX-License-Identifier: Apache-2.0
// test_optimizer_allocation.c - what the library allocates for runs with a memory optimizer: as
// many bytes as were planned, counted where it asks the system for them; and the n-th allocation
// fails, for every n.
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

static const char times_path[] = HYPERION_BINARY_DIR "/test_optimizer_allocation.times";

typedef struct Tensors {
    HyperionTensor *input, *output;
} Tensors;

static HyperionTensor *create(HyperionTensorInfo info)
{
    return hyperionCreateTensor(info.type, info.rank, info.dims);
}

static HyperionMemoryOptimizer *create_optimizer(void)
{
    const HyperionMemoryOptimizerConfig config = {.enable_tensor_reuse = true,
                                                  .enable_in_place_ops = true};
    return hyperionCreateMemoryOptimizer(&config);
}

static void keep_times(const char *name)
{
    HyperionMemoryOptimizer *optimizer = create_optimizer();
    HyperionModel *model = hyperionLoadModel(name);
    if (!hyperionOptimizeMemoryUsage(optimizer, model, 0) ||
        !hyperionSaveLayerTimes(optimizer, times_path))
        fail_msg("%s: %s", name, hyperionGetLastError());
    hyperionFreeModel(model);
    hyperionFreeMemoryOptimizer(optimizer);
}

static int banded_plans; // of those checked

// Back and forth, so that each plan comes after one that needs more and one that needs less.
static void check_plans(const char *name)
{
    static const float tradeoffs[] = {0, 1, 0.5F, 0, 0.25F, 0.75F, 1};
    keep_times(name);
    HyperionModel *model = hyperionLoadModel(name);
    HyperionMemoryOptimizer *optimizer = create_optimizer();
    Tensors tensors = {create(hyperionModelInput(model, 0)), create(hyperionModelOutput(model, 0))};
    assert_true(hyperionLoadLayerTimes(optimizer, times_path));
    const size_t before_bytes = held_bytes;
    peak_bytes = held_bytes;
    assert_true(hyperionOptimizeMemoryUsage(optimizer, model, 0));
    assert_int_equal(peak_bytes, before_bytes); // it allocates nothing before a run does
    for (size_t i = 0; i < sizeof tradeoffs / sizeof *tradeoffs; i++) {
        hyperionSetMemorySpeedTradeoff(optimizer, tradeoffs[i]);
        const HyperionMemoryPlan plan = hyperionGetMemoryPlan(optimizer);
        assert_true(plan.measured);
        banded_plans += plan.banded_layer_count > 0;
        peak_bytes = held_bytes;
        const size_t last_bytes = held_bytes;
        assert_true(hyperionRunModel(model, &tensors.input, &tensors.output));
        assert_int_equal(held_bytes - before_bytes, plan.total_bytes);
        // Nothing of the next plan is allocated beside what it replaces.
        assert_int_equal(peak_bytes, held_bytes > last_bytes ? held_bytes : last_bytes);
    }
    hyperionFreeTensor(tensors.input);
    hyperionFreeTensor(tensors.output);
    hyperionFreeModel(model);
    hyperionFreeMemoryOptimizer(optimizer);
    assert_int_equal(remove(times_path), 0);
}

// The first are those of an ordinary run.
static const char *const models[] = {
    "builtin:mlp:hidden=64,batch=8", "builtin:cnn:image=32",
    "builtin:transformer:layers=2",  "builtin:resnet18:image=64,width=16",
    "builtin:shufflenet:image=64",   "builtin:mobilenetv2:image=64",
};
enum { ORDINARY_MODELS = 3 };
static size_t model_count = ORDINARY_MODELS;

static void runs_allocate_what_was_planned(void **state)
{
    (void)state;
    for (size_t i = 0; i < model_count; i++)
        check_plans(models[i]);
    assert_true(banded_plans > 0); // else bands are not tested
}

// From nothing to a run in one go: the peak of it all is what was planned.
static void the_peak_from_the_start_is_what_was_planned(void **state)
{
    (void)state;
    static const char name[] = "builtin:transformer:layers=2";
    keep_times(name);
    for (int step = 0; step <= 4; step++) {
        HyperionModel *model = hyperionLoadModel(name);
        HyperionMemoryOptimizer *optimizer = create_optimizer();
        Tensors tensors = {create(hyperionModelInput(model, 0)),
                           create(hyperionModelOutput(model, 0))};
        const size_t before_bytes = held_bytes;
        peak_bytes = held_bytes;
        assert_true(hyperionLoadLayerTimes(optimizer, times_path));
        hyperionSetMemorySpeedTradeoff(optimizer, (float)step / 4);
        assert_true(hyperionOptimizeMemoryUsage(optimizer, model, 0));
        assert_true(hyperionRunModel(model, &tensors.input, &tensors.output));
        assert_int_equal(peak_bytes - before_bytes, hyperionGetMemoryPlan(optimizer).total_bytes);
        hyperionFreeTensor(tensors.input);
        hyperionFreeTensor(tensors.output);
        hyperionFreeModel(model);
        hyperionFreeMemoryOptimizer(optimizer);
    }
    assert_int_equal(remove(times_path), 0);
}

// By times measured before, or by its own.
static bool optimize_and_run(const char *name, bool has_times)
{
    HyperionModel *model = hyperionLoadModel(name);
    HyperionMemoryOptimizer *optimizer = model ? create_optimizer() : NULL;
    Tensors tensors = {NULL, NULL};
    bool done = optimizer && (tensors.input = create(hyperionModelInput(model, 0))) &&
                (tensors.output = create(hyperionModelOutput(model, 0))) &&
                (!has_times || hyperionLoadLayerTimes(optimizer, times_path)) &&
                hyperionOptimizeMemoryUsage(optimizer, model, 0) &&
                hyperionRunModel(model, &tensors.input, &tensors.output);
    banded_plans += done && hyperionGetMemoryPlan(optimizer).banded_layer_count > 0;
    hyperionFreeMemoryOptimizer(optimizer);
    hyperionFreeTensor(tensors.input);
    hyperionFreeTensor(tensors.output);
    hyperionFreeModel(model);
    return done;
}

static void fail_each_allocation(const char *name, bool has_times)
{
    int n = 0;
    for (;; n++) {
        const int64_t live_before = live_count;
        until_failure = n;
        const bool done = optimize_and_run(name, has_times);
        const bool failed_one = until_failure < 0;
        until_failure = -1;
        assert_int_equal(live_count, live_before);
        assert_true(done != failed_one);
        if (done)
            break;
        assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_MEMORY);
    }
    assert_true(n > 50);
}

static void each_allocation_that_fails_fails_cleanly(void **state)
{
    (void)state;
    static const char in_bands[] = "builtin:cnn:image=32,channels=8,stages=2";
    fail_each_allocation("builtin:mlp:hidden=8,layers=2,batch=8", false);
    keep_times(in_bands);
    banded_plans = 0;
    fail_each_allocation(in_bands, true);
    assert_int_equal(banded_plans, 1);
    assert_int_equal(remove(times_path), 0);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "all") == 0)
        model_count = sizeof models / sizeof *models;
    until_failure = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_allocate_what_was_planned),
        cmocka_unit_test(the_peak_from_the_start_is_what_was_planned),
        cmocka_unit_test(each_allocation_that_fails_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
