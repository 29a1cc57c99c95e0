// SPDX-License-Identifier: Apache-2.0
#include "record/sample.h"

#include "common/json_fields.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Of the journal line. A reader refuses lines of another version.
enum { SAMPLE_VERSION = 1 };

static const char *const task_names[SAMPLE_TASK_COUNT] = {"verify", "pilot",   "time",
                                                          "count",  "emulate", "canary"};

Sample sample_empty(void)
{
    return (Sample){.round = -1,
                    .cpu = -1,
                    .minor_faults = -1,
                    .major_faults = -1,
                    .voluntary_switches = -1,
                    .involuntary_switches = -1,
                    .peak_rss_kib = -1};
}

void sample_clear(Sample *sample)
{
    free(sample->real_ns);
    free(sample->cpu_ns);
    free(sample->values);
    *sample = sample_empty();
}

void samples_free(Sample *samples, size_t count)
{
    for (size_t i = 0; samples && i < count; i++)
        sample_clear(&samples[i]);
    free(samples);
}

bool sample_add_value(Sample *sample, const char *name, double value, const char *unit,
                      const char *provenance, const char *reason)
{
    SampleValue *values =
        realloc(sample->values, (sample->value_count + 1) * sizeof *sample->values);
    if (!values)
        return false;
    sample->values = values;
    const bool known = isfinite(value);
    SampleValue *added = &values[sample->value_count++];
    *added = (SampleValue){.value = known ? value : (double)NAN};
    (void)snprintf(added->name, sizeof added->name, "%s", name);
    (void)snprintf(added->unit, sizeof added->unit, "%s", unit);
    (void)snprintf(added->provenance, sizeof added->provenance, "%s",
                   known ? provenance : "unavailable");
    (void)snprintf(added->reason, sizeof added->reason, "%s", reason);
    return true;
}

const SampleValue *sample_find_value(const Sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->value_count; i++)
        if (strcmp(sample->values[i].name, name) == 0)
            return &sample->values[i];
    return NULL;
}

double sample_value(const Sample *sample, const char *name)
{
    const SampleValue *value = sample_find_value(sample, name);
    return value ? value->value : (double)NAN;
}

bool sample_task_is_timed(SampleTask task)
{
    return task == SAMPLE_TIME || task == SAMPLE_CANARY;
}

const char *sample_task_name(SampleTask task)
{
    return task < SAMPLE_TASK_COUNT ? task_names[task] : "unknown";
}

SampleTask sample_task_find(const char *name)
{
    int task = 0;
    while (task < SAMPLE_TASK_COUNT && strcmp(task_names[task], name) != 0)
        task++;
    return (SampleTask)task;
}

static json_t *value_to_json(const SampleValue *value)
{
    json_t *json = json_pack("{s:s, s:o, s:s, s:s}", "name", value->name, "value",
                             json_number_or_null(value->value), "unit", value->unit, "provenance",
                             value->provenance);
    if (json && value->reason[0])
        (void)json_object_set_new(json, "reason", json_text(value->reason));
    return json;
}

static bool value_from_json(const json_t *json, SampleValue *value, Problem *problem)
{
    if (!json_is_object(json))
        return problem_set(problem, "\"values\": expected an array of objects");
    return json_read_text(json, "name", false, value->name, sizeof value->name, problem) &&
           json_read_number(json, "value", true, &value->value, problem) &&
           json_read_text(json, "unit", false, value->unit, sizeof value->unit, problem) &&
           json_read_text(json, "provenance", false, value->provenance, sizeof value->provenance,
                          problem) &&
           json_read_text(json, "reason", true, value->reason, sizeof value->reason, problem);
}

// -1 is unknown here, null there.
static void set_known(json_t *json, const char *key, long value)
{
    (void)json_object_set_new(json, key, value < 0 ? json_null() : json_integer(value));
}

json_t *sample_outcome_to_json(const Sample *sample)
{
    json_t *values = json_array();
    for (size_t i = 0; i < sample->value_count; i++)
        (void)json_array_append_new(values, value_to_json(&sample->values[i]));
    json_t *json = json_pack(
        "{s:b, s:I, s:o, s:o, s:o}", "ok", sample->ok, "iterations", (json_int_t)sample->iterations,
        "real_ns", json_numbers(sample->real_ns, sample->real_count), "cpu_ns",
        json_numbers(sample->cpu_ns, sample->cpu_ns ? sample->real_count : 0), "values", values);
    set_known(json, "cpu", sample->cpu);
    set_known(json, "minor_faults", sample->minor_faults);
    set_known(json, "major_faults", sample->major_faults);
    set_known(json, "voluntary_switches", sample->voluntary_switches);
    set_known(json, "involuntary_switches", sample->involuntary_switches);
    set_known(json, "peak_rss_kib", sample->peak_rss_kib);
    if (json && !sample->ok)
        (void)json_object_set_new(json, "reason", json_text(sample->reason));
    return json;
}

json_t *sample_to_json(const Sample *sample)
{
    const bool canary = sample->task == SAMPLE_CANARY;
    json_t *json =
        json_pack("{s:i, s:o, s:s, s:i, s:f, s:f}", "version", SAMPLE_VERSION, "cell",
                  canary ? json_null() : json_integer((json_int_t)sample->cell), "task",
                  sample_task_name(sample->task), "round", sample->round, "started_unix_s",
                  sample->started_unix_s, "worker_ns", sample->worker_ns);
    if (json && sample->rejection[0]) {
        (void)json_object_set_new(json, "rejected", json_text(sample->rejection));
        (void)json_object_set_new(json, "excess", json_real(sample->excess));
    }
    json_t *outcome = sample_outcome_to_json(sample);
    if (!json || !outcome || json_object_update(json, outcome) != 0) {
        json_decref(json);
        json = NULL;
    }
    json_decref(outcome);
    return json;
}

