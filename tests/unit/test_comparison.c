// SPDX-License-Identifier: Apache-2.0
// test_comparison.c - every verdict and exit code of comparing two synthetic runs, and every
// format.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/command.h"
#include "compare/comparison_formats.h"
#include "synthetic_run.h"

enum { OUTPUT_BYTES = 65536, SAMPLES = 10 };

static void scale_cell(SyntheticRun *synthetic, size_t cell, double factor)
{
    for (size_t i = 0; i < synthetic->run.sample_count; i++) {
        Sample *sample = &synthetic->samples[i];
        for (size_t j = 0; sample->cell == cell && j < sample->real_count; j++)
            sample->real_ns[j] *= factor;
    }
}

// A comparison with the sides it is about.
typedef struct Compared {
    SyntheticRun *run[SIDE_COUNT];
    MeasuredSide *side[SIDE_COUNT];
    Comparison *comparison;
} Compared;

static Compared *make_runs(size_t base_samples, size_t new_samples)
{
    Compared *compared = calloc(1, sizeof *compared);
    assert_non_null(compared);
    compared->run[SIDE_BASE] = synthetic_make(base_samples);
    compared->run[SIDE_NEW] = synthetic_make(new_samples);
    return compared;
}

static const Comparison *compare(Compared *compared)
{
    const ComparisonOptions options = {.least_time_effect = NAN};
    for (ComparedSide side = 0; side < SIDE_COUNT; side++) {
        compared->side[side] = measured_side_of_run(&compared->run[side]->run);
        assert_non_null(compared->side[side]);
    }
    compared->comparison =
        comparison_make(compared->side[SIDE_BASE], compared->side[SIDE_NEW], &options);
    assert_non_null(compared->comparison);
    return compared->comparison;
}

static void clear(Compared *compared)
{
    comparison_free(compared->comparison);
    for (ComparedSide side = 0; side < SIDE_COUNT; side++) {
        measured_side_free(compared->side[side]);
        synthetic_free(compared->run[side]);
    }
    free(compared);
}

static const ComparedRow *find_row(const Comparison *comparison, const char *id, size_t metric)
{
    for (size_t i = 0; i < comparison->row_count; i++)
        if (comparison->rows[i].metric == metric && strcmp(comparison->rows[i].id, id) == 0)
            return &comparison->rows[i];
    fail_msg("no row of %s, metric %zu", id, metric);
    return NULL;
}

static void check_row(const ComparedRow *row, Verdict verdict)
{
    assert_string_equal(comparison_verdict_name(row->verdict), comparison_verdict_name(verdict));
}

static const ComparedRow *time_of(const Compared *compared, size_t cell)
{
    return find_row(compared->comparison, compared->run[SIDE_NEW]->ids[cell], COMPARED_TIME);
}

static void equal_runs_are_the_same(void **state)
{
    (void)state;
    Compared *compared = make_runs(SAMPLES, SAMPLES);
    const Comparison *comparison = compare(compared);
    // Time, peak memory and two predictions of each cell.
    assert_int_equal(comparison->row_count, 4 * SYNTHETIC_CELLS);
    assert_int_equal(comparison->count_of[VERDICT_SAME], 4 * SYNTHETIC_CELLS);
    assert_int_equal(comparison->test_count, 2 * SYNTHETIC_CELLS);
    assert_int_equal(comparison_exit_code(comparison), EXIT_OK);
    const ComparedRow *row = time_of(compared, 2);
    assert_true(fabs(row->ratio.estimate - 1) < 1e-12 && row->effect == 0);
    assert_true(row->ratio.interval.low < 1 && row->ratio.interval.high > 1);
    assert_true(row->corrected_p == 1);
    clear(compared);
}

static void a_change_that_matters_is_called(void **state)
{
    (void)state;
    const struct {
        double factor;
        Verdict verdict;
        int exit_code;
    } wanted[] = {{1.04, VERDICT_SLOWER, EXIT_REGRESSION},
                  {1.02, VERDICT_SAME, EXIT_OK},
                  {0.98, VERDICT_SAME, EXIT_OK},
                  {0.95, VERDICT_FASTER, EXIT_OK}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        Compared *compared = make_runs(SAMPLES, SAMPLES);
        scale_cell(compared->run[SIDE_NEW], 1, wanted[i].factor);
        const Comparison *comparison = compare(compared);
        const ComparedRow *row = time_of(compared, 1);
        check_row(row, wanted[i].verdict);
        assert_int_equal(comparison_exit_code(comparison), wanted[i].exit_code);
        assert_true(fabs(row->ratio.estimate - wanted[i].factor) < 1e-3);
        assert_true(row->corrected_p <= COMPARISON_ALPHA);
        assert_true(row->corrected_p >= row->p_value * 7.9); // one of eight tests
        assert_true(row->effect == (wanted[i].factor > 1 ? 1 : -1));
        clear(compared);
    }
}

