// SPDX-License-Identifier: Apache-2.0
// test_read_faults.c - whatever goes wrong with reads, the results of a streamed model are bit for
// bit those without it, or the run fails and says which layer, and where in the file. To be run
// with libread_faults.so preloaded, as ctest does.
#define _GNU_SOURCE
#include "hyperion/hyperion.h"

#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "read_faults.h"
#include "support/streamed_model.h"

enum { BAD_LAYER = 8 }; // the fifth product

static void (*set_fault)(const ReadFault *fault);

static int find_library(void **state)
{
    (void)state;
    void *symbol = dlsym(RTLD_DEFAULT, "read_faults_set");
    memcpy(&set_fault, &symbol, sizeof set_fault);
    return 0;
}

static int setup_faults(void **state)
{
    if (set_fault)
        set_fault(&(ReadFault){.kind = READ_FAULT_NONE});
    return setup(state);
}

static int teardown_faults(void **state)
{
    if (set_fault)
        set_fault(&(ReadFault){.kind = READ_FAULT_NONE});
    return teardown(state);
}

static void want_library(void)
{
    if (set_fault)
        return;
    print_message("skipped: libread_faults.so is not preloaded\n");
    skip();
}

// By number, from 0 to 5.
static HyperionLoaderIOConfig find_way(int way)
{
    return (HyperionLoaderIOConfig){.backend = way % 2 ? HYPERION_LOADER_BACKEND_URING
                                                       : HYPERION_LOADER_BACKEND_THREADS,
                                    .mode = (HyperionLoaderMode)(way / 2),
                                    .block_bytes = 12288,
                                    .queue_depth = 4};
}

// A loader with room for three layers, whose reads go wrong from now on.
static HyperionProgressiveLoader *begin_faults(Bench *bench, int way, const ReadFault *fault)
{
    const HyperionLoaderIOConfig config = find_way(way);
    HyperionProgressiveLoader *loader = attach(bench, 2, false, 3 * layer_bytes);
    assert_true(hyperionSetLoaderIO(loader, &config));
    set_fault(fault);
    return loader;
}

static void expect_same(Bench *bench, ReadFaultKind kind, bool retries)
{
    want_library();
    for (int way = 0; way < 6; way++) {
        HyperionProgressiveLoader *loader =
            begin_faults(bench, way, &(ReadFault){.kind = kind, .after = 3});
        for (int pass = 0; pass < 2; pass++) {
            assert_true(run(bench));
            expect_result(bench);
        }
        const HyperionLoaderIOStats stats = hyperionGetLoaderIOStats(loader);
        assert_int_equal(stats.failed_count, 0);
        assert_true(kind != READ_FAULT_SHORT || stats.short_count > 0);
        assert_true(!retries || stats.retry_count > 0);
        hyperionFreeProgressiveLoader(loader);
    }
}

static void short_reads_are_finished(void **state)
{
    expect_same(*state, READ_FAULT_SHORT, false);
}

static void interrupted_reads_are_tried_again(void **state)
{
    expect_same(*state, READ_FAULT_EINTR, true);
}

static void reads_that_are_put_off_are_tried_again(void **state)
{
    expect_same(*state, READ_FAULT_EAGAIN, true);
}

static void slow_reads_are_waited_for(void **state)
{
    expect_same(*state, READ_FAULT_SLOW, false);
}

static void unbuffered_reads_that_are_refused_are_made_otherwise(void **state)
{
    Bench *bench = *state;
    expect_same(bench, READ_FAULT_EINVAL, false);
    for (int way = 2; way < 4; way++) {
        HyperionProgressiveLoader *loader =
            begin_faults(bench, way, &(ReadFault){.kind = READ_FAULT_EINVAL});
        assert_true(run(bench));
        expect_result(bench);
        const HyperionLoaderIO io = hyperionGetLoaderIO(loader);
        assert_int_equal(io.mode, HYPERION_LOADER_MODE_DONTNEED);
        assert_non_null(strstr(io.mode_reason, strerror(EINVAL)));
        hyperionFreeProgressiveLoader(loader);
    }
}

static uint64_t find_weight(const Bench *bench, int layer)
{
    return hyperionModelTensor(bench->model, hyperionModelLayerInput(bench->model, layer, 1))
        .file_offset;
}

