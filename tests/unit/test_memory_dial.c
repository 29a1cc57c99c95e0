// SPDX-License-Identifier: Apache-2.0
// test_memory_dial.c - the dial and the budget of the memory optimizer on networks: more bytes only
// for less time, the same results to the bit, and what was planned is what a run allocates.
#include "hyperion/hyperion.h"

#include "memory/activation_plan.h"
#include "model/run_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// The first are those of an ordinary run.
static const char *const models[] = {
    "builtin:mlp:hidden=64,batch=8",      "builtin:cnn:image=32", "builtin:mobilenetv2:image=32",
    "builtin:mobilenetv2:image=64",       "builtin:transformer",  "builtin:squeezenet:image=64",
    "builtin:resnet18:image=64,width=16",
};
enum { ORDINARY_MODELS = 3 };
static size_t model_count = ORDINARY_MODELS;
static int dial_steps = 5;

typedef struct Loaded {
    HyperionModel *model;
    HyperionTensor *input, *output;
    HyperionMemoryOptimizer *optimizer;
} Loaded;

static HyperionTensor *create(HyperionTensorInfo info)
{
    HyperionTensor *tensor = hyperionCreateTensor(info.type, info.rank, info.dims);
    assert_non_null(tensor);
    return tensor;
}

static HyperionMemoryOptimizer *create_optimizer(float tradeoff)
{
    const HyperionMemoryOptimizerConfig config = {.enable_tensor_reuse = true,
                                                  .enable_in_place_ops = true,
                                                  .memory_speed_tradeoff = tradeoff};
    HyperionMemoryOptimizer *optimizer = hyperionCreateMemoryOptimizer(&config);
    assert_non_null(optimizer);
    return optimizer;
}

static Loaded load(const char *name)
{
    Loaded loaded = {.model = hyperionLoadModel(name), .optimizer = create_optimizer(0)};
    assert_non_null(loaded.model);
    loaded.input = create(hyperionModelInput(loaded.model, 0));
    loaded.output = create(hyperionModelOutput(loaded.model, 0));
    float *values = hyperionTensorData(loaded.input);
    for (size_t i = 0; i < hyperionTensorElementCount(loaded.input); i++)
        values[i] = (float)(i * 2654435761U % 1999) / 1000 - 1;
    return loaded;
}

static void unload(Loaded *loaded)
{
    hyperionFreeMemoryOptimizer(loaded->optimizer);
    hyperionFreeTensor(loaded->input);
    hyperionFreeTensor(loaded->output);
    hyperionFreeModel(loaded->model);
}

static void run(const Loaded *loaded)
{
    memset(hyperionTensorData(loaded->output), 0x55, hyperionTensorBytes(loaded->output));
    if (!hyperionRunModel(loaded->model, &loaded->input, &loaded->output))
        fail_msg("%s", hyperionGetLastError());
}

static void optimize(const Loaded *loaded, size_t budget_bytes)
{
    if (!hyperionOptimizeMemoryUsage(loaded->optimizer, loaded->model, budget_bytes))
        fail_msg("%s", hyperionGetLastError());
}

static HyperionMemoryPlan get_plan(const Loaded *loaded)
{
    const HyperionMemoryPlan plan = hyperionGetMemoryPlan(loaded->optimizer);
    assert_true(plan.valid);
    return plan;
}

static void *copy_output(const Loaded *loaded)
{
    void *copy = malloc(hyperionTensorBytes(loaded->output));
    assert_non_null(copy);
    memcpy(copy, hyperionTensorConstData(loaded->output), hyperionTensorBytes(loaded->output));
    return copy;
}

