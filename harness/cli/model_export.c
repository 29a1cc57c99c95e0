// SPDX-License-Identifier: Apache-2.0
// model_export.c - `hyperion model export`: a model file, or a built-in model, as ONNX.
#include "cli/command.h"
#include "cli/model_load.h"
#include "hyperion/error.h"
#include "hyperion/model.h"

#include <stdio.h>

static const CommandOption options[] = {
    MODEL_LOAD_OPTIONS,
    {NULL, NULL, false, NULL},
};

static int run_model_export(const CommandArguments *arguments);

const Command command_model_export = {
    .name = "model export",
    .operands = "FILE OUT.onnx",
    .summary = "write a model file or a built-in model as ONNX",
    .least_words = 2,
    .most_words = 2,
    .options = options,
    .run = run_model_export,
};

static int run_model_export(const CommandArguments *arguments)
{
    Problem problem = {0};
    HyperionModel *model =
        model_load(&command_model_export, arguments, arguments->words[0], &problem);
    const bool exported = model && hyperionExportModel(model, arguments->words[1]);
    if (model && !exported)
        (void)problem_set(&problem, "%s", hyperionGetLastError());
    hyperionFreeModel(model);
    return exported ? EXIT_OK : command_fail(EXIT_USAGE, &problem);
}
