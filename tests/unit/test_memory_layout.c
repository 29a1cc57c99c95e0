// SPDX-License-Identifier: Apache-2.0
// test_memory_layout.c - weights packed once: same results, right memory, packed anew on change.
#include "hyperion/hyperion.h"

#include "model/layer_op.h"
#include "model/memory_layout.h"
#include "platform/platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct Runnable {
    HyperionModel *model;
    HyperionTensor *input, *output;
    void *expected;
} Runnable;

static void fill(HyperionTensor *tensor)
{
    float *values = hyperionTensorData(tensor);
    uint32_t seed = 1;
    for (size_t i = 0; i < hyperionTensorElementCount(tensor); i++) {
        seed = seed * 1664525U + 1013904223U;
        values[i] = (float)(seed >> 16) / 65536 - 0.5F;
    }
}

static HyperionTensor *create(HyperionTensorInfo info)
{
    HyperionTensor *tensor = hyperionCreateTensor(info.type, info.rank, info.dims);
    assert_non_null(tensor);
    return tensor;
}

static void run(const Runnable *loaded)
{
    memset(hyperionTensorData(loaded->output), 0x55, hyperionTensorBytes(loaded->output));
    assert_true(hyperionRunModel(loaded->model, &loaded->input, &loaded->output));
}

// Runs the model as it is: what it gives is expected from then on.
static void expect_this(Runnable *loaded)
{
    const size_t size_bytes = hyperionTensorBytes(loaded->output);
    run(loaded);
    free(loaded->expected);
    loaded->expected = malloc(size_bytes);
    assert_non_null(loaded->expected);
    memcpy(loaded->expected, hyperionTensorConstData(loaded->output), size_bytes);
}

static void assert_same(const Runnable *loaded)
{
    run(loaded);
    assert_memory_equal(hyperionTensorConstData(loaded->output), loaded->expected,
                        hyperionTensorBytes(loaded->output));
}

static Runnable make_runnable(HyperionModel *model)
{
    assert_non_null(model);
    Runnable loaded = {.model = model,
                       .input = create(hyperionModelInput(model, 0)),
                       .output = create(hyperionModelOutput(model, 0))};
    if (hyperionTensorType(loaded.input) == HYPERION_TYPE_F32)
        fill(loaded.input);
    expect_this(&loaded);
    return loaded;
}

static void unload(Runnable *loaded)
{
    hyperionFreeTensor(loaded->input);
    hyperionFreeTensor(loaded->output);
    hyperionFreeModel(loaded->model);
    free(loaded->expected);
}

// Where the packed weight of a layer is, as a run finds it.
static const float *find_packed(const HyperionModel *model, int layer)
{
    HyperionGemmBlocking blocking = {.mc = 0};
    assert_true(hyp_layer_blocking(model, &model->layers[layer], &blocking));
    return hyp_memory_layout_data(model, layer, &blocking);
}

static const char *const models[] = {"builtin:mlp", "builtin:cnn", "builtin:transformer"};
enum { MODEL_COUNT = sizeof models / sizeof models[0] };

static void packed_weights_give_the_same_results_at_every_level_and_blocking(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODEL_COUNT; i++) {
        Runnable loaded = make_runnable(hyperionLoadModel(models[i]));
        for (int level = 0; level <= (int)hyperionGetSIMDCapabilities().best_level; level++)
            for (int block_size = 0; block_size <= 48; block_size += 24) {
                HyperionCacheConfig config = hyperionGetCacheConfiguration(loaded.model);
                config.block_size = block_size;
                assert_true(hyperionResetMemoryLayout(loaded.model));
                hyperionSetSIMDOptimizationLevel(loaded.model, level);
                assert_true(hyperionConfigureCacheOptimization(loaded.model, &config));
                expect_this(&loaded);
                assert_true(hyperionOptimizeMemoryLayout(loaded.model));
                assert_same(&loaded);
                assert_true(hyperionSetThreadCount(loaded.model, 3));
                assert_same(&loaded);
                assert_true(hyperionSetThreadCount(loaded.model, 1));
            }
        unload(&loaded);
    }
}

static void weights_are_packed_anew_when_level_or_blocking_change(void **state)
{
    (void)state;
    Runnable loaded = make_runnable(hyperionLoadModel("builtin:cnn"));
    Runnable plain = make_runnable(hyperionLoadModel("builtin:cnn"));
    assert_true(hyperionOptimizeMemoryLayout(loaded.model));
    for (int level = 0; level <= (int)hyperionGetSIMDCapabilities().best_level; level++) {
        const HyperionCacheConfig config = {.block_size = 16 + level};
        hyperionSetSIMDOptimizationLevel(loaded.model, level);
        hyperionSetSIMDOptimizationLevel(plain.model, level);
        assert_true(hyperionConfigureCacheOptimization(loaded.model, &config));
        assert_true(hyperionConfigureCacheOptimization(plain.model, &config));
        run(&loaded);
        run(&plain);
        assert_memory_equal(hyperionTensorConstData(loaded.output),
                            hyperionTensorConstData(plain.output),
                            hyperionTensorBytes(plain.output));
    }
    unload(&loaded);
    unload(&plain);
}

