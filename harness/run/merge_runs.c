// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "run/merge_runs.h"

#include "common/file.h"
#include "common/json_file.h"
#include "common/whole_file.h"
#include "record/run_directory.h"
#include "record/writers/writer.h"
#include "run/merge_journal.h"
#include "run/run_start.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// One of the runs given.
typedef struct Source {
    const char *path;
    char *order; // of sources: machine, plan, start of the run, then all of machine.json
    Plan *plan;
    json_t *machine;
    char *journal; // the bytes of the file
    size_t journal_bytes;
} Source;

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const json_t *run_of(const Source *source)
{
    return json_object_get(source->machine, "run");
}

static bool make_order(Source *source, Problem *problem)
{
    char *machine = json_dumps(source->machine, JSON_FILE_FLAGS | JSON_COMPACT);
    const double started_unix_s =
        json_number_value(json_object_get(run_of(source), "started_unix_s"));
    const size_t bytes = (machine ? strlen(machine) : 0) + 512;
    source->order = machine ? malloc(bytes) : NULL;
    if (source->order)
        (void)snprintf(source->order, bytes, "%.256s %s %020.6f %s",
                       text_of(source->machine, "key"), source->plan->hash, started_unix_s,
                       machine);
    free(machine);
    return source->order || problem_set(problem, "%s: out of memory", source->path);
}

static bool load_machine(Source *source, Problem *problem)
{
    char *path = run_file_path(source->path, RUN_MACHINE);
    source->machine = path ? json_file_read(path, problem) : NULL;
    free(path);
    if (!source->machine)
        return problem_set(problem, "%s: out of memory", source->path); // unless it has a reason
    return true;
}

// A run that took no sample has no journal.
static bool load_journal(Source *source, Problem *problem)
{
    char *path = run_file_path(source->path, RUN_JOURNAL);
    if (!path)
        return problem_set(problem, "%s: out of memory", source->path);
    const bool there = access(path, F_OK) == 0;
    if (there)
        source->journal = file_read(path, SIZE_MAX / 4, &source->journal_bytes, problem);
    free(path);
    return !there || source->journal;
}

static bool load_source(Source *source, const char *path, Problem *problem)
{
    source->path = path;
    source->plan = run_plan_load(path, problem);
    return source->plan && load_machine(source, problem) && load_journal(source, problem) &&
           make_order(source, problem);
}

static void clear_source(Source *source)
{
    plan_free(source->plan);
    json_decref(source->machine);
    free(source->journal);
    free(source->order);
}

static int compare_sources(const void *first, const void *second)
{
    const Source *a = first;
    const Source *b = second;
    return strcmp(a->order, b->order);
}

static bool belong_together(const Source *a, const Source *b)
{
    return strcmp(a->plan->hash, b->plan->hash) == 0 &&
           strcmp(text_of(a->machine, "key"), text_of(b->machine, "key")) == 0;
}

static bool refuse_mixture(const Source *a, const Source *b, Problem *problem)
{
    if (strcmp(a->plan->hash, b->plan->hash) != 0)
        return problem_set(problem,
                           "%.400s and %.400s hold different plans (%s, hash %s; %s, hash %s): "
                           "--facet keeps them apart",
                           a->path, b->path, a->plan->scenario, a->plan->hash, b->plan->scenario,
                           b->plan->hash);
    return problem_set(problem,
                       "%.400s and %.400s were taken on different machines (key %.100s; key "
                       "%.100s): --facet keeps them apart",
                       a->path, b->path, text_of(a->machine, "key"), text_of(b->machine, "key"));
}

// What is kept of each run that went into a merged one; a merged run has such a list already.
static json_t *list_origins(const Source *source)
{
    const json_t *run = run_of(source);
    const json_t *before = json_object_get(run, "merged");
    if (before)
        return json_copy((json_t *)(uintptr_t)before);
    const json_t *started = json_object_get(run, "started_unix_s");
    return json_pack("[{s:s, s:f, s:s, s:s, s:s}]", "host_name", text_of(run, "host_name"),
                     "started_unix_s", json_number_value(started), "environment_digest",
                     text_of(source->machine, "environment_digest"), "commit",
                     text_of(json_object_get(source->machine, "build"), "commit"), "shard",
                     text_of(run, "shard"));
}

