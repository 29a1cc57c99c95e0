// SPDX-License-Identifier: Apache-2.0
// test_results_readme.c - results/README.md describes every column of cells.csv as the code has it.
// HYPERION_UPDATE_GOLDEN=1 writes its table anew.
#define _GNU_SOURCE
#include "common/file.h"
#include "record/writers/cells_csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char path[] = HYPERION_SOURCE_DIR "/results/README.md";
static const char begin_mark[] = "<!-- columns: ";
static const char end_mark[] = "<!-- end of columns -->";

// The table between the marks, as the code would have it; the caller frees.
static char *make_table(void)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    (void)fputs("| column | meaning |\n|---|---|\n", out);
    for (size_t i = 0; i < cells_csv_column_count(); i++) {
        const CsvColumn column = cells_csv_column(i);
        (void)fprintf(out, "| `%s` | %s |\n", column.header, column.help);
    }
    assert_int_equal(fclose(out), 0);
    return text;
}

static void write_readme(const char *before, size_t before_bytes, const char *table,
                         const char *after)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fprintf(file, "%.*s%s%s", (int)before_bytes, before, table, after) > 0);
    assert_int_equal(fclose(file), 0);
}

static void readme_describes_every_column(void **state)
{
    (void)state;
    Problem problem = {0};
    size_t bytes = 0;
    char *readme = file_read(path, 1 << 20, &bytes, &problem);
    if (!readme) {
        fail_msg("%s", problem.text);
        return;
    }
    char *begin = strstr(readme, begin_mark);
    assert_non_null(begin);
    begin = strchr(begin, '\n') + 1;
    char *end = strstr(begin, end_mark);
    assert_non_null(end);
    char *table = make_table();
    if (getenv("HYPERION_UPDATE_GOLDEN"))
        write_readme(readme, (size_t)(begin - readme), table, end);
    else if (strlen(table) != (size_t)(end - begin) || memcmp(table, begin, strlen(table)) != 0)
        fail_msg("results/README.md does not describe cells.csv: "
                 "HYPERION_UPDATE_GOLDEN=1 test_results_readme writes its table anew");
    free(table);
    free(readme);
}

static void headers_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < cells_csv_column_count(); i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(cells_csv_column(i).header, cells_csv_column(j).header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readme_describes_every_column),
        cmocka_unit_test(headers_are_unique),
    };
    return cmocka_run_group_tests_name("results_readme", tests, NULL, NULL);
}
