// SPDX-License-Identifier: Apache-2.0
// counters_papi.c - hardware counters through PAPI. Every event is probed alone, then events are
// packed greedily into legal groups, one pass each; never multiplexed. PAPI_TOT_INS rides in every
// pass, so that passes which did not do the same work are noticed.
#include "counters/counter_sources.h"
#include "counters/papi_events.h"

#include <limits.h>
#include <math.h>
#include <papi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    // PAPI's kernel interfaces offer at most a dozen counters; a set of ours is cut off there.
    MOST_IN_PASS = 16,
    REASON_BYTES = sizeof((CounterValue *)0)->reason
};

static const char check_event[] = "PAPI_TOT_INS";
static const double agreement = 0.01; // of the instructions of two passes
static const char cpu_component[] = "perf_event";

// What one pass counts. Its first event is the check event where that can be counted.
typedef struct Pass {
    int event_set;
    bool checked;
    size_t size;
    size_t members[MOST_IN_PASS]; // indices of values; SIZE_MAX for a check nobody asked for
    long long instructions;       // of the check event; -1 unknown
} Pass;

typedef struct Measurement {
    CounterValue *values;
    size_t count;
    bool *pending;
    size_t *pass_of; // SIZE_MAX: refused
    Pass *passes;
    size_t pass_count;
    bool can_check;
} Measurement;

// NULL once the library runs.
static const char *start_library(void)
{
    static bool tried;
    static char reason[REASON_BYTES];
    if (!tried) {
        tried = true;
        const int version = PAPI_library_init(PAPI_VER_CURRENT);
        if (version < 0)
            (void)snprintf(reason, sizeof reason, "PAPI: %s", PAPI_strerror(version));
        else if (version != PAPI_VER_CURRENT)
            (void)snprintf(reason, sizeof reason,
                           "PAPI: the library is not the version compiled for");
    }
    return reason[0] ? reason : NULL;
}

static const PAPI_component_info_t *find_component(const char *event)
{
    const char *mark = strstr(event, ":::");
    const size_t length = mark ? (size_t)(mark - event) : sizeof cpu_component - 1;
    const char *name = mark ? event : cpu_component;
    for (int i = 0; i < PAPI_num_components(); i++) {
        const PAPI_component_info_t *component = PAPI_get_component_info(i);
        if (component && strlen(component->name) == length &&
            strncmp(component->name, name, length) == 0)
            return component;
    }
    return NULL;
}

// "Component containing event is disabled (perf_event: libpfm4 no default PMU found)"
static void explain(int status, const char *event, char reason[REASON_BYTES])
{
    const PAPI_component_info_t *component = find_component(event);
    const char *what = PAPI_strerror(status);
    if (component && component->disabled && component->disabled_reason[0])
        (void)snprintf(reason, REASON_BYTES, "%.56s (%.20s: %.76s)", what ? what : "PAPI error",
                       component->name, component->disabled_reason);
    else
        (void)snprintf(reason, REASON_BYTES, "%s", what ? what : "PAPI error");
}

static void drop_set(int *event_set)
{
    if (*event_set == PAPI_NULL)
        return;
    (void)PAPI_cleanup_eventset(*event_set);
    (void)PAPI_destroy_eventset(event_set);
    *event_set = PAPI_NULL;
}

// Some loads, stores, multiplications and branches, so that a counter has something to count.
static void exercise(void)
{
    static float data[4096];
    volatile float factor = 1.0001F;
    for (int round = 0; round < 8; round++)
        for (size_t i = 0; i < sizeof data / sizeof data[0]; i++)
            data[i] = data[i] * factor + 1.0F;
}

// Counts one event alone; false with PAPI's reason.
static bool probe_event(const char *name, long long *value, char reason[REASON_BYTES])
{
    int event_set = PAPI_NULL;
    int status = PAPI_create_eventset(&event_set);
    if (status == PAPI_OK)
        status = PAPI_add_named_event(event_set, name);
    if (status == PAPI_OK)
        status = PAPI_start(event_set);
    if (status == PAPI_OK) {
        exercise();
        status = PAPI_stop(event_set, value);
    }
    drop_set(&event_set);
    reason[0] = '\0';
    if (status != PAPI_OK)
        explain(status, name, reason);
    else if (*value == -1)
        (void)snprintf(reason, REASON_BYTES, "added and started, but reads -1");
    return !reason[0];
}

// Adds to a pass what the hardware can count beside the rest. Some conflicts show at the start
// only, hence the trial.
static int add_event(Pass *pass, const char *name, size_t member)
{
    long long values[MOST_IN_PASS];
    if (pass->size == MOST_IN_PASS)
        return PAPI_ECNFLCT;
    int status = PAPI_add_named_event(pass->event_set, name);
    if (status != PAPI_OK)
        return status;
    status = PAPI_start(pass->event_set);
    if (status == PAPI_OK)
        status = PAPI_stop(pass->event_set, values);
    if (status == PAPI_OK)
        pass->members[pass->size++] = member;
    else
        (void)PAPI_remove_named_event(pass->event_set, name);
    return status;
}

