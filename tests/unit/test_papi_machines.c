// SPDX-License-Identifier: Apache-2.0
// An Intel and an AMD machine (papi_machines.h): what shares a pass, what stands behind a name,
// what is scaled, and what one has and the other has not.
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
#include "papi_machines.h"

// Each value is its event's rate, with no doubt; returns how many passes that took.
static int count_rates(const StandInMachine *which, const char *const *names, size_t count)
{
    CounterValue values[16];
    Problem problem = {0};
    assert_true(count <= sizeof values / sizeof values[0]);
    played = which;
    passes = 0;
    assert_true(counters_measure(names, count, &(CounterWork){.work = run_once, .iterations = 10},
                                 values, &problem));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(values[i].name, names[i]);
        assert_string_equal(values[i].reason, "");
        assert_true(values[i].value == (double)find_event(names[i])->rate);
    }
    return passes;
}

static void fixed_counters_leave_the_others_free_on_intel(void **state)
{
    (void)state;
    // Cycles and instructions are fixed; L2_DCM is a difference of two: 1 + 2 + 1 counters.
    static const char *const names[] = {"PAPI_TOT_INS", "PAPI_TOT_CYC", "PAPI_REF_CYC",
                                        "PAPI_L1_DCM",  "PAPI_L2_DCM",  "PAPI_L3_TCM",
                                        "PAPI_PRF_DM"};
    assert_int_equal(count_rates(&skylake, names, 6), 1);
    assert_int_equal(count_rates(&skylake, names, 7), 2);
}

static void operations_of_four_widths_take_a_pass_on_intel(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_SP_OPS", "PAPI_VEC_SP", "PAPI_L1_DCM"};
    assert_int_equal(count_rates(&skylake, names, 1), 1);
    assert_int_equal(count_rates(&skylake, names, 3), 3);
}

static void instructions_take_one_of_six_counters_on_amd(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_TOT_CYC", "PAPI_L1_DCA", "PAPI_L2_DCM",
                                        "PAPI_TLB_DM",  "PAPI_BR_INS", "PAPI_BR_MSP"};
    assert_int_equal(count_rates(&zen3, names, 5), 1);
    assert_int_equal(count_rates(&zen3, names, 6), 2);
}

static void fills_by_origin_are_counted_in_one_pass_on_amd(void **state)
{
    (void)state;
    static const char *const names[] = {"ANY_DATA_CACHE_FILLS_FROM_SYSTEM:LCL_L2",
                                        "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:INT_CACHE",
                                        "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:EXT_CACHE_LCL",
                                        "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:MEM_IO_LCL"};
    assert_int_equal(count_rates(&zen3, names, 4), 1);
}

static void lines_and_requests_for_lines_are_told_apart(void **state)
{
    (void)state;
    static const char *const names[] = {"PAPI_L1_DCM"};
    CounterValue value;
    Problem problem = {0};
    assert_int_equal(count_rates(&skylake, names, 1), 1);
    played = &zen3;
    assert_true(counters_measure(names, 1, &(CounterWork){.work = run_once, .iterations = 10},
                                 &value, &problem));
    assert_true(value.value == 80);
    assert_string_equal(value.reason, "counts 1.25 times the others that are known");
}

static void what_a_machine_has_not_is_unavailable(void **state)
{
    (void)state;
    static const struct {
        const StandInMachine *machine;
        const char *name;
    } cases[] = {{&skylake, "ANY_DATA_CACHE_FILLS_FROM_SYSTEM:LCL_L2"},
                 {&skylake, "PAPI_L1_DCA"},
                 {&zen3, "L1D:REPLACEMENT"},
                 {&zen3, "PAPI_L3_TCM"},
                 {&zen3, "PAPI_SP_OPS"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CounterValue value;
        Problem problem = {0};
        played = cases[i].machine;
        assert_true(counters_measure(&cases[i].name, 1,
                                     &(CounterWork){.work = run_once, .iterations = 10}, &value,
                                     &problem));
        assert_true(isnan(value.value));
        assert_string_equal(value.provenance, "unavailable");
        assert_string_equal(value.reason, "Event does not exist");
    }
}

static void expect_native(const StandInMachine *which, const char *name, const char *expected)
{
    played = which;
    json_t *facts = counters_describe();
    const json_t *event = NULL;
    size_t i = 0;
    bool found = false;
    json_array_foreach(json_object_get(facts, "events"), i, event)
    {
        if (strcmp(json_string_value(json_object_get(event, "name")), name) != 0)
            continue;
        found = true;
        assert_string_equal(json_string_value(json_object_get(event, "native")), expected);
    }
    assert_true(found);
    json_decref(facts);
}

static void the_same_name_stands_for_other_events(void **state)
{
    (void)state;
    expect_native(&skylake, "PAPI_L1_DCM", "L1D:REPLACEMENT");
    expect_native(&zen3, "PAPI_L1_DCM",
                  "REQUESTS_TO_L2_GROUP1:RD_BLK_L:RD_BLK_X:LS_RD_BLK_C_S:CHANGE_TO_X");
    expect_native(&skylake, "PAPI_L2_DCM", "LLC_REFERENCES, L2_RQSTS:CODE_RD_MISS (DERIVED_SUB)");
    expect_native(&zen3, "PAPI_L2_DCM", "CORE_TO_L2_CACHEABLE_REQUEST_ACCESS_STATUS:LS_RD_BLK_C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fixed_counters_leave_the_others_free_on_intel, reset),
        cmocka_unit_test_setup(operations_of_four_widths_take_a_pass_on_intel, reset),
        cmocka_unit_test_setup(instructions_take_one_of_six_counters_on_amd, reset),
        cmocka_unit_test_setup(fills_by_origin_are_counted_in_one_pass_on_amd, reset),
        cmocka_unit_test_setup(lines_and_requests_for_lines_are_told_apart, reset),
        cmocka_unit_test_setup(what_a_machine_has_not_is_unavailable, reset),
        cmocka_unit_test_setup(the_same_name_stands_for_other_events, reset),
    };
    return cmocka_run_group_tests(tests, NULL, leave_no_event_set);
}

#else

static void machines_are_played(void **state)
{
    (void)state;
    print_message("skipped: built without PAPI\n");
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(machines_are_played)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
