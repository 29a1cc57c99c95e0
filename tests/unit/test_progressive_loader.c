// SPDX-License-Identifier: Apache-2.0
// test_progressive_loader.c - models that are streamed within a cap give the same results as in
// memory, and what goes wrong is said and stays with its layer.
#define _POSIX_C_SOURCE 200809L

#include "hyperion/hyperion.h"
#include "hyperion/planners.h"

#include "common/checksum.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/streamed_model.h"

static void streamed_runs_equal_those_in_memory(void **state)
{
    Bench *bench = *state;
    for (size_t room = 0; room <= 4; room++)
        for (int window = 0; window <= 4; window++) {
            const size_t cap = room * layer_bytes;
            HyperionProgressiveLoader *loader = attach(bench, window, window == 3, cap);
            for (int pass = 0; pass < 4; pass++) {
                assert_true(run(bench));
                expect_result(bench);
            }
            const HyperionMemoryStats stats = hyperionGetProgressiveLoaderStats(loader);
            const HyperionLoaderIOStats io = hyperionGetLoaderIOStats(loader);
            assert_true(stats.valid && io.valid);
            assert_int_equal(stats.naive_bytes, GEMMS * layer_bytes);
            assert_int_equal(stats.lower_bound_bytes, layer_bytes);
            assert_true(stats.peak_bytes <= (cap ? cap : stats.naive_bytes));
            assert_int_equal(io.hit_count + io.prefetched_count + io.wait_count, 4 * GEMMS);
            assert_int_equal(io.loaded_bytes, io.load_count * layer_bytes);
            assert_true(io.window <= window);
            hyperionFreeProgressiveLoader(loader);
        }
    assert_true(run(bench));
    expect_result(bench);
}

static void repeated_passes_reach_beladys_hits(void **state)
{
    Bench *bench = *state;
    for (size_t room = 1; room <= GEMMS; room++) {
        HyperionProgressiveLoader *loader = attach(bench, 0, false, room * layer_bytes);
        for (int pass = 0; pass < 5; pass++)
            assert_true(run(bench));
        const HyperionLoaderIOStats io = hyperionGetLoaderIOStats(loader);
        assert_int_equal(io.hit_count, hyperionCountCyclicHits(GEMMS, room, 5));
        assert_int_equal(io.prefetched_count, 0);
        hyperionFreeProgressiveLoader(loader);
    }
}

static void layers_come_and_go_by_calls(void **state)
{
    Bench *bench = *state;
    HyperionProgressiveLoader *loader = attach(bench, 2, true, 2 * layer_bytes);
    assert_int_equal(hyperionGetLayerStatus(loader, 0), HYPERION_LAYER_STATUS_UNLOADED);
    assert_int_equal(hyperionGetLayerStatus(loader, 1), HYPERION_LAYER_STATUS_LOADED);
    assert_true(hyperionLoadLayer(loader, 0));
    assert_true(hyperionLoadLayer(loader, 0));
    assert_true(hyperionLoadLayer(loader, 1));
    assert_int_equal(hyperionGetLayerStatus(loader, 0), HYPERION_LAYER_STATUS_LOADED);
    assert_true(hyperionUnloadLayer(loader, 0));
    assert_true(hyperionUnloadLayer(loader, 0));
    assert_int_equal(hyperionGetLayerStatus(loader, 0), HYPERION_LAYER_STATUS_UNLOADED);
    assert_int_equal(hyperionGetProgressiveLoaderStats(loader).current_bytes, layer_bytes);
    assert_true(hyperionLoadLayer(loader, 2) && hyperionLoadLayer(loader, 4));
    assert_true(hyperionUnloadLayer(loader, 2) && hyperionUnloadLayer(loader, 4));
    const HyperionMemoryStats stats = hyperionGetProgressiveLoaderStats(loader);
    assert_int_equal(stats.current_bytes, layer_bytes); // of the two
    assert_int_equal(stats.allocation_count, 3);
    assert_int_equal(stats.reuse_count, 1);
    hyperionFreeProgressiveLoader(loader);
}

