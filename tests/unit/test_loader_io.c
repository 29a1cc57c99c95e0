// SPDX-License-Identifier: Apache-2.0
// test_loader_io.c - whatever way files are read in, the bytes are the same; what is refused is
// said; and what a loader tells of its reads is true.
#define _GNU_SOURCE
#include "hyperion/hyperion.h"

#include "platform/platform.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/streamed_model.h"

static bool has_uring(void)
{
    HypReadQueue *queue = hyp_platform_open_read_queue(HYP_READ_URING, 1);
    hyp_platform_close_read_queue(queue);
    return queue != NULL;
}

static void expect_streamed_run(Bench *bench, const HyperionLoaderIOConfig *config)
{
    HyperionProgressiveLoader *loader = attach(bench, 2, false, 3 * layer_bytes);
    assert_true(hyperionSetLoaderIO(loader, config));
    assert_true(run(bench));
    expect_result(bench);
    assert_true(run(bench));
    expect_result(bench);
    const HyperionLoaderIO io = hyperionGetLoaderIO(loader);
    const HyperionLoaderIOStats stats = hyperionGetLoaderIOStats(loader);
    assert_true(io.valid && stats.valid);
    assert_int_equal(io.block_bytes, config->block_bytes ? config->block_bytes : 1 << 20);
    assert_int_equal(io.queue_depth, config->queue_depth ? config->queue_depth : 8);
    assert_true(io.mode == config->mode || io.mode_reason[0]);
    assert_true(io.backend == config->backend || io.backend_reason[0]);
    assert_true(stats.read_bytes >= stats.loaded_bytes);
    assert_int_equal(stats.run_count, 2);
    hyperionFreeProgressiveLoader(loader);
}

static void all_ways_to_read_give_the_same_bytes(void **state)
{
    Bench *bench = *state;
    const size_t blocks[] = {0, 4096, 12288, 16384};
    const int depths[] = {0, 1, 3, 40};
    for (int backend = 0; backend < HYPERION_LOADER_BACKEND_COUNT; backend++)
        for (int mode = 0; mode < HYPERION_LOADER_MODE_COUNT; mode++)
            for (int i = 0; i < 16; i++)
                expect_streamed_run(
                    bench, &(HyperionLoaderIOConfig){.backend = (HyperionLoaderBackend)backend,
                                                     .mode = (HyperionLoaderMode)mode,
                                                     .block_bytes = blocks[i % 4],
                                                     .queue_depth = depths[i / 4]});
}

// Weights of an ONNX file stand anywhere.
static void weights_that_are_not_aligned_are_read(void **state)
{
    Bench *bench = *state;
    HyperionModel *model = make_model();
    assert_true(hyperionExportModel(model, bench->path));
    hyperionFreeModel(model);
    hyperionFreeModel(bench->model);
    bench->model = hyperionLoadModel(bench->path);
    assert_non_null(bench->model);
    int unaligned = 0;
    for (int i = 0; i < hyperionModelTensorCount(bench->model); i++)
        unaligned += hyperionModelTensor(bench->model, i).file_offset % 64 != 0;
    assert_true(unaligned > 0);
    for (int mode = 0; mode < HYPERION_LOADER_MODE_COUNT; mode++)
        for (int i = 0; i < 3; i++) {
            const HyperionLoaderIOConfig config = {.mode = (HyperionLoaderMode)mode,
                                                   .block_bytes = (size_t)i * 4096,
                                                   .queue_depth = i};
            HyperionProgressiveLoader *loader = attach(bench, 1, false, 0);
            assert_true(hyperionSetLoaderIO(loader, &config));
            assert_true(run(bench));
            expect_result(bench);
            hyperionFreeProgressiveLoader(loader);
        }
}

static void the_back_end_says_why_it_is_that(void **state)
{
    Bench *bench = *state;
    HyperionProgressiveLoader *loader = attach(bench, 1, false, 0);
    HyperionLoaderIO io = hyperionGetLoaderIO(loader);
    assert_int_equal(io.backend, HYPERION_LOADER_BACKEND_THREADS);
    assert_int_equal(io.mode, HYPERION_LOADER_MODE_BUFFERED);
    assert_true(strncmp(io.backend_reason, "auto", 4) == 0);
    assert_string_equal(io.mode_reason, "");
    assert_true(hyperionSetLoaderIO(
        loader, &(HyperionLoaderIOConfig){.backend = HYPERION_LOADER_BACKEND_URING}));
    io = hyperionGetLoaderIO(loader);
    if (has_uring()) {
        assert_int_equal(io.backend, HYPERION_LOADER_BACKEND_URING);
        assert_string_equal(io.backend_reason, "");
    } else {
        assert_int_equal(io.backend, HYPERION_LOADER_BACKEND_THREADS);
        assert_true(io.backend_reason[0]);
    }
    assert_true(hyperionSetLoaderIO(loader, NULL));
    assert_int_equal(hyperionGetLoaderIO(loader).backend, HYPERION_LOADER_BACKEND_THREADS);
    hyperionFreeProgressiveLoader(loader);
}

