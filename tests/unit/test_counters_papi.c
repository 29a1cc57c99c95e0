// SPDX-License-Identifier: Apache-2.0
// Counting through PAPI on a machine that papi_stand_in.h plays.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counters/counters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if HYPERION_HAVE_PAPI
#include "papi_stand_in.h"

static void count(const char *const *names, size_t name_count, CounterValue *values)
{
    Problem problem = {0};
    assert_true(counters_measure(
        names, name_count, &(CounterWork){.work = run_once, .iterations = 10}, values, &problem));
}

static void assert_value(const CounterValue *value, const char *name, double expected,
                         const char *reason)
{
    assert_string_equal(value->name, name);
    assert_string_equal(value->reason, reason);
    if (isnan(expected)) {
        assert_true(isnan(value->value));
        assert_string_equal(value->provenance, "unavailable");
    } else {
        assert_true(value->value == expected);
        assert_string_equal(value->provenance, "pmu");
    }
}

static void events_are_packed_into_legal_passes_with_their_values(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_L1_DCM", "PAPI_L2_DCM", "PAPI_L3_TCM", "PAPI_TLB_DM",
                                        "PAPI_TOT_CYC"};
    CounterValue values[5];
    count(names, 5, values);
    assert_value(&values[0], "PAPI_L1_DCM", 64, "");
    assert_value(&values[1], "PAPI_L2_DCM", 16, "");
    assert_value(&values[2], "PAPI_L3_TCM", 4, "");
    assert_value(&values[3], "PAPI_TLB_DM", 1, "");
    assert_value(&values[4], "PAPI_TOT_CYC", 500, "");
    assert_int_equal(passes, 3); // one of the three counters is for PAPI_TOT_INS
}

static void instructions_asked_for_cost_no_pass(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_L1_DCM", "PAPI_TOT_INS", "PAPI_L2_DCM"};
    CounterValue values[3];
    count(names, 3, values);
    assert_value(&values[0], "PAPI_L1_DCM", 64, "");
    assert_value(&values[1], "PAPI_TOT_INS", 1000, "");
    assert_value(&values[2], "PAPI_L2_DCM", 16, "");
    assert_int_equal(passes, 1);
}

static void a_conflict_that_shows_at_the_start_moves_the_event_on(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_L1_DCM", "PAPI_BR_MSP"};
    CounterValue values[2];
    count(names, 2, values);
    assert_value(&values[0], "PAPI_L1_DCM", 64, "");
    assert_value(&values[1], "PAPI_BR_MSP", 2, "");
    assert_int_equal(passes, 2);
}

static void refused_events_keep_the_librarys_reason(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_VEC_SP",  "PAPI_L1_DCM",  "PAPI_SP_OPS",
                                        "PAPI_REF_CYC", "PAPI_NO_SUCH", "no_such_name"};
    CounterValue values[6];
    count(names, 6, values);
    assert_value(&values[0], "PAPI_VEC_SP", NAN, "Event does not exist");
    assert_value(&values[1], "PAPI_L1_DCM", 64, "");
    assert_value(&values[2], "PAPI_SP_OPS", NAN, "added and started, but reads -1");
    assert_value(&values[3], "PAPI_REF_CYC", NAN, "reads -1 beside other events");
    assert_value(&values[4], "PAPI_NO_SUCH", NAN, "Event does not exist");
    assert_value(&values[5], "no_such_name", NAN, "no source knows an event of this name");
}

static void passes_that_did_other_work_are_doubted(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_L1_DCM", "PAPI_L2_DCM", "PAPI_L3_TCM", "PAPI_TLB_DM",
                                        "PAPI_TOT_CYC"};
    CounterValue values[5];
    machine.skew[1] = 300; // 3 % of 10 runs
    count(names, 5, values);
    assert_value(&values[0], "PAPI_L1_DCM", 64, "");
    assert_value(&values[2], "PAPI_L3_TCM", 4,
                 "pass 2 of 3 executed 10300 instructions, over 1 % off most others");
    assert_value(&values[3], "PAPI_TLB_DM", 1,
                 "pass 2 of 3 executed 10300 instructions, over 1 % off most others");
    assert_value(&values[4], "PAPI_TOT_CYC", 500, "");
}

