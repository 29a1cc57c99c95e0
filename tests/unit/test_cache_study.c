// SPDX-License-Identifier: Apache-2.0
// Predicted, simulated and measured cache counts of a run side by side, and the gate on them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "study/cache_gate.h"
#include "study/cache_study.h"
#include "workload/workloads.h"

#include "unit/synthetic_run.h"

#include <unistd.h>

enum { MOST_FACTS = 16 };

typedef struct Fixture {
    SyntheticRun *synthetic;
    CellSummary *summaries;
    CacheStudy study;
    SampleValue facts[SYNTHETIC_CELLS][MOST_FACTS];
    size_t fact_counts[SYNTHETIC_CELLS];
} Fixture;

static void add_fact(Fixture *fixture, size_t cell, const char *name, double value,
                     const char *reason)
{
    SampleValue *fact = &fixture->facts[cell][fixture->fact_counts[cell]++];
    *fact = (SampleValue){.value = value};
    (void)snprintf(fact->name, sizeof fact->name, "%s", name);
    (void)snprintf(fact->provenance, sizeof fact->provenance, "%s",
                   isnan(value) ? "unavailable" : "sim");
    (void)snprintf(fact->reason, sizeof fact->reason, "%s", reason);
}

// The counting passes of the cells know what add_fact told, and nothing else.
static void make_study(Fixture *fixture)
{
    RunRecord *run = &fixture->synthetic->run;
    for (size_t i = 0; i < run->sample_count; i++) {
        Sample *sample = &fixture->synthetic->samples[i];
        if (sample->task != SAMPLE_COUNT && sample->task != SAMPLE_VERIFY)
            continue;
        sample->values = fixture->facts[sample->cell];
        sample->value_count = sample->task == SAMPLE_COUNT ? fixture->fact_counts[sample->cell] : 0;
    }
    fixture->summaries = metrics_summarise(run);
    assert_non_null(fixture->summaries);
    assert_true(cache_study_make(run, fixture->summaries, &fixture->study));
}

static Fixture *make_fixture(void)
{
    Fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->synthetic = synthetic_make(1);
    return fixture;
}

static void free_fixture(Fixture *fixture)
{
    cache_study_clear(&fixture->study);
    metrics_free(fixture->summaries, SYNTHETIC_CELLS);
    synthetic_free(fixture->synthetic);
    free(fixture);
}

static void counts_come_with_source_or_reason(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture();
    add_fact(fixture, 0, "predicted.L1.fills", 7000, "");
    add_fact(fixture, 0, "predicted.L1.misses_low", 6900, "");
    add_fact(fixture, 0, "predicted.L1.misses_high", 7100, "");
    add_fact(fixture, 0, "sim.cold.L1.fills", 10000, "");
    add_fact(fixture, 0, "PAPI_L1_DCM", NAN, "no PMU");
    add_fact(fixture, 0, "perf.L1-dcache-load-misses", 9000, "");
    add_fact(fixture, 2, "sim.cold.L2.fills", 3000, "");
    make_study(fixture);
    assert_int_equal(fixture->study.row_count, 2);
    const CacheRow *row = &fixture->study.rows[0];
    assert_true(row->cell == 0 && row->level == 1);
    assert_true(row->low == 6900 && row->high == 7100);
    assert_true(row->counts[CACHE_SIMULATED].lines == 10000);
    assert_string_equal(row->counts[CACHE_SIMULATED].provenance, "sim");
    // The first event that could be counted.
    assert_true(row->counts[CACHE_MEASURED].lines == 9000);
    assert_string_equal(row->counts[CACHE_MEASURED].source, "perf.L1-dcache-load-misses");
    assert_true(isnan(row->counts[CACHE_REPLAY].lines));
    assert_non_null(strstr(row->counts[CACHE_REPLAY].reason, "not among the counters"));
    row = &fixture->study.rows[1];
    assert_true(row->cell == 2 && row->level == 2 && isnan(row->low));
    free_fixture(fixture);
}

