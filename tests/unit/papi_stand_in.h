// SPDX-License-Identifier: Apache-2.0
// papi_stand_in.h - a machine with counters, played by a stand-in for PAPI: these functions come
// before the library's at link time. Counts follow how often the work ran, and how often work whose
// counts are known. The machine is a made-up one with three counters unless a test says otherwise.
// Include after <cmocka.h>, in one file.
#ifndef PAPI_STAND_IN_H
#define PAPI_STAND_IN_H

#include "counters/known_work.h"

#include <papi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EVENTS = 8, MOST_SETS = 64, MOST_TERMS = 4 };

typedef struct StandInEvent {
    const char *name;
    long long rate;                  // counts of one run of the work
    const char *natives[MOST_TERMS]; // what a preset is made of, each with a counter of its own
    const char *derived;             // how they are put together, where there are several
    bool fixed;                      // has a counter that nothing else can have
    double known;                    // counts for each that should be; 0: one
    int add_status;                  // of PAPI_add_named_event
    bool shy;                        // adds beside others, but then the start fails
    bool mute;                       // reads -1
    bool mute_among;                 // reads -1 unless alone
    int component;                   // index
} StandInEvent;

typedef struct StandInMachine {
    const StandInEvent *events; // the first is that of instructions
    size_t event_count;
    int counters; // beside fixed ones
} StandInMachine;

static const StandInEvent made_up_events[] = {
    {.name = "PAPI_TOT_INS", .rate = 1000},
    {.name = "PAPI_TOT_CYC", .rate = 500},
    {.name = "PAPI_L1_DCM", .rate = 64, .natives = {"L1D:REPLACEMENT"}},
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
static const StandInMachine made_up_machine = {made_up_events,
                                               sizeof made_up_events / sizeof made_up_events[0], 3};
static const StandInMachine *played = &made_up_machine;

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

static double known_factor(const StandInEvent *event)
{
    if (machine.wrong && strcmp(event->name, machine.wrong) == 0)
        return machine.factor + machine.drift * (double)known_runs;
    return event->known > 0 ? event->known : 1;
}

static struct {
    const StandInEvent *events[MOST_EVENTS];
    int count;
    bool live;
    long long started, known_started;
} sets[MOST_SETS];
static long long runs;
static int passes;
static int live_sets;

static PAPI_component_info_t components[] = {
    {.name = "perf_event", .num_cntrs = 3},
    {.name = "perf_event_uncore", .num_cntrs = 3},
    {.name = "sde", .num_cntrs = 3},
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
    return EventCode >= 0 ? played->events[EventCode].component : PAPI_ENOEVNT;
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
    for (size_t i = 0; i < played->event_count; i++)
        if (strcmp(played->events[i].name, name) == 0)
            return &played->events[i];
    return NULL;
}

static unsigned count_terms(const StandInEvent *event)
{
    unsigned count = 0;
    while (count < MOST_TERMS && event->natives[count])
        count++;
    return count;
}

static int count_counters(const StandInEvent *event)
{
    const unsigned terms = count_terms(event);
    return event->fixed ? 0 : terms > 1 ? (int)terms : 1;
}

static bool has_room(int set, const StandInEvent *event)
{
    int used = count_counters(event);
    for (int i = 0; i < sets[set].count; i++)
        used += count_counters(sets[set].events[i]);
    return sets[set].count < MOST_EVENTS && used <= played->counters;
}

int PAPI_add_named_event(int EventSet, const char *EventName)
{
    const StandInEvent *event = find_event(EventName);
    if (machine.disabled)
        return PAPI_ECMP_DISABLED;
    if (!event || (event == played->events && machine.no_instructions))
        return PAPI_ENOEVNT;
    if (event->add_status != PAPI_OK)
        return event->add_status;
    if (!has_room(EventSet, event))
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
            event->rate * times + (long long)(known_factor(event) * KNOWN *
                                              (double)(known_runs - sets[EventSet].known_started));
        if (event->mute || (event->mute_among && times > 0))
            values[i] = -1;
        if (event == played->events && times > 0)
            values[i] += machine.skew[passes];
    }
    passes += times > 0;
    return PAPI_OK;
}

int PAPI_event_name_to_code(const char *in, int *out)
{
    const StandInEvent *event = find_event(in);
    *out = event ? (int)(event - played->events) : -1;
    return event ? PAPI_OK : PAPI_ENOEVNT;
}

int PAPI_get_event_info(int EventCode, PAPI_event_info_t *info)
{
    const StandInEvent *event = &played->events[EventCode];
    memset(info, 0, sizeof *info);
    info->count = count_terms(event);
    (void)snprintf(info->derived, sizeof info->derived, "%s",
                   event->derived ? event->derived : "NOT_DERIVED");
    for (unsigned i = 0; i < info->count; i++)
        (void)snprintf(info->name[i], sizeof info->name[i], "%s", event->natives[i]);
    return PAPI_OK;
}

// What PAPI says of caches is wrong on many machines: an L3 of 384 MiB where there are 32. Nobody
// is to ask.
const PAPI_hw_info_t *PAPI_get_hardware_info(void)
{
    fail_msg("the geometry of caches is asked of PAPI");
    return NULL;
}

// The work that is counted.
static void run_once(void *context)
{
    (void)context;
    runs++;
}

// Set-up of each test, and tear-down of all.
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

#endif
