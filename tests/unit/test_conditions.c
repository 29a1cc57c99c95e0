// SPDX-License-Identifier: Apache-2.0
// test_other_load.c - the load of others: the machine's busy time without the worker's.
#include "run/other_load.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void others_are_what_the_worker_does_not_explain(void **state)
{
    (void)state;
    assert_true(other_load_cpus(1e9, 4e9, 1e9, 2e9) == 1);
    assert_true(other_load_cpus(1e9, 1.9e9, 1e9, 1e9) == 0); // steps of 10 ms, never negative
}

static void unknown_stays_unknown(void **state)
{
    (void)state;
    assert_true(isnan(other_load_cpus(NAN, 4e9, 1e9, 2e9)));
    assert_true(isnan(other_load_cpus(1e9, NAN, 1e9, 2e9)));
    assert_true(isnan(other_load_cpus(1e9, 2e9, 0, 0)));
}

static void busy_time_of_the_machine_grows(void **state)
{
    (void)state;
    const double first = other_load_busy_ns();
    if (isnan(first)) {
        print_message("skipped: /proc/stat does not tell the load\n");
        skip();
    }
    assert_true(first > 0);
    assert_true(other_load_busy_ns() >= first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_what_the_worker_does_not_explain),
        cmocka_unit_test(unknown_stays_unknown),
        cmocka_unit_test(busy_time_of_the_machine_grows),
    };
    return cmocka_run_group_tests_name("other_load", tests, NULL, NULL);
}