static bool add_origin(json_t *origins, json_t *origin)
{
    for (size_t i = 0; i < json_array_size(origins); i++)
        if (json_equal(json_array_get(origins, i), origin))
            return true;
    return json_array_append(origins, origin) == 0;
}

static double started_of(const json_t *origin)
{
    return json_number_value(json_object_get(origin, "started_unix_s"));
}

// In order of time, whichever runs were merged first.
static void sort_origins(json_t *origins)
{
    const size_t count = json_array_size(origins);
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0; j--) {
            json_t *before = json_array_get(origins, j - 1);
            json_t *here = json_array_get(origins, j);
            const bool swap = started_of(here) < started_of(before) ||
                              (started_of(here) == started_of(before) &&
                               strcmp(text_of(here, "shard"), text_of(before, "shard")) < 0);
            if (!swap)
                break;
            json_incref(before);
            (void)json_array_set(origins, j - 1, here);
            (void)json_array_set_new(origins, j, before);
        }
}

static json_t *collect_origins(const Source *sources, size_t count)
{
    json_t *origins = json_array();
    bool good = origins != NULL;
    for (size_t i = 0; good && i < count; i++) {
        json_t *added = list_origins(&sources[i]);
        good = added != NULL;
        for (size_t j = 0; good && j < json_array_size(added); j++)
            good = add_origin(origins, json_array_get(added, j));
        json_decref(added);
    }
    if (good) {
        sort_origins(origins);
        return origins;
    }
    json_decref(origins);
    return NULL;
}

// machine.json of the first run, which then tells of the others too and is no shard any more.
static json_t *describe_machine(const Source *sources, size_t count)
{
    json_t *machine = json_deep_copy(sources[0].machine);
    json_t *origins = machine ? collect_origins(sources, count) : NULL;
    json_t *run = json_object_get(machine, "run");
    (void)json_object_del(run, "shard");
    if (origins && json_object_set_new(run, "merged", origins) == 0)
        return machine;
    json_decref(machine);
    return NULL;
}

static size_t count_environments(const json_t *machine)
{
    const json_t *origins = json_object_get(json_object_get(machine, "run"), "merged");
    size_t distinct = 0;
    for (size_t i = 0; i < json_array_size(origins); i++) {
        const char *digest = text_of(json_array_get(origins, i), "environment_digest");
        size_t before = 0;
        while (before < i &&
               strcmp(digest, text_of(json_array_get(origins, before), "environment_digest")) != 0)
            before++;
        distinct += before == i;
    }
    return distinct;
}

static bool write_machine(const Source *sources, size_t count, const char *directory,
                          MergeOutcome *outcome, Problem *problem)
{
    json_t *machine = describe_machine(sources, count);
    char *path = run_file_path(directory, RUN_MACHINE);
    const bool written = machine && path ? json_file_write(path, machine, problem)
                                         : problem_set(problem, "%s: out of memory", directory);
    outcome->environments += written ? count_environments(machine) : 0;
    free(path);
    json_decref(machine);
    return written;
}

// Of the first run as well; a program without hwloc left none.
static bool copy_topology(const Source *source, const char *directory, Problem *problem)
{
    char *from = run_file_path(source->path, RUN_TOPOLOGY);
    char *to = run_file_path(directory, RUN_TOPOLOGY);
    size_t size_bytes = 0;
    WholeFile file;
    bool copied = from && to;
    if (!copied) {
        (void)problem_set(problem, "%s: out of memory", directory);
    } else if (access(from, F_OK) == 0) {
        char *bytes = file_read(from, SIZE_MAX / 4, &size_bytes, problem);
        copied = bytes && whole_file_open(&file, to, problem);
        if (bytes)
            copied = whole_file_close(
                &file, copied && fwrite(bytes, 1, size_bytes, file.stream) == size_bytes, problem);
        free(bytes);
    }
    free(from);
    free(to);
    return copied;
}

