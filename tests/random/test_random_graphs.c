// SPDX-License-Identifier: Apache-2.0
// test_random_graphs.c - COUNT random graphs of all that bears on where results lie: operations
// that overwrite an input, concatenations, views, broadcasting, inputs and weights used in many
// places, several outputs. They give the same bits with a memory optimizer as without, and their
// cache misses can be predicted. The plans go through the checker in the library, which is built
// with assertions here. test_random_graphs COUNT [SEED]
#include "hyperion/hyperion.h"
#include "hyperion/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_LAYERS = 24, MOST_OUTPUTS = 5, INPUTS = 2, MOST_ELEMENTS = 4096 };

static long graph_count = 20;
static uint64_t first_seed = 1;
static uint64_t random_state;

static int draw(int end)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (int)((random_state >> 33) % (uint64_t)end);
}

static float draw_value(void)
{
    return (float)(draw(2001) - 1000) / 500;
}

static int draw_tensor(const HyperionModel *model)
{
    const int count = hyperionModelTensorCount(model);
    // Mostly late ones, so that graphs are deep and lives short.
    return draw(3) ? count - 1 - draw(count < 4 ? count : 4) : draw(count);
}

static int draw_f32(const HyperionModel *model)
{
    for (;;) {
        const int tensor = draw_tensor(model);
        if (hyperionModelTensor(model, tensor).type == HYPERION_TYPE_F32)
            return tensor;
    }
}

static int add_weight(HyperionModel *model, int64_t count)
{
    float values[MOST_ELEMENTS];
    char name[32];
    for (int64_t i = 0; i < count; i++)
        values[i] = draw_value();
    (void)snprintf(name, sizeof name, "weight%d", hyperionModelTensorCount(model));
    return hyperionAddWeight(model, name, HYPERION_TYPE_F32, 1, &count, values);
}

// A layer that is tried: the model refuses what does not fit.
typedef struct Trial {
    HyperionLayerOp op;
    HyperionLayerAttributes attributes;
    int inputs[4];
    int input_count;
} Trial;

static void draw_one_input(const HyperionModel *model, Trial *trial)
{
    static const HyperionLayerOp ops[] = {HYPERION_LAYER_ACTIVATION, HYPERION_LAYER_SOFTMAX,
                                          HYPERION_LAYER_TRANSPOSE, HYPERION_LAYER_REDUCE,
                                          HYPERION_LAYER_LRN};
    trial->op = ops[draw(draw(2) ? 2 : 5)];
    trial->inputs[0] = draw_f32(model);
    trial->input_count = 1;
    trial->attributes.activation = (HyperionActivation)(1 + draw(HYPERION_ACTIVATION_COUNT - 1));
    trial->attributes.alpha = 0.5F;
    trial->attributes.beta = 0.75F;
    trial->attributes.axis_from_end = draw(2);
    trial->attributes.keep_dims = draw(2);
    trial->attributes.axis_count = trial->op == HYPERION_LAYER_REDUCE ? 1 : 0;
    trial->attributes.axes[0] = draw(2);
    trial->attributes.size = 3;
}

static void draw_several_inputs(const HyperionModel *model, Trial *trial)
{
    static const HyperionLayerOp ops[] = {HYPERION_LAYER_BINARY, HYPERION_LAYER_BINARY,
                                          HYPERION_LAYER_CONCAT, HYPERION_LAYER_CONCAT,
                                          HYPERION_LAYER_WHERE,  HYPERION_LAYER_MATMUL};
    trial->op = ops[draw(6)];
    trial->input_count = 2;
    for (int i = 0; i < 4; i++)
        trial->inputs[i] = draw_tensor(model);
    if (trial->op == HYPERION_LAYER_CONCAT)
        trial->input_count = 1 + draw(4);
    if (trial->op == HYPERION_LAYER_WHERE)
        trial->input_count = 3;
    if (draw(4) == 0)
        trial->inputs[1] = trial->inputs[0];
    trial->attributes.axis = draw(3) ? 0 : draw(3);
    trial->attributes.binary = (HyperionBinary)draw(draw(2) ? 4 : HYPERION_BINARY_COUNT);
    trial->attributes.transpose_b = draw(2);
}