static void noise_hides_a_change(void **state)
{
    (void)state;
    Compared *compared = make_runs(SAMPLES, SAMPLES);
    // Every other sample of NEW's cell 1 takes twice as long, the rest half.
    SyntheticRun *latest = compared->run[SIDE_NEW];
    for (size_t i = 0; i < latest->run.sample_count; i++)
        for (size_t j = 0; latest->samples[i].cell == 1 && j < latest->samples[i].real_count; j++)
            latest->samples[i].real_ns[j] *= i % 2 ? 2 : 0.5;
    const Comparison *comparison = compare(compared);
    const ComparedRow *row = time_of(compared, 1);
    check_row(row, VERDICT_INCONCLUSIVE);
    assert_true(row->visible > 0.5);
    assert_int_equal(comparison_exit_code(comparison), EXIT_INCONCLUSIVE);
    clear(compared);
}

static void too_few_samples_are_inconclusive_and_see_nothing(void **state)
{
    (void)state;
    Compared *compared = make_runs(6, 5);
    scale_cell(compared->run[SIDE_NEW], 0, 3);
    const Comparison *comparison = compare(compared);
    check_row(time_of(compared, 0), VERDICT_INCONCLUSIVE);
    assert_true(isinf(time_of(compared, 0)->visible));
    assert_int_equal(comparison_exit_code(comparison), EXIT_INCONCLUSIVE);
    clear(compared);
}

static void memory_and_predictions_are_judged_by_their_own_measures(void **state)
{
    (void)state;
    Compared *compared = make_runs(SAMPLES, SAMPLES);
    SyntheticRun *latest = compared->run[SIDE_NEW];
    for (size_t i = 0; i < latest->run.sample_count; i++)
        latest->samples[i].peak_rss_kib += latest->samples[i].cell == 0   ? 1400
                                           : latest->samples[i].cell == 1 ? 400 // 2 %, but no MiB
                                                                          : 0;
    latest->facts[1][7].value *= 1.002; // predicted.L1.misses
    latest->facts[1][8].value *= 1.0005;
    latest->facts[2][8].value *= 0.5;
    const Comparison *comparison = compare(compared);
    const size_t l1 = compared_metric_find("predicted_l1_misses");
    const size_t l2 = compared_metric_find("predicted_l2_misses");
    check_row(find_row(comparison, latest->ids[0], COMPARED_MEMORY), VERDICT_SLOWER);
    check_row(find_row(comparison, latest->ids[1], COMPARED_MEMORY), VERDICT_SAME);
    check_row(find_row(comparison, latest->ids[1], l1), VERDICT_SLOWER);
    check_row(find_row(comparison, latest->ids[1], l2), VERDICT_SAME);
    check_row(find_row(comparison, latest->ids[2], l2), VERDICT_FASTER);
    assert_true(isnan(find_row(comparison, latest->ids[1], l1)->p_value));
    assert_int_equal(comparison_exit_code(comparison), EXIT_REGRESSION);
    clear(compared);
}

static void a_cell_failed_in_new_outweighs_a_regression(void **state)
{
    (void)state;
    Compared *compared = make_runs(SAMPLES, SAMPLES);
    SyntheticRun *latest = compared->run[SIDE_NEW];
    scale_cell(latest, 1, 2);
    latest->samples[3].ok = false;
    (void)snprintf(latest->samples[3].reason, sizeof latest->samples[3].reason, "signal 11");
    const Comparison *comparison = compare(compared);
    check_row(time_of(compared, 0), VERDICT_FAILED);
    assert_string_equal(time_of(compared, 0)->reason, "signal 11");
    assert_int_equal(comparison->count_of[VERDICT_SLOWER], 1);
    assert_int_equal(comparison_exit_code(comparison), EXIT_CELL);
    clear(compared);
}

static void a_cell_failed_in_base_is_inconclusive(void **state)
{
    (void)state;
    Compared *compared = make_runs(SAMPLES, SAMPLES);
    compared->run[SIDE_BASE]->samples[3].ok = false;
    const Comparison *comparison = compare(compared);
    check_row(time_of(compared, 0), VERDICT_INCONCLUSIVE);
    assert_string_equal(time_of(compared, 0)->reason, "failed in BASE");
    assert_int_equal(comparison_exit_code(comparison), EXIT_INCONCLUSIVE);
    clear(compared);
}

