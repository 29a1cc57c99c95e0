// SPDX-License-Identifier: Apache-2.0
// test_safetensors.c - the reader takes what the format allows and refuses the rest: the shared
// cases with their verdicts, and our own for each rule.
#define _POSIX_C_SOURCE 200809L
#include "hyperion/hyperion.h"

#include "onnx_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CASES HYPERION_SOURCE_DIR "/../shared/data/safetensors/"

static char path[] = "/tmp/hyperion-test-safetensors-XXXXXX";

// Writes a file with that header, whose length is true, and `data_bytes` bytes 0, 1, 2... behind
// it.
static void write_weights(const char *header, size_t data_bytes)
{
    unsigned char bytes[4096] = {0};
    const size_t header_bytes = strlen(header);
    assert_true(8 + header_bytes + data_bytes <= sizeof bytes);
    bytes[0] = (unsigned char)header_bytes;
    bytes[1] = (unsigned char)(header_bytes >> 8);
    for (size_t i = 0; i < header_bytes; i++)
        bytes[8 + i] = (unsigned char)header[i];
    for (size_t i = 0; i < data_bytes; i++)
        bytes[8 + header_bytes + i] = (unsigned char)i;
    assert_true(write_file(path, bytes, 8 + header_bytes + data_bytes));
}

static HyperionWeightsFile *open_header(const char *header, size_t data_bytes)
{
    write_weights(header, data_bytes);
    return hyperionOpenWeights(path);
}

// The text of `key` in the JSON object at `at`, up to its quote.
static bool find_text(const char *at, const char *key, char *text, size_t text_bytes)
{
    char pattern[64];
    (void)snprintf(pattern, sizeof pattern, "\"%s\": \"", key);
    const char *found = strstr(at, pattern);
    if (!found)
        return false;
    found += strlen(pattern);
    (void)snprintf(text, text_bytes, "%.*s", (int)strcspn(found, "\""), found);
    return true;
}

static void shared_cases_are_judged_as_the_format_says(void **state)
{
    (void)state;
    static unsigned char list[64 * 1024];
    const size_t count = read_file(CASES "cases.json", list, sizeof list - 1);
    if (count == SIZE_MAX) {
        print_message("skipped: no %scases.json\n", CASES);
        skip();
    }
    list[count] = 0;
    size_t case_count = 0;
    for (const char *at = strstr((char *)list, "\"file\""); at; at = strstr(at + 1, "\"file\"")) {
        char name[128];
        char verdict[16];
        char file_path[512];
        assert_true(find_text(at, "file", name, sizeof name));
        assert_true(find_text(at, "spec", verdict, sizeof verdict));
        (void)snprintf(file_path, sizeof file_path, "%s%s", CASES, name);
        HyperionWeightsFile *file = hyperionOpenWeights(file_path);
        if (strcmp(verdict, "ambiguous") != 0 && (file != NULL) != (strcmp(verdict, "accept") == 0))
            fail_msg("%s: expected %s; %s", name, verdict, hyperionGetLastError());
        if (!file) {
            assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_FORMAT);
            assert_non_null(strstr(hyperionGetLastError(), name));
        }
        hyperionCloseWeights(file);
        case_count++;
    }
    print_message("%zu cases\n", case_count);
    assert_int_equal(case_count, 55);
}

static void tensors_come_in_the_order_of_their_bytes(void **state)
{
    (void)state;
    HyperionWeightsFile *file = open_header(
        "{\"b\":{\"dtype\":\"I16\",\"shape\":[2,1],\"data_offsets\":[3,7]},"
        "\"__metadata__\":{\"k\":\"v\",\"\\u00e9\\ud83d\\ude00\":\"a\\nb\"},"
        "\"a\\u0000c\":{\"data_offsets\":[0,3],\"shape\":[3],\"dtype\":\"U8\",\"more\":[{}]}}  ",
        7);
    assert_non_null(file);
    assert_int_equal(hyperionWeightsTensorCount(file), 2);
    const HyperionStoredTensor a = hyperionWeightsTensor(file, 0);
    const HyperionStoredTensor b = hyperionWeightsTensor(file, 1);
    assert_int_equal(a.name_bytes, 3);
    assert_memory_equal(a.name, "a\0c", 4);
    assert_string_equal(a.type, "U8");
    assert_int_equal(a.size_bytes, 3);
    assert_string_equal(b.name, "b");
    assert_string_equal(b.type, "I16");
    assert_int_equal(b.rank, 2);
    assert_int_equal(b.dims[0], 2);
    assert_int_equal(b.dims[1], 1);
    assert_int_equal(b.file_offset, a.file_offset + 3);
    unsigned char bytes[4];
    assert_true(hyperionReadWeightsTensor(file, 1, bytes, 4));
    assert_memory_equal(bytes, "\3\4\5\6", 4);
    assert_string_equal(hyperionWeightsMetadata(file, "k"), "v");
    assert_string_equal(hyperionWeightsMetadata(file, "\xc3\xa9\xf0\x9f\x98\x80"), "a\nb");
    assert_null(hyperionWeightsMetadata(file, "x"));
    hyperionCloseWeights(file);
}

static void wrong_calls_fail_and_say_why(void **state)
{
    (void)state;
    unsigned char byte;
    HyperionWeightsFile *file =
        open_header("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
    assert_non_null(file);
    assert_null(hyperionWeightsTensor(file, 1).name);
    assert_null(hyperionWeightsTensor(file, -1).name);
    assert_null(hyperionWeightsTensor(NULL, 0).name);
    assert_int_equal(hyperionWeightsTensorCount(NULL), 0);
    assert_false(hyperionReadWeightsTensor(file, 0, &byte, 2));
    assert_false(hyperionReadWeightsTensor(file, 0, NULL, 1));
    assert_false(hyperionReadWeightsTensor(file, 1, &byte, 1));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
    assert_null(hyperionWeightsMetadata(file, NULL));
    assert_null(hyperionOpenWeights(NULL));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
    assert_int_equal(truncate(path, 20), 0);
    assert_false(hyperionReadWeightsTensor(file, 0, &byte, 1));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
    hyperionCloseWeights(file);
    hyperionCloseWeights(NULL);
    assert_null(hyperionOpenWeights("/tmp"));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_IO);
}

