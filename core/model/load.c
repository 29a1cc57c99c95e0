// SPDX-License-Identifier: Apache-2.0
#include "hyperion/model.h"

#include "common/fail.h"
#include "model/onnx/import_onnx.h"
#include "model/rewrite/rewrite.h"
#include "model/safetensors/streaming.h"
#include "model/zoo.h"

#include <string.h>

HyperionModel *hyperionLoadModel(const char *path)
{
    return hyperionLoadModelWith(path, NULL);
}

// What rewriting made of a graph before it was written stands, and shapes are fixed.
static HyperionModel *load_streaming(const char *path, const HyperionLoadOptions *options)
{
    if (options->dimension_count || options->input_shape_count || options->input_value_count)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT,
                             "%s: the shapes and inputs of a streaming file are fixed", path);
    return hyp_streaming_load(path);
}

HyperionModel *hyperionLoadModelWith(const char *path, const HyperionLoadOptions *options)
{
    static const HyperionLoadOptions defaults = {0};
    static const char builtin[] = "builtin:";
    if (!path)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "load model: path is NULL");
    if (!options)
        options = &defaults;
    const bool is_builtin = strncmp(path, builtin, sizeof builtin - 1) == 0;
    bool is_streaming = false;
    if (!is_builtin && !hyp_streaming_recognise(path, &is_streaming))
        return NULL;
    if (is_streaming)
        return load_streaming(path, options);
    HyperionModel *model = is_builtin ? hyp_zoo_create(path) : hyp_onnx_import(path, options);
    if (model && !options->no_rewriting && !hyp_rewrite_model(model)) {
        hyperionFreeModel(model);
        return NULL;
    }
    return model;
}
