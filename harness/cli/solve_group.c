// SPDX-License-Identifier: Apache-2.0
// solve_group.c - `hyperion solve`: the planners on bare instances, each in its own file
// solve_<what>.c.
#include "cli/command.h"

extern const Command command_solve_checkpoint;
extern const Command command_solve_offsets;
extern const Command command_solve_pipeline;
extern const Command command_solve_order;

static const Command *const solve_commands[] = {
    &command_solve_checkpoint,
    &command_solve_offsets,
    &command_solve_pipeline,
    &command_solve_order,
    NULL,
};

const Command command_solve = {
    .name = "solve",
    .operands = "WHAT",
    .summary = "the planners on a bare instance from a file",
    .group = solve_commands,
};
