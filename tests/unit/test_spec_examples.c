// SPDX-License-Identifier: Apache-2.0
// test_spec_examples.c - the published interface: its examples compile as they stand, every name in
// it is declared with its type, and what is not implemented says so.
#include "hyperion/hyperion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// As the specification prints them, whose `plan` is never used.
#pragma GCC diagnostic ignored "-Wunused-variable"

static bool my_function(void *user_data)
{
    return user_data != NULL;
}

// clang-format off
// NOLINTBEGIN
static void run_memory_example(HyperionModel* model, void* my_data)
{
// Create memory optimizer
HyperionMemoryOptimizerConfig config = {
    .enable_tensor_reuse = true,
    .enable_in_place_ops = true,
    .memory_speed_tradeoff = 0.5f,
    .max_memory_budget = 1024 * 1024 * 1024  // 1GB
};
HyperionMemoryOptimizer* optimizer = hyperionCreateMemoryOptimizer(&config);

// Optimize model memory usage
hyperionOptimizeMemoryUsage(optimizer, model, 512 * 1024 * 1024);  // 512MB budget

// Execute with tensor reuse
hyperionExecuteWithTensorReuse(optimizer, my_function, my_data);

// Free optimizer
hyperionFreeMemoryOptimizer(optimizer);
}

static void run_loading_example(void)
{
// Create progressive loader
HyperionProgressiveLoaderConfig loader_config = {
    .enable_prefetch = true,
    .prefetch_window = 3,
    .enable_adaptive_window = true,
    .max_memory_usage = 256 * 1024 * 1024  // 256MB
};
HyperionProgressiveLoader* loader = hyperionCreateProgressiveLoader(&loader_config);

// Load and unload layers as needed
hyperionLoadLayer(loader, 0);
hyperionLoadLayer(loader, 1);
hyperionUnloadLayer(loader, 0);

// Free loader
hyperionFreeProgressiveLoader(loader);
}

static void run_scheduling_example(HyperionModel* model, int num_layers, HyperionTensor* input,
                                   HyperionTensor* output)
{
// Create layer scheduler
HyperionLayerSchedulerConfig scheduler_config = {
    .enable_checkpointing = true,
    .memory_speed_tradeoff = 0.7f,
    .recompute_activations = false,
    .max_activation_memory = 128 * 1024 * 1024  // 128MB
};
HyperionLayerScheduler* scheduler = hyperionCreateLayerScheduler(model, &scheduler_config);

// Create and execute plan
HyperionExecutionPlan* plan = hyperionCreateExecutionPlan(scheduler);
for (int i = 0; i < num_layers; i++) {
    hyperionExecuteLayerWithMemoryOptimization(scheduler, i, input, output);
}

// Free scheduler
hyperionFreeLayerScheduler(scheduler);
// The caller's, which the example forgets
hyperionFreeExecutionPlan(plan);
}
// NOLINTEND
// clang-format on

static void examples_run_without_harm(void **state)
{
    (void)state;
    HyperionModel *model = hyperionCreateModel("example");
    HyperionTensor *tensor = hyperionCreateTensor(HYPERION_TYPE_F32, 0, NULL);
    run_memory_example(model, tensor);
    run_loading_example();
    run_scheduling_example(model, 2, tensor, tensor);
    hyperionFreeTensor(tensor);
    hyperionFreeModel(model);
}

// The functions of the specification, by exact type; a name or type that differs does not compile.
static HyperionMemoryOptimizer *(*const create_optimizer)(const HyperionMemoryOptimizerConfig *) =
    hyperionCreateMemoryOptimizer;
static void (*const free_optimizer)(HyperionMemoryOptimizer *) = hyperionFreeMemoryOptimizer;
static HyperionMemoryStats (*const optimizer_stats)(const HyperionMemoryOptimizer *) =
    hyperionGetMemoryOptimizerStats;
static void (*const set_tradeoff)(HyperionMemoryOptimizer *,
                                  float) = hyperionSetMemorySpeedTradeoff;
static void (*const enable_in_place)(HyperionMemoryOptimizer *,
                                     bool) = hyperionEnableInPlaceOperations;
static bool (*const optimize_usage)(HyperionMemoryOptimizer *, HyperionModel *,
                                    size_t) = hyperionOptimizeMemoryUsage;
static HyperionProgressiveLoader *(*const create_loader)(const HyperionProgressiveLoaderConfig *) =
    hyperionCreateProgressiveLoader;
static void (*const free_loader)(HyperionProgressiveLoader *) = hyperionFreeProgressiveLoader;
static bool (*const load_layer)(HyperionProgressiveLoader *, int) = hyperionLoadLayer;
static bool (*const unload_layer)(HyperionProgressiveLoader *, int) = hyperionUnloadLayer;
static HyperionLayerStatus (*const layer_status)(const HyperionProgressiveLoader *,
                                                 int) = hyperionGetLayerStatus;
static void (*const set_priority)(HyperionProgressiveLoader *, int, int) = hyperionSetLayerPriority;
static HyperionMemoryStats (*const loader_stats)(const HyperionProgressiveLoader *) =
    hyperionGetProgressiveLoaderStats;
static HyperionLayerScheduler *(*const create_scheduler)(
    HyperionModel *, const HyperionLayerSchedulerConfig *) = hyperionCreateLayerScheduler;
static void (*const free_scheduler)(HyperionLayerScheduler *) = hyperionFreeLayerScheduler;
static HyperionExecutionPlan *(*const create_plan)(HyperionLayerScheduler *) =
    hyperionCreateExecutionPlan;
