// SPDX-License-Identifier: Apache-2.0
// test_metrics.c - metrics of a synthetic run against values computed by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/metrics.h"
#include "synthetic_run.h"

typedef struct Fixture {
    SyntheticRun *synthetic;
    CellSummary *summaries;
} Fixture;

static Fixture *make_fixture(size_t samples)
{
    Fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->synthetic = synthetic_make(samples);
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
    free(fixture);
}

static void check_metric(const Fixture *fixture, size_t cell, const char *name, double want)
{
    const double got = metric_value(name, &fixture->synthetic->run, &fixture->summaries[cell]);
    if (!(fabs(got - want) <= 1e-9 * fabs(want)))
        fail_msg("%s of cell %zu: got %.17g, want %.17g", name, cell, got, want);
}

static void check_unknown(const Fixture *fixture, size_t cell, const char *name, const char *reason)
{
    const RunRecord *run = &fixture->synthetic->run;
    const CellSummary *summary = &fixture->summaries[cell];
    const Metric *metric = metric_find(name);
    assert_non_null(metric);
    assert_true(isnan(metric->value(run, summary)));
    assert_string_equal(metric_provenance(metric, run, summary), "unavailable");
    assert_string_equal(metric_reason(metric, run, summary), reason);
}

static void time_is_the_median_of_the_samples_medians(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture(6);
    summarise(fixture);
    // 4 ms x 1.000 ... 1.005, median 1.0025; 6 samples: the interval is the range.
    check_metric(fixture, 2, "time_ns", 4.01e6);
    check_metric(fixture, 2, "time_low_ns", 4e6);
    check_metric(fixture, 2, "time_high_ns", 4.02e6);
    check_metric(fixture, 2, "time_least_ns", 4e6);
    check_metric(fixture, 2, "time_most_ns", 4.02e6);
    check_metric(fixture, 2, "time_mad_ns", 6e3); // 10 6 2 2 6 10 thousand
    // Spread of 0 1 2 3 4 5 per mille: sqrt(17.5 / 5) around 1.0025.
    check_metric(fixture, 2, "time_variation", sqrt(3.5) * 0.001 / 1.0025);
    check_metric(fixture, 2, "samples", 6);
    check_metric(fixture, 2, "iterations", 10);
    check_metric(fixture, 2, "peak_rss_kib", 20005);
    free_fixture(fixture);
}

static void rates_follow_from_facts_and_time(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture(6);
    summarise(fixture);
    check_metric(fixture, 3, "gflops", 268435456 / 3.208e6);
    check_metric(fixture, 3, "gflops_low", 268435456 / 3.216e6);
    check_metric(fixture, 3, "gflops_high", 268435456 / 3.2e6);
    check_metric(fixture, 3, "gflops_least", 268435456 / 3.216e6);
    check_metric(fixture, 3, "gflops_most", 268435456 / 3.2e6);
    check_metric(fixture, 3, "gbytes_per_s", 3145728 / 3.208e6);
    check_metric(fixture, 3, "gelements_per_s", 262144 / 3.208e6);
    check_metric(fixture, 3, "peak_gflops", 128);
    check_metric(fixture, 3, "peak_fraction", 268435456 / 3.208e6 / 128);
    check_metric(fixture, 0, "peak_gflops", 8);
    check_metric(fixture, 3, "above_roof", 0);
    assert_string_equal(metrics_kernel(&fixture->summaries[3]), "gemm_f32_avx2_6x16");
    assert_string_equal(metrics_level(&fixture->synthetic->run, &fixture->summaries[3]), "avx2");
    check_metric(fixture, 3, "mc", 128);
    check_metric(fixture, 3, "nc", 1024);
    free_fixture(fixture);
}

static void faster_than_the_roof_is_flagged(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture(6);
    for (size_t i = 0; i < fixture->synthetic->run.sample_count; i++) {
        Sample *sample = &fixture->synthetic->samples[i];
        for (size_t j = 0; sample->cell == 3 && j < sample->real_count; j++)
            sample->real_ns[j] /= 2; // 167 GFLOP/s, above the roof of 130
    }
    summarise(fixture);
    check_metric(fixture, 3, "above_roof", 1);
    free_fixture(fixture);
}

static void add_value(Fixture *fixture, size_t cell, const char *name, double value)
{
    for (size_t i = 0; i < fixture->synthetic->run.sample_count; i++) {
        Sample *sample = &fixture->synthetic->samples[i];
        if (sample->task == SAMPLE_VERIFY && sample->cell == cell) {
            SampleValue *last = &sample->values[sample->value_count - 1];
            (void)snprintf(last->name, sizeof last->name, "%s", name);
            last->value = value;
        }
    }
}

static double find_above(Fixture *fixture, size_t cell)
{
    metrics_free(fixture->summaries, SYNTHETIC_CELLS);
    summarise(fixture);
    return metric_value("above_roof", &fixture->synthetic->run, &fixture->summaries[cell]);
}

