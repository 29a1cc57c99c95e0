// SPDX-License-Identifier: Apache-2.0
// test_model_cache.c - cache settings of a model, and its predicted statistics.
#include "hyperion/hyperion.h"

#include "model/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "small_builtins.h"

static const HyperionCacheTopology zen5 = {2, {{49152, 64, 12, 1}, {1048576, 64, 16, 1}}};

static int setup(void **state)
{
    *state = hyperionCreateModel("cached");
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    hyperionFreeModel(*state);
    return 0;
}

static int add_input(HyperionModel *model, const char *name, int rank, const int64_t *dims)
{
    const int tensor = hyperionAddInput(model, name, HYPERION_TYPE_F32, rank, dims);
    assert_true(tensor >= 0);
    return tensor;
}

static int add_layer(HyperionModel *model, const char *name, HyperionLayerOp op,
                     const HyperionLayerAttributes *attributes, int first, int second, int third)
{
    const int inputs[] = {first, second, third};
    const int tensor =
        hyperionAddLayer(model, name, op, attributes, inputs, 1 + (second >= 0) + (third >= 0));
    assert_true(tensor >= 0);
    return tensor;
}

static void assert_failed(HyperionErrorKind kind, const char *named)
{
    assert_int_equal(hyperionGetLastErrorKind(), kind);
    assert_non_null(strstr(hyperionGetLastError(), named));
}

static void configuration_has_its_defaults_and_is_kept(void **state)
{
    HyperionModel *model = *state;
    HyperionCacheConfig config = hyperionGetCacheConfiguration(model);
    assert_int_equal(config.block_size, 0);
    assert_int_equal(config.cache_line_size, 0);
    assert_true(config.enable_prefetch);
    assert_int_equal(config.prefetch_distance, 8);
    const HyperionCacheConfig other = {
        .block_size = 96, .cache_line_size = 128, .enable_prefetch = false, .prefetch_distance = 3};
    assert_true(hyperionConfigureCacheOptimization(model, &other));
    config = hyperionGetCacheConfiguration(model);
    assert_memory_equal(&config, &other, sizeof other);
}

static void refused_configuration_changes_nothing(void **state)
{
    HyperionModel *model = *state;
    const HyperionCacheConfig before = hyperionGetCacheConfiguration(model);
    const HyperionCacheConfig bad = {.block_size = 65537};
    assert_false(hyperionConfigureCacheOptimization(model, &bad));
    assert_failed(HYPERION_ERROR_ARGUMENT, "65537");
    assert_false(hyperionConfigureCacheOptimization(model, NULL));
    assert_failed(HYPERION_ERROR_ARGUMENT, "config is NULL");
    assert_false(hyperionConfigureCacheOptimization(NULL, &before));
    assert_failed(HYPERION_ERROR_ARGUMENT, "NULL");
    const HyperionCacheConfig after = hyperionGetCacheConfiguration(model);
    assert_memory_equal(&after, &before, sizeof after);
}

static void refused_topology_changes_nothing(void **state)
{
    HyperionModel *model = *state;
    assert_true(hyperionSetCacheTopology(model, &zen5));
    HyperionCacheTopology bad = zen5;
    bad.levels[1].line_bytes = 48;
    assert_false(hyperionSetCacheTopology(model, &bad));
    assert_failed(HYPERION_ERROR_ARGUMENT, "L2 line_bytes");
    bad.level_count = 0;
    assert_false(hyperionSetCacheTopology(model, &bad));
    assert_failed(HYPERION_ERROR_ARGUMENT, "given 0");
    assert_false(hyperionSetCacheTopology(model, NULL));
    assert_failed(HYPERION_ERROR_ARGUMENT, "topology is NULL");
    assert_false(hyperionSetCacheTopology(NULL, &zen5));
    assert_failed(HYPERION_ERROR_ARGUMENT, "NULL");
    const HyperionCacheStats stats = hyperionGetCacheStats(model);
    assert_int_equal(stats.level_count, 2);
    assert_int_equal(stats.levels[1].geometry.line_bytes, 64);
}

