// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "compare/measured_side.h"

#include "compare/baseline_file.h"
#include "compare/measured_google.h"

#include "common/lenient_json.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

MeasuredSide *measured_side_create(SideKind kind, const char *path, size_t cell_count,
                                   size_t session_count)
{
    MeasuredSide *side = calloc(1, sizeof *side);
    if (!side)
        return NULL;
    *side = (MeasuredSide){.kind = kind,
                           .path = strdup(path),
                           .session_count = session_count,
                           .cells = calloc(cell_count + 1, sizeof *side->cells),
                           .by_id = calloc(cell_count + 1, sizeof *side->by_id),
                           .cell_count = cell_count};
    if (side->path && side->cells && side->by_id)
        return side;
    side->cell_count = side->cells ? cell_count : 0;
    measured_side_free(side);
    return NULL;
}

void measured_side_free(MeasuredSide *side)
{
    if (!side)
        return;
    for (size_t i = 0; i < side->cell_count; i++) {
        MeasuredCell *cell = &side->cells[i];
        for (size_t metric = 0; metric < COMPARED_METRICS; metric++) {
            Session *sessions = cell->series[metric].sessions;
            for (size_t s = 0; sessions && s < side->session_count; s++)
                free(sessions[s].values);
            free(sessions);
        }
        free(cell->id);
        free(cell->group);
    }
    google_file_free(side->google);
    free(side->by_id);
    free(side->cells);
    free(side->path);
    free(side);
}

double *measured_series_add(const MeasuredSide *side, MeasuredCell *cell, size_t metric,
                            size_t session, size_t count)
{
    Series *series = &cell->series[metric];
    if (!series->sessions)
        series->sessions = calloc(side->session_count + 1, sizeof *series->sessions);
    double *values = series->sessions ? calloc(count + 1, sizeof *values) : NULL;
    if (values)
        series->sessions[session] = (Session){values, count};
    return values;
}

typedef struct NamedCell {
    const char *id;
    size_t index;
} NamedCell;

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const NamedCell *)a)->id, ((const NamedCell *)b)->id);
}

bool measured_side_index(MeasuredSide *side)
{
    NamedCell *named = calloc(side->cell_count + 1, sizeof *named);
    if (!named)
        return false;
    for (size_t i = 0; i < side->cell_count; i++)
        named[i] = (NamedCell){side->cells[i].id, i};
    qsort(named, side->cell_count, sizeof *named, compare_names);
    for (size_t i = 0; i < side->cell_count; i++)
        side->by_id[i] = named[i].index;
    free(named);
    return true;
}

const MeasuredCell *measured_cell_find(const MeasuredSide *side, const char *id)
{
    size_t low = 0;
    size_t high = side->cell_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const MeasuredCell *cell = &side->cells[side->by_id[middle]];
        const int order = strcmp(id, cell->id);
        if (order == 0)
            return cell;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

size_t measured_values(const MeasuredSide *side, const MeasuredCell *cell, size_t metric,
                       double *values)
{
    const Session *sessions = cell->series[metric].sessions;
    size_t count = 0;
    for (size_t s = 0; sessions && s < side->session_count; s++) {
        if (values && sessions[s].count > 0)
            memcpy(values + count, sessions[s].values, sessions[s].count * sizeof *values);
        count += sessions[s].count;
    }
    return count;
}

static MeasuredSide *load_run(const char *path, Problem *problem)
{
    RunRecord *run = run_record_load(path, problem);
    MeasuredSide *side = run ? measured_side_of_run(run) : NULL;
    if (run && !side)
        (void)problem_set(problem, "%s: out of memory", path);
    run_record_free(run);
    return side;
}

MeasuredSide *measured_side_load(const char *path, Problem *problem)
{
    struct stat status;
    // A path that is not there is reported as the run directory it would most likely be.
    if (stat(path, &status) != 0 || S_ISDIR(status.st_mode))
        return load_run(path, problem);
    json_t *document = lenient_json_read(path, problem);
    if (!document)
        return NULL;
    Problem reason = {0};
    MeasuredSide *side = baseline_is(document)
                             ? measured_side_of_baseline(path, document, &reason)
                             : measured_side_of_google(path, json_incref(document), &reason);
    if (!side)
        (void)problem_set(problem, "%s: %.1500s", path, reason.text);
    json_decref(document);
    return side;
}
