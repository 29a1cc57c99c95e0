// SPDX-License-Identifier: Apache-2.0
// test_axes.c - the table of axes is sound, and values survive text and JSON.
#include "scenario/axes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_parses(AxisId id, const char *text, const char *formatted)
{
    Problem problem = {0};
    AxisValue value = {0};
    char back[AXIS_TEXT_BYTES + 1];
    if (!axis_parse(id, text, &value, &problem))
        fail_msg("%s", problem.text);
    axis_format(id, value, back, sizeof back);
    assert_string_equal(back, formatted);

    AxisValue read = {0};
    json_t *json = axis_to_json(id, value);
    if (!axis_from_json(id, json, &read, &problem))
        fail_msg("%s", problem.text);
    assert_true(axis_equal(id, value, read));
    json_decref(json);
}

static void assert_refused(AxisId id, const char *text, const char *expected)
{
    Problem problem = {0};
    AxisValue value = {.integer = 77};
    assert_false(axis_parse(id, text, &value, &problem));
    assert_int_equal(value.integer, 77);
    if (!strstr(problem.text, expected))
        fail_msg("expected '%s' in '%s'", expected, problem.text);
}

static void axis_rows_are_complete_and_their_fallbacks_parse(void **state)
{
    (void)state;
    for (AxisId id = 0; id < AXIS_COUNT; id++) {
        const Axis *axis = &axis_table[id];
        assert_non_null(axis->key);
        assert_non_null(axis->help);
        assert_int_equal(axis_find(axis->key), id);
        assert_int_equal(axis->kind == AXIS_WORD, axis->words != NULL);
        AxisValue value;
        assert_int_equal(axis_fallback(id, &value), axis->fallback != NULL);
        if (axis->fallback)
            assert_parses(id, axis->fallback, axis->fallback);
    }
    assert_int_equal(axis_find("nosuch"), AXIS_COUNT);
    assert_string_equal(axis_nearest("blocksize"), "block_size");
    assert_null(axis_nearest("zzzzzzzz"));
}

static void axis_values_survive_text_and_json(void **state)
{
    (void)state;
    assert_parses(AXIS_M, "512", "512");
    assert_parses(AXIS_SIMD_LEVEL, "avx2", "avx2");
    assert_parses(AXIS_PREFETCH, "false", "false");
    assert_parses(AXIS_TRADEOFF, "0.25", "0.25");
    assert_parses(AXIS_TRADEOFF, "1e-3", "0.001");
    assert_parses(AXIS_TRADEOFF, "0.1", "0.1");
    assert_parses(AXIS_MEMORY_BUDGET, "64KiB", "64KiB");
    assert_parses(AXIS_MEMORY_BUDGET, "64KB", "64000");
    assert_parses(AXIS_MEMORY_BUDGET, "1.5GiB", "1536MiB");
    assert_parses(AXIS_MEMORY_BUDGET, "10.1MB", "10100000");
    assert_parses(AXIS_MEMORY_CAP, "64KiB", "64KiB");
    assert_parses(AXIS_MEMORY_CAP, "0", "0");
    assert_parses(AXIS_MEMORY_CAP, "25%", "25%");
    assert_parses(AXIS_MEMORY_CAP, "12.5%", "12.5%");
    assert_parses(AXIS_MEMORY_CAP, "0.01%", "0.01%");
    assert_parses(AXIS_MEMORY_CAP, "100%", "100%");
    assert_parses(AXIS_PRIORITY, "largest:3", "largest:3");
    assert_parses(AXIS_MODEL, "builtin:mlp:layers=3,hidden=64", "builtin:mlp:layers=3,hidden=64");
}

