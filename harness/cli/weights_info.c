// SPDX-License-Identifier: Apache-2.0
#include "cli/weights_info.h"

#include "common/text_table.h"
#include "hyperion/error.h"
#include "hyperion/weights.h"

#include <stdio.h>

bool weights_are_alone(const char *path)
{
    HyperionWeightsFile *file = hyperionOpenWeights(path);
    const bool alone = file && !hyperionWeightsMetadata(file, "hyperion.graph");
    hyperionCloseWeights(file);
    return alone;
}

static json_t *describe_tensor(const HyperionStoredTensor *tensor)
{
    json_t *dims = json_array();
    for (int i = 0; i < tensor->rank && i < HYPERION_MAX_RANK; i++)
        (void)json_array_append_new(dims, json_integer((json_int_t)tensor->dims[i]));
    return json_pack("{s:o, s:s, s:i, s:o, s:I}", "name",
                     json_stringn(tensor->name, tensor->name_bytes), "type", tensor->type, "rank",
                     tensor->rank, "dims", dims, "bytes", (json_int_t)tensor->size_bytes);
}

json_t *weights_describe(const char *path, Problem *problem)
{
    HyperionWeightsFile *file = hyperionOpenWeights(path);
    if (!file) {
        (void)problem_set(problem, "%s", hyperionGetLastError());
        return NULL;
    }
    json_int_t size_bytes = 0;
    json_t *tensors = json_array();
    for (int i = 0; i < hyperionWeightsTensorCount(file); i++) {
        const HyperionStoredTensor tensor = hyperionWeightsTensor(file, i);
        size_bytes += (json_int_t)tensor.size_bytes;
        (void)json_array_append_new(tensors, describe_tensor(&tensor));
    }
    hyperionCloseWeights(file);
    json_t *description =
        json_pack("{s:s, s:I, s:o}", "file", path, "bytes", size_bytes, "tensors", tensors);
    if (!description)
        (void)problem_set(problem, "model info: out of memory");
    return description;
}

static void add_row(TextTable *table, const json_t *tensor)
{
    char text[256] = "";
    size_t used = 0;
    const json_t *dims = json_object_get(tensor, "dims");
    const size_t rank = (size_t)json_integer_value(json_object_get(tensor, "rank"));
    for (size_t i = 0; i < json_array_size(dims); i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%" JSON_INTEGER_FORMAT,
                                 i ? " x " : "", json_integer_value(json_array_get(dims, i)));
    if (rank > json_array_size(dims))
        (void)snprintf(text + used, sizeof text - used, " x ... (%zu dimensions)", rank);
    text_table_add(table, json_string_value(json_object_get(tensor, "name")));
    text_table_add(table, json_string_value(json_object_get(tensor, "type")));
    text_table_add(table, text);
    (void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(tensor, "bytes")));
    text_table_add(table, text);
}

bool weights_print(const json_t *description)
{
    static const char *const head[] = {"tensor", "type", "dims", "bytes"};
    const json_t *tensors = json_object_get(description, "tensors");
    TextTable *table = text_table_create(sizeof head / sizeof head[0]);
    if (!table)
        return false;
    printf("%s: weights without a graph, %zu tensors of %" JSON_INTEGER_FORMAT " bytes\n\n",
           json_string_value(json_object_get(description, "file")), json_array_size(tensors),
           json_integer_value(json_object_get(description, "bytes")));
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        text_table_add(table, head[i]);
    for (size_t i = 0; i < json_array_size(tensors); i++)
        add_row(table, json_array_get(tensors, i));
    const bool printed = text_table_print(table, "", stdout);
    text_table_free(table);
    return printed;
}