static void draw_view(const HyperionModel *model, Trial *trial)
{
    trial->op = HYPERION_LAYER_RESHAPE;
    trial->inputs[0] = draw_tensor(model);
    trial->input_count = 1;
    trial->attributes.rank = 1 + draw(3);
    for (int i = 0; i < trial->attributes.rank; i++)
        trial->attributes.dims[i] = (const int64_t[]){1, 2, 3, 4, 6, 12, 24}[draw(7)];
    trial->attributes.dims[draw(trial->attributes.rank)] = -1;
}

static void draw_slice(const HyperionModel *model, Trial *trial)
{
    trial->op = HYPERION_LAYER_SLICE;
    trial->inputs[0] = draw_tensor(model);
    trial->input_count = 1;
    const HyperionTensorInfo info = hyperionModelTensor(model, trial->inputs[0]);
    trial->attributes.rank = info.rank;
    for (int i = 0; i < info.rank; i++) {
        trial->attributes.dims[i] = info.dims[i];
        if (draw(2) && info.dims[i] > 1) {
            trial->attributes.starts[i] = draw(2);
            trial->attributes.dims[i] = info.dims[i] - 1;
        }
    }
}

// Layers with weights of the width of their input.
static void draw_weighted(HyperionModel *model, Trial *trial)
{
    static const HyperionLayerOp ops[] = {HYPERION_LAYER_LAYERNORM, HYPERION_LAYER_SCALE_SHIFT,
                                          HYPERION_LAYER_GEMM};
    trial->op = ops[draw(3)];
    trial->inputs[0] = draw_f32(model);
    const HyperionTensorInfo info = hyperionModelTensor(model, trial->inputs[0]);
    if (info.rank < 2)
        return;
    const int64_t width = info.dims[trial->op == HYPERION_LAYER_SCALE_SHIFT ? 1 : info.rank - 1];
    trial->input_count = trial->op == HYPERION_LAYER_GEMM ? 2 : 3;
    if (trial->op != HYPERION_LAYER_GEMM) {
        trial->inputs[1] = add_weight(model, width);
        trial->inputs[2] = add_weight(model, width);
        return;
    }
    if (width > 48)
        return;
    const int flat = add_weight(model, width * 12);
    const HyperionLayerAttributes shape = {.rank = 2, .dims = {width, 12}};
    char name[32];
    (void)snprintf(name, sizeof name, "matrix%d", flat);
    trial->inputs[1] = hyperionAddLayer(model, name, HYPERION_LAYER_RESHAPE, &shape, &flat, 1);
    trial->attributes.activation = (HyperionActivation)draw(3);
}

static void try_layer(HyperionModel *model)
{
    Trial trial = {.input_count = 0};
    switch (draw(8)) {
    case 0: draw_view(model, &trial); break;
    case 1: draw_slice(model, &trial); break;
    case 2: draw_weighted(model, &trial); break;
    case 3:
    case 4: draw_one_input(model, &trial); break;
    default: draw_several_inputs(model, &trial);
    }
    size_t bytes = 0;
    for (int i = 0; i < trial.input_count; i++)
        bytes += hyperionModelTensor(model, trial.inputs[i]).size_bytes;
    char name[32];
    (void)snprintf(name, sizeof name, "layer%d", hyperionModelTensorCount(model));
    if (trial.input_count > 0 && bytes <= MOST_ELEMENTS * sizeof(float))
        (void)hyperionAddLayer(model, name, trial.op, &trial.attributes, trial.inputs,
                               trial.input_count);
}