// Pages of the file in the page cache.
static size_t cached_pages(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const size_t size_bytes = (size_t)ftell(file);
    unsigned char present[4096];
    const size_t pages = (size_bytes + 4095) / 4096;
    assert_true(pages <= sizeof present);
    void *map = mmap(NULL, size_bytes, PROT_READ, MAP_SHARED, fileno(file), 0);
    assert_true(map != MAP_FAILED && mincore(map, size_bytes, present) == 0);
    size_t count = 0;
    for (size_t i = 0; i < pages; i++)
        count += present[i] & 1;
    assert_int_equal(munmap(map, size_bytes), 0);
    assert_int_equal(fclose(file), 0);
    return count;
}

static void drop_cache(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fdatasync(fileno(file)), 0);
    assert_int_equal(posix_fadvise(fileno(file), 0, 0, POSIX_FADV_DONTNEED), 0);
    assert_int_equal(fclose(file), 0);
}

static void the_page_cache_stays_as_it_was(void **state)
{
    Bench *bench = *state;
    drop_cache(bench->path);
    const size_t before = cached_pages(bench->path);
    if (before > 0) {
        print_message("skipped: files here stay in memory\n");
        skip();
    }
    for (int mode = HYPERION_LOADER_MODE_DIRECT; mode < HYPERION_LOADER_MODE_COUNT; mode++) {
        HyperionProgressiveLoader *loader = attach(bench, 2, false, 3 * layer_bytes);
        assert_true(hyperionSetLoaderIO(
            loader, &(HyperionLoaderIOConfig){.mode = (HyperionLoaderMode)mode}));
        assert_true(run(bench));
        assert_int_equal(cached_pages(bench->path), 0);
        hyperionFreeProgressiveLoader(loader);
    }
    HyperionProgressiveLoader *loader = attach(bench, 2, false, 3 * layer_bytes);
    assert_true(run(bench));
    assert_true(cached_pages(bench->path) >= GEMMS * layer_bytes / 4096);
    hyperionFreeProgressiveLoader(loader);
}

static void values_out_of_range_change_nothing(void **state)
{
    Bench *bench = *state;
    HyperionProgressiveLoader *loader = attach(bench, 1, false, 0);
    const HyperionLoaderIOConfig wrong[] = {
        {.backend = HYPERION_LOADER_BACKEND_COUNT},
        {.mode = HYPERION_LOADER_MODE_COUNT},
        {.block_bytes = 4095},
        {.block_bytes = ((size_t)256 << 20) + 4096},
        {.queue_depth = -1},
        {.queue_depth = 257},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(hyperionSetLoaderIO(loader, &wrong[i]));
        assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
        assert_int_equal(hyperionGetLoaderIO(loader).queue_depth, 8);
    }
    assert_false(hyperionSetLoaderIO(NULL, NULL));
    assert_false(hyperionGetLoaderIO(NULL).valid);
    assert_string_equal(hyperionLoaderBackendName(HYPERION_LOADER_BACKEND_URING), "uring");
    assert_null(hyperionLoaderBackendName(HYPERION_LOADER_BACKEND_COUNT));
    assert_string_equal(hyperionLoaderModeName(HYPERION_LOADER_MODE_DONTNEED), "dontneed");
    assert_null(hyperionLoaderModeName((HyperionLoaderMode)-1));
    hyperionFreeProgressiveLoader(loader);
}

typedef struct Told {
    int calls, ends;
    bool is_wrong;
    HyperionLoaderProgress last;
} Told;

static void listen(void *user_data, const HyperionLoaderProgress *progress)
{
    Told *told = user_data;
    told->is_wrong |= progress->done_bytes > progress->layer_bytes ||
                      progress->layer_bytes != WIDTH * WIDTH * sizeof(float) ||
                      progress->loaded_bytes < progress->done_bytes;
    told->calls++;
    told->ends += progress->done_bytes == progress->layer_bytes;
    told->last = *progress;
}

