// SPDX-License-Identifier: Apache-2.0
#include "counters/counters.h"

#include "counters/counter_sources.h"
#include "counters/counter_trust.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EVENTS = 128 };

const CounterSource *const counter_source_table[] = {
    &counter_source_papi,
    &counter_source_perf,
    &counter_source_os,
    &counter_source_sim,
    &counter_source_callgrind,
    &counter_source_replay,
    NULL,
};

const char *const counters_default[] = {
    "PAPI_TOT_INS",
    "PAPI_TOT_CYC",
    "PAPI_REF_CYC",
    "PAPI_L1_DCM",
    "PAPI_L1_DCA",
    "PAPI_L2_DCM",
    "PAPI_L2_DCA",
    "PAPI_L3_TCM",
    "PAPI_TLB_DM",
    "PAPI_BR_MSP",
    "PAPI_VEC_SP",
    "PAPI_SP_OPS",
    "perf.instructions",
    "perf.cycles",
    "perf.cache-misses",
    "perf.L1-dcache-load-misses",
    "perf.LLC-load-misses",
    "perf.dTLB-load-misses",
    "perf.branch-misses",
    "page_faults",
    "task_clock_ns",
    "context_switches",
    NULL,
};

void counter_value_refuse(CounterValue *value, const char *reason)
{
    value->value = NAN;
    value->provenance = "unavailable";
    (void)snprintf(value->reason, sizeof value->reason, "%s", reason);
}

static const CounterSource *find_source(const char *name)
{
    for (size_t i = 0; counter_source_table[i]; i++)
        if (counter_source_table[i]->knows(name))
            return counter_source_table[i];
    return NULL;
}

static bool is_of_cell(const char *name)
{
    const CounterSource *source = find_source(name);
    return source && source->of_cell;
}

// A counter that does not count what is known is not used; one that counts a multiple of it is
// doubted.
static bool check_trust(const CounterSource *source, CounterValue *values, size_t count,
                        Problem *problem)
{
    for (size_t i = 0; i < count; i++) {
        CounterCheck check;
        if (isnan(values[i].value))
            continue;
        if (!counter_trust_check(source, values[i].name, &check, problem))
            return false;
        if (check.trust == COUNTER_BROKEN)
            counter_value_refuse(&values[i], check.words);
        else if (!values[i].reason[0])
            (void)snprintf(values[i].reason, sizeof values[i].reason, "%s", check.words);
    }
    return true;
}

// Those values that belong to one source go through it together, so that it can group them.
static bool measure_source(const CounterSource *source, CounterValue *values, size_t count,
                           CounterValue *together, const CounterWork *work, Problem *problem)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++)
        if (find_source(values[i].name) == source)
            together[taken++] = values[i];
    if (!taken)
        return true;
    const char *reason = source->unavailable_reason();
    if (!reason && !source->of_cell)
        reason = work->refusal;
    if (reason)
        for (size_t i = 0; i < taken; i++)
            counter_value_refuse(&together[i], reason);
    else if (!source->measure(together, taken, work, problem) ||
             !check_trust(source, together, taken, problem))
        return false;
    taken = 0;
    for (size_t i = 0; i < count; i++)
        if (find_source(values[i].name) == source)
            values[i] = together[taken++];
    return true;
}

bool counters_measure(const char *const *names, size_t count, const CounterWork *work,
                      CounterValue *values, Problem *problem)
{
    assert(work->iterations > 0);
    if (!count)
        return true;
    CounterValue *together = calloc(count, sizeof *together);
    if (!together)
        return problem_set(problem, "out of memory for %zu counters", count);
    for (size_t i = 0; i < count; i++) {
        values[i] = (CounterValue){.name = names[i]};
        counter_value_refuse(&values[i], "no source knows an event of this name");
    }
    bool ok = true;
    for (size_t i = 0; ok && counter_source_table[i]; i++)
        ok = measure_source(counter_source_table[i], values, count, together, work, problem);
    for (size_t i = 0; i < count; i++)
        if (!is_of_cell(values[i].name))
            values[i].value /= (double)work->iterations;
    free(together);
    return ok;
}

static bool set_or_reason(json_t *facts, const char *name, json_t *value, const char *reason)
{
    char key[64];
    if (value)
        return json_object_set_new(facts, name, value) == 0;
    (void)snprintf(key, sizeof key, "%s_reason", name);
    return json_object_set_new(facts, name, json_null()) == 0 &&
           json_object_set_new(facts, key, json_string(reason)) == 0;
}

// "trust", with what it counts where that is not what is known.
static bool add_trust(const CounterSource *source, const CounterEvent *event, json_t *facts)
{
    CounterCheck check = {.trust = COUNTER_UNCHECKED};
    Problem problem = {0};
    if (event->available && !counter_trust_check(source, event->name, &check, &problem))
        return false;
    return set_or_reason(facts, "trust", json_string(counter_trust_name(check.trust)), "") &&
           (!check.words[0] || set_or_reason(facts, "trust_words", json_string(check.words), ""));
}

static json_t *event_to_json(const CounterSource *source, const CounterEvent *event)
{
    json_t *facts = json_object();
    if (facts && set_or_reason(facts, "name", json_string(event->name), "") &&
        set_or_reason(facts, "source", json_string(source->name), "") &&
        set_or_reason(facts, "available", json_boolean(event->available), "") &&
        set_or_reason(facts, "provenance",
                      json_string(event->available ? event->provenance : "unavailable"), "") &&
        set_or_reason(facts, "probe_value",
                      isnan(event->probe_value) ? NULL : json_real(event->probe_value),
                      event->available ? "not probed" : event->reason) &&
        set_or_reason(facts, "native", event->native[0] ? json_string(event->native) : NULL,
                      event->available ? "the source does not tell" : "not available") &&
        add_trust(source, event, facts))
        return facts;
    json_decref(facts);
    return NULL;
}

static bool describe_source(const CounterSource *source, CounterEvent *events, json_t *facts,
                            json_t *list)
{
    const size_t known = source->list(events, MOST_EVENTS);
    const size_t count = known < MOST_EVENTS ? known : MOST_EVENTS;
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, event_to_json(source, &events[i])) != 0)
            return false;
    return !source->describe || json_object_set_new(facts, source->name, source->describe()) == 0;
}

json_t *counters_describe(void)
{
    CounterEvent *events = calloc(MOST_EVENTS, sizeof *events);
    json_t *facts = json_object();
    json_t *list = json_array();
    bool ok = events && facts && list;
    for (size_t i = 0; ok && counter_source_table[i]; i++)
        ok = describe_source(counter_source_table[i], events, facts, list);
    ok = ok && json_object_set(facts, "events", list) == 0;
    free(events);
    json_decref(list);
    if (ok)
        return facts;
    json_decref(facts);
    return NULL;
}
