// SPDX-License-Identifier: Apache-2.0
// test_model_predictions.c - cache statistics of networks: the closed form against replay, and what
// both take from the plan of the next run.
#include "hyperion/hyperion.h"
#include "hyperion/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const HyperionCacheTopology zen5 = {2, {{49152, 64, 12, 1}, {1048576, 64, 16, 1}}};

static HyperionCacheStats replay(HyperionModel *model)
{
    const HyperionPredictionConfig config = {.tier = HYPERION_CACHE_TIER_REPLAY};
    assert_true(hyperionConfigureCachePrediction(model, &config));
    return hyperionGetCacheStats(model);
}

static void assert_near(uint64_t predicted, uint64_t replayed, double share)
{
    const double error = ((double)predicted - (double)replayed) / (double)replayed;
    if (error < -share || error > share)
        fail_msg("predicted %llu, replayed %llu", (unsigned long long)predicted,
                 (unsigned long long)replayed);
}

static void predict_closed_form(HyperionModel *model, bool warm)
{
    const HyperionPredictionConfig config = {.warm = warm};
    assert_true(hyperionConfigureCachePrediction(model, &config));
}

// Closed form against replay of what the model would run now.
static void assert_formulas_near(HyperionModel *model, double first_share, double second_share)
{
    predict_closed_form(model, false);
    const HyperionCacheStats formula = hyperionGetCacheStats(model);
    const HyperionCacheStats replayed = replay(model);
    assert_true(formula.valid && replayed.valid);
    assert_int_equal(formula.layers_modelled, formula.layers_total);
    assert_near(formula.levels[0].fills, replayed.levels[0].fills, first_share);
    assert_near(formula.levels[1].fills, replayed.levels[1].fills, second_share);
}

static const char *const small_networks[] = {"builtin:cnn", "builtin:transformer"};
enum { SMALL_NETWORKS = sizeof small_networks / sizeof small_networks[0] };

// Networks of which most fits L2: without what one layer leaves to the next, they are off by the
// double.
static void formulas_know_what_layers_leave(void **state)
{
    (void)state;
    for (size_t i = 0; i < SMALL_NETWORKS; i++) {
        HyperionModel *model = hyperionLoadModel(small_networks[i]);
        assert_non_null(model);
        assert_true(hyperionSetCacheTopology(model, &zen5));
        assert_formulas_near(model, 0.02, 0.05);
        predict_closed_form(model, false);
        const uint64_t written_bytes = hyperionGetCacheStats(model).memory_write_bytes;
        assert_near(written_bytes, replay(model).memory_write_bytes, 0.2);
        assert_true(hyperionOptimizeMemoryLayout(model));
        assert_formulas_near(model, 0.05, 0.05);
        hyperionFreeModel(model);
    }
}

// Memory that is used again is still in the caches; layers in bands find what those before made.
static void predictions_follow_the_plan(void **state)
{
    (void)state;
    for (size_t i = 0; i < SMALL_NETWORKS; i++) {
        HyperionModel *model = hyperionLoadModel(small_networks[i]);
        const HyperionMemoryOptimizerConfig config = {
            .memory_speed_tradeoff = 0, .enable_tensor_reuse = true, .enable_in_place_ops = true};
        HyperionMemoryOptimizer *optimizer = hyperionCreateMemoryOptimizer(&config);
        assert_true(model && optimizer);
        assert_true(hyperionSetCacheTopology(model, &zen5));
        const uint64_t apart = replay(model).levels[1].fills;
        assert_true(hyperionOptimizeMemoryUsage(optimizer, model, 0));
        assert_true(hyperionGetMemoryPlan(optimizer).banded_layer_count > 0);
        assert_true(replay(model).levels[1].fills * 3 < apart * 2);
        assert_formulas_near(model, 0.1, 0.05);
        hyperionFreeMemoryOptimizer(optimizer);
        hyperionFreeModel(model);
    }
}

// Layers that run twice, results that move, weights that are not there yet.
static void predictions_follow_a_scheduler_and_a_loader(void **state)
{
    (void)state;
    HyperionModel *model = hyperionLoadModel("builtin:cnn");
    assert_non_null(model);
    assert_true(hyperionSetCacheTopology(model, &zen5));
    const uint64_t plain = replay(model).levels[0].accesses;
    const HyperionLayerSchedulerConfig least = {
        .enable_checkpointing = true, .memory_speed_tradeoff = 0, .recompute_activations = true};
    HyperionLayerScheduler *scheduler = hyperionCreateLayerScheduler(model, &least);
    assert_non_null(scheduler);
    assert_true(replay(model).levels[0].accesses >= plain);
    assert_formulas_near(model, 0.05, 0.1);
    const HyperionProgressiveLoaderConfig streaming = {.enable_prefetch = true,
                                                       .prefetch_window = 2};
    HyperionProgressiveLoader *loader = hyperionCreateProgressiveLoader(&streaming);
    assert_true(loader && hyperionAttachModel(loader, model));
    assert_formulas_near(model, 0.05, 0.1);
    hyperionFreeProgressiveLoader(loader);
    hyperionFreeLayerScheduler(scheduler);
    hyperionFreeModel(model);
}

