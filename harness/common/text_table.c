// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "common/text_table.h"

#include <stdlib.h>
#include <string.h>

struct TextTable {
    size_t column_count;
    char **cells;
    size_t count, capacity;
    bool failed;
};

TextTable *text_table_create(size_t column_count)
{
    TextTable *table = calloc(1, sizeof *table);
    if (table)
        table->column_count = column_count;
    return table;
}

void text_table_free(TextTable *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free((void *)table->cells);
    free(table);
}

void text_table_add(TextTable *table, const char *text)
{
    if (table->count == table->capacity) {
        const size_t capacity = table->capacity ? 2 * table->capacity : 64;
        char **grown = realloc((void *)table->cells, capacity * sizeof *grown);
        table->failed = table->failed || !grown;
        if (!grown)
            return;
        table->cells = grown;
        table->capacity = capacity;
    }
    char *copy = strdup(text);
    table->failed = table->failed || !copy;
    if (copy)
        table->cells[table->count++] = copy;
}

typedef struct Column {
    size_t width;
    bool is_number; // every cell below the head starts like one, or is a dash for "none"
} Column;

static Column measure_column(const TextTable *table, size_t column)
{
    Column measured = {.is_number = true};
    for (size_t i = column; i < table->count; i += table->column_count) {
        const char *cell = table->cells[i];
        const size_t width = strlen(cell);
        measured.width = width > measured.width ? width : measured.width;
        if (i >= table->column_count && !strchr("0123456789-", cell[0]))
            measured.is_number = false;
    }
    return measured;
}

static void print_row(const TextTable *table, size_t row, const Column *columns, FILE *out)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const char *cell = table->cells[row * table->column_count + i];
        const bool last = i + 1 == table->column_count;
        const int width = columns[i].is_number ? (int)columns[i].width
                          : last               ? 0 // no blanks at the end of a line
                                               : -(int)columns[i].width;
        (void)fprintf(out, "%*s%s", width, cell, last ? "\n" : "  ");
    }
}

bool text_table_print(const TextTable *table, const char *indent, FILE *out)
{
    Column *columns = calloc(table->column_count + 1, sizeof *columns);
    if (!columns || table->failed) {
        free(columns);
        return false;
    }
    for (size_t i = 0; i < table->column_count; i++)
        columns[i] = measure_column(table, i);
    for (size_t row = 0; (row + 1) * table->column_count <= table->count; row++) {
        (void)fputs(indent, out);
        print_row(table, row, columns, out);
    }
    free(columns);
    return true;
}