static HyperionModel *make_graph(void)
{
    HyperionModel *model = hyperionCreateModel("random");
    const int64_t dims[] = {2, 6, 12};
    for (int i = 0; i < INPUTS; i++)
        assert_true(hyperionAddInput(model, i ? "y" : "x", HYPERION_TYPE_F32, 3 - i, dims + i) >=
                    0);
    (void)add_weight(model, 12);
    const int layer_count = 1 + draw(MOST_LAYERS);
    for (int tries = 0; tries < 400 && hyperionModelLayerCount(model) < layer_count; tries++)
        try_layer(model);
    const int output_count = 1 + draw(MOST_OUTPUTS);
    assert_true(hyperionAddOutput(model, hyperionModelTensorCount(model) - 1));
    for (int i = 1; i < output_count; i++)
        (void)hyperionAddOutput(model, draw_tensor(model)); // refused: the same one again
    return model;
}

typedef struct Tensors {
    HyperionTensor *of[MOST_OUTPUTS];
    int count;
} Tensors;

static Tensors make_tensors(const HyperionModel *model, int count,
                            HyperionTensorInfo (*find)(const HyperionModel *, int))
{
    Tensors tensors = {.count = count};
    for (int i = 0; i < count; i++) {
        const HyperionTensorInfo info = find(model, i);
        tensors.of[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
        assert_non_null(tensors.of[i]);
    }
    return tensors;
}

static void free_tensors(Tensors *tensors)
{
    for (int i = 0; i < tensors->count; i++)
        hyperionFreeTensor(tensors->of[i]);
}

typedef struct Totals {
    uint64_t layers, reused, in_place;
} Totals;

static void run(HyperionModel *model, const Tensors *in, const Tensors *out, uint64_t seed)
{
    if (!hyperionRunModel(model, in->of, out->of))
        fail_msg("seed %llu: %s", (unsigned long long)seed, hyperionGetLastError());
}

// Of whatever the plan is, both ways to predict tell something lawful, and about the same.
static void check_predictions(HyperionModel *model, uint64_t seed)
{
    enum { UNEVEN_LINES = 100 }; // that graphs of so few lines may be off by
    HyperionCacheStats stats[2];
    for (int tier = 0; tier < 2; tier++) {
        const HyperionPredictionConfig config = {.tier = tier ? HYPERION_CACHE_TIER_REPLAY
                                                              : HYPERION_CACHE_TIER_CLOSED_FORM};
        assert_true(hyperionConfigureCachePrediction(model, &config));
        stats[tier] = hyperionGetCacheStats(model);
        if (!stats[tier].valid)
            fail_msg("seed %llu: %s", (unsigned long long)seed, hyperionGetLastError());
        for (int i = 0; i < stats[tier].level_count; i++) {
            const HyperionCacheLevelStats *level = &stats[tier].levels[i];
            assert_int_equal(level->hits + level->misses, level->accesses);
            assert_true(level->misses_low <= level->misses && level->misses <= level->misses_high);
        }
    }
    for (int i = 0; i < stats[0].level_count; i++) {
        const uint64_t formula = stats[0].levels[i].fills;
        const uint64_t replayed = stats[1].levels[i].fills;
        if (formula > 2 * replayed + UNEVEN_LINES || replayed > 2 * formula + UNEVEN_LINES)
            fail_msg("seed %llu, L%d: predicted %llu, replayed %llu", (unsigned long long)seed,
                     i + 1, (unsigned long long)formula, (unsigned long long)replayed);
    }
}

static void check_with(HyperionModel *model, const HyperionMemoryOptimizerConfig *config,
                       const Tensors *in, const Tensors *expected, uint64_t seed, Totals *totals)
{
    Tensors given = make_tensors(model, expected->count, hyperionModelOutput);
    HyperionMemoryOptimizer *optimizer = hyperionCreateMemoryOptimizer(config);
    if (!hyperionOptimizeMemoryUsage(optimizer, model, 0))
        fail_msg("seed %llu: %s", (unsigned long long)seed, hyperionGetLastError());
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < given.count; i++)
            memset(hyperionTensorData(given.of[i]), 0xa5, hyperionTensorBytes(given.of[i]));
        run(model, in, &given, seed);
        for (int i = 0; i < given.count; i++)
            if (memcmp(hyperionTensorConstData(given.of[i]),
                       hyperionTensorConstData(expected->of[i]),
                       hyperionTensorBytes(given.of[i])) != 0)
                fail_msg("seed %llu: output %d ('%s') differs; reuse %d, in place %d, tradeoff %g",
                         (unsigned long long)seed, i, hyperionModelOutput(model, i).name,
                         config->enable_tensor_reuse, config->enable_in_place_ops,
                         (double)config->memory_speed_tradeoff);
    }
    check_predictions(model, seed);
    const HyperionMemoryStats stats = hyperionGetMemoryOptimizerStats(optimizer);
    assert_true(stats.valid && stats.planned_bytes >= stats.lower_bound_bytes);
    assert_true(config->enable_in_place_ops || stats.in_place_count == 0);
    assert_true(config->enable_tensor_reuse || stats.reuse_count == 0);
    totals->reused += stats.reuse_count;
    totals->in_place += stats.in_place_count;
    hyperionFreeMemoryOptimizer(optimizer);
    free_tensors(&given);
}

