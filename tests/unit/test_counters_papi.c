// SPDX-License-Identifier: Apache-2.0
// A machine with counters, played by a stand-in for PAPI: the PAPI_* functions below come before
// the library's at link time. Three counters a pass; counts follow how often the work ran.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counters/counters.h"
#include "counters/known_work.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if HYPERION_HAVE_PAPI
#include <papi.h>

enum { SLOTS = 3, MOST_SETS = 64 };

typedef struct StandInEvent {
    const char *name;
    long long rate;  // counts of one run of the work
    int add_status;  // of PAPI_add_named_event
    bool shy;        // adds beside others, but then the start fails
    bool mute;       // reads -1
    bool mute_among; // reads -1 unless alone
    int component;   // index
} StandInEvent;

static const StandInEvent all_events[] = {
    {.name = "PAPI_TOT_INS", .rate = 1000},
    {.name = "PAPI_TOT_CYC", .rate = 500},
    {.name = "PAPI_L1_DCM", .rate = 64},
    {.name = "PAPI_L2_DCM", .rate = 16},
    {.name = "PAPI_L3_TCM", .rate = 4},
    {.name = "PAPI_TLB_DM", .rate = 1},
    {.name = "PAPI_BR_MSP", .rate = 2, .shy = true},
    {.name = "PAPI_VEC_SP", .rate = 8, .add_status = PAPI_ENOEVNT}, // the query says yes
    {.name = "PAPI_SP_OPS", .rate = 8, .mute = true},
    {.name = "PAPI_REF_CYC", .rate = 8, .mute_among = true},
    {.name = "L1D:REPLACEMENT", .rate = 70},
    {.name = "unc_cbo::LLC_FILLS", .rate = 7, .component = 1},
    {.name = "unc_cbo::LLC_HITS", .rate = 9, .component = 1},
    {.name = "sde:::hyperion::L1_FILLS", .rate = 60, .component = 2},
    {.name = "sde:::hyperion::L9_FILLS", .mute = true, .component = 2}, // nobody registered it
};

// What a test changes.
static struct {
    bool no_instructions; // PAPI_TOT_INS cannot be added
    bool disabled;        // no component counts
    int start_status;     // of a start with more than one event
    long long skew[8];    // added to the instructions of each pass
    const char *wrong;    // an event that counts `factor` times what it should
    double factor, drift; // which grows by so much with each run
} machine;

// Known work, of which every event of this machine counts as much as it should.
enum { KNOWN = 1000 };
static long long known_runs;

double known_work_count(KnownCount count)
{
    (void)count;
    return KNOWN;
}

const char *known_work_name(KnownCount count)
{
    return count == KNOWN_SECOND_LINES ? "L2 lines" : "others";
}

void *known_work_open(KnownCount count)
{
    (void)count;
    return malloc(1);
}

void known_work_run(void *work)
{
    (void)work;
    known_runs++;
}

void known_work_close(void *work)
{
    free(work);
}

static double known_factor(const char *event)
{
    const bool is_wrong = machine.wrong && strcmp(event, machine.wrong) == 0;
    return is_wrong ? machine.factor + machine.drift * (double)known_runs : 1;
}

static struct {
    const StandInEvent *events[SLOTS];
    int count;
    bool live;
    long long started, known_started;
} sets[MOST_SETS];
static long long runs;
static int passes;
static int live_sets;

static PAPI_component_info_t components[] = {
    {.name = "perf_event", .num_cntrs = SLOTS},
    {.name = "perf_event_uncore", .num_cntrs = SLOTS},
    {.name = "sde", .num_cntrs = SLOTS},
};
enum { COMPONENTS = sizeof components / sizeof components[0] };

int PAPI_library_init(int version)
{
    return version;
}

char *PAPI_strerror(int status)
{
    static char texts[][40] = {"No error", "Event does not exist", "Event conflict",
                               "Component containing event is disabled", "Internal error"};
    return status == PAPI_OK              ? texts[0]
           : status == PAPI_ENOEVNT       ? texts[1]
           : status == PAPI_ECNFLCT       ? texts[2]
           : status == PAPI_ECMP_DISABLED ? texts[3]
                                          : texts[4];
}

int PAPI_num_components(void)
{
    return COMPONENTS;
}

int PAPI_get_event_component(int EventCode)
{
    return EventCode >= 0 ? all_events[EventCode].component : PAPI_ENOEVNT;
}