static void two_passes_that_disagree_are_both_doubted(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_L1_DCM", "PAPI_L2_DCM", "PAPI_L3_TCM"};
    CounterValue values[3];
    machine.skew[1] = 102;
    count(names, 3, values);
    assert_true(values[0].reason[0] && values[2].reason[0]);
    reset(state);
    machine.skew[1] = 101; // 1 % of the larger is still the same work
    count(names, 3, values);
    assert_value(&values[0], "PAPI_L1_DCM", 64, "");
    assert_value(&values[2], "PAPI_L3_TCM", 4, "");
}

static void without_instructions_several_passes_are_doubted_and_one_is_not(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_L1_DCM", "PAPI_L2_DCM", "PAPI_L3_TCM", "PAPI_TLB_DM"};
    CounterValue values[4];
    machine.no_instructions = true;
    count(names, 3, values);
    assert_value(&values[2], "PAPI_L3_TCM", 4, "");
    assert_int_equal(passes, 1);
    count(names, 4, values);
    assert_value(&values[3], "PAPI_TLB_DM", 1,
                 "pass 2 of 2 without PAPI_TOT_INS: not known to be the same work");
}

static void an_event_that_bears_no_company_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_L1_DCM", "PAPI_TOT_INS"};
    CounterValue values[2];
    machine.start_status = PAPI_ECNFLCT;
    count(names, 2, values);
    assert_value(&values[0], "PAPI_L1_DCM", NAN, "beside PAPI_TOT_INS: Event conflict");
    assert_value(&values[1], "PAPI_TOT_INS", 1000, "");
}

