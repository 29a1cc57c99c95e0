// SPDX-License-Identifier: Apache-2.0
// Constants of an ONNX file. raw_data, external data and packed floats are little-endian values in
// a row: such weights stay in their file. Other typed values (varints, unpacked floats) are
// converted here.
#include "model/onnx/import_onnx.h"

#include "common/array.h"
#include "common/fail.h"
#include "model/builder.h"

#include <inttypes.h>
#include <string.h>

static bool add_constant(OnnxImport *import, HypWireSpan message, const char *name)
{
    if (hyp_name_map_get(&import->constants, name) >= 0)
        return hyp_fail(HYPERION_ERROR_FORMAT, "two constants are named '%s'", name);
    OnnxConstant *grown =
        hyp_array_reserve(import->constant_list, &import->constant_capacity,
                          (size_t)import->constant_count + 1, sizeof *import->constant_list);
    if (!grown)
        return false;
    import->constant_list = grown;
    if (!hyp_onnx_set_name(import, &import->constants, name, import->constant_count))
        return false;
    import->constant_list[import->constant_count++] =
        (OnnxConstant){.message = message, .tensor = -1};
    return true;
}

bool hyp_onnx_add_constant(OnnxImport *import, HypWireSpan message)
{
    OnnxTensor tensor;
    HypArena scratch = {0};
    const bool added = hyp_onnx_read_tensor(import->wire, &scratch, message, &tensor) &&
                       add_constant(import, message, tensor.name);
    hyp_arena_free(&scratch);
    return added;
}
bool hyp_onnx_has_constant(const OnnxImport *import, const char *name)
{
    return hyp_name_map_get(&import->constants, name) >= 0;
}

int hyp_onnx_find_tensor(OnnxImport *import, const char *name)
{
    const int known = hyp_name_map_get(&import->tensors, name);
    if (known >= 0)
        return known;
    const int index = hyp_name_map_get(&import->constants, name);
    if (index < 0) {
        (void)hyp_fail(HYPERION_ERROR_FORMAT, "nothing before it makes input '%s'", name);
        return -1;
    }
    OnnxConstant *constant = &import->constant_list[index];
    if (constant->tensor >= 0)
        return constant->tensor;
    OnnxTensor tensor;
    HypArena scratch = {0};
    if (hyp_onnx_read_tensor(import->wire, &scratch, constant->message, &tensor))
        constant->tensor = hyp_onnx_add_weight(import, name, &tensor);
    hyp_arena_free(&scratch);
    return constant->tensor;
}

typedef struct ConstantType {
    OnnxDataType data_type;
    HyperionType type; // in the model
    HypStoredType stored;
    uint32_t number;   // field of typed values
    HypWireType value; // of one of them
} ConstantType;

