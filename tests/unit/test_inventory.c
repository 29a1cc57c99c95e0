// SPDX-License-Identifier: Apache-2.0
// test_inventory.c - every inventory has rows with the same keys, and every scenario of the tree
// can be planned.
#define _POSIX_C_SOURCE 200809L
#include "cli/inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static json_t *collect(const char *name)
{
    Problem problem = {0};
    for (size_t i = 0; inventory_table[i].name; i++)
        if (strcmp(inventory_table[i].name, name) == 0)
            return inventory_table[i].collect(&problem);
    return NULL;
}

static void inventories_have_rows_of_the_same_keys(void **state)
{
    (void)state;
    for (size_t i = 0; inventory_table[i].name; i++) {
        Problem problem = {0};
        json_t *rows = inventory_table[i].collect(&problem);
        assert_string_equal(problem.text, "");
        assert_true(json_array_size(rows) > 0);
        json_t *first = json_array_get(rows, 0);
        for (size_t j = 0; j < json_array_size(rows); j++) {
            json_t *row = json_array_get(rows, j);
            void *a = json_object_iter(first);
            void *b = json_object_iter(row);
            for (; a && b; a = json_object_iter_next(first, a), b = json_object_iter_next(row, b))
                assert_string_equal(json_object_iter_key(a), json_object_iter_key(b));
            assert_true(!a && !b);
        }
        json_decref(rows);
    }
}

static void scenarios_of_the_tree_can_be_planned(void **state)
{
    (void)state;
    json_t *rows = collect("scenarios");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (!json_is_string(json_object_get(row, "scenario")))
            fail_msg("%s", json_string_value(json_object_get(row, "description")));
    }
    json_decref(rows);
}

static void scenarios_of_another_folder_are_the_programs_own(void **state)
{
    (void)state;
    json_t *here = collect("scenarios");
    assert_int_equal(chdir("/"), 0);
    json_t *own = collect("scenarios");
    assert_int_equal(chdir(HYPERION_SOURCE_DIR), 0);
    assert_int_equal(json_array_size(own), json_array_size(here));
    const char *file = json_string_value(json_object_get(json_array_get(own, 0), "file"));
    assert_int_equal(file[0], '/');
    json_decref(own);
    json_decref(here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inventories_have_rows_of_the_same_keys),
        cmocka_unit_test(scenarios_of_the_tree_can_be_planned),
        cmocka_unit_test(scenarios_of_another_folder_are_the_programs_own),
    };
    if (chdir(HYPERION_SOURCE_DIR) != 0)
        return 1;
    return cmocka_run_group_tests_name("inventory", tests, NULL, NULL);
}
