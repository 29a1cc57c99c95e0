// SPDX-License-Identifier: Apache-2.0
// test_quantity.c - numbers, sizes and times: what is read, what is refused, and back.
#include "common/quantity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void sizes_have_units_of_1024_and_1000(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        long long bytes;
    } sizes[] = {{"0", 0},
                 {"512", 512},
                 {"512B", 512},
                 {"64KiB", 65536},
                 {"64KB", 64000},
                 {"64kB", 64000},
                 {"1.5GiB", 3 << 29},
                 {"10MB", 10000000},
                 {"1TiB", 1LL << 40},
                 {"0.5KiB", 512},
                 {"10.1MB", 10100000},
                 {"1e3KB", 1000000}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        long long bytes = -1;
        assert_true(quantity_parse_bytes(sizes[i].text, &bytes));
        assert_true(bytes == sizes[i].bytes);
    }
}

static void sizes_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",       "KiB",   "64Kib", "64 KiB", "-1",    "0.3B",
                                        "1.5",    "64kb",  "1e30B", "inf",    "0x10",  "1PiB",
                                        "nanKiB", "+-1KB", ".",     "1..2",   "1e400B"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        long long bytes = 77;
        assert_false(quantity_parse_bytes(texts[i], &bytes));
        assert_true(bytes == 77);
    }
}

static void times_need_their_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double ns;
    } times[] = {{"20ms", 20e6}, {"1.5s", 1.5e9}, {"3m", 180e9}, {"1h", 3600e9},
                 {"100us", 1e5}, {"50ns", 50},    {"0s", 0},     {"0.4ns", 0}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        double ns = -1;
        assert_true(quantity_parse_time(times[i].text, &ns));
        assert_true(ns == times[i].ns);
    }
    static const char *const texts[] = {"20", "", "ms", "-1ms", "1 s", "1d", "1e10h", "nans"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        double ns = 77;
        assert_false(quantity_parse_time(texts[i], &ns));
        assert_true(ns == 77);
    }
}

static void numbers_are_decimal_and_finite(void **state)
{
    (void)state;
    long long whole = 0;
    double real = 0;
    assert_true(quantity_parse_integer("-9223372036854775808", &whole));
    assert_true(whole == INT64_MIN);
    assert_false(quantity_parse_integer("9223372036854775808", &whole));
    assert_false(quantity_parse_integer(" 1", &whole));
    assert_false(quantity_parse_integer("1.0", &whole));
    assert_true(quantity_parse_real("-2.5e-1", &real));
    assert_true(real == -0.25);
    assert_false(quantity_parse_real("1e999", &real));
    assert_false(quantity_parse_real("1e", &real));
    assert_false(quantity_parse_real("infinity", &real));
    assert_false(quantity_parse_real("0x1p3", &real));
}

static void formatted_values_read_back(void **state)
{
    (void)state;
    static const double reals[] = {0, 1, 10000, 0.1, 1e-3, 1.0 / 3, 1e20, -2.5, 123456789012345};
    static const long long sizes[] = {0, 1, 1000, 1024, 1536, 3LL << 29, 1LL << 50, 1000000};
    static const double times[] = {0, 1, 1500, 20e6, 1.5e9, 60e9, 90e9, 3600e9, 1234567};
    char text[48];
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
        double back = 77;
        quantity_format_real(reals[i], text, sizeof text);
        assert_true(quantity_parse_real(text, &back) && back == reals[i]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        long long back = 77;
        quantity_format_bytes(sizes[i], text, sizeof text);
        assert_true(quantity_parse_bytes(text, &back) && back == sizes[i]);
    }
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        double back = 77;
        quantity_format_time(times[i], text, sizeof text);
        assert_true(quantity_parse_time(text, &back) && back == times[i]);
    }
    quantity_format_time(60e9, text, sizeof text);
    assert_string_equal(text, "1m");
    quantity_format_time(1.5e6, text, sizeof text);
    assert_string_equal(text, "1500us");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_have_units_of_1024_and_1000),
        cmocka_unit_test(sizes_that_are_none_are_refused),
        cmocka_unit_test(times_need_their_unit),
        cmocka_unit_test(numbers_are_decimal_and_finite),
        cmocka_unit_test(formatted_values_read_back),
    };
    return cmocka_run_group_tests_name("quantity", tests, NULL, NULL);
}