static void fills_by_origin_are_summed(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture();
    static const char *const names[] = {"ANY_DATA_CACHE_FILLS_FROM_SYSTEM:LCL_L2",
                                        "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:INT_CACHE",
                                        "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:EXT_CACHE_LCL",
                                        "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:MEM_IO_LCL"};
    static const double fills[] = {8000, 700, 20, 80};
    for (size_t i = 0; i < 4; i++)
        add_fact(fixture, 0, names[i], fills[i], "");
    add_fact(fixture, 0, "PAPI_L1_DCM", 12000, ""); // requests, not lines: the fills come first
    for (size_t i = 0; i < 4; i++)
        add_fact(fixture, 2, names[i], i == 3 ? NAN : fills[i], i == 3 ? "no such event" : "");
    make_study(fixture);
    assert_int_equal(fixture->study.row_count, 2);
    const CacheCountFound *first = &fixture->study.rows[0].counts[CACHE_MEASURED];
    const CacheCountFound *second = &fixture->study.rows[1].counts[CACHE_MEASURED];
    assert_true(first->lines == 8800 && second->lines == 800);
    assert_string_equal(first->source, "ANY_DATA_CACHE_FILLS");
    assert_string_equal(second->source, "ANY_DATA_CACHE_FILLS beyond L2");
    free_fixture(fixture);
}

static void caches_of_another_machine_are_not_measured_here(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture();
    add_fact(fixture, 0, "sim.cold.L1.fills", 10000, "");
    add_fact(fixture, 0, "PAPI_L1_DCM", 9000, "");
    fixture->synthetic->cells[0].values[AXIS_GEOMETRY].text = "48KiB:12:64";
    make_study(fixture);
    const CacheCountFound *measured = &fixture->study.rows[0].counts[CACHE_MEASURED];
    assert_true(isnan(measured->lines));
    assert_non_null(strstr(measured->reason, "another machine"));
    free_fixture(fixture);
}

static void errors_are_shares_of_what_was_measured(void **state)
{
    (void)state;
    CacheRow row = {.level = 1};
    for (CacheWay way = 0; way < CACHE_WAYS; way++)
        row.counts[way].lines = NAN;
    assert_true(isnan(cache_row_error(&row, CACHE_FORMULA_ERROR)));
    row.counts[CACHE_FORMULA].lines = 9000;
    assert_true(isnan(cache_row_error(&row, CACHE_FORMULA_ERROR)));
    row.counts[CACHE_SIMULATED].lines = 10000;
    assert_true(cache_row_error(&row, CACHE_FORMULA_ERROR) == 0.1);
    // Of few lines, of 6400.
    row.counts[CACHE_SIMULATED].lines = 8360;
    row.counts[CACHE_FORMULA].lines = 0;
    assert_true(cache_row_error(&row, CACHE_FORMULA_ERROR) == 1);
    row.counts[CACHE_SIMULATED].lines = 64;
    assert_true(cache_row_error(&row, CACHE_FORMULA_ERROR) == 0.01);
    // Callgrind is held against accesses, not against lines.
    row.counts[CACHE_CALLGRIND].lines = 10000;
    assert_true(isnan(cache_row_error(&row, CACHE_SIMULATOR_ERROR)));
    row.counts[CACHE_ACCESSES].lines = 10200;
    assert_true(fabs(cache_row_error(&row, CACHE_SIMULATOR_ERROR) - 0.02) < 1e-12);
}

// Formula errors of 1, 2, 3 and 10 % in L1.
static void add_errors(Fixture *fixture)
{
    static const double predicted[SYNTHETIC_CELLS] = {10100, 10200, 9700, 11000};
    for (size_t i = 0; i < SYNTHETIC_CELLS; i++) {
        add_fact(fixture, i, "predicted.L1.fills", predicted[i], "");
        add_fact(fixture, i, "sim.cold.L1.fills", 10000, "");
    }
}

static void groups_are_by_operation_simd_and_level(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture();
    size_t count = 0;
    add_errors(fixture);
    make_study(fixture);
    CacheGroup *groups = cache_study_groups(&fixture->study, &count);
    assert_non_null(groups);
    assert_int_equal(count, 2);
    assert_string_equal(groups[0].op, "gemm");
    assert_string_equal(groups[0].simd, "scalar");
    assert_string_equal(groups[1].simd, "avx2");
    const CacheErrors *errors = &groups[1].errors[CACHE_FORMULA_ERROR];
    assert_int_equal(errors->count, 2);
    assert_true(fabs(errors->median - 0.065) < 1e-12 && fabs(errors->most - 0.1) < 1e-12);
    assert_true(fabs(errors->p90 - 0.093) < 1e-12);
    assert_int_equal(groups[1].errors[CACHE_REPLAY_ERROR].count, 0);
    assert_true(isnan(groups[1].errors[CACHE_REPLAY_ERROR].most));
    free(groups);
    free_fixture(fixture);
}

