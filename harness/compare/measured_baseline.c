// SPDX-License-Identifier: Apache-2.0
// measured_baseline.c - a baseline document as one side of a comparison, read strictly.
#define _POSIX_C_SOURCE 200809L
#include "common/json_fields.h"
#include "compare/baseline_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool baseline_is(const json_t *document)
{
    const char *schema = json_string_value(json_object_get(document, "schema"));
    static const char prefix[] = "hyperion-baseline-";
    return schema && strncmp(schema, prefix, sizeof prefix - 1) == 0;
}

// The index of a cell of that id; a new one is put behind the others. False: out of memory.
static bool find_cell(json_t *indices, const char *id, size_t *index)
{
    const json_t *known = json_object_get(indices, id);
    *index = known ? (size_t)json_integer_value(known) : json_object_size(indices);
    return known || json_object_set_new(indices, id, json_integer((json_int_t)*index)) == 0;
}

// Every id of every session, in the order they are first named. NULL: out of memory.
static json_t *list_cells(const json_t *sessions)
{
    json_t *indices = json_object();
    for (size_t i = 0; indices && i < json_array_size(sessions); i++) {
        json_t *cells = json_object_get(json_array_get(sessions, i), "cells");
        const char *id;
        json_t *cell;
        size_t index;
        json_object_foreach(cells, id, cell)
        {
            if (find_cell(indices, id, &index))
                continue;
            json_decref(indices);
            return NULL;
        }
    }
    return indices;
}

static bool numbers_are_sound(const double *values, size_t count, bool exact)
{
    for (size_t i = 0; i < count; i++)
        if (!(values[i] > 0) && !(exact && values[i] == 0))
            return false;
    return count > 0 && (!exact || count == 1);
}

static bool read_series(const json_t *object, const char *name, const MeasuredSide *side,
                        size_t session, MeasuredCell *cell, Problem *problem)
{
    const size_t metric = compared_metric_find(name);
    double *values = NULL;
    size_t count = 0;
    if (metric == COMPARED_METRICS)
        return problem_set(problem, "%s: expected \"sweep\" or the name of a metric", name);
    if (!json_read_numbers(object, name, &values, &count, problem))
        return false;
    const bool exact = compared_metrics[metric].source != NULL;
    double *series = NULL;
    if (!numbers_are_sound(values, count, exact))
        (void)problem_set(problem, "%s: expected %s", name,
                          exact ? "one number, at least 0" : "numbers above 0");
    else if (!(series = measured_series_add(side, cell, metric, session, count)))
        (void)problem_set(problem, "out of memory");
    else
        memcpy(series, values, count * sizeof *values);
    free(values);
    return series != NULL;
}

static bool read_cell(json_t *object, const char *id, const MeasuredSide *side, size_t session,
                      MeasuredCell *cell, Problem *problem)
{
    char sweep[256];
    if (!json_is_object(object))
        return problem_set(problem, "expected an object");
    if (!json_read_text(object, "sweep", false, sweep, sizeof sweep, problem))
        return false;
    if (!cell->id) {
        cell->id = strdup(id);
        cell->group = strdup(sweep);
        if (!cell->id || !cell->group)
            return problem_set(problem, "out of memory");
    }
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) if (strcmp(name, "sweep") != 0 &&
                                                 !read_series(object, name, side, session, cell,
                                                              problem)) return false;
    return true;
}

static bool read_session(const json_t *object, size_t session, const json_t *indices,
                         MeasuredSide *side, Problem *problem)
{
    double first = 0;
    json_t *cells = json_object_get(object, "cells");
    if (!json_read_number(object, "first_sample_unix_s", false, &first, problem) ||
        !json_read_text(object, "commit", false, side->commit, sizeof side->commit, problem) ||
        !json_read_text(object, "environment_digest", false, side->environment_digest,
                        sizeof side->environment_digest, problem))
        return false;
    if (!json_is_object(cells))
        return problem_set(problem, "cells: expected an object");
    const char *id;
    json_t *cell;
    json_object_foreach(cells, id, cell)
    {
        Problem reason = {0};
        const size_t index = (size_t)json_integer_value(json_object_get(indices, id));
        if (!read_cell(cell, id, side, session, &side->cells[index], &reason))
            return problem_set(problem, "%.200s: %.1500s", id, reason.text);
    }
    return true;
}

static bool read_document(const json_t *document, const json_t *indices, MeasuredSide *side,
                          Problem *problem)
{
    char schema[64];
    const json_t *sessions = json_object_get(document, "sessions");
    if (!json_read_text(document, "schema", false, schema, sizeof schema, problem) ||
        !json_read_text(document, "scenario", false, side->scenario, sizeof side->scenario,
                        problem) ||
        !json_read_text(document, "machine_key", false, side->machine_key, sizeof side->machine_key,
                        problem))
        return false;
    if (strcmp(schema, BASELINE_SCHEMA) != 0)
        return problem_set(problem, "schema: expected '%s'; given '%s'", BASELINE_SCHEMA, schema);
    if (json_array_size(sessions) == 0)
        return problem_set(problem, "sessions: expected at least one");
    for (size_t i = 0; i < json_array_size(sessions); i++) {
        Problem reason = {0};
        if (!read_session(json_array_get(sessions, i), i, indices, side, &reason))
            return problem_set(problem, "sessions[%zu]: %.1500s", i, reason.text);
    }
    return true;
}

MeasuredSide *measured_side_of_baseline(const char *path, const json_t *document, Problem *problem)
{
    const json_t *sessions = json_object_get(document, "sessions");
    json_t *indices = list_cells(sessions);
    MeasuredSide *side = indices
                             ? measured_side_create(SIDE_BASELINE, path, json_object_size(indices),
                                                    json_array_size(sessions))
                             : NULL;
    const bool read =
        side && read_document(document, indices, side, problem) && measured_side_index(side);
    json_decref(indices);
    if (read)
        return side;
    (void)problem_set(problem, "out of memory");
    measured_side_free(side);
    return NULL;
}
