// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "compare/baseline_file.h"

#include "common/folder.h"
#include "common/json_fields.h"
#include "common/json_file.h"
#include "common/whole_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

char *baseline_path(const char *root, const char *machine_key, const char *scenario,
                    Problem *problem)
{
    if (!machine_key[0] || strchr(machine_key, '/') || !scenario[0] || strchr(scenario, '/')) {
        (void)problem_set(problem,
                          "baseline: expected a machine key and a scenario name; given '%s', '%s'",
                          machine_key, scenario);
        return NULL;
    }
    const size_t bytes = strlen(root) + strlen(machine_key) + strlen(scenario) + sizeof "//.json";
    char *path = malloc(bytes);
    if (path)
        (void)snprintf(path, bytes, "%s/%s/%s.json", root, machine_key, scenario);
    else
        (void)problem_set(problem, "baseline: out of memory");
    return path;
}

// The time of the first sample tells runs apart.
static double find_start(const RunRecord *run)
{
    double first = INFINITY;
    for (size_t i = 0; i < run->sample_count; i++)
        first = fmin(first, run->samples[i].started_unix_s);
    return first;
}

static json_t *samples_to_json(const MeasuredSide *side, const MeasuredCell *cell)
{
    json_t *object = json_pack("{s:s}", "sweep", cell->group);
    for (size_t metric = 0; metric < COMPARED_METRICS; metric++) {
        const Session *sessions = cell->series[metric].sessions;
        if (sessions && sessions[0].count > 0)
            (void)json_object_set_new(object, compared_metrics[metric].name,
                                      json_numbers(sessions[0].values, sessions[0].count));
    }
    const bool empty =
        measured_values(side, cell, COMPARED_TIME, NULL) == 0 && json_object_size(object) < 2;
    if (!empty)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *session_to_json(const RunRecord *run, const MeasuredSide *side, Problem *problem)
{
    json_t *cells = json_object();
    for (size_t i = 0; i < side->cell_count; i++) {
        const MeasuredCell *cell = &side->cells[i];
        json_t *object = cell->above_roof || cell->failed ? NULL : samples_to_json(side, cell);
        if (cell->failed)
            (void)problem_set(problem, "%s: failed (%s): a baseline takes whole runs only",
                              cell->id, cell->reason);
        else if (cell->stopped_early)
            (void)problem_set(
                problem,
                "%s: stopped early (precision): a baseline takes runs whose number of "
                "samples was fixed beforehand",
                cell->id);
        if (object)
            (void)json_object_set_new(cells, cell->id, object);
    }
    if (json_object_size(cells) == 0)
        (void)problem_set(problem, "%s: no samples for a baseline", run->path);
    if (!problem->text[0])
        return json_pack("{s:f, s:s, s:s, s:s, s:o}", "first_sample_unix_s", find_start(run),
                         "commit", side->commit, "environment_digest", side->environment_digest,
                         "plan_hash", run->plan->hash, "cells", cells);
    json_decref(cells);
    return NULL;
}

static json_t *load_document(const char *path, const RunRecord *run, const MeasuredSide *side,
                             Problem *problem)
{
    if (access(path, F_OK) != 0)
        return json_pack("{s:s, s:s, s:s, s:[], s:[]}", "schema", BASELINE_SCHEMA, "scenario",
                         run->plan->scenario, "machine_key", side->machine_key, "history",
                         "sessions");
    Problem reason = {0};
    json_t *document = json_file_read(path, problem);
    MeasuredSide *old = document ? measured_side_of_baseline(path, document, &reason) : NULL;
    if (old && (strcmp(old->machine_key, side->machine_key) != 0 ||
                strcmp(old->scenario, side->scenario) != 0))
        (void)problem_set(&reason, "of scenario %s on machine %s; the run is of %s on %s",
                          old->scenario, old->machine_key, side->scenario, side->machine_key);
    if (reason.text[0])
        (void)problem_set(problem, "%s: %.1500s", path, reason.text);
    measured_side_free(old);
    if (!problem->text[0])
        return document;
    json_decref(document);
    return NULL;
}

static bool is_in(const json_t *sessions, const json_t *session)
{
    const double start = json_number_value(json_object_get(session, "first_sample_unix_s"));
    for (size_t i = 0; i < json_array_size(sessions); i++) {
        const json_t *other = json_array_get(sessions, i);
        if (json_number_value(json_object_get(other, "first_sample_unix_s")) == start)
            return true;
    }
    return false;
}

static bool write_value(FILE *out, const json_t *value)
{
    return json_dumpf(value, out, JSON_PRESERVE_ORDER | JSON_ENCODE_ANY) == 0;
}

static bool write_cells(FILE *out, json_t *cells)
{
    const char *id;
    json_t *cell;
    const char *separator = "\n   ";
    bool written = true;
    json_object_foreach(cells, id, cell)
    {
        json_t *name = json_string(id);
        (void)fputs(separator, out);
        written = written && name && write_value(out, name) && fputs(": ", out) >= 0 &&
                  json_dumpf(cell, out, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(7)) == 0;
        json_decref(name);
        separator = ",\n   ";
    }
    return written;
}

// Members in the order of session_to_json, the cells last.
static bool write_session(FILE *out, json_t *session)
{
    const char *name;
    json_t *value;
    bool written = true;
    (void)fputs("{", out);
    json_object_foreach(session, name, value)
    {
        if (strcmp(name, "cells") == 0)
            continue;
        (void)fprintf(out, "\"%s\": ", name);
        written = written && write_value(out, value);
        (void)fputs(", ", out);
    }
    (void)fputs("\"cells\": {", out);
    written = written && write_cells(out, json_object_get(session, "cells"));
    (void)fputs("}}", out);
    return written;
}

static bool write_list(FILE *out, const char *name, const json_t *list,
                       bool (*write)(FILE *out, json_t *value))
{
    bool written = true;
    (void)fprintf(out, ",\n \"%s\": [", name);
    for (size_t i = 0; written && i < json_array_size(list); i++) {
        (void)fputs(i ? ",\n  " : "\n  ", out);
        written = write(out, json_array_get(list, i));
    }
    (void)fputs("]", out);
    return written;
}

static bool write_record(FILE *out, json_t *record)
{
    return write_value(out, record);
}

static bool write_document(const char *path, const json_t *document, Problem *problem)
{
    static const char *const heads[] = {"schema", "scenario", "machine_key"};
    WholeFile file;
    bool written = folder_of_file_make(path, problem) && whole_file_open(&file, path, problem);
    if (!written)
        return false;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        (void)fprintf(file.stream, "%s\"%s\": ", i ? ",\n " : "{", heads[i]);
        written = written && write_value(file.stream, json_object_get(document, heads[i]));
    }
    written =
        written &&
        write_list(file.stream, "history", json_object_get(document, "history"), write_record) &&
        write_list(file.stream, "sessions", json_object_get(document, "sessions"), write_session);
    written = fputs("}\n", file.stream) >= 0 && written;
    return whole_file_close(&file, written, problem);
}

