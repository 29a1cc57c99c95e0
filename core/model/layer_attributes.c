// SPDX-License-Identifier: Apache-2.0
#include "model/layer_attributes.h"

#include "hyperion/tensor.h"

#include "common/fail.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <string.h>

// These stand in files: a name stays with its constant.
static const char *const activation_words[HYPERION_ACTIVATION_COUNT] = {
    [HYPERION_ACTIVATION_NONE] = "none",
    [HYPERION_ACTIVATION_RELU] = "relu",
    [HYPERION_ACTIVATION_GELU] = "gelu",
    [HYPERION_ACTIVATION_SILU] = "silu",
    [HYPERION_ACTIVATION_TANH] = "tanh",
    [HYPERION_ACTIVATION_SIGMOID] = "sigmoid",
    [HYPERION_ACTIVATION_LEAKY_RELU] = "leaky_relu",
    [HYPERION_ACTIVATION_CLIP] = "clip",
    [HYPERION_ACTIVATION_HARD_SIGMOID] = "hard_sigmoid",
    [HYPERION_ACTIVATION_HARD_SWISH] = "hard_swish",
    [HYPERION_ACTIVATION_GELU_TANH] = "gelu_tanh",
    [HYPERION_ACTIVATION_ERF] = "erf",
    [HYPERION_ACTIVATION_EXP] = "exp",
    [HYPERION_ACTIVATION_LOG] = "log",
    [HYPERION_ACTIVATION_SQRT] = "sqrt",
    [HYPERION_ACTIVATION_RECIPROCAL] = "reciprocal",
    [HYPERION_ACTIVATION_NEG] = "neg",
    [HYPERION_ACTIVATION_ABS] = "abs",
};
static const char *const binary_words[HYPERION_BINARY_COUNT] = {
    [HYPERION_BINARY_ADD] = "add",
    [HYPERION_BINARY_SUB] = "sub",
    [HYPERION_BINARY_MUL] = "mul",
    [HYPERION_BINARY_DIV] = "div",
    [HYPERION_BINARY_MAX] = "max",
    [HYPERION_BINARY_MIN] = "min",
    [HYPERION_BINARY_POW] = "pow",
    [HYPERION_BINARY_PRELU] = "prelu",
    [HYPERION_BINARY_EQUAL] = "equal",
    [HYPERION_BINARY_LESS] = "less",
    [HYPERION_BINARY_LESS_EQUAL] = "less_equal",
    [HYPERION_BINARY_GREATER] = "greater",
    [HYPERION_BINARY_GREATER_EQUAL] = "greater_equal",
    [HYPERION_BINARY_AND] = "and",
    [HYPERION_BINARY_OR] = "or",
    [HYPERION_BINARY_XOR] = "xor",
};
static const char *const reduce_words[HYPERION_REDUCE_COUNT] = {
    [HYPERION_REDUCE_MEAN] = "mean", [HYPERION_REDUCE_SUM] = "sum",   [HYPERION_REDUCE_MAX] = "max",
    [HYPERION_REDUCE_MIN] = "min",   [HYPERION_REDUCE_PROD] = "prod",
};
static const char *const type_words[HYPERION_TYPE_COUNT] = {
    [HYPERION_TYPE_F32] = "f32",
    [HYPERION_TYPE_I64] = "i64",
    [HYPERION_TYPE_I32] = "i32",
    [HYPERION_TYPE_BOOL] = "bool",
};
static const char *const padding_words[HYPERION_PADDING_COUNT] = {
    [HYPERION_PADDING_CONSTANT] = "constant",
    [HYPERION_PADDING_EDGE] = "edge",
    [HYPERION_PADDING_REFLECT] = "reflect",
};
static const char *const resize_words[HYPERION_RESIZE_COUNT] = {
    [HYPERION_RESIZE_NEAREST] = "nearest",
    [HYPERION_RESIZE_LINEAR] = "linear",
    [HYPERION_RESIZE_CUBIC] = "cubic",
};
static const char *const coordinates_words[HYPERION_COORDINATES_COUNT] = {
    [HYPERION_COORDINATES_HALF_PIXEL] = "half_pixel",
    [HYPERION_COORDINATES_PYTORCH_HALF_PIXEL] = "pytorch_half_pixel",
    [HYPERION_COORDINATES_ALIGN_CORNERS] = "align_corners",
    [HYPERION_COORDINATES_ASYMMETRIC] = "asymmetric",
    [HYPERION_COORDINATES_HALF_PIXEL_FOR_NEAREST] = "half_pixel_for_nearest",
    [HYPERION_COORDINATES_CROP] = "crop",
};
static const char *const nearest_words[HYPERION_NEAREST_COUNT] = {
    [HYPERION_NEAREST_ROUND_PREFER_FLOOR] = "round_prefer_floor",
    [HYPERION_NEAREST_ROUND_PREFER_CEIL] = "round_prefer_ceil",
    [HYPERION_NEAREST_FLOOR] = "floor",
    [HYPERION_NEAREST_CEIL] = "ceil",
};

