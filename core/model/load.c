// SPDX-License-Identifier: Apache-2.0
#include "hyperion/model.h"

#include "common/fail.h"
#include "model/onnx/import_onnx.h"
#include "model/rewrite/rewrite.h"
#include "model/zoo.h"

#include <string.h>

HyperionModel *hyperionLoadModel(const char *path)
{
    return hyperionLoadModelWith(path, NULL);
}

HyperionModel *hyperionLoadModelWith(const char *path, const HyperionLoadOptions *options)
{
    static const HyperionLoadOptions defaults = {0};
    static const char builtin[] = "builtin:";
    if (!path)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "load model: path is NULL");
    if (!options)
        options = &defaults;
    HyperionModel *model = strncmp(path, builtin, sizeof builtin - 1) == 0
                               ? hyp_zoo_create(path)
                               : hyp_onnx_import(path, options);
    if (model && !options->no_rewriting && !hyp_rewrite_model(model)) {
        hyperionFreeModel(model);
        return NULL;
    }
    return model;
}