static void running_model_keeps_its_settings(void **state)
{
    HyperionModel *model = *state;
    const HyperionCacheConfig config = {.block_size = 32};
    assert_true(hyp_model_begin_change(model, "test"));
    assert_false(hyperionConfigureCacheOptimization(model, &config));
    assert_failed(HYPERION_ERROR_BUSY, "configure cache optimization");
    assert_false(hyperionSetCacheTopology(model, &zen5));
    assert_failed(HYPERION_ERROR_BUSY, "set cache topology");
    hyp_model_end_change(model);
    assert_int_equal(hyperionGetCacheConfiguration(model).block_size, 0);
}

static void what_has_no_model_says_so(void **state)
{
    (void)state;
    assert_false(hyperionGetCacheStats(NULL).valid);
    assert_failed(HYPERION_ERROR_ARGUMENT, "get cache statistics: model is NULL");
    assert_int_equal(hyperionGetCacheConfiguration(NULL).prefetch_distance, 0);
    assert_failed(HYPERION_ERROR_ARGUMENT, "get cache configuration: model is NULL");
}

static void statistics_need_sizes(void **state)
{
    HyperionModel *model = *state;
    const HyperionCacheTopology open = {2, {{32768, 64, 8, 1}, {0, 64, 8, 1}}};
    assert_true(hyperionSetCacheTopology(model, &open));
    assert_false(hyperionGetCacheStats(model).valid);
    assert_failed(HYPERION_ERROR_UNSUPPORTED, "size of L2");
}

static void empty_model_touches_nothing(void **state)
{
    HyperionModel *model = *state;
    assert_true(hyperionSetCacheTopology(model, &zen5));
    const HyperionCacheStats stats = hyperionGetCacheStats(model);
    assert_true(stats.valid);
    assert_int_equal(stats.layers_total, 0);
    assert_int_equal(stats.levels[0].accesses, 0);
}

static void statistics_of_a_product_are_those_of_the_formula(void **state)
{
    HyperionModel *model = *state;
    const int a = add_input(model, "a", 2, (int64_t[]){300, 200});
    const int b = add_input(model, "b", 2, (int64_t[]){200, 400});
    (void)add_layer(model, "product", HYPERION_LAYER_GEMM, NULL, a, b, -1);
    assert_true(hyperionSetCacheTopology(model, &zen5));
    for (int block_size = 0; block_size <= 64; block_size += 64) {
        const HyperionCacheConfig config = {
            .block_size = block_size, .enable_prefetch = true, .prefetch_distance = 4};
        assert_true(hyperionConfigureCacheOptimization(model, &config));
        const HyperionGemmShape shape = {.m = 300, .n = 400, .k = 200};
        HyperionGemmBlocking blocking;
        assert_true(hyperionResolveGemmBlocking(
            &shape, &config, &zen5, hyperionGetSIMDOptimizationLevel(model), &blocking));
        const HyperionCacheStats expected = hyperionPredictGemm(&shape, &blocking, &zen5);
        const HyperionCacheStats stats = hyperionGetCacheStats(model);
        assert_int_equal(stats.tier, HYPERION_CACHE_TIER_CLOSED_FORM);
        assert_int_equal(stats.layers_modelled, 1);
        assert_int_equal(stats.layers_total, 1);
        assert_true(stats.prefetches > 0);
        assert_int_equal(stats.prefetches, expected.prefetches);
        assert_int_equal(stats.memory_read_bytes, expected.memory_read_bytes);
        assert_int_equal(stats.memory_write_bytes, expected.memory_write_bytes);
        for (int l = 0; l < 2; l++) {
            assert_int_equal(stats.levels[l].accesses, expected.levels[l].accesses);
            assert_int_equal(stats.levels[l].misses, expected.levels[l].misses);
            assert_int_equal(stats.levels[l].misses_high, expected.levels[l].misses_high);
        }
    }
}

