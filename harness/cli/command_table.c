// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

extern const Command command_compare;
extern const Command command_machine;

const Command *const command_table[] = {
    &command_compare,
    &command_machine,
    NULL,
};
