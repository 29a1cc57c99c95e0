// SPDX-License-Identifier: Apache-2.0
// peak_cache.c - $XDG_CACHE_HOME/hyperion/peaks-<key>-<environment>.json (~/.cache without that
// variable).
#define _POSIX_C_SOURCE 200809L
#include "machine/peaks.h"

#include "common/cache_folder.h"
#include "common/folder.h"
#include "common/json_fields.h"
#include "common/json_file.h"
#include "machine/sysroot.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char cache_schema[] = "hyperion-peaks-1";

static bool name_file(const char *key, const char *environment, char *path, size_t path_bytes,
                      Problem *problem)
{
    char file[256];
    (void)snprintf(file, sizeof file, "peaks-%.100s-%.100s.json", key, environment);
    return cache_folder_name(file, path, path_bytes, problem);
}

static bool peak_is_sound(const json_t *peak, Problem *problem)
{
    double gflops = 0;
    double low = 0;
    double high = 0;
    return json_read_number(peak, "gflops", false, &gflops, problem) &&
           json_read_number(peak, "low", false, &low, problem) &&
           json_read_number(peak, "high", false, &high, problem) &&
           ((low > 0 && low <= gflops && gflops <= high) ||
            problem_set(problem, "peak: expected 0 < low <= gflops <= high, given %g, %g, %g", low,
                        gflops, high));
}

static bool file_is_sound(json_t *file, Problem *problem)
{
    char schema[64];
    const char *level = NULL;
    json_t *peak = NULL;
    if (!json_read_text(file, "schema", false, schema, sizeof schema, problem))
        return false;
    if (strcmp(schema, cache_schema) != 0)
        return problem_set(problem, "schema: expected %s, given %s", cache_schema, schema);
    if (json_object_size(json_object_get(file, "peaks")) == 0)
        return problem_set(problem, "peaks: expected an object with a level");
    json_object_foreach(json_object_get(file, "peaks"), level, peak)
    {
        if (!peak_is_sound(peak, problem))
            return false;
    }
    return true;
}

json_t *peaks_load(const char *key, const char *environment, Problem *problem)
{
    char path[PATH_MAX];
    Problem why = {0};
    json_t *peaks = NULL;
    if (!name_file(key, environment, path, sizeof path, problem))
        return NULL;
    if (!sysroot_exists("", path)) {
        (void)problem_set(problem, "not measured yet in this environment: `hyperion machine "
                                   "--measure` does");
        return NULL;
    }
    json_t *file = json_file_read(path, &why);
    if (file && file_is_sound(file, &why))
        peaks = json_incref(json_object_get(file, "peaks"));
    else
        (void)problem_set(problem, "%s: %s", path, why.text);
    json_decref(file);
    return peaks;
}

bool peaks_store(const char *key, const char *environment, const json_t *peaks, Problem *problem)
{
    char path[PATH_MAX];
    if (!name_file(key, environment, path, sizeof path, problem) ||
        !folder_of_file_make(path, problem))
        return false;
    json_t *file = json_pack("{s:s, s:o}", "schema", cache_schema, "peaks", json_deep_copy(peaks));
    const bool ok =
        file ? json_file_write(path, file, problem) : problem_set(problem, "out of memory");
    json_decref(file);
    return ok;
}