static void refuse(Measurement *measurement, size_t index, const char *reason)
{
    measurement->pending[index] = false;
    measurement->pass_of[index] = SIZE_MAX;
    counter_value_refuse(&measurement->values[index], reason);
}

// An event that cannot be added to an otherwise empty pass can be in no pass.
static void refuse_first(Measurement *measurement, int status)
{
    char why[REASON_BYTES];
    char reason[REASON_BYTES + 48];
    size_t index = 0;
    while (!measurement->pending[index])
        index++;
    explain(status, measurement->values[index].name, why);
    (void)snprintf(reason, sizeof reason, "%s%s%s", measurement->can_check ? "beside " : "",
                   measurement->can_check ? "PAPI_TOT_INS: " : "", why);
    refuse(measurement, index, reason);
}

static int join_pass(Measurement *measurement, Pass *pass, size_t index)
{
    const char *name = measurement->values[index].name;
    int status = PAPI_OK;
    if (pass->checked && strcmp(name, check_event) == 0)
        pass->members[0] = index;
    else
        status = add_event(pass, name, index);
    if (status == PAPI_OK) {
        measurement->pending[index] = false;
        measurement->pass_of[index] = measurement->pass_count;
    }
    return status;
}

// Takes as many pending events as fit. If that is none, the first of them is refused and false
// returned.
static bool fill_pass(Measurement *measurement, Pass *pass)
{
    *pass = (Pass){.event_set = PAPI_NULL, .instructions = -1};
    int first_failure = PAPI_create_eventset(&pass->event_set);
    bool taken = false;
    if (first_failure == PAPI_OK) {
        if (measurement->can_check)
            pass->checked = add_event(pass, check_event, SIZE_MAX) == PAPI_OK;
        for (size_t i = 0; i < measurement->count; i++) {
            const int status =
                measurement->pending[i] ? join_pass(measurement, pass, i) : PAPI_ECNFLCT;
            taken = taken || status == PAPI_OK;
            if (measurement->pending[i] && first_failure == PAPI_OK)
                first_failure = status;
        }
    }
    if (!taken) {
        drop_set(&pass->event_set);
        refuse_first(measurement, first_failure);
    }
    return taken;
}

static void run_pass(Measurement *measurement, Pass *pass, const CounterWork *work)
{
    long long counts[MOST_IN_PASS] = {0};
    char reason[REASON_BYTES] = "";
    int status = PAPI_start(pass->event_set);
    if (status == PAPI_OK) {
        for (unsigned long long i = 0; i < work->iterations; i++)
            work->work(work->context);
        status = PAPI_stop(pass->event_set, counts);
    }
    if (status != PAPI_OK)
        explain(status, check_event, reason);
    for (size_t i = 0; i < pass->size; i++) {
        if (pass->members[i] == SIZE_MAX)
            continue;
        CounterValue *value = &measurement->values[pass->members[i]];
        *value =
            (CounterValue){.name = value->name, .value = (double)counts[i], .provenance = "pmu"};
        if (reason[0] || counts[i] == -1)
            counter_value_refuse(value, reason[0] ? reason : "reads -1 beside other events");
    }
    if (pass->checked && !reason[0])
        pass->instructions = counts[0];
}

static bool passes_agree(const Pass *a, const Pass *b)
{
    const double more = (double)(a->instructions > b->instructions ? a : b)->instructions;
    const double less = (double)(a->instructions > b->instructions ? b : a)->instructions;
    return more - less <= agreement * more;
}

// A pass that most others contradict did other work than they: its values stay, with the doubt.
static void doubt_pass(Measurement *measurement, size_t index)
{
    const Pass *pass = &measurement->passes[index];
    char reason[REASON_BYTES] = "";
    size_t against = 0;
    for (size_t i = 0; i < measurement->pass_count; i++)
        if (i != index && !passes_agree(pass, &measurement->passes[i]))
            against++;
    if (pass->instructions < 0)
        (void)snprintf(reason, sizeof reason,
                       "pass %zu of %zu without "
                       "PAPI_TOT_INS: not known to be the same work",
                       index + 1, measurement->pass_count);
    else if (2 * against > measurement->pass_count - 1)
        (void)snprintf(reason, sizeof reason,
                       "pass %zu of %zu executed %lld instructions, over 1 %% off most others",
                       index + 1, measurement->pass_count, pass->instructions);
    for (size_t i = 0; reason[0] && i < measurement->count; i++)
        if (measurement->pass_of[i] == index && !isnan(measurement->values[i].value))
            (void)snprintf(measurement->values[i].reason, REASON_BYTES, "%s", reason);
}