static const CacheGateRow *find_gate(const CacheGateRow *rows, CacheComparison comparison,
                                     int level, CacheBlocks blocks, CacheStatistic statistic)
{
    for (size_t i = 0; i < cache_tolerance_count; i++) {
        const CacheTolerance *at = rows[i].tolerance;
        if (at->comparison == comparison && at->level == level && at->blocks == blocks &&
            at->statistic == statistic)
            return &rows[i];
    }
    fail_msg("no such tolerance");
    return NULL;
}

static CacheGateOutcome judge(const Fixture *fixture, CacheGateRow rows[])
{
    CacheGateOutcome outcome;
    assert_true(cache_gate_judge(&fixture->study, rows, &outcome));
    return outcome;
}

static void given_blocks_are_judged_by_median_and_percentile(void **state)
{
    (void)state;
    CacheGateRow rows[32];
    assert_true(cache_tolerance_count <= 32);
    Fixture *fixture = make_fixture();
    add_errors(fixture);
    make_study(fixture);
    assert_int_equal(judge(fixture, rows), CACHE_GATE_BROKEN);
    const CacheGateRow *row =
        find_gate(rows, CACHE_FORMULA_ERROR, 1, CACHE_GIVEN_BLOCKS, CACHE_MEDIAN);
    assert_true(row->broken && row->count == 4 && fabs(row->error - 0.025) < 1e-12);
    row = find_gate(rows, CACHE_FORMULA_ERROR, 1, CACHE_GIVEN_BLOCKS, CACHE_P90);
    assert_true(!row->broken && fabs(row->error - 0.079) < 1e-12);
    row = find_gate(rows, CACHE_FORMULA_ERROR, 1, CACHE_AUTOMATIC_BLOCKS, CACHE_MOST);
    assert_true(!row->broken && row->count == 0 && isnan(row->error));
    free_fixture(fixture);
}

static void automatic_blocks_are_judged_by_the_largest_error(void **state)
{
    (void)state;
    CacheGateRow rows[32];
    Fixture *fixture = make_fixture();
    add_errors(fixture);
    for (size_t i = 0; i < SYNTHETIC_CELLS; i++)
        fixture->synthetic->cells[i].values[AXIS_BLOCK_SIZE].integer = 0;
    make_study(fixture);
    assert_int_equal(judge(fixture, rows), CACHE_GATE_BROKEN);
    assert_true(
        find_gate(rows, CACHE_FORMULA_ERROR, 1, CACHE_AUTOMATIC_BLOCKS, CACHE_MOST)->broken);
    assert_int_equal(
        find_gate(rows, CACHE_FORMULA_ERROR, 1, CACHE_GIVEN_BLOCKS, CACHE_MEDIAN)->count, 0);
    free_fixture(fixture);
}

static void networks_are_judged_apart(void **state)
{
    (void)state;
    CacheGateRow rows[32];
    Fixture *fixture = make_fixture();
    add_errors(fixture);
    for (size_t i = 0; i < SYNTHETIC_CELLS; i++)
        fixture->synthetic->cells[i].workload = &workload_model;
    make_study(fixture);
    (void)judge(fixture, rows);
    assert_int_equal(find_gate(rows, CACHE_FORMULA_ERROR, 1, CACHE_NETWORKS, CACHE_MEDIAN)->count,
                     4);
    assert_int_equal(
        find_gate(rows, CACHE_FORMULA_ERROR, 1, CACHE_GIVEN_BLOCKS, CACHE_MEDIAN)->count, 0);
    assert_int_equal(find_gate(rows, CACHE_REPLAY_ERROR, 1, CACHE_ALL_BLOCKS, CACHE_MOST)->count,
                     0);
    free_fixture(fixture);
}

