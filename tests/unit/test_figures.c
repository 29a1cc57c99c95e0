// SPDX-License-Identifier: Apache-2.0
// test_figures.c - which figures a run gives, the data and scripts they write, and that gnuplot
// draws them.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/figure_files.h"
#include "report/figure_script.h"
#include "synthetic_run.h"

#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_BYTES = 16384 };

typedef struct Fixture {
    SyntheticRun *synthetic;
    CellSummary *summaries;
    FigureList figures;
} Fixture;

static void find_figures(Fixture *fixture)
{
    fixture->summaries = metrics_summarise(&fixture->synthetic->run);
    assert_non_null(fixture->summaries);
    assert_true(figures_find(&fixture->synthetic->run, fixture->summaries, "", &fixture->figures));
}

static void free_fixture(Fixture *fixture)
{
    figures_clear(&fixture->figures);
    metrics_free(fixture->summaries, SYNTHETIC_CELLS);
    synthetic_free(fixture->synthetic);
}

static const Figure *figure_named(const Fixture *fixture, const char *name)
{
    for (size_t i = 0; i < fixture->figures.count; i++)
        if (strcmp(fixture->figures.items[i].name, name) == 0)
            return &fixture->figures.items[i];
    fail_msg("no figure %s", name);
    return NULL;
}

