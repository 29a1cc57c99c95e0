// SPDX-License-Identifier: Apache-2.0
// model_load.h - loading a model as the command line says, for the commands of `hyperion model`.
#ifndef HYP_MODEL_LOAD_H
#define HYP_MODEL_LOAD_H

#include "cli/command.h"
#include "hyperion/model.h"

// Rows for a command's table of options.
#define MODEL_LOAD_OPTIONS                                                                         \
    {"--dim", "NAME=N", true,                                                                      \
     "size of a dimension that the file leaves open; N alone: of others"},                         \
        {"--shape", "INPUT=NxN...", true, "shape of an input, where the file leaves sizes open"},  \
    {                                                                                              \
        "--no-rewriting", NULL, false, "keep the layers as the file has them"                      \
    }

// Loads `path` with those options of `command`; the caller frees the model. NULL, the problem set,
// where an option or the file is malformed.
HyperionModel *model_load(const Command *command, const CommandArguments *arguments,
                          const char *path, Problem *problem);

#endif
