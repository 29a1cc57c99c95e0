// SPDX-License-Identifier: Apache-2.0
// onnx_writer.h - small ONNX files for tests, written field by field. Numbers as in onnx.proto.
#ifndef HYP_TEST_ONNX_WRITER_H
#define HYP_TEST_ONNX_WRITER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// A message in the making.
typedef struct Message {
    unsigned char bytes[16 * 1024];
    size_t count;
} Message;

static inline void put_raw(Message *message, const void *bytes, size_t count)
{
    assert(message->count + count <= sizeof message->bytes);
    memcpy(message->bytes + message->count, bytes, count);
    message->count += count;
}

static inline void put_varint(Message *message, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put_raw(message, &(unsigned char){(unsigned char)(value | 0x80)}, 1);
    put_raw(message, &(unsigned char){(unsigned char)value}, 1);
}

static inline void put_int(Message *message, uint32_t field, int64_t value)
{
    put_varint(message, field << 3);
    put_varint(message, (uint64_t)value);
}

static inline void put_float(Message *message, uint32_t field, float value)
{
    put_varint(message, field << 3 | 5);
    put_raw(message, &value, sizeof value);
}

static inline void put_bytes(Message *message, uint32_t field, const void *bytes, size_t count)
{
    put_varint(message, field << 3 | 2);
    put_varint(message, count);
    put_raw(message, bytes, count);
}

static inline void put_text(Message *message, uint32_t field, const char *text)
{
    put_bytes(message, field, text, strlen(text));
}

static inline void put_message(Message *message, uint32_t field, const Message *inner)
{
    put_bytes(message, field, inner->bytes, inner->count);
}

// A list that ends with -1 (dims) or NULL (names).
#define DIMS(...) ((const int64_t[]){__VA_ARGS__, -1})
#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline size_t count_values(const int64_t *dims)
{
    size_t count = 1;
    for (; *dims >= 0; dims++)
        count *= (size_t)*dims;
    return count;
}

// How the values of a tensor stand in the file.
typedef enum Storage { RAW_DATA, PACKED, UNPACKED } Storage;

static inline Message make_floats(const char *name, const int64_t *dims, const float *values,
                                  Storage storage)
{
    Message tensor = {.count = 0};
    for (const int64_t *dim = dims; *dim >= 0; dim++)
        put_int(&tensor, 1, *dim);
    put_int(&tensor, 2, 1);
    put_text(&tensor, 8, name);
    const size_t count = count_values(dims);
    if (storage == UNPACKED)
        for (size_t i = 0; i < count; i++)
            put_float(&tensor, 4, values[i]);
    else
        put_bytes(&tensor, storage == RAW_DATA ? 9 : 4, values, count * sizeof *values);
    return tensor;
}

static inline Message make_int64s(const char *name, size_t count, const int64_t *values,
                                  Storage storage)
{
    Message tensor = {.count = 0};
    Message packed = {.count = 0};
    put_int(&tensor, 1, (int64_t)count);
    put_int(&tensor, 2, 7);
    put_text(&tensor, 8, name);
    for (size_t i = 0; i < count; i++)
        put_varint(&packed, (uint64_t)values[i]);
    for (size_t i = 0; i < count && storage == UNPACKED; i++)
        put_int(&tensor, 7, values[i]);
    if (storage == PACKED)
        put_message(&tensor, 7, &packed);
    if (storage == RAW_DATA)
        put_bytes(&tensor, 9, values, count * sizeof *values);
    return tensor;
}

static inline Message make_node(const char *op_type, const char *const *inputs,
                                const char *const *outputs)
{
    Message node = {.count = 0};
    for (; *inputs; inputs++)
        put_text(&node, 1, *inputs);
    for (const char *const *output = outputs; *output; output++)
        put_text(&node, 2, *output);
    char name[64];
    (void)snprintf(name, sizeof name, "node_%s", outputs[0] ? outputs[0] : "");
    put_text(&node, 3, name);
    put_text(&node, 4, op_type);
    return node;
}

static inline void put_int_attribute(Message *node, const char *name, int64_t value)
{
    Message attribute = {.count = 0};
    put_text(&attribute, 1, name);
    put_int(&attribute, 3, value);
    put_message(node, 5, &attribute);
}

static inline void put_float_attribute(Message *node, const char *name, float value)
{
    Message attribute = {.count = 0};
    put_text(&attribute, 1, name);
    put_float(&attribute, 2, value);
    put_message(node, 5, &attribute);
}

static inline void put_text_attribute(Message *node, const char *name, const char *value)
{
    Message attribute = {.count = 0};
    put_text(&attribute, 1, name);
    put_text(&attribute, 4, value);
    put_message(node, 5, &attribute);
}

static inline void put_ints_attribute(Message *node, const char *name, const int64_t *values)
{
    Message attribute = {.count = 0};
    put_text(&attribute, 1, name);
    for (; *values >= 0; values++)
        put_int(&attribute, 8, *values);
    put_message(node, 5, &attribute);
}

static inline void put_tensor_attribute(Message *node, const char *name, const Message *tensor)
{
    Message attribute = {.count = 0};
    put_text(&attribute, 1, name);
    put_message(&attribute, 5, tensor);
    put_message(node, 5, &attribute);
}

