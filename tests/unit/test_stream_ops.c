// SPDX-License-Identifier: Apache-2.0
// test_stream_ops.c - streaming operations in closed form against their passes through the
// simulator.
#include "stream_trace.h"

static void map_agrees_with_its_trace(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 100, 4000, 100000, 1000000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        Formula formula;
        hyp_stream_map(start_formula(&formula), counts[i]);
        Trace trace = start_trace();
        const uint64_t in = place(&trace, counts[i]);
        const uint64_t out = place(&trace, counts[i]);
        for (size_t j = 0; j < counts[i]; j += 16) {
            const size_t count = counts[i] - j < 16 ? counts[i] - j : 16;
            touch(&trace, in, j, count, false);
            touch(&trace, out, j, count, true);
        }
        assert_agrees(&formula, &trace);
    }
}

static void combine_agrees_with_its_trace(void **state)
{
    (void)state;
    enum { COUNT = 640000 };
    // Elements of the three operands.
    static const size_t cases[][3] = {
        {COUNT, COUNT, 0},     {COUNT, 640, 0},      {COUNT, 6400, 0},       {COUNT, 160000, 0},
        {COUNT, COUNT, COUNT}, {160000, COUNT, 640}, {160000, 160000, COUNT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        HypStreamOperand operands[3];
        uint64_t places[3];
        Formula formula;
        Trace trace = start_trace();
        size_t used = 0;
        for (; used < 3 && cases[i][used] > 0; used++) {
            operands[used] = (HypStreamOperand){cases[i][used] * 4, (size_t)COUNT * 4};
            places[used] = place(&trace, cases[i][used]);
        }
        hyp_stream_combine(start_formula(&formula), (size_t)COUNT * 4, operands, used);
        const uint64_t out = place(&trace, COUNT);
        for (size_t j = 0; j < COUNT; j += 16) {
            for (size_t o = 0; o < used; o++)
                touch(&trace, places[o], j % cases[i][o], 16, false);
            touch(&trace, out, j, 16, true);
        }
        assert_agrees(&formula, &trace);
    }
}

static void nothing_combines_to_nothing(void **state)
{
    (void)state;
    Formula formula;
    hyp_stream_combine(start_formula(&formula), 0, &(HypStreamOperand){0, 0}, 1);
    assert_true(formula.account.traffic.accesses == 0);
}

// Each plane is cleared, `size` planes of the image are added to it, then its own is divided.
static void lrn_agrees_with_its_trace(void **state)
{
    (void)state;
    static const size_t plane_floats[] = {64, 1024, 12544, 100000};
    enum { CHANNELS = 24, SIZE = 5 };
    for (size_t i = 0; i < sizeof plane_floats / sizeof plane_floats[0]; i++) {
        const size_t plane = plane_floats[i];
        Formula formula;
        hyp_stream_lrn(start_formula(&formula), CHANNELS, plane, SIZE);
        Trace trace = start_trace();
        const uint64_t in = place(&trace, CHANNELS * plane);
        const uint64_t out = place(&trace, CHANNELS * plane);
        for (size_t c = 0; c < CHANNELS; c++) {
            touch(&trace, out, c * plane, plane, true);
            for (size_t pass = 0; pass <= SIZE; pass++) {
                const size_t wanted = pass < SIZE ? c + pass : c + SIZE / 2;
                const size_t other = wanted < SIZE / 2 ? 0 : wanted - SIZE / 2;
                const size_t source = other < CHANNELS ? other : CHANNELS - 1;
                for (size_t j = 0; j < plane; j += 16) {
                    const size_t count = plane - j < 16 ? plane - j : 16;
                    touch(&trace, in, source * plane + j, count, false);
                    touch(&trace, out, c * plane + j, count, true);
                }
            }
        }
        const HyperionCacheStats traced = finish_trace(&trace);
        const HyperionCacheStats predicted =
            hyp_cache_stats_from_traffic(&formula.account.traffic, &machine);
        assert_near(predicted.levels[0].accesses, traced.levels[0].accesses, 2, 40);
        for (int l = 0; l < machine.level_count; l++)
            assert_near(predicted.levels[l].misses, traced.levels[l].misses, 3, 40);
    }
}

static const struct {
    size_t rows, columns;
} row_cases[] = {{0, 5}, {5, 0}, {2000, 64}, {100, 4096}, {20, 40000}, {3, 300000}};

enum { ROW_CASES = sizeof row_cases / sizeof row_cases[0] };

// First pass over in; in again with out written; out scaled, with `vectors` beside it.
static void trace_rows(Trace *trace, size_t rows, size_t columns, size_t vectors)
{
    const uint64_t in = place(trace, rows * columns);
    const uint64_t out = place(trace, rows * columns);
    const uint64_t vector[2] = {place(trace, columns), place(trace, columns)};
    for (size_t row = 0; row < rows; row++) {
        const size_t first = row * columns;
        touch(trace, in, first, columns, false);
        for (size_t j = 0; j < columns; j += 16) {
            const size_t count = columns - j < 16 ? columns - j : 16;
            touch(trace, in, first + j, count, false);
            touch(trace, out, first + j, count, true);
        }
        for (size_t j = 0; j < columns; j += 16) {
            const size_t count = columns - j < 16 ? columns - j : 16;
            touch(trace, out, first + j, count, false);
            for (size_t v = 0; v < vectors; v++)
                touch(trace, vector[v], j, count, false);
            touch(trace, out, first + j, count, true);
        }
    }
}

static void softmax_agrees_with_its_trace(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_CASES; i++) {
        Formula formula;
        hyp_stream_softmax(start_formula(&formula), row_cases[i].rows, row_cases[i].columns);
        Trace trace = start_trace();
        trace_rows(&trace, row_cases[i].rows, row_cases[i].columns, 0);
        assert_agrees(&formula, &trace);
    }
}

