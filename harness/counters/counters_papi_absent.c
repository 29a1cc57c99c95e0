// SPDX-License-Identifier: Apache-2.0
// counters_papi_absent.c - stands in for counters_papi.c in a program built without PAPI: the same
// events, none of which can be counted.
#include "counters/counter_sources.h"
#include "counters/papi_events.h"

#include <math.h>
#include <stdio.h>

static const char absent[] = "built without PAPI";

static const char *tell_absence(void)
{
    return absent;
}

static size_t list_events(CounterEvent *events, size_t capacity)
{
    size_t count = 0;
    for (; papi_wanted_events[count]; count++) {
        if (count >= capacity)
            continue;
        events[count] = (CounterEvent){.probe_value = NAN, .provenance = "pmu"};
        (void)snprintf(events[count].name, sizeof events[count].name, "%s",
                       papi_wanted_events[count]);
        (void)snprintf(events[count].reason, sizeof events[count].reason, "%s", absent);
    }
    return count;
}

static bool refuse_events(CounterValue *values, size_t count, const CounterWork *work,
                          Problem *problem)
{
    (void)work;
    (void)problem;
    for (size_t i = 0; i < count; i++)
        counter_value_refuse(&values[i], absent);
    return true;
}

static json_t *describe_absence(void)
{
    return json_pack("{s:n, s:s, s:[]}", "version", "version_reason", absent, "components");
}

const CounterSource counter_source_papi = {
    .name = "papi",
    .help = "hardware counters of the CPU, through PAPI",
    .unavailable_reason = tell_absence,
    .list = list_events,
    .knows = papi_event_is_known,
    .measure = refuse_events,
    .describe = describe_absence,
};
