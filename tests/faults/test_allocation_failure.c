// SPDX-License-Identifier: Apache-2.0
// test_allocation_failure.c - the n-th allocation fails, for every n, in every call that creates,
// loads or runs: a failure value and a message, nothing leaked, and the next try succeeds.
#define _POSIX_C_SOURCE 200809L
#include "hyperion/hyperion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t live_count;    // allocations not yet freed
static int64_t until_failure; // allocations that still succeed; negative: all do

void *__real_malloc(size_t size_bytes);
void *__real_calloc(size_t count, size_t size_bytes);
void *__real_realloc(void *memory, size_t size_bytes);
void *__real_aligned_alloc(size_t alignment, size_t size_bytes);
void __real_free(void *memory);
void *__wrap_malloc(size_t size_bytes);
void *__wrap_calloc(size_t count, size_t size_bytes);
void *__wrap_realloc(void *memory, size_t size_bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t size_bytes);
void __wrap_free(void *memory);

static bool is_to_fail(void)
{
    return until_failure >= 0 && until_failure-- == 0;
}

static void *count_live(void *memory)
{
    live_count += memory != NULL;
    return memory;
}

void *__wrap_malloc(size_t size_bytes)
{
    return is_to_fail() ? NULL : count_live(__real_malloc(size_bytes));
}

void *__wrap_calloc(size_t count, size_t size_bytes)
{
    return is_to_fail() ? NULL : count_live(__real_calloc(count, size_bytes));
}

void *__wrap_realloc(void *memory, size_t size_bytes)
{
    if (is_to_fail())
        return NULL;
    live_count -= memory != NULL;
    return count_live(__real_realloc(memory, size_bytes));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size_bytes)
{
    return is_to_fail() ? NULL : count_live(__real_aligned_alloc(alignment, size_bytes));
}

void __wrap_free(void *memory)
{
    live_count -= memory != NULL;
    __real_free(memory);
}

static void expect_memory_error(void)
{
    if (hyperionGetLastErrorKind() != HYPERION_ERROR_MEMORY)
        fail_msg("kind %d: %s", (int)hyperionGetLastErrorKind(), hyperionGetLastError());
    assert_true(hyperionGetLastError()[0]);
}

// Lets the n-th allocation of `attempt` fail for every n until it succeeds; the number of failures.
static int fail_each_allocation(bool (*attempt)(const void *subject), const void *subject)
{
    for (int n = 0; n < 10000; n++) {
        const int64_t live_before = live_count;
        until_failure = n;
        const bool succeeded = attempt(subject);
        const bool failed_one = until_failure < 0;
        until_failure = -1;
        if (live_count != live_before)
            fail_msg("%d allocations leaked at n = %d", (int)(live_count - live_before), n);
        if (!failed_one) {
            assert_true(succeeded);
            return n;
        }
        assert_false(succeeded);
        expect_memory_error();
    }
    fail_msg("10000 allocations and no end");
    return 0;
}

static bool create_tensor(const void *subject)
{
    (void)subject;
    HyperionTensor *tensor = hyperionCreateTensor(HYPERION_TYPE_F32, 1, (int64_t[]){7});
    hyperionFreeTensor(tensor);
    return tensor != NULL;
}

static bool wrap_tensor(const void *subject)
{
    (void)subject;
    float value;
    HyperionTensor *tensor = hyperionWrapTensor(HYPERION_TYPE_F32, 0, NULL, &value);
    hyperionFreeTensor(tensor);
    return tensor != NULL;
}

static bool create_model(const void *subject)
{
    HyperionModel *model = hyperionCreateModel(subject);
    hyperionFreeModel(model);
    return model != NULL;
}

static bool load_model(const void *subject)
{
    HyperionModel *model = hyperionLoadModel(subject);
    hyperionFreeModel(model);
    return model != NULL;
}

static bool create_pool(const void *subject)
{
    HyperionThreadPool *pool = hyperionCreateThreadPool(3, subject);
    hyperionFreeThreadPool(pool);
    return pool != NULL;
}

