// SPDX-License-Identifier: Apache-2.0
// main.c - the program `hyperion`: finds the command, checks its arguments against its table, runs
// it.
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_LIMIT = sizeof((CommandArguments *)0)->options_of / sizeof(const char *const *) };

static void print_commands(FILE *out, const Command *const *table, int width)
{
    (void)fprintf(out, "\ncommands:\n");
    for (size_t i = 0; table[i]; i++)
        (void)fprintf(out, "  %-*s %s\n", width, table[i]->name, table[i]->summary);
}

static void print_overview(FILE *out)
{
    (void)fprintf(
        out, "hyperion - measure, predict and compare neural-network kernels on this machine\n\n"
             "usage: hyperion COMMAND [OPTIONS] ...\n");
    print_commands(out, command_table, 10);
    (void)fprintf(out, "\n`hyperion COMMAND --help` explains one.\n"
                       "exit codes: 0 ok, 1 usage or input, 2 a cell failed, 3 regression, "
                       "4 inconclusive, 5 no baseline, 130 interrupted\n");
}

static void print_group(FILE *out, const Command *command)
{
    (void)fprintf(out, "usage: hyperion %s %s ...\n\n%s\n", command->name, command->operands,
                  command->summary);
    print_commands(out, command->group, 16);
    (void)fprintf(out, "\n`hyperion %s COMMAND --help` explains one.\n", command->name);
}

static void print_help(const Command *command)
{
    printf("usage: hyperion %s%s%s%s\n\n%s\n", command->name,
           command->options[0].name ? " [OPTIONS]" : "", command->operands[0] ? " " : "",
           command->operands, command->summary);
    for (size_t i = 0; command->options[i].name; i++) {
        char left[64];
        const CommandOption *option = &command->options[i];
        (void)snprintf(left, sizeof left, "%s%s%s", option->name, option->value ? " " : "",
                       option->value ? option->value : "");
        printf("%s  %-20s %s%s\n", i ? "" : "\noptions:\n", left, option->help,
               option->repeated ? " (repeatable)" : "");
    }
}

// The last word of its name: "info" of "model info".
static const char *last_word(const Command *command)
{
    const char *space = strrchr(command->name, ' ');
    return space ? space + 1 : command->name;
}

// `group` names the command whose table it is, with a space behind it; "" of the program.
static const Command *find_command(const Command *const *table, const char *group, const char *name,
                                   Problem *problem)
{
    const char *names[64] = {NULL};
    for (size_t i = 0; table[i]; i++) {
        names[i] = last_word(table[i]);
        if (strcmp(names[i], name) == 0)
            return table[i];
    }
    const char *near = problem_nearest(name, names);
    (void)problem_set(problem, "unknown command '%s%s'%s%s%s; `hyperion %s--help` lists them",
                      group, name, near ? ", did you mean '" : "", near ? near : "",
                      near ? "'?" : "", group);
    return NULL;
}

static bool option_row(const Command *command, const char *name, size_t *row, Problem *problem)
{
    const char *names[OPTION_LIMIT + 1] = {NULL};
    for (size_t i = 0; command->options[i].name; i++) {
        if (strcmp(command->options[i].name, name) == 0) {
            *row = i;
            return true;
        }
        names[i] = command->options[i].name;
    }
    const char *near = problem_nearest(name, names);
    return problem_set(problem, "%s: unknown option '%s'%s%s%s", command->name, name,
                       near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

// Value lists are carved out of `values`, which has room for count + 1 a row.
static bool parse_arguments(const Command *command, char **given, size_t count, const char **values,
                            const char **words, CommandArguments *arguments, Problem *problem)
{
    size_t used[OPTION_LIMIT] = {0};
    for (size_t i = 0; i < count; i++) {
        if (command->takes_rest && strcmp(given[i], "--") == 0) {
            arguments->rest = (const char *const *)given + i + 1;
            break;
        }
        if (strncmp(given[i], "--", 2) != 0) {
            words[arguments->word_count++] = given[i];
            continue;
        }
        size_t row = 0;
        if (!option_row(command, given[i], &row, problem))
            return false;
        const CommandOption *option = &command->options[row];
        if (used[row] && !option->repeated)
            return problem_set(problem, "%s: %s is given twice", command->name, option->name);
        const char *value = option->name;
        if (option->value) {
            if (i + 1 == count)
                return problem_set(problem, "%s: %s needs a value: %s", command->name, option->name,
                                   option->value);
            value = given[++i];
        }
        const char **list = values + row * (count + 1);
        list[used[row]++] = value;
        arguments->options_of[row] = list;
    }
    arguments->words = words;
    if (arguments->word_count < command->least_words || arguments->word_count > command->most_words)
        return problem_set(problem, "%s: expected %s, given %zu word%s; see `hyperion %s --help`",
                           command->name, command->operands[0] ? command->operands : "no operand",
                           arguments->word_count, arguments->word_count == 1 ? "" : "s",
                           command->name);
    return true;
}

static int run_command(const Command *command, char **given, size_t count)
{
    Problem problem = {0};
    int code = EXIT_USAGE;
    CommandArguments arguments = {0};
    const char **values = calloc(OPTION_LIMIT * (count + 1), sizeof *values);
    const char **words = calloc(count + 1, sizeof *words);
    if (!values || !words)
        (void)problem_set(&problem, "out of memory");
    else if (parse_arguments(command, given, count, values, words, &arguments, &problem))
        code = command->run(&arguments);
    if (problem.text[0])
        (void)command_fail(code, &problem);
    free(values);
    free(words);
    return code;
}

// What to do when no command is named after `words`; -1: one is.
static int show_overview(const Command *group, int argc, char **argv, int words)
{
    const bool asked = argc > words && (strcmp(argv[words], "--help") == 0 ||
                                        (!group && strcmp(argv[words], "help") == 0));
    if (argc > words && !asked)
        return -1;
    if (group)
        print_group(asked ? stdout : stderr, group);
    else
        print_overview(asked ? stdout : stderr);
    return asked ? EXIT_OK : EXIT_USAGE;
}

// The command that the first *words arguments name; NULL, with the exit code in *words, where there
// is none to run.
static const Command *choose_command(int argc, char **argv, int *words)
{
    Problem problem = {0};
    const Command *command = NULL;
    char group[32] = "";
    for (int i = 1;; i++) {
        const int shown = show_overview(command, argc, argv, i);
        if (shown >= 0) {
            *words = shown;
            return NULL;
        }
        command = find_command(command ? command->group : command_table, group, argv[i], &problem);
        if (!command) {
            *words = command_fail(EXIT_USAGE, &problem);
            return NULL;
        }
        if (!command->group) {
            *words = i + 1;
            return command;
        }
        (void)snprintf(group, sizeof group, "%s ", command->name);
    }
}

int main(int argc, char **argv)
{
    int words = 0;
    const Command *command = choose_command(argc, argv, &words);
    if (!command)
        return words;
    for (int i = words; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0) {
            print_help(command);
            return EXIT_OK;
        }
    const int code = run_command(command, argv + words, (size_t)(argc - words));
    if (fflush(stdout) != 0 || ferror(stdout)) {
        Problem problem = {0};
        (void)problem_set(&problem, "writing the output failed");
        return command_fail(EXIT_USAGE, &problem);
    }
    return code;
}
