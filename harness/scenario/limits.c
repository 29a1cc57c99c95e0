// SPDX-License-Identifier: Apache-2.0
#include "scenario/limits.h"

#include "common/fnv.h"
#include "common/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const Limit limit_table[LIMIT_COUNT] = {
    [LIMIT_OTHER_CPUS] = {"other_cpus", false, "CPUs that others kept busy"},
    [LIMIT_STEAL] = {"steal", true, "time that the hypervisor took"},
    [LIMIT_VOLUNTARY_SWITCHES] = {"voluntary_switches", false, "waits during the loops"},
    [LIMIT_INVOLUNTARY_SWITCHES] = {"involuntary_switches", false,
                                    "interruptions by the scheduler"},
    [LIMIT_MINOR_FAULTS] = {"minor_faults", false, "pages first touched during the loops"},
    [LIMIT_MAJOR_FAULTS] = {"major_faults", false, "pages read from disk during the loops"},
    [LIMIT_FREQUENCY_DROP] = {"frequency_drop", true, "below the cell's highest frequency so far"},
    [LIMIT_THROTTLE_EVENTS] = {"throttle_events", false, "thermal throttling"},
};

static const double most_number = 1e9;

SampleLimits limits_none(void)
{
    SampleLimits limits;
    for (int i = 0; i < LIMIT_COUNT; i++)
        limits.most[i] = NAN;
    return limits;
}

bool limits_are_none(const SampleLimits *limits)
{
    for (int i = 0; i < LIMIT_COUNT; i++)
        if (!isnan(limits->most[i]))
            return false;
    return true;
}

static bool is_in_range(const Limit *limit, double value)
{
    return value >= 0 && value <= (limit->is_share ? 1 : most_number);
}

static bool parse_value(const Limit *limit, const char *text, double *value)
{
    return (limit->is_share ? quantity_parse_share(text, value)
                            : quantity_parse_real(text, value)) &&
           is_in_range(limit, *value);
}

static bool read_limit(const char *name, const TreeNode *entry, LimitId id, SampleLimits *limits,
                       Problem *problem)
{
    const Limit *limit = &limit_table[id];
    if (!tree_expect(name, entry, TREE_SCALAR, limit->key, problem))
        return false;
    return parse_value(limit, entry->text, &limits->most[id]) ||
           tree_fail(name, entry, problem, "limits: %s: expected %s, given '%.64s'", limit->key,
                     limit->is_share ? "a share such as 5% or 0.05, at most 1"
                                     : "a number from 0 to 1e9",
                     entry->text);
}

bool limits_read(const char *name, const TreeNode *node, SampleLimits *limits, Problem *problem)
{
    const char *known[LIMIT_COUNT + 1] = {NULL};
    SampleLimits read = limits_none();
    for (int i = 0; i < LIMIT_COUNT; i++)
        known[i] = limit_table[i].key;
    const bool is_none = node->kind == TREE_SCALAR && strcmp(node->text, "none") == 0;
    if (!is_none && node->kind != TREE_MAP)
        return tree_fail(name, node, problem,
                         "limits: expected none or a map such as {steal: 1%%}");
    if (!is_none && !tree_check_keys(name, node, known, "limits", problem))
        return false;
    for (LimitId id = 0; !is_none && id < LIMIT_COUNT; id++) {
        const TreeNode *entry = tree_find(node, limit_table[id].key);
        if (entry && !read_limit(name, entry, id, &read, problem))
            return false;
    }
    *limits = read;
    return true;
}

json_t *limits_to_json(const SampleLimits *limits)
{
    json_t *json = json_object();
    for (int i = 0; i < LIMIT_COUNT; i++)
        if (!isnan(limits->most[i]))
            (void)json_object_set_new(json, limit_table[i].key, json_real(limits->most[i]));
    return json;
}

bool limits_from_json(const json_t *json, SampleLimits *limits, Problem *problem)
{
    size_t known = 0;
    *limits = limits_none();
    if (!json)
        return true;
    for (LimitId id = 0; id < LIMIT_COUNT; id++) {
        const json_t *value = json_object_get(json, limit_table[id].key);
        if (!value)
            continue;
        limits->most[id] = json_number_value(value);
        if (!json_is_number(value) || !is_in_range(&limit_table[id], limits->most[id]))
            return problem_set(problem, "limits: %s: expected a number from 0 to %g",
                               limit_table[id].key, limit_table[id].is_share ? 1 : most_number);
        known++;
    }
    return (json_is_object(json) && json_object_size(json) == known) ||
           problem_set(problem, "limits: expected an object of known limits");
}

uint64_t limits_hash(const SampleLimits *limits, uint64_t hash)
{
    for (int i = 0; i < LIMIT_COUNT; i++) {
        char text[40];
        if (isnan(limits->most[i]))
            continue;
        quantity_format_real(limits->most[i], text, sizeof text);
        hash = fnv_add_text(fnv_add_text(hash, limit_table[i].key), text);
    }
    return hash;
}

void limit_format(LimitId id, double value, char *buffer, size_t buffer_bytes)
{
    const bool is_share = limit_table[id].is_share;
    (void)snprintf(buffer, buffer_bytes, "%.3g%s", is_share ? 100 * value : value,
                   is_share ? "%" : "");
}
