// SPDX-License-Identifier: Apache-2.0
// Inputs of the graph: their types, the sizes that the file leaves open, and those that the caller
// makes constants.
#include "model/onnx/import_onnx.h"

#include "hyperion/tensor.h"

#include "common/fail.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const OnnxValue *find_input(const OnnxGraph *graph, const char *name)
{
    for (size_t i = 0; i < graph->input_count; i++)
        if (strcmp(graph->inputs[i].name, name) == 0)
            return &graph->inputs[i];
    return NULL;
}

static const HyperionInputShape *find_shape(const HyperionLoadOptions *options, const char *name)
{
    for (size_t i = 0; i < options->input_shape_count; i++)
        if (strcmp(options->input_shapes[i].name, name) == 0)
            return &options->input_shapes[i];
    return NULL;
}

static const HyperionTensor *find_fixed(const HyperionLoadOptions *options, const char *name)
{
    for (size_t i = 0; i < options->input_value_count; i++)
        if (strcmp(options->input_values[i].name, name) == 0)
            return options->input_values[i].value;
    return NULL;
}

static bool has_symbol(const OnnxGraph *graph, const char *symbol)
{
    for (size_t i = 0; i < graph->input_count; i++)
        for (int axis = 0; axis < HYPERION_MAX_RANK; axis++)
            if (graph->inputs[i].symbols[axis] &&
                strcmp(graph->inputs[i].symbols[axis], symbol) == 0)
                return true;
    return false;
}

// Fails as the caller's fault, not the file's.
static __attribute__((format(printf, 2, 3))) bool fail_option(OnnxImport *import,
                                                              const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    import->caller_failed = true;
    return hyp_fail(HYPERION_ERROR_ARGUMENT, "option: %s", reason);
}

// Whether the options name things of the file, and their shapes fit what it says.
static bool check_options(OnnxImport *import)
{
    const OnnxGraph *graph = &import->file->graph;
    const HyperionLoadOptions *options = import->options;
    for (size_t i = 0; i < options->dimension_count; i++)
        if (!has_symbol(graph, options->dimensions[i].name) || options->dimensions[i].size < 0)
            return fail_option(import, "%s '%s'",
                               options->dimensions[i].size < 0 ? "a negative size of dimension"
                                                               : "no input has a dimension",
                               options->dimensions[i].name);
    for (size_t i = 0; i < options->input_shape_count; i++) {
        const HyperionInputShape *shape = &options->input_shapes[i];
        const OnnxValue *input = find_input(graph, shape->name);
        if (!input)
            return fail_option(import, "there is no input '%s'", shape->name);
        if (input->rank >= 0 && input->rank != shape->rank)
            return fail_option(import, "input '%s' has rank %d, given %d", shape->name, input->rank,
                               shape->rank);
        for (int axis = 0; axis < input->rank; axis++)
            if (input->dims[axis] >= 0 && input->dims[axis] != shape->dims[axis])
                return fail_option(
                    import, "dimension %d of input '%s' is %" PRId64 " in the file, given %" PRId64,
                    axis, shape->name, input->dims[axis], shape->dims[axis]);
    }
    for (size_t i = 0; i < options->input_value_count; i++)
        if (!find_input(graph, options->input_values[i].name) || !options->input_values[i].value)
            return fail_option(import, "%s '%s'",
                               options->input_values[i].value ? "there is no input"
                                                              : "NULL for the value of input",
                               options->input_values[i].name);
    return true;
}

// The size that options give dimension `symbol`; -1 if none does.
static int64_t find_size(const OnnxGraph *graph, const HyperionLoadOptions *options,
                         const char *symbol)
{
    for (size_t i = 0; symbol && i < options->dimension_count; i++)
        if (strcmp(options->dimensions[i].name, symbol) == 0)
            return options->dimensions[i].size;
    for (size_t i = 0; symbol && i < options->input_shape_count; i++) {
        const OnnxValue *input = find_input(graph, options->input_shapes[i].name);
        for (int axis = 0; axis < input->rank; axis++)
            if (input->symbols[axis] && strcmp(input->symbols[axis], symbol) == 0)
                return options->input_shapes[i].dims[axis];
    }
    return options->default_dimension > 0 ? options->default_dimension : -1;
}

// The shape of an input, with the options' sizes where the file has none.
static bool resolve(const OnnxGraph *graph, const HyperionLoadOptions *options,
                    const OnnxValue *input, HyperionInputShape *resolved)
{
    const HyperionInputShape *given = find_shape(options, input->name);
    if (given) {
        *resolved = *given;
        return true;
    }
    if (input->rank < 0)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED, "input '%s' has no shape", input->name);
    *resolved = (HyperionInputShape){.name = input->name, .rank = input->rank};
    for (int axis = 0; axis < input->rank && axis < HYPERION_MAX_RANK; axis++) {
        const char *symbol = input->symbols[axis];
        const int64_t size =
            input->dims[axis] >= 0 ? input->dims[axis] : find_size(graph, options, symbol);
        if (size < 0)
            return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                            "input '%s': the size of dimension %d%s%s%s is not in the file: give "
                            "it when loading",
                            input->name, axis, symbol ? " ('" : "", symbol ? symbol : "",
                            symbol ? "')" : "");
        resolved->dims[axis] = size;
    }
    return true;
}

// Makes the input a constant with the value given for it.
static int add_fixed(OnnxImport *import, const OnnxValue *input, HyperionType type,
                     const HyperionTensor *value)
{
    const HyperionType given = hyperionTensorType(value);
    if (given == HYPERION_TYPE_COUNT)
        return -1;
    bool fits = given == type && (input->rank < 0 || hyperionTensorRank(value) == input->rank);
    for (int axis = 0; fits && axis < input->rank; axis++)
        fits = input->dims[axis] < 0 || hyperionTensorDims(value)[axis] == input->dims[axis];
    if (!fits) {
        (void)fail_option(import, "the value given for input '%s' has another type or shape",
                          input->name);
        return -1;
    }
    import->folder.budget_bytes += hyperionTensorBytes(value);
    return hyperionAddWeight(import->model, input->name, type, hyperionTensorRank(value),
                             hyperionTensorDims(value), hyperionTensorConstData(value));
}

static bool add_input(OnnxImport *import, const OnnxValue *input)
{
    HyperionType type;
    if (!hyp_onnx_type(input->data_type, &type))
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                        "input '%s' has ONNX data type %" PRId64
                        ", which is not implemented in this version",
                        input->name, input->data_type);
    const HyperionTensor *fixed = find_fixed(import->options, input->name);
    HyperionInputShape shape = {.rank = 0};
    int id;
    if (fixed)
        id = add_fixed(import, input, type, fixed);
    else
        id = resolve(&import->file->graph, import->options, input, &shape)
                 ? hyperionAddInput(import->model, input->name, type, shape.rank, shape.dims)
                 : -1;
    return id >= 0 && hyp_onnx_bind(import, input->name, id);
}

bool hyp_onnx_add_inputs(OnnxImport *import)
{
    if (!check_options(import))
        return false;
    for (size_t i = 0; i < import->file->graph.input_count; i++) {
        const OnnxValue *input = &import->file->graph.inputs[i];
        // Up to IR version 3 initialisers are listed as inputs too.
        if (!hyp_onnx_has_constant(import, input->name) && !add_input(import, input))
            return false;
    }
    return true;
}