// An input (field 11) or output (12) of a graph; a dimension of 0 is written as symbolic.
static inline void put_value(Message *graph, uint32_t field, const char *name, int64_t data_type,
                             const int64_t *dims)
{
    Message shape = {.count = 0};
    for (; *dims >= 0; dims++) {
        Message dim = {.count = 0};
        if (*dims)
            put_int(&dim, 1, *dims);
        else
            put_text(&dim, 2, "batch");
        put_message(&shape, 1, &dim);
    }
    Message tensor_type = {.count = 0};
    put_int(&tensor_type, 1, data_type);
    put_message(&tensor_type, 2, &shape);
    Message type = {.count = 0};
    put_message(&type, 1, &tensor_type);
    Message value = {.count = 0};
    put_text(&value, 1, name);
    put_message(&value, 2, &type);
    put_message(graph, field, &value);
}

// The whole file. opset 0: none is imported.
static inline Message make_model(const Message *graph, int64_t opset)
{
    Message model = {.count = 0};
    put_int(&model, 1, 3);
    put_text(&model, 2, "hyperion-test");
    put_message(&model, 7, graph);
    if (opset) {
        Message import = {.count = 0};
        put_text(&import, 1, "");
        put_int(&import, 2, opset);
        put_message(&model, 8, &import);
    }
    return model;
}

static inline bool write_file(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return false;
    const bool written = fwrite(bytes, 1, count, file) == count;
    return fclose(file) == 0 && written;
}

// Reads at most `most` bytes; SIZE_MAX when there is no such file.
static inline size_t read_file(const char *path, void *bytes, size_t most)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return SIZE_MAX;
    const size_t count = fread(bytes, 1, most, file);
    (void)fclose(file);
    return count;
}

// Small numbers that f32 holds exactly.
static inline void fill_values(float *values, size_t count, unsigned factor, unsigned modulus)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)((int)((i * factor + 3) % modulus) - (int)(modulus / 2)) / 8.0F;
}

// The model of tests/data/tiny.onnx: every operator that is read and every way of storing values.
static inline Message make_tiny_model(void)
{
    float values[72];
    Message graph = {.count = 0};
    Message node = make_node("Conv", NAMES("x", "W", "B"), NAMES("conv"));
    put_ints_attribute(&node, "kernel_shape", DIMS(3, 3));
    put_ints_attribute(&node, "strides", DIMS(2, 1));
    put_text_attribute(&node, "auto_pad", "SAME_LOWER");
    put_message(&graph, 1, &node);
    node = make_node("Relu", NAMES("conv"), NAMES("relu"));
    put_message(&graph, 1, &node);
    node = make_node("MaxPool", NAMES("relu"), NAMES("pool"));
    put_ints_attribute(&node, "kernel_shape", DIMS(2, 2));
    put_ints_attribute(&node, "strides", DIMS(2, 2));
    put_ints_attribute(&node, "pads", DIMS(1, 0, 0, 1));
    put_message(&graph, 1, &node);
    node = make_node("Add", NAMES("offset", "pool"), NAMES("sum"));
    put_message(&graph, 1, &node);
    node = make_node("Sigmoid", NAMES("sum"), NAMES("sigmoid"));
    put_message(&graph, 1, &node);
    node = make_node("Flatten", NAMES("sigmoid"), NAMES("flat"));
    put_message(&graph, 1, &node);
    node = make_node("Constant", NAMES(NULL), NAMES("matrix_shape"));
    const Message shape = make_int64s("", 2, DIMS(18, 4), PACKED);
    put_tensor_attribute(&node, "value", &shape);
    put_message(&graph, 1, &node);
    node = make_node("Reshape", NAMES("M", "matrix_shape"), NAMES("matrix"));
    put_message(&graph, 1, &node);
    node = make_node("MatMul", NAMES("flat", "matrix"), NAMES("product"));
    put_message(&graph, 1, &node);
    node = make_node("Tanh", NAMES("product"), NAMES("tanh"));
    put_message(&graph, 1, &node);
    node = make_node("Gemm", NAMES("tanh", "G", "C"), NAMES("logits"));
    put_int_attribute(&node, "transB", 1);
    put_message(&graph, 1, &node);
    node = make_node("Identity", NAMES("logits"), NAMES("same"));
    put_message(&graph, 1, &node);
    node = make_node("Softmax", NAMES("same"), NAMES("y"));
    put_message(&graph, 1, &node);

    static const struct {
        const char *name;
        int64_t dims[5];
        unsigned factor, modulus;
        Storage storage;
    } weights[] = {
        {"W", {3, 2, 3, 3, -1}, 7, 11, RAW_DATA},  {"B", {3, -1}, 5, 7, PACKED},
        {"offset", {3, 1, 1, -1}, 2, 5, UNPACKED}, {"M", {3, 2, 3, 4, -1}, 5, 13, RAW_DATA},
        {"G", {5, 4, -1}, 3, 17, PACKED},          {"C", {1, 5, -1}, 4, 9, RAW_DATA},
    };
    for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++) {
        fill_values(values, count_values(weights[i].dims), weights[i].factor, weights[i].modulus);
        const Message tensor =
            make_floats(weights[i].name, weights[i].dims, values, weights[i].storage);
        put_message(&graph, 5, &tensor);
    }
    put_value(&graph, 11, "W", 1, weights[0].dims); // as IR version 3 lists initialisers
    put_value(&graph, 11, "x", 1, DIMS(1, 2, 6, 5));
    put_value(&graph, 12, "y", 1, DIMS(1, 5));
    put_value(&graph, 12, "same", 1, DIMS(1, 5));
    return make_model(&graph, 12);
}

#endif