static void layernorm_agrees_with_its_trace(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_CASES; i++) {
        Formula formula;
        hyp_stream_layernorm(start_formula(&formula), row_cases[i].rows, row_cases[i].columns, 2);
        Trace trace = start_trace();
        trace_rows(&trace, row_cases[i].rows, row_cases[i].columns, 2);
        assert_agrees(&formula, &trace);
    }
}

static void pool_agrees_with_its_trace(void **state)
{
    (void)state;
    static const struct {
        HypPoolExtents extents;
        size_t stride_h;
    } cases[] = {
        {{.planes = 0, .height = 8, .width = 16, .out_height = 8, .out_width = 16, .kernel_h = 1},
         1},
        {{.planes = 64,
          .height = 64,
          .width = 64,
          .out_height = 32,
          .out_width = 32,
          .kernel_h = 2},
         2},
        {{.planes = 64,
          .height = 64,
          .width = 64,
          .out_height = 62,
          .out_width = 64,
          .kernel_h = 3},
         1},
        {{.planes = 1,
          .height = 50,
          .width = 8000,
          .out_height = 48,
          .out_width = 8000,
          .kernel_h = 3},
         1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const HypPoolExtents *pool = &cases[i].extents;
        Formula formula;
        hyp_stream_pool(start_formula(&formula), pool);
        Trace trace = start_trace();
        const uint64_t image = place(&trace, pool->planes * pool->height * pool->width);
        const uint64_t out = place(&trace, pool->planes * pool->out_height * pool->out_width);
        for (size_t p = 0; p < pool->planes; p++) {
            for (size_t y = 0; y < pool->out_height; y++) {
                for (size_t x = 0; x < pool->width; x += 16)
                    for (size_t ky = 0; ky < pool->kernel_h; ky++)
                        touch(&trace, image,
                              (p * pool->height + y * cases[i].stride_h + ky) * pool->width + x, 16,
                              false);
                touch(&trace, out, (p * pool->out_height + y) * pool->out_width, pool->out_width,
                      true);
            }
        }
        assert_agrees(&formula, &trace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_agrees_with_its_trace),
        cmocka_unit_test(combine_agrees_with_its_trace),
        cmocka_unit_test(nothing_combines_to_nothing),
        cmocka_unit_test(lrn_agrees_with_its_trace),
        cmocka_unit_test(softmax_agrees_with_its_trace),
        cmocka_unit_test(layernorm_agrees_with_its_trace),
        cmocka_unit_test(pool_agrees_with_its_trace),
    };
    return cmocka_run_group_tests_name("stream_ops", tests, NULL, NULL);
}
