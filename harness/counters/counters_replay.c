// SPDX-License-Identifier: Apache-2.0
// counters_replay.c - predictions by replay as events: what the loop nest of the cell would touch,
// at the addresses of its real operands, in simulated caches. Nothing is measured.
#include "counters/counter_sources.h"
#include "counters/simulated_events.h"
#include "hyperion/error.h"
#include "run/protocol.h"

#include <math.h>

// The counts of a simulation, but for those that only single accesses tell.
static CacheEventKind replay_kind(void)
{
    return (CacheEventKind){"replay", simulated_events.counts};
}

static bool parse_event(const char *name, CacheEvent *event)
{
    const CacheEventKind kind = replay_kind();
    return cache_event_parse(&kind, name, event) && !simulated_event_is_of_access(event);
}

static bool knows_event(const char *name)
{
    CacheEvent event;
    return parse_event(name, &event);
}

static const char *find_obstacle(void)
{
    return NULL;
}

static size_t list_events(CounterEvent *events, size_t capacity)
{
    const CacheEventKind kind = replay_kind();
    return cache_events_list(&kind, "the loop nest of the cell, at the addresses of its operands",
                             NULL, events, capacity);
}

// One start of the caches, predicted when it is first asked for.
typedef struct Prediction {
    bool made;
    SimulatedCounts counts;
    char reason[sizeof((CounterValue *)0)->reason];
} Prediction;

static void make_prediction(const CounterWork *work, bool cold, Prediction *prediction)
{
    const Workload *workload = work->request ? work->request->cell.workload : NULL;
    const HyperionPredictionConfig config = {.tier = HYPERION_CACHE_TIER_REPLAY, .warm = !cold};
    prediction->made = true;
    if (!workload || !workload->predict) {
        (void)snprintf(prediction->reason, sizeof prediction->reason,
                       "only kernels and models are replayed");
        return;
    }
    prediction->counts.caches = workload->predict(work->context, &config);
    if (!prediction->counts.caches.valid)
        (void)snprintf(prediction->reason, sizeof prediction->reason, "%.*s",
                       (int)sizeof prediction->reason - 1, hyperionGetLastError());
}

// Another measure of an iteration than the others': it needs none.
static bool measure_events(CounterValue *values, size_t count, const CounterWork *work,
                           Problem *problem)
{
    Prediction predictions[2] = {{.made = false}, {.made = false}};
    (void)problem;
    for (size_t i = 0; i < count; i++) {
        CacheEvent event;
        if (!parse_event(values[i].name, &event))
            continue;
        Prediction *prediction = &predictions[event.cold];
        if (!prediction->made)
            make_prediction(work, event.cold, prediction);
        const double value = prediction->reason[0]
                                 ? (double)NAN
                                 : simulated_event_value(&event, &prediction->counts);
        values[i] = (CounterValue){values[i].name, value, "model", ""};
        if (isnan(value))
            counter_value_refuse(&values[i], prediction->reason[0]
                                                 ? prediction->reason
                                                 : "the topology has fewer levels of caches");
    }
    return true;
}

const CounterSource counter_source_replay = {
    .name = "replay",
    .help = "caches predicted by replaying the loop nest of the cell; nothing is measured",
    .of_cell = true,
    .unavailable_reason = find_obstacle,
    .list = list_events,
    .knows = knows_event,
    .measure = measure_events,
};