static void priorities_decide_who_goes_and_pins_hold(void **state)
{
    Bench *bench = *state;
    HyperionProgressiveLoader *loader = attach(bench, 1, false, 2 * layer_bytes);
    hyperionSetLayerPriority(loader, 8, 5);
    assert_true(hyperionLoadLayer(loader, 0) && hyperionLoadLayer(loader, 8));
    assert_true(hyperionLoadLayer(loader, 4));
    assert_int_equal(hyperionGetLayerStatus(loader, 8), HYPERION_LAYER_STATUS_LOADED);
    assert_int_equal(hyperionGetLayerStatus(loader, 0), HYPERION_LAYER_STATUS_UNLOADED);
    hyperionSetLayerPriority(loader, 8, INT_MAX);
    hyperionSetLayerPriority(loader, 4, INT_MAX);
    assert_false(hyperionLoadLayer(loader, 0));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_MEMORY);
    assert_non_null(strstr(hyperionGetLastError(), "gemm0"));
    assert_non_null(strstr(hyperionGetLastError(), "pinned"));
    assert_true(run(bench)); // which could not go on
    expect_result(bench);
    hyperionFreeProgressiveLoader(loader);
}

static void a_pinned_layer_stays_through_runs(void **state)
{
    Bench *bench = *state;
    HyperionProgressiveLoader *loader = attach(bench, 1, false, 3 * layer_bytes);
    hyperionSetLayerPriority(loader, 2, INT_MAX);
    assert_true(hyperionLoadLayer(loader, 2));
    for (int pass = 0; pass < 3; pass++) {
        assert_true(run(bench));
        assert_int_equal(hyperionGetLayerStatus(loader, 2), HYPERION_LAYER_STATUS_LOADED);
    }
    hyperionFreeProgressiveLoader(loader);
}

// Products that are packed once for all runs are packed once for each load.
static void weights_are_packed_when_they_are_loaded(void **state)
{
    Bench *bench = *state;
    assert_true(hyperionOptimizeMemoryLayout(bench->model));
    assert_true(run(bench));
    memcpy(bench->expected, bench->out, sizeof bench->out);
    HyperionProgressiveLoader *loader = attach(bench, 2, false, 4 * layer_bytes);
    assert_int_equal(hyperionModelPackedBytes(bench->model), 0);
    for (int pass = 0; pass < 3; pass++) {
        assert_true(run(bench));
        expect_result(bench);
    }
    // What is read and what is packed of it are there at a time, the one is let go then.
    const HyperionMemoryStats stats = hyperionGetProgressiveLoaderStats(loader);
    assert_true(stats.peak_bytes <= 4 * layer_bytes);
    assert_true(stats.lower_bound_bytes >= 2 * layer_bytes);
    assert_true(stats.naive_bytes < 2 * GEMMS * layer_bytes);
    // A run without is one with other blocks of memory, and back.
    assert_true(hyperionResetMemoryLayout(bench->model));
    assert_true(run(bench));
    expect_result(bench);
    assert_int_equal(hyperionGetProgressiveLoaderStats(loader).lower_bound_bytes, layer_bytes);
    assert_true(hyperionOptimizeMemoryLayout(bench->model));
    assert_int_equal(hyperionModelPackedBytes(bench->model), 0);
    assert_true(run(bench));
    expect_result(bench);
    hyperionFreeProgressiveLoader(loader);
    assert_true(run(bench));
    expect_result(bench);
    assert_true(hyperionModelPackedBytes(bench->model) > 0);
}

static void the_optimizer_has_them_packed_within_the_cap(void **state)
{
    Bench *bench = *state;
    const size_t cap = 5 * layer_bytes;
    HyperionProgressiveLoader *loader = attach(bench, 2, false, cap);
    const HyperionMemoryOptimizerConfig config = {.enable_tensor_reuse = true};
    HyperionMemoryOptimizer *optimizer = hyperionCreateMemoryOptimizer(&config);
    assert_non_null(optimizer);
    assert_true(hyperionOptimizeMemoryUsage(optimizer, bench->model, 0));
    for (int i = 0; i <= 4; i++) {
        hyperionSetMemorySpeedTradeoff(optimizer, (float)i / 4);
        assert_true(run(bench));
        expect_result(bench);
        const HyperionMemoryPlan plan = hyperionGetMemoryPlan(optimizer);
        assert_true(plan.valid && plan.weight_bytes == 0 && plan.packed_bytes == 0);
        assert_int_equal(hyperionModelPackedBytes(bench->model), 0);
        assert_true(hyperionGetProgressiveLoaderStats(loader).peak_bytes <= cap);
    }
    hyperionFreeMemoryOptimizer(optimizer);
    assert_true(run(bench));
    expect_result(bench);
    hyperionFreeProgressiveLoader(loader);
}