static void cells_of_one_side_are_listed(void **state)
{
    (void)state;
    Compared *compared = make_runs(SAMPLES, SAMPLES);
    SyntheticRun *latest = compared->run[SIDE_NEW];
    (void)snprintf(latest->ids[3], sizeof latest->ids[3], "kernel/op:gemm/other");
    const Comparison *comparison = compare(compared);
    check_row(time_of(compared, 3), VERDICT_ADDED);
    const ComparedRow *last = &comparison->rows[comparison->row_count - 1];
    check_row(last, VERDICT_MISSING);
    assert_string_equal(last->id, compared->run[SIDE_BASE]->ids[3]);
    assert_int_equal(comparison_exit_code(comparison), EXIT_CELL);
    clear(compared);
}

static void another_machine_gets_no_verdict(void **state)
{
    (void)state;
    Compared *compared = make_runs(SAMPLES, SAMPLES);
    json_t *machine = compared->run[SIDE_NEW]->run.machine;
    assert_int_equal(json_object_set_new(machine, "key", json_string("other")), 0);
    assert_int_equal(comparison_exit_code(compare(compared)), EXIT_BASELINE);
    clear(compared);
}

static void groups_have_geometric_means(void **state)
{
    (void)state;
    Compared *compared = make_runs(SAMPLES, SAMPLES);
    scale_cell(compared->run[SIDE_NEW], 0, 1.1);
    scale_cell(compared->run[SIDE_NEW], 1, 1 / 1.1);
    const Comparison *comparison = compare(compared);
    assert_int_equal(comparison->group_count, 4);
    const ComparedGroup *group = &comparison->groups[0];
    assert_string_equal(group->name, "blocks");
    assert_true(group->metric == COMPARED_TIME && group->rows == SYNTHETIC_CELLS);
    assert_true(fabs(group->ratio - 1) < 1e-3);
    assert_true(group->interval.low < 0.95 && group->interval.high > 1.05);
    clear(compared);
}

static void a_lost_front_is_measured(void **state)
{
    (void)state;
    Compared *compared = make_runs(SAMPLES, SAMPLES);
    for (ComparedSide side = 0; side < SIDE_COUNT; side++)
        for (size_t i = 0; i < 3; i++)
            (void)snprintf(compared->run[side]->ids[i], sizeof compared->run[side]->ids[i],
                           "model/model:x/tradeoff:0.%zu/batch:2", i);
    scale_cell(compared->run[SIDE_NEW], 2, 1.5); // the best one: 4 ms of at most 64
    const Comparison *comparison = compare(compared);
    assert_int_equal(comparison->front_count, 1);
    assert_int_equal(comparison->fronts[0].points[SIDE_BASE], 3);
    // Same memory everywhere, so the best time decides: (70.68 - 4.02) to (70.68 - 6.03) ms.
    assert_true(fabs(comparison->fronts[0].lost - 0.0302) < 2e-3);
    assert_true(comparison->fronts[0].gained == 0);
    clear(compared);
}

static void a_planned_cell_without_samples_is_missing(void **state)
{
    (void)state;
    Compared *compared = make_runs(SAMPLES, 0);
    const Comparison *comparison = compare(compared);
    check_row(time_of(compared, 0), VERDICT_MISSING);
    assert_int_equal(comparison_exit_code(comparison), EXIT_CELL);
    clear(compared);
}

static void times_above_the_roof_get_no_verdict(void **state)
{
    (void)state;
    Compared *compared = make_runs(SAMPLES, SAMPLES);
    scale_cell(compared->run[SIDE_NEW], 3, 0.1);
    const Comparison *comparison = compare(compared);
    check_row(time_of(compared, 3), VERDICT_EXCLUDED);
    assert_int_equal(comparison_exit_code(comparison), EXIT_INCONCLUSIVE);
    assert_int_equal(comparison->groups[0].rows, SYNTHETIC_CELLS - 1);
    clear(compared);
}

static void simulate_misses(SyntheticRun *run, size_t cell, double misses)
{
    run->facts[cell][7] = synthetic_value("simulated.L1.misses", misses, "lines", "sim", "");
}

