// SPDX-License-Identifier: Apache-2.0
#include "cli/model_load.h"

#include "common/quantity.h"
#include "hyperion/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPTIONS = 64, MOST_NAMES = 2 * MOST_OPTIONS, NAME_BYTES = 256 };

typedef struct LoadSettings {
    char names[MOST_NAMES][NAME_BYTES];
    size_t name_count;
    HyperionDimensionSize dimensions[MOST_OPTIONS];
    HyperionInputShape shapes[MOST_OPTIONS];
    HyperionLoadOptions options;
} LoadSettings;

// The text before the last "=" of `given`, kept in the settings; *value is what follows. NULL where
// there is no "=", no name, or no room.
static const char *split(LoadSettings *settings, const char *given, const char **value)
{
    const char *equals = strrchr(given, '=');
    if (!equals || equals == given || equals - given >= NAME_BYTES ||
        settings->name_count == MOST_NAMES)
        return NULL;
    char *name = settings->names[settings->name_count++];
    (void)snprintf(name, NAME_BYTES, "%.*s", (int)(equals - given), given);
    *value = equals + 1;
    return name;
}

static bool read_dimension(LoadSettings *settings, const char *given, Problem *problem)
{
    long long size = -1;
    const char *value = NULL;
    if (!strchr(given, '=') && quantity_parse_integer(given, &size) && size > 0) {
        settings->options.default_dimension = size;
        return true;
    }
    const char *name = split(settings, given, &value);
    if (!name || !quantity_parse_integer(value, &size) || size < 0 ||
        settings->options.dimension_count == MOST_OPTIONS)
        return problem_set(problem, "--dim: expected NAME=N or N; given '%.64s'", given);
    settings->dimensions[settings->options.dimension_count++] =
        (HyperionDimensionSize){.name = name, .size = size};
    return true;
}

// Reads "1x3x224x224"; "" is a scalar.
static bool read_dims(const char *text, HyperionInputShape *shape)
{
    shape->rank = 0;
    while (*text) {
        char number[24];
        long long size;
        const size_t length = strcspn(text, "x");
        if (shape->rank == HYPERION_MAX_RANK || length >= sizeof number)
            return false;
        (void)snprintf(number, sizeof number, "%.*s", (int)length, text);
        if (!quantity_parse_integer(number, &size) || size < 0)
            return false;
        shape->dims[shape->rank++] = size;
        text += length;
        if (*text == 'x' && !*++text)
            return false;
    }
    return true;
}

static bool read_shape(LoadSettings *settings, const char *given, Problem *problem)
{
    const char *value = NULL;
    HyperionInputShape shape = {.name = split(settings, given, &value)};
    if (!shape.name || !read_dims(value, &shape) ||
        settings->options.input_shape_count == MOST_OPTIONS)
        return problem_set(problem, "--shape: expected INPUT=NxN...; given '%.64s'", given);
    settings->shapes[settings->options.input_shape_count++] = shape;
    return true;
}

static bool read_settings(const Command *command, const CommandArguments *arguments,
                          LoadSettings *settings, Problem *problem)
{
    const char *const *dimensions = command_values(command, arguments, "--dim");
    const char *const *shapes = command_values(command, arguments, "--shape");
    for (; dimensions && *dimensions; dimensions++)
        if (!read_dimension(settings, *dimensions, problem))
            return false;
    for (; shapes && *shapes; shapes++)
        if (!read_shape(settings, *shapes, problem))
            return false;
    settings->options.no_rewriting = command_option(command, arguments, "--no-rewriting") != NULL;
    settings->options.dimensions = settings->dimensions;
    settings->options.input_shapes = settings->shapes;
    return true;
}

HyperionModel *model_load(const Command *command, const CommandArguments *arguments,
                          const char *path, Problem *problem)
{
    LoadSettings *settings = calloc(1, sizeof *settings);
    HyperionModel *model = NULL;
    if (!settings)
        (void)problem_set(problem, "load %s: out of memory", path);
    else if (read_settings(command, arguments, settings, problem)) {
        model = hyperionLoadModelWith(path, &settings->options);
        if (!model)
            (void)problem_set(problem, "%s", hyperionGetLastError());
    }
    free(settings);
    return model;
}