static void a_layer_that_does_not_fit_packed_stays_as_it_is(void **state)
{
    Bench *bench = *state;
    assert_true(hyperionOptimizeMemoryLayout(bench->model));
    HyperionProgressiveLoader *loader = attach(bench, 1, false, layer_bytes);
    assert_true(run(bench));
    expect_result(bench);
    assert_int_equal(hyperionGetProgressiveLoaderStats(loader).peak_bytes, layer_bytes);
    hyperionFreeProgressiveLoader(loader);
}

static void change_byte(const char *path, int64_t offset)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)offset, SEEK_SET), 0);
    const int byte = fgetc(file);
    assert_int_equal(fseek(file, (long)offset, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 1, file), byte ^ 1);
    assert_int_equal(fclose(file), 0);
}

// A byte of the third product's weight, damaged before the model was opened.
static void damage_is_named_with_its_layer(void **state)
{
    Bench *bench = *state;
    if (!hyp_checksum_exists()) {
        print_message("skipped: built without checksums\n");
        skip();
    }
    const HyperionTensorInfo weight =
        hyperionModelTensor(bench->model, hyperionModelLayerInput(bench->model, 4, 1));
    hyperionFreeModel(bench->model);
    change_byte(bench->path, (int64_t)weight.file_offset + 100);
    bench->model = hyperionLoadModel(bench->path);
    assert_non_null(bench->model);
    HyperionProgressiveLoader *loader = attach(bench, 2, false, 4 * layer_bytes);
    assert_false(run(bench));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_FORMAT);
    assert_non_null(strstr(hyperionGetLastError(), "layer 4, gemm2"));
    assert_int_equal(hyperionGetLayerStatus(loader, 4), HYPERION_LAYER_STATUS_FAILED);
    assert_false(hyperionLoadLayer(loader, 4));
    for (int i = 0; i < LAYERS; i++)
        assert_true(i == 4 || hyperionLoadLayer(loader, i));
    hyperionFreeProgressiveLoader(loader);
}

static void a_file_that_shrinks_fails_the_layers_it_lost(void **state)
{
    Bench *bench = *state;
    HyperionProgressiveLoader *loader = attach(bench, 2, false, 2 * layer_bytes);
    assert_true(run(bench));
    assert_int_equal(truncate(bench->path, 5000), 0);
    assert_false(run(bench));
    assert_non_null(strstr(hyperionGetLastError(), "gemm"));
    assert_false(run(bench));
    hyperionFreeProgressiveLoader(loader);
}

static void wrong_calls_are_refused(void **state)
{
    Bench *bench = *state;
    const HyperionProgressiveLoaderConfig negative = {.prefetch_window = -1};
    const HyperionProgressiveLoaderConfig tight = {.max_memory_usage = layer_bytes - 1};
    assert_null(hyperionCreateProgressiveLoader(NULL));
    assert_null(hyperionCreateProgressiveLoader(&negative));
    HyperionProgressiveLoader *loader = hyperionCreateProgressiveLoader(&tight);
    assert_false(hyperionLoadLayer(loader, 0));
    assert_non_null(strstr(hyperionGetLastError(), "hyperionAttachModel"));
    assert_false(hyperionUnloadLayer(loader, 0));
    assert_int_equal(hyperionGetLayerStatus(loader, 0), HYPERION_LAYER_STATUS_INVALID);
    assert_false(hyperionAttachModel(loader, NULL));
    assert_false(hyperionAttachModel(NULL, bench->model));
    assert_false(hyperionAttachModel(loader, bench->model));
    assert_non_null(strstr(hyperionGetLastError(), "gemm0"));
    hyperionFreeProgressiveLoader(loader);
    loader = attach(bench, 1, false, 0);
    assert_false(hyperionAttachModel(loader, bench->model));
    assert_false(hyperionLoadLayer(loader, LAYERS));
    assert_false(hyperionLoadLayer(loader, -1));
    assert_false(hyperionLoadLayer(NULL, 0));
    assert_false(hyperionUnloadLayer(NULL, 0));
    hyperionSetLayerPriority(NULL, 0, 0);
    assert_false(hyperionGetProgressiveLoaderStats(NULL).valid);
    assert_false(hyperionGetLoaderIOStats(NULL).valid);
    hyperionFreeProgressiveLoader(NULL);
    hyperionFreeProgressiveLoader(loader);
}