// NULL for a type that cannot be read.
static const ConstantType *find_type(int64_t data_type)
{
    static const ConstantType types[] = {
        // float_data, int64_data, int32_data, double_data
        {ONNX_FLOAT, HYPERION_TYPE_F32, HYP_STORED_AS_IS, 4, HYP_WIRE_FIXED32},
        {ONNX_INT64, HYPERION_TYPE_I64, HYP_STORED_AS_IS, 7, HYP_WIRE_VARINT},
        {ONNX_INT32, HYPERION_TYPE_I32, HYP_STORED_AS_IS, 5, HYP_WIRE_VARINT},
        {ONNX_BOOL, HYPERION_TYPE_BOOL, HYP_STORED_AS_IS, 5, HYP_WIRE_VARINT},
        {ONNX_FLOAT16, HYPERION_TYPE_F32, HYP_STORED_F16, 5, HYP_WIRE_VARINT},
        {ONNX_BFLOAT16, HYPERION_TYPE_F32, HYP_STORED_BF16, 5, HYP_WIRE_VARINT},
        {ONNX_DOUBLE, HYPERION_TYPE_F32, HYP_STORED_F64, 10, HYP_WIRE_FIXED64},
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

// Type and shape of a constant.
static bool describe(const OnnxTensor *tensor, const char *name, HypShape *shape,
                     const ConstantType **type)
{
    *type = find_type(tensor->data_type);
    if (!*type)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                        "constant '%s': ONNX data type %" PRId64
                        " is not implemented in this version",
                        name, tensor->data_type);
    return hyp_shape_create(shape, name, (*type)->type, tensor->rank, tensor->dims);
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

// Bytes of a value of fixed size; 0 of varints.
static size_t value_bytes(const ConstantType *type)
{
    return type->value == HYP_WIRE_FIXED32 ? 4 : type->value == HYP_WIRE_FIXED64 ? 8 : 0;
}

// Number of values in a field of typed values.
static bool count_values(OnnxImport *import, const HypWireField *field, const ConstantType *type,
                         size_t *count)
{
    HypWireSpan rest = field->span;
    const uint64_t size_bytes = rest.end - rest.begin;
    const size_t each_bytes = value_bytes(type);
    *count = 0;
    if (each_bytes) {
        *count = (size_t)(size_bytes / each_bytes);
        return size_bytes % each_bytes == 0 ||
               hyp_wire_fail(import->wire, rest.begin,
                             each_bytes == 4 ? "floats of other than 4 bytes"
                                             : "doubles of other than 8 bytes");
    }
    while (rest.begin < rest.end) {
        uint64_t value;
        if (!hyp_wire_take_varint(import->wire, &rest, &value))
            return false;
        ++*count;
    }
    return true;
}

static bool find_values(OnnxImport *import, const OnnxTensor *tensor, const ConstantType *type,
                        TypedValues *values)
{
    HypWireSpan rest = tensor->message;
    HypWireField field;
    HypWireStep step;
    *values = (TypedValues){0};
    while ((step = hyp_wire_next(import->wire, &rest, &field)) == HYP_WIRE_FIELD) {
        size_t count;
        if (field.number != type->number)
            continue;
        if (field.type != HYP_WIRE_BYTES &&
            !hyp_wire_expect(import->wire, &field, type->value, "a value"))
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
static void store_value(void *data, const ConstantType *type, size_t index, uint64_t value)
{
    const uint16_t half = (uint16_t)value;
    switch (type->type) {
    case HYPERION_TYPE_I64: ((int64_t *)data)[index] = (int64_t)value; break;
    case HYPERION_TYPE_I32: ((int32_t *)data)[index] = (int32_t)(int64_t)value; break;
    case HYPERION_TYPE_F32:
        hyp_stored_convert(type->stored, &half, (float *)data + index, 1);
        break;
    default: ((unsigned char *)data)[index] = value != 0; break;
    }
}

// Converts the values of one field, from `data[*index]` on.
static bool convert_field(OnnxImport *import, HypWireSpan values, const ConstantType *type,
                          void *data, size_t *index)
{
    const size_t each_bytes = value_bytes(type);
    while (values.begin < values.end) {
        uint64_t value;
        if (each_bytes) {
            if (!hyp_wire_copy(import->wire, values.begin, &value, each_bytes))
                return false;
            values.begin += each_bytes;
            if (type->stored == HYP_STORED_AS_IS)
                memcpy((float *)data + *index, &value, sizeof(float));
            else
                hyp_stored_convert(type->stored, &value, (float *)data + *index, 1);
        } else {
            if (!hyp_wire_take_varint(import->wire, &values, &value))
                return false;
            store_value(data, type, *index, value);
        }
        ++*index;
    }
    return true;
}

// Converts all typed values to `data`, which has room for them.
static bool convert_values(OnnxImport *import, const OnnxTensor *tensor, const ConstantType *type,
                           void *data)
{
    HypWireSpan rest = tensor->message;
    HypWireField field;
    HypWireStep step;
    size_t index = 0;
    while ((step = hyp_wire_next(import->wire, &rest, &field)) == HYP_WIRE_FIELD)
        if (field.number == type->number && !convert_field(import, field.span, type, data, &index))
            return false;
    return step == HYP_WIRE_END;
}

// The number of the file of the model that is called `location` in this one; -1 on failure.
static int open_external(OnnxImport *import, const char *location)
{
    const int known = hyp_name_map_get(&import->locations, location);
    if (known >= 0)
        return known;
    HypFile *file = hyp_platform_open_beside(import->wire->path, location);
    if (!file)
        return -1;
    const int index = hyp_model_adopt_file(import->model, file);
    if (index < 0)
        hyp_platform_close(file);
    else
        import->folder.budget_bytes += hyp_onnx_fold_budget(file);
    return index >= 0 && hyp_onnx_set_name(import, &import->locations, location, index) ? index
                                                                                        : -1;
}

// How the bytes of a constant are to be had.
typedef struct ConstantBytes {
    HypShape shape;
    const ConstantType *type;
    bool in_place; // in a file, at `place`; else to be converted
    HypWeightPlace place;
} ConstantBytes;

static bool locate_external(OnnxImport *import, const char *name, const OnnxTensor *tensor,
                            ConstantBytes *bytes)
{
    size_t size_bytes;
    const int file = open_external(import, tensor->location);
    if (file < 0)
        return hyp_fail(hyperionGetLastErrorKind(), "constant '%s': %s", name,
                        hyperionGetLastError());
    const uint64_t file_bytes = hyp_platform_file_bytes(import->model->files[file]);
    if (!hyp_stored_bytes(bytes->type->stored, bytes->shape.type, bytes->shape.element_count,
                          &size_bytes) ||
        tensor->offset > file_bytes || size_bytes > file_bytes - tensor->offset)
        return hyp_fail(HYPERION_ERROR_FORMAT,
                        "constant '%s' at %" PRIu64 " of '%s' reaches past its %" PRIu64 " bytes",
                        name, tensor->offset, tensor->location, file_bytes);
    bytes->in_place = true;
    bytes->place = (HypWeightPlace){file, tensor->offset, bytes->type->stored};
    return true;
}

static bool locate(OnnxImport *import, const char *name, const OnnxTensor *tensor,
                   ConstantBytes *bytes)
{
    TypedValues values;
    size_t size_bytes = 0;
    *bytes = (ConstantBytes){0};
    if (!describe(tensor, name, &bytes->shape, &bytes->type))
        return false;
    if (tensor->external)
        return locate_external(import, name, tensor, bytes);
    bytes->place.stored = bytes->type->stored;
    if (tensor->has_raw) {
        const uint64_t raw_bytes = tensor->raw.end - tensor->raw.begin;
        bytes->in_place = true;
        bytes->place.offset = tensor->raw.begin;
        return (hyp_stored_bytes(bytes->type->stored, bytes->shape.type, bytes->shape.element_count,
                                 &size_bytes) &&
                raw_bytes == size_bytes) ||
               fail_size(name, &bytes->shape, "bytes", raw_bytes);
    }
    if (!find_values(import, tensor, bytes->type, &values))
        return false;
    bytes->in_place = value_bytes(bytes->type) > 0 && values.field_count == 1 && values.packed;
    bytes->place.offset = values.last.begin;
    return values.count == bytes->shape.element_count ||
           fail_size(name, &bytes->shape, "values", values.count);
}

int hyp_onnx_add_weight(OnnxImport *import, const char *name, const OnnxTensor *tensor)
{
    ConstantBytes bytes;
    if (!locate(import, name, tensor, &bytes))
        return -1;
    const char *unique = hyp_onnx_unique_name(import, name);
    if (!unique)
        return -1;
    if (bytes.in_place)
        return hyp_model_add_file_weight(import->model, unique, &bytes.shape, bytes.place);
    // No more than a few times the bytes in the file: that many values were found there.
    void *data = hyp_platform_allocate(bytes.shape.size_bytes, 64);
    if (!data)
        return -1;
    int id = -1;
    if (convert_values(import, tensor, bytes.type, data))
        id = hyp_model_adopt_weight(import->model, unique, &bytes.shape, data);
    if (id < 0)
        hyp_platform_release(data);
    return id;
}