static const size_t twin_bytes = sizeof(float[64][64]);

// A model of two products with the same weight of 64 x 64, and what is packed of it.
static HyperionModel *make_twins(int *weight)
{
    static float values[64 * 64];
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        values[i] = (float)(i % 7) - 3;
    HyperionModel *model = hyperionCreateModel("twins");
    const int64_t dims[] = {64, 64};
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 2, (int64_t[]){8, 64});
    *weight = hyperionAddWeight(model, "w", HYPERION_TYPE_F32, 2, dims, values);
    const int first =
        hyperionAddLayer(model, "first", HYPERION_LAYER_GEMM, NULL, (int[]){x, *weight}, 2);
    const int second =
        hyperionAddLayer(model, "second", HYPERION_LAYER_GEMM, NULL, (int[]){first, *weight}, 2);
    assert_true(hyperionAddOutput(model, second));
    return model;
}

static void runs_read_the_packed_weights_and_not_the_others(void **state)
{
    (void)state;
    int weight;
    Runnable loaded = make_runnable(make_twins(&weight));
    assert_true(hyperionOptimizeMemoryLayout(loaded.model));
    memset(loaded.model->tensors[weight].data, 0, twin_bytes);
    assert_same(&loaded);
    assert_true(hyperionResetMemoryLayout(loaded.model));
    run(&loaded);
    assert_memory_not_equal(hyperionTensorConstData(loaded.output), loaded.expected,
                            hyperionTensorBytes(loaded.output));
    unload(&loaded);
}

static void packed_bytes_are_told_and_gone_after_reset(void **state)
{
    (void)state;
    int weight;
    Runnable loaded = make_runnable(make_twins(&weight));
    HyperionModel *model = loaded.model;
    const size_t weight_bytes = hyperionModelWeightBytes(model);
    assert_int_equal(hyperionModelPackedBytes(model), 0);
    assert_true(hyperionOptimizeMemoryLayout(model));
    // Every level has 64 columns in whole tiles; two layers share what is packed.
    assert_int_equal(hyperionModelPackedBytes(model), twin_bytes);
    assert_ptr_equal(find_packed(model, 0), find_packed(model, 1));
    assert_int_equal(hyperionModelWeightBytes(model), weight_bytes);
    assert_true(hyperionResetMemoryLayout(model));
    assert_int_equal(hyperionModelPackedBytes(model), 0);
    assert_null(find_packed(model, 0));
    assert_true(hyperionResetMemoryLayout(model)); // once more does no harm
    assert_same(&loaded);
    unload(&loaded);
}

static void each_weight_copy_has_packed_weights_of_its_own(void **state)
{
    (void)state;
    int weight;
    for (int copies_first = 0; copies_first < 2; copies_first++) {
        Runnable loaded = make_runnable(make_twins(&weight));
        assert_true(!copies_first || hyperionSetWeightCopies(loaded.model, 3));
        assert_true(hyperionOptimizeMemoryLayout(loaded.model));
        assert_true(copies_first || hyperionSetWeightCopies(loaded.model, 3));
        const float *places[6];
        for (int i = 0; i < 6; i++) {
            assert_same(&loaded);
            places[i] = find_packed(loaded.model, 0);
        }
        assert_true(places[0] != places[1] && places[1] != places[2] && places[0] != places[2]);
        assert_memory_equal(places, places + 3, 3 * sizeof places[0]);
        assert_false(hyperionSetWeightCopies(loaded.model, SIZE_MAX));
        assert_int_equal(hyperionGetWeightCopies(loaded.model), 3);
        assert_true(hyperionSetWeightCopies(loaded.model, 1));
        assert_same(&loaded);
        unload(&loaded);
    }
}

static void weights_that_would_more_than_double_stay_as_they_are(void **state)
{
    (void)state;
    static float filters[16 * 2 * 3 * 3];
    HyperionModel *model = hyperionCreateModel("grouped");
    const HyperionLayerAttributes grouped = {.groups = 8};
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 4, (int64_t[]){1, 16, 8, 8});
    const int w =
        hyperionAddWeight(model, "w", HYPERION_TYPE_F32, 4, (int64_t[]){16, 2, 3, 3}, filters);
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_CONV2D, &grouped, (int[]){x, w}, 2);
    assert_true(hyperionAddOutput(model, y));
    assert_true(hyperionOptimizeMemoryLayout(model));
    assert_int_equal(hyperionModelPackedBytes(model), 0);
    assert_false(hyp_model_layer_is_packed(model, 0));
    hyperionFreeModel(model);
}