static void statistics_count_every_layer(void **state)
{
    HyperionModel *model = *state;
    const int q = add_input(model, "q", 3, (int64_t[]){1, 16, 32});
    const int out = add_layer(model, "attention", HYPERION_LAYER_ATTENTION, NULL, q, q, q);
    HyperionLayerAttributes flat = {.rank = 2, .dims = {16, 32}};
    const int view = add_layer(model, "view", HYPERION_LAYER_RESHAPE, &flat, out, -1, -1);
    assert_true(hyperionSetCacheTopology(model, &zen5));
    HyperionCacheStats stats = hyperionGetCacheStats(model);
    assert_int_equal(stats.layers_modelled, 2);
    assert_int_equal(stats.layers_total, 2);
    const uint64_t of_attention = stats.levels[0].misses; // a view touches nothing
    assert_true(of_attention > 2 * 16 * 32 / 16);
    const int other = add_input(model, "other", 2, (int64_t[]){16, 32});
    (void)add_layer(model, "sum", HYPERION_LAYER_BINARY, NULL, view, other, -1);
    stats = hyperionGetCacheStats(model);
    assert_int_equal(stats.layers_modelled, 3);
    assert_int_equal(stats.levels[0].misses, of_attention + 2 * 16 * 32 / 16); // not of the view
}

static uint64_t count_misses(HyperionLayerOp op, const HyperionLayerAttributes *attributes,
                             int rank, const int64_t *dims, int weight_rank,
                             const int64_t *weight_dims, int weights)
{
    HyperionModel *model = hyperionCreateModel("layer");
    const int in = add_input(model, "in", rank, dims);
    int operands[2] = {-1, -1};
    for (int i = 0; i < weights; i++)
        operands[i] = add_input(model, i ? "second" : "first", weight_rank, weight_dims);
    (void)add_layer(model, "layer", op, attributes, in, operands[0], operands[1]);
    assert_true(hyperionSetCacheTopology(model, &zen5));
    const HyperionCacheStats stats = hyperionGetCacheStats(model);
    assert_int_equal(stats.layers_modelled, 1);
    hyperionFreeModel(model);
    return stats.levels[1].misses;
}

// All fits L2: each line is missed there once.
static void streams_miss_each_line_once(void **state)
{
    (void)state;
    static const int64_t rows[] = {4, 4, 64};
    static const int64_t row[] = {64};
    static const int64_t image[] = {2, 3, 32, 32};
    const HyperionLayerAttributes none = {.epsilon = 0};
    static const int64_t channels[] = {4};
    const HyperionLayerAttributes pool = {.kernel = {2, 2}, .stride = {2, 2}};
    const HyperionLayerAttributes inner = {.axis_count = 1, .axes = {1}};
    const HyperionLayerAttributes to_i64 = {.type = HYPERION_TYPE_I64};
    assert_int_equal(count_misses(HYPERION_LAYER_SOFTMAX, &none, 3, rows, 0, NULL, 0), 2 * 64);
    assert_int_equal(count_misses(HYPERION_LAYER_LAYERNORM, &none, 3, rows, 1, row, 2), 2 * 64 + 8);
    assert_int_equal(count_misses(HYPERION_LAYER_BINARY, &none, 3, rows, 1, row, 1), 2 * 64 + 4);
    assert_int_equal(count_misses(HYPERION_LAYER_SCALE_SHIFT, &none, 3, rows, 1, channels, 2),
                     2 * 64 + 1);
    assert_int_equal(count_misses(HYPERION_LAYER_REDUCE, &inner, 3, rows, 0, NULL, 0), 64 + 16);
    assert_int_equal(count_misses(HYPERION_LAYER_CAST, &to_i64, 3, rows, 0, NULL, 0), 64 + 128);
    assert_int_equal(count_misses(HYPERION_LAYER_LRN, &none, 4, image, 0, NULL, 0),
                     2 * 2 * 3 * 32 * 32 / 16);
    const HyperionLayerAttributes first = {.axis_from_end = 2};
    assert_int_equal(count_misses(HYPERION_LAYER_SOFTMAX, &first, 3, rows, 0, NULL, 0), 2 * 64);
    assert_int_equal(count_misses(HYPERION_LAYER_MAX_POOL, &pool, 4, image, 0, NULL, 0),
                     (2 * 3 * 32 * 32 + 2 * 3 * 16 * 16) / 16);
}