static void measure_passes(Measurement *measurement, const CounterWork *work)
{
    char reason[REASON_BYTES];
    long long value = 0;
    size_t pending = measurement->count;
    measurement->can_check = probe_event(check_event, &value, reason);
    for (size_t i = 0; i < measurement->count; i++) {
        measurement->pending[i] = probe_event(measurement->values[i].name, &value, reason);
        if (!measurement->pending[i])
            refuse(measurement, i, reason);
    }
    for (size_t i = 0; i < measurement->count; i++)
        pending -= !measurement->pending[i];
    while (pending > 0) {
        Pass *pass = &measurement->passes[measurement->pass_count];
        if (fill_pass(measurement, pass)) {
            run_pass(measurement, pass, work);
            drop_set(&pass->event_set);
            measurement->pass_count++;
        }
        pending = 0;
        for (size_t i = 0; i < measurement->count; i++)
            pending += measurement->pending[i];
    }
    for (size_t i = 0; measurement->pass_count > 1 && i < measurement->pass_count; i++)
        doubt_pass(measurement, i);
}

static bool measure_events(CounterValue *values, size_t count, const CounterWork *work,
                           Problem *problem)
{
    Measurement measurement = {.values = values,
                               .count = count,
                               .pending = calloc(count, sizeof *measurement.pending),
                               .pass_of = calloc(count, sizeof *measurement.pass_of),
                               .passes = calloc(count, sizeof *measurement.passes)};
    const bool ok = measurement.pending && measurement.pass_of && measurement.passes;
    if (ok)
        measure_passes(&measurement, work);
    else
        (void)problem_set(problem, "out of memory for %zu counters", count);
    free(measurement.pending);
    free(measurement.pass_of);
    free(measurement.passes);
    return ok;
}

// The native events behind a preset, as PAPI maps them on this CPU: "A + B (DERIVED_ADD)".
static void describe_mapping(const char *name, char *text, size_t text_bytes)
{
    int code = 0;
    PAPI_event_info_t info;
    text[0] = '\0';
    if (PAPI_event_name_to_code(name, &code) != PAPI_OK ||
        PAPI_get_event_info(code, &info) != PAPI_OK)
        return;
    size_t length = 0;
    for (unsigned i = 0; i < info.count && i < PAPI_MAX_INFO_TERMS && length < text_bytes; i++)
        length += (size_t)snprintf(text + length, text_bytes - length, "%s%s", i ? ", " : "",
                                   info.name[i]);
    if (info.count > 1 && length < text_bytes)
        (void)snprintf(text + length, text_bytes - length, " (%s)", info.derived);
}

static size_t list_events(CounterEvent *events, size_t capacity)
{
    const char *reason = start_library();
    size_t count = 0;
    while (papi_wanted_events[count])
        count++;
    for (size_t i = 0; i < count && i < capacity; i++) {
        CounterEvent *event = &events[i];
        long long value = 0;
        *event = (CounterEvent){.probe_value = NAN, .provenance = "pmu"};
        (void)snprintf(event->name, sizeof event->name, "%s", papi_wanted_events[i]);
        if (reason) {
            (void)snprintf(event->reason, sizeof event->reason, "%s", reason);
            continue;
        }
        event->available = probe_event(event->name, &value, event->reason);
        if (!event->available)
            continue;
        event->probe_value = (double)value;
        describe_mapping(event->name, event->native, sizeof event->native);
    }
    return count;
}

static json_t *describe_component(const PAPI_component_info_t *component)
{
    if (component->disabled)
        return json_pack("{s:s, s:b, s:s}", "name", component->name, "enabled", 0, "reason",
                         component->disabled_reason[0] ? component->disabled_reason
                                                       : "PAPI does not tell");
    return json_pack("{s:s, s:b, s:i}", "name", component->name, "enabled", 1, "counters",
                     component->num_cntrs);
}

static json_t *describe_library(void)
{
    const char *reason = start_library();
    if (reason)
        return json_pack("{s:n, s:s, s:[]}", "version", "version_reason", reason, "components");
    char version[48];
    (void)snprintf(version, sizeof version, "%u.%u.%u", PAPI_VERSION_MAJOR(PAPI_VERSION),
                   PAPI_VERSION_MINOR(PAPI_VERSION), PAPI_VERSION_REVISION(PAPI_VERSION));
    json_t *components = json_array();
    for (int i = 0; components && i < PAPI_num_components(); i++) {
        const PAPI_component_info_t *component = PAPI_get_component_info(i);
        if (component && json_array_append_new(components, describe_component(component)) != 0) {
            json_decref(components);
            components = NULL;
        }
    }
    return json_pack("{s:s, s:o}", "version", version, "components", components);
}

const CounterSource counter_source_papi = {
    .name = "papi",
    .help = "hardware counters of the CPU, through PAPI",
    .unavailable_reason = start_library,
    .list = list_events,
    .knows = papi_event_is_known,
    .measure = measure_events,
    .describe = describe_library,
};