#define FIELD(field, kind)                                                                         \
    {                                                                                              \
#field, HYP_ATTRIBUTE_##kind, offsetof(HyperionLayerAttributes, field),                    \
            sizeof(((HyperionLayerAttributes *)NULL)->field), NULL, 0                              \
    }
#define WORDS(field, words)                                                                        \
    {                                                                                              \
#field, HYP_ATTRIBUTE_WORD, offsetof(HyperionLayerAttributes, field),                      \
            sizeof(((HyperionLayerAttributes *)NULL)->field), words,                               \
            sizeof(words) / sizeof((words)[0])                                                     \
    }

const HypAttribute hyp_attributes[] = {
    WORDS(activation, activation_words),
    FIELD(alpha, F32),
    FIELD(beta, F32),
    WORDS(binary, binary_words),
    WORDS(reduce, reduce_words),
    FIELD(axis_count, INT),
    FIELD(keep_dims, BOOL),
    FIELD(axis_from_end, INT),
    WORDS(type, type_words),
    FIELD(size, I64),
    FIELD(bias, F32),
    FIELD(transpose_b, BOOL),
    FIELD(stride, I64),
    FIELD(padding, I64),
    FIELD(dilation, I64),
    FIELD(kernel, I64),
    FIELD(output_padding, I64),
    FIELD(ceil_mode, BOOL),
    FIELD(count_padding, BOOL),
    FIELD(column_major, BOOL),
    FIELD(groups, I64),
    FIELD(epsilon, F32),
    FIELD(rms, BOOL),
    FIELD(heads, I64),
    FIELD(kv_heads, I64),
    FIELD(first_position, I64),
    FIELD(causal, BOOL),
    FIELD(zero_dims, BOOL),
    FIELD(rank, INT),
    FIELD(dims, I64),
    FIELD(axis, I64),
    FIELD(axes, I64),
    FIELD(starts, I64),
    FIELD(steps, I64),
    WORDS(pad_mode, padding_words),
    WORDS(resize, resize_words),
    WORDS(coordinates, coordinates_words),
    WORDS(nearest, nearest_words),
    FIELD(scales, F32),
    FIELD(roi, F32),
    FIELD(cubic_coefficient, F32),
    FIELD(exclude_outside, BOOL),
    FIELD(extrapolation, F32),
    FIELD(rotary_base, F32),
    FIELD(rotary_interleaved, BOOL),
};
const size_t hyp_attribute_count = sizeof hyp_attributes / sizeof hyp_attributes[0];

size_t hyp_attribute_element_bytes(const HypAttribute *attribute)
{
    static const size_t element_bytes[] = {
        [HYP_ATTRIBUTE_I64] = sizeof(int64_t), [HYP_ATTRIBUTE_INT] = sizeof(int),
        [HYP_ATTRIBUTE_BOOL] = sizeof(bool),   [HYP_ATTRIBUTE_F32] = sizeof(float),
        [HYP_ATTRIBUTE_WORD] = sizeof(int),
    };
    static_assert(sizeof(HyperionActivation) == sizeof(int), "enumerations are read as int");
    return element_bytes[attribute->kind];
}

size_t hyp_attribute_element_count(const HypAttribute *attribute)
{
    return attribute->size_bytes / hyp_attribute_element_bytes(attribute);
}

static bool write_element(HypJsonWriter *writer, const HypAttribute *attribute, const void *element)
{
    int number = 0;
    if (attribute->kind == HYP_ATTRIBUTE_INT || attribute->kind == HYP_ATTRIBUTE_WORD)
        memcpy(&number, element, sizeof number);
    switch (attribute->kind) {
    case HYP_ATTRIBUTE_I64: hyp_json_put_integer(writer, *(const int64_t *)element); break;
    case HYP_ATTRIBUTE_INT: hyp_json_put_integer(writer, number); break;
    case HYP_ATTRIBUTE_BOOL: hyp_json_put_bool(writer, *(const bool *)element); break;
    case HYP_ATTRIBUTE_F32: hyp_json_put_float(writer, *(const float *)element); break;
    case HYP_ATTRIBUTE_WORD:
        if (number < 0 || (size_t)number >= attribute->word_count || !attribute->words[number])
            return hyp_fail(HYPERION_ERROR_UNSUPPORTED, "attribute %s: %d has no name in files",
                            attribute->name, number);
        hyp_json_put_text(writer, attribute->words[number]);
        break;
    }
    return true;
}

// Elements up to the last that is not all zero bits: -0.0 counts.
static size_t count_used(const HypAttribute *attribute, const unsigned char *field)
{
    size_t used_bytes = attribute->size_bytes;
    while (used_bytes > 0 && field[used_bytes - 1] == 0)
        used_bytes--;
    const size_t element_bytes = hyp_attribute_element_bytes(attribute);
    return (used_bytes + element_bytes - 1) / element_bytes;
}