// Tensors that come from the platform, from what was given back whole, and from parts of it; the
// last is left over.
static bool make_pooled_tensors(void *user_data)
{
    (void)user_data;
    HyperionTensor *large = hyperionCreateTensor(HYPERION_TYPE_F32, 1, (int64_t[]){300});
    hyperionFreeTensor(large);
    HyperionTensor *part = hyperionCreateTensor(HYPERION_TYPE_F32, 1, (int64_t[]){100});
    HyperionTensor *rest = hyperionCreateTensor(HYPERION_TYPE_F32, 1, (int64_t[]){30});
    hyperionFreeTensor(part);
    HyperionTensor *left = hyperionCreateTensor(HYPERION_TYPE_F32, 1, (int64_t[]){500});
    hyperionFreeTensor(rest);
    return large && part && rest && left;
}

static bool execute_with_tensor_reuse(const void *subject)
{
    (void)subject;
    const HyperionMemoryOptimizerConfig config = {.enable_tensor_reuse = true};
    HyperionMemoryOptimizer *optimizer = hyperionCreateMemoryOptimizer(&config);
    const bool executed =
        optimizer && hyperionExecuteWithTensorReuse(optimizer, make_pooled_tensors, NULL);
    hyperionFreeMemoryOptimizer(optimizer);
    return executed;
}

static void tensor_reuse_fails_cleanly(void **state)
{
    (void)state;
    // Optimizer, pool, four tensors, two blocks with memory of their own, two split.
    assert_int_equal(fail_each_allocation(execute_with_tensor_reuse, NULL), 12);
}

static bool optimize_and_run(const void *subject)
{
    const HyperionMemoryOptimizerConfig config = {
        .enable_tensor_reuse = true, .enable_in_place_ops = true, .memory_speed_tradeoff = 0.5F};
    HyperionModel *model = hyperionLoadModel(subject);
    HyperionMemoryOptimizer *optimizer = hyperionCreateMemoryOptimizer(&config);
    HyperionTensor *x = hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){1, 5});
    HyperionTensor *y = hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){1, 10});
    const bool ran = model && optimizer && x && y &&
                     hyperionOptimizeMemoryUsage(optimizer, model, 0) &&
                     hyperionRunModel(model, &x, &y);
    hyperionFreeTensor(x);
    hyperionFreeTensor(y);
    hyperionFreeMemoryOptimizer(optimizer);
    hyperionFreeModel(model);
    return ran;
}

static void optimizing_memory_fails_cleanly(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(optimize_and_run, "builtin:mlp:input=5,hidden=5,layers=3") >
                30);
}

// Of models with attention and with convolutions, whose closed forms keep a cache.
static bool predict_caches(const void *subject)
{
    return hyperionGetCacheStats(subject).valid;
}

static void predicting_caches_fails_cleanly(void **state)
{
    (void)state;
    static const char *const models[] = {"builtin:transformer:seq=16,layers=1", "builtin:cnn"};
    const HyperionPredictionConfig by_replay = {.tier = HYPERION_CACHE_TIER_REPLAY};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        HyperionModel *model = hyperionLoadModel(models[i]);
        assert_non_null(model);
        assert_true(fail_each_allocation(predict_caches, model) > 10);
        assert_true(hyperionConfigureCachePrediction(model, &by_replay));
        assert_true(fail_each_allocation(predict_caches, model) > 10);
        hyperionFreeModel(model);
    }
}

static void creating_fails_cleanly(void **state)
{
    (void)state;
    assert_int_equal(fail_each_allocation(create_tensor, NULL), 2);
    assert_int_equal(fail_each_allocation(wrap_tensor, NULL), 1);
    assert_int_equal(fail_each_allocation(create_model, "m"), 2);
    assert_int_equal(fail_each_allocation(create_pool, NULL), 3); // itself and two threads
}

static void loading_fails_cleanly(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "builtin:mlp:hidden=5,layers=4",
        "builtin:cnn:image=4,channels=2,stages=2",
        "builtin:transformer:seq=3,hidden=8,heads=2",
        HYPERION_SOURCE_DIR "/tests/data/tiny.onnx",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_true(fail_each_allocation(load_model, paths[i]) > 10);
}

