// SPDX-License-Identifier: Apache-2.0
// test_facets.c - several runs in one report: panels by machine, runs of one machine over each
// other, tables with a column a run.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/figure_files.h"
#include "report/report_document.h"
#include "synthetic_run.h"

#include <sys/stat.h>
#include <unistd.h>

enum { MOST_RUNS = 6, TEXT_BYTES = 1 << 17 };

typedef struct Fixture {
    SyntheticRun *synthetic[MOST_RUNS];
    RunRecord *runs[MOST_RUNS];
    CellSummary *summaries[MOST_RUNS];
    RunSet set;
} Fixture;

static void set_text(json_t *object, const char *name, const char *text)
{
    assert_int_equal(json_object_set_new(object, name, json_string(text)), 0);
}

// A run of each machine key, each a tenth slower than the one before.
static void make_runs(Fixture *fixture, const char *const *keys, size_t count)
{
    *fixture = (Fixture){.set = {.count = count}};
    for (size_t i = 0; i < count; i++) {
        SyntheticRun *synthetic = synthetic_make(6);
        fixture->synthetic[i] = synthetic;
        fixture->runs[i] = &synthetic->run;
        set_text(synthetic->run.machine, "key", keys[i]);
        for (size_t j = 0; j < synthetic->run.sample_count; j++)
            for (size_t k = 0; k < synthetic->samples[j].real_count; k++)
                synthetic->samples[j].real_ns[k] *= 1 + 0.1 * (double)i;
    }
}

static void arrange(Fixture *fixture)
{
    for (size_t i = 0; i < fixture->set.count; i++) {
        fixture->summaries[i] = metrics_summarise(fixture->runs[i]);
        assert_non_null(fixture->summaries[i]);
    }
    fixture->set.runs = fixture->runs;
    fixture->set.summaries = fixture->summaries;
    assert_true(run_set_arrange(&fixture->set));
}

static void free_fixture(Fixture *fixture)
{
    facets_clear(&fixture->set.facets);
    figures_clear(&fixture->set.figures);
    run_machines_clear(&fixture->set.machines);
    for (size_t i = 0; i < fixture->set.count; i++) {
        metrics_free(fixture->summaries[i], SYNTHETIC_CELLS);
        synthetic_free(fixture->synthetic[i]);
    }
}

static const Facet *facet_named(const Fixture *fixture, const char *name)
{
    for (size_t i = 0; i < fixture->set.facets.count; i++)
        if (strcmp(fixture->set.facets.items[i].name, name) == 0)
            return &fixture->set.facets.items[i];
    fail_msg("no figure %s", name);
    return NULL;
}

// What a facet writes, or the report of the set, as text; the caller frees.
static char *capture(void (*write)(const Facet *facet, FILE *out), const Facet *facet,
                     const RunSet *set)
{
    char *text = calloc(1, TEXT_BYTES);
    assert_non_null(text);
    FILE *out = fmemopen(text, TEXT_BYTES - 1, "w");
    assert_non_null(out);
    if (write)
        write(facet, out);
    else
        assert_true(report_write(set, true, out));
    assert_int_equal(fclose(out), 0);
    assert_false(synthetic_has_nan(text));
    return text;
}

static void expect_text(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("missing: %s\nin:\n%s", wanted, text);
}

static void runs_of_two_machines_are_panels_of_one_figure(void **state)
{
    (void)state;
    static const char *const keys[] = {"one", "two"};
    Fixture fixture;
    make_runs(&fixture, keys, 2);
    set_text(fixture.synthetic[1]->run.machine, "environment_digest", "other");
    assert_int_equal(json_object_set_new(fixture.synthetic[1]->run.machine, "cpu",
                                         json_pack("{s:s}", "model_name", "Fast CPU")),
                     0);
    arrange(&fixture);
    for (size_t i = 0; i < fixture.set.figures.count; i++)
        assert_true(fixture.set.figures.items[i].shared);
    assert_int_equal(fixture.set.facets.count, 3); // throughput, L1 and L2 misses; no L3 here
    const Facet *rate = facet_named(&fixture, "gflops-over-block-size-blocks-machines");
    (void)facet_named(&fixture, "misses-over-block-size-blocks-L1-machines");
    char *script = capture(facet_define, rate, NULL);
    expect_text(script, "panel_count = 2\n");
    expect_text(script, "array panel_title[2] = ['M1: unknown CPU', 'M2: Fast CPU']\n");
    expect_text(script, "array panel_note[2] = ['key one', 'key two']\n");
    expect_text(script, "array first_block[2] = [1, 3]\n");
    expect_text(script, "array last_block[2] = [2, 4]\n");
    expect_text(script, "array peak_panel[4] = [1, 1, 2, 2]\n");
    expect_text(script, "style_count = 1\n");
    free(script);
    char *data = capture(facet_tabulate, rate, NULL);
    expect_text(data, "# M1, run 1, scalar\n 64 4.183844389 4.173436816 4.194304 6 0 ?\n");
    expect_text(data, "\n\n# M2, run 2, avx2\n 64 60.85591839 60.7045355 61.00805818 6 0 ?\n");
    free(data);
    free_fixture(&fixture);
}