static bool write_field(HypJsonWriter *writer, const HypAttribute *attribute,
                        const unsigned char *field)
{
    const bool is_list = hyp_attribute_element_count(attribute) > 1;
    const size_t used_count = count_used(attribute, field);
    if (used_count == 0)
        return true;
    hyp_json_key(writer, attribute->name);
    if (is_list)
        hyp_json_begin(writer, '[');
    for (size_t i = 0; i < used_count; i++)
        if (!write_element(writer, attribute, field + i * hyp_attribute_element_bytes(attribute)))
            return false;
    if (is_list)
        hyp_json_end(writer, ']');
    return true;
}

bool hyp_attributes_write(HypJsonWriter *writer, const HyperionLayerAttributes *attributes)
{
    hyp_json_begin(writer, '{');
    for (size_t i = 0; i < hyp_attribute_count; i++)
        if (!write_field(writer, &hyp_attributes[i],
                         (const unsigned char *)attributes + hyp_attributes[i].offset))
            return false;
    hyp_json_end(writer, '}');
    return !writer->failed;
}

static bool read_word(HypJson *json, const HypAttribute *attribute, int *number)
{
    HypJsonString word;
    if (!hyp_json_string(json, &word))
        return false;
    for (size_t i = 0; i < attribute->word_count; i++)
        if (attribute->words[i] && hyp_json_string_is(&word, attribute->words[i])) {
            *number = (int)i;
            return true;
        }
    return hyp_json_fail(json, "attribute %s: unknown word '%.32s'", attribute->name, word.bytes);
}

static bool read_int(HypJson *json, const HypAttribute *attribute, int *number)
{
    int64_t value = 0;
    if (!hyp_json_integer(json, &value))
        return false;
    if (value < INT_MIN || value > INT_MAX)
        return hyp_json_fail(json, "attribute %s: a number too large", attribute->name);
    *number = (int)value;
    return true;
}

static bool read_float(HypJson *json, const HypAttribute *attribute, float *value)
{
    static const struct {
        const char *name;
        float value;
    } others[] = {{"inf", INFINITY}, {"-inf", -INFINITY}, {"nan", NAN}};
    HypJsonString word;
    if (hyp_json_peek(json) != '"')
        return hyp_json_float(json, value);
    if (!hyp_json_string(json, &word))
        return false;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (hyp_json_string_is(&word, others[i].name)) {
            *value = others[i].value;
            return true;
        }
    return hyp_json_fail(json, "attribute %s: expected a number", attribute->name);
}

static bool read_element(HypJson *json, const HypAttribute *attribute, unsigned char *element)
{
    switch (attribute->kind) {
    case HYP_ATTRIBUTE_I64: return hyp_json_integer(json, (int64_t *)(void *)element);
    case HYP_ATTRIBUTE_INT: return read_int(json, attribute, (int *)(void *)element);
    case HYP_ATTRIBUTE_BOOL: return hyp_json_bool(json, (bool *)element);
    case HYP_ATTRIBUTE_F32: return read_float(json, attribute, (float *)(void *)element);
    case HYP_ATTRIBUTE_WORD: return read_word(json, attribute, (int *)(void *)element);
    }
    return false;
}

static bool read_field(HypJson *json, const HypAttribute *attribute, unsigned char *field)
{
    const size_t element_bytes = hyp_attribute_element_bytes(attribute);
    const size_t element_count = hyp_attribute_element_count(attribute);
    if (element_count == 1)
        return read_element(json, attribute, field);
    size_t count = 0;
    HypJsonList list = hyp_json_enter(json, '[');
    while (hyp_json_next_item(json, &list)) {
        if (count == element_count)
            return hyp_json_fail(json, "attribute %s: more than %zu elements", attribute->name,
                                 element_count);
        if (!read_element(json, attribute, field + count++ * element_bytes))
            return false;
    }
    return !json->failed;
}

bool hyp_attributes_read(HypJson *json, HyperionLayerAttributes *attributes)
{
    bool seen[sizeof hyp_attributes / sizeof hyp_attributes[0]] = {false};
    HypJsonString key;
    HypJsonList members = hyp_json_enter(json, '{');
    *attributes = (HyperionLayerAttributes){0};
    while (hyp_json_next_member(json, &members, &key)) {
        size_t row = 0;
        while (row < hyp_attribute_count && !hyp_json_string_is(&key, hyp_attributes[row].name))
            row++;
        if (row == hyp_attribute_count || seen[row])
            return hyp_json_fail(json, "%s attribute '%.32s'",
                                 row == hyp_attribute_count ? "unknown" : "a second", key.bytes);
        seen[row] = true;
        if (!read_field(json, &hyp_attributes[row],
                        (unsigned char *)attributes + hyp_attributes[row].offset))
            return false;
    }
    return !json->failed;
}