static void operands_that_fill_a_level_are_no_check_of_the_simulator(void **state)
{
    (void)state;
    CacheGateRow rows[32];
    Fixture *fixture = make_fixture();
    for (size_t i = 0; i < 2; i++) {
        add_fact(fixture, i, "sim.cold.L2.access_fills", i ? 20000 : 10100, "");
        add_fact(fixture, i, "callgrind.cold.L2.misses", 10000, "");
        add_fact(fixture, i, "geometry.L2.size_bytes", 1000, "");
        add_fact(fixture, i, "bytes", i ? 751 : 750, "");
    }
    make_study(fixture);
    assert_int_equal(judge(fixture, rows), CACHE_GATE_PASSED);
    const CacheGateRow *row =
        find_gate(rows, CACHE_SIMULATOR_ERROR, 2, CACHE_ALL_BLOCKS, CACHE_MOST);
    assert_int_equal(row->count, 1);
    assert_true(fabs(row->error - 0.01) < 1e-12);
    free_fixture(fixture);
}

static void nothing_to_compare_is_no_pass(void **state)
{
    (void)state;
    CacheGateRow rows[32];
    Fixture *fixture = make_fixture();
    add_fact(fixture, 0, "predicted.L1.fills", 10100, "");
    make_study(fixture);
    assert_int_equal(judge(fixture, rows), CACHE_GATE_UNJUDGED);
    free_fixture(fixture);
}

// What a stream got, as text.
static char *read_back(FILE *file)
{
    static char text[1 << 16];
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

static void people_read_what_was_not_measured(void **state)
{
    (void)state;
    Fixture *fixture = make_fixture();
    add_errors(fixture);
    make_study(fixture);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_true(cache_study_print(&fixture->study, file));
    const char *text = read_back(file);
    assert_non_null(strstr(text, "Nothing here was measured on hardware"));
    assert_non_null(strstr(text, "closed form against simulation"));
    assert_non_null(strstr(text, "not measured, first in L1 of kernel/op:gemm"));
    assert_null(strstr(text, "nan"));
    free_fixture(fixture);
}

static void documents_have_null_and_a_reason_for_the_unknown(void **state)
{
    (void)state;
    CacheGateRow rows[32];
    Fixture *fixture = make_fixture();
    add_errors(fixture);
    make_study(fixture);
    json_t *document = json_object();
    assert_true(cache_study_to_json(&fixture->study, document));
    assert_true(cache_gate_to_json(rows, judge(fixture, rows), document));
    const json_t *cells = json_object_get(document, "cells");
    assert_int_equal(json_array_size(cells), SYNTHETIC_CELLS);
    const json_t *level = json_array_get(json_object_get(json_array_get(cells, 3), "levels"), 0);
    const json_t *errors = json_object_get(level, "errors");
    assert_true(fabs(json_number_value(json_object_get(errors, "formula")) - 0.1) < 1e-12);
    assert_true(json_is_null(json_object_get(errors, "hardware")));
    const json_t *measured = json_object_get(level, "measured");
    assert_true(json_is_null(json_object_get(measured, "lines")));
    assert_true(json_is_string(json_object_get(measured, "reason")));
    assert_int_equal(json_array_size(json_object_get(document, "tolerances")),
                     cache_tolerance_count);
    assert_string_equal(json_string_value(json_object_get(document, "gate")), "broken");
    assert_int_equal(json_array_size(json_object_get(document, "groups")), 2);
    json_decref(document);
    free_fixture(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_come_with_source_or_reason),
        cmocka_unit_test(fills_by_origin_are_summed),
        cmocka_unit_test(caches_of_another_machine_are_not_measured_here),
        cmocka_unit_test(errors_are_shares_of_what_was_measured),
        cmocka_unit_test(groups_are_by_operation_simd_and_level),
        cmocka_unit_test(given_blocks_are_judged_by_median_and_percentile),
        cmocka_unit_test(automatic_blocks_are_judged_by_the_largest_error),
        cmocka_unit_test(networks_are_judged_apart),
        cmocka_unit_test(operands_that_fill_a_level_are_no_check_of_the_simulator),
        cmocka_unit_test(nothing_to_compare_is_no_pass),
        cmocka_unit_test(people_read_what_was_not_measured),
        cmocka_unit_test(documents_have_null_and_a_reason_for_the_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
