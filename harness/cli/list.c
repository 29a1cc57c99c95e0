// SPDX-License-Identifier: Apache-2.0
// list.c - `hyperion list`: the inventories, each a table of rows that prints as text, Markdown or
// JSON.
#include "cli/command.h"
#include "cli/inventory.h"
#include "common/text_table.h"

#include <stdio.h>
#include <string.h>

static const CommandOption options[] = {
    {"--json", NULL, false, "print one JSON document"},
    {"--markdown", NULL, false, "print a Markdown table"},
    {NULL, NULL, false, NULL},
};

static int run_list(const CommandArguments *arguments);

const Command command_list = {
    .name = "list",
    .operands = "commands|kernels|axes|workloads|counters|metrics|scenarios|models",
    .summary = "print what there is of one kind",
    .least_words = 1,
    .most_words = 1,
    .options = options,
    .run = run_list,
};

static const Inventory *find_inventory(const char *name, Problem *problem)
{
    const char *names[16] = {NULL};
    for (size_t i = 0; inventory_table[i].name; i++) {
        if (strcmp(inventory_table[i].name, name) == 0)
            return &inventory_table[i];
        names[i] = inventory_table[i].name;
    }
    const char *near = problem_nearest(name, names);
    (void)problem_set(problem, "list: expected one of %s; given '%.64s'%s%s%s",
                      command_list.operands, name, near ? ", did you mean '" : "", near ? near : "",
                      near ? "'?" : "");
    return NULL;
}

// The text of a value; a number's goes through `number`.
static const char *value_text(const json_t *value, char number[static 64])
{
    if (json_is_string(value))
        return json_string_value(value);
    if (!json_is_number(value))
        return json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "-";
    (void)snprintf(number, 64, "%.15g", json_number_value(value));
    return number;
}

// The keys of the first row are the columns of all.
static bool print_text(const json_t *rows)
{
    json_t *first = json_array_get(rows, 0);
    if (!first)
        return true;
    TextTable *table = text_table_create(json_object_size(first));
    if (!table)
        return false;
    char number[64];
    const char *key;
    const json_t *value;
    json_object_foreach(first, key, value) text_table_add(table, key);
    for (size_t i = 0; i < json_array_size(rows); i++)
        json_object_foreach(json_array_get(rows, i), key, value)
            text_table_add(table, value_text(value, number));
    const bool printed = text_table_print(table, "", stdout);
    text_table_free(table);
    return printed;
}

static void print_markdown_cell(const char *text)
{
    (void)fputs("| ", stdout);
    for (; *text; text++) {
        if (*text == '|')
            (void)putchar('\\');
        (void)putchar(*text);
    }
    (void)putchar(' ');
}

static bool print_markdown(const json_t *rows)
{
    json_t *first = json_array_get(rows, 0);
    char number[64];
    const char *key;
    const json_t *value;
    json_object_foreach(first, key, value) print_markdown_cell(key);
    printf("|\n");
    for (size_t i = 0; i < json_object_size(first); i++)
        printf("|---");
    printf("|\n");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_object_foreach(json_array_get(rows, i), key, value)
            print_markdown_cell(value_text(value, number));
        printf("|\n");
    }
    return true;
}

static bool print_json(const json_t *rows)
{
    return json_dumpf(rows, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER) == 0 &&
           putchar('\n') != EOF;
}

static int run_list(const CommandArguments *arguments)
{
    Problem problem = {0};
    const Inventory *inventory = find_inventory(arguments->words[0], &problem);
    json_t *rows = inventory ? inventory->collect(&problem) : NULL;
    if (!rows)
        return command_fail(EXIT_USAGE, &problem);
    const bool printed = command_option(&command_list, arguments, "--json") ? print_json(rows)
                         : command_option(&command_list, arguments, "--markdown")
                             ? print_markdown(rows)
                             : print_text(rows);
    json_decref(rows);
    if (printed)
        return EXIT_OK;
    (void)problem_set(&problem, "list: out of memory");
    return command_fail(EXIT_USAGE, &problem);
}
