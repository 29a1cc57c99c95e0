// SPDX-License-Identifier: Apache-2.0
// command.h - the commands of the program `hyperion`: one file each, and their table.
#ifndef HYP_COMMAND_H
#define HYP_COMMAND_H

#include "common/problem.h"

#include <stddef.h>

enum {
    EXIT_OK = 0,
    EXIT_USAGE = 1, // usage, configuration or malformed input
    EXIT_CELL = 2,  // a cell failed, crashed or is missing, or a kernel failed verification
    EXIT_REGRESSION = 3,
    EXIT_INCONCLUSIVE = 4,
    EXIT_BASELINE = 5,
    EXIT_INTERRUPTED = 130
};

typedef struct CommandOption {
    const char *name;  // "--out"
    const char *value; // "DIR"; NULL = a switch
    bool repeated;     // may be given several times
    const char *help;
} CommandOption;

// What was given: options in the order of the command's table, and the other words.
typedef struct CommandArguments {
    const char *const *options_of[16]; // by option row: NULL-terminated values; NULL = not given
    const char *const *words;          // NULL-terminated
    size_t word_count;
    const char *const *rest; // what stands behind "--", NULL-terminated; NULL = nothing does
} CommandArguments;

typedef struct Command Command;
struct Command {
    const char *name;     // "verify"; of a group's command "model info"
    const char *operands; // "SCENARIO"
    const char *summary;  // one line
    size_t least_words, most_words;
    bool takes_rest;                               // "--" ends what is this program's
    const CommandOption *options;                  // ended by a NULL name
    int (*run)(const CommandArguments *arguments); // an exit code
    const Command *const *group; // commands of this one's own, NULL-terminated, which replace
                                 // options and run; NULL = none
};

extern const Command *const command_table[]; // NULL-terminated

// Value of a single option, or NULL.
const char *command_option(const Command *command, const CommandArguments *arguments,
                           const char *name);

// All its values, NULL-terminated; NULL where it was not given.
const char *const *command_values(const Command *command, const CommandArguments *arguments,
                                  const char *name);

// Prints "hyperion: <text>" to stderr and returns the code.
int command_fail(int code, const Problem *problem);

#endif
