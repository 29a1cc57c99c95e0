// SPDX-License-Identifier: Apache-2.0
// text_table.h - columns that line up on a terminal.
#ifndef HYP_TEXT_TABLE_H
#define HYP_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// A table that is filled row by row; the first row is its head. NULL when out of memory. The
// caller frees.
typedef struct TextTable TextTable;
TextTable *text_table_create(size_t column_count);
void text_table_free(TextTable *table); // NULL is allowed

// The next cell, left to right; the text is copied.
void text_table_add(TextTable *table, const char *text);

// Prints it, each line after `indent`; columns of numbers line up on the right. False, and nothing
// printed, when memory ran out while it was filled.
bool text_table_print(const TextTable *table, const char *indent, FILE *out);

#endif
