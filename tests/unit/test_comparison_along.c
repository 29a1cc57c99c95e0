// SPDX-License-Identifier: Apache-2.0
// test_comparison_along.c - the points of one run against each other: which are on one line and in
// which order, what their verdicts say of it, and every format.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/command.h"
#include "compare/comparison_along.h"
#include "compare/comparison_formats.h"
#include "compare/comparison_words.h"
#include "synthetic_run.h"

enum { OUTPUT_BYTES = 65536, SAMPLES = 10 };

// A comparison along an axis with all that it is about. Along block_size the synthetic run has two
// lines, scalar and avx2, of two points, of which the second is faster by 6 and by 20 %.
typedef struct Along {
    SyntheticRun *run;
    AlongPairs *pairs;
    Comparison *comparison;
    AlongReport report;
} Along;

static void scale_cell(SyntheticRun *synthetic, size_t cell, double factor)
{
    for (size_t i = 0; i < synthetic->run.sample_count; i++) {
        Sample *sample = &synthetic->samples[i];
        for (size_t j = 0; sample->cell == cell && j < sample->real_count; j++)
            sample->real_ns[j] *= factor;
    }
}

static void add_memory(SyntheticRun *synthetic, size_t cell, long kibibytes)
{
    for (size_t i = 0; i < synthetic->run.sample_count; i++)
        if (synthetic->samples[i].cell == cell)
            synthetic->samples[i].peak_rss_kib += kibibytes;
}

static void compare(Along *along, const char *axis)
{
    Problem problem = {0};
    along->pairs = along_pairs_make(&along->run->run, axis, &problem);
    assert_string_equal(problem.text, "");
    const ComparisonOptions options = {
        .least_time_effect = NAN, .interleaved = true, .along = along->pairs};
    along->comparison = comparison_make(along->pairs->base, along->pairs->latest, &options);
    assert_non_null(along->comparison);
    assert_true(along_report_make(along->comparison, &along->report));
}

static void clear(Along *along)
{
    along_report_clear(&along->report);
    comparison_free(along->comparison);
    along_pairs_free(along->pairs);
    synthetic_free(along->run);
}

static void check(const Along *along, size_t line, const char *order, size_t dominated)
{
    assert_string_equal(along_order_name(&along->report.lines[line]), order);
    assert_int_equal(along->report.lines[line].dominated, dominated);
}

static void cells_that_differ_in_the_axis_alone_are_one_line(void **state)
{
    (void)state;
    Along along = {.run = synthetic_make(SAMPLES)};
    compare(&along, "block_size");
    assert_int_equal(along.pairs->line_count, 2);
    assert_int_equal(along.pairs->pair_count, 2);
    assert_string_equal(along.pairs->points[2].id, along.run->ids[2]);
    assert_string_equal(along.pairs->points[2].value, "64");
    assert_string_equal(along.pairs->points[3].value, "128");
    // Time and peak memory of two pairs, and no prediction.
    assert_int_equal(along.comparison->row_count, 4);
    assert_int_equal(along.comparison->test_count, 4);
    assert_non_null(strstr(along.comparison->rows[0].id, "block_size:128/"));
    assert_non_null(strstr(along.comparison->rows[0].id, " after block_size:64"));
    clear(&along);
}

static void faster_with_more_of_the_axis_is_monotone(void **state)
{
    (void)state;
    Along along = {.run = synthetic_make(SAMPLES)};
    add_memory(along.run, 1, 2000);
    compare(&along, "block_size");
    assert_string_equal(comparison_overall_name(along.comparison), "monotone");
    assert_int_equal(comparison_exit_code(along.comparison), EXIT_OK);
    // More memory for less time is what an axis may cost; the other line's first point loses both.
    assert_int_equal(along.report.lines[0].peaks[VERDICT_SLOWER], 1);
    check(&along, 0, "monotone", 0);
    check(&along, 1, "monotone", 1);
    assert_int_equal(along.report.dominator[2], 3);
    assert_true(along.report.dominator[3] == ALONG_UNDOMINATED);
    clear(&along);
}

