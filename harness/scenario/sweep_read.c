// SPDX-License-Identifier: Apache-2.0
#include "scenario/sweep_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Each is held against every cell.
enum { MOST_EXCLUSIONS = 256 };

static bool read_workload(SweepSpec *sweep, Problem *problem)
{
    const TreeNode *node = tree_find(sweep->node, "workload");
    if (!node)
        return tree_fail(sweep->file, sweep->node, problem, "sweep %s: key 'workload' is missing",
                         sweep->name);
    if (!tree_expect(sweep->file, node, TREE_SCALAR, "workload", problem))
        return false;
    sweep->workload = workload_find(node->text);
    if (sweep->workload)
        return true;
    const char *names[16] = {NULL};
    for (size_t i = 0; workload_table[i] && i < 15; i++)
        names[i] = workload_table[i]->name;
    const char *near = problem_nearest(node->text, names);
    return tree_fail(sweep->file, node, problem, "unknown workload '%.64s'%s%s%s", node->text,
                     near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

// The axis an entry of a map names.
static bool find_axis(const char *file, const TreeNode *entry, AxisId *id, Problem *problem)
{
    *id = axis_find(entry->key);
    if (*id != AXIS_COUNT)
        return true;
    const char *near = axis_nearest(entry->key);
    return tree_fail_key(file, entry, problem, "unknown axis '%.64s'%s%s%s", entry->key,
                         near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static bool read_axes(SweepSpec *sweep, Problem *problem)
{
    const TreeNode *map = tree_find(sweep->node, "axes");
    if (!map)
        return tree_fail(sweep->file, sweep->node, problem, "sweep %s: key 'axes' is missing",
                         sweep->name);
    sweep->axes_node = map;
    if (!tree_expect(sweep->file, map, TREE_MAP, "axes", problem))
        return false;
    for (const TreeNode *entry = map->first; entry; entry = entry->next) {
        AxisId id;
        if (!find_axis(sweep->file, entry, &id, problem))
            return false;
        AxisSpec *axis = &sweep->axes[id];
        if (axis->node)
            return tree_fail_key(sweep->file, entry, problem,
                                 "key '%s' is given twice; first in line %zu", entry->key,
                                 axis->node->key_line);
        axis->file = sweep->file;
        axis->node = entry;
        if (!values_read(id, sweep->file, entry, &axis->values, problem))
            return false;
    }
    return true;
}

bool sweep_read(const char *file, const TreeNode *node, const SweepSettings *defaults,
                SweepSpec *sweep, Problem *problem)
{
    sweep->file = file;
    sweep->node = node;
    for (AxisId id = 0; id < AXIS_COUNT; id++)
        sweep->axes[id].leader = id;
    const char *known[32] = {"name", "workload", "axes", "zip", "exclude"};
    for (size_t i = 0; settings_keys[i]; i++)
        known[i + 5] = settings_keys[i];
    return tree_expect(file, node, TREE_MAP, "sweep", problem) &&
           tree_check_keys(file, node, known, "a sweep", problem) &&
           scenario_name_read(file, node, "sweep", &sweep->name, problem) &&
           read_workload(sweep, problem) && settings_copy(defaults, &sweep->settings, problem) &&
           settings_read(file, node, &sweep->settings, problem) && read_axes(sweep, problem);
}

bool sweep_uses(const SweepSpec *sweep, AxisId id)
{
    const ValueList *ops = &sweep->axes[AXIS_OP].values;
    AxisValue values[AXIS_COUNT] = {{0}};
    if (ops->count == 0)
        return sweep->workload->uses(values, id);
    for (size_t i = 0; i < ops->count; i++) {
        values[AXIS_OP] = ops->items[i];
        if (sweep->workload->uses(values, id))
            return true;
    }
    return false;
}

bool sweep_set_axis(SweepSpec *sweep, AxisId id, const char *setting, const TreeNode *node,
                    Problem *problem)
{
    AxisSpec *axis = &sweep->axes[id];
    if (axis->set)
        return problem_set(problem, "--set %s: axis %s is set twice", setting, axis_table[id].key);
    values_clear(&axis->values);
    axis->set = true;
    axis->file = setting;
    axis->node = node;
    return values_read(id, setting, node, &axis->values, problem);
}

static bool read_zip_group(SweepSpec *sweep, const TreeNode *group, Problem *problem)
{
    if (!tree_expect(sweep->file, group, TREE_LIST, "zip", problem))
        return false;
    AxisId leader = AXIS_COUNT;
    bool member[AXIS_COUNT] = {false};
    for (const TreeNode *item = group->first; item; item = item->next) {
        if (!tree_expect(sweep->file, item, TREE_SCALAR, "zip", problem))
            return false;
        const AxisId id = axis_find(item->text);
        if (id == AXIS_COUNT || sweep->axes[id].values.count == 0)
            return tree_fail(sweep->file, item, problem,
                             "zip: '%.64s' is no axis that the sweep gives", item->text);
        if (member[id] || sweep->axes[id].leader != id)
            return tree_fail(sweep->file, item, problem, "zip: axis %s is named twice", item->text);
        // One value given by --set holds for the whole walk.
        if (sweep->axes[id].set && sweep->axes[id].values.count == 1)
            continue;
        member[id] = true;
        if (leader != AXIS_COUNT &&
            sweep->axes[leader].values.count != sweep->axes[id].values.count)
            return tree_fail(sweep->file, item, problem, "zip: %s has %zu values, %s has %zu",
                             axis_table[leader].key, sweep->axes[leader].values.count, item->text,
                             sweep->axes[id].values.count);
        leader = id < leader ? id : leader;
    }
    if (group->count < 2)
        return tree_fail(sweep->file, group, problem, "zip: a group needs two axes or more");
    for (AxisId id = 0; id < AXIS_COUNT; id++)
        if (member[id])
            sweep->axes[id].leader = leader;
    return true;
}

static bool read_zip(SweepSpec *sweep, Problem *problem)
{
    const TreeNode *list = tree_find(sweep->node, "zip");
    if (!list)
        return true;
    if (!tree_expect(sweep->file, list, TREE_LIST, "zip", problem))
        return false;
    for (const TreeNode *group = list->first; group; group = group->next)
        if (!read_zip_group(sweep, group, problem))
            return false;
    return true;
}

static bool read_exclusion(SweepSpec *sweep, const TreeNode *map, Exclusion *exclusion,
                           Problem *problem)
{
    if (!tree_expect(sweep->file, map, TREE_MAP, "exclude", problem))
        return false;
    exclusion->node = map;
    if (map->count == 0)
        return tree_fail(sweep->file, map, problem, "exclude: names no axis");
    for (const TreeNode *entry = map->first; entry; entry = entry->next) {
        AxisId id;
        if (!find_axis(sweep->file, entry, &id, problem))
            return false;
        if (sweep->axes[id].values.count == 0)
            return tree_fail_key(sweep->file, entry, problem,
                                 "exclude: the sweep does not give axis %s", entry->key);
        if (exclusion->values[id].count > 0)
            return tree_fail_key(sweep->file, entry, problem, "key '%s' is given twice",
                                 entry->key);
        if (!values_read(id, sweep->file, entry, &exclusion->values[id], problem))
            return false;
    }
    return true;
}

static bool read_exclusions(SweepSpec *sweep, Problem *problem)
{
    const TreeNode *list = tree_find(sweep->node, "exclude");
    if (!list)
        return true;
    if (!tree_expect(sweep->file, list, TREE_LIST, "exclude", problem))
        return false;
    if (list->count > MOST_EXCLUSIONS)
        return tree_fail(sweep->file, list, problem, "exclude: more than %d entries",
                         MOST_EXCLUSIONS);
    sweep->exclusions = calloc(list->count + 1, sizeof *sweep->exclusions);
    if (!sweep->exclusions)
        return problem_set(problem, "%s: out of memory", sweep->file);
    for (const TreeNode *map = list->first; map; map = map->next)
        if (!read_exclusion(sweep, map, &sweep->exclusions[sweep->exclusion_count++], problem))
            return false;
    return true;
}

bool sweep_link(SweepSpec *sweep, Problem *problem)
{
    return read_zip(sweep, problem) && read_exclusions(sweep, problem);
}

void sweep_clear(SweepSpec *sweep)
{
    for (AxisId id = 0; id < AXIS_COUNT; id++)
        values_clear(&sweep->axes[id].values);
    for (size_t i = 0; i < sweep->exclusion_count; i++)
        for (AxisId id = 0; id < AXIS_COUNT; id++)
            values_clear(&sweep->exclusions[i].values[id]);
    free(sweep->exclusions);
    settings_clear(&sweep->settings);
}
