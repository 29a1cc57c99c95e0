// SPDX-License-Identifier: Apache-2.0
#include "proto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The rest of a message.
typedef struct Span {
    const unsigned char *at, *end;
} Span;

typedef struct Field {
    uint32_t number;
    int wire_type;
    uint64_t value; // of a varint or a fixed one
    Span span;      // of a length-delimited one
} Field;

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "conformance: %s\n", what);
    exit(2);
}

static uint64_t take_varint(Span *rest)
{
    uint64_t value = 0;
    for (int shift = 0; rest->at < rest->end && shift < 64; shift += 7) {
        const unsigned char byte = *rest->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    give_up("a number does not end");
}

static uint64_t take_fixed(Span *rest, size_t size_bytes)
{
    uint64_t value = 0;
    if ((size_t)(rest->end - rest->at) < size_bytes)
        give_up("a file is cut");
    memcpy(&value, rest->at, size_bytes);
    rest->at += size_bytes;
    return value;
}

static bool take_field(Span *rest, Field *field)
{
    if (rest->at >= rest->end)
        return false;
    const uint64_t key = take_varint(rest);
    *field = (Field){.number = (uint32_t)(key >> 3), .wire_type = (int)(key & 7)};
    switch (field->wire_type) {
    case 0: field->value = take_varint(rest); break;
    case 1: field->value = take_fixed(rest, 8); break;
    case 5: field->value = take_fixed(rest, 4); break;
    case 2: {
        const uint64_t size_bytes = take_varint(rest);
        if (size_bytes > (uint64_t)(rest->end - rest->at))
            give_up("a file is cut");
        field->span = (Span){rest->at, rest->at + size_bytes};
        rest->at += size_bytes;
        break;
    }
    default: give_up("an unknown wire type");
    }
    return true;
}

// The whole file, which the caller frees.
static unsigned char *read_whole(const char *path, Span *span)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        give_up(path);
    const long size_bytes = ftell(file);
    unsigned char *bytes = malloc((size_t)size_bytes + 1);
    if (size_bytes < 0 || !bytes || fseek(file, 0, SEEK_SET) != 0 ||
        fread(bytes, 1, (size_t)size_bytes, file) != (size_t)size_bytes)
        give_up(path);
    (void)fclose(file);
    *span = (Span){bytes, bytes + size_bytes};
    return bytes;
}

// --- Tensors.

typedef struct TensorFields {
    int rank;
    int64_t dims[HYPERION_MAX_RANK];
    int64_t data_type;
    Span raw;
} TensorFields;

static bool is_known(int64_t data_type)
{
    return data_type == PROTO_FLOAT || data_type == PROTO_INT32 || data_type == PROTO_INT64 ||
           data_type == PROTO_BOOL;
}

// False for a rank past the maximum.
static bool read_tensor_fields(Span rest, TensorFields *fields)
{
    Field field;
    *fields = (TensorFields){0};
    while (take_field(&rest, &field)) {
        if (field.number == 2)
            fields->data_type = (int64_t)field.value;
        if (field.number == 9)
            fields->raw = field.span;
        if (field.number != 1)
            continue;
        const bool packed = field.wire_type == 2;
        while (!packed || field.span.at < field.span.end) {
            if (fields->rank == HYPERION_MAX_RANK)
                return false;
            fields->dims[fields->rank++] =
                (int64_t)(packed ? take_varint(&field.span) : field.value);
            if (!packed)
                break;
        }
    }
    return true;
}

static void store(HyperionTensor *tensor, size_t index, uint64_t value)
{
    void *data = hyperionTensorData(tensor);
    if (index >= hyperionTensorElementCount(tensor))
        give_up("a tensor has too many values");
    switch (hyperionTensorType(tensor)) {
    case HYPERION_TYPE_I64: ((int64_t *)data)[index] = (int64_t)value; break;
    case HYPERION_TYPE_BOOL: ((unsigned char *)data)[index] = value != 0; break;
    default: ((uint32_t *)data)[index] = (uint32_t)value; break; // i32, and the bits of f32
    }
}

// Values in float_data, int32_data or int64_data.
static void fill_typed(HyperionTensor *tensor, Span rest)
{
    const bool is_float = hyperionTensorType(tensor) == HYPERION_TYPE_F32;
    const uint32_t number = is_float ? 4 : hyperionTensorType(tensor) == HYPERION_TYPE_I64 ? 7 : 5;
    size_t count = 0;
    Field field;
    while (take_field(&rest, &field)) {
        if (field.number != number)
            continue;
        if (field.wire_type != 2)
            store(tensor, count++, field.value);
        while (field.span.at < field.span.end)
            store(tensor, count++,
                  is_float ? take_fixed(&field.span, 4) : take_varint(&field.span));
    }
    if (count != hyperionTensorElementCount(tensor))
        give_up("a tensor has too few values");
}