// A plan that a run has made is the one that is predicted, and predicting changes nothing of it.
static void predictions_are_the_same_after_a_run(void **state)
{
    (void)state;
    HyperionModel *model = hyperionLoadModel("builtin:mlp:input=96,hidden=160,output=24,batch=16");
    assert_non_null(model);
    assert_true(hyperionSetCacheTopology(model, &zen5));
    const HyperionCacheStats before = hyperionGetCacheStats(model);
    HyperionTensor *in = hyperionCreateTensor(HYPERION_TYPE_F32, 2, (const int64_t[]){16, 96});
    HyperionTensor *out = hyperionCreateTensor(HYPERION_TYPE_F32, 2, (const int64_t[]){16, 24});
    assert_true(hyperionRunModel(model, &in, &out));
    const HyperionCacheStats after = hyperionGetCacheStats(model);
    assert_int_equal(after.levels[0].fills, before.levels[0].fills);
    assert_int_equal(after.levels[1].fills, before.levels[1].fills);
    assert_true(hyperionRunModel(model, &in, &out));
    hyperionFreeTensor(in);
    hyperionFreeTensor(out);
    hyperionFreeModel(model);
}

// A network that fits L2 with all it needs finds everything there.
static void warm_formulas_know_what_a_pass_leaves(void **state)
{
    (void)state;
    HyperionModel *model =
        hyperionLoadModel("builtin:mlp:input=96,hidden=160,output=24,layers=2,batch=16");
    assert_non_null(model);
    assert_true(hyperionSetCacheTopology(model, &zen5));
    const HyperionCacheStats cold = hyperionGetCacheStats(model);
    predict_closed_form(model, true);
    const HyperionCacheStats warm = hyperionGetCacheStats(model);
    assert_int_equal(warm.levels[0].accesses, cold.levels[0].accesses);
    assert_true(cold.levels[1].fills > 1000);
    assert_int_equal(warm.levels[1].fills, 0);
    hyperionFreeModel(model);
}

// Of a table of words no more is read than there are words.
static void lookups_read_what_they_take(void **state)
{
    (void)state;
    HyperionModel *model = hyperionCreateModel("lookup");
    assert_non_null(model);
    const int table =
        hyperionAddInput(model, "table", HYPERION_TYPE_F32, 2, (const int64_t[]){4096, 64});
    const int words = hyperionAddInput(model, "words", HYPERION_TYPE_I64, 1, (const int64_t[]){32});
    assert_true(table >= 0 && words >= 0);
    HyperionLayerAttributes rows = {.axis = 0};
    assert_true(hyperionAddLayer(model, "lookup", HYPERION_LAYER_GATHER, &rows,
                                 (const int[]){table, words}, 2) >= 0);
    assert_true(hyperionSetCacheTopology(model, &zen5));
    const uint64_t taken = 2 * 32 * 64 / 16 + 32 * 8 / 64; // read and written; the words
    assert_near(hyperionGetCacheStats(model).levels[0].fills, taken, 0.05);
    assert_near(replay(model).levels[0].fills, taken, 0.05);
    hyperionFreeModel(model);
}

// Two halves, side by side: what is left of them in the caches is found, and no more.
static void slices_read_their_part(void **state)
{
    (void)state;
    HyperionModel *model = hyperionCreateModel("halves");
    assert_non_null(model);
    const int in = hyperionAddInput(model, "in", HYPERION_TYPE_F32, 2, (const int64_t[]){64, 256});
    assert_true(in >= 0);
    for (int64_t half = 0; half < 2; half++) {
        const HyperionLayerAttributes rows = {
            .rank = 2, .dims = {32, 256}, .starts = {32 * half, 0}};
        assert_true(hyperionAddLayer(model, half ? "second" : "first", HYPERION_LAYER_SLICE, &rows,
                                     &in, 1) >= 0);
    }
    assert_true(hyperionSetCacheTopology(model, &zen5));
    const uint64_t lines = 2 * 64 * 256 / 16; // each read and written
    assert_near(hyperionGetCacheStats(model).levels[1].fills, lines, 0.01);
    assert_near(replay(model).levels[1].fills, lines, 0.01);
    hyperionFreeModel(model);
}

static void replay_tells_the_layers_of_a_pass(void **state)
{
    (void)state;
    static const char *const names[] = {
        "builtin:mlp:input=96,hidden=160,output=24,layers=2,batch=16",
        "builtin:transformer:seq=24,hidden=64,heads=2,layers=1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        HyperionModel *model = hyperionLoadModel(names[i]);
        assert_non_null(model);
        assert_true(hyperionSetCacheTopology(model, &zen5));
        const HyperionCacheStats formula = hyperionGetCacheStats(model);
        HyperionPredictionConfig config = {.tier = HYPERION_CACHE_TIER_REPLAY};
        assert_true(hyperionConfigureCachePrediction(model, &config));
        assert_int_equal(hyperionGetCachePrediction(model).tier, HYPERION_CACHE_TIER_REPLAY);
        const HyperionCacheStats cold = hyperionGetCacheStats(model);
        assert_true(cold.valid);
        assert_int_equal(cold.tier, HYPERION_CACHE_TIER_REPLAY);
        assert_int_equal(cold.layers_modelled, cold.layers_total);
        assert_true(cold.levels[1].misses > 0);
        // Layers find in L2 what those before left there, in formulas they begin cold.
        assert_true(cold.levels[1].misses <= formula.levels[1].misses);
        config.warm = true;
        assert_true(hyperionConfigureCachePrediction(model, &config));
        assert_true(hyperionGetCacheStats(model).levels[1].misses < cold.levels[1].misses);
        assert_true(hyperionSetThreadCount(model, 2));
        assert_int_equal(hyperionGetCacheStats(model).levels[0].instances, 2);
        hyperionFreeModel(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_know_what_layers_leave),
        cmocka_unit_test(predictions_follow_the_plan),
        cmocka_unit_test(predictions_follow_a_scheduler_and_a_loader),
        cmocka_unit_test(predictions_are_the_same_after_a_run),
        cmocka_unit_test(warm_formulas_know_what_a_pass_leaves),
        cmocka_unit_test(lookups_read_what_they_take),
        cmocka_unit_test(slices_read_their_part),
        cmocka_unit_test(replay_tells_the_layers_of_a_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
