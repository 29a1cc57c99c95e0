// SPDX-License-Identifier: Apache-2.0
// model_info.c - `hyperion model info`: what a model file, or a built-in model, holds.
#include "cli/command.h"
#include "cli/model_load.h"
#include "cli/weights_info.h"
#include "common/json_file.h"
#include "common/text_table.h"
#include "hyperion/model.h"
#include "hyperion/tensor.h"

#include <stdio.h>

static const CommandOption options[] = {
    MODEL_LOAD_OPTIONS,
    {"--fusions", NULL, false, "also what rewriting made of several layers; in JSON it always is"},
    {"--json", NULL, false, "print one JSON document"},
    {NULL, NULL, false, NULL},
};

static int run_model_info(const CommandArguments *arguments);

const Command command_model_info = {
    .name = "model info",
    .operands = "FILE",
    .summary = "graph, operators, weights and memory of a model; exit 1 if the file is malformed",
    .least_words = 1,
    .most_words = 1,
    .options = options,
    .run = run_model_info,
};

static json_t *describe_dims(const HyperionTensorInfo *tensor)
{
    json_t *dims = json_array();
    for (int i = 0; i < tensor->rank; i++)
        (void)json_array_append_new(dims, json_integer(tensor->dims[i]));
    return dims;
}

static json_t *describe_tensor(HyperionTensorInfo tensor)
{
    return json_pack("{s:s, s:s, s:o}", "name", tensor.name, "type", hyperionTypeName(tensor.type),
                     "dims", describe_dims(&tensor));
}

static json_t *describe_layer(const HyperionModel *model, int index)
{
    const HyperionLayerInfo layer = hyperionModelLayer(model, index);
    json_t *inputs = json_array();
    for (int i = 0; i < layer.input_count; i++) {
        const int tensor = hyperionModelLayerInput(model, index, i);
        (void)json_array_append_new(inputs, json_string(hyperionModelTensor(model, tensor).name));
    }
    const int result = hyperionModelLayerOutput(model, index, 0);
    return json_pack("{s:s, s:s, s:o, s:o, s:I, s:f}", "name", layer.name, "operator",
                     layer.op_name, "inputs", inputs, "output",
                     describe_tensor(hyperionModelTensor(model, result)), "weight_bytes",
                     (json_int_t)layer.weight_bytes, "flops", layer.flops);
}

// {"conv2d": {"layers": 3, "weight_bytes": 1152, "flops": 1e6}, ...}, in the order of first use.
static json_t *describe_operators(const HyperionModel *model)
{
    json_t *operators = json_object();
    for (int i = 0; i < hyperionModelLayerCount(model); i++) {
        const HyperionLayerInfo layer = hyperionModelLayer(model, i);
        json_t *row = json_object_get(operators, layer.op_name);
        json_int_t layers = 1;
        json_int_t weight_bytes = (json_int_t)layer.weight_bytes;
        double flops = layer.flops;
        if (row) {
            layers += json_integer_value(json_object_get(row, "layers"));
            weight_bytes += json_integer_value(json_object_get(row, "weight_bytes"));
            flops += json_real_value(json_object_get(row, "flops"));
        }
        (void)json_object_set_new(operators, layer.op_name,
                                  json_pack("{s:I, s:I, s:f}", "layers", layers, "weight_bytes",
                                            weight_bytes, "flops", flops));
    }
    return operators;
}

// Number, elements and bytes of the weights; a reshaped weight, the result of a layer, is none.
static json_t *describe_weights(const HyperionModel *model)
{
    json_int_t tensors = 0;
    json_int_t parameters = 0;
    const int tensor_count = hyperionModelTensorCount(model);
    for (int i = 0; i < tensor_count + hyperionModelLayerCount(model); i++) {
        const bool is_result = i >= tensor_count;
        const HyperionTensorInfo tensor = hyperionModelTensor(
            model, is_result ? hyperionModelLayerOutput(model, i - tensor_count, 0) : i);
        if (!tensor.is_weight)
            continue;
        const json_int_t elements =
            (json_int_t)(tensor.size_bytes / hyperionTypeBytes(tensor.type));
        tensors += is_result ? -1 : 1;
        parameters += is_result ? -elements : elements;
    }
    return json_pack("{s:I, s:I, s:I}", "tensors", tensors, "parameters", parameters, "bytes",
                     (json_int_t)hyperionModelWeightBytes(model));
}

static json_t *describe_list(const HyperionModel *model, int count,
                             json_t *(*describe)(const HyperionModel *model, int index))
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        (void)json_array_append_new(list, describe(model, i));
    return list;
}

static json_t *describe_input(const HyperionModel *model, int index)
{
    return describe_tensor(hyperionModelInput(model, index));
}

static json_t *describe_output(const HyperionModel *model, int index)
{
    return describe_tensor(hyperionModelOutput(model, index));
}

static json_t *describe_fusion(const HyperionModel *model, int index)
{
    const HyperionFusionInfo fusion = hyperionModelFusion(model, index);
    return json_pack("{s:s, s:s, s:i}", "rule", fusion.rule, "layer",
                     hyperionModelLayer(model, fusion.layer).name, "layers", fusion.layer_count);
}