static void runs_of_one_machine_lie_over_each_other(void **state)
{
    (void)state;
    static const char *const keys[] = {"one", "two", "one"};
    Fixture fixture;
    make_runs(&fixture, keys, 3);
    arrange(&fixture);
    const Facet *rate = facet_named(&fixture, "gflops-over-block-size-blocks-machines");
    assert_int_equal(rate->member_count, 3);
    assert_int_equal(rate->panel_count, 2);
    char *script = capture(facet_define, rate, NULL);
    expect_text(script, "array last_block[2] = [4, 6]\n");
    expect_text(script, "array block_style[6] = [1, 1, 2, 2, 1, 1]\n");
    expect_text(script, "array style_label[2] = ['run 1, 2', 'run 3']\n");
    free(script);
    char *report = capture(NULL, NULL, &fixture.set);
    expect_text(report, "| simd_level | block_size | M1 run 1 | M2 | M1 run 3 |\n");
    expect_text(report, "| avx2 | 128 | 3.208 ms | 3.529 ms | 3.850 ms |\n");
    free(report);
    free_fixture(&fixture);
}

static void runs_without_a_key_are_machines_of_their_own(void **state)
{
    (void)state;
    static const char *const keys[] = {"", ""};
    Fixture fixture;
    make_runs(&fixture, keys, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(json_object_del(fixture.synthetic[i]->run.machine, "key"), 0);
    arrange(&fixture);
    assert_int_equal(fixture.set.machines.count, 2);
    free_fixture(&fixture);
}

// The line of a script that begins like this; the caller frees the script.
static void copy_line(const char *script, const char *begin, char *line, size_t line_bytes)
{
    const char *at = strstr(script, begin);
    assert_non_null(at);
    (void)snprintf(line, line_bytes, "%.*s", (int)strcspn(at, "\n"), at);
}

static void more_machines_than_panels_give_figures_with_the_same_axes(void **state)
{
    (void)state;
    static const char *const keys[] = {"one", "two", "three", "four", "five", "two"};
    Fixture fixture;
    make_runs(&fixture, keys, 6);
    arrange(&fixture);
    const Facet *first = facet_named(&fixture, "gflops-over-block-size-blocks-machines");
    const Facet *second = facet_named(&fixture, "gflops-over-block-size-blocks-machines-2");
    assert_int_equal(first->shown_count, FACET_MOST_PANELS);
    assert_int_equal(second->shown_count, 1);
    char *scripts[] = {capture(facet_define, first, NULL), capture(facet_define, second, NULL)};
    static const char *const limits[] = {"x_low", "x_high", "y_low", "y_high", "y_base"};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        char lines[2][64];
        for (size_t j = 0; j < 2; j++)
            copy_line(scripts[j], limits[i], lines[j], sizeof lines[j]);
        assert_string_equal(lines[0], lines[1]);
    }
    expect_text(scripts[1], "array panel_title[1] = ['M5: unknown CPU']\n");
    free(scripts[0]);
    free(scripts[1]);
    free_fixture(&fixture);
}

static void other_scenarios_and_sizes_stay_apart(void **state)
{
    (void)state;
    static const char *const keys[] = {"one", "two", "three"};
    Fixture fixture;
    make_runs(&fixture, keys, 3);
    (void)snprintf(fixture.synthetic[1]->scenario, sizeof fixture.synthetic[1]->scenario, "other");
    for (size_t i = 0; i < SYNTHETIC_CELLS; i++)
        synthetic_bind(&fixture.synthetic[2]->cells[i], AXIS_M, "256");
    arrange(&fixture);
    assert_int_equal(fixture.set.facets.count, 0);
    assert_int_equal(fixture.set.figures.count, 6);
    assert_string_equal(fixture.set.figures.items[2].name, "gflops-over-block-size-blocks-run2");
    char *report = capture(NULL, NULL, &fixture.set);
    expect_text(report, "(plots/gflops-over-block-size-blocks-run2.png)");
    free(report);
    free_fixture(&fixture);
}