// The model as a streaming file and back.
static bool save_and_load(const void *subject)
{
    HyperionModel *model = hyperionLoadModel(HYPERION_SOURCE_DIR "/tests/data/tiny.onnx");
    HyperionModel *back =
        model && hyperionSaveModel(model, subject) ? hyperionLoadModel(subject) : NULL;
    hyperionFreeModel(model);
    hyperionFreeModel(back);
    return back != NULL;
}

static void streaming_files_fail_cleanly(void **state)
{
    (void)state;
    char path[] = "/tmp/hyperion-test-allocation-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    (void)close(descriptor);
    assert_true(fail_each_allocation(save_and_load, path) > 100);
    (void)unlink(path);
}

// One call of the builder, or one run, on a model.
typedef bool (*Step)(HyperionModel *model);

static bool add_input(HyperionModel *model)
{
    return hyperionAddInput(model, "x", HYPERION_TYPE_F32, 1, (int64_t[]){3}) == 0;
}

static bool add_weight(HyperionModel *model)
{
    const float values[3] = {1, 2, 3};
    return hyperionAddWeight(model, "w", HYPERION_TYPE_F32, 1, (int64_t[]){3}, values) == 1;
}

static bool add_layer(HyperionModel *model)
{
    return hyperionAddLayer(model, "y", HYPERION_LAYER_BINARY, NULL, (int[]){0, 1}, 2) == 2;
}

static bool add_second_layer(HyperionModel *model)
{
    return hyperionAddLayer(model, "z", HYPERION_LAYER_BINARY, NULL, (int[]){2, 1}, 2) == 3;
}

static bool add_output(HyperionModel *model)
{
    return hyperionAddOutput(model, 3);
}

static HyperionProfile *profile;

static bool create_profile(HyperionModel *model)
{
    profile = hyperionCreateProfile(model, 3);
    return profile != NULL;
}

static HyperionTensor *in_tensor;
static HyperionTensor *out_tensor;

static bool run_model(HyperionModel *model)
{
    return hyperionRunModel(model, &in_tensor, &out_tensor);
}

// Each step fails at its first, second, ... allocation on the same model, and then succeeds on it:
// failures have changed nothing.
static void failed_step_leaves_the_model_as_it_was(void **state)
{
    (void)state;
    static const Step steps[] = {add_input,  add_weight,     add_layer, add_second_layer,
                                 add_output, create_profile, run_model};
    const float x[3] = {10, 20, 30};
    float z[3] = {0};
    in_tensor = hyperionWrapTensor(HYPERION_TYPE_F32, 1, (int64_t[]){3}, (void *)(uintptr_t)x);
    out_tensor = hyperionWrapTensor(HYPERION_TYPE_F32, 1, (int64_t[]){3}, z);
    HyperionModel *model = hyperionCreateModel("steps");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        bool done = false;
        for (int n = 0; !done && n < 100; n++) {
            const int tensor_count = hyperionModelTensorCount(model);
            const int layer_count = hyperionModelLayerCount(model);
            until_failure = n;
            done = steps[i](model);
            until_failure = -1;
            if (done)
                break;
            expect_memory_error();
            assert_int_equal(hyperionModelTensorCount(model), tensor_count);
            assert_int_equal(hyperionModelLayerCount(model), layer_count);
            assert_true(z[0] == 0.0F);
        }
        assert_true(done);
    }
    assert_true(z[0] == 12.0F && z[2] == 36.0F);
    assert_int_equal(hyperionProfileRunCount(profile), 1);
    hyperionFreeProfile(profile);
    hyperionFreeModel(model);
    hyperionFreeTensor(in_tensor);
    hyperionFreeTensor(out_tensor);
}

// A model from a file: its weights are allocated at the first run.
static void first_run_of_a_file_fails_cleanly_and_then_succeeds(void **state)
{
    (void)state;
    const int64_t live_before = live_count;
    HyperionTensor *x = hyperionCreateTensor(HYPERION_TYPE_F32, 4, (int64_t[]){1, 2, 6, 5});
    HyperionTensor *y[] = {hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){1, 5}),
                           hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){1, 5})};
    HyperionModel *model = hyperionLoadModel(HYPERION_SOURCE_DIR "/tests/data/tiny.onnx");
    assert_non_null(model);
    int failure_count = 0;
    bool ran = false;
    for (; !ran && failure_count < 100; failure_count++) {
        until_failure = failure_count;
        ran = hyperionRunModel(model, &x, y);
        until_failure = -1;
        if (!ran)
            expect_memory_error();
    }
    assert_true(ran && failure_count > 5);
    hyperionFreeModel(model);
    hyperionFreeTensor(x);
    hyperionFreeTensor(y[0]);
    hyperionFreeTensor(y[1]);
    assert_int_equal(live_count, live_before);
}