static json_t *describe_model(const HyperionModel *model)
{
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:{s:I, s:I}, s:f, s:o, s:o}", "model", hyperionModelName(model),
        "inputs", describe_list(model, hyperionModelInputCount(model), describe_input), "outputs",
        describe_list(model, hyperionModelOutputCount(model), describe_output), "operators",
        describe_operators(model), "weights", describe_weights(model), "memory", "weight_bytes",
        (json_int_t)hyperionModelWeightBytes(model), "activation_bytes",
        (json_int_t)hyperionModelActivationBytes(model), "flops", hyperionModelFlops(model),
        "layers", describe_list(model, hyperionModelLayerCount(model), describe_layer), "fusions",
        describe_list(model, hyperionModelFusionCount(model), describe_fusion));
}

static void print_tensors(const char *title, const json_t *tensors)
{
    size_t index;
    const json_t *tensor;
    json_array_foreach(tensors, index, tensor)
    {
        const json_t *dims = json_object_get(tensor, "dims");
        printf("%s %s: ", title, json_string_value(json_object_get(tensor, "name")));
        for (size_t i = 0; i < json_array_size(dims); i++)
            printf("%s%" JSON_INTEGER_FORMAT, i ? " x " : "",
                   json_integer_value(json_array_get(dims, i)));
        printf("%s%s\n", json_array_size(dims) ? " " : "",
               json_string_value(json_object_get(tensor, "type")));
    }
}

static json_int_t integer_at(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bool print_operators(json_t *operators)
{
    static const char *const head[] = {"operator", "layers", "weight bytes", "Mflop"};
    const size_t columns = sizeof head / sizeof head[0];
    TextTable *table = text_table_create(columns);
    if (!table)
        return false;
    for (size_t i = 0; i < columns; i++)
        text_table_add(table, head[i]);
    const char *name;
    const json_t *row;
    json_object_foreach(operators, name, row)
    {
        char number[32];
        text_table_add(table, name);
        (void)snprintf(number, sizeof number, "%lld", (long long)integer_at(row, "layers"));
        text_table_add(table, number);
        (void)snprintf(number, sizeof number, "%lld", (long long)integer_at(row, "weight_bytes"));
        text_table_add(table, number);
        (void)snprintf(number, sizeof number, "%.3f",
                       json_real_value(json_object_get(row, "flops")) / 1e6);
        text_table_add(table, number);
    }
    const bool printed = text_table_print(table, "", stdout);
    text_table_free(table);
    return printed;
}

static bool print_fusions(const json_t *fusions)
{
    TextTable *table = text_table_create(3);
    if (!table)
        return false;
    text_table_add(table, "rule");
    text_table_add(table, "layer");
    text_table_add(table, "layers before");
    size_t index;
    const json_t *fusion;
    json_array_foreach(fusions, index, fusion)
    {
        char number[32];
        (void)snprintf(number, sizeof number, "%lld", (long long)integer_at(fusion, "layers"));
        text_table_add(table, json_string_value(json_object_get(fusion, "rule")));
        text_table_add(table, json_string_value(json_object_get(fusion, "layer")));
        text_table_add(table, number);
    }
    (void)putchar('\n');
    const bool printed = text_table_print(table, "", stdout);
    text_table_free(table);
    return printed;
}

static bool print_text(const json_t *model)
{
    const json_t *weights = json_object_get(model, "weights");
    printf("%s: %zu layers, %lld weights of %lld parameters\n",
           json_string_value(json_object_get(model, "model")),
           json_array_size(json_object_get(model, "layers")),
           (long long)integer_at(weights, "tensors"), (long long)integer_at(weights, "parameters"));
    print_tensors("input ", json_object_get(model, "inputs"));
    print_tensors("output", json_object_get(model, "outputs"));
    printf("memory: %lld bytes of weights, %lld bytes of activations\n\n",
           (long long)integer_at(weights, "bytes"),
           (long long)integer_at(json_object_get(model, "memory"), "activation_bytes"));
    return print_operators(json_object_get(model, "operators"));
}

static bool print_model(const CommandArguments *arguments, const json_t *description)
{
    return print_text(description) &&
           (!command_option(&command_model_info, arguments, "--fusions") ||
            print_fusions(json_object_get(description, "fusions")));
}

// The description of the model, or of a file that holds weights alone; NULL, and the problem.
static json_t *describe_file(const CommandArguments *arguments, bool is_weights, Problem *problem)
{
    if (is_weights)
        return weights_describe(arguments->words[0], problem);
    HyperionModel *model = model_load(&command_model_info, arguments, arguments->words[0], problem);
    json_t *description = model ? describe_model(model) : NULL;
    if (model && !description)
        (void)problem_set(problem, "model info: out of memory");
    hyperionFreeModel(model);
    return description;
}

static int run_model_info(const CommandArguments *arguments)
{
    Problem problem = {0};
    const bool is_weights = weights_are_alone(arguments->words[0]);
    json_t *description = describe_file(arguments, is_weights, &problem);
    if (!description)
        return command_fail(EXIT_USAGE, &problem);
    bool printed;
    if (command_option(&command_model_info, arguments, "--json"))
        printed = json_dumpf(description, stdout, JSON_FILE_FLAGS | JSON_INDENT(2)) == 0 &&
                  putchar('\n') != EOF;
    else
        printed = is_weights ? weights_print(description) : print_model(arguments, description);
    json_decref(description);
    if (!printed)
        (void)problem_set(&problem, "model info: out of memory");
    return printed ? EXIT_OK : command_fail(EXIT_USAGE, &problem);
}