static void layers_added_later_are_packed_by_the_next_run(void **state)
{
    (void)state;
    int weight;
    HyperionModel *model = make_twins(&weight);
    assert_true(hyperionOptimizeMemoryLayout(model));
    const int more = hyperionAddLayer(model, "third", HYPERION_LAYER_GEMM,
                                      &(HyperionLayerAttributes){.transpose_b = true},
                                      (int[]){model->layers[1].outputs[0], weight}, 2);
    assert_true(hyperionAddOutput(model, more));
    assert_false(hyp_model_layer_is_packed(model, 2));
    HyperionTensor *input = create(hyperionModelInput(model, 0));
    HyperionTensor *outputs[] = {create(hyperionModelOutput(model, 0)),
                                 create(hyperionModelOutput(model, 1))};
    assert_true(hyperionRunModel(model, &input, outputs));
    assert_true(hyp_model_layer_is_packed(model, 2));
    assert_int_equal(hyperionModelPackedBytes(model), 2 * twin_bytes);
    hyperionFreeTensor(input);
    hyperionFreeTensor(outputs[0]);
    hyperionFreeTensor(outputs[1]);
    hyperionFreeModel(model);
}

static void large_layouts_begin_at_a_huge_page_in_execution_order(void **state)
{
    (void)state;
    HyperionModel *model = hyperionLoadModel("builtin:mlp:hidden=1024,batch=8");
    assert_non_null(model);
    assert_true(hyperionOptimizeMemoryLayout(model));
    assert_true(hyperionModelPackedBytes(model) >= HYP_HUGE_PAGE_BYTES);
    const float *last = NULL;
    for (int i = 0; i < hyperionModelLayerCount(model); i++) {
        const float *place = find_packed(model, i);
        if (!place)
            continue;
        assert_true(last ? place > last : (uintptr_t)place % HYP_HUGE_PAGE_BYTES == 0);
        last = place;
    }
    assert_non_null(last);
    hyperionFreeModel(model);
}

static void packed_layers_are_predicted_so(void **state)
{
    (void)state;
    int weight;
    HyperionModel *model = make_twins(&weight);
    const HyperionCacheTopology zen5 = {2, {{49152, 64, 12, 1}, {1048576, 64, 16, 1}}};
    assert_true(hyperionSetCacheTopology(model, &zen5));
    const HyperionCacheStats plain = hyperionGetCacheStats(model);
    assert_true(hyperionOptimizeMemoryLayout(model));
    const HyperionCacheStats packed = hyperionGetCacheStats(model);
    assert_int_equal(packed.layers_modelled, plain.layers_modelled);
    assert_true(packed.levels[0].accesses < plain.levels[0].accesses);
    assert_true(packed.levels[0].misses <= plain.levels[0].misses);
    hyperionFreeModel(model);
}

static void no_model_or_a_running_one_is_refused(void **state)
{
    (void)state;
    int weight;
    assert_false(hyperionOptimizeMemoryLayout(NULL));
    assert_string_equal(hyperionGetLastError(), "optimize memory layout: model is NULL");
    assert_false(hyperionResetMemoryLayout(NULL));
    assert_string_equal(hyperionGetLastError(), "reset memory layout: model is NULL");
    assert_int_equal(hyperionModelPackedBytes(NULL), 0);
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
    HyperionModel *model = make_twins(&weight);
    assert_true(hyp_model_begin_change(model, "test"));
    assert_false(hyperionOptimizeMemoryLayout(model));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_BUSY);
    assert_false(hyperionResetMemoryLayout(model));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_BUSY);
    hyp_model_end_change(model);
    hyperionFreeModel(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_weights_give_the_same_results_at_every_level_and_blocking),
        cmocka_unit_test(weights_are_packed_anew_when_level_or_blocking_change),
        cmocka_unit_test(runs_read_the_packed_weights_and_not_the_others),
        cmocka_unit_test(packed_bytes_are_told_and_gone_after_reset),
        cmocka_unit_test(each_weight_copy_has_packed_weights_of_its_own),
        cmocka_unit_test(weights_that_would_more_than_double_stay_as_they_are),
        cmocka_unit_test(layers_added_later_are_packed_by_the_next_run),
        cmocka_unit_test(large_layouts_begin_at_a_huge_page_in_execution_order),
        cmocka_unit_test(packed_layers_are_predicted_so),
        cmocka_unit_test(no_model_or_a_running_one_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
