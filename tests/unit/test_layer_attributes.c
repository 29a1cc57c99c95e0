// SPDX-License-Identifier: Apache-2.0
// test_layer_attributes.c - the table of attributes has every field of the struct, and what is
// written by it reads back to the bit.
#include "model/layer_attributes.h"

#include "hyperion/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// The row of the first field at or behind a byte of the struct; NULL: none.
static const HypAttribute *find_next(size_t offset)
{
    const HypAttribute *next = NULL;
    for (size_t i = 0; i < hyp_attribute_count; i++)
        if (hyp_attributes[i].offset >= offset &&
            (!next || hyp_attributes[i].offset < next->offset))
            next = &hyp_attributes[i];
    return next;
}

static void rows_cover_the_struct_and_all_words(void **state)
{
    (void)state;
    size_t covered = 0; // bytes of the struct up to here are in rows, or padding
    for (const HypAttribute *row = find_next(0); row; row = find_next(covered)) {
        const size_t alignment = hyp_attribute_element_bytes(row);
        if (row->offset != (covered + alignment - 1) / alignment * alignment)
            fail_msg("before %s: an attribute without a row", row->name);
        covered = row->offset + row->size_bytes;
        for (size_t j = 0; j < row->word_count; j++)
            if (!row->words[j])
                fail_msg("%s: constant %zu has no word", row->name, j);
    }
    if (sizeof(HyperionLayerAttributes) - covered >= sizeof(int64_t))
        fail_msg("at the end: an attribute without a row");
}

// Fails unless the attributes come back from JSON; returns the JSON, for free().
static char *pass_through(const HyperionLayerAttributes *attributes)
{
    HypJsonWriter writer = {0};
    HyperionLayerAttributes back;
    memset(&back, 0xAA, sizeof back);
    assert_true(hyp_attributes_write(&writer, attributes));
    char *text = malloc(writer.used_bytes + 1);
    memcpy(text, writer.text, writer.used_bytes);
    text[writer.used_bytes] = 0;
    HypJson json = hyp_json_open("attributes", writer.text, writer.used_bytes);
    if (!hyp_attributes_read(&json, &back) || !hyp_json_finish(&json))
        fail_msg("%s: %s", text, hyperionGetLastError());
    for (size_t i = 0; i < hyp_attribute_count; i++)
        assert_memory_equal((const char *)attributes + hyp_attributes[i].offset,
                            (const char *)&back + hyp_attributes[i].offset,
                            hyp_attributes[i].size_bytes);
    free(writer.text);
    return text;
}

static void every_attribute_comes_back_alone_and_with_all_others(void **state)
{
    (void)state;
    HyperionLayerAttributes all = {0};
    for (size_t i = 0; i < hyp_attribute_count; i++) {
        const HypAttribute *row = &hyp_attributes[i];
        HyperionLayerAttributes one = {0};
        for (size_t j = 0; j < hyp_attribute_element_count(row); j++) {
            unsigned char *place =
                (unsigned char *)&one + row->offset + j * hyp_attribute_element_bytes(row);
            if (row->kind == HYP_ATTRIBUTE_BOOL)
                *(bool *)place = true;
            else if (row->kind == HYP_ATTRIBUTE_F32)
                *(float *)(void *)place = 0.1F - (float)j;
            else if (row->kind == HYP_ATTRIBUTE_I64)
                *(int64_t *)(void *)place = j % 2 ? INT64_MIN : INT64_MAX;
            else
                *(int *)(void *)place = 1;
        }
        free(pass_through(&one));
        memcpy((char *)&all + row->offset, (char *)&one + row->offset, row->size_bytes);
    }
    free(pass_through(&all));
}

static void floats_come_back_to_the_bit(void **state)
{
    (void)state;
    static const float special[] = {-0.0F,      INFINITY, -INFINITY, 1e-45F, 3.4028235e38F,
                                    1.175e-38F, 1e-5F,    -1.0F / 3, 1e10F,  16777216.0F};
    uint32_t random = 1;
    for (size_t i = 0; i < 2000 + sizeof special / sizeof special[0]; i++) {
        HyperionLayerAttributes one = {0};
        random = random * 1664525U + 1013904223U;
        memcpy(&one.alpha, &random, sizeof one.alpha);
        if (i >= 2000)
            one.alpha = special[i - 2000];
        if (!isnan(one.alpha)) // which of the NaNs it is, is lost
            free(pass_through(&one));
    }
}

static void short_texts_are_written(void **state)
{
    (void)state;
    char *text = pass_through(
        &(HyperionLayerAttributes){.stride = {2, 1}, .alpha = 0.01F, .activation = 1, .axis = -1});
    assert_string_equal(text, "{\"activation\":\"relu\",\"alpha\":999999978e-11,\"stride\":[2,1],"
                              "\"axis\":-1}");
    free(text);
}

static void wrong_attributes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"{\"strides\":[1]}", "unknown attribute 'strides'"},
        {"{\"axis\":1,\"axis\":1}", "a second attribute 'axis'"},
        {"{\"stride\":[1,1,1,1]}", "more than 3 elements"},
        {"{\"stride\":1}", "expected '['"},
        {"{\"axis\":[1]}", "whole number"},
        {"{\"axis\":1.5}", "whole number"},
        {"{\"axis\":9223372036854775808}", "past 64 bits"},
        {"{\"rank\":2147483648}", "too large"},
        {"{\"alpha\":1e39}", "too large"},
        {"{\"alpha\":\"one\"}", "expected a number"},
        {"{\"alpha\":.5}", "expected a number"},
        {"{\"causal\":1}", "expected a value"},
        {"{\"activation\":\"rely\"}", "unknown word 'rely'"},
        {"{\"activation\":1}", "expected '\"'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        HyperionLayerAttributes attributes;
        const size_t length = strlen(cases[i].text);
        memcpy(text, cases[i].text, length + 1);
        HypJson json = hyp_json_open("attributes", text, length);
        assert_false(hyp_attributes_read(&json, &attributes));
        if (!strstr(hyperionGetLastError(), cases[i].reason))
            fail_msg("%s: expected '%s', given '%s'", cases[i].text, cases[i].reason,
                     hyperionGetLastError());
    }
    HypJsonWriter writer = {0};
    assert_false(hyp_attributes_write(
        &writer, &(HyperionLayerAttributes){.activation = HYPERION_ACTIVATION_COUNT}));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_UNSUPPORTED);
    free(writer.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_cover_the_struct_and_all_words),
        cmocka_unit_test(every_attribute_comes_back_alone_and_with_all_others),
        cmocka_unit_test(floats_come_back_to_the_bit),
        cmocka_unit_test(short_texts_are_written),
        cmocka_unit_test(wrong_attributes_are_refused),
    };
    return cmocka_run_group_tests_name("layer_attributes", tests, NULL, NULL);
}
