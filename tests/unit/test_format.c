// SPDX-License-Identifier: Apache-2.0
// test_format.c - numbers as people read them.
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/format.h"

#include <math.h>

static void time_takes_the_unit_that_fits(void **state)
{
    (void)state;
    const struct {
        double ns;
        const char *text;
    } wanted[] = {{0, "0.000 ns"},     {0.5, "0.5000 ns"}, {12.345, "12.35 ns"},
                  {999.9, "999.9 ns"}, {1000, "1.000 µs"}, {4.0125e6, "4.013 ms"},
                  {1.5e9, "1.500 s"},  {7.2e12, "7200 s"}, {NAN, "–"},
                  {INFINITY, "–"}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char text[FORMAT_BYTES];
        format_time(wanted[i].ns, text);
        assert_string_equal(text, wanted[i].text);
    }
}

static void interval_has_one_unit(void **state)
{
    (void)state;
    char text[FORMAT_BYTES];
    format_time_interval(999e3, 1.002e6, text);
    assert_string_equal(text, "0.9990 to 1.002 ms");
    format_time_interval(NAN, 1e6, text);
    assert_string_equal(text, "–");
}

static void numbers_keep_their_significant_digits(void **state)
{
    (void)state;
    const struct {
        double value;
        int digits;
        const char *text;
    } wanted[] = {{66.941, 4, "66.94"}, {0.012345, 3, "0.0123"}, {524288, 4, "524288"},
                  {-2.5, 2, "-2.5"},    {0, 3, "0.00"},          {1e18, 3, "1e+18"},
                  {NAN, 3, "–"}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char text[FORMAT_BYTES];
        format_number(wanted[i].value, wanted[i].digits, text);
        assert_string_equal(text, wanted[i].text);
    }
    char text[FORMAT_BYTES];
    format_percent(0.5234, text);
    assert_string_equal(text, "52.3 %");
    format_percent(NAN, text);
    assert_string_equal(text, "–");
}

static void markdown_cells_cannot_break_the_table(void **state)
{
    (void)state;
    char text[64] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    format_markdown_cell(out, "a|b\nc");
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "a\\|b c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_takes_the_unit_that_fits),
        cmocka_unit_test(interval_has_one_unit),
        cmocka_unit_test(numbers_keep_their_significant_digits),
        cmocka_unit_test(markdown_cells_cannot_break_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
