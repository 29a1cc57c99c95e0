// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

const char *const *command_values(const Command *command, const CommandArguments *arguments,
                                  const char *name)
{
    for (size_t i = 0; command->options[i].name; i++)
        if (strcmp(command->options[i].name, name) == 0)
            return arguments->options_of[i];
    return NULL;
}

const char *command_option(const Command *command, const CommandArguments *arguments,
                           const char *name)
{
    const char *const *values = command_values(command, arguments, name);
    return values ? values[0] : NULL;
}

int command_fail(int code, const Problem *problem)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "hyperion: %s\n", problem->text);
    return code;
}
