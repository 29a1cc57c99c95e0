// SPDX-License-Identifier: Apache-2.0
// main.c - the program `hyperion`: finds the command, checks its arguments against its table, runs
// it.
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_LIMIT = sizeof((CommandArguments *)0)->options_of / sizeof(const char *const *) };

static void print_overview(FILE *out)
{
    (void)fprintf(
        out, "hyperion - measure, predict and compare neural-network kernels on this machine\n\n"
             "usage: hyperion COMMAND [OPTIONS] ...\n\ncommands:\n");
    for (size_t i = 0; command_table[i]; i++)
        (void)fprintf(out, "  %-10s %s\n", command_table[i]->name, command_table[i]->summary);
    (void)fprintf(out, "\n`hyperion COMMAND --help` explains one.\n"
                       "exit codes: 0 ok, 1 usage or input, 2 a cell failed, 3 regression, "
                       "4 inconclusive, 5 no baseline, 130 interrupted\n");
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

static const Command *find_command(const char *name, Problem *problem)
{
    const char *names[64] = {NULL};
    for (size_t i = 0; command_table[i]; i++) {
        if (strcmp(command_table[i]->name, name) == 0)
            return command_table[i];
        names[i] = command_table[i]->name;
    }
    const char *near = problem_nearest(name, names);
    (void)problem_set(problem, "unknown command '%s'%s%s%s; `hyperion --help` lists them", name,
                      near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
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

int main(int argc, char **argv)
{
    Problem problem = {0};
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_overview(stdout);
        return EXIT_OK;
    }
    const Command *command = find_command(argv[1], &problem);
    if (!command)
        return command_fail(EXIT_USAGE, &problem);
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0) {
            print_help(command);
            return EXIT_OK;
        }
    const int code = run_command(command, argv + 2, (size_t)(argc - 2));
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)problem_set(&problem, "writing the output failed");
        return command_fail(EXIT_USAGE, &problem);
    }
    return code;
}