#define TENSOR(name, type, shape, offsets)                                                         \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void broken_headers_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data_bytes;
        const char *reason;
    } cases[] = {
        {"", 0, "expected '{'"},
        {" {}", 0, "expected '{'"},
        {"{} x", 0, "the end of the JSON"},
        {"{", 0, "expected"},
        {"{\"a\":}", 0, "expected a value"},
        {"{\"a\":[1 2]}", 0, "expected ','"},
        {"{\"a\":{},}", 0, "expected '\"'"},
        {"{\"a\":nul}", 0, "expected a value"},
        {"{\"a\":1}", 0, "expected '{'"},
        {"{\"a\x01\":1}", 0, "control character"},
        {"{\"a\\x\":1}", 0, "escape"},
        {"{\"a\\u00g0\":1}", 0, "escape"},
        {"{\"a\\udc00\":1}", 0, "escape"},
        {"{\"a\\ud800\\u0041\":1}", 0, "escape"},
        {"{\"\xc0\x80\":1}", 0, "UTF-8"},
        {"{\"\xf4\x90\x80\x80\":1}", 0, "UTF-8"},
        {"{\"\xe2\x82", 0, "UTF-8"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "expected '\"'"},
        {"{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", 0, "a second text 'a'"},
        {"{\"__metadata__\":null,\"__metadata__\":{}}", 0, "a second __metadata__"},
        {"{" TENSOR("a", "U8", "[1]", "[0,1]") "," TENSOR("a", "U8", "[1]", "[1,2]") "}", 2,
         "a second tensor 'a'"},
        {"{" TENSOR("a", "u8", "[1]", "[0,1]") "}", 1, "unknown type 'u8'"},
        {"{" TENSOR("a", "U8", "[01]", "[0,1]") "}", 1, "expected a value"},
        {"{" TENSOR("a", "U8", "[1.0]", "[0,1]") "}", 1, "whole number"},
        {"{" TENSOR("a", "U8", "[-0]", "[0,0]") "}", 0, "whole number"},
        {"{" TENSOR("a", "U8", "[true]", "[0,1]") "}", 1, "whole number"},
        {"{" TENSOR("a", "U8", "1", "[0,1]") "}", 1, "expected '['"},
        {"{" TENSOR("a", "U8", "[1]", "[0]") "}", 1, "less than two"},
        {"{" TENSOR("a", "U8", "[1]", "[0,1,1]") "}", 1, "more than two"},
        {"{" TENSOR("a", "U8", "[18446744073709551616]", "[0,1]") "}", 1, "past 64 bits"},
        {"{" TENSOR("a", "U8", "[4294967296,4294967296]", "[0,0]") "}", 0, "elements"},
        {"{" TENSOR("a", "U64", "[288230376151711744]", "[0,0]") "}", 0, "bits"},
        {"{" TENSOR("a", "F4", "[3]", "[0,1]") "}", 1, "no whole bytes"},
        {"{" TENSOR("a", "U8", "[1]", "[1,0]") "}", 1, "data_offsets 1 and 0 for 1 bytes"},
        {"{" TENSOR("a", "U8", "[1]", "[1,2]") "}", 2, "begins at 1"},
        {"{" TENSOR("a", "U8", "[1]", "[0,1]") "}", 2, "that has 2 behind"},
        {"{" TENSOR("a", "U8", "[2]", "[0,2]") "}", 1, "that has 1 behind"},
        {"{\"a\":{\"shape\":[],\"data_offsets\":[0,1]}}", 1, "no dtype"},
        {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, "no shape"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[]}}", 1, "no data_offsets"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"shape\":[]}}", 1, "a second shape"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(open_header(cases[i].header, cases[i].data_bytes));
        if (!strstr(hyperionGetLastError(), cases[i].reason))
            fail_msg("%s: expected '%s', given '%s'", cases[i].header, cases[i].reason,
                     hyperionGetLastError());
        assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_FORMAT);
        assert_non_null(strstr(hyperionGetLastError(), path));
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    char header[2048] = "{\"a\":";
    memset(header + 5, '[', 1000);
    assert_null(open_header(header, 0));
    assert_non_null(strstr(hyperionGetLastError(), "in one another"));
}

static void many_dimensions_are_counted_and_the_first_kept(void **state)
{
    (void)state;
    HyperionWeightsFile *file =
        open_header("{" TENSOR("a", "U8", "[1,2,1,1,1,1,1,1,1,3]", "[0,6]") "}", 6);
    assert_non_null(file);
    const HyperionStoredTensor tensor = hyperionWeightsTensor(file, 0);
    assert_int_equal(tensor.rank, 10);
    assert_int_equal(tensor.dims[1], 2);
    hyperionCloseWeights(file);
}

int main(void)
{
    const int descriptor = mkstemp(path);
    if (descriptor < 0)
        return 1;
    (void)close(descriptor);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_cases_are_judged_as_the_format_says),
        cmocka_unit_test(tensors_come_in_the_order_of_their_bytes),
        cmocka_unit_test(wrong_calls_fail_and_say_why),
        cmocka_unit_test(broken_headers_are_refused_with_the_reason),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(many_dimensions_are_counted_and_the_first_kept),
    };
    const int failed = cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
