// SPDX-License-Identifier: Apache-2.0
// counters_papi.c - hardware counters through PAPI.
#include "counters/counter_passes.h"
#include "counters/counter_sources.h"
#include "counters/papi_events.h"
#include "hyperion/cache.h"

#include <limits.h>
#include <math.h>
#include <papi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char check_event[] = "PAPI_TOT_INS";
static const char cpu_component[] = "perf_event";

typedef struct PapiGroup {
    int event_set;
} PapiGroup;

// NULL once the library runs.
static const char *start_library(void)
{
    static bool tried;
    static char reason[COUNTER_REASON_BYTES];
    if (!tried) {
        tried = true;
        (void)hyperionPublishCacheStats(NULL); // so that PAPI knows the names
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
static void explain(int status, const char *event, char *reason)
{
    const PAPI_component_info_t *component = find_component(event);
    const char *what = PAPI_strerror(status);
    if (component && component->disabled && component->disabled_reason[0])
        (void)snprintf(reason, COUNTER_REASON_BYTES, "%.56s (%.20s: %.76s)",
                       what ? what : "PAPI error", component->name, component->disabled_reason);
    else
        (void)snprintf(reason, COUNTER_REASON_BYTES, "%s", what ? what : "PAPI error");
}

static void drop_set(int *event_set)
{
    if (*event_set == PAPI_NULL)
        return;
    (void)PAPI_cleanup_eventset(*event_set);
    (void)PAPI_destroy_eventset(event_set);
    *event_set = PAPI_NULL;
}

// Counts one event alone; false with PAPI's reason.
static bool probe_event(const char *name, long long *value, char *reason)
{
    int event_set = PAPI_NULL;
    int status = PAPI_create_eventset(&event_set);
    if (status == PAPI_OK)
        status = PAPI_add_named_event(event_set, name);
    if (status == PAPI_OK)
        status = PAPI_start(event_set);
    if (status == PAPI_OK) {
        counter_exercise();
        status = PAPI_stop(event_set, value);
    }
    drop_set(&event_set);
    reason[0] = '\0';
    if (status != PAPI_OK)
        explain(status, name, reason);
    else if (*value == -1)
        (void)snprintf(reason, COUNTER_REASON_BYTES, "added and started, but reads -1");
    return !reason[0];
}

static void *create_group(char *reason)
{
    PapiGroup *group = malloc(sizeof *group);
    if (!group) {
        (void)snprintf(reason, COUNTER_REASON_BYTES, "out of memory");
        return NULL;
    }
    *group = (PapiGroup){.event_set = PAPI_NULL};
    const int status = PAPI_create_eventset(&group->event_set);
    if (status == PAPI_OK)
        return group;
    explain(status, check_event, reason);
    free(group);
    return NULL;
}

static void destroy_group(void *group)
{
    PapiGroup *papi = group;
    if (papi)
        drop_set(&papi->event_set);
    free(papi);
}

// Some conflicts show at the start only, hence the trial.
static bool add_event(void *group, const char *name, char *reason)
{
    PapiGroup *papi = group;
    long long values[COUNTER_GROUP_LIMIT];
    int status = PAPI_add_named_event(papi->event_set, name);
    if (status == PAPI_OK) {
        status = PAPI_start(papi->event_set);
        if (status == PAPI_OK)
            status = PAPI_stop(papi->event_set, values);
        if (status != PAPI_OK)
            (void)PAPI_remove_named_event(papi->event_set, name);
    }
    if (status != PAPI_OK)
        explain(status, name, reason);
    return status == PAPI_OK;
}

static bool start_group(void *group, char *reason)
{
    const PapiGroup *papi = group;
    const int status = PAPI_start(papi->event_set);
    if (status != PAPI_OK)
        explain(status, check_event, reason);
    return status == PAPI_OK;
}

static bool stop_group(void *group, long long *counts, char *reason)
{
    const PapiGroup *papi = group;
    const int status = PAPI_stop(papi->event_set, counts);
    if (status != PAPI_OK)
        explain(status, check_event, reason);
    return status == PAPI_OK;
}

// An event set holds events of one component, and passes are packed from those of one kind.
typedef enum EventKind {
    EVENT_OF_CPU, // of this thread; presets and what nobody knows
    EVENT_OF_MACHINE,
    EVENT_PREDICTED,
    EVENT_KINDS
} EventKind;

#define BACKEND(check_event_, provenance_)                                                         \
    {                                                                                              \
        .check_event = (check_event_), .provenance = (provenance_), .probe = probe_event,          \
        .create = create_group, .add = add_event, .start = start_group, .stop = stop_group,        \
        .destroy = destroy_group,                                                                  \
    }
static const CounterBackend backends[EVENT_KINDS] = {
    [EVENT_OF_CPU] = BACKEND(check_event, "pmu"),
    [EVENT_OF_MACHINE] = BACKEND(NULL, "pmu"),
    [EVENT_PREDICTED] = BACKEND(NULL, "model"),
};
static const char system_wide[] = "counts the whole machine, others' work included";

static EventKind find_kind(const char *event)
{
    int code = 0;
    if (PAPI_event_name_to_code(event, &code) != PAPI_OK)
        return EVENT_OF_CPU;
    const PAPI_component_info_t *component =
        PAPI_get_component_info(PAPI_get_event_component(code));
    if (!component || strcmp(component->name, cpu_component) == 0)
        return EVENT_OF_CPU;
    return strcmp(component->name, "sde") == 0 ? EVENT_PREDICTED : EVENT_OF_MACHINE;
}

static bool measure_kind(EventKind kind, CounterValue *values, size_t count, CounterValue *together,
                         const CounterWork *work, Problem *problem)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++)
        if (find_kind(values[i].name) == kind)
            together[taken++] = values[i];
    if (!taken)
        return true;
    if (!counter_passes_measure(&backends[kind], together, taken, work, problem))
        return false;
    taken = 0;
    for (size_t i = 0; i < count; i++) {
        if (find_kind(values[i].name) != kind)
            continue;
        values[i] = together[taken++];
        if (kind == EVENT_OF_MACHINE && !isnan(values[i].value))
            (void)snprintf(values[i].reason, sizeof values[i].reason, "%s", system_wide);
    }
    return true;
}

static bool measure_events(CounterValue *values, size_t count, const CounterWork *work,
                           Problem *problem)
{
    CounterValue *together = calloc(count, sizeof *together);
    if (!together)
        return problem_set(problem, "out of memory for %zu counters", count);
    bool measured = true;
    for (EventKind kind = 0; measured && kind < EVENT_KINDS; kind++)
        measured = measure_kind(kind, values, count, together, work, problem);
    free(together);
    return measured;
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
        event->provenance = backends[find_kind(event->name)].provenance;
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
