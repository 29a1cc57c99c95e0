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

#include "report/figure_files.h"
#include "report/report_parts.h"
#include "support/sweep_fixture.h"

enum { ACTIVATION_CELLS = 3, CELL_COUNT = 5, ALL_SAMPLES = 2 * CELL_COUNT, TEXT_BYTES = 16384 };

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

typedef struct Fixture {
    RunRecord run;
    Sample samples[ALL_SAMPLES];
    CellSummary *summaries;
    FigureList figures;
} Fixture;

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

static Sample make_sample(size_t cell, SampleTask task)
{
    Sample sample = sample_empty();
    sample.cell = cell;
    sample.task = task;
    sample.ok = true;
    if (task == SAMPLE_VERIFY) {
        if (cell < ACTIVATION_CELLS) {
            add_mebibytes(&sample, "live0.run.0", 1);
            add_mebibytes(&sample, "live1.recompute.4", taken[cell]);
            add_mebibytes(&sample, "live2.drop.0", 0.5);
        }
        return sample;
    }
    sample.round = 0;
    sample.real_count = 1;
    sample.real_ns = calloc(1, sizeof *sample.real_ns);
    assert_non_null(sample.real_ns);
    sample.real_ns[0] = times[cell] * 1e6;
    if (cell < ACTIVATION_CELLS)
        describe_scheduler(&sample, cell);
    else
        describe_loader(&sample, cell);
    return sample;
}

static int setup(void **state)
{
    if (fixture_enter(state) != 0)
        return -1;
    Fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->run = (RunRecord){.plan = fixture_plan(scenario),
                               .machine = fixture_machine("0123456789abcdef"),
                               .samples = fixture->samples,
                               .sample_count = ALL_SAMPLES};
    assert_int_equal(fixture->run.plan->cell_count, CELL_COUNT);
    for (size_t i = 0; i < CELL_COUNT; i++) {
        fixture->samples[2 * i] = make_sample(i, SAMPLE_VERIFY);
        fixture->samples[2 * i + 1] = make_sample(i, SAMPLE_TIME);
    }
    fixture->summaries = metrics_summarise(&fixture->run);
    assert_non_null(fixture->summaries);
    assert_true(figures_find(&fixture->run, fixture->summaries, "", &fixture->figures));
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;
    figures_clear(&fixture->figures);
    metrics_free(fixture->summaries, CELL_COUNT);
    for (size_t i = 0; i < fixture->run.sample_count; i++)
        sample_clear(&fixture->samples[i]);
    plan_free(fixture->run.plan);
    json_decref(fixture->run.machine);
    free(fixture);
    return fixture_leave(state);
}

static const Figure *figure_named(const Fixture *fixture, const char *name)
{
    for (size_t i = 0; i < fixture->figures.count; i++)
        if (strcmp(fixture->figures.items[i].name, name) == 0)
            return &fixture->figures.items[i];
    fail_msg("no figure %s among %zu", name, fixture->figures.count);
    return NULL;
}

static void assert_writes(void (*write)(const Figure *figure, FILE *out), const Figure *figure,
                          const char *expected)
{
    char *text = calloc(1, TEXT_BYTES);
    assert_non_null(text);
    FILE *out = fmemopen(text, TEXT_BYTES - 1, "w");
    assert_non_null(out);
    write(figure, out);
    assert_int_equal(fclose(out), 0);
    if (!strstr(text, expected))
        fail_msg("expected '%s' in '%s'", expected, text);
    free(text);
}

// By bytes, shares and sizes alike; without a cap at what is taken then, and in no line.
static void caps_stand_at_their_bytes(void **state)
{
    const Figure *figure = figure_named(*state, "time-over-activation-cap-activations");
    assert_writes(figure->kind->tabulate, figure,
                  "# scalar\n"
                  " 2097152 9 9 9 1 0 8 0 2097152\n"
                  " 3145728 7 7 7 1 0 6 1 2621440\n"
                  " 4194304 5 5 5 1 1 5 1 4194304\n");
    assert_writes(figure->kind->define, figure,
                  "mark_count = 2\narray mark_place[2] = [1572864, 4194304]\n"
                  "array mark_label[2] = ['least', 'store all']\n");
}

// A line needs two caps: one and none are a point each.
static void one_cap_makes_no_figure(void **state)
{
    const Fixture *fixture = *state;
    for (size_t i = 0; i < fixture->figures.count; i++)
        assert_null(strstr(fixture->figures.items[i].name, "time-over-weight-cap"));
}

static void live_memory_is_a_line_a_cap(void **state)
{
    const Figure *figure = figure_named(*state, "live-memory-activations");
    assert_writes(figure->kind->tabulate, figure,
                  "# 50% (2048 KiB)\n 1 1048576\n 2 2097152\n 3 524288\n"
                  "\n\n# 3MiB (3072 KiB)\n 1 1048576\n 2 2621440\n 3 524288\n"
                  "\n\n# no cap\n 1 1048576\n 2 4194304\n 3 524288\n");
    assert_writes(figure->kind->define, figure,
                  "array line_cap[3] = [2097152, 3145728, -1]\nx_high = 3\n");
}

static void write_tables(const Figure *figure, FILE *out)
{
    report_sweep_tables(figure->run, figure->summaries, figure->sweep, out);
}

static void report_sets_planned_beside_measured(void **state)
{
    const Figure *figure = figure_named(*state, "live-memory-activations");
    assert_writes(write_tables, figure,
                  "| 50% | 2.000 | 2.000 | 2.000 | 4.000 | 8.000 ms | 1.600 | perhaps not the "
                  "fastest |\n");
    assert_writes(write_tables, figure, "| fastest: proved |\n");
}

static void gnuplot_draws_them(void **state)
{
    const Fixture *fixture = *state;
    char gnuplot[512];
    if (!gnuplot_find(gnuplot, sizeof gnuplot)) {
        print_message("skipped: no gnuplot in PATH\n");
        skip();
    }
    for (size_t i = 0; i < fixture->figures.count; i++) {
        const Figure *figure = &fixture->figures.items[i];
        Problem problem = {0};
        char path[256];
        if (!figure_write(figure, ".", &problem) ||
            !gnuplot_run(gnuplot, ".", figure->name, &problem))
            fail_msg("%s: %s", figure->name, problem.text);
        (void)snprintf(path, sizeof path, "%s.png", figure->name);
        assert_int_equal(access(path, R_OK), 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(caps_stand_at_their_bytes),   TEST(one_cap_makes_no_figure),
        TEST(live_memory_is_a_line_a_cap), TEST(report_sets_planned_beside_measured),
        TEST(gnuplot_draws_them),
    };
#undef TEST
    return cmocka_run_group_tests_name("cap_figures", tests, NULL, NULL);
}
