// SPDX-License-Identifier: Apache-2.0
#include "solve/chain_file.h"

#include "common/json_fields.h"
#include "common/json_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const size_names[] = {"a", "abar", "of", "ob"};
static const char *const time_names[] = {"uf", "ub"};

static bool read_array(const json_t *object, const char *name, size_t count, double **values,
                       Problem *problem)
{
    size_t given = 0;
    if (!json_read_numbers(object, name, values, &given, problem))
        return false;
    return given == count ||
           problem_set(problem, "%s: %zu numbers, expected n + 1 = %zu", name, given, count);
}

static bool take_sizes(const char *name, const double *values, size_t count, size_t **sizes,
                       Problem *problem)
{
    *sizes = calloc(count, sizeof **sizes);
    if (!*sizes)
        return problem_set(problem, "out of memory");
    for (size_t i = 0; i < count; i++) {
        if (!(values[i] >= 0 && values[i] <= 0x1p53 && values[i] == floor(values[i])))
            return problem_set(problem, "%s[%zu]: expected bytes, given %g", name, i, values[i]);
        (*sizes)[i] = (size_t)values[i];
    }
    return true;
}

static bool read_sizes(const json_t *object, const char *name, size_t count, size_t **sizes,
                       Problem *problem)
{
    double *values = NULL;
    const bool read = read_array(object, name, count, &values, problem) &&
                      take_sizes(name, values, count, sizes, problem);
    free(values);
    return read;
}

static bool read_chain(ChainFile *file, const json_t *object, Problem *problem)
{
    long long length = 0;
    if (!json_read_integer(object, "n", 1, 1000000, &length, problem))
        return false;
    const size_t count = (size_t)length + 1;
    for (size_t i = 0; i < sizeof size_names / sizeof *size_names; i++)
        if (!read_sizes(object, size_names[i], count, &file->sizes[i], problem))
            return false;
    for (size_t i = 0; i < sizeof time_names / sizeof *time_names; i++)
        if (!read_array(object, time_names[i], count, &file->times[i], problem))
            return false;
    file->chain = (HyperionChain){.length = (int)length,
                                  .activation_bytes = file->sizes[0],
                                  .saved_bytes = file->sizes[1],
                                  .forward_extra_bytes = file->sizes[2],
                                  .backward_extra_bytes = file->sizes[3],
                                  .forward_time = file->times[0],
                                  .backward_time = file->times[1]};
    return true;
}

bool chain_file_read(ChainFile *file, const char *path, Problem *problem)
{
    Problem inner = {0};
    json_t *json = json_file_read(path, problem);
    if (!json)
        return false;
    const json_t *chain = json_object_get(json, "chain");
    bool read = false;
    if (json_is_object(json))
        read = read_chain(file, chain ? chain : json, &inner);
    else
        (void)problem_set(&inner, "expected an object, one instance");
    json_decref(json);
    return read || problem_set(problem, "%s: %s", path, inner.text);
}

void chain_file_clear(ChainFile *file)
{
    for (size_t i = 0; i < sizeof file->sizes / sizeof *file->sizes; i++)
        free(file->sizes[i]);
    for (size_t i = 0; i < sizeof file->times / sizeof *file->times; i++)
        free(file->times[i]);
    *file = (ChainFile){0};
}
