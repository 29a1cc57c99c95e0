// SPDX-License-Identifier: Apache-2.0
// test_cap_figures.c - time over the cap on activations or weights, and live activations over the
// steps of plans.
#define _GNU_SOURCE

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/report_parts.h"
#include "support/figures_fixture.h"

enum { ACTIVATION_CELLS = 3, CELL_COUNT = 5 };

static const char scenario[] =
    "name: caps\n"
    "description: caps\n"
    "defaults: {samples: 1, counters: none}\n"
    "sweeps:\n"
    "  - name: activations\n"
    "    workload: scheduler\n"
    "    axes: {model: 'builtin:mlp', simd_level: scalar, activation_cap: [50%, 3MiB, 0]}\n"
    "  - name: weights\n"
    "    workload: loader\n"
    "    axes: {model: 'builtin:mlp', simd_level: scalar, memory_cap: [25%, 0]}\n";

// Of each cell: cap and what is taken [MiB], NAN = no cap; time and predicted time [ms].
static const double caps[CELL_COUNT] = {2, 3, NAN, 1, NAN};
static const double taken[CELL_COUNT] = {2, 2.5, 4, 1, 4};
static const double times[CELL_COUNT] = {9, 7, 5, 6, 4};
static const double predicted[CELL_COUNT] = {8, 6, 5, 5.5, 4};

static void add_value(Sample *sample, const char *name, double value)
{
    assert_true(
        sample_add_value(sample, name, value, "B", "model", isnan(value) ? "there is no cap" : ""));
}

static void add_mebibytes(Sample *sample, const char *name, double value)
{
    add_value(sample, name, value * 1024 * 1024);
}

static void describe_scheduler(Sample *sample, size_t cell)
{
    add_mebibytes(sample, "scheduler.cap_bytes", caps[cell]);
    add_mebibytes(sample, "scheduler.planned_bytes", taken[cell]);
    add_mebibytes(sample, "scheduler.peak_bytes", taken[cell]);
    add_mebibytes(sample, "scheduler.least_bytes", 1.5);
    add_mebibytes(sample, "scheduler.store_all_bytes", 4);
    add_value(sample, "scheduler.predicted_time", predicted[cell] * 1e6);
    add_value(sample, "scheduler.forward_time", 5e6);
    add_value(sample, "scheduler.proved", cell != 0);
}

static void describe_loader(Sample *sample, size_t cell)
{
    add_mebibytes(sample, "loader.cap_bytes", caps[cell]);
    add_mebibytes(sample, "loader.weight_bytes", 4);
    add_mebibytes(sample, "loader.peak_bytes", taken[cell]);
    add_value(sample, "loader.predicted_time", predicted[cell] * 1e6);
}

static void describe(Sample *sample, size_t cell, SampleTask task)
{
    if (task == SAMPLE_TIME && cell < ACTIVATION_CELLS)
        describe_scheduler(sample, cell);
    else if (task == SAMPLE_TIME)
        describe_loader(sample, cell);
    else if (cell < ACTIVATION_CELLS) {
        add_mebibytes(sample, "live0.run.0", 1);
        add_mebibytes(sample, "live1.recompute.4", taken[cell]);
        add_mebibytes(sample, "live2.drop.0", 0.5);
    }
}

static int setup(void **state)
{
    return figures_setup(state, scenario, times, CELL_COUNT, describe);
}

// By bytes, shares and sizes alike; without a cap at what is taken then, and in no line.
static void caps_stand_at_their_bytes(void **state)
{
    const Figure *figure = figures_named(*state, "time-over-activation-cap-activations");
    figures_expect_text(figure->kind->tabulate, figure,
                        "# scalar\n"
                        " 2097152 9 9 9 1 0 8 0 2097152\n"
                        " 3145728 7 7 7 1 0 6 1 2621440\n"
                        " 4194304 5 5 5 1 1 5 1 4194304\n");
    figures_expect_text(figure->kind->define, figure,
                        "mark_count = 2\narray mark_place[2] = [1572864, 4194304]\n"
                        "array mark_label[2] = ['least', 'store all']\n");
}

// A line needs two caps: one and none are a point each.
static void one_cap_makes_no_figure(void **state)
{
    figures_expect_none(*state, "time-over-weight-cap");
}

static void live_memory_is_a_line_a_cap(void **state)
{
    const Figure *figure = figures_named(*state, "live-memory-activations");
    figures_expect_text(figure->kind->tabulate, figure,
                        "# 50% (2048 KiB)\n 1 1048576\n 2 2097152\n 3 524288\n"
                        "\n\n# 3MiB (3072 KiB)\n 1 1048576\n 2 2621440\n 3 524288\n"
                        "\n\n# no cap\n 1 1048576\n 2 4194304\n 3 524288\n");
    figures_expect_text(figure->kind->define, figure,
                        "array line_cap[3] = [2097152, 3145728, -1]\nx_high = 3\n");
}

static void write_tables(const Figure *figure, FILE *out)
{
    report_sweep_tables(figure->run, figure->summaries, figure->sweep, out);
}

static void report_sets_planned_beside_measured(void **state)
{
    const Figure *figure = figures_named(*state, "live-memory-activations");
    figures_expect_text(
        write_tables, figure,
        "| 50% | 2.000 | 2.000 | 2.000 | 4.000 | 8.000 ms | 1.600 | perhaps not the "
        "fastest |\n");
    figures_expect_text(write_tables, figure, "| fastest: proved |\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, figures_teardown)
    const struct CMUnitTest tests[] = {
        TEST(caps_stand_at_their_bytes),    TEST(one_cap_makes_no_figure),
        TEST(live_memory_is_a_line_a_cap),  TEST(report_sets_planned_beside_measured),
        TEST(figures_are_drawn_by_gnuplot),
    };
#undef TEST
    return cmocka_run_group_tests_name("cap_figures", tests, NULL, NULL);
}