static void a_slower_later_point_is_told(void **state)
{
    (void)state;
    Along along = {.run = synthetic_make(SAMPLES)};
    scale_cell(along.run, 1, 1.2);
    scale_cell(along.run, 3, 1.4);
    add_memory(along.run, 3, -2000);
    compare(&along, "block_size");
    assert_int_equal(comparison_exit_code(along.comparison), EXIT_REGRESSION);
    check(&along, 0, "slower", 1);
    assert_int_equal(along.report.dominator[1], 0);
    // Slower, but smaller.
    check(&along, 1, "slower", 0);
    assert_int_equal(along.report.lines[1].peaks[VERDICT_FASTER], 1);
    clear(&along);
}

static void a_failed_point_makes_a_line_incomplete(void **state)
{
    (void)state;
    Along along = {.run = synthetic_make(SAMPLES)};
    along.run->samples[SAMPLES + 2 + 3].ok = false; // of cell 1
    compare(&along, "block_size");
    assert_int_equal(comparison_exit_code(along.comparison), EXIT_CELL);
    check(&along, 0, "incomplete", 0);
    check(&along, 1, "monotone", 1);
    clear(&along);
}

static void too_few_samples_are_inconclusive(void **state)
{
    (void)state;
    Along along = {.run = synthetic_make(3)};
    compare(&along, "block_size");
    assert_int_equal(comparison_exit_code(along.comparison), EXIT_INCONCLUSIVE);
    check(&along, 0, "inconclusive", 0);
    clear(&along);
}

static void plan(SyntheticRun *run, size_t cell, double bytes, double ns)
{
    run->facts[cell][7] = synthetic_value("memory.planned_bytes", bytes, "B", "model", "");
    run->facts[cell][8] = synthetic_value("memory.predicted_time", ns, "ns", "model", "");
}

static void what_was_planned_is_held_to_the_digit(void **state)
{
    (void)state;
    Along along = {.run = synthetic_make(SAMPLES)};
    plan(along.run, 0, 1000, 500);
    plan(along.run, 1, 1000, 501);
    plan(along.run, 2, 1000, 500);
    plan(along.run, 3, 999, 500);
    compare(&along, "block_size");
    assert_int_equal(along.report.lines[0].planned_falls, ALONG_NEVER);
    assert_int_equal(along.report.lines[0].predicted_rises, ALONG_SOMEWHERE);
    assert_int_equal(along.report.lines[1].planned_falls, ALONG_SOMEWHERE);
    assert_int_equal(along.report.lines[1].predicted_rises, ALONG_NEVER);
    clear(&along);
    along.run = synthetic_make(SAMPLES);
    compare(&along, "block_size");
    assert_int_equal(along.report.lines[0].planned_falls, ALONG_UNKNOWN);
    clear(&along);
}

// The first points are slower by 6 and by 20 % and as large, as far as can be measured; one is
// smaller by plan.
static void a_plan_tells_smaller_points_apart(void **state)
{
    (void)state;
    Along along = {.run = synthetic_make(SAMPLES)};
    plan(along.run, 0, 99e6, 500);
    plan(along.run, 1, 100e6, 500);
    plan(along.run, 2, 99.95e6, 500); // by less than is a change
    plan(along.run, 3, 100e6, 500);
    compare(&along, "block_size");
    check(&along, 0, "monotone", 0);
    check(&along, 1, "monotone", 1);
    assert_int_equal(along.report.dominator[2], 3);
    clear(&along);
}

static bool uses_cap(const AxisValue *values, AxisId axis)
{
    (void)values;
    return axis == AXIS_ACTIVATION_CAP;
}

