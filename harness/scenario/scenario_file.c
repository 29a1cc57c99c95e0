// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "scenario/scenario_file.h"

#include "common/file.h"
#include "common/installation.h"
#include "common/quantity.h"
#include "machine/doctor.h"
#include "scenario/sweep_read.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Far above any scenario, far below what would hurt.
enum { LARGEST_FILE_BYTES = 4 << 20 };

bool scenario_name_read(const char *file, const TreeNode *map, const char *what, const char **name,
                        Problem *problem)
{
    const TreeNode *node = tree_find(map, "name");
    if (!node)
        return tree_fail(file, map, problem, "%s: key 'name' is missing", what);
    if (!tree_expect(file, node, TREE_SCALAR, "name", problem))
        return false;
    const size_t length = strlen(node->text);
    const size_t valid = strspn(node->text, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    if (length == 0 || length > 64 || valid != length || node->text[0] == '.' ||
        node->text[0] == '-')
        return tree_fail(file, node, problem,
                         "name: expected 1 to 64 of a-z 0-9 . _ - and no '.' or '-' first, given "
                         "'%.80s'",
                         node->text);
    *name = node->text;
    return true;
}

static bool read_description(ScenarioSpec *spec, Problem *problem)
{
    const TreeNode *node = tree_find(spec->root, "description");
    spec->description = "";
    if (!node)
        return true;
    if (!tree_expect(spec->file, node, TREE_SCALAR, "description", problem))
        return false;
    for (const char *at = node->text; *at; at++)
        if ((unsigned char)*at < ' ')
            return tree_fail(spec->file, node, problem, "description: expected one line of text");
    spec->description = node->text;
    return true;
}

static bool read_required_profile(ScenarioSpec *spec, Problem *problem)
{
    const TreeNode *node = tree_find(spec->root, "require_profile");
    size_t profile = 0;
    Problem why = {0};
    if (!node)
        return true;
    if (!tree_expect(spec->file, node, TREE_SCALAR, "require_profile", problem))
        return false;
    if (!doctor_find_profile(node->text, &profile, &why))
        return tree_fail(spec->file, node, problem, "require_profile: %s", why.text);
    spec->required_profile = doctor_profiles[profile];
    return true;
}

static bool read_defaults(ScenarioSpec *spec, SweepSettings *settings, Problem *problem)
{
    spec->seed = 1;
    const TreeNode *map = tree_find(spec->root, "defaults");
    if (!map)
        return true;
    const char *known[32] = {"seed"};
    for (size_t i = 0; settings_keys[i]; i++)
        known[i + 1] = settings_keys[i];
    if (!tree_expect(spec->file, map, TREE_MAP, "defaults", problem) ||
        !tree_check_keys(spec->file, map, known, "defaults", problem))
        return false;
    const TreeNode *seed = tree_find(map, "seed");
    if (seed && (!tree_expect(spec->file, seed, TREE_SCALAR, "seed", problem) ||
                 !quantity_parse_integer(seed->text, &spec->seed) || spec->seed < 0))
        return tree_fail(spec->file, seed, problem, "seed: expected a whole number from 0 up");
    return settings_read(spec->file, map, settings, problem);
}

static bool read_sweeps(ScenarioSpec *spec, const SweepSettings *defaults, Problem *problem)
{
    const TreeNode *list = tree_find(spec->root, "sweeps");
    if (!list)
        return tree_fail(spec->file, spec->root, problem, "scenario: key 'sweeps' is missing");
    if (!tree_expect(spec->file, list, TREE_LIST, "sweeps", problem))
        return false;
    if (list->count == 0)
        return tree_fail(spec->file, list, problem, "sweeps: the list is empty");
    spec->sweeps = calloc(list->count, sizeof *spec->sweeps);
    if (!spec->sweeps)
        return problem_set(problem, "%s: out of memory", spec->file);
    for (const TreeNode *node = list->first; node; node = node->next) {
        SweepSpec *sweep = &spec->sweeps[spec->sweep_count++];
        if (!sweep_read(spec->file, node, defaults, sweep, problem))
            return false;
        for (const SweepSpec *other = spec->sweeps; other < sweep; other++)
            if (strcmp(other->name, sweep->name) == 0)
                return tree_fail(spec->file, tree_find(node, "name"), problem,
                                 "name: sweep '%s' is there already; first in line %zu",
                                 sweep->name, other->node->line);
    }
    return true;
}

// The tree of `values` in "axis=values"; columns count from the start of the argument.
static TreeNode *parse_setting(const char *setting, size_t key_bytes, AxisId id, Problem *problem)
{
    const size_t length = strlen(setting);
    char *text = malloc(length + 2);
    if (!text) {
        (void)problem_set(problem, "out of memory");
        return NULL;
    }
    memcpy(text, setting, length + 1);
    memset(text, ' ', key_bytes + 1);
    // A list needs no brackets on the command line; in text a comma is a comma.
    if (setting[key_bytes + 1] != '[' && axis_table[id].kind != AXIS_TEXT) {
        text[key_bytes] = '[';
        text[length] = ']';
        text[length + 1] = '\0';
    }
    TreeNode *root = tree_parse(setting, text, strlen(text), problem);
    free(text);
    return root;
}

static bool apply_setting(ScenarioSpec *spec, const char *setting, TreeNode **root,
                          Problem *problem)
{
    const char *equals = strchr(setting, '=');
    if (!equals || equals == setting || equals - setting > 64)
        return problem_set(problem, "--set %.64s: expected axis=values", setting);
    char key[65] = {0};
    memcpy(key, setting, (size_t)(equals - setting));
    const AxisId id = axis_find(key);
    if (id == AXIS_COUNT) {
        const char *near = axis_nearest(key);
        return problem_set(problem, "--set %s: unknown axis '%s'%s%s%s", setting, key,
                           near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    *root = parse_setting(setting, (size_t)(equals - setting), id, problem);
    if (!*root)
        return false;
    bool applied = false;
    for (size_t i = 0; i < spec->sweep_count; i++) {
        if (!sweep_uses(&spec->sweeps[i], id))
            continue;
        applied = true;
        if (!sweep_set_axis(&spec->sweeps[i], id, setting, *root, problem))
            return false;
    }
    return applied ||
           problem_set(problem, "--set %s: no sweep of %s uses axis %s", setting, spec->file, key);
}

static bool apply_settings(ScenarioSpec *spec, const char *const *settings, Problem *problem)
{
    size_t count = 0;
    while (settings && settings[count])
        count++;
    spec->set_roots = calloc(count + 1, sizeof(TreeNode *));
    if (!spec->set_roots)
        return problem_set(problem, "out of memory");
    for (size_t i = 0; i < count; i++)
        if (!apply_setting(spec, settings[i], &spec->set_roots[i], problem))
            return false;
    return true;
}

static bool read_root(ScenarioSpec *spec, SweepSettings *defaults, Problem *problem)
{
    static const char *const known[] = {"name",     "description", "require_profile",
                                        "defaults", "sweeps",      NULL};
    return tree_expect(spec->file, spec->root, TREE_MAP, "scenario", problem) &&
           tree_check_keys(spec->file, spec->root, known, "the scenario", problem) &&
           scenario_name_read(spec->file, spec->root, "scenario", &spec->name, problem) &&
           read_description(spec, problem) && read_required_profile(spec, problem) &&
           read_defaults(spec, defaults, problem) && read_sweeps(spec, defaults, problem);
}

// True if `name` (or name.yaml) is a scenario of the program's own and none in this folder: its
// path is in spec->own_file, NULL when out of memory.
static bool find_own_scenario(const char *name, ScenarioSpec *spec)
{
    char folder[PATH_MAX];
    char file[NAME_MAX + 1];
    const size_t length = strlen(name);
    const bool bare = length < 5 || strcmp(name + length - 5, ".yaml") != 0;
    if (strchr(name, '/') || access(name, F_OK) == 0 ||
        snprintf(file, sizeof file, "%s%s", name, bare ? ".yaml" : "") >= (int)sizeof file ||
        !installation_folder("scenarios", file, folder, sizeof folder))
        return false;
    spec->own_file = malloc(strlen(folder) + strlen(file) + 2);
    if (spec->own_file)
        (void)sprintf(spec->own_file, "%s/%s", folder, file);
    return true;
}

bool scenario_read(const char *path, const char *const *settings, ScenarioSpec *spec,
                   Problem *problem)
{
    *spec = (ScenarioSpec){.file = path};
    size_t size_bytes = 0;
    if (find_own_scenario(path, spec)) {
        if (!spec->own_file)
            return problem_set(problem, "%s: out of memory", path);
        path = spec->file = spec->own_file;
    }
    char *text = file_read(path, LARGEST_FILE_BYTES, &size_bytes, problem);
    if (!text)
        return false;
    spec->root = tree_parse(path, text, size_bytes, problem);
    free(text);
    SweepSettings defaults = {0};
    bool read = spec->root && settings_default(&defaults, problem) &&
                read_root(spec, &defaults, problem) && apply_settings(spec, settings, problem);
    for (size_t i = 0; read && i < spec->sweep_count; i++)
        read = sweep_link(&spec->sweeps[i], problem);
    settings_clear(&defaults);
    return read;
}

void scenario_clear(ScenarioSpec *spec)
{
    for (size_t i = 0; i < spec->sweep_count; i++)
        sweep_clear(&spec->sweeps[i]);
    free(spec->sweeps);
    for (size_t i = 0; spec->set_roots && spec->set_roots[i]; i++)
        tree_free(spec->set_roots[i]);
    free((void *)spec->set_roots);
    tree_free(spec->root);
    free(spec->own_file);
    *spec = (ScenarioSpec){0};
}
