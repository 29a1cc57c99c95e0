// SPDX-License-Identifier: Apache-2.0
// test_streaming_figures.c - time over the prefetch window with what the pipeline predicts, and the
// loads and computes of one pass; metrics and tables of a loader.
#define _GNU_SOURCE

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/report_parts.h"
#include "stats/metrics_loader.h"
#include "support/figures_fixture.h"

enum { CELL_COUNT = 4 };

static const char scenario[] =
    "name: streaming\n"
    "description: streaming\n"
    "defaults: {samples: 1, counters: none}\n"
    "sweeps:\n"
    "  - name: window\n"
    "    workload: loader\n"
    "    axes: {model: 'builtin:mlp', simd_level: scalar, prefetch_window: [0, 1, 4],\n"
    "           adaptive: [false, true]}\n"
    "    exclude: [{adaptive: true, prefetch_window: [0, 1]}]\n";

// Of each cell, in ms; the last lets the loader choose, which it does as below.
static const double times[CELL_COUNT] = {9, 6, 5, 5.5};
static const double pipelines[CELL_COUNT] = {8.5, 5.5, 5, 5};
static const double windows[CELL_COUNT] = {0, 1, 4, 2};

static void add_value(Sample *sample, const char *name, double value)
{
    assert_true(sample_add_value(sample, name, value, "ns", "clock", ""));
}

static void add_timeline(Sample *sample)
{
    add_value(sample, "step0.load_at", 0);
    add_value(sample, "step0.load", 2e6);
    add_value(sample, "step0.compute_at", 2e6);
    add_value(sample, "step0.compute", 1e6);
    add_value(sample, "step1.compute_at", 3e6); // its weights were there
    add_value(sample, "step1.compute", 0.5e6);
    add_value(sample, "step2.load_at", 2e6);
    add_value(sample, "step2.load", 2.5e6);
    add_value(sample, "step2.compute_at", 4.5e6);
    add_value(sample, "step2.compute", 1e6);
}

static void describe(Sample *sample, size_t cell, SampleTask task)
{
    if (task == SAMPLE_VERIFY) {
        add_value(sample, "step0.is.0.gemm.layer0", 4096);
        add_value(sample, "step1.is.2.gemm.the \"second\"", 4096);
        add_value(sample, "step2.is.3.gemm.a.name.much.too.long.for.the.margin.of.a.figure", 8192);
        return;
    }
    add_value(sample, "loader.predicted_time", pipelines[cell] * 1e6);
    add_value(sample, "loader.bound_time", 4.5e6);
    add_value(sample, "loader.over_predicted", 1.25);
    add_value(sample, "loader.window", windows[cell]);
    add_value(sample, "loader.read_bytes", 9e6);
    add_value(sample, "loader.load_time", 4.5e6);
    assert_true(sample_add_value(sample, "loader.backend.threads", 1, "", "os", "no io_uring"));
    assert_true(sample_add_value(sample, "loader.mode.direct", 1, "", "os", ""));
    add_timeline(sample);
}

static int setup(void **state)
{
    return figures_setup(state, scenario, times, CELL_COUNT, describe);
}

// One line, with the cell whose window was chosen where its choice is.
static void windows_are_one_line_with_the_chosen_beside_it(void **state)
{
    const Figure *figure = figures_named(*state, "time-over-window-window");
    figures_expect_text(figure->kind->tabulate, figure,
                        "# scalar\n"
                        " 0 9 9 9 1 0 8.5 4.5\n"
                        " 1 6 6 6 1 0 5.5 4.5\n"
                        " 4 5 5 5 1 0 5 4.5\n"
                        " 2 5.5 5.5 5.5 1 1 5 4.5\n");
    figures_expect_text(figure->kind->define, figure, "automatic = 1\n");
    char fixed[256];
    figure_describe_fixed(figure, fixed, sizeof fixed);
    assert_null(strstr(fixed, "adaptive"));
}

static void timeline_has_loads_computes_and_waits(void **state)
{
    const Figure *figure = figures_named(*state, "timeline-window-prefetch_window4-adaptivetrue");
    figures_expect_text(figure->kind->tabulate, figure,
                        " 0 0 2 2 3 0 2 \"layer0\"\n"
                        " 1 ? ? 3 3.5 ? ? \"the 'second'\"\n"
                        " 2 2 4.5 4.5 5.5 3.5 4.5 \"…g.for.the.margin.of.a.figure\"\n");
    figures_expect_text(figure->kind->define, figure, "row_count = 3\nnamed = 1\n");
    figures_expect_text(figure->kind->define, figure,
                        "4.5 ms of loading, 2.5 ms of computing, 3 ms of waiting");
}

static void loader_metrics_are_medians_and_ratios(void **state)
{
    const FiguresFixture *fixture = *state;
    const char *reason = NULL;
    const CellSummary *summary = &fixture->summaries[1];
    assert_true(metric_value("loader_window", &fixture->run, summary) == 1);
    assert_true(metric_value("loader_gbytes_per_s", &fixture->run, summary) == 2);
    assert_true(metric_value("loader_over_predicted", &fixture->run, summary) == 1.25);
    assert_string_equal(metrics_loader_backend(summary, &reason), "threads");
    assert_string_equal(reason, "no io_uring");
    assert_string_equal(metrics_loader_mode(summary, &reason), "direct");
    assert_string_equal(reason, "");
    assert_true(isnan(metric_value("loader_hits", &fixture->run, summary)));
}

static void write_reads(const Figure *figure, FILE *out)
{
    report_reads(figure->run, figure->summaries, figure->sweep, out);
}

static void write_tables(const Figure *figure, FILE *out)
{
    report_sweep_tables(figure->run, figure->summaries, figure->sweep, out);
}

// Each choice of the loader once, and none where it is what was asked for.
static void report_says_how_and_why_files_were_read(void **state)
{
    const Figure *figure = figures_named(*state, "time-over-window-window");
    figures_expect_text(
        write_reads, figure,
        "\n#### Why files were read so\n\n| asked for | used | why |\n|---|---|---|\n"
        "| auto | threads | no io_uring |\n");
    figures_expect_text(
        write_tables, figure,
        "| 1 | false | 1 | 4.500 ms | 5.500 ms | 1.250 | 4.500 ms | 2.000 | threads, direct |");
}

static void times_by_model_are_not_of_streamed_cells(void **state)
{
    figures_expect_none(*state, "time-by-model");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, figures_teardown)
    const struct CMUnitTest tests[] = {
        TEST(windows_are_one_line_with_the_chosen_beside_it),
        TEST(timeline_has_loads_computes_and_waits),
        TEST(loader_metrics_are_medians_and_ratios),
        TEST(report_says_how_and_why_files_were_read),
        TEST(times_by_model_are_not_of_streamed_cells),
        TEST(figures_are_drawn_by_gnuplot),
    };
#undef TEST
    return cmocka_run_group_tests_name("streaming_figures", tests, NULL, NULL);
}
