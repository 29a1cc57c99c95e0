// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "compare/measured_google.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The rows [first, first + count) in the order of their names belong to one benchmark.
typedef struct Family {
    size_t first, count;
} Family;

typedef struct FamilyList {
    const GoogleRow **rows; // by name, those of one name in the order of the file
    Family *families;       // in the order of their first rows
    size_t count;
} FamilyList;

static int compare_names(const void *a, const void *b)
{
    const GoogleRow *left = *(const GoogleRow *const *)a;
    const GoogleRow *right = *(const GoogleRow *const *)b;
    const int order = strcmp(left->run_name, right->run_name);
    return order ? order : (left > right) - (left < right);
}

// Orders the first rows by place, keeping each with its family: families are few words, so they
// are sorted through the places.
typedef struct PlacedFamily {
    const GoogleRow *place;
    Family family;
} PlacedFamily;

static int compare_places(const void *a, const void *b)
{
    const GoogleRow *left = ((const PlacedFamily *)a)->place;
    const GoogleRow *right = ((const PlacedFamily *)b)->place;
    return (left > right) - (left < right);
}

static void find_families(FamilyList *list, size_t row_count, PlacedFamily *placed)
{
    for (size_t i = 0; i < row_count; i++) {
        if (i == 0 || strcmp(list->rows[i]->run_name, list->rows[i - 1]->run_name) != 0)
            placed[list->count++] = (PlacedFamily){list->rows[i], {i, 0}};
        placed[list->count - 1].family.count++;
    }
    qsort(placed, list->count, sizeof *placed, compare_places);
    for (size_t i = 0; i < list->count; i++)
        list->families[i] = placed[i].family;
}

// Big-O rows are a family of their own that was never run.
static size_t take_rows(const GoogleFile *file, const GoogleRow **rows)
{
    size_t count = 0;
    for (size_t i = 0; i < file->row_count; i++)
        if (file->rows[i].timed || file->rows[i].failed)
            rows[count++] = &file->rows[i];
    return count;
}

static bool make_list(const GoogleFile *file, FamilyList *list)
{
    const size_t room = file->row_count + 1;
    PlacedFamily *placed = calloc(room, sizeof *placed);
    *list = (FamilyList){.rows = calloc(room, sizeof(const GoogleRow *)),
                         .families = calloc(room, sizeof *list->families)};
    const bool made = placed && list->rows && list->families;
    if (made) {
        const size_t count = take_rows(file, list->rows);
        qsort((void *)list->rows, count, sizeof(const GoogleRow *), compare_names);
        find_families(list, count, placed);
    }
    free(placed);
    return made;
}

static void free_list(FamilyList *list)
{
    free((void *)list->rows);
    free(list->families);
}

// The id of a cell, without what this project's writer puts behind it.
static char *make_id(const char *name, bool ours)
{
    static const char suffix[] = "/real_time";
    const size_t length = strlen(name);
    const size_t tail = sizeof suffix - 1;
    const bool cut = ours && length > tail && strcmp(name + length - tail, suffix) == 0;
    return strndup(name, cut ? length - tail : length);
}

static bool fill_cell(const MeasuredSide *side, const FamilyList *list, Family family,
                      MeasuredCell *cell)
{
    const bool ours = json_object_get(side->google->context, "hyperion_scenario") != NULL;
    cell->id = make_id(list->rows[family.first]->run_name, ours);
    cell->group = strdup("benchmarks");
    double *times = measured_series_add(side, cell, COMPARED_TIME, 0, family.count);
    if (!cell->id || !cell->group || !times)
        return false;
    size_t count = 0;
    for (size_t i = family.first; i < family.first + family.count; i++) {
        const GoogleRow *row = list->rows[i];
        const double ns = row->real * google_unit_ns(row->unit);
        if (row->failed) {
            cell->failed = true;
            (void)snprintf(cell->reason, sizeof cell->reason, "%s",
                           row->message[0] ? row->message : "an error occurred");
        } else if (!row->aggregate && isfinite(ns) && ns > 0) {
            times[count++] = ns;
        }
    }
    cell->series[COMPARED_TIME].sessions[0].count = count;
    return true;
}

static void copy_context(const json_t *context, MeasuredSide *side)
{
    const struct {
        const char *key;
        char *text;
        size_t text_bytes;
    } rows[] = {
        {"hyperion_scenario", side->scenario, sizeof side->scenario},
        {"hyperion_commit", side->commit, sizeof side->commit},
        {"hyperion_machine_key", side->machine_key, sizeof side->machine_key},
        {"hyperion_environment_digest", side->environment_digest, sizeof side->environment_digest},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = json_string_value(json_object_get(context, rows[i].key));
        (void)snprintf(rows[i].text, rows[i].text_bytes, "%s", text ? text : "");
    }
}

MeasuredSide *measured_side_of_google(const char *path, json_t *document, Problem *problem)
{
    GoogleFile *file = google_file_read(document, problem);
    FamilyList list = {0};
    const bool listed = file && make_list(file, &list);
    MeasuredSide *side = listed ? measured_side_create(SIDE_GOOGLE, path, list.count, 1) : NULL;
    bool filled = side != NULL;
    if (filled) {
        side->google = file;
        copy_context(file->context, side);
    } else {
        google_file_free(file);
    }
    for (size_t i = 0; filled && i < list.count; i++)
        filled = fill_cell(side, &list, list.families[i], &side->cells[i]);
    filled = filled && measured_side_index(side);
    free_list(&list);
    if (filled)
        return side;
    (void)problem_set(problem, "out of memory");
    measured_side_free(side);
    return NULL;
}

bool measured_google_is_exploration(const MeasuredSide *side)
{
    return side->google && json_object_get(side->google->context, "hyperion_bench");
}