static void axis_refusals_name_axis_text_and_expectation(void **state)
{
    (void)state;
    assert_refused(AXIS_M, "0", "axis m: expected a whole number from 1 to 1000000; given '0'");
    assert_refused(AXIS_M, "12x", "given '12x'");
    assert_refused(AXIS_M, "", "given ''");
    assert_refused(AXIS_M, "0x10", "whole number");
    assert_refused(AXIS_M, "99999999999999999999", "whole number");
    assert_refused(AXIS_SIMD_LEVEL, "avx3", "did you mean 'avx2'?");
    assert_refused(AXIS_SIMD_LEVEL, "avx3", "one of scalar, sse41, avx2, avx512, neon, best");
    assert_refused(AXIS_PREFETCH, "yes", "true or false");
    assert_refused(AXIS_TRADEOFF, "nan", "a number from -1 to 1");
    assert_refused(AXIS_TRADEOFF, "1.5", "a number from -1 to 1");
    assert_refused(AXIS_TRADEOFF, "1.5.2", "a number from -1 to 1");
    assert_refused(AXIS_TRADEOFF, "0x1p-1", "a number from -1 to 1");
    assert_refused(AXIS_MEMORY_BUDGET, "64Kib", "a size such as 64KiB");
    assert_refused(AXIS_MEMORY_BUDGET, "0.3B", "a size");
    assert_refused(AXIS_MEMORY_BUDGET, "-1KiB", "a size");
    assert_refused(AXIS_MEMORY_CAP, "0%", "a share such as 25%, or a size");
    assert_refused(AXIS_MEMORY_CAP, "100.1%", "a share such as 25%, or a size");
    assert_refused(AXIS_MEMORY_CAP, "-5%", "a share such as 25%, or a size");
    assert_refused(AXIS_MEMORY_CAP, "%", "a share such as 25%, or a size");
    assert_refused(AXIS_PRIORITY, "first", "one of equal, first:N, largest:N");
    assert_refused(AXIS_MODEL, "", "printable text");
    assert_refused(AXIS_MODEL, "a\nb", "printable text");
}

static AxisValue parse_cap(const char *text)
{
    Problem problem = {0};
    AxisValue value = {0};
    assert_true(axis_parse(AXIS_MEMORY_CAP, text, &value, &problem));
    return value;
}

static void caps_are_bytes_or_a_share_of_a_whole(void **state)
{
    (void)state;
    assert_int_equal(axis_cap_bytes(parse_cap("4KiB"), 1000), 4096);
    assert_int_equal(axis_cap_bytes(parse_cap("0"), 1000), 0);
    assert_int_equal(axis_cap_bytes(parse_cap("25%"), 1000), 250);
    assert_int_equal(axis_cap_bytes(parse_cap("33.33%"), 1001), 333);
    assert_int_equal(axis_cap_bytes(parse_cap("100%"), SIZE_MAX), SIZE_MAX);
    assert_int_equal(axis_cap_share(parse_cap("12.5%")), 1250);
    assert_int_equal(axis_cap_share(parse_cap("1TiB")), 0);
}

static void axis_json_of_another_kind_is_refused(void **state)
{
    (void)state;
    static const struct {
        AxisId id;
        const char *json;
    } cases[] = {
        {AXIS_M, "\"512\""},           {AXIS_M, "512.0"},         {AXIS_M, "0"},
        {AXIS_SIMD_LEVEL, "2"},        {AXIS_M, "true"},          {AXIS_SIMD_LEVEL, "\"avx3\""},
        {AXIS_PREFETCH, "1"},          {AXIS_M, "null"},          {AXIS_TRADEOFF, "\"0.5\""},
        {AXIS_TRADEOFF, "2"},          {AXIS_MODEL, "7"},         {AXIS_MEMORY_BUDGET, "\"64KiB\""},
        {AXIS_MEMORY_BUDGET, "-1"},    {AXIS_M, "[64]"},          {AXIS_MEMORY_CAP, "-1"},
        {AXIS_MEMORY_CAP, "\"101%\""}, {AXIS_MEMORY_CAP, "0.25"}, {AXIS_MEMORY_CAP, "2e18"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Problem problem = {0};
        AxisValue value;
        json_t *json = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
        assert_non_null(json);
        assert_false(axis_from_json(cases[i].id, json, &value, &problem));
        assert_non_null(strstr(problem.text, axis_table[cases[i].id].key));
        json_decref(json);
    }
    Problem problem = {0};
    AxisValue value;
    assert_false(axis_from_json(AXIS_M, NULL, &value, &problem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axis_rows_are_complete_and_their_fallbacks_parse),
        cmocka_unit_test(axis_values_survive_text_and_json),
        cmocka_unit_test(axis_refusals_name_axis_text_and_expectation),
        cmocka_unit_test(caps_are_bytes_or_a_share_of_a_whole),
        cmocka_unit_test(axis_json_of_another_kind_is_refused),
    };
    return cmocka_run_group_tests_name("axes", tests, NULL, NULL);
}
