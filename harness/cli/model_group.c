// SPDX-License-Identifier: Apache-2.0
// model_group.c - `hyperion model`: the commands on one model, each in its own file model_<verb>.c.
#include "cli/command.h"

extern const Command command_model_export;
extern const Command command_model_import;
extern const Command command_model_info;
extern const Command command_model_profile;
extern const Command command_model_run;

static const Command *const model_commands[] = {
    &command_model_info,    &command_model_export, &command_model_import,
    &command_model_profile, &command_model_run,    NULL,
};

const Command command_model = {
    .name = "model",
    .operands = "COMMAND",
    .summary = "look into, convert, run and profile model files and built-in models",
    .group = model_commands,
};
