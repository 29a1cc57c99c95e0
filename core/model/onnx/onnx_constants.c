// SPDX-License-Identifier: Apache-2.0
// Constants of an ONNX file. raw_data and packed float_data are little-endian f32 in a row: such
// weights stay in the file. Other typed values (varints, unpacked floats) are converted here.
#include "model/onnx/import_onnx.h"

#include "common/fail.h"
#include "model/builder.h"

#include <inttypes.h>
#include <string.h>

bool hyp_onnx_add_constant(OnnxImport *import, const char *name, const OnnxTensor *tensor)
{
    if (hyp_name_map_get(&import->constants, name) >= 0)
        return hyp_fail(HYPERION_ERROR_FORMAT, "two constants are named '%s'", name);
    if (!hyp_name_map_reserve(&import->constants))
        return false;
    const int index = (int)import->constants.count;
    import->constant_list[index] = *tensor;
    hyp_name_map_set(&import->constants, name, index);
    return true;
}

const OnnxTensor *hyp_onnx_find_constant(const OnnxImport *import, const char *name)
{
    const int index = hyp_name_map_get(&import->constants, name);
    return index < 0 ? NULL : &import->constant_list[index];
}

typedef struct ConstantType {
    OnnxDataType data_type;
    HyperionType type;
    uint32_t number; // field of typed values
} ConstantType;

// NULL for a type that cannot be read.
static const ConstantType *find_type(int64_t data_type)
{
    static const ConstantType types[] = {
        {ONNX_FLOAT, HYPERION_TYPE_F32, 4}, // float_data
        {ONNX_INT64, HYPERION_TYPE_I64, 7}, // int64_data
        {ONNX_INT32, HYPERION_TYPE_I32, 5}, // int32_data
        {ONNX_BOOL, HYPERION_TYPE_BOOL, 5},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if ((int64_t)types[i].data_type == data_type)
            return &types[i];
    return NULL;
}

bool hyp_onnx_type(int64_t data_type, HyperionType *type)
{
    const ConstantType *found = find_type(data_type);
    if (found)
        *type = found->type;
    return found != NULL;
}

// Type and shape of a constant, and the field of its typed values.
static bool describe(const OnnxTensor *tensor, const char *name, HypShape *shape, uint32_t *number)
{
    const ConstantType *type = find_type(tensor->data_type);
    if (tensor->external)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                        "constant '%s': its bytes are in another file, which is not implemented in "
                        "this version",
                        name);
    if (!type)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                        "constant '%s': ONNX data type %" PRId64
                        " is not implemented in this version",
                        name, tensor->data_type);
    *number = type->number;
    return hyp_shape_create(shape, name, type->type, tensor->rank, tensor->dims);
}

static bool fail_size(const char *name, const HypShape *shape, const char *what, uint64_t found)
{
    char text[HYP_SHAPE_TEXT_BYTES];
    return hyp_fail(HYPERION_ERROR_FORMAT, "constant '%s' is %s, but has %" PRIu64 " %s", name,
                    hyp_shape_text(shape, text), found, what);
}

// Typed values: where they are, and how many.
typedef struct TypedValues {
    size_t count;
    size_t field_count;
    HypWireSpan last; // payload of the last field
    bool packed;      // that one is
} TypedValues;

// Number of values in a field of typed values: 4 bytes each of floats, a varint each of others.
static bool count_values(OnnxImport *import, const HypWireField *field, HyperionType type,
                         size_t *count)
{
    HypWireSpan rest = field->span;
    const uint64_t size_bytes = rest.end - rest.begin;
    *count = 0;
    if (type == HYPERION_TYPE_F32) {
        *count = (size_t)(size_bytes / 4);
        return size_bytes % 4 == 0 ||
               hyp_wire_fail(import->wire, rest.begin, "floats of other than 4 bytes");
    }
    while (rest.begin < rest.end) {
        uint64_t value;
        if (!hyp_wire_take_varint(import->wire, &rest, &value))
            return false;
        ++*count;
    }
    return true;
}