// Moving, also into less or more; a view moves nothing.
static void moved_elements_are_read_and_written_once(void **state)
{
    (void)state;
    static const int64_t rows[] = {4, 4, 64};
    const HyperionLayerAttributes turn = {.rank = 3, .axes = {2, 1, 0}};
    const HyperionLayerAttributes half = {.rank = 3, .dims = {2, 4, 64}};
    const HyperionLayerAttributes repeat = {.rank = 4, .dims = {3, 1, 1, 1}};
    const HyperionLayerAttributes twice = {.rank = 3, .dims = {4, 8, 64}};
    const HyperionLayerAttributes whole = {.rank = 3, .dims = {4, 4, 64}};
    assert_int_equal(count_misses(HYPERION_LAYER_TRANSPOSE, &turn, 3, rows, 0, NULL, 0), 2 * 64);
    assert_int_equal(count_misses(HYPERION_LAYER_SLICE, &half, 3, rows, 0, NULL, 0), 2 * 32);
    assert_int_equal(count_misses(HYPERION_LAYER_EXPAND, &repeat, 3, rows, 0, NULL, 0), 4 * 64);
    assert_int_equal(count_misses(HYPERION_LAYER_RESIZE, &twice, 3, rows, 0, NULL, 0), 3 * 64);
    assert_int_equal(count_misses(HYPERION_LAYER_CONCAT, &turn, 3, rows, 3, rows, 2), 6 * 64);
    assert_int_equal(count_misses(HYPERION_LAYER_SLICE, &whole, 3, rows, 0, NULL, 0), 0);
}

// Images and groups are products of their own: images and results come from memory for each, as do
// the filters of a group; filters that meet another image and packed copies may still be cached.
static void convolution_repeats_its_product(void **state)
{
    (void)state;
    static const int64_t one[] = {1, 8, 16, 16};
    static const int64_t three[] = {3, 8, 16, 16};
    static const int64_t grouped[] = {1, 16, 16, 16};
    static const int64_t filter[] = {32, 8, 3, 3};
    static const int64_t both_filters[] = {64, 8, 3, 3};
    const HyperionLayerAttributes plain = {.padding = {1, 1, 1, 1}};
    const HyperionLayerAttributes halves = {.padding = {1, 1, 1, 1}, .groups = 2};
    const uint64_t once = count_misses(HYPERION_LAYER_CONV2D, &plain, 4, one, 4, filter, 1);
    assert_true(once >= (8 * 256 + 32 * 72 + 32 * 256) / 16);
    const uint64_t image = (8 * 256 + 32 * 256) / 16;
    const uint64_t filters = 32 * 72 / 16;
    const uint64_t thrice = count_misses(HYPERION_LAYER_CONV2D, &plain, 4, three, 4, filter, 1);
    assert_in_range(thrice, once + 2 * image, 3 * once);
    assert_in_range(count_misses(HYPERION_LAYER_CONV2D, &halves, 4, grouped, 4, both_filters, 1),
                    once + image + filters, 2 * once);
}