enum { PLANNED_BUFFERS = 14 };

static bool plan_offsets(const void *subject)
{
    const HyperionOffsetRequest request = {.effort = 1};
    size_t offsets[PLANNED_BUFFERS];
    return hyperionPlanOffsets(subject, PLANNED_BUFFERS, &request, offsets).valid;
}

// An instance that no heuristic solves, so that the search allocates too.
static void planning_offsets_fails_cleanly(void **state)
{
    (void)state;
    HyperionBuffer buffers[PLANNED_BUFFERS];
    const HyperionOffsetRequest request = {.effort = 1};
    size_t offsets[PLANNED_BUFFERS];
    const char *strategy = "";
    for (unsigned round = 0; strcmp(strategy, "search") != 0; round++) {
        for (unsigned i = 0; i < PLANNED_BUFFERS; i++) {
            const unsigned random = (round * PLANNED_BUFFERS + i) * 2654435761U;
            buffers[i] = (HyperionBuffer){.lower = random >> 28,
                                          .upper = (random >> 28) + 1 + (random >> 25) % 8,
                                          .size_bytes = 1 + (random >> 20) % 32};
        }
        strategy = hyperionPlanOffsets(buffers, PLANNED_BUFFERS, &request, offsets).strategy;
    }
    assert_true(fail_each_allocation(plan_offsets, buffers) > 10);
}

// A chain and a budget at which a checkpoint is best made twice, so that the search allocates too.
static bool plan_checkpoints(const void *subject)
{
    HyperionChainPlan plan = hyperionPlanCheckpoints(subject, 27);
    const bool planned = plan.valid;
    hyperionFreeChainPlan(&plan);
    return planned;
}

static bool plan_uniform_checkpoints(const void *subject)
{
    HyperionChainPlan plan = hyperionPlanUniformCheckpoints(*(const int *)subject, 4);
    const bool planned = plan.valid;
    hyperionFreeChainPlan(&plan);
    return planned;
}

static void planning_checkpoints_fails_cleanly(void **state)
{
    (void)state;
    const int steps = 300;
    const HyperionChain chain = {6,
                                 (const size_t[]){5, 4, 4, 5, 5, 2, 2},
                                 (const size_t[]){0, 4, 8, 8, 8, 7, 7},
                                 (const size_t[]){0, 2, 2, 0, 2, 0, 2},
                                 (const size_t[]){0, 0, 0, 0, 1, 1, 0},
                                 (const double[]){0, 9, 8, 3, 2, 8, 5},
                                 (const double[]){0, 3, 2, 9, 13, 12, 11},
                                 .gradient_bytes = NULL};
    assert_true(fail_each_allocation(plan_checkpoints, &chain) > 10);
    assert_true(fail_each_allocation(plan_uniform_checkpoints, &steps) > 2);
}

int main(void)
{
    until_failure = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating_fails_cleanly),
        cmocka_unit_test(predicting_caches_fails_cleanly),
        cmocka_unit_test(tensor_reuse_fails_cleanly),
        cmocka_unit_test(optimizing_memory_fails_cleanly),
        cmocka_unit_test(loading_fails_cleanly),
        cmocka_unit_test(streaming_files_fail_cleanly),
        cmocka_unit_test(failed_step_leaves_the_model_as_it_was),
        cmocka_unit_test(planning_offsets_fails_cleanly),
        cmocka_unit_test(planning_checkpoints_fails_cleanly),
        cmocka_unit_test(first_run_of_a_file_fails_cleanly_and_then_succeeds),
    };
    return cmocka_run_group_tests_name("allocation_failure", tests, NULL, NULL);
}
