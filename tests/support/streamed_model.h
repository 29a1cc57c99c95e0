// SPDX-License-Identifier: Apache-2.0
// streamed_model.h - a small model in a streaming file, its inputs and its results without a
// loader, shared by the tests of the progressive loader. Include it behind cmocka.h; the test
// program defines _POSIX_C_SOURCE.
#ifndef HYP_STREAMED_MODEL_H
#define HYP_STREAMED_MODEL_H

#include "hyperion/hyperion.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 96, GEMMS = 10, ROWS = 6, LAYERS = 2 * GEMMS };

static const size_t layer_bytes = 36864; // nine pages

typedef struct Bench {
    char path[64];
    HyperionModel *model; // loaded from path
    HyperionTensor *x, *y;
    float in[ROWS * WIDTH], out[ROWS * WIDTH], expected[ROWS * WIDTH];
} Bench;

// Ten products, each with an activation behind it, that share no weights.
static inline HyperionModel *make_model(void)
{
    static float values[WIDTH * WIDTH];
    const int64_t dims[2] = {WIDTH, WIDTH};
    const HyperionLayerAttributes tanh = {.activation = HYPERION_ACTIVATION_TANH};
    HyperionModel *model = hyperionCreateModel("streamed");
    int at = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 2, (int64_t[]){ROWS, WIDTH});
    for (int i = 0; i < GEMMS; i++) {
        char name[16];
        for (int j = 0; j < WIDTH * WIDTH; j++)
            values[j] = (float)((j * 7 + i * 13) % 31 - 15) / 64.0F;
        (void)snprintf(name, sizeof name, "w%d", i);
        const int weight = hyperionAddWeight(model, name, HYPERION_TYPE_F32, 2, dims, values);
        (void)snprintf(name, sizeof name, "gemm%d", i);
        at = hyperionAddLayer(model, name, HYPERION_LAYER_GEMM, NULL, (int[]){at, weight}, 2);
        (void)snprintf(name, sizeof name, "tanh%d", i);
        at = hyperionAddLayer(model, name, HYPERION_LAYER_ACTIVATION, &tanh, &at, 1);
    }
    assert_true(at >= 0 && hyperionAddOutput(model, at));
    return model;
}

static inline void make_path(char *path, size_t size_bytes)
{
    (void)snprintf(path, size_bytes, "/tmp/hyperion-loader-XXXXXX");
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0 && close(descriptor) == 0);
}

static inline bool run(Bench *bench)
{
    memset(bench->out, 0xff, sizeof bench->out);
    return hyperionRunModel(bench->model, &bench->x, &bench->y);
}

static inline void expect_result(const Bench *bench)
{
    assert_memory_equal(bench->out, bench->expected, sizeof bench->out);
}

static inline int setup(void **state)
{
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    const int64_t dims[2] = {ROWS, WIDTH};
    make_path(bench->path, sizeof bench->path);
    HyperionModel *model = make_model();
    assert_true(hyperionSaveModel(model, bench->path));
    hyperionFreeModel(model);
    bench->model = hyperionLoadModel(bench->path);
    assert_non_null(bench->model);
    assert_int_equal(hyperionModelLayerCount(bench->model), LAYERS);
    for (int i = 0; i < ROWS * WIDTH; i++)
        bench->in[i] = (float)(i % 17 - 8) / 8.0F;
    bench->x = hyperionWrapTensor(HYPERION_TYPE_F32, 2, dims, bench->in);
    bench->y = hyperionWrapTensor(HYPERION_TYPE_F32, 2, dims, bench->out);
    assert_true(run(bench));
    memcpy(bench->expected, bench->out, sizeof bench->out);
    *state = bench;
    return 0;
}

static inline int teardown(void **state)
{
    Bench *bench = *state;
    hyperionFreeModel(bench->model);
    hyperionFreeTensor(bench->x);
    hyperionFreeTensor(bench->y);
    (void)unlink(bench->path);
    free(bench);
    return 0;
}

static inline HyperionProgressiveLoader *attach(Bench *bench, int window, bool adaptive, size_t cap)
{
    const HyperionProgressiveLoaderConfig config = {.enable_prefetch = window > 0,
                                                    .prefetch_window = window,
                                                    .enable_adaptive_window = adaptive,
                                                    .max_memory_usage = cap};
    HyperionProgressiveLoader *loader = hyperionCreateProgressiveLoader(&config);
    assert_non_null(loader);
    assert_true(hyperionAttachModel(loader, bench->model));
    return loader;
}

#endif