// What a kind writes, as text; the caller frees.
static char *capture(void (*write)(const Figure *figure, FILE *out), const Figure *figure)
{
    char *text = calloc(1, TEXT_BYTES);
    assert_non_null(text);
    FILE *out = fmemopen(text, TEXT_BYTES - 1, "w");
    assert_non_null(out);
    write(figure, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void figures_follow_from_what_the_run_varies(void **state)
{
    (void)state;
    Fixture fixture = {.synthetic = synthetic_make(6)};
    find_figures(&fixture);
    assert_int_equal(fixture.figures.count, 2);
    const Figure *rate = figure_named(&fixture, "gflops-over-block-size-blocks");
    assert_string_equal(rate->title, "gemm: throughput over block size");
    assert_int_equal(rate->series_count, 2);
    assert_int_equal(rate->left_out, 0);
    char fixed[256];
    figure_describe_fixed(rate, fixed, sizeof fixed);
    assert_string_equal(fixed, "m = n = k = 512");
    (void)figure_named(&fixture, "misses-over-block-size-blocks");
    free_fixture(&fixture);
}

static void an_axis_that_is_not_shown_gives_a_figure_a_value(void **state)
{
    (void)state;
    Fixture fixture = {.synthetic = synthetic_make(6)};
    for (size_t i = 0; i < SYNTHETIC_CELLS; i += 2) { // blocks 64 at m = 256 and 512, 128 likewise
        synthetic_bind(&fixture.synthetic->cells[i], AXIS_SIMD_LEVEL, "avx2");
        synthetic_bind(&fixture.synthetic->cells[i + 1], AXIS_SIMD_LEVEL, "avx2");
        synthetic_bind(&fixture.synthetic->cells[i], AXIS_M, i ? "512" : "256");
        synthetic_bind(&fixture.synthetic->cells[i + 1], AXIS_M, i ? "512" : "256");
    }
    find_figures(&fixture);
    assert_int_equal(fixture.figures.count, 4);
    (void)figure_named(&fixture, "gflops-over-block-size-blocks-m256");
    (void)figure_named(&fixture, "gflops-over-block-size-blocks-m512");
    free_fixture(&fixture);
}

static void data_of_a_rate_are_median_and_interval(void **state)
{
    (void)state;
    Fixture fixture = {.synthetic = synthetic_make(6)};
    find_figures(&fixture);
    const Figure *rate = figure_named(&fixture, "gflops-over-block-size-blocks");
    char *data = capture(rate->kind->tabulate, rate);
    assert_string_equal(
        data, "# columns: block_size, gflops [GFLOP/s] (clock), low, high, samples, automatic\n"
              "# scalar\n"
              " 64 4.183844389 4.173436816 4.194304 6 0\n"
              " 128 4.462767348 4.451665937 4.473924267 6 0\n"
              "\n\n# avx2\n"
              " 64 66.94151022 66.77498905 67.108864 6 0\n"
              " 128 83.67688778 83.46873632 83.88608 6 0\n");
    free(data);
    free_fixture(&fixture);
}

static void too_few_samples_are_drawn_with_their_range_and_said(void **state)
{
    (void)state;
    Fixture fixture = {.synthetic = synthetic_make(3)};
    find_figures(&fixture);
    const Figure *rate = figure_named(&fixture, "gflops-over-block-size-blocks");
    char *data = capture(rate->kind->tabulate, rate);
    assert_non_null(strstr(data, " 64 67.04182218 66.97491417 67.108864 3 0\n"));
    free(data);
    char *script = capture(rate->kind->define, rate);
    assert_non_null(strstr(script, "bars: range of the samples (fewer than 6: no 95 % interval)"));
    free(script);
    free_fixture(&fixture);
}

static void definitions_name_series_ticks_and_peaks(void **state)
{
    (void)state;
    Fixture fixture = {.synthetic = synthetic_make(6)};
    find_figures(&fixture);
    const Figure *rate = figure_named(&fixture, "gflops-over-block-size-blocks");
    char *script = capture(rate->kind->define, rate);
    static const char *const wanted[] = {"series_count = 2\n",
                                         "array series_level[2] = ['scalar', 'avx2']\n",
                                         "x_label = 'block size [elements]'\n",
                                         "ticks = \"set xtics nomirror ('64' 64, '128' 128)\"\n",
                                         "array peak_level[2] = ['scalar', 'avx2']\n",
                                         "array peak_value[2] = [8, 128]\n",
                                         "y_label = 'throughput [GFLOP/s]'\n",
                                         "bars: 95 % order-statistic interval of the median."};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(script, wanted[i]))
            fail_msg("missing: %sin:\n%s", wanted[i], script);
    assert_false(synthetic_has_nan(script));
    free(script);
    free_fixture(&fixture);
}

static void without_a_measured_peak_the_caption_says_so(void **state)
{
    (void)state;
    Fixture fixture = {.synthetic = synthetic_make(6)};
    assert_int_equal(json_object_set_new(fixture.synthetic->run.machine, "limits", json_null()), 0);
    find_figures(&fixture);
    const Figure *rate = figure_named(&fixture, "gflops-over-block-size-blocks");
    char *script = capture(rate->kind->define, rate);
    assert_non_null(strstr(script, "peak_count = 0\n"));
    assert_non_null(strstr(script, "Peak: unavailable"));
    free(script);
    free_fixture(&fixture);
}

static void a_failed_cell_is_left_out(void **state)
{
    (void)state;
    Fixture fixture = {.synthetic = synthetic_make(6)};
    fixture.synthetic->samples[2].ok = false; // of cell 0, scalar at block 64
    find_figures(&fixture);
    const Figure *rate = figure_named(&fixture, "gflops-over-block-size-blocks");
    assert_int_equal(rate->left_out, 1);
    assert_int_equal(rate->series[0].count, 1);
    free_fixture(&fixture);
}

static void an_automatic_block_stands_at_the_resolved_one(void **state)
{
    (void)state;
    Fixture fixture = {.synthetic = synthetic_make(6)};
    SyntheticRun *synthetic = fixture.synthetic;
    synthetic->plan.cell_count = synthetic->sweep.cell_count = 3;
    synthetic->run.sample_count = 24;
    synthetic_bind(&synthetic->cells[2], AXIS_SIMD_LEVEL, "scalar");
    synthetic_bind(&synthetic->cells[2], AXIS_BLOCK_SIZE, "0");
    synthetic->facts[2][0] = synthetic->facts[0][0]; // the scalar kernel
    synthetic->facts[2][4].value = 96;               // mc
    find_figures(&fixture);
    const Figure *rate = figure_named(&fixture, "gflops-over-block-size-blocks");
    assert_int_equal(rate->series_count, 1);
    assert_int_equal(rate->series[0].count, 3);
    const FigurePoint *last = &rate->series[0].points[2];
    assert_true(last->automatic && last->x == 96);
    char *script = capture(rate->kind->define, rate);
    assert_non_null(strstr(script, "ticks = \"set xtics nomirror ('64' 64, '128' 128)\"\n"));
    assert_non_null(strstr(script, "automatic = 1\n"));
    free(script);
    free_fixture(&fixture);
}

static void missing_counters_are_said_in_the_figure(void **state)
{
    (void)state;
    Fixture fixture = {.synthetic = synthetic_make(6)};
    find_figures(&fixture);
    const Figure *misses = figure_named(&fixture, "misses-over-block-size-blocks");
    char *script = capture(misses->kind->define, misses);
    assert_non_null(strstr(script, "missing_text = 'measured: unavailable (no PMU)'\n"));
    assert_non_null(strstr(script, "Measured: unavailable (no PMU on this machine)."));
    // No L3 predicted, and an L2 that is not the same for all.
    assert_non_null(strstr(script, "array panel_title[2] = ['L1 · 48 KiB', 'L2']\n"));
    free(script);
    char *data = capture(misses->kind->tabulate, misses);
    assert_non_null(strstr(data, "# L1, scalar\n 64 900000 ? ? ? 0 ?\n"));
    assert_false(synthetic_has_nan(data));
    free(data);
    free_fixture(&fixture);
}

static void counted_misses_are_drawn(void **state)
{
    (void)state;
    Fixture fixture = {.synthetic = synthetic_make(6)};
    fixture.synthetic->counts[1][0] = synthetic_value("PAPI_L1_DCM", 610000, "", "pmu", "");
    find_figures(&fixture);
    const Figure *misses = figure_named(&fixture, "misses-over-block-size-blocks");
    char *script = capture(misses->kind->define, misses);
    assert_non_null(strstr(script, "array panel_measured[2] = [1, 0]\n"));
    assert_non_null(strstr(script, "any_measured = 1\n"));
    free(script);
    char *data = capture(misses->kind->tabulate, misses);
    assert_non_null(strstr(data, " 128 600000 ? ? 610000 0 ?\n"));
    free(data);
    free_fixture(&fixture);
}

static void sweeps_that_differ_in_level_and_x_share_a_figure(void **state)
{
    (void)state;
    Fixture fixture = {.synthetic = synthetic_make(6)};
    PlanSweep sweeps[] = {fixture.synthetic->sweep, fixture.synthetic->sweep};
    sweeps[0].cell_count = 2; // scalar
    sweeps[1].name = "vectors";
    sweeps[1].first_cell = sweeps[1].cell_count = 2;
    for (size_t i = 0; i < SYNTHETIC_CELLS; i++)
        fixture.synthetic->cells[i].sweep = &sweeps[i / 2];
    fixture.synthetic->plan.sweeps = sweeps;
    fixture.synthetic->plan.sweep_count = 2;
    find_figures(&fixture);
    assert_int_equal(fixture.figures.count, 2);
    const Figure *rate = figure_named(&fixture, "gflops-over-block-size-blocks");
    assert_int_equal(rate->series_count, 2);
    assert_true(figure_takes_sweep(rate, &sweeps[1]));
    figures_clear(&fixture.figures);
    metrics_free(fixture.summaries, SYNTHETIC_CELLS);
    // Another size is another figure.
    synthetic_bind(&fixture.synthetic->cells[2], AXIS_N, "256");
    synthetic_bind(&fixture.synthetic->cells[3], AXIS_N, "256");
    find_figures(&fixture);
    assert_int_equal(fixture.figures.count, 4);
    free_fixture(&fixture);
}

static bool model_uses(const AxisValue *values, AxisId axis)
{
    (void)values;
    return axis == AXIS_MODEL || axis == AXIS_SIMD_LEVEL;
}

// The same cells as two models at two levels.
static void turn_into_models(SyntheticRun *synthetic)
{
    static const Workload workload = {.name = "model", .uses = model_uses};
    static const char *const models[] = {"builtin:mlp:width=8,depth=2", "models/mnist.onnx"};
    synthetic->sweep.workload = &workload;
    for (size_t i = 0; i < SYNTHETIC_CELLS; i++) {
        synthetic->cells[i].workload = &workload;
        synthetic->cells[i].values[AXIS_MODEL].text = models[i % 2];
        synthetic->facts[i][0].name[0] = '\0'; // several kernels run
    }
}

static void models_stand_side_by_side_by_level(void **state)
{
    (void)state;
    Fixture fixture = {.synthetic = synthetic_make(6)};
    turn_into_models(fixture.synthetic);
    find_figures(&fixture);
    assert_int_equal(fixture.figures.count, 1);
    const Figure *models = figure_named(&fixture, "time-by-model-blocks");
    assert_string_equal(models->title, "model: time of one pass by SIMD level");
    char *script = capture(models->kind->define, models);
    assert_non_null(strstr(script, "category_count = 2\n"));
    assert_non_null(
        strstr(script, "array category_label[2] = ['builtin:mlp' . \"\\n\" . 'width=8,depth=2', "
                       "'mnist.onnx']\n"));
    free(script);
    char *data = capture(models->kind->tabulate, models);
    assert_non_null(strstr(data, "\n\n# avx2\n 1 4.01 4 4.02 6 0\n 2 3.208 3.2 3.216 6 0\n"));
    free(data);
    free_fixture(&fixture);
}

static void texts_cannot_run_commands(void **state)
{
    (void)state;
    char text[128] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    script_text(out, "x", "it's `touch y`\nb\\");
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "x = 'it''s `touch y`' . \"\\n\" . 'b\\'\n");
}

