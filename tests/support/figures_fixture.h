// SPDX-License-Identifier: Apache-2.0
// figures_fixture.h - what tests of figures share: a run in memory of two samples a cell, a
// verification and a timed one, and what its figures write. Include after <cmocka.h>; the test
// program defines _GNU_SOURCE.
#ifndef HYP_FIGURES_FIXTURE_H
#define HYP_FIGURES_FIXTURE_H

#include "report/figure_files.h"
#include "support/sweep_fixture.h"

enum { FIGURES_MOST_CELLS = 8, FIGURES_TEXT_BYTES = 16384 };

typedef struct FiguresFixture {
    RunRecord run;
    Sample samples[2 * FIGURES_MOST_CELLS]; // of each cell the verification, then the timed one
    CellSummary *summaries;
    FigureList figures;
} FiguresFixture;

// Adds what the cell's sample of that task tells.
typedef void (*FiguresDescribe)(Sample *sample, size_t cell, SampleTask task);

// A sample of nothing but, where it is timed, one repetition.
static inline Sample figures_sample(size_t cell, SampleTask task, double time_ns)
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
    sample.real_ns[0] = time_ns;
    return sample;
}

// Times in ms, one a cell of the scenario.
static inline int figures_setup(void **state, const char *scenario, const double *times_ms,
                                size_t cell_count, FiguresDescribe describe)
{
    if (fixture_enter(state) != 0)
        return -1;
    FiguresFixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_true(cell_count <= FIGURES_MOST_CELLS);
    fixture->run = (RunRecord){.plan = fixture_plan(scenario),
                               .machine = fixture_machine("0123456789abcdef"),
                               .samples = fixture->samples,
                               .sample_count = 2 * cell_count};
    assert_int_equal(fixture->run.plan->cell_count, cell_count);
    for (size_t i = 0; i < 2 * cell_count; i++) {
        const SampleTask task = i % 2 ? SAMPLE_TIME : SAMPLE_VERIFY;
        fixture->samples[i] = figures_sample(i / 2, task, times_ms[i / 2] * 1e6);
        describe(&fixture->samples[i], i / 2, task);
    }
    fixture->summaries = metrics_summarise(&fixture->run);
    assert_non_null(fixture->summaries);
    assert_true(figures_find(&fixture->run, fixture->summaries, "", &fixture->figures));
    *state = fixture;
    return 0;
}

static inline int figures_teardown(void **state)
{
    FiguresFixture *fixture = *state;
    figures_clear(&fixture->figures);
    metrics_free(fixture->summaries, fixture->run.plan->cell_count);
    for (size_t i = 0; i < fixture->run.sample_count; i++)
        sample_clear(&fixture->samples[i]);
    plan_free(fixture->run.plan);
    json_decref(fixture->run.machine);
    free(fixture);
    return fixture_leave(state);
}

static inline const Figure *figures_named(const FiguresFixture *fixture, const char *name)
{
    for (size_t i = 0; i < fixture->figures.count; i++)
        if (strcmp(fixture->figures.items[i].name, name) == 0)
            return &fixture->figures.items[i];
    fail_msg("no figure %s among %zu", name, fixture->figures.count);
    return NULL;
}

static inline void figures_expect_none(const FiguresFixture *fixture, const char *part_of_name)
{
    for (size_t i = 0; i < fixture->figures.count; i++)
        assert_null(strstr(fixture->figures.items[i].name, part_of_name));
}

static inline void figures_expect_text(void (*write)(const Figure *figure, FILE *out),
                                       const Figure *figure, const char *expected)
{
    char *text = calloc(1, FIGURES_TEXT_BYTES);
    assert_non_null(text);
    FILE *out = fmemopen(text, FIGURES_TEXT_BYTES - 1, "w");
    assert_non_null(out);
    write(figure, out);
    assert_int_equal(fclose(out), 0);
    if (!strstr(text, expected))
        fail_msg("expected '%s' in '%s'", expected, text);
    free(text);
}

// A test: gnuplot makes an image of each figure.
static inline void figures_are_drawn_by_gnuplot(void **state)
{
    const FiguresFixture *fixture = *state;
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

#endif
