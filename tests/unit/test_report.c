// SPDX-License-Identifier: Apache-2.0
// test_report.c - the report of a synthetic run against a golden file, and what it says of unknown,
// failed and unbelievable numbers.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/file.h"
#include "report/report_document.h"
#include "synthetic_run.h"

#define GOLDEN HYPERION_SOURCE_DIR "/tests/golden/report_synthetic.md"
#define ACTUAL HYPERION_BINARY_DIR "/report_synthetic.md"

enum { REPORT_BYTES = 1 << 17 };

// The report of the run alone, as text; the caller frees.
static char *make_report(SyntheticRun *synthetic, bool drawn)
{
    RunRecord *runs[] = {&synthetic->run};
    CellSummary *summaries[] = {metrics_summarise(&synthetic->run)};
    assert_non_null(summaries[0]);
    RunSet set = {.runs = runs, .summaries = summaries, .count = 1};
    assert_true(figures_find(&synthetic->run, summaries[0], "", &set.figures));
    char *text = calloc(1, REPORT_BYTES);
    assert_non_null(text);
    FILE *out = fmemopen(text, REPORT_BYTES - 1, "w");
    assert_non_null(out);
    assert_true(report_write(&set, drawn, out));
    assert_int_equal(fclose(out), 0);
    figures_clear(&set.figures);
    metrics_free(summaries[0], SYNTHETIC_CELLS);
    assert_false(synthetic_has_nan(text));
    return text;
}

static void expect_text(const char *report, const char *wanted)
{
    if (!strstr(report, wanted))
        fail_msg("missing: %s\nin:\n%s", wanted, report);
}

static void report_is_the_golden_one(void **state)
{
    (void)state;
    SyntheticRun *synthetic = synthetic_make(6);
    char *report = make_report(synthetic, true);
    size_t size_bytes = 0;
    Problem problem = {0};
    char *golden = file_read(GOLDEN, REPORT_BYTES, &size_bytes, &problem);
    if (!golden || strcmp(golden, report) != 0) {
        FILE *actual = fopen(ACTUAL, "w");
        if (actual) {
            (void)fputs(report, actual);
            (void)fclose(actual);
        }
        fail_msg("the report differs: diff %s %s (%s)", GOLDEN, ACTUAL, problem.text);
    }
    free(golden);
    free(report);
    synthetic_free(synthetic);
}

static void unknown_numbers_are_footnotes_once_a_table(void **state)
{
    (void)state;
    SyntheticRun *synthetic = synthetic_make(3);
    assert_int_equal(json_object_set_new(synthetic->run.machine, "limits", json_null()), 0);
    assert_int_equal(json_object_set_new(synthetic->run.machine, "limits_reason",
                                         json_string("peaks were not asked for")),
                     0);
    char *report = make_report(synthetic, true);
    expect_text(report,
                "Not measured: peaks were not asked for; fractions of the peak are unknown.");
    expect_text(report, "| scalar | 64 | 64.06 ms | –¹ | ");
    expect_text(report, "¹ unavailable: an interval with 95 % coverage needs at least 6 samples\n");
    const char *reason = strstr(report, "¹ unavailable: no PMU on this machine  \n");
    assert_non_null(reason);
    assert_null(strstr(reason + strlen("¹ unavailable"), "unavailable: no PMU on this machine"));
    free(report);
    synthetic_free(synthetic);
}

static void failed_cells_are_listed_with_their_reason(void **state)
{
    (void)state;
    SyntheticRun *synthetic = synthetic_make(6);
    synthetic->samples[3].ok = false;
    (void)snprintf(synthetic->samples[3].reason, sizeof synthetic->samples[3].reason,
                   "signal 11 | core\ndumped");
    char *report = make_report(synthetic, true);
    expect_text(report, "failed: 1, not measured: 0");
    expect_text(report, "| scalar | 64 | failed |");
    expect_text(report, "#### Failed cells\n\n| cell | reason |\n|---|---|\n"
                        "| `kernel/op:gemm/simd_level:scalar/block_size:64/m:512/n:512/k:512` | "
                        "signal 11 \\| core dumped |\n");
    free(report);
    synthetic_free(synthetic);
}

static void rates_above_the_roof_are_flagged_and_not_the_highest(void **state)
{
    (void)state;
    SyntheticRun *synthetic = synthetic_make(6);
    for (size_t i = 0; i < synthetic->run.sample_count; i++) {
        Sample *sample = &synthetic->samples[i];
        for (size_t j = 0; sample->cell == 3 && j < sample->real_count; j++)
            sample->real_ns[j] /= 2;
    }
    char *report = make_report(synthetic, true);
    expect_text(report, "131 % ⚠");
    expect_text(report, "Highest rate: 66.94 GFLOP/s at simd_level = avx2, block_size = 64.");
    free(report);
    synthetic_free(synthetic);
}

static void a_run_without_samples_gives_a_report(void **state)
{
    (void)state;
    SyntheticRun *synthetic = synthetic_make(0);
    synthetic->run.sample_count = 0;
    char *report = make_report(synthetic, false);
    expect_text(report, "failed: 0, not measured: 4");
    expect_text(report, "| first sample | unknown: no sample | clock |");
    free(report);
    synthetic_free(synthetic);
}

static void figures_that_are_not_drawn_are_not_embedded(void **state)
{
    (void)state;
    SyntheticRun *synthetic = synthetic_make(6);
    char *report = make_report(synthetic, false);
    assert_null(strstr(report, "!["));
    expect_text(report, "The figures are not drawn");
    expect_text(report, "[script](plots/gflops-over-block-size-blocks.gp)");
    free(report);
    synthetic_free(synthetic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report_is_the_golden_one),
        cmocka_unit_test(unknown_numbers_are_footnotes_once_a_table),
        cmocka_unit_test(failed_cells_are_listed_with_their_reason),
        cmocka_unit_test(rates_above_the_roof_are_flagged_and_not_the_highest),
        cmocka_unit_test(a_run_without_samples_gives_a_report),
        cmocka_unit_test(figures_that_are_not_drawn_are_not_embedded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