static bool read_known_or_null(const json_t *json, const char *key, long *value, Problem *problem)
{
    long long read = -1;
    if (!json_is_null(json_object_get(json, key)) &&
        !json_read_integer(json, key, 0, LONG_MAX, &read, problem))
        return false;
    *value = (long)read;
    return true;
}

static bool read_usage(const json_t *json, Sample *sample, Problem *problem)
{
    long cpu = -1;
    if (!read_known_or_null(json, "cpu", &cpu, problem) ||
        !read_known_or_null(json, "minor_faults", &sample->minor_faults, problem) ||
        !read_known_or_null(json, "major_faults", &sample->major_faults, problem) ||
        !read_known_or_null(json, "voluntary_switches", &sample->voluntary_switches, problem) ||
        !read_known_or_null(json, "involuntary_switches", &sample->involuntary_switches, problem) ||
        !read_known_or_null(json, "peak_rss_kib", &sample->peak_rss_kib, problem))
        return false;
    if (cpu > INT_MAX)
        return problem_set(problem, "\"cpu\": %ld is no CPU", cpu);
    sample->cpu = (int)cpu;
    return true;
}

static bool read_times(const json_t *json, Sample *sample, Problem *problem)
{
    size_t cpu_count = 0;
    if (!json_read_numbers(json, "real_ns", &sample->real_ns, &sample->real_count, problem) ||
        !json_read_numbers(json, "cpu_ns", &sample->cpu_ns, &cpu_count, problem))
        return false;
    if (cpu_count != 0 && cpu_count != sample->real_count)
        return problem_set(problem, "\"cpu_ns\": expected none or %zu, given %zu",
                           sample->real_count, cpu_count);
    for (size_t i = 0; i < sample->real_count; i++)
        if (!(sample->real_ns[i] > 0))
            return problem_set(problem, "\"real_ns\": a time that is not positive");
    return true;
}

static bool read_values(const json_t *json, Sample *sample, Problem *problem)
{
    const json_t *values = json_object_get(json, "values");
    if (!json_is_array(values))
        return problem_set(problem, "\"values\": expected an array");
    const size_t count = json_array_size(values);
    sample->values = calloc(count + 1, sizeof *sample->values);
    if (!sample->values)
        return problem_set(problem, "\"values\": out of memory");
    for (; sample->value_count < count; sample->value_count++)
        if (!value_from_json(json_array_get(values, sample->value_count),
                             &sample->values[sample->value_count], problem))
            return false;
    return true;
}

static bool read_outcome(const json_t *json, Sample *sample, Problem *problem)
{
    long long iterations = 0;
    if (!json_read_flag(json, "ok", &sample->ok, problem) ||
        !json_read_text(json, "reason", sample->ok, sample->reason, sizeof sample->reason,
                        problem) ||
        !json_read_integer(json, "iterations", 0, LLONG_MAX, &iterations, problem))
        return false;
    sample->iterations = (uint64_t)iterations;
    return read_times(json, sample, problem) && read_values(json, sample, problem) &&
           read_usage(json, sample, problem);
}

bool sample_outcome_from_json(const json_t *json, Sample *sample, Problem *problem)
{
    Sample read = sample_empty();
    read.cell = sample->cell;
    read.round = sample->round;
    read.task = sample->task;
    memcpy(read.rejection, sample->rejection, sizeof read.rejection);
    read.excess = sample->excess;
    read.started_unix_s = sample->started_unix_s;
    read.worker_ns = sample->worker_ns;
    if (!read_outcome(json, &read, problem)) {
        sample_clear(&read);
        return false;
    }
    sample_clear(sample);
    *sample = read;
    return true;
}

static bool read_rejection(const json_t *json, Sample *sample, Problem *problem)
{
    if (!json_object_get(json, "rejected"))
        return true;
    return json_read_text(json, "rejected", false, sample->rejection, sizeof sample->rejection,
                          problem) &&
           json_read_number(json, "excess", false, &sample->excess, problem);
}

// The runner's part but for the rejection.
static bool read_place(const json_t *json, Sample *sample, Problem *problem)
{
    long long cell = 0;
    long long round = 0;
    char task[16];
    if (!json_read_text(json, "task", false, task, sizeof task, problem))
        return false;
    sample->task = sample_task_find(task);
    if (sample->task == SAMPLE_TASK_COUNT)
        return problem_set(problem, "\"task\": unknown task '%s'", task);
    const bool has_cell = sample->task != SAMPLE_CANARY;
    if (!has_cell && !json_is_null(json_object_get(json, "cell")))
        return problem_set(problem, "\"cell\": expected null, a canary has none");
    if ((has_cell && !json_read_integer(json, "cell", 0, LLONG_MAX, &cell, problem)) ||
        !json_read_integer(json, "round", -1, INT_MAX, &round, problem))
        return false;
    sample->cell = (size_t)cell;
    sample->round = (int)round;
    return true;
}

bool sample_from_json(const json_t *json, Sample *sample, Problem *problem)
{
    Sample read = sample_empty();
    long long version = 0;
    *sample = read;
    if (!json_is_object(json))
        return problem_set(problem, "expected an object");
    if (!json_read_integer(json, "version", SAMPLE_VERSION, SAMPLE_VERSION, &version, problem) ||
        !read_place(json, &read, problem) || !read_rejection(json, &read, problem) ||
        !json_read_number(json, "started_unix_s", false, &read.started_unix_s, problem) ||
        !json_read_number(json, "worker_ns", false, &read.worker_ns, problem))
        return false;
    if (!sample_outcome_from_json(json, &read, problem))
        return false;
    *sample = read;
    return true;
}
