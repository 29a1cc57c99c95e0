// SPDX-License-Identifier: Apache-2.0
#include "hyperion/model.h"

#include "common/fail.h"
#include "model/onnx/import_onnx.h"
#include "model/zoo.h"

#include <string.h>

HyperionModel *hyperionLoadModel(const char *path)
{
    static const char builtin[] = "builtin:";
    if (!path)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "load model: path is NULL");
    if (strncmp(path, builtin, sizeof builtin - 1) == 0)
        return hyp_zoo_create(path);
    return hyp_onnx_import(path);
}