static bool find_values(OnnxImport *import, const OnnxTensor *tensor, HyperionType type,
                        uint32_t number, TypedValues *values)
{
    HypWireSpan rest = tensor->message;
    HypWireField field;
    HypWireStep step;
    const HypWireType single = type == HYPERION_TYPE_F32 ? HYP_WIRE_FIXED32 : HYP_WIRE_VARINT;
    *values = (TypedValues){0};
    while ((step = hyp_wire_next(import->wire, &rest, &field)) == HYP_WIRE_FIELD) {
        size_t count;
        if (field.number != number)
            continue;
        if (field.type != HYP_WIRE_BYTES &&
            !hyp_wire_expect(import->wire, &field, single, "a value"))
            return false;
        if (!count_values(import, &field, type, &count))
            return false;
        values->count += count;
        values->field_count++;
        values->last = field.span;
        values->packed = field.type == HYP_WIRE_BYTES;
    }
    return step == HYP_WIRE_END;
}

// Writes value `index` of a varint.
static void store_value(void *data, HyperionType type, size_t index, uint64_t value)
{
    switch (type) {
    case HYPERION_TYPE_I64: ((int64_t *)data)[index] = (int64_t)value; break;
    case HYPERION_TYPE_I32: ((int32_t *)data)[index] = (int32_t)(int64_t)value; break;
    default: ((unsigned char *)data)[index] = value != 0; break;
    }
}

// Converts all typed values to `data`, which has room for them.
static bool convert_values(OnnxImport *import, const OnnxTensor *tensor, HyperionType type,
                           uint32_t number, void *data)
{
    HypWireSpan rest = tensor->message;
    HypWireField field;
    HypWireStep step;
    size_t index = 0;
    while ((step = hyp_wire_next(import->wire, &rest, &field)) == HYP_WIRE_FIELD) {
        if (field.number != number)
            continue;
        HypWireSpan values = field.span;
        if (type == HYPERION_TYPE_F32) {
            const size_t size_bytes = (size_t)(values.end - values.begin);
            if (!hyp_wire_copy(import->wire, values.begin, (float *)data + index, size_bytes))
                return false;
            index += size_bytes / 4;
            continue;
        }
        while (values.begin < values.end) {
            uint64_t value;
            if (!hyp_wire_take_varint(import->wire, &values, &value))
                return false;
            store_value(data, type, index++, value);
        }
    }
    return step == HYP_WIRE_END;
}

// How the bytes of a constant are to be had.
typedef struct ConstantBytes {
    HypShape shape;
    uint32_t number; // field of the typed values
    bool in_place;   // as in memory, at `offset`; else to be converted
    uint64_t offset;
} ConstantBytes;

static bool locate(OnnxImport *import, const char *name, const OnnxTensor *tensor,
                   ConstantBytes *bytes)
{
    TypedValues values;
    *bytes = (ConstantBytes){0};
    if (!describe(tensor, name, &bytes->shape, &bytes->number))
        return false;
    if (tensor->has_raw) {
        const uint64_t size_bytes = tensor->raw.end - tensor->raw.begin;
        bytes->in_place = true;
        bytes->offset = tensor->raw.begin;
        return size_bytes == bytes->shape.size_bytes ||
               fail_size(name, &bytes->shape, "bytes", size_bytes);
    }
    if (!find_values(import, tensor, bytes->shape.type, bytes->number, &values))
        return false;
    bytes->in_place =
        bytes->shape.type == HYPERION_TYPE_F32 && values.field_count == 1 && values.packed;
    bytes->offset = values.last.begin;
    return values.count == bytes->shape.element_count ||
           fail_size(name, &bytes->shape, "values", values.count);
}

int hyp_onnx_add_weight(OnnxImport *import, const char *name, const OnnxTensor *tensor)
{
    ConstantBytes bytes;
    if (!locate(import, name, tensor, &bytes))
        return -1;
    if (bytes.in_place)
        return hyp_model_add_file_weight(import->model, name, &bytes.shape, bytes.offset);
    // No more than a few times the bytes in the file: that many values were found there.
    void *data = hyp_platform_allocate(bytes.shape.size_bytes, 64);
    if (!data)
        return -1;
    int id = -1;
    if (convert_values(import, tensor, bytes.shape.type, bytes.number, data))
        id = hyp_model_adopt_weight(import->model, name, &bytes.shape, data);
    if (id < 0)
        hyp_platform_release(data);
    return id;
}
