// SPDX-License-Identifier: Apache-2.0
// model_import.c - `hyperion model import`: a model as a streaming file.
#include "cli/command.h"
#include "cli/model_load.h"
#include "hyperion/error.h"
#include "hyperion/model.h"

static const CommandOption options[] = {
    MODEL_LOAD_OPTIONS,
    {NULL, NULL, false, NULL},
};

static int run_model_import(const CommandArguments *arguments);

const Command command_model_import = {
    .name = "model import",
    .operands = "FILE OUT",
    .summary = "write a model as a streaming file: safetensors, weights in the order of execution",
    .least_words = 2,
    .most_words = 2,
    .options = options,
    .run = run_model_import,
};

static int run_model_import(const CommandArguments *arguments)
{
    Problem problem = {0};
    HyperionModel *model =
        model_load(&command_model_import, arguments, arguments->words[0], &problem);
    const bool saved = model && hyperionSaveModel(model, arguments->words[1]);
    if (model && !saved)
        (void)problem_set(&problem, "%s", hyperionGetLastError());
    hyperionFreeModel(model);
    return saved ? EXIT_OK : command_fail(EXIT_USAGE, &problem);
}
