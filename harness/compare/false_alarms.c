// SPDX-License-Identifier: Apache-2.0
#include "compare/false_alarms.h"

#include "common/folder.h"
#include "common/json_fields.h"
#include "common/json_file.h"
#include "stats/intervals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA "hyperion-false-alarms-1"

static const char *const kind_names[ALARM_KINDS] = {"interleaved", "stored"};

const char *false_alarms_kind(AlarmKind kind)
{
    return kind_names[kind];
}

Interval false_alarms_interval(AlarmCount count)
{
    if (count.comparisons == 0)
        return (Interval){0, 1};
    return stat_proportion_interval(count.alarms, count.comparisons, 0.95);
}

void false_alarms_describe(AlarmCount count, AlarmKind kind, char *text, size_t text_bytes)
{
    const Interval interval = false_alarms_interval(count);
    if (count.comparisons == 0)
        (void)snprintf(text, text_bytes,
                       "false-alarm rate (%s A/A): not measured on this machine%s",
                       kind_names[kind],
                       kind == ALARMS_INTERLEAVED
                           ? "; `hyperion compare --against . SCENARIO --false-alarms 200` does"
                           : "");
    else
        (void)snprintf(text, text_bytes,
                       "measured false-alarm rate (%s A/A): %zu of %zu, 95 %% interval %.2g to "
                       "%.2g %%",
                       kind_names[kind], count.alarms, count.comparisons, interval.low * 100,
                       interval.high * 100);
}

static bool read_kind(const json_t *document, AlarmKind kind, AlarmCount *count, Problem *problem)
{
    enum { MOST = 1000000000 };
    const json_t *object = json_object_get(document, kind_names[kind]);
    long long comparisons = 0;
    long long alarms = 0;
    if (!object)
        return true;
    if (!json_read_integer(object, "comparisons", 0, MOST, &comparisons, problem) ||
        !json_read_integer(object, "alarms", 0, comparisons, &alarms, problem))
        return false;
    *count = (AlarmCount){(size_t)comparisons, (size_t)alarms};
    return true;
}

static bool read_document(const json_t *document, const char *machine_key, FalseAlarms *alarms,
                          Problem *problem)
{
    char schema[64];
    char key[64];
    if (!json_read_text(document, "schema", false, schema, sizeof schema, problem) ||
        !json_read_text(document, "machine_key", false, key, sizeof key, problem))
        return false;
    if (strcmp(schema, SCHEMA) != 0)
        return problem_set(problem, "schema: expected '%s'; given '%s'", SCHEMA, schema);
    if (strcmp(key, machine_key) != 0)
        return problem_set(problem, "machine_key: expected '%s'; given '%s'", machine_key, key);
    return read_kind(document, ALARMS_INTERLEAVED, &alarms->counts[ALARMS_INTERLEAVED], problem) &&
           read_kind(document, ALARMS_STORED, &alarms->counts[ALARMS_STORED], problem);
}

static bool make_path(const char *root, const char *machine_key, char *path, size_t path_bytes,
                      Problem *problem)
{
    const int length = snprintf(path, path_bytes, "%s/%s/false-alarms.json", root, machine_key);
    return (size_t)length < path_bytes || problem_set(problem, "%s: the path is too long", root);
}

bool false_alarms_load(const char *root, const char *machine_key, FalseAlarms *alarms,
                       Problem *problem)
{
    char path[4096];
    *alarms = (FalseAlarms){0};
    if (!make_path(root, machine_key, path, sizeof path, problem))
        return false;
    if (access(path, F_OK) != 0)
        return true;
    Problem reason = {0};
    json_t *document = json_file_read(path, problem);
    const bool read = document && read_document(document, machine_key, alarms, &reason);
    if (document && !read)
        (void)problem_set(problem, "%s: %.1500s", path, reason.text);
    json_decref(document);
    return read;
}

static json_t *kind_to_json(AlarmCount count)
{
    const Interval interval = false_alarms_interval(count);
    return json_pack("{s:I, s:I, s:f, s:f}", "comparisons", (json_int_t)count.comparisons, "alarms",
                     (json_int_t)count.alarms, "rate_low", interval.low, "rate_high",
                     interval.high);
}

bool false_alarms_add(const char *root, const char *machine_key, AlarmKind kind, AlarmCount added,
                      Problem *problem)
{
    FalseAlarms alarms;
    char path[4096];
    if (!make_path(root, machine_key, path, sizeof path, problem) ||
        !false_alarms_load(root, machine_key, &alarms, problem) ||
        !folder_of_file_make(path, problem))
        return false;
    alarms.counts[kind].comparisons += added.comparisons;
    alarms.counts[kind].alarms += added.alarms;
    json_t *document = json_pack("{s:s, s:s}", "schema", SCHEMA, "machine_key", machine_key);
    bool made = document != NULL;
    for (AlarmKind each = 0; each < ALARM_KINDS; each++)
        if (alarms.counts[each].comparisons > 0)
            made = made && json_object_set_new(document, kind_names[each],
                                               kind_to_json(alarms.counts[each])) == 0;
    const bool written = made ? json_file_write(path, document, problem)
                              : problem_set(problem, "%s: out of memory", path);
    json_decref(document);
    return written;
}