const PAPI_component_info_t *PAPI_get_component_info(int cidx)
{
    components[0].disabled = machine.disabled ? PAPI_ENOSUPP : 0;
    (void)snprintf(components[0].disabled_reason, sizeof components[0].disabled_reason, "%s",
                   machine.disabled ? "no default PMU found" : "");
    return cidx >= 0 && cidx < COMPONENTS ? &components[cidx] : NULL;
}

int PAPI_create_eventset(int *EventSet)
{
    for (int i = 0; i < MOST_SETS; i++)
        if (!sets[i].live) {
            sets[i].live = true;
            sets[i].count = 0;
            live_sets++;
            *EventSet = i;
            return PAPI_OK;
        }
    return PAPI_ENOMEM;
}

int PAPI_cleanup_eventset(int EventSet)
{
    sets[EventSet].count = 0;
    return PAPI_OK;
}

int PAPI_destroy_eventset(int *EventSet)
{
    sets[*EventSet].live = false;
    live_sets--;
    *EventSet = PAPI_NULL;
    return PAPI_OK;
}

static const StandInEvent *find_event(const char *name)
{
    for (size_t i = 0; i < sizeof all_events / sizeof all_events[0]; i++)
        if (strcmp(all_events[i].name, name) == 0)
            return &all_events[i];
    return NULL;
}

int PAPI_add_named_event(int EventSet, const char *EventName)
{
    const StandInEvent *event = find_event(EventName);
    if (machine.disabled)
        return PAPI_ECMP_DISABLED;
    if (!event || (event == &all_events[0] && machine.no_instructions))
        return PAPI_ENOEVNT;
    if (event->add_status != PAPI_OK)
        return event->add_status;
    if (sets[EventSet].count == SLOTS)
        return PAPI_ECNFLCT;
    if (sets[EventSet].count > 0 && sets[EventSet].events[0]->component != event->component)
        return PAPI_EINVAL;
    sets[EventSet].events[sets[EventSet].count++] = event;
    return PAPI_OK;
}

int PAPI_remove_named_event(int EventSet, const char *EventName)
{
    assert_string_equal(sets[EventSet].events[sets[EventSet].count - 1]->name, EventName);
    sets[EventSet].count--;
    return PAPI_OK;
}

int PAPI_start(int EventSet)
{
    int others = sets[EventSet].count - 1;
    for (int i = 0; i < sets[EventSet].count; i++)
        if (sets[EventSet].events[i]->shy && others > 1)
            return PAPI_ECNFLCT;
    if (others > 0 && machine.start_status != PAPI_OK)
        return machine.start_status;
    sets[EventSet].started = runs;
    sets[EventSet].known_started = known_runs;
    return PAPI_OK;
}

int PAPI_stop(int EventSet, long long *values)
{
    const long long times = runs - sets[EventSet].started;
    for (int i = 0; i < sets[EventSet].count; i++) {
        const StandInEvent *event = sets[EventSet].events[i];
        values[i] =
            event->rate * times + (long long)(known_factor(event->name) * KNOWN *
                                              (double)(known_runs - sets[EventSet].known_started));
        if (event->mute || (event->mute_among && times > 0))
            values[i] = -1;
        if (event == &all_events[0] && times > 0)
            values[i] += machine.skew[passes];
    }
    passes += times > 0;
    return PAPI_OK;
}

int PAPI_event_name_to_code(const char *in, int *out)
{
    const StandInEvent *event = find_event(in);
    *out = event ? (int)(event - all_events) : -1;
    return event ? PAPI_OK : PAPI_ENOEVNT;
}

int PAPI_get_event_info(int EventCode, PAPI_event_info_t *info)
{
    memset(info, 0, sizeof *info);
    info->count = EventCode == 2 ? 2 : 1;
    (void)snprintf(info->derived, sizeof info->derived, "DERIVED_ADD");
    (void)snprintf(info->name[0], sizeof info->name[0], "NATIVE:A");
    (void)snprintf(info->name[1], sizeof info->name[1], "NATIVE:B");
    return PAPI_OK;
}

static void run_once(void *context)
{
    (void)context;
    runs++;
}

static int reset(void **state)
{
    (void)state;
    memset(&machine, 0, sizeof machine);
    passes = 0;
    return 0;
}

static int leave_no_event_set(void **state)
{
    (void)state;
    return live_sets; // 0 is success
}

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
            assert_string_equal(native, "NATIVE:A, NATIVE:B (DERIVED_ADD)");
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
