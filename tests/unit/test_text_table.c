// SPDX-License-Identifier: Apache-2.0
// test_text_table.c - columns line up, numbers on the right, and no line ends in a blank.
#define _POSIX_C_SOURCE 200809L
#include "common/text_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void table_lines_up(void **state)
{
    (void)state;
    static const char *const cells[] = {"level", "size", "note", "scalar", "8", "x",
                                        "avx2",  "1024", "-",    "best",   "-", "longer"};
    TextTable *table = text_table_create(3);
    assert_non_null(table);
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        text_table_add(table, cells[i]);
    char *text = NULL;
    size_t text_bytes = 0;
    FILE *stream = open_memstream(&text, &text_bytes);
    assert_non_null(stream);
    assert_true(text_table_print(table, "> ", stream));
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(text, "> level   size  note\n"
                              "> scalar     8  x\n"
                              "> avx2    1024  -\n"
                              "> best       -  longer\n");
    free(text);
    text_table_free(table);
    text_table_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table_lines_up)};
    return cmocka_run_group_tests_name("text_table", tests, NULL, NULL);
}
