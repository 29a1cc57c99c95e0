// SPDX-License-Identifier: Apache-2.0
// limits_cache.c - $XDG_CACHE_HOME/hyperion/limits-<key>-<environment>.json (~/.cache without that
// variable).
#define _POSIX_C_SOURCE 200809L
#include "machine/machine_limits.h"

#include "common/cache_folder.h"
#include "common/folder.h"
#include "common/json_fields.h"
#include "common/json_file.h"
#include "machine/sysroot.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char cache_schema[] = "hyperion-limits-1";

static bool name_file(const char *key, const char *environment, char *path, size_t path_bytes,
                      Problem *problem)
{
    char file[256];
    (void)snprintf(file, sizeof file, "limits-%.100s-%.100s.json", key, environment);
    return cache_folder_name(file, path, path_bytes, problem);
}

// {"<name>": median, "low", "high"}
static bool limit_is_sound(const json_t *limit, const char *name, Problem *problem)
{
    double value = 0;
    double low = 0;
    double high = 0;
    return json_read_number(limit, name, false, &value, problem) &&
           json_read_number(limit, "low", false, &low, problem) &&
           json_read_number(limit, "high", false, &high, problem) &&
           ((low > 0 && low <= value && value <= high) ||
            problem_set(problem, "limit: expected 0 < low <= %s <= high, given %g, %g, %g", name,
                        low, value, high));
}

// An object of limits; null is one that is not known.
static bool limits_are_sound(json_t *limits, const char *name, Problem *problem)
{
    const char *key = NULL;
    json_t *limit = NULL;
    json_object_foreach(limits, key, limit)
    {
        if (!limit_is_sound(limit, name, problem))
            return false;
    }
    return true;
}

static bool memory_is_sound(json_t *rows, Problem *problem)
{
    size_t i = 0;
    json_t *row = NULL;
    char name[16];
    double latency_ns = 0;
    json_array_foreach(rows, i, row)
    {
        if (!json_read_text(row, "name", false, name, sizeof name, problem) ||
            !json_read_number(row, "latency_ns", true, &latency_ns, problem) ||
            !limits_are_sound(json_object_get(row, "bandwidth"), "gbytes_per_s", problem) ||
            !limits_are_sound(json_object_get(row, "bandwidth_all"), "gbytes_per_s", problem))
            return false;
    }
    return true;
}

static bool file_is_sound(json_t *file, Problem *problem)
{
    char schema[64];
    json_t *limits = json_object_get(file, "limits");
    if (!json_read_text(file, "schema", false, schema, sizeof schema, problem))
        return false;
    if (strcmp(schema, cache_schema) != 0)
        return problem_set(problem, "schema: expected %s, given %s", cache_schema, schema);
    if (json_object_size(json_object_get(limits, "peaks")) == 0)
        return problem_set(problem, "peaks: expected an object with a level");
    return limits_are_sound(json_object_get(limits, "peaks"), "gflops", problem) &&
           limits_are_sound(json_object_get(limits, "peaks_all"), "gflops", problem) &&
           memory_is_sound(json_object_get(limits, "memory"), problem);
}

json_t *limits_load(const char *key, const char *environment, Problem *problem)
{
    char path[PATH_MAX];
    Problem why = {0};
    json_t *limits = NULL;
    if (!name_file(key, environment, path, sizeof path, problem))
        return NULL;
    if (!sysroot_exists("", path)) {
        (void)problem_set(problem, "not measured yet in this environment: `hyperion machine "
                                   "--measure` does");
        return NULL;
    }
    json_t *file = json_file_read(path, &why);
    if (file && file_is_sound(file, &why))
        limits = json_incref(json_object_get(file, "limits"));
    else
        (void)problem_set(problem, "%s: %s", path, why.text);
    json_decref(file);
    return limits;
}

bool limits_store(const char *key, const char *environment, const json_t *limits, Problem *problem)
{
    char path[PATH_MAX];
    if (!name_file(key, environment, path, sizeof path, problem) ||
        !folder_of_file_make(path, problem))
        return false;
    json_t *file =
        json_pack("{s:s, s:o}", "schema", cache_schema, "limits", json_deep_copy(limits));
    const bool ok =
        file ? json_file_write(path, file, problem) : problem_set(problem, "out of memory");
    json_decref(file);
    return ok;
}