HyperionTensor *proto_read_tensor(const char *path)
{
    Span whole;
    TensorFields fields;
    unsigned char *bytes = read_whole(path, &whole);
    HyperionTensor *tensor = NULL;
    if (read_tensor_fields(whole, &fields) && is_known(fields.data_type)) {
        const HyperionType type = fields.data_type == PROTO_FLOAT   ? HYPERION_TYPE_F32
                                  : fields.data_type == PROTO_INT32 ? HYPERION_TYPE_I32
                                  : fields.data_type == PROTO_INT64 ? HYPERION_TYPE_I64
                                                                    : HYPERION_TYPE_BOOL;
        tensor = hyperionCreateTensor(type, fields.rank, fields.dims);
        if (!tensor)
            give_up(hyperionGetLastError());
        const size_t raw_bytes = (size_t)(fields.raw.end - fields.raw.at);
        if (!fields.raw.at)
            fill_typed(tensor, whole);
        else if (raw_bytes != hyperionTensorBytes(tensor))
            give_up("a tensor's raw data has another size");
        else if (raw_bytes)
            memcpy(hyperionTensorData(tensor), fields.raw.at, raw_bytes);
    }
    free(bytes);
    return tensor;
}

// --- Models.

static bool add_name(char names[][PROTO_NAME_BYTES], int *count, const char *prefix, Span name)
{
    char text[PROTO_NAME_BYTES];
    (void)snprintf(text, sizeof text, "%s%.*s", prefix, (int)(name.end - name.at),
                   (const char *)name.at);
    for (int i = 0; i < *count; i++)
        if (strcmp(names[i], text) == 0)
            return false;
    if (*count == PROTO_MOST_NAMES)
        give_up("a model has too many names");
    (void)snprintf(names[(*count)++], PROTO_NAME_BYTES, "%s", text);
    return true;
}

static void read_graph(Span rest, ProtoModel *model, bool is_top);

static void note_type(ProtoModel *model, int64_t data_type)
{
    model->other_types |= !is_known(data_type);
}

static void read_attribute(Span rest, ProtoModel *model)
{
    Field field;
    bool is_cast = false;
    while (take_field(&rest, &field)) {
        TensorFields tensor;
        if (field.number == 1)
            is_cast = field.span.end - field.span.at == 2 && memcmp(field.span.at, "to", 2) == 0;
        if (field.number == 3 && is_cast)
            note_type(model, (int64_t)field.value);
        if (field.number == 5) {
            (void)read_tensor_fields(field.span, &tensor);
            note_type(model, tensor.data_type);
        }
        if (field.number == 6)
            read_graph(field.span, model, false);
    }
}

static void read_node(Span rest, ProtoModel *model)
{
    Field field;
    char domain[PROTO_NAME_BYTES] = "";
    Span op_type = {0};
    while (take_field(&rest, &field)) {
        if (field.number == 4)
            op_type = field.span;
        if (field.number == 5)
            read_attribute(field.span, model);
        if (field.number == 7 && field.span.end > field.span.at)
            (void)snprintf(domain, sizeof domain, "%.*s.", (int)(field.span.end - field.span.at),
                           (const char *)field.span.at);
    }
    (void)add_name(model->operators, &model->operator_count, domain, op_type);
}

// The name of an input or output, whose type is noted; one without a type is left out.
static Span read_value(Span rest, ProtoModel *model)
{
    Field field;
    Span name = {0};
    while (take_field(&rest, &field)) {
        if (field.number == 1)
            name = field.span;
        if (field.number != 2)
            continue;
        Field type;
        while (take_field(&field.span, &type)) {
            int64_t data_type = 0; // of other things than tensors
            Field inner;
            while (type.number == 1 && take_field(&type.span, &inner))
                if (inner.number == 1)
                    data_type = (int64_t)inner.value;
            note_type(model, data_type);
        }
    }
    return name;
}

static void read_initialiser(Span tensor, ProtoModel *model, ProtoModel *initialisers)
{
    TensorFields fields;
    Span rest = tensor;
    Field field;
    (void)read_tensor_fields(tensor, &fields);
    note_type(model, fields.data_type);
    while (take_field(&rest, &field))
        if (field.number == 8)
            (void)add_name(initialisers->inputs, &initialisers->input_count, "", field.span);
}

static void read_graph(Span rest, ProtoModel *model, bool is_top)
{
    static ProtoModel initialisers; // only its inputs
    Span again = rest;
    Field field;
    if (is_top)
        initialisers.input_count = 0;
    while (take_field(&rest, &field)) {
        if (field.number == 1)
            read_node(field.span, model);
        if (field.number == 5)
            read_initialiser(field.span, model, &initialisers);
        if (field.number == 12)
            (void)read_value(field.span, model);
    }
    while (take_field(&again, &field))
        if (field.number == 11) {
            const Span name = read_value(field.span, model);
            int count = initialisers.input_count;
            if (is_top && add_name(initialisers.inputs, &count, "", name))
                (void)add_name(model->inputs, &model->input_count, "", name);
        }
}

void proto_read_model(const char *path, ProtoModel *model)
{
    Span rest;
    Field field;
    unsigned char *bytes = read_whole(path, &rest);
    *model = (ProtoModel){0};
    while (take_field(&rest, &field)) {
        if (field.number == 7)
            read_graph(field.span, model, true);
        if (field.number != 8)
            continue;
        bool is_standard = true;
        int64_t version = 0;
        Field inner;
        while (take_field(&field.span, &inner)) {
            if (inner.number == 1)
                is_standard = inner.span.end == inner.span.at;
            if (inner.number == 2)
                version = (int64_t)inner.value;
        }
        if (is_standard)
            model->opset = version;
    }
    free(bytes);
}
