// SPDX-License-Identifier: Apache-2.0
#include "compare/google_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double google_unit_ns(const char *unit)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    for (size_t i = 0; unit && i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].ns;
    return NAN;
}

static const char *read_text(const json_t *row, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : otherwise;
}

static double read_time(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static long long read_index(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static bool read_row(const json_t *object, size_t index, GoogleRow *row, Problem *problem)
{
    const char *name = read_text(object, "name", NULL);
    if (!name)
        return problem_set(problem, "benchmarks[%zu]: expected an object with a \"name\"", index);
    *row = (GoogleRow){
        .name = name,
        .run_name = read_text(object, "run_name", name),
        .unit = read_text(object, "time_unit", NULL),
        .real = read_time(object, "real_time"),
        .cpu = read_time(object, "cpu_time"),
        .timed = json_object_get(object, "time_unit") && json_object_get(object, "real_time") &&
                 json_object_get(object, "cpu_time"),
        .aggregate = strcmp(read_text(object, "run_type", ""), "aggregate") == 0,
        // Since 1.8 a skipped row says so in another word.
        .failed = json_is_true(json_object_get(object, "error_occurred")) ||
                  json_is_true(json_object_get(object, "skipped")) ||
                  json_is_string(json_object_get(object, "skipped")),
        .message = read_text(object, "error_message", read_text(object, "skip_message", "")),
        .family = read_index(object, "family_index"),
        .instance = read_index(object, "per_family_instance_index"),
        .repetition = read_index(object, "repetition_index"),
    };
    row->timed = row->timed && row->unit;
    if (row->unit && isnan(google_unit_ns(row->unit)))
        return problem_set(problem,
                           "benchmarks[%zu]: time_unit: expected ns, us, ms or s; given '%.32s'",
                           index, row->unit);
    return true;
}

static int compare_indices(long long a, long long b)
{
    return (a > b) - (a < b);
}

// As sort_benchmark_results: family, instance, repetitions before aggregates, repetition; what is
// equal stays in order, which the addresses of the names' rows cannot tell: rows are sorted as
// pointers into their array.
static int compare_rows(const void *a, const void *b)
{
    const GoogleRow *left = *(const GoogleRow *const *)a;
    const GoogleRow *right = *(const GoogleRow *const *)b;
    int order = compare_indices(left->family, right->family);
    order = order ? order : compare_indices(left->instance, right->instance);
    order = order ? order : compare_indices(left->aggregate, right->aggregate);
    order = order ? order : compare_indices(left->repetition, right->repetition);
    return order ? order : (left > right) - (left < right);
}

static bool sort_rows(GoogleFile *file)
{
    const GoogleRow **order = calloc(file->row_count + 1, sizeof(const GoogleRow *));
    GoogleRow *sorted = calloc(file->row_count + 1, sizeof *sorted);
    const bool room = order && sorted;
    if (room) {
        for (size_t i = 0; i < file->row_count; i++)
            order[i] = &file->rows[i];
        qsort((void *)order, file->row_count, sizeof(const GoogleRow *), compare_rows);
        for (size_t i = 0; i < file->row_count; i++)
            sorted[i] = *order[i];
        free(file->rows);
        file->rows = sorted;
    } else {
        free(sorted);
    }
    free((void *)order);
    return room;
}

GoogleFile *google_file_read(json_t *document, Problem *problem)
{
    GoogleFile *file = calloc(1, sizeof *file);
    const json_t *rows = json_object_get(document, "benchmarks");
    bool read = file != NULL;
    if (read) {
        *file = (GoogleFile){.document = document,
                             .context = json_object_get(document, "context"),
                             .rows = calloc(json_array_size(rows) + 1, sizeof *file->rows),
                             .row_count = json_array_size(rows)};
        if (!json_is_array(rows))
            read =
                problem_set(problem, "expected a \"benchmarks\" array: no Google Benchmark file");
        read = read && file->rows;
    } else {
        json_decref(document);
    }
    for (size_t i = 0; read && i < file->row_count; i++)
        read = read_row(json_array_get(rows, i), i, &file->rows[i], problem);
    if (read && sort_rows(file))
        return file;
    (void)problem_set(problem, "out of memory");
    google_file_free(file);
    return NULL;
}

void google_file_free(GoogleFile *file)
{
    if (!file)
        return;
    json_decref(file->document);
    free(file->rows);
    free(file);
}