static void more_bytes_only_for_less_time_and_the_same_results(void **state)
{
    (void)state;
    for (size_t i = 0; i < model_count; i++) {
        Loaded loaded = load(models[i]);
        run(&loaded); // on one thread
        assert_true(hyperionSetThreadCount(loaded.model, 1 + i % 2));
        void *expected = copy_output(&loaded);
        optimize(&loaded, 0);
        HyperionMemoryPlan last = get_plan(&loaded);
        assert_int_equal(last.total_bytes, last.least_bytes);
        for (int step = 0; step <= dial_steps; step++) {
            hyperionSetMemorySpeedTradeoff(loaded.optimizer, (float)step / (float)dial_steps);
            const HyperionMemoryPlan plan = get_plan(&loaded);
            assert_true(plan.measured && plan.predicted_ns > 0);
            assert_true(plan.total_bytes >= last.total_bytes);
            assert_true(plan.predicted_ns <= last.predicted_ns);
            assert_true(plan.total_bytes <= plan.most_bytes);
            assert_true(plan.lower_bound_bytes <= plan.least_bytes);
            run(&loaded);
            assert_memory_equal(expected, hyperionTensorConstData(loaded.output),
                                hyperionTensorBytes(loaded.output));
            last = plan;
        }
        free(expected);
        unload(&loaded);
    }
}

static void a_run_holds_what_was_planned(void **state)
{
    (void)state;
    for (size_t i = 0; i < model_count; i++) {
        Loaded loaded = load(models[i]);
        optimize(&loaded, 0);
        for (int step = 0; step <= 4; step++) {
            hyperionSetMemorySpeedTradeoff(loaded.optimizer, (float)step / 4);
            run(&loaded);
            const HyperionMemoryStats stats = hyperionGetMemoryOptimizerStats(loaded.optimizer);
            assert_int_equal(stats.current_bytes, get_plan(&loaded).total_bytes);
            assert_int_equal(stats.planned_bytes, stats.current_bytes);
            assert_int_equal(stats.peak_bytes, stats.current_bytes);
            assert_int_equal(hyperionModelPackedBytes(loaded.model),
                             get_plan(&loaded).packed_bytes);
        }
        unload(&loaded);
    }
}

// A run whose result is as `expected`; how many layers run in bands then.
static int count_banded(const Loaded *loaded, const void *expected)
{
    run(loaded);
    assert_memory_equal(expected, hyperionTensorConstData(loaded->output),
                        hyperionTensorBytes(loaded->output));
    return get_plan(loaded).banded_layer_count;
}

// Bytes of activations of layers that run whole.
static size_t plan_whole(const HyperionModel *model)
{
    const HypActivationSettings settings = {.share = true, .in_place = true, .effort = 0.3F};
    HypRunPlan plan;
    HypActivationFacts facts;
    assert_true(hyp_run_plan_create(model, &plan));
    assert_true(hyp_activation_plan_make(model, &settings, &plan, &facts));
    hyp_run_plan_free(&plan);
    return facts.planned_bytes;
}

static void bands_take_memory_below_whole_layers(void **state)
{
    (void)state;
    Loaded loaded = load("builtin:mobilenetv2:image=64");
    optimize(&loaded, 0);
    const HyperionMemoryPlan least = get_plan(&loaded);
    assert_true(least.banded_layer_count > 1);
    assert_true((double)(least.activation_bytes + least.workspace_bytes) <
                0.6 * (double)plan_whole(loaded.model));
    hyperionSetMemorySpeedTradeoff(loaded.optimizer, 1);
    // Without sharing whole results are held, at any point of the dial.
    assert_int_equal(least.activation_naive_bytes, get_plan(&loaded).activation_naive_bytes);
    unload(&loaded);
}

