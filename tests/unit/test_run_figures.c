// SPDX-License-Identifier: Apache-2.0
// Figures over all cells of a run: the roofline, and the distribution of errors of cache counts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/run_figures.h"

#include "unit/synthetic_run.h"

#include <unistd.h>

typedef struct Fixture {
    SyntheticRun *synthetic;
    CellSummary *summaries;
} Fixture;

static Fixture make_fixture(void)
{
    Fixture fixture = {.synthetic = synthetic_make(6)};
    return fixture;
}

static void summarise(Fixture *fixture)
{
    fixture->summaries = metrics_summarise(&fixture->synthetic->run);
    assert_non_null(fixture->summaries);
}

static void free_fixture(Fixture *fixture)
{
    metrics_free(fixture->summaries, SYNTHETIC_CELLS);
    synthetic_free(fixture->synthetic);
}

static void measure_memory(Fixture *fixture)
{
    json_t *limits = json_object_get(fixture->synthetic->run.machine, "limits");
    (void)json_object_set_new(
        limits, "memory",
        json_pack("[{s:s, s:{s:{s:f}, s:{s:f}}}, {s:s, s:n}, {s:s, s:{s:{s:f}}}]", "name", "L1",
                  "bandwidth", "read", "gbytes_per_s", 300.0, "write", "gbytes_per_s", 150.0,
                  "name", "L2", "bandwidth", "name", "memory", "bandwidth", "read", "gbytes_per_s",
                  20.0));
}

static const RunFigureKind *find_kind(const char *name)
{
    for (const RunFigureKind *kind = run_figure_table; kind->name; kind++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    fail_msg("no figure %s", name);
    return NULL;
}

typedef void (*Writer)(const RunRecord *run, const CellSummary *summaries, FILE *out);

static const char *write_text(const Fixture *fixture, Writer write)
{
    static char text[1 << 16];
    FILE *file = tmpfile();
    assert_non_null(file);
    write(&fixture->synthetic->run, fixture->summaries, file);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

static size_t count_cells(const Fixture *fixture, const RunFigureKind *kind)
{
    return kind->count(&fixture->synthetic->run, fixture->summaries);
}

static void roofline_needs_measured_bandwidths(void **state)
{
    (void)state;
    const RunFigureKind *kind = find_kind("roofline");
    Fixture fixture = make_fixture();
    summarise(&fixture);
    assert_int_equal(count_cells(&fixture, kind), 0);
    measure_memory(&fixture);
    assert_int_equal(count_cells(&fixture, kind), SYNTHETIC_CELLS);
    // The roofs are those of one core.
    fixture.synthetic->cells[1].values[AXIS_THREADS].integer = 2;
    assert_int_equal(count_cells(&fixture, kind), SYNTHETIC_CELLS - 1);
    free_fixture(&fixture);
}

static void roofline_has_roofs_and_a_block_an_operation_and_level(void **state)
{
    (void)state;
    const RunFigureKind *kind = find_kind("roofline");
    Fixture fixture = make_fixture();
    measure_memory(&fixture);
    summarise(&fixture);
    const char *script = write_text(&fixture, kind->define);
    // The fastest pattern of each level that has one.
    assert_non_null(strstr(script, "roof_count = 2"));
    assert_non_null(strstr(script, "['L1 300 GB/s', 'memory 20 GB/s']"));
    assert_non_null(strstr(script, "peak_count = 2"));
    assert_non_null(strstr(script, "operation_count = 1"));
    const char *data = write_text(&fixture, kind->tabulate);
    const char *avx2 = strstr(data, "# gemm, avx2\n");
    assert_non_null(avx2);
    double intensity = 0;
    double gflops = 0;
    int above = -1;
    assert_int_equal(sscanf(avx2, "# gemm, avx2\n ? ? 0\n %lf %lf %d", &intensity, &gflops, &above),
                     3);
    assert_true(fabs(intensity - 268435456.0 / 3145728) < 1e-3 && above == 0);
    assert_true(fabs(gflops - 268435456 / 4.01e6) < 0.01);
    assert_null(strstr(data, "nan"));
    free_fixture(&fixture);
}

static void errors_are_steps_up_to_all_cells(void **state)
{
    (void)state;
    const RunFigureKind *kind = find_kind("cache-errors");
    Fixture fixture = make_fixture();
    SampleValue facts[SYNTHETIC_CELLS][2];
    static const double predicted[SYNTHETIC_CELLS] = {10000, 10300, 9900, 10200};
    for (size_t i = 0; i < fixture.synthetic->run.sample_count; i++) {
        Sample *sample = &fixture.synthetic->samples[i];
        const size_t cell = sample->cell;
        if (sample->task != SAMPLE_COUNT)
            continue;
        facts[cell][0] = synthetic_value("predicted.L2.fills", predicted[cell], "", "model", "");
        facts[cell][1] = synthetic_value("sim.cold.L2.fills", 10000, "", "sim", "");
        sample->values = facts[cell];
        sample->value_count = 2;
    }
    summarise(&fixture);
    assert_int_equal(count_cells(&fixture, kind), SYNTHETIC_CELLS);
    const char *data = write_text(&fixture, kind->tabulate);
    assert_non_null(strstr(data, "# L2, closed form against simulation\n ? ?\n 0.01 25\n 1 50\n"));
    assert_non_null(strstr(data, " 3 100\n"));
    const char *script = write_text(&fixture, kind->define);
    assert_non_null(strstr(script, "Nothing here was measured on hardware"));
    assert_non_null(strstr(script, "kind_shown[4] = [1, 0, 0, 0]"));
    free_fixture(&fixture);
}

static void without_counts_there_is_no_figure_of_errors(void **state)
{
    (void)state;
    Fixture fixture = make_fixture();
    summarise(&fixture);
    assert_int_equal(count_cells(&fixture, find_kind("cache-errors")), 0);
    free_fixture(&fixture);
}

static void figures_of_later_runs_say_which(void **state)
{
    (void)state;
    char name[64];
    run_figure_name(find_kind("roofline"), 0, name, sizeof name);
    assert_string_equal(name, "roofline");
    run_figure_name(find_kind("roofline"), 1, name, sizeof name);
    assert_string_equal(name, "roofline-run2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roofline_needs_measured_bandwidths),
        cmocka_unit_test(roofline_has_roofs_and_a_block_an_operation_and_level),
        cmocka_unit_test(errors_are_steps_up_to_all_cells),
        cmocka_unit_test(without_counts_there_is_no_figure_of_errors),
        cmocka_unit_test(figures_of_later_runs_say_which),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