// With a reason, the session takes the place of the others.
static bool change(const char *path, const RunRecord *run, const char *reason, Problem *problem)
{
    MeasuredSide *side = measured_side_of_run(run);
    json_t *session = side ? session_to_json(run, side, problem) : NULL;
    json_t *document = session ? load_document(path, run, side, problem) : NULL;
    json_t *sessions = json_object_get(document, "sessions");
    bool changed = document != NULL;
    if (changed && !reason && is_in(sessions, session))
        changed = problem_set(problem, "%s: the run %s is in already", path, run->path);
    if (changed && reason) {
        json_t *record = json_pack("{s:I, s:s, s:s, s:I}", "accepted_unix_s",
                                   (json_int_t)time(NULL), "commit", side->commit, "reason", reason,
                                   "replaced_sessions", (json_int_t)json_array_size(sessions));
        changed = record &&
                  json_array_append_new(json_object_get(document, "history"), record) == 0 &&
                  json_array_clear(sessions) == 0;
    }
    changed = changed && json_array_append(sessions, session) == 0 &&
              write_document(path, document, problem);
    if (!changed)
        (void)problem_set(problem, "%s: out of memory", path);
    json_decref(document);
    json_decref(session);
    measured_side_free(side);
    return changed;
}

bool baseline_add(const char *path, const RunRecord *run, Problem *problem)
{
    return change(path, run, NULL, problem);
}

bool baseline_accept(const char *path, const RunRecord *run, const char *reason, Problem *problem)
{
    if (!reason[0])
        return problem_set(problem, "baseline accept: expected a reason");
    return change(path, run, reason, problem);
}
