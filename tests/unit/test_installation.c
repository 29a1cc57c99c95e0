// SPDX-License-Identifier: Apache-2.0
// What belongs to the program is found from where it lies.
#define _POSIX_C_SOURCE 200809L // PATH_MAX
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/installation.h"

#include <limits.h>
#include <string.h>

static void folders_are_found_with_the_file_they_must_hold(void **state)
{
    (void)state;
    char folder[PATH_MAX];
    assert_true(installation_folder("plots", "common.gp", folder, sizeof folder));
    assert_non_null(strstr(folder, "/plots"));
    assert_true(installation_folder("scenarios", "smoke-gemm.yaml", folder, sizeof folder));
    assert_false(installation_folder("scenarios", "no-such.yaml", folder, sizeof folder));
    assert_false(installation_folder("no-such", "common.gp", folder, sizeof folder));
}

static void a_path_that_does_not_fit_is_not_found(void **state)
{
    (void)state;
    char folder[8];
    assert_false(installation_folder("plots", "common.gp", folder, sizeof folder));
}

static void programs_are_found_beside_this_one(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char small[8];
    Problem problem = {0};
    Problem absent = {0};
    Problem tight = {0};
    assert_true(installation_program("test_installation", path, sizeof path, &problem));
    assert_string_equal(strrchr(path, '/'), "/test_installation");
    assert_false(installation_program("no-such", path, sizeof path, &absent));
    assert_non_null(strstr(absent.text, "/no-such: No such file or directory"));
    assert_false(installation_program("test_installation", small, sizeof small, &tight));
    assert_non_null(strstr(tight.text, "too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_found_with_the_file_they_must_hold),
        cmocka_unit_test(a_path_that_does_not_fit_is_not_found),
        cmocka_unit_test(programs_are_found_beside_this_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
