// SPDX-License-Identifier: Apache-2.0
// test_activation_plan.c - runs of real networks in shared memory: the same results to the bit, no
// more memory than the lower bound, nothing in place where that is off.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hyperion/hyperion.h"

#include "memory/activation_plan.h"
#include "model/run_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TENSORS = 8 };

// The first are those of an ordinary run.
static const char *const models[] = {
    "builtin:mlp:hidden=32,layers=3",
    "builtin:cnn:image=8,channels=4,stages=2",
    "builtin:transformer:seq=8,hidden=16,heads=2",
    "builtin:gpt2:layers=2,hidden=32,heads=2,seq=8,vocab=64",
    "builtin:squeezenet:image=32",
    (HYPERION_SOURCE_DIR "/../shared/models/gpt2-tiny.onnx"),
    "builtin:resnet18:image=33,width=8",
    "builtin:mobilenetv2:image=32",
    "builtin:densenet121:image=32",
    "builtin:shufflenet:image=32",
    (HYPERION_SOURCE_DIR "/../shared/models/ultraface-rfb-320.onnx"),
};
enum { ORDINARY_MODELS = 6 };
static size_t model_count = ORDINARY_MODELS;

typedef struct Tensors {
    HyperionTensor *of[MOST_TENSORS];
    int count;
} Tensors;

