// SPDX-License-Identifier: Apache-2.0
// test_random_loads.c COUNT [SEED] - random sequences of calls on four threads while the model
// runs: every run gives the right bytes, the cap holds, all ends, and nothing is left behind.
#define _GNU_SOURCE
#include "hyperion/hyperion.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/streamed_model.h"

enum { CALLERS = 3, CALLS = 8 }; // beside the thread that runs the model; of each in a sequence

static int sequence_count = 100;
static unsigned first_seed = 1;

typedef struct Caller {
    HyperionProgressiveLoader *loader;
    size_t cap_bytes;
    unsigned seed;
    bool is_wrong;
} Caller;

static unsigned draw(unsigned *seed, unsigned count)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (*seed >> 16) % count;
}

static void call_once(Caller *caller)
{
    const int layer = (int)draw(&caller->seed, LAYERS);
    switch (draw(&caller->seed, 8)) {
    case 0:
    case 1:
    case 2:
        // Pinned layers may leave no room; nothing else is to go wrong.
        caller->is_wrong |=
            !hyperionLoadLayer(caller->loader, layer) && !strstr(hyperionGetLastError(), "pinned");
        break;
    case 3:
    case 4: (void)hyperionUnloadLayer(caller->loader, layer); break; // may be in use
    case 5:
        hyperionSetLayerPriority(caller->loader, layer,
                                 draw(&caller->seed, 3) ? (int)draw(&caller->seed, 5) : INT_MAX);
        break;
    case 6: hyperionSetLayerPriority(caller->loader, layer, 0); break;
    default:
        caller->is_wrong |=
            hyperionGetLayerStatus(caller->loader, layer) == HYPERION_LAYER_STATUS_INVALID;
    }
    const HyperionMemoryStats stats = hyperionGetProgressiveLoaderStats(caller->loader);
    caller->is_wrong |= caller->cap_bytes && stats.peak_bytes > caller->cap_bytes;
}

static void *call_at_random(void *opaque)
{
    Caller *caller = opaque;
    for (int i = 0; i < CALLS; i++)
        call_once(caller);
    return NULL;
}

static HyperionProgressiveLoader *attach_at_random(Bench *bench, unsigned *seed, size_t *cap_bytes)
{
    *cap_bytes = (draw(seed, 5) + 1) * layer_bytes;
    assert_true(draw(seed, 2) ? hyperionOptimizeMemoryLayout(bench->model)
                              : hyperionResetMemoryLayout(bench->model));
    const HyperionLoaderIOConfig config = {
        .backend = (HyperionLoaderBackend)draw(seed, HYPERION_LOADER_BACKEND_COUNT),
        .mode = (HyperionLoaderMode)draw(seed, HYPERION_LOADER_MODE_COUNT),
        .block_bytes = (draw(seed, 4) + 1) * 4096,
        .queue_depth = 1 + (int)draw(seed, 4)};
    HyperionProgressiveLoader *loader =
        attach(bench, (int)draw(seed, 4), draw(seed, 2), *cap_bytes);
    assert_true(hyperionSetLoaderIO(loader, &config));
    return loader;
}

static void run_sequence(Bench *bench, unsigned seed)
{
    size_t cap_bytes;
    pthread_t threads[CALLERS];
    Caller callers[CALLERS];
    HyperionProgressiveLoader *loader = attach_at_random(bench, &seed, &cap_bytes);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (Caller){loader, cap_bytes, seed + (unsigned)i, false};
        assert_int_equal(pthread_create(&threads[i], NULL, call_at_random, &callers[i]), 0);
    }
    for (int pass = 0; pass < 2; pass++) {
        if (!run(bench))
            fail_msg("%s", hyperionGetLastError());
        expect_result(bench);
    }
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(callers[i].is_wrong);
    }
    hyperionFreeProgressiveLoader(loader);
}

static void random_sequences_keep_every_promise(void **state)
{
    for (int i = 0; i < sequence_count; i++) {
        const unsigned seed = first_seed + (unsigned)i;
        // What fails names no seed: this is the last line then.
        if (i % 1000 == 0 || sequence_count == 1)
            print_message("sequence of seed %u\n", seed);
        run_sequence(*state, seed * 2654435761U);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_sequences_keep_every_promise, setup, teardown),
    };
    if (argc > 1)
        sequence_count = (int)strtol(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = (unsigned)strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests_name("random_loads", tests, NULL, NULL);
}