static bool write_journal(const MergeJournal *journal, const char *directory, Problem *problem)
{
    WholeFile file;
    char *path = run_file_path(directory, RUN_JOURNAL);
    if (!path)
        return problem_set(problem, "%s: out of memory", directory);
    const bool written =
        whole_file_open(&file, path, problem) && merge_journal_write(journal, file.stream);
    free(path);
    return whole_file_close(&file, written, problem);
}

static bool collect_lines(Source *sources, size_t count, MergeJournal *journal, Problem *problem)
{
    const char **names = calloc(count, sizeof *names);
    if (!names)
        return problem_set(problem, "out of memory");
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        names[i] = sources[i].path;
        char *path = run_file_path(sources[i].path, RUN_JOURNAL);
        good = path ? merge_journal_add(journal, path, sources[i].journal, sources[i].journal_bytes,
                                        i, sources[i].plan->cell_count, problem)
                    : problem_set(problem, "out of memory");
        free(path);
    }
    good = good && merge_journal_settle(journal, names, problem);
    free((void *)names);
    return good;
}

// Sources that belong together, in their order. The lines are cut out of their journals.
static bool merge_group(Source *sources, size_t count, const char *directory, MergeOutcome *outcome,
                        Problem *problem)
{
    RunStart start;
    MergeJournal journal = {0};
    bool good = collect_lines(sources, count, &journal, problem) &&
                run_start(directory, sources[0].plan, false, &start, problem);
    if (good) {
        good = copy_topology(&sources[0], directory, problem) &&
               write_machine(sources, count, directory, outcome, problem) &&
               write_journal(&journal, directory, problem) && writers_write_all(directory, problem);
        run_start_release(&start);
    }
    outcome->directories += good;
    outcome->samples += journal.count;
    outcome->duplicates += journal.duplicates;
    merge_journal_clear(&journal);
    return good;
}

static bool merge_facet(Source *sources, size_t count, const char *directory, MergeOutcome *outcome,
                        Problem *problem)
{
    char name[4096];
    if (snprintf(name, sizeof name, "%s/%s-%s", directory, text_of(sources[0].machine, "key"),
                 sources[0].plan->hash) >= (int)sizeof name)
        return problem_set(problem, "%.100s...: the path is too long", directory);
    return merge_group(sources, count, name, outcome, problem);
}

static bool merge_sources(Source *sources, size_t count, const char *directory, bool facet,
                          MergeOutcome *outcome, Problem *problem)
{
    qsort(sources, count, sizeof *sources, compare_sources);
    for (size_t i = 0, together = 0; i < count; i += together) {
        for (together = 1;
             i + together < count && belong_together(&sources[i], &sources[i + together]);)
            together++;
        if (!facet && together < count)
            return refuse_mixture(&sources[i], &sources[i + together], problem);
        if (!(facet ? merge_facet : merge_group)(&sources[i], together, directory, outcome,
                                                 problem))
            return false;
    }
    return true;
}

bool merge_runs(const char *const *paths, const char *directory, bool facet, MergeOutcome *outcome,
                Problem *problem)
{
    size_t count = 0;
    *outcome = (MergeOutcome){0};
    while (paths[count])
        count++;
    Source *sources = calloc(count + 1, sizeof *sources);
    if (!sources)
        return problem_set(problem, "out of memory");
    bool good = true;
    for (size_t i = 0; good && i < count; i++)
        good = load_source(&sources[i], paths[i], problem);
    good = good && merge_sources(sources, count, directory, facet, outcome, problem);
    for (size_t i = 0; i < count; i++)
        clear_source(&sources[i]);
    free(sources);
    return good;
}