static void cells_that_one_run_lacks_are_said(void **state)
{
    (void)state;
    static const char *const keys[] = {"one", "two"};
    Fixture fixture;
    make_runs(&fixture, keys, 2);
    (void)snprintf(fixture.synthetic[1]->ids[3], sizeof fixture.synthetic[1]->ids[3],
                   "kernel/op:gemm/simd_level:avx2/block_size:256/m:512/n:512/k:512");
    synthetic_bind(&fixture.synthetic[1]->cells[3], AXIS_BLOCK_SIZE, "256");
    fixture.synthetic[1]->samples[fixture.synthetic[1]->run.sample_count - 2].ok = false;
    arrange(&fixture);
    char *report = capture(NULL, NULL, &fixture.set);
    expect_text(report, "| avx2 | 128 | 3.208 ms | –¹ |\n| avx2 | 256 | –¹ | failed |\n\n"
                        "¹ unavailable: not a cell of this run\n");
    free(report);
    free_fixture(&fixture);
}

static void environments_are_listed_where_they_differ(void **state)
{
    (void)state;
    static const char *const keys[] = {"one", "one"};
    Fixture fixture;
    make_runs(&fixture, keys, 2);
    json_t *machines[] = {fixture.synthetic[0]->run.machine, fixture.synthetic[1]->run.machine};
    json_t *environment = json_pack("{s:s, s:n}", "thp", "madvise", "governor");
    assert_int_equal(json_object_set_new(machines[0], "environment", environment), 0);
    environment = json_pack("{s:s, s:s, s:i}", "thp", "madvise", "governor", "powersave", "new", 7);
    assert_int_equal(json_object_set_new(machines[1], "environment", environment), 0);
    arrange(&fixture);
    char *report = capture(NULL, NULL, &fixture.set);
    expect_text(report, "| what | run 1, M1 | run 2, M1 |\n|---|---|---|\n"
                        "| governor | unknown | powersave |\n| new | unknown | 7 |\n\n");
    assert_null(strstr(report, "| thp |"));
    free(report);
    assert_int_equal(json_object_del(machines[0], "environment"), 0);
    assert_int_equal(json_object_del(machines[1], "environment"), 0);
    report = capture(NULL, NULL, &fixture.set);
    expect_text(report, "The recorded environments do not differ.");
    free(report);
    free_fixture(&fixture);
}

static bool model_uses(const AxisValue *values, AxisId axis)
{
    (void)values;
    return axis == AXIS_MODEL || axis == AXIS_SIMD_LEVEL;
}

static const Workload model_workload = {.name = "model", .uses = model_uses};

static void turn_into_models(SyntheticRun *synthetic, const char *first, const char *second)
{
    synthetic->sweep.workload = &model_workload;
    for (size_t i = 0; i < SYNTHETIC_CELLS; i++) {
        synthetic->cells[i].workload = &model_workload;
        synthetic->cells[i].values[AXIS_MODEL].text = i % 2 ? second : first;
        synthetic->facts[i][0].name[0] = '\0'; // several kernels run
    }
}

static void names_of_all_runs_share_the_x_axis(void **state)
{
    (void)state;
    static const char *const keys[] = {"one", "two"};
    Fixture fixture;
    make_runs(&fixture, keys, 2);
    turn_into_models(fixture.synthetic[0], "builtin:mlp", "nowhere/mnist.onnx");
    turn_into_models(fixture.synthetic[1], "nowhere/mnist.onnx", "builtin:cnn");
    arrange(&fixture);
    const Facet *time = facet_named(&fixture, "time-by-model-blocks-machines");
    char *script = capture(facet_define, time, NULL);
    expect_text(script, "array category_label[3] = ['builtin:mlp', 'mnist.onnx', 'builtin:cnn']\n");
    free(script);
    // Slots of two levels: 0.175 beside the place of the name.
    char *data = capture(facet_tabulate, time, NULL);
    expect_text(data, "# M1, run 1, avx2\n 1.175 4.01 4 4.02 6 0 ?\n 2.175 ");
    expect_text(data, "# M2, run 2, scalar\n 1.825 70.576 70.4 70.752 6 0 ?\n 2.825 ");
    free(data);
    free_fixture(&fixture);
}