static void no_cap_is_the_largest(void **state)
{
    static const Workload workload = {.name = "capped", .uses = uses_cap};
    static const char *const given[SYNTHETIC_CELLS] = {"0", "50%", "64KiB", "100%"};
    static const char *const wanted[SYNTHETIC_CELLS] = {"64KiB", "50%", "100%", "0"};
    (void)state;
    Along along = {.run = synthetic_make(SAMPLES)};
    along.run->sweep.workload = &workload;
    for (size_t i = 0; i < SYNTHETIC_CELLS; i++) {
        along.run->cells[i].workload = &workload;
        synthetic_bind(&along.run->cells[i], AXIS_ACTIVATION_CAP, given[i]);
    }
    compare(&along, "activation_cap");
    assert_int_equal(along.pairs->line_count, 1);
    assert_int_equal(along.pairs->pair_count, 6);
    for (size_t i = 0; i < SYNTHETIC_CELLS; i++)
        assert_string_equal(along.pairs->points[i].value, wanted[i]);
    // 4, 60, 3.2 and 64 ms: of six pairs two are faster.
    assert_int_equal(along.report.lines[0].times[VERDICT_FASTER], 2);
    assert_int_equal(along.report.lines[0].times[VERDICT_SLOWER], 4);
    clear(&along);
}

static void an_axis_that_orders_nothing_is_refused(void **state)
{
    static const struct {
        const char *axis, *reason;
    } wanted[] = {
        {"block_sise", "did you mean 'block_size'?"},
        {"simd_level", "are in no order"},
        {"m", "no two do"},
        {"tradeoff", "no two do"},
    };
    (void)state;
    SyntheticRun *run = synthetic_make(SAMPLES);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        Problem problem = {0};
        assert_null(along_pairs_make(&run->run, wanted[i].axis, &problem));
        assert_non_null(strstr(problem.text, wanted[i].reason));
        assert_non_null(strstr(problem.text, wanted[i].axis));
    }
    synthetic_free(run);
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
    assert_false(synthetic_has_nan(text));
}

static void check_json(const Comparison *comparison, char *text)
{
    write_as("json", comparison, text);
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    const json_t *along = json_object_get(document, "along");
    assert_string_equal(json_string_value(json_object_get(along, "axis")), "block_size");
    const json_t *line = json_array_get(json_object_get(along, "lines"), 1);
    assert_string_equal(json_string_value(json_object_get(line, "order")), "monotone");
    assert_true(json_is_null(json_object_get(line, "planned_never_falls")));
    const json_t *point = json_array_get(json_object_get(line, "points"), 0);
    assert_string_equal(json_string_value(json_object_get(point, "dominated_by")), "128");
    json_decref(document);
}

static void every_format_tells(void **state)
{
    (void)state;
    Along along = {.run = synthetic_make(SAMPLES)};
    char *text = malloc(OUTPUT_BYTES);
    assert_non_null(text);
    add_memory(along.run, 1, 2000);
    compare(&along, "block_size");
    check_json(along.comparison, text);
    write_as("text", along.comparison, text);
    assert_non_null(strstr(text, "RUN   synthetic\n"));
    assert_non_null(strstr(text, "overall: monotone (exit code 0)"));
    assert_non_null(strstr(text, "1 faster. Peak memory never falls. Dominated: 0."));
    assert_null(strstr(text, "after block_size")); // nothing stands against the order
    write_as("markdown", along.comparison, text);
    assert_non_null(strstr(text, "## Comparison: monotone"));
    assert_non_null(strstr(text, "dominated by"));
    assert_null(strstr(text, "| cell |"));
    // More memory fails no build.
    write_as("junit", along.comparison, text);
    assert_non_null(strstr(text, "failures=\"0\""));
    write_as("github", along.comparison, text);
    assert_null(strstr(text, "::error"));
    free(text);
    clear(&along);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_that_differ_in_the_axis_alone_are_one_line),
        cmocka_unit_test(faster_with_more_of_the_axis_is_monotone),
        cmocka_unit_test(a_slower_later_point_is_told),
        cmocka_unit_test(a_failed_point_makes_a_line_incomplete),
        cmocka_unit_test(too_few_samples_are_inconclusive),
        cmocka_unit_test(what_was_planned_is_held_to_the_digit),
        cmocka_unit_test(a_plan_tells_smaller_points_apart),
        cmocka_unit_test(no_cap_is_the_largest),
        cmocka_unit_test(an_axis_that_orders_nothing_is_refused),
        cmocka_unit_test(every_format_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