static void configured_line_size_overrules_the_geometry(void **state)
{
    HyperionModel *model = *state;
    const int x = add_input(model, "x", 1, (int64_t[]){4096});
    (void)add_layer(model, "relu", HYPERION_LAYER_ACTIVATION,
                    &(HyperionLayerAttributes){.activation = HYPERION_ACTIVATION_RELU}, x, -1, -1);
    assert_true(hyperionSetCacheTopology(model, &zen5));
    assert_int_equal(hyperionGetCacheStats(model).levels[0].misses, 2 * 4096 / 16);
    const HyperionCacheConfig config = {.cache_line_size = 128};
    assert_true(hyperionConfigureCacheOptimization(model, &config));
    const HyperionCacheStats stats = hyperionGetCacheStats(model);
    assert_int_equal(stats.levels[0].misses, 2 * 4096 / 32);
    assert_int_equal(stats.levels[0].geometry.line_bytes, 128);
    assert_int_equal(stats.memory_read_bytes, 2 * 4096 * 4);
}

static void statistics_of_every_built_in_model_are_lawful(void **state)
{
    (void)state;
    for (int i = 0; i < SMALL_BUILTIN_COUNT; i++) {
        HyperionModel *model = hyperionLoadModel(small_builtins[i]);
        assert_non_null(model);
        assert_true(hyperionSetCacheTopology(model, &zen5));
        const HyperionCacheStats stats = hyperionGetCacheStats(model);
        assert_true(stats.valid);
        assert_int_equal(stats.layers_total, hyperionModelLayerCount(model));
        assert_true(stats.layers_modelled > 0);
        for (int l = 0; l < stats.level_count; l++) {
            const HyperionCacheLevelStats *level = &stats.levels[l];
            assert_int_equal(level->hits + level->misses, level->accesses);
            assert_true(level->misses_low <= level->misses && level->misses <= level->misses_high);
        }
        // Every weight is read at least once.
        assert_true(stats.levels[0].misses * 64 >= hyperionModelWeightBytes(model) / 2);
        hyperionFreeModel(model);
    }
}

static void a_running_model_is_not_predicted(void **state)
{
    HyperionModel *model = *state;
    assert_true(hyperionSetCacheTopology(model, &zen5));
    assert_true(hyp_model_begin_change(model, "test"));
    assert_false(hyperionGetCacheStats(model).valid);
    assert_failed(HYPERION_ERROR_BUSY, "get cache statistics");
    hyp_model_end_change(model);
    assert_true(hyperionGetCacheStats(model).valid);
}

static void predictions_that_cannot_be_are_refused(void **state)
{
    HyperionModel *model = *state;
    const HyperionPredictionConfig none = {0};
    const HyperionPredictionConfig tier = {.tier = (HyperionCacheTier)9};
    const HyperionPredictionConfig level = {.assumptions = {.victim_level = 9}};
    assert_false(hyperionConfigureCachePrediction(NULL, &none));
    assert_false(hyperionConfigureCachePrediction(model, NULL));
    assert_false(hyperionConfigureCachePrediction(model, &tier));
    assert_false(hyperionConfigureCachePrediction(model, &level));
    assert_int_equal(hyperionGetCachePrediction(model).tier, HYPERION_CACHE_TIER_NONE);
    assert_int_equal(hyperionGetCachePrediction(NULL).tier, HYPERION_CACHE_TIER_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(configuration_has_its_defaults_and_is_kept, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(refused_configuration_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_topology_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(running_model_keeps_its_settings, setup, teardown),
        cmocka_unit_test(what_has_no_model_says_so),
        cmocka_unit_test_setup_teardown(statistics_need_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_model_touches_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(statistics_of_a_product_are_those_of_the_formula, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(statistics_count_every_layer, setup, teardown),
        cmocka_unit_test(streams_miss_each_line_once),
        cmocka_unit_test(moved_elements_are_read_and_written_once),
        cmocka_unit_test(convolution_repeats_its_product),
        cmocka_unit_test_setup_teardown(configured_line_size_overrules_the_geometry, setup,
                                        teardown),
        cmocka_unit_test(statistics_of_every_built_in_model_are_lawful),
        cmocka_unit_test_setup_teardown(a_running_model_is_not_predicted, setup, teardown),
        cmocka_unit_test_setup_teardown(predictions_that_cannot_be_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests_name("model_cache", tests, NULL, NULL);
}
