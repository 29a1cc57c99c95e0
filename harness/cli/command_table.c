// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

const Command *const command_table[] = {
    NULL,
};