static Tensors make_tensors(const HyperionModel *model, int count,
                            HyperionTensorInfo (*find)(const HyperionModel *, int))
{
    Tensors tensors = {.count = count};
    assert_true(count <= MOST_TENSORS);
    for (int i = 0; i < count; i++) {
        const HyperionTensorInfo info = find(model, i);
        tensors.of[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
        assert_non_null(tensors.of[i]);
        float *values = hyperionTensorData(tensors.of[i]);
        for (size_t j = 0; info.type == HYPERION_TYPE_F32 && j < info.size_bytes / 4; j++)
            values[j] = (float)((j * 2654435761U >> 8) % 1000) / 500 - 1;
    }
    return tensors;
}

static void free_tensors(Tensors *tensors)
{
    for (int i = 0; i < tensors->count; i++)
        hyperionFreeTensor(tensors->of[i]);
}

static void run(HyperionModel *model, const Tensors *in, const Tensors *out)
{
    if (!hyperionRunModel(model, in->of, out->of))
        fail_msg("%s", hyperionGetLastError());
}

static HyperionMemoryStats run_optimized(HyperionModel *model, bool in_place, const Tensors *in,
                                         const Tensors *out)
{
    const HyperionMemoryOptimizerConfig config = {.enable_tensor_reuse = true,
                                                  .enable_in_place_ops = in_place};
    HyperionMemoryOptimizer *optimizer = hyperionCreateMemoryOptimizer(&config);
    if (!optimizer || !hyperionOptimizeMemoryUsage(optimizer, model, 0))
        fail_msg("%s", hyperionGetLastError());
    run(model, in, out);
    const HyperionMemoryStats stats = hyperionGetMemoryOptimizerStats(optimizer);
    hyperionFreeMemoryOptimizer(optimizer);
    return stats;
}

// Bytes of activations of layers that run whole.
static size_t plan_whole(const HyperionModel *model, bool in_place)
{
    const HypActivationSettings settings = {.share = true, .in_place = in_place, .effort = 0.3F};
    HypRunPlan plan;
    HypActivationFacts facts;
    assert_true(hyp_run_plan_create(model, &plan));
    assert_true(hyp_activation_plan_make(model, &settings, &plan, &facts));
    hyp_run_plan_free(&plan);
    return facts.planned_bytes;
}

static void check_model(HyperionModel *model, const char *name)
{
    const int inputs = hyperionModelInputCount(model);
    const int outputs = hyperionModelOutputCount(model);
    Tensors in = make_tensors(model, inputs, hyperionModelInput);
    Tensors expected = make_tensors(model, outputs, hyperionModelOutput);
    Tensors given = make_tensors(model, outputs, hyperionModelOutput);
    run(model, &in, &expected);
    // Where results are written over inputs no thread may write what another reads.
    assert_true(hyperionSetThreadCount(model, 2));
    for (int in_place = 0; in_place < 2; in_place++) {
        const HyperionMemoryStats stats = run_optimized(model, in_place, &in, &given);
        for (int i = 0; i < outputs; i++) {
            if (memcmp(hyperionTensorData(given.of[i]), hyperionTensorData(expected.of[i]),
                       hyperionTensorBytes(expected.of[i])) != 0)
                fail_msg("%s: output %d differs, in place %d", name, i, in_place);
            memset(hyperionTensorData(given.of[i]), 0, hyperionTensorBytes(given.of[i]));
        }
        if (stats.planned_bytes != stats.lower_bound_bytes)
            fail_msg("%s: %zu bytes planned, lower bound %zu", name, stats.planned_bytes,
                     stats.lower_bound_bytes);
        assert_true(stats.planned_bytes <= stats.naive_bytes);
        assert_true(in_place || stats.in_place_count == 0);
    }
    assert_true(plan_whole(model, true) <= plan_whole(model, false));
    free_tensors(&in);
    free_tensors(&expected);
    free_tensors(&given);
}

static void shared_memory_changes_no_result(void **state)
{
    (void)state;
    for (size_t i = 0; i < model_count; i++)
        for (int fused = 0; fused < 2; fused++) {
            const HyperionLoadOptions options = {.no_rewriting = !fused};
            HyperionModel *model = hyperionLoadModelWith(models[i], &options);
            if (!model && strstr(models[i], "/shared/")) {
                print_message("skipped: %s\n", hyperionGetLastError());
                continue;
            }
            if (!model)
                fail_msg("%s", hyperionGetLastError());
            check_model(model, models[i]);
            hyperionFreeModel(model);
        }
}

static void attachments_end_in_any_order(void **state)
{
    (void)state;
    const HyperionMemoryOptimizerConfig config = {.enable_tensor_reuse = true};
    HyperionMemoryOptimizer *optimizer = hyperionCreateMemoryOptimizer(&config);
    HyperionMemoryOptimizer *second = hyperionCreateMemoryOptimizer(&config);
    HyperionModel *model = hyperionLoadModel("builtin:mlp:hidden=8");
    HyperionModel *other = hyperionLoadModel("builtin:mlp:hidden=8");
    assert_true(hyperionOptimizeMemoryUsage(optimizer, model, 0));
    assert_true(hyperionOptimizeMemoryUsage(optimizer, model, 0)); // anew
    assert_false(hyperionOptimizeMemoryUsage(second, model, 0));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_BUSY);
    assert_false(hyperionOptimizeMemoryUsage(optimizer, other, 0));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_BUSY);
    hyperionFreeModel(model);
    assert_true(hyperionOptimizeMemoryUsage(optimizer, other, 0));
    hyperionFreeMemoryOptimizer(optimizer);
    assert_true(hyperionOptimizeMemoryUsage(second, other, 0));
    hyperionFreeModel(other);
    assert_int_equal(hyperionGetMemoryOptimizerStats(second).planned_bytes, 0);
    hyperionFreeMemoryOptimizer(second);
}

static void senseless_arguments_are_refused(void **state)
{
    (void)state;
    assert_null(hyperionCreateMemoryOptimizer(NULL));
    const HyperionMemoryOptimizerConfig config = {.memory_speed_tradeoff = 2};
    assert_null(hyperionCreateMemoryOptimizer(&config));
    assert_false(hyperionGetMemoryOptimizerStats(NULL).valid);
    assert_false(hyperionOptimizeMemoryUsage(NULL, NULL, 0));
    hyperionSetMemorySpeedTradeoff(NULL, 1);
    hyperionEnableInPlaceOperations(NULL, true);
    hyperionFreeMemoryOptimizer(NULL);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "all") == 0)
        model_count = sizeof models / sizeof *models;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_memory_changes_no_result),
        cmocka_unit_test(attachments_end_in_any_order),
        cmocka_unit_test(senseless_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