static bool (*const execute_layer)(HyperionLayerScheduler *, int, HyperionTensor *,
                                   HyperionTensor *) = hyperionExecuteLayerWithMemoryOptimization;
static bool (*const set_strategy)(HyperionLayerScheduler *, int, HyperionCheckpointStrategy) =
    hyperionSetLayerCheckpointingStrategy;
static HyperionMemoryEstimate (*const estimate)(HyperionLayerScheduler *) =
    hyperionEstimateMemoryUsage;
static bool (*const enable_simd)(HyperionModel *, HyperionSIMDOpType, bool) = hyperionEnableSIMD;
static HyperionSIMDCapabilities (*const capabilities)(void) = hyperionGetSIMDCapabilities;
static void (*const set_level)(HyperionModel *, int) = hyperionSetSIMDOptimizationLevel;
static bool (*const configure_cache)(HyperionModel *, const HyperionCacheConfig *) =
    hyperionConfigureCacheOptimization;
static HyperionCacheStats (*const cache_stats)(const HyperionModel *) = hyperionGetCacheStats;
static bool (*const optimize_layout)(HyperionModel *) = hyperionOptimizeMemoryLayout;

static void the_scheduler_plans_and_runs_layer_by_layer(void **state)
{
    (void)state;
    const HyperionLayerSchedulerConfig config = {.enable_checkpointing = true};
    HyperionModel *model = hyperionLoadModel("builtin:mlp:hidden=8");
    HyperionLayerScheduler *scheduler = create_scheduler(model, &config);
    HyperionExecutionPlan *plan = create_plan(scheduler);
    const HyperionTensorInfo in = hyperionModelInput(model, 0);
    const HyperionTensorInfo out = hyperionModelOutput(model, 0);
    HyperionTensor *input = hyperionCreateTensor(in.type, in.rank, in.dims);
    HyperionTensor *output = hyperionCreateTensor(out.type, out.rank, out.dims);
    assert_true(plan && estimate(scheduler).valid);
    assert_true(set_strategy(scheduler, 0, HYPERION_CHECKPOINT_STORE));
    for (int i = 0; i < hyperionModelLayerCount(model); i++)
        assert_true(execute_layer(scheduler, i, input, output));
    hyperionFreeExecutionPlan(plan);
    hyperionFreeTensor(input);
    hyperionFreeTensor(output);
    free_scheduler(scheduler);
    hyperionFreeModel(model);
}

static void the_loader_refuses_what_it_cannot_have(void **state)
{
    (void)state;
    assert_null(create_loader(NULL));
    assert_false(load_layer(NULL, 0));
    assert_false(unload_layer(NULL, 0));
    assert_int_equal(layer_status(NULL, 0), HYPERION_LAYER_STATUS_INVALID);
    assert_false(loader_stats(NULL).valid);
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
}

static void setters_say_what_is_null_and_frees_take_null(void **state)
{
    (void)state;
    set_tradeoff(NULL, 0.5F);
    assert_non_null(strstr(hyperionGetLastError(), "set memory/speed tradeoff"));
    enable_in_place(NULL, true);
    assert_non_null(strstr(hyperionGetLastError(), "enable in-place operations"));
    set_priority(NULL, 0, 0);
    assert_non_null(strstr(hyperionGetLastError(), "set layer priority"));
    free_optimizer(NULL);
    free_loader(NULL);
    free_scheduler(NULL);
    hyperionFreeExecutionPlan(NULL);
}

static void the_memory_optimizer_plans(void **state)
{
    (void)state;
    const HyperionMemoryOptimizerConfig config = {.enable_tensor_reuse = true};
    HyperionModel *model = hyperionLoadModel("builtin:mlp:hidden=8");
    HyperionMemoryOptimizer *optimizer = create_optimizer(&config);
    assert_true(optimize_usage(optimizer, model, 0));
    assert_true(optimizer_stats(optimizer).planned_bytes > 0);
    free_optimizer(optimizer);
    hyperionFreeModel(model);
}

static void performance_functions_are_real(void **state)
{
    (void)state;
    HyperionModel *model = hyperionCreateModel("example");
    const HyperionCacheConfig config = {
        .block_size = 64, .cache_line_size = 64, .enable_prefetch = true, .prefetch_distance = 4};
    assert_true(configure_cache(model, &config));
    assert_true(enable_simd(model, HYPERION_SIMD_OP_MATRIX_MUL, true));
    assert_true(enable_simd(model, HYPERION_SIMD_OP_CONV, true));
    assert_true(enable_simd(model, HYPERION_SIMD_OP_ACTIVATION, true));
    assert_true(enable_simd(model, HYPERION_SIMD_OP_ATTENTION, true));
    assert_true(capabilities().levels & 1);
    set_level(model, 0);
    assert_int_equal(hyperionGetSIMDOptimizationLevel(model), 0);
    assert_int_equal(cache_stats(model).layers_total, 0);
    assert_true(optimize_layout(model));
    hyperionFreeModel(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_run_without_harm),
        cmocka_unit_test(the_scheduler_plans_and_runs_layer_by_layer),
        cmocka_unit_test(the_loader_refuses_what_it_cannot_have),
        cmocka_unit_test(setters_say_what_is_null_and_frees_take_null),
        cmocka_unit_test(the_memory_optimizer_plans),
        cmocka_unit_test(performance_functions_are_real),
    };
    return cmocka_run_group_tests_name("spec_examples", tests, NULL, NULL);
}