// 84 of at most 130 GFLOP/s nominal.
static void executed_operations_and_bytes_count_against_the_roof(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture(6);
    summarise(fixture);
    assert_true(find_above(fixture, 3) == 0);
    add_value(fixture, 3, "executed_flops", 131 * 3.208e6);
    assert_true(find_above(fixture, 3) == 1);
    // Two threads have two roofs; the peak of two is not known from that of one.
    fixture->synthetic->cells[3].values[AXIS_THREADS].integer = 2;
    assert_true(find_above(fixture, 3) == 0);
    check_unknown(fixture, 3, "peak_gflops",
                  "no measured peak at this SIMD level and number of threads");
    json_t *limits = json_object_get(fixture->synthetic->run.machine, "limits");
    (void)json_object_set_new(limits, "peaks_all",
                              json_pack("{s:{s:f, s:f, s:f, s:i}}", "avx2", "gflops", 240.0, "low",
                                        230.0, "high", 250.0, "threads", 2));
    check_metric(fixture, 3, "peak_gflops", 240);
    // 3145728 bytes in 3.208 ms are 0.98 a nanosecond; of two threads, 0.49 each.
    (void)json_object_set_new(limits, "memory",
                              json_pack("[{s:s, s:{s:{s:f, s:f, s:f}, s:{s:f, s:f, s:f}}}]", "name",
                                        "L1", "bandwidth", "read", "gbytes_per_s", 0.4, "low", 0.4,
                                        "high", 0.45, "write", "gbytes_per_s", 0.2, "low", 0.1,
                                        "high", 0.6));
    assert_true(find_above(fixture, 3) == 1);
    free_fixture(fixture);
}

static void unknown_numbers_say_why(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture(5);
    fixture->synthetic->samples[0].value_count = 1; // only the kernel's name
    assert_int_equal(json_object_set_new(fixture->synthetic->run.machine, "limits", json_null()),
                     0);
    summarise(fixture);
    check_unknown(fixture, 1, "time_low_ns",
                  "an interval with 95 % coverage needs at least 6 samples");
    check_unknown(fixture, 1, "gflops_high",
                  "an interval with 95 % coverage needs at least 6 samples");
    check_unknown(fixture, 1, "peak_fraction",
                  "no measured peak at this SIMD level and number of threads, or no rate");
    check_unknown(fixture, 1, "predicted_l3_misses", "no third level");
    check_unknown(fixture, 1, "PAPI_L1_DCM", "no PMU on this machine");
    check_unknown(fixture, 1, "PAPI_L2_DCM", "not among the counters of this sweep");
    check_unknown(fixture, 0, "flops", "the workload counts no operations");
    check_unknown(fixture, 0, "gflops", "no timed sample or no count of what is done");
    free_fixture(fixture);
}

static void recorded_values_keep_their_provenance(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture(2);
    summarise(fixture);
    const RunRecord *run = &fixture->synthetic->run;
    check_metric(fixture, 1, "PAPI_TOT_INS", 5e7);
    check_metric(fixture, 1, "predicted_l1_misses", 600000);
    const struct {
        const char *metric, *provenance;
    } wanted[] = {{"PAPI_TOT_INS", "pmu"}, {"predicted_l1_misses", "model"},
                  {"flops", "model"},      {"time_ns", "clock"},
                  {"gflops", "clock"},     {"peak_rss_kib", "os"}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const Metric *metric = metric_find(wanted[i].metric);
        assert_string_equal(metric_provenance(metric, run, &fixture->summaries[1]),
                            wanted[i].provenance);
        assert_string_equal(metric_reason(metric, run, &fixture->summaries[1]), "");
    }
    free_fixture(fixture);
}

static void a_cell_fails_with_its_first_reason(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture(3);
    Sample *samples = fixture->synthetic->samples;
    samples[2].ok = false; // the second timed sample of cell 0
    (void)snprintf(samples[2].reason, sizeof samples[2].reason, "signal 11");
    samples[3].ok = false;
    (void)snprintf(samples[3].reason, sizeof samples[3].reason, "timeout");
    summarise(fixture);
    assert_true(fixture->summaries[0].failed);
    assert_string_equal(fixture->summaries[0].reason, "signal 11");
    assert_int_equal(fixture->summaries[0].sample_count, 1);
    assert_false(fixture->summaries[1].failed);
    assert_int_equal(fixture->summaries[1].sample_count, 3);
    free_fixture(fixture);
}

static void a_failure_repaired_by_a_resumed_run_is_forgiven(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture(3);
    SyntheticRun *synthetic = fixture->synthetic;
    Sample *repaired = &synthetic->samples[synthetic->run.sample_count++];
    *repaired = synthetic->samples[2];
    synthetic->samples[2].ok = false;
    summarise(fixture);
    assert_false(fixture->summaries[0].failed);
    assert_int_equal(fixture->summaries[0].sample_count, 3);
    free_fixture(fixture);
}

static void a_cell_without_samples_has_no_time(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture(0);
    summarise(fixture);
    assert_false(fixture->summaries[0].failed);
    check_unknown(fixture, 0, "time_ns", "no timed sample");
    check_unknown(fixture, 0, "gflops", "no timed sample or no count of what is done");
    check_metric(fixture, 0, "samples", 0);
    free_fixture(fixture);
}

static void every_metric_explains_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < metric_count; i++) {
        const Metric *metric = &metric_table[i];
        assert_true(metric->name[0] && metric->help[0] && metric->value);
        assert_true(metric->missing && metric->missing[0]);
        assert_true(metric->provenance[0] || metric->source);
        assert_ptr_equal(metric_find(metric->name), metric);
    }
    assert_null(metric_find("speed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_is_the_median_of_the_samples_medians),
        cmocka_unit_test(rates_follow_from_facts_and_time),
        cmocka_unit_test(faster_than_the_roof_is_flagged),
        cmocka_unit_test(executed_operations_and_bytes_count_against_the_roof),
        cmocka_unit_test(unknown_numbers_say_why),
        cmocka_unit_test(recorded_values_keep_their_provenance),
        cmocka_unit_test(a_cell_fails_with_its_first_reason),
        cmocka_unit_test(a_failure_repaired_by_a_resumed_run_is_forgiven),
        cmocka_unit_test(a_cell_without_samples_has_no_time),
        cmocka_unit_test(every_metric_explains_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