static void a_run_of_another_architecture_is_shown(void **state)
{
    (void)state;
    static const char *const keys[] = {"x86", "arm"};
    Fixture fixture;
    make_runs(&fixture, keys, 2);
    SyntheticRun *arm = fixture.synthetic[1];
    for (size_t i = 2; i < SYNTHETIC_CELLS; i++)
        (void)snprintf(arm->facts[i][0].name, sizeof arm->facts[i][0].name,
                       "kernel.gemm_f32_neon_8x12");
    json_t *peaks = json_object_get(json_object_get(arm->run.machine, "limits"), "peaks");
    assert_int_equal(json_object_set(peaks, "neon", json_object_get(peaks, "avx2")), 0);
    assert_int_equal(json_object_del(peaks, "avx2"), 0);
    arrange(&fixture);
    const Facet *rate = facet_named(&fixture, "gflops-over-block-size-blocks-machines");
    char *script = capture(facet_define, rate, NULL);
    expect_text(script, "array level_name[3] = ['scalar', 'neon', 'avx2']\n");
    expect_text(script, "array peak_level[4] = ['scalar', 'avx2', 'scalar', 'neon']\n");
    free(script);
    char *report = capture(NULL, NULL, &fixture.set);
    expect_text(report, "| neon | 128.0 | 126.0 to 130.0 |");
    free(report);
    free_fixture(&fixture);
}

static void draw(const Fixture *fixture, const char *gnuplot, const char *directory)
{
    for (size_t i = 0; i < fixture->set.facets.count; i++) {
        const Facet *facet = &fixture->set.facets.items[i];
        Problem problem = {0};
        if (!facet_write(facet, directory, &problem) ||
            !gnuplot_run(gnuplot, directory, facet->name, &problem))
            fail_msg("%s", problem.text);
        char path[512];
        struct stat facts;
        (void)snprintf(path, sizeof path, "%s/%s.png", directory, facet->name);
        assert_int_equal(stat(path, &facts), 0);
        assert_true(facts.st_size > 1000);
    }
}

static void gnuplot_draws_every_facet(void **state)
{
    (void)state;
    static const char *const keys[] = {"one", "two", "three", "four", "five", "two"};
    char gnuplot[512];
    if (!gnuplot_find(gnuplot, sizeof gnuplot)) {
        print_message("skipped: gnuplot is not in PATH\n");
        skip();
    }
    char directory[] = "/tmp/hyperion-facets-XXXXXX";
    assert_non_null(mkdtemp(directory));
    for (size_t variant = 0; variant < 3; variant++) {
        Fixture fixture;
        make_runs(&fixture, keys, variant == 1 ? 2 : 6);
        for (size_t i = 0; variant == 2 && i < fixture.set.count; i++)
            turn_into_models(fixture.synthetic[i], "builtin:mlp", "builtin:cnn");
        if (variant == 1) // counted misses on one machine, no peaks on the other
            fixture.synthetic[0]->counts[1][0] =
                synthetic_value("PAPI_L1_DCM", 610000, "", "pmu", "");
        if (variant == 1)
            (void)json_object_set_new(fixture.runs[1]->machine, "limits", json_null());
        arrange(&fixture);
        assert_true(fixture.set.facets.count > 0);
        draw(&fixture, gnuplot, directory);
        free_fixture(&fixture);
    }
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_of_two_machines_are_panels_of_one_figure),
        cmocka_unit_test(runs_of_one_machine_lie_over_each_other),
        cmocka_unit_test(runs_without_a_key_are_machines_of_their_own),
        cmocka_unit_test(more_machines_than_panels_give_figures_with_the_same_axes),
        cmocka_unit_test(other_scenarios_and_sizes_stay_apart),
        cmocka_unit_test(cells_that_one_run_lacks_are_said),
        cmocka_unit_test(environments_are_listed_where_they_differ),
        cmocka_unit_test(names_of_all_runs_share_the_x_axis),
        cmocka_unit_test(a_run_of_another_architecture_is_shown),
        cmocka_unit_test(gnuplot_draws_every_facet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
