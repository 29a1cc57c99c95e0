// SPDX-License-Identifier: Apache-2.0
// test_memory_figures.c - time over memory with its front, and activations in memory over a pass.
#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/figure_files.h"
#include "support/sweep_fixture.h"

enum { CELL_COUNT = 5, ALL_SAMPLES = 2 * CELL_COUNT, TEXT_BYTES = 16384 };

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

typedef struct Fixture {
    RunRecord run;
    Sample samples[ALL_SAMPLES];
    CellSummary *summaries;
    FigureList figures;
} Fixture;

static void add_value(Sample *sample, const char *name, double value)
{
    assert_true(sample_add_value(sample, name, value, "B", "model", ""));
}

static Sample make_sample(size_t cell, SampleTask task)
{
    Sample sample = sample_empty();
    sample.cell = cell;
    sample.task = task;
    sample.ok = true;
    if (task != SAMPLE_TIME)
        return sample;
    sample.round = 0;
    sample.real_count = 1;
    sample.real_ns = calloc(1, sizeof *sample.real_ns);
    assert_non_null(sample.real_ns);
    sample.real_ns[0] = times[cell] * 1e6;
    add_value(&sample, "memory.peak_bytes", peaks[cell] * 1024 * 1024);
    add_value(&sample, "memory.planned_bytes", (peaks[cell] - 1) * 1024 * 1024);
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
    add_value(&fixture->samples[ALL_SAMPLES - 2], "place3.at0.from0.to1", 2048);
    add_value(&fixture->samples[ALL_SAMPLES - 2], "place5.at2048.from1.to4", 1024);
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

static void front_is_marked_and_comes_first(void **state)
{
    const Figure *figure = figure_named(*state, "time-over-memory-dial");
    assert_writes(figure->kind->tabulate, figure,
                  "# scalar\n"
                  " 8 4 4 4 1 7 ? 0\n"
                  " 10 3 3 3 1 9 ? 0.5\n"
                  " 12 2 2 2 1 11 ? 1\n"
                  " 11 3.5 3.5 3.5 0 10 ? 0.75\n");
}

static void activations_are_rectangles_of_the_verified_plan(void **state)
{
    const Figure *figure = figure_named(*state, "arena-layout-arena");
    assert_writes(figure->kind->tabulate, figure, " 0 2 0 2048 3\n 1 5 2048 3072 5\n");
    assert_writes(figure->kind->define, figure, "x_high = 5\nheight = 3\nheight_text = '3 KiB'\n");
}

// Their time is in the figure of time over memory.
static void times_by_model_are_of_cells_without_optimizer(void **state)
{
    const Fixture *fixture = *state;
    for (size_t i = 0; i < fixture->figures.count; i++)
        assert_null(strstr(fixture->figures.items[i].name, "time-by-model"));
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
        TEST(front_is_marked_and_comes_first),
        TEST(activations_are_rectangles_of_the_verified_plan),
        TEST(times_by_model_are_of_cells_without_optimizer),
        TEST(gnuplot_draws_them),
    };
#undef TEST
    return cmocka_run_group_tests_name("memory_figures", tests, NULL, NULL);
}