static void a_model_that_is_freed_detaches(void **state)
{
    Bench *bench = *state;
    HyperionProgressiveLoader *loader = attach(bench, 2, true, 3 * layer_bytes);
    assert_true(run(bench));
    hyperionFreeModel(bench->model);
    bench->model = NULL;
    assert_int_equal(hyperionGetLayerStatus(loader, 0), HYPERION_LAYER_STATUS_INVALID);
    assert_int_equal(hyperionGetProgressiveLoaderStats(loader).current_bytes, 0);
    hyperionFreeProgressiveLoader(loader);
}

static void built_in_weights_are_generated_within_the_cap(void **state)
{
    (void)state;
    HyperionModel *model = hyperionLoadModel("builtin:squeezenet");
    if (!model) {
        print_message("skipped: %s\n", hyperionGetLastError());
        skip();
    }
    const HyperionProgressiveLoaderConfig config = {
        .enable_prefetch = true, .prefetch_window = 2, .max_memory_usage = (size_t)4 << 20};
    HyperionProgressiveLoader *loader = hyperionCreateProgressiveLoader(&config);
    assert_true(hyperionAttachModel(loader, model));
    for (int i = 0; i < hyperionModelLayerCount(model); i++)
        assert_true(hyperionLoadLayer(loader, i));
    assert_true(hyperionGetProgressiveLoaderStats(loader).peak_bytes <= (size_t)4 << 20);
    hyperionFreeProgressiveLoader(loader);
    hyperionFreeModel(model);
}

typedef struct Caller {
    HyperionProgressiveLoader *loader;
    unsigned seed;
    int calls;
} Caller;

static void *call_at_random(void *opaque)
{
    Caller *caller = opaque;
    for (int i = 0; i < caller->calls; i++) {
        caller->seed = caller->seed * 1664525U + 1013904223U;
        const int layer = (int)(caller->seed >> 16) % LAYERS;
        switch (caller->seed >> 8 & 3) {
        case 0:
            (void)hyperionLoadLayer(caller->loader, layer); // pinned layers may leave no room
            break;
        case 1:
            (void)hyperionUnloadLayer(caller->loader, layer); // may be in use
            break;
        case 2:
            hyperionSetLayerPriority(caller->loader, layer, caller->seed & 64 ? INT_MAX : 0);
            break;
        default: (void)hyperionGetLayerStatus(caller->loader, layer);
        }
    }
    return NULL;
}

static void threads_may_call_while_the_model_runs(void **state)
{
    enum { CALLERS = 3, CALLS = 2000 };
    const size_t cap = 4 * layer_bytes;
    Bench *bench = *state;
    HyperionProgressiveLoader *loader = attach(bench, 2, true, cap);
    pthread_t threads[CALLERS];
    Caller callers[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (Caller){.loader = loader, .seed = (unsigned)i + 1, .calls = CALLS};
        assert_int_equal(pthread_create(&threads[i], NULL, call_at_random, &callers[i]), 0);
    }
    for (int pass = 0; pass < 100; pass++) {
        assert_true(run(bench));
        expect_result(bench);
    }
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(hyperionGetProgressiveLoaderStats(loader).peak_bytes <= cap);
    hyperionFreeProgressiveLoader(loader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(streamed_runs_equal_those_in_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(repeated_passes_reach_beladys_hits, setup, teardown),
        cmocka_unit_test_setup_teardown(layers_come_and_go_by_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(priorities_decide_who_goes_and_pins_hold, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pinned_layer_stays_through_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(weights_are_packed_when_they_are_loaded, setup, teardown),
        cmocka_unit_test_setup_teardown(the_optimizer_has_them_packed_within_the_cap, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_layer_that_does_not_fit_packed_stays_as_it_is, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(damage_is_named_with_its_layer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_shrinks_fails_the_layers_it_lost, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(wrong_calls_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_model_that_is_freed_detaches, setup, teardown),
        cmocka_unit_test(built_in_weights_are_generated_within_the_cap),
        cmocka_unit_test_setup_teardown(threads_may_call_while_the_model_runs, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