static void check_graph(uint64_t seed, Totals *totals)
{
    static const HyperionMemoryOptimizerConfig configs[] = {
        {.enable_tensor_reuse = false, .memory_speed_tradeoff = 1},
        {.enable_tensor_reuse = true, .memory_speed_tradeoff = 0.5F},
        {.enable_tensor_reuse = true, .enable_in_place_ops = true, .memory_speed_tradeoff = 0},
        {.enable_tensor_reuse = true, .enable_in_place_ops = true, .memory_speed_tradeoff = 1},
    };
    static const HyperionCacheTopology small = {2, {{4096, 64, 4, 1}, {16384, 64, 8, 1}}};
    random_state = seed * 0x9e3779b97f4a7c15U;
    HyperionModel *model = make_graph();
    assert_true(hyperionSetCacheTopology(model, &small));
    check_predictions(model, seed);
    Tensors in = make_tensors(model, INPUTS, hyperionModelInput);
    for (int i = 0; i < in.count; i++) {
        float *values = hyperionTensorData(in.of[i]);
        for (size_t j = 0; j < hyperionTensorElementCount(in.of[i]); j++)
            values[j] = draw_value();
    }
    Tensors expected = make_tensors(model, hyperionModelOutputCount(model), hyperionModelOutput);
    run(model, &in, &expected, seed);
    totals->layers += (uint64_t)hyperionModelLayerCount(model);
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++)
        check_with(model, &configs[i], &in, &expected, seed, totals);
    free_tensors(&in);
    free_tensors(&expected);
    hyperionFreeModel(model);
}

static void random_graphs_give_the_same_bits_with_an_optimizer(void **state)
{
    (void)state;
    Totals totals = {.layers = 0};
    for (long i = 0; i < graph_count; i++)
        check_graph(first_seed + (uint64_t)i, &totals);
    print_message("%ld graphs from seed %llu: %llu layers; %llu results in memory used before, "
                  "%llu in place\n",
                  graph_count, (unsigned long long)first_seed, (unsigned long long)totals.layers,
                  (unsigned long long)totals.reused, (unsigned long long)totals.in_place);
    assert_true(graph_count < 20 || (totals.reused > 0 && totals.in_place > 0));
}

int main(int argc, char **argv)
{
    if (argc > 1)
        graph_count = strtol(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs_give_the_same_bits_with_an_optimizer),
    };
    return cmocka_run_group_tests_name("random_graphs", tests, NULL, NULL);
}