static void progress_is_told_block_by_block(void **state)
{
    Bench *bench = *state;
    Told told = {0};
    HyperionProgressiveLoader *loader = attach(bench, 1, false, 0);
    assert_true(hyperionSetLoaderIO(loader, &(HyperionLoaderIOConfig){.block_bytes = 4096}));
    hyperionSetLoaderProgress(loader, listen, &told);
    assert_true(run(bench));
    hyperionSetLoaderProgress(loader, NULL, NULL);
    assert_false(told.is_wrong);
    assert_int_equal(told.calls, GEMMS * 9);
    assert_int_equal(told.ends, GEMMS);
    assert_int_equal(told.last.loaded_bytes, GEMMS * layer_bytes);
    assert_true(hyperionUnloadLayer(loader, 0) && hyperionLoadLayer(loader, 0));
    assert_int_equal(told.ends, GEMMS);
    hyperionSetLoaderProgress(NULL, listen, &told);
    hyperionFreeProgressiveLoader(loader);
}

static void times_of_layers_follow_one_another(void **state)
{
    Bench *bench = *state;
    HyperionProgressiveLoader *loader = attach(bench, 2, false, 0);
    HyperionLoaderLayerTimes times = hyperionGetLoaderLayerTimes(loader, 0);
    assert_true(times.valid && times.load_end_ns == 0 && times.compute_end_ns == 0);
    assert_int_equal(times.size_bytes, layer_bytes);
    assert_true(run(bench));
    uint64_t loaded_ns = 0;
    uint64_t computed_ns = 0;
    for (int i = 0; i < LAYERS; i += 2) {
        times = hyperionGetLoaderLayerTimes(loader, i);
        assert_true(times.valid);
        assert_int_equal(times.load_count, 1);
        assert_true(times.load_start_ns >= loaded_ns && times.load_end_ns > times.load_start_ns);
        assert_true(times.compute_start_ns >= computed_ns &&
                    times.compute_start_ns >= times.load_end_ns &&
                    times.compute_end_ns > times.compute_start_ns);
        loaded_ns = times.load_end_ns;
        computed_ns = times.compute_end_ns;
    }
    assert_int_equal(hyperionGetLoaderLayerTimes(loader, 1).size_bytes, 0);
    assert_false(hyperionGetLoaderLayerTimes(loader, LAYERS).valid);
    assert_false(hyperionGetLoaderLayerTimes(NULL, 0).valid);
    hyperionFreeProgressiveLoader(loader);
}

static void the_window_is_told_over_time(void **state)
{
    Bench *bench = *state;
    HyperionLoaderWindowChange changes[8];
    HyperionProgressiveLoader *loader = attach(bench, 3, false, 0);
    assert_int_equal(hyperionGetLoaderWindows(loader, changes, 8), 0);
    assert_true(run(bench) && run(bench));
    assert_int_equal(hyperionGetLoaderWindows(loader, changes, 8), 1);
    assert_true(changes[0].run == 1 && changes[0].window == 3 && changes[0].start_ns > 0);
    assert_int_equal(hyperionGetLoaderWindows(loader, NULL, 0), 1);
    assert_true(hyperionGetLoaderWindows(NULL, changes, 8) == SIZE_MAX);
    hyperionFreeProgressiveLoader(loader);
}

static void *change_io(void *opaque)
{
    for (int i = 0; i < 100; i++) {
        const HyperionLoaderIOConfig config = {
            .backend = (HyperionLoaderBackend)(i % HYPERION_LOADER_BACKEND_COUNT),
            .mode = (HyperionLoaderMode)(i % 5 % HYPERION_LOADER_MODE_COUNT),
            .block_bytes = 4096,
            .queue_depth = 1 + i % 4};
        if (!hyperionSetLoaderIO(opaque, &config) || !hyperionGetLoaderIO(opaque).valid)
            return opaque;
    }
    return NULL;
}

static void ways_to_read_may_change_while_the_model_runs(void **state)
{
    Bench *bench = *state;
    HyperionProgressiveLoader *loader = attach(bench, 2, true, 3 * layer_bytes);
    pthread_t threads[2];
    void *failed[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, change_io, loader), 0);
    for (int i = 0; i < 50; i++) {
        assert_true(run(bench));
        expect_result(bench);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], &failed[i]), 0);
        assert_null(failed[i]);
    }
    hyperionFreeProgressiveLoader(loader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_ways_to_read_give_the_same_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(weights_that_are_not_aligned_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(the_back_end_says_why_it_is_that, setup, teardown),
        cmocka_unit_test_setup_teardown(the_page_cache_stays_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(values_out_of_range_change_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(progress_is_told_block_by_block, setup, teardown),
        cmocka_unit_test_setup_teardown(times_of_layers_follow_one_another, setup, teardown),
        cmocka_unit_test_setup_teardown(the_window_is_told_over_time, setup, teardown),
        cmocka_unit_test_setup_teardown(ways_to_read_may_change_while_the_model_runs, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
