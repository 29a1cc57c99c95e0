// SPDX-License-Identifier: Apache-2.0
// test_memory_figures.c - time over memory with its front, and activations in memory over a pass.
#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/figures_fixture.h"

enum { CELL_COUNT = 5 };

static const char scenario[] = "name: memory\n"
                               "description: memory\n"
                               "defaults: {samples: 1, counters: none}\n"
                               "sweeps:\n"
                               "  - name: dial\n"
                               "    workload: model\n"
                               "    axes: {model: 'builtin:mlp', simd_level: scalar,\n"
                               "           tradeoff: [0, 0.5, 0.75, 1]}\n"
                               "  - name: arena\n"
                               "    workload: profile\n"
                               "    axes: {model: 'builtin:mlp', simd_level: scalar}\n";

// Peak [MiB] and time [ms] of the cells; the third is beaten by the second.
static const double peaks[CELL_COUNT] = {8, 10, 11, 12, 8};
static const double times[CELL_COUNT] = {4, 3, 3.5, 2, 4};

static void add_value(Sample *sample, const char *name, double value)
{
    assert_true(sample_add_value(sample, name, value, "B", "model", ""));
}

static void describe(Sample *sample, size_t cell, SampleTask task)
{
    if (task == SAMPLE_TIME) {
        add_value(sample, "memory.peak_bytes", peaks[cell] * 1024 * 1024);
        add_value(sample, "memory.planned_bytes", (peaks[cell] - 1) * 1024 * 1024);
    } else if (cell == CELL_COUNT - 1) {
        add_value(sample, "place3.at0.from0.to1", 2048);
        add_value(sample, "place5.at2048.from1.to4", 1024);
    }
}

static int setup(void **state)
{
    return figures_setup(state, scenario, times, CELL_COUNT, describe);
}

static void front_is_marked_and_comes_first(void **state)
{
    const Figure *figure = figures_named(*state, "time-over-memory-dial");
    figures_expect_text(figure->kind->tabulate, figure,
                        "# scalar\n"
                        " 8 4 4 4 1 7 ? 0\n"
                        " 10 3 3 3 1 9 ? 0.5\n"
                        " 12 2 2 2 1 11 ? 1\n"
                        " 11 3.5 3.5 3.5 0 10 ? 0.75\n");
}

static void activations_are_rectangles_of_the_verified_plan(void **state)
{
    const Figure *figure = figures_named(*state, "arena-layout-arena");
    figures_expect_text(figure->kind->tabulate, figure, " 0 2 0 2048 3\n 1 5 2048 3072 5\n");
    figures_expect_text(figure->kind->define, figure,
                        "x_high = 5\nheight = 3\nheight_text = '3 KiB'\n");
}

// Their time is in the figure of time over memory.
static void times_by_model_are_of_cells_without_optimizer(void **state)
{
    figures_expect_none(*state, "time-by-model");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, figures_teardown)
    const struct CMUnitTest tests[] = {
        TEST(front_is_marked_and_comes_first),
        TEST(activations_are_rectangles_of_the_verified_plan),
        TEST(times_by_model_are_of_cells_without_optimizer),
        TEST(figures_are_drawn_by_gnuplot),
    };
#undef TEST
    return cmocka_run_group_tests_name("memory_figures", tests, NULL, NULL);
}