static void a_device_error_fails_its_layer_alone(void **state)
{
    Bench *bench = *state;
    want_library();
    const uint64_t at = find_weight(bench, BAD_LAYER);
    char text[32];
    (void)snprintf(text, sizeof text, "at %llu", (unsigned long long)at / 4096 * 4096);
    for (int way = 0; way < 6; way++) {
        HyperionProgressiveLoader *loader =
            begin_faults(bench, way, &(ReadFault){.kind = READ_FAULT_EIO, .at = (int64_t)at + 100});
        assert_false(run(bench));
        assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
        assert_non_null(strstr(hyperionGetLastError(), "layer 8, gemm4"));
        assert_non_null(strstr(hyperionGetLastError(), strerror(EIO)));
        assert_non_null(strstr(hyperionGetLastError(), text));
        assert_int_equal(hyperionGetLayerStatus(loader, BAD_LAYER), HYPERION_LAYER_STATUS_FAILED);
        for (int i = 0; i < LAYERS; i++)
            assert_true(hyperionLoadLayer(loader, i) == (i != BAD_LAYER));
        assert_true(hyperionGetProgressiveLoaderStats(loader).peak_bytes <= 3 * layer_bytes);
        set_fault(&(ReadFault){.kind = READ_FAULT_NONE});
        assert_true(run(bench));
        expect_result(bench);
        hyperionFreeProgressiveLoader(loader);
    }
}

static void a_file_that_is_cut_while_it_is_read_fails_a_layer(void **state)
{
    want_library();
    for (int way = 0; way < 6; way++) {
        Bench *bench = *state;
        const int64_t at = (int64_t)find_weight(bench, BAD_LAYER);
        HyperionProgressiveLoader *loader = begin_faults(
            bench, way, &(ReadFault){.kind = READ_FAULT_TRUNCATE, .after = 7, .at = at});
        assert_false(run(bench));
        assert_non_null(strstr(hyperionGetLastError(), ", gemm"));
        assert_non_null(strstr(hyperionGetLastError(), bench->path));
        assert_false(hyperionLoadLayer(loader, BAD_LAYER + 2));
        hyperionFreeProgressiveLoader(loader);
        assert_int_equal(teardown_faults(state), 0);
        assert_int_equal(setup_faults(state), 0);
    }
}

static void a_ring_that_is_refused_is_done_without(void **state)
{
    Bench *bench = *state;
    want_library();
    set_fault(&(ReadFault){.kind = READ_FAULT_NO_RING});
    for (int way = 1; way < 6; way += 2) {
        const HyperionLoaderIOConfig config = find_way(way);
        HyperionProgressiveLoader *loader = attach(bench, 2, false, 3 * layer_bytes);
        assert_true(hyperionSetLoaderIO(loader, &config));
        const HyperionLoaderIO io = hyperionGetLoaderIO(loader);
        assert_int_equal(io.backend, HYPERION_LOADER_BACKEND_THREADS);
        assert_non_null(strstr(io.backend_reason, "liburing")
                            ? io.backend_reason
                            : strstr(io.backend_reason, strerror(EPERM)));
        assert_true(run(bench));
        expect_result(bench);
        hyperionFreeProgressiveLoader(loader);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(short_reads_are_finished, setup_faults, teardown_faults),
        cmocka_unit_test_setup_teardown(interrupted_reads_are_tried_again, setup_faults,
                                        teardown_faults),
        cmocka_unit_test_setup_teardown(reads_that_are_put_off_are_tried_again, setup_faults,
                                        teardown_faults),
        cmocka_unit_test_setup_teardown(slow_reads_are_waited_for, setup_faults, teardown_faults),
        cmocka_unit_test_setup_teardown(unbuffered_reads_that_are_refused_are_made_otherwise,
                                        setup_faults, teardown_faults),
        cmocka_unit_test_setup_teardown(a_device_error_fails_its_layer_alone, setup_faults,
                                        teardown_faults),
        cmocka_unit_test_setup_teardown(a_file_that_is_cut_while_it_is_read_fails_a_layer,
                                        setup_faults, teardown_faults),
        cmocka_unit_test_setup_teardown(a_ring_that_is_refused_is_done_without, setup_faults,
                                        teardown_faults),
    };
    return cmocka_run_group_tests_name("read_faults", tests, find_library, NULL);
}