static void layers_run_whole_beside_a_scheduler_or_a_loader(void **state)
{
    (void)state;
    Loaded loaded = load("builtin:mobilenetv2:image=64");
    run(&loaded);
    void *expected = copy_output(&loaded);
    optimize(&loaded, 0);
    assert_true(count_banded(&loaded, expected) > 0);
    const HyperionLayerSchedulerConfig plain = {.enable_checkpointing = false};
    HyperionLayerScheduler *scheduler = hyperionCreateLayerScheduler(loaded.model, &plain);
    assert_non_null(scheduler);
    assert_int_equal(count_banded(&loaded, expected), 0);
    hyperionFreeLayerScheduler(scheduler);
    assert_true(count_banded(&loaded, expected) > 0);
    const HyperionProgressiveLoaderConfig streaming = {.enable_prefetch = true,
                                                       .prefetch_window = 2};
    HyperionProgressiveLoader *loader = hyperionCreateProgressiveLoader(&streaming);
    assert_true(loader && hyperionAttachModel(loader, loaded.model));
    assert_int_equal(count_banded(&loaded, expected), 0);
    hyperionFreeProgressiveLoader(loader);
    assert_true(count_banded(&loaded, expected) > 0);
    free(expected);
    unload(&loaded);
}

static void budgets_are_kept_or_refused_with_what_is_needed(void **state)
{
    (void)state;
    Loaded loaded = load("builtin:transformer");
    char text[64];
    optimize(&loaded, 0);
    hyperionSetMemorySpeedTradeoff(loaded.optimizer, 1);
    const HyperionMemoryPlan free_plan = get_plan(&loaded);
    assert_true(free_plan.most_bytes > free_plan.least_bytes);
    for (size_t budget = free_plan.least_bytes; budget <= free_plan.most_bytes; budget += 8192) {
        optimize(&loaded, budget);
        assert_true(get_plan(&loaded).total_bytes <= budget);
        assert_int_equal(hyperionGetMemoryOptimizerStats(loaded.optimizer).budget_bytes, budget);
    }
    const HyperionMemoryPlan before = get_plan(&loaded);
    assert_false(
        hyperionOptimizeMemoryUsage(loaded.optimizer, loaded.model, free_plan.least_bytes - 1));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_MEMORY);
    const size_t named[] = {free_plan.least_bytes, free_plan.least_bytes - 1,
                            free_plan.lower_bound_bytes};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        (void)snprintf(text, sizeof text, "%zu", named[i]);
        assert_non_null(strstr(hyperionGetLastError(), text));
    }
    assert_int_equal(get_plan(&loaded).total_bytes, before.total_bytes);
    run(&loaded);
    unload(&loaded);
}

static void a_refused_model_is_as_before(void **state)
{
    (void)state;
    Loaded loaded = load("builtin:transformer");
    run(&loaded);
    void *expected = copy_output(&loaded);
    assert_false(hyperionOptimizeMemoryUsage(loaded.optimizer, loaded.model, 1000));
    assert_int_equal(hyperionModelPackedBytes(loaded.model), 0);
    assert_false(hyperionGetMemoryPlan(loaded.optimizer).valid);
    assert_false(hyperionGetMemoryPlan(NULL).valid);
    HyperionMemoryOptimizer *other = create_optimizer(1);
    assert_true(hyperionOptimizeMemoryUsage(other, loaded.model, 0));
    run(&loaded);
    hyperionFreeMemoryOptimizer(other);
    assert_int_equal(hyperionModelPackedBytes(loaded.model), 0);
    run(&loaded);
    assert_memory_equal(expected, hyperionTensorConstData(loaded.output),
                        hyperionTensorBytes(loaded.output));
    free(expected);
    unload(&loaded);
}

