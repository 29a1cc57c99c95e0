// SPDX-License-Identifier: Apache-2.0
#include "counters/counter_passes.h"

#include "counters/counter_sources.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double agreement = 0.01; // of the check events of two passes

// What one pass counts. Its first event is the check event where that can be counted.
typedef struct Pass {
    bool checked;
    size_t size;
    size_t members[COUNTER_GROUP_LIMIT]; // indices of values; SIZE_MAX for a check nobody asked for
    long long check_count;               // -1 unknown
} Pass;

typedef struct Measurement {
    const CounterBackend *backend;
    CounterValue *values;
    size_t count;
    bool *pending;
    size_t *pass_of; // SIZE_MAX: refused
    Pass *passes;
    size_t pass_count;
    bool can_check;
} Measurement;

void counter_exercise(void)
{
    static float data[4096];
    volatile float factor = 1.0001F;
    for (int round = 0; round < 8; round++)
        for (size_t i = 0; i < sizeof data / sizeof data[0]; i++)
            data[i] = data[i] * factor + 1.0F;
}

static void refuse(Measurement *measurement, size_t index, const char *reason)
{
    measurement->pending[index] = false;
    measurement->pass_of[index] = SIZE_MAX;
    counter_value_refuse(&measurement->values[index], reason);
}

// An event that cannot be added to an otherwise empty pass can be in no pass.
static void refuse_first(Measurement *measurement, const char *why)
{
    char reason[2 * COUNTER_REASON_BYTES];
    size_t index = 0;
    while (!measurement->pending[index])
        index++;
    (void)snprintf(reason, sizeof reason, "%s%s%s%s", measurement->can_check ? "beside " : "",
                   measurement->can_check ? measurement->backend->check_event : "",
                   measurement->can_check ? ": " : "", why);
    refuse(measurement, index, reason);
}

static bool add_member(const Measurement *measurement, void *group, Pass *pass, const char *name,
                       size_t member, char *reason)
{
    if (pass->size == COUNTER_GROUP_LIMIT || !measurement->backend->add(group, name, reason))
        return false;
    pass->members[pass->size++] = member;
    return true;
}

static bool join_pass(Measurement *measurement, void *group, Pass *pass, size_t index, char *reason)
{
    const char *name = measurement->values[index].name;
    if (pass->checked && strcmp(name, measurement->backend->check_event) == 0)
        pass->members[0] = index;
    else if (!add_member(measurement, group, pass, name, index, reason))
        return false;
    measurement->pending[index] = false;
    measurement->pass_of[index] = measurement->pass_count;
    return true;
}

// Takes as many pending events as fit. If that is none, the first of them is refused and NULL
// returned.
static void *fill_pass(Measurement *measurement, Pass *pass)
{
    char first_reason[COUNTER_REASON_BYTES] = "";
    char reason[COUNTER_REASON_BYTES] = "";
    *pass = (Pass){.check_count = -1};
    void *group = measurement->backend->create(first_reason);
    bool taken = false;
    if (group && measurement->can_check)
        pass->checked = add_member(measurement, group, pass, measurement->backend->check_event,
                                   SIZE_MAX, reason);
    for (size_t i = 0; group && i < measurement->count; i++) {
        if (!measurement->pending[i])
            continue;
        if (join_pass(measurement, group, pass, i, reason))
            taken = true;
        else if (!first_reason[0])
            (void)snprintf(first_reason, sizeof first_reason, "%s", reason);
    }
    if (taken)
        return group;
    measurement->backend->destroy(group);
    refuse_first(measurement, first_reason);
    return NULL;
}

static void run_pass(Measurement *measurement, void *group, Pass *pass, const CounterWork *work)
{
    const CounterBackend *backend = measurement->backend;
    long long counts[COUNTER_GROUP_LIMIT] = {0};
    char reason[COUNTER_REASON_BYTES] = "";
    bool counted = backend->start(group, reason);
    if (counted) {
        for (unsigned long long i = 0; i < work->iterations; i++)
            work->work(work->context);
        counted = backend->stop(group, counts, reason);
    }
    for (size_t i = 0; i < pass->size; i++) {
        if (pass->members[i] == SIZE_MAX)
            continue;
        CounterValue *value = &measurement->values[pass->members[i]];
        *value = (CounterValue){
            .name = value->name, .value = (double)counts[i], .provenance = backend->provenance};
        if (!counted || counts[i] == -1)
            counter_value_refuse(value, counted ? "reads -1 beside other events" : reason);
        else
            (void)snprintf(value->reason, sizeof value->reason, "%s", reason);
    }
    if (pass->checked && counted)
        pass->check_count = counts[0];
}

static bool passes_agree(const Pass *a, const Pass *b)
{
    const double more = (double)(a->check_count > b->check_count ? a : b)->check_count;
    const double less = (double)(a->check_count > b->check_count ? b : a)->check_count;
    return more - less <= agreement * more;
}

// A pass that most others contradict did other work than they: its values stay, with the doubt.
static void doubt_pass(Measurement *measurement, size_t index)
{
    const Pass *pass = &measurement->passes[index];
    char reason[COUNTER_REASON_BYTES] = "";
    size_t against = 0;
    for (size_t i = 0; i < measurement->pass_count; i++)
        if (i != index && !passes_agree(pass, &measurement->passes[i]))
            against++;
    if (pass->check_count < 0)
        (void)snprintf(reason, sizeof reason,
                       "pass %zu of %zu without %s: not known to be the same work", index + 1,
                       measurement->pass_count, measurement->backend->check_event);
    else if (2 * against > measurement->pass_count - 1)
        (void)snprintf(reason, sizeof reason,
                       "pass %zu of %zu executed %lld instructions, over 1 %% off most others",
                       index + 1, measurement->pass_count, pass->check_count);
    for (size_t i = 0; reason[0] && i < measurement->count; i++)
        if (measurement->pass_of[i] == index && !isnan(measurement->values[i].value))
            (void)snprintf(measurement->values[i].reason, sizeof reason, "%s", reason);
}

static size_t count_pending(const Measurement *measurement)
{
    size_t pending = 0;
    for (size_t i = 0; i < measurement->count; i++)
        pending += measurement->pending[i];
    return pending;
}

static void measure_passes(Measurement *measurement, const CounterWork *work)
{
    const CounterBackend *backend = measurement->backend;
    char reason[COUNTER_REASON_BYTES];
    long long value = 0;
    measurement->can_check =
        backend->check_event && backend->probe(backend->check_event, &value, reason);
    for (size_t i = 0; i < measurement->count; i++) {
        measurement->pending[i] = backend->probe(measurement->values[i].name, &value, reason);
        if (!measurement->pending[i])
            refuse(measurement, i, reason);
    }
    while (count_pending(measurement) > 0) {
        Pass *pass = &measurement->passes[measurement->pass_count];
        void *group = fill_pass(measurement, pass);
        if (!group)
            continue;
        run_pass(measurement, group, pass, work);
        backend->destroy(group);
        measurement->pass_count++;
    }
    for (size_t i = 0;
         backend->check_event && measurement->pass_count > 1 && i < measurement->pass_count; i++)
        doubt_pass(measurement, i);
}

bool counter_passes_measure(const CounterBackend *backend, CounterValue *values, size_t count,
                            const CounterWork *work, Problem *problem)
{
    Measurement measurement = {.backend = backend,
                               .values = values,
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
