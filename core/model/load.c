// SPDX-License-Identifier: Apache-2.0
#include "hyperion/model.h"

#include "common/fail.h"
#include "model/onnx/import_onnx.h"
#include "model/rewrite/rewrite.h"
#include "model/zoo.h"

#include <string.h>

HyperionModel *hyperionLoadModel(const char *path)
{
    static const char builtin[] = "builtin:";
    if (!path)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "load model: path is NULL");
    HyperionModel *model = strncmp(path, builtin, sizeof builtin - 1) == 0 ? hyp_zoo_create(path)
                                                                           : hyp_onnx_import(path);
    if (model && !hyp_rewrite_model(model)) {
        hyperionFreeModel(model);
        return NULL;
    }
    return model;
}