static void draw_all(const Fixture *fixture, const char *gnuplot, const char *directory)
{
    for (size_t i = 0; i < fixture->figures.count; i++) {
        const Figure *figure = &fixture->figures.items[i];
        Problem problem = {0};
        if (!figure_write(figure, directory, &problem) ||
            !gnuplot_run(gnuplot, directory, figure->name, &problem))
            fail_msg("%s", problem.text);
        static const char *const endings[] = {"svg", "png"};
        for (size_t j = 0; j < 2; j++) {
            char path[512];
            struct stat facts;
            (void)snprintf(path, sizeof path, "%s/%s.%s", directory, figure->name, endings[j]);
            assert_int_equal(stat(path, &facts), 0);
            assert_true(facts.st_size > 1000);
            assert_int_equal(unlink(path), 0);
        }
    }
}

static void gnuplot_draws_every_figure(void **state)
{
    (void)state;
    char gnuplot[512];
    if (!gnuplot_find(gnuplot, sizeof gnuplot)) {
        print_message("skipped: gnuplot is not in PATH\n");
        skip();
    }
    char directory[] = "/tmp/hyperion-figures-XXXXXX";
    assert_non_null(mkdtemp(directory));
    for (size_t variant = 0; variant < 4; variant++) {
        Fixture fixture = {.synthetic = synthetic_make(variant ? 6 : 3)};
        SyntheticRun *synthetic = fixture.synthetic;
        (void)snprintf(synthetic->plan.hash, sizeof synthetic->plan.hash, "`exit 3`");
        if (variant == 1)
            synthetic->counts[1][0] = synthetic_value("PAPI_L1_DCM", 610000, "", "pmu", "");
        if (variant == 2) // one level, no peak: the linear axis
            assert_int_equal(json_object_set_new(synthetic->run.machine, "limits", json_null()), 0);
        if (variant == 3)
            turn_into_models(synthetic);
        find_figures(&fixture);
        assert_true(fixture.figures.count > 0);
        draw_all(&fixture, gnuplot, directory);
        free_fixture(&fixture);
    }
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

static void a_failing_script_says_what_gnuplot_said(void **state)
{
    (void)state;
    char gnuplot[512];
    if (!gnuplot_find(gnuplot, sizeof gnuplot)) {
        print_message("skipped: gnuplot is not in PATH\n");
        skip();
    }
    Problem problem = {0};
    assert_false(gnuplot_run(gnuplot, "/tmp", "hyperion-no-such-figure", &problem));
    assert_non_null(strstr(problem.text, "hyperion-no-such-figure.gp"));
    Problem unwritable = {0};
    Fixture fixture = {.synthetic = synthetic_make(6)};
    find_figures(&fixture);
    assert_false(figure_write(&fixture.figures.items[0], "/nonexistent", &unwritable));
    assert_non_null(strstr(unwritable.text, "/nonexistent/"));
    free_fixture(&fixture);
}

static void without_gnuplot_in_path_there_is_none(void **state)
{
    (void)state;
    const char *before = getenv("PATH");
    char *path = before ? strdup(before) : NULL;
    char found[512];
    assert_int_equal(setenv("PATH", "/nonexistent::/proc", 1), 0);
    assert_false(gnuplot_find(found, sizeof found));
    if (path)
        assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_follow_from_what_the_run_varies),
        cmocka_unit_test(an_axis_that_is_not_shown_gives_a_figure_a_value),
        cmocka_unit_test(sweeps_that_differ_in_level_and_x_share_a_figure),
        cmocka_unit_test(data_of_a_rate_are_median_and_interval),
        cmocka_unit_test(too_few_samples_are_drawn_with_their_range_and_said),
        cmocka_unit_test(definitions_name_series_ticks_and_peaks),
        cmocka_unit_test(without_a_measured_peak_the_caption_says_so),
        cmocka_unit_test(a_failed_cell_is_left_out),
        cmocka_unit_test(an_automatic_block_stands_at_the_resolved_one),
        cmocka_unit_test(missing_counters_are_said_in_the_figure),
        cmocka_unit_test(counted_misses_are_drawn),
        cmocka_unit_test(models_stand_side_by_side_by_level),
        cmocka_unit_test(texts_cannot_run_commands),
        cmocka_unit_test(gnuplot_draws_every_figure),
        cmocka_unit_test(a_failing_script_says_what_gnuplot_said),
        cmocka_unit_test(without_gnuplot_in_path_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
