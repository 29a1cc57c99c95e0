// SPDX-License-Identifier: Apache-2.0
// test_verify_command.c - the exit code of `hyperion verify`, with a checker that fails on demand.
#include "check/check.h"
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

extern const Command command_verify;

static const char *broken_op = "";
static uint64_t last_seed;
static size_t checked;

// Takes the place of the checker in the library.
bool hyp_check_variant(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report)
{
    last_seed = seed;
    checked++;
    report->case_count = 1;
    if (strcmp(variant->op_name, broken_op) != 0)
        return true;
    (void)snprintf(report->failure, sizeof report->failure, "broken for the test");
    return false;
}

// Runs it with one option, or none.
static int run_verify(size_t row, const char *value)
{
    const char *const values[] = {value, NULL};
    const char *const words[] = {NULL};
    CommandArguments arguments = {.words = words};
    if (value)
        arguments.options_of[row] = values;
    checked = 0;
    return command_verify.run(&arguments);
}

enum { ROW_OP, ROW_LEVEL, ROW_SEED };

static void verify_fails_where_one_kernel_fails(void **state)
{
    (void)state;
    broken_op = "binary";
    assert_int_equal(run_verify(0, NULL), EXIT_CELL);
    assert_true(checked > 1);
    assert_int_equal(run_verify(ROW_OP, "binary"), EXIT_CELL);
    assert_int_equal(run_verify(ROW_OP, "gemm"), EXIT_OK);
    broken_op = "";
    assert_int_equal(run_verify(0, NULL), EXIT_OK);
}

static void verify_takes_the_seed(void **state)
{
    (void)state;
    assert_int_equal(run_verify(0, NULL), EXIT_OK);
    assert_int_equal(last_seed, 1);
    assert_int_equal(run_verify(ROW_SEED, "77"), EXIT_OK);
    assert_int_equal(last_seed, 77);
    assert_int_equal(run_verify(ROW_SEED, "7x"), EXIT_USAGE);
    assert_int_equal(run_verify(ROW_SEED, "-7"), EXIT_USAGE);
    assert_int_equal(checked, 0);
}

static void verify_checks_only_what_is_chosen(void **state)
{
    (void)state;
    assert_int_equal(run_verify(ROW_LEVEL, "scalar"), EXIT_OK);
    assert_int_equal(checked, HYP_OP_COUNT);
    assert_int_equal(run_verify(ROW_LEVEL, "mmx"), EXIT_USAGE);
    assert_int_equal(run_verify(ROW_OP, "gem"), EXIT_USAGE);
    assert_int_equal(checked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_fails_where_one_kernel_fails),
        cmocka_unit_test(verify_takes_the_seed),
        cmocka_unit_test(verify_checks_only_what_is_chosen),
    };
    return cmocka_run_group_tests_name("verify_command", tests, NULL, NULL);
}