static void times_are_kept_in_files(void **state)
{
    (void)state;
    static const char path[] = HYPERION_BINARY_DIR "/test_memory_dial.times";
    Loaded loaded = load("builtin:cnn:image=32");
    HyperionMemoryOptimizer *second = create_optimizer(0.5F);
    assert_false(hyperionSaveLayerTimes(loaded.optimizer, path)); // none yet
    optimize(&loaded, 0);
    assert_true(hyperionSaveLayerTimes(loaded.optimizer, path));
    assert_false(hyperionLoadLayerTimes(loaded.optimizer, path)); // attached
    const HyperionMemoryPlan expected = get_plan(&loaded);
    hyperionFreeMemoryOptimizer(loaded.optimizer);
    loaded.optimizer = second;
    assert_true(hyperionLoadLayerTimes(second, path));
    optimize(&loaded, 0);
    assert_true(get_plan(&loaded).measured);
    assert_int_equal(get_plan(&loaded).most_bytes, expected.most_bytes);
    hyperionSetSIMDOptimizationLevel(loaded.model, 0);
    run(&loaded);
    assert_false(get_plan(&loaded).measured);
    assert_int_equal(remove(path), 0);
    unload(&loaded);
}

#define TEN "1 1 1 1 1 1 1 1 1 1 "

static void files_that_are_no_times_are_refused(void **state)
{
    (void)state;
    static const char path[] = HYPERION_BINARY_DIR "/test_memory_dial.bad";
    static const char *const texts[] = {
        "",
        "something else\n",
        "hyperion-layer-times 2\n",
        "hyperion-layer-times 1\n00000000000000ff 1\n1 1 1 1 1 1 1 1 1 1\n",
        "hyperion-layer-times 2\n0000000000000000 1\n01 0\n" TEN "1 1 1 1 1 1 1 1 1 1\n",
        "hyperion-layer-times 2\n00000000000000ff 1\n01 0\n" TEN "1 1 1 1 1 1 1 1 1\n",
        "hyperion-layer-times 2\n00000000000000ff 1\n01 0\n" TEN "1 1 1 1 -1 1 1 1 1 1\n",
        "hyperion-layer-times 2\n00000000000000ff 1\n01 1 0 2\n" TEN TEN "\n",
        "hyperion-layer-times 2\n00000000000000ff 1\n01 99\n" TEN "1 1 1 1 1 1 1 1 1 1\n",
        "hyperion-layer-times 2\n00000000000000ff 99999999999\n01 0\n",
    };
    HyperionMemoryOptimizer *optimizer = create_optimizer(0);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(texts[i], file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_false(hyperionLoadLayerTimes(optimizer, path));
        assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_FORMAT);
    }
    assert_int_equal(remove(path), 0);
    assert_false(hyperionLoadLayerTimes(optimizer, path));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
    assert_false(hyperionLoadLayerTimes(NULL, path));
    assert_false(hyperionLoadLayerTimes(optimizer, NULL));
    assert_false(hyperionSaveLayerTimes(NULL, path));
    hyperionFreeMemoryOptimizer(optimizer);
}

static void tradeoffs_out_of_range_are_clamped(void **state)
{
    (void)state;
    HyperionMemoryOptimizer *optimizer = create_optimizer(0.5F);
    hyperionSetMemorySpeedTradeoff(optimizer, 7);
    assert_true(hyperionGetMemorySpeedTradeoff(optimizer) >= 1);
    hyperionSetMemorySpeedTradeoff(optimizer, -7);
    assert_true(hyperionGetMemorySpeedTradeoff(optimizer) <= 0);
    assert_true(hyperionGetMemorySpeedTradeoff(NULL) < 0);
    hyperionFreeMemoryOptimizer(optimizer);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "all") == 0) {
        model_count = sizeof models / sizeof *models;
        dial_steps = 20;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_bytes_only_for_less_time_and_the_same_results),
        cmocka_unit_test(a_run_holds_what_was_planned),
        cmocka_unit_test(bands_take_memory_below_whole_layers),
        cmocka_unit_test(layers_run_whole_beside_a_scheduler_or_a_loader),
        cmocka_unit_test(budgets_are_kept_or_refused_with_what_is_needed),
        cmocka_unit_test(a_refused_model_is_as_before),
        cmocka_unit_test(times_are_kept_in_files),
        cmocka_unit_test(files_that_are_no_times_are_refused),
        cmocka_unit_test(tradeoffs_out_of_range_are_clamped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
