// SPDX-License-Identifier: Apache-2.0
// test_bad_scenarios.c - a scenario with a mistake is refused with its place and the reason, and
// damaged files of any kind are refused cleanly.
#define _POSIX_C_SOURCE 200809L
#include "scenario/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char scenario_path[] = "/tmp/hyperion-bad-XXXXXX";

static int create_file(void **state)
{
    (void)state;
    const int descriptor = mkstemp(scenario_path);
    return descriptor < 0 || close(descriptor) != 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(scenario_path);
}

static Plan *plan_bytes(const char *bytes, size_t count, Problem *problem)
{
    FILE *file = fopen(scenario_path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
    return plan_from_scenario(scenario_path, NULL, problem);
}

// `expected` follows the file name: ":line:column: message", all of it.
static void assert_refused(const char *bytes, size_t count, const char *expected)
{
    Problem problem = {0};
    Plan *plan = plan_bytes(bytes, count, &problem);
    if (plan)
        fail_msg("accepted: %s", bytes);
    const size_t prefix = strlen(scenario_path);
    assert_memory_equal(problem.text, scenario_path, prefix);
    assert_string_equal(problem.text + prefix, expected);
}

typedef struct BadScenario {
    const char *text;
    const char *expected;
} BadScenario;

static void assert_all_refused(const BadScenario *scenarios, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_refused(scenarios[i].text, strlen(scenarios[i].text), scenarios[i].expected);
}
#define ASSERT_ALL_REFUSED(scenarios)                                                              \
    assert_all_refused(scenarios, sizeof(scenarios) / sizeof((scenarios)[0]))

// The sweep begins in line 4, its axes in line 6.
#define HEAD "name: t\nsweeps:\n  # one\n  - name: s\n    workload: kernel\n    "
#define AXES(axes) HEAD "axes: {" axes "}\n"
#define SOFTMAX AXES("op: softmax, rows: [1, 2], columns: [3, 4]")

static void structure_is_checked(void **state)
{
    (void)state;
    static const BadScenario scenarios[] = {
        {"", ":1:1: there is nothing in it"},
        {"# only a comment\n", ":1:1: there is nothing in it"},
        {"- a\n", ":1:1: scenario: expected a map of keys, given a list"},
        {"just text\n", ":1:1: scenario: expected a map of keys, given a single value"},
        {"nam: t\n", ":1:1: unknown key 'nam' in the scenario, did you mean 'name'?"},
        {"name: t\nzzzzzzzzz: 1\n", ":2:1: unknown key 'zzzzzzzzz' in the scenario"},
        {"name: t\nname: u\n", ":2:1: key 'name' is given twice; first in line 1"},
        {"name: Big\n", ":1:7: name: expected 1 to 64 of a-z 0-9 . _ - and no '.' or '-' first, "
                        "given 'Big'"},
        {"name: ../x\n", ":1:7: name: expected 1 to 64 of a-z 0-9 . _ - and no '.' or '-' first, "
                         "given '../x'"},
        {"name: [t]\n", ":1:7: name: expected a single value, given a list"},
        {"sweeps: []\n", ":1:1: scenario: key 'name' is missing"},
        {"name: t\n", ":1:1: scenario: key 'sweeps' is missing"},
        {"name: t\nsweeps: []\n", ":2:9: sweeps: the list is empty"},
        {"name: t\nsweeps: {a: 1}\n", ":2:9: sweeps: expected a list, given a map of keys"},
        {"name: t\nsweeps: [1]\n", ":2:10: sweep: expected a map of keys, given a single value"},
        {"name: t\ndescription: \"a\\nb\"\nsweeps: []\n",
         ":2:14: description: expected one line of text"},
        {"name: t\nsweeps:\n  - name: s\n", ":3:5: sweep s: key 'workload' is missing"},
        {"name: t\nsweeps:\n  - name: s\n    workload: kernal\n",
         ":4:15: unknown workload 'kernal', did you mean 'kernel'?"},
        {HEAD "\n", ":4:5: sweep s: key 'axes' is missing"},
        {HEAD "axes: 3\n", ":6:11: axes: expected a map of keys, given a single value"},
        {HEAD "axis: {}\n", ":6:5: unknown key 'axis' in a sweep, did you mean 'axes'?"},
        {SOFTMAX "    seed: 3\n", ":7:5: unknown key 'seed' in a sweep"},
        {"name: t\nsweeps:\n"
         "  - {name: s, workload: kernel, axes: {op: binary, size: 1}}\n"
         "  - {name: s, workload: kernel, axes: {op: binary, size: 2}}\n",
         ":4:12: name: sweep 's' is there already; first in line 3"},
    };
    ASSERT_ALL_REFUSED(scenarios);
}

static void yaml_beyond_the_subset_is_refused(void **state)
{
    (void)state;
    static const BadScenario scenarios[] = {
        {"name: t\n---\nname: u\n", ":2:1: a second document starts here; one is allowed"},
        {"name: &a t\ndescription: *a\n", ":1:7: anchors are not allowed"},
        {"name: *a\n", ":1:7: aliases are not allowed"},
        {"name: !!str t\n", ":1:7: tags are not allowed"},
        {"? [a]\n: 1\n", ":1:3: a key must be a word"},
        {"*a : 1\n", ":1:1: aliases are not allowed"},
        {"name: \"a\\0b\"\n", ":1:7: text holds a NUL"},
        {"name: t\n\tsweeps: []\n",
         ":2:1: while scanning a plain scalar, found a tab character that violates indentation"},
        {"name: [t\n", ":2:1: while parsing a flow sequence, did not find expected ',' or ']'"},
        {"name: \"t\n", ":2:1: while scanning a quoted scalar, found unexpected end of stream"},
        {"name: t: u\n", ":1:8: mapping values are not allowed in this context"},
        {"%YAML 3.0\n---\nname: t\n", ":1:1: found incompatible YAML document"},
        {"name: t\nsweeps: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n",
         ":2:24: nested deeper than 16 levels"},
        {"name: a\xff\n", ":1:8: not text: invalid leading UTF-8 octet"},
        {"name: t\nx: \xe2\x28\xa1\n", ":2:5: not text: invalid trailing UTF-8 octet"},
        {"\x7f"
         "ELF\x02\x01\x01",
         ":1:1: not text: control characters are not allowed"},
    };
    ASSERT_ALL_REFUSED(scenarios);
}

static void settings_are_checked(void **state)
{
    (void)state;
#define DEFAULTS(text) "name: t\ndefaults: {" text "}\nsweeps: [{name: s}]\n"
    static const BadScenario scenarios[] = {
        {"name: t\ndefaults: 1\n", ":2:11: defaults: expected a map of keys, given a single value"},
        {DEFAULTS("sample: 1"), ":2:12: unknown key 'sample' in defaults, did you mean 'samples'?"},
        {DEFAULTS("samples: 0"),
         ":2:21: samples: expected a whole number from 1 to 10000, given '0'"},
        {DEFAULTS("samples: many"),
         ":2:21: samples: expected a whole number from 1 to 10000, given 'many'"},
        {DEFAULTS("samples: [1]"), ":2:21: samples: expected a single value, given a list"},
        {DEFAULTS("repetitions: 2.5"),
         ":2:25: repetitions: expected a whole number from 1 to 1000, given '2.5'"},
        {DEFAULTS("min_time: 20"), ":2:22: min_time: expected a time with its unit (ns, us, ms, s, "
                                   "m, h) from 1us to 1000s, given '20'"},
        {DEFAULTS("min_time: 20 msec"),
         ":2:22: min_time: expected a time with its unit (ns, us, ms, s, m, h) from 1us to 1000s, "
         "given '20 msec'"},
        {DEFAULTS("min_time: 0s"),
         ":2:22: min_time: expected a time with its unit (ns, us, ms, s, m, h) from 1us to 1000s, "
         "given '0s'"},
        {DEFAULTS("warmup: -1ms"), ":2:20: warmup: expected auto or a time with its unit (ns, us, "
                                   "ms, s, m, h) from 0ns to 1000s, "
                                   "given '-1ms'"},
        {DEFAULTS("memory_limit: 64Kib"),
         ":2:26: memory_limit: expected a size such as 512MiB from 0 to 1024TiB, given "
         "'64Kib'"},
        {DEFAULTS("seed: -1"), ":2:18: seed: expected a whole number from 0 up"},
        {DEFAULTS("seed: [1]"), ":2:18: seed: expected a single value, given a list"},
        {DEFAULTS("counters: all"),
         ":2:22: counters: expected default, none or a list of 1 to 64 events"},
        {DEFAULTS("counters: []"),
         ":2:22: counters: expected default, none or a list of 1 to 64 events"},
        {DEFAULTS("counters: [A B]"),
         ":2:23: counters: expected the name of an event such as PAPI_TOT_INS"},
        {DEFAULTS("counters: [A, A]"), ":2:26: counters: A is given twice"},
    };
    ASSERT_ALL_REFUSED(scenarios);
}

static void axes_are_checked(void **state)
{
    (void)state;
    static const BadScenario scenarios[] = {
        {AXES("op: binary, siz: 1"), ":6:24: unknown axis 'siz', did you mean 'size'?"},
        {AXES("op: binary, size: 1, size: 2"), ":6:33: key 'size' is given twice; first in line 6"},
        {AXES("op: binar, size: 1"),
         ":6:16: axis op: expected one of gemm, conv2d, activation, max_pool2d, "
         "average_pool2d, binary, softmax, layernorm, attention, depthwise2d, gemv, reduce, "
         "scale_shift; given "
         "'binar', did you mean 'binary'?"},
        {AXES("op: binary, memory_cap: 10%..1GiB +1MiB"),
         ":6:36: axis memory_cap: range '10%..1GiB +1MiB' goes from a size to a share or back"},
        {AXES("op: binary, memory_cap: 10%..90% *2"),
         ":6:36: axis memory_cap: range '10%..90% *2' never ends or its step is no number: "
         "expected a share such as 5% after '+'"},
        {AXES("op: binary, memory_cap: 10%..90% +1MiB"),
         ":6:36: axis memory_cap: range '10%..90% +1MiB' never ends or its step is no number: "
         "expected a share such as 5% after '+'"},
        {AXES("op: binary, size: 1, rows: 2"),
         ":6:33: axis rows is not used by workload kernel, op binary"},
        {AXES("op: binary"), ":6:11: axis size is missing: workload kernel, op binary needs it"},
        {AXES("size: 1"), ":6:11: axis op is missing: workload kernel needs it"},
        {AXES("op: [binary, softmax], size: 1"),
         ":6:35: axis size is not used by workload kernel, op softmax"},
        {AXES("op: binary, size: 0"),
         ":6:30: axis size: expected a whole number from 1 to 1000000000; given '0'"},
        {AXES("op: binary, size: 64KiB"),
         ":6:30: axis size: expected a whole number from 1 to 1000000000; given '64KiB'"},
        {AXES("op: binary, size: ''"),
         ":6:30: axis size: expected a whole number from 1 to 1000000000; given ''"},
        {AXES("op: binary, size: []"), ":6:30: axis size: the list is empty"},
        {AXES("op: binary, size: [[1]]"), ":6:31: axis size: expected a value or a range"},
        {AXES("op: binary, size: {a: 1}"), ":6:30: axis size: expected a value, a list or a range"},
        {AXES("op: binary, size: 64..32 *2"),
         ":6:30: axis size: range '64..32 *2' is empty: its first value is above its last"},
        {AXES("op: binary, size: 32..64 *1"),
         ":6:30: axis size: range '32..64 *1' never ends or its step is no number: expected a "
         "factor above 1 after '*'"},
        {AXES("op: binary, size: 32..64 +0"),
         ":6:30: axis size: range '32..64 +0' never ends or its step is no number: expected a "
         "step above 0 after '+'"},
        {AXES("op: binary, size: 32..64"),
         ":6:30: axis size: range '32..64' has no step; write `32..64 *2` or `32..64 +1`"},
        {AXES("op: binary, size: 1..1000000000 +1"), ":6:30: axis size: more than 1000000 values"},
        {AXES("op: binary, size: 1..x +1"),
         ":6:30: axis size: expected a whole number from 1 to 1000000000; given 'x'"},
        {AXES("op: conv2d, channels: 3, height: 2, width: 2, out_channels: 1, padding: 0..1 *2"),
         ":6:84: axis padding: a range from 0 by '*' never ends"},
        {AXES("op: conv2d, channels: 3, height: 2, width: 2, out_channels: 1"),
         ":6:11: sweep s: window 3 is larger than the image, 2 x 2 with padding 0"},
        {AXES("op: conv2d, channels: 3, height: 4, width: 4, out_channels: 1, groups: 2"),
         ":6:11: sweep s: groups 2 must divide channels 3 and out_channels 1"},
        {AXES("op: activation, size: 4"),
         ":6:11: sweep s: op activation needs a function other than none"},
        {AXES("op: binary, size: [7, 8, 7]"),
         ":6:11: sweep s: cell kernel/op:binary/size:7 is there already, in sweep s"},
        {AXES("op: gemm, m: 1..1000 +1, n: 1..1000 +1, k: [1, 2]"),
         ":4:5: sweep s: more than 1000000 cells"},
    };
    ASSERT_ALL_REFUSED(scenarios);
}

static void zip_and_exclude_are_checked(void **state)
{
    (void)state;
    static const BadScenario scenarios[] = {
        {SOFTMAX "    zip: rows\n", ":7:10: zip: expected a list, given a single value"},
        {SOFTMAX "    zip: [rows, columns]\n", ":7:11: zip: expected a list, given a single value"},
        {SOFTMAX "    zip: [[rows]]\n", ":7:11: zip: a group needs two axes or more"},
        {SOFTMAX "    zip: [[rows, rows]]\n", ":7:18: zip: axis rows is named twice"},
        {SOFTMAX "    zip: [[rows, columns], [columns, rows]]\n",
         ":7:29: zip: axis columns is named twice"},
        {SOFTMAX "    zip: [[rows, pages]]\n",
         ":7:18: zip: 'pages' is no axis that the sweep gives"},
        {AXES("op: softmax, rows: [1, 2, 3], columns: [3, 4]") "    zip: [[rows, columns]]\n",
         ":7:18: zip: rows has 3 values, columns has 2"},
        {SOFTMAX "    exclude: {rows: 1}\n",
         ":7:14: exclude: expected a list, given a map of keys"},
        {SOFTMAX "    exclude: [rows]\n",
         ":7:15: exclude: expected a map of keys, given a single value"},
        {SOFTMAX "    exclude: [{}]\n", ":7:15: exclude: names no axis"},
        {SOFTMAX "    exclude: [{row: 1}]\n", ":7:16: unknown axis 'row', did you mean 'rows'?"},
        {SOFTMAX "    exclude: [{rows: 1, rows: 2}]\n", ":7:25: key 'rows' is given twice"},
        {SOFTMAX "    exclude: [{pages: thp}]\n",
         ":7:16: exclude: the sweep does not give axis pages"},
        {SOFTMAX "    exclude: [{rows: 1}, {rows: 7}]\n", ":7:26: exclude: no cell matches"},
        {SOFTMAX "    exclude: [{rows: [1, 2]}]\n", ":4:5: sweep s: every cell is excluded"},
    };
    ASSERT_ALL_REFUSED(scenarios);
}

static void files_that_cannot_be_read_are_named(void **state)
{
    (void)state;
    Problem problem = {0};
    assert_null(plan_from_scenario("/nonexistent/x.yaml", NULL, &problem));
    assert_string_equal(problem.text, "/nonexistent/x.yaml: No such file or directory");
    problem.text[0] = '\0';
    assert_null(plan_from_scenario("/", NULL, &problem));
    assert_string_equal(problem.text, "/: Is a directory");
    problem.text[0] = '\0';
    assert_null(plan_from_scenario("/dev/zero", NULL, &problem));
    assert_string_equal(problem.text, "/dev/zero: larger than 4194304 bytes");
}

static void a_large_map_of_one_repeated_key_is_refused_fast(void **state)
{
    (void)state;
    enum { COPIES = 100000 };
    static const char entry[] = "name: t\n";
    char *text = malloc(COPIES * (sizeof entry - 1));
    assert_non_null(text);
    for (size_t i = 0; i < COPIES; i++)
        memcpy(text + i * (sizeof entry - 1), entry, sizeof entry - 1);
    assert_refused(text, COPIES * (sizeof entry - 1),
                   ":2:1: key 'name' is given twice; first in line 1");
    free(text);
}

static const char whole_scenario[] =
    "name: whole\ndescription: everything a scenario can say\n"
    "defaults: {samples: 5, repetitions: 3, min_time: 20ms, warmup: 5ms, timeout: 60s,\n"
    "           memory_limit: 512MiB, counters: [PAPI_TOT_INS, PAPI_TOT_CYC], seed: 1}\n"
    "sweeps:\n"
    "  - name: gemm\n"
    "    workload: kernel\n"
    "    axes: {op: gemm, m: [64, 128], n: [64, 128], k: 64, simd_level: [scalar, avx2],\n"
    "           block_size: \"32..128 *2\", prefetch: [true, false]}\n"
    "    zip: [[m, n]]\n"
    "    exclude: [{simd_level: scalar, block_size: [64, 128]}]\n"
    "    samples: 7\n"
    "  - name: add\n"
    "    workload: kernel\n"
    "    axes:\n"
    "      op: binary\n"
    "      size: [1000, 2000..4000 +1000]\n"
    "    counters: none\n";

// Whatever becomes of it, it is a plan or a reason with a place.
static void assert_plan_or_reason(const char *bytes, size_t count)
{
    Problem problem = {0};
    Plan *plan = plan_bytes(bytes, count, &problem);
    if (!plan && !strstr(problem.text, scenario_path))
        fail_msg("no reason for a file of %zu bytes: '%s'", count, problem.text);
    plan_free(plan);
}

static void truncated_scenarios_are_a_plan_or_a_reason(void **state)
{
    (void)state;
    assert_plan_or_reason(whole_scenario, sizeof whole_scenario - 1);
    for (size_t count = 0; count < sizeof whole_scenario; count += 8)
        assert_plan_or_reason(whole_scenario, count);
}

static void flipped_bits_are_a_plan_or_a_reason(void **state)
{
    (void)state;
    char bytes[sizeof whole_scenario];
    for (size_t i = 0; i < sizeof whole_scenario - 1; i++) {
        memcpy(bytes, whole_scenario, sizeof bytes);
        bytes[i] = (char)(bytes[i] ^ (1 << i % 8));
        assert_plan_or_reason(bytes, sizeof bytes - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structure_is_checked),
        cmocka_unit_test(yaml_beyond_the_subset_is_refused),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(axes_are_checked),
        cmocka_unit_test(zip_and_exclude_are_checked),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(a_large_map_of_one_repeated_key_is_refused_fast),
        cmocka_unit_test(truncated_scenarios_are_a_plan_or_a_reason),
        cmocka_unit_test(flipped_bits_are_a_plan_or_a_reason),
    };
    return cmocka_run_group_tests_name("bad_scenarios", tests, create_file, remove_file);
}
