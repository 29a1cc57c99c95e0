// SPDX-License-Identifier: Apache-2.0
// test_fail.c - the last error: kept per thread, not cleared by success, never NULL.
#include "common/fail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void last_error_starts_empty(void **state)
{
    (void)state;
    assert_string_equal(hyperionGetLastError(), "");
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_NONE);
}

static void failing_records_kind_and_message(void **state)
{
    (void)state;
    assert_false(hyp_fail(HYPERION_ERROR_IO, "open %s: %d", "x", 7));
    assert_string_equal(hyperionGetLastError(), "open x: 7");
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
}

static void last_message_may_be_part_of_the_next(void **state)
{
    (void)state;
    (void)hyp_fail(HYPERION_ERROR_FORMAT, "bad magic");
    (void)hyp_fail(HYPERION_ERROR_FORMAT, "model.onnx: %s", hyperionGetLastError());
    assert_string_equal(hyperionGetLastError(), "model.onnx: bad magic");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_error_starts_empty),
        cmocka_unit_test(failing_records_kind_and_message),
        cmocka_unit_test(last_message_may_be_part_of_the_next),
    };
    return cmocka_run_group_tests_name("fail", tests, NULL, NULL);
}