static void simulated_misses_may_move_with_the_addresses(void **state)
{
    static const struct {
        double base, latest;
        Verdict verdict;
    } wanted[] = {
        {3164, 3173, VERDICT_SAME},
        {3164, 3300, VERDICT_SLOWER},
        {1e6, 1.005e6, VERDICT_SAME},
        {0, 10, VERDICT_SAME},
    };
    (void)state;
    Compared *compared = make_runs(SAMPLES, SAMPLES);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        simulate_misses(compared->run[SIDE_BASE], i, wanted[i].base);
        simulate_misses(compared->run[SIDE_NEW], i, wanted[i].latest);
    }
    const Comparison *comparison = compare(compared);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        check_row(find_row(comparison, compared->run[SIDE_NEW]->ids[i], COMPARED_SIMULATED_L1),
                  wanted[i].verdict);
    clear(compared);
}

static void times_of_cells_that_stopped_early_get_no_verdict(void **state)
{
    (void)state;
    Compared *compared = make_runs(SAMPLES, SAMPLES);
    scale_cell(compared->run[SIDE_NEW], 1, 1.5);
    synthetic_stop_early(compared->run[SIDE_BASE], 1);
    const Comparison *comparison = compare(compared);
    check_row(time_of(compared, 1), VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(time_of(compared, 1)->reason, "fixed beforehand"));
    assert_int_equal(comparison_exit_code(comparison), EXIT_INCONCLUSIVE);
    clear(compared);
}

static void write_as(const char *format, const Comparison *comparison, char *text)
{
    memset(text, 0, OUTPUT_BYTES);
    FILE *out = fmemopen(text, OUTPUT_BYTES - 1, "w");
    assert_non_null(out);
    for (size_t i = 0; comparison_formats[i].name; i++)
        if (strcmp(comparison_formats[i].name, format) == 0)
            assert_true(comparison_formats[i].write(comparison, out));
    assert_int_equal(fclose(out), 0);
    assert_true(strlen(text) > 0 && strlen(text) < OUTPUT_BYTES - 2);
}

// A comparison with every kind of unknown in it.
static void every_format_writes_without_nan(void **state)
{
    (void)state;
    Compared *compared = make_runs(6, 5);
    SyntheticRun *latest = compared->run[SIDE_NEW];
    latest->samples[1].ok = false;
    (void)snprintf(latest->samples[1].reason, sizeof latest->samples[1].reason, "%s",
                   "a|b<\x01%%\n");
    (void)snprintf(latest->ids[3], sizeof latest->ids[3], "kernel/op:gemm/other");
    const Comparison *comparison = compare(compared);
    char *text = malloc(OUTPUT_BYTES);
    assert_non_null(text);
    for (size_t i = 0; comparison_formats[i].name; i++) {
        write_as(comparison_formats[i].name, comparison, text);
        assert_false(synthetic_has_nan(text));
    }
    write_as("json", comparison, text);
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    assert_int_equal(json_integer_value(json_object_get(document, "exit_code")), EXIT_CELL);
    const json_t *rows = json_object_get(document, "rows");
    assert_int_equal(json_array_size(rows), comparison->row_count);
    const json_t *failed = json_array_get(rows, 0);
    assert_string_equal(json_string_value(json_object_get(failed, "verdict")), "failed");
    assert_true(json_is_null(json_object_get(failed, "ratio")));
    assert_true(json_is_null(json_object_get(json_object_get(failed, "base"), "median")));
    json_decref(document);
    write_as("markdown", comparison, text);
    assert_non_null(strstr(text, "a\\|b"));
    write_as("junit", comparison, text);
    assert_non_null(strstr(text, "a|b&lt; %% "));
    write_as("github", comparison, text);
    assert_non_null(strstr(text, "%25%25%0A"));
    free(text);
    clear(compared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_runs_are_the_same),
        cmocka_unit_test(a_change_that_matters_is_called),
        cmocka_unit_test(noise_hides_a_change),
        cmocka_unit_test(too_few_samples_are_inconclusive_and_see_nothing),
        cmocka_unit_test(memory_and_predictions_are_judged_by_their_own_measures),
        cmocka_unit_test(a_cell_failed_in_new_outweighs_a_regression),
        cmocka_unit_test(a_cell_failed_in_base_is_inconclusive),
        cmocka_unit_test(cells_of_one_side_are_listed),
        cmocka_unit_test(another_machine_gets_no_verdict),
        cmocka_unit_test(groups_have_geometric_means),
        cmocka_unit_test(a_lost_front_is_measured),
        cmocka_unit_test(a_planned_cell_without_samples_is_missing),
        cmocka_unit_test(times_above_the_roof_get_no_verdict),
        cmocka_unit_test(simulated_misses_may_move_with_the_addresses),
        cmocka_unit_test(times_of_cells_that_stopped_early_get_no_verdict),
        cmocka_unit_test(every_format_writes_without_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