static void a_counter_that_counts_something_else_is_not_used(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_L2_DCM", "PAPI_L1_DCM"};
    static const struct {
        double factor, drift;
        const char *reason;
        bool used;
    } cases[] = {
        {1.04, 0, "", true},
        {2, 0, "counts 2.00 times the L2 lines that are known", true},
        {0.5, 0, "counts 0.50 times the L2 lines that are known", true},
        {0, 0, "broken: counts 0 and 0 times the L2 lines that are known", false},
        {50, 0, "broken: counts 50 and 50 times the L2 lines that are known", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CounterValue values[2];
        reset(state);
        machine.wrong = "PAPI_L2_DCM";
        machine.factor = cases[i].factor;
        count(names, 2, values);
        assert_value(&values[0], "PAPI_L2_DCM", cases[i].used ? 16 : (double)NAN, cases[i].reason);
        assert_value(&values[1], "PAPI_L1_DCM", 64, "");
    }
    CounterValue values[2];
    machine.factor = 1.5;
    machine.drift = 0.1; // never twice the same
    count(names, 2, values);
    assert_true(isnan(values[0].value));
    assert_non_null(strstr(values[0].reason, "broken"));
}

static void counts_of_other_components_go_by_themselves(void **state)
{
    (void)state;
    static const char *const names[] = {"sde:::hyperion::L1_FILLS", "L1D:REPLACEMENT",
                                        "unc_cbo::LLC_FILLS", "unc_cbo::LLC_HITS"};
    CounterValue values[4];
    count(names, 4, values);
    assert_string_equal(values[0].provenance, "model");
    assert_true(values[0].value == 60);
    assert_string_equal(values[0].reason, "");
    assert_value(&values[1], "L1D:REPLACEMENT", 70, "");
    assert_value(&values[2], "unc_cbo::LLC_FILLS", 7,
                 "counts the whole machine, others' work included");
    assert_value(&values[3], "unc_cbo::LLC_HITS", 9,
                 "counts the whole machine, others' work included");
    assert_int_equal(passes, 3);
}

static void an_unknown_prediction_is_no_number(void **state)
{
    (void)state;
    static const char *const names[] = {"sde:::hyperion::L9_FILLS"};
    CounterValue values[1];
    count(names, 1, values);
    assert_value(&values[0], names[0], NAN, "added and started, but reads -1");
}

static void a_disabled_component_gives_its_reason(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_TOT_INS"};
    CounterValue values[1];
    machine.disabled = true;
    count(names, 1, values);
    assert_value(&values[0], "PAPI_TOT_INS", NAN,
                 "Component containing event is disabled (perf_event: no default PMU found)");
    assert_int_equal(passes, 0);
}

static void description_tells_mapping_and_components(void **state)
{
    (void)state;
    json_t *facts = counters_describe();
    const json_t *events = json_object_get(facts, "events");
    size_t i = 0;
    const json_t *event = NULL;
    size_t seen = 0;
    json_array_foreach(events, i, event)
    {
        const char *name = json_string_value(json_object_get(event, "name"));
        const char *native = json_string_value(json_object_get(event, "native"));
        if (strcmp(name, "PAPI_L1_DCM") == 0) {
            assert_string_equal(json_string_value(json_object_get(event, "trust")), "trusted");
            assert_string_equal(native, "L1D:REPLACEMENT");
            seen++;
        } else if (strcmp(name, "PAPI_VEC_SP") == 0) {
            assert_true(json_is_null(json_object_get(event, "probe_value")));
            assert_string_equal(json_string_value(json_object_get(event, "probe_value_reason")),
                                "Event does not exist");
            seen++;
        }
    }
    assert_int_equal(seen, 2);
    const json_t *told = json_object_get(json_object_get(facts, "papi"), "components");
    assert_int_equal(json_array_size(told), COMPONENTS);
    json_decref(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(events_are_packed_into_legal_passes_with_their_values, reset),
        cmocka_unit_test_setup(instructions_asked_for_cost_no_pass, reset),
        cmocka_unit_test_setup(a_conflict_that_shows_at_the_start_moves_the_event_on, reset),
        cmocka_unit_test_setup(refused_events_keep_the_librarys_reason, reset),
        cmocka_unit_test_setup(passes_that_did_other_work_are_doubted, reset),
        cmocka_unit_test_setup(two_passes_that_disagree_are_both_doubted, reset),
        cmocka_unit_test_setup(without_instructions_several_passes_are_doubted_and_one_is_not,
                               reset),
        cmocka_unit_test_setup(an_event_that_bears_no_company_is_refused, reset),
        cmocka_unit_test_setup(a_counter_that_counts_something_else_is_not_used, reset),
        cmocka_unit_test_setup(counts_of_other_components_go_by_themselves, reset),
        cmocka_unit_test_setup(an_unknown_prediction_is_no_number, reset),
        cmocka_unit_test_setup(a_disabled_component_gives_its_reason, reset),
        cmocka_unit_test_setup(description_tells_mapping_and_components, reset),
    };
    return cmocka_run_group_tests(tests, NULL, leave_no_event_set);
}

#else

// Without the library its events are listed all the same, each with the reason.
static void events_say_that_papi_is_absent(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_TOT_INS", "perf::CYCLES"};
    CounterValue values[2];
    Problem problem = {0};
    json_t *facts = counters_describe();
    const json_t *first = json_array_get(json_object_get(facts, "events"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "name")), "PAPI_TOT_INS");
    assert_string_equal(json_string_value(json_object_get(first, "probe_value_reason")),
                        "built without PAPI");
    json_decref(facts);
    assert_true(counters_measure(names, 2, &(CounterWork){.work = NULL, .iterations = 1}, values,
                                 &problem));
    for (size_t i = 0; i < 2; i++) {
        assert_true(isnan(values[i].value));
        assert_string_equal(values[i].reason, "built without PAPI");
    }
}

static void events_are_packed_into_legal_passes(void **state)
{
    (void)state;
    print_message("skipped: built without PAPI\n");
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_say_that_papi_is_absent),
        cmocka_unit_test(events_are_packed_into_legal_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
