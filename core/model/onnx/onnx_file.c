// SPDX-License-Identifier: Apache-2.0
// Field numbers are those of onnx/onnx.proto (ONNX 1.16).
#include "model/onnx/onnx_file.h"

#include "common/fail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// What reading needs everywhere.
typedef struct Reader {
    HypWire *wire;
    HypArena *arena;
} Reader;

// Reads one field into the thing at hand; unknown fields are left alone.
typedef bool (*ReadField)(const Reader *reader, const HypWireField *field, void *target);

static bool read_message(const Reader *reader, HypWireSpan message, ReadField read, void *target)
{
    HypWireField field;
    HypWireStep step;
    while ((step = hyp_wire_next(reader->wire, &message, &field)) == HYP_WIRE_FIELD)
        if (!read(reader, &field, target))
            return false;
    return step == HYP_WIRE_END;
}

static bool read_submessage(const Reader *reader, const HypWireField *field, const char *what,
                            ReadField read, void *target)
{
    return hyp_wire_expect(reader->wire, field, HYP_WIRE_BYTES, what) &&
           read_message(reader, field->span, read, target);
}

static bool read_text(const Reader *reader, const HypWireField *field, const char **text)
{
    *text = hyp_wire_take_text(reader->wire, field, reader->arena);
    return *text != NULL;
}

static bool read_int(const Reader *reader, const HypWireField *field, int64_t *value)
{
    *value = (int64_t)field->value;
    return hyp_wire_expect(reader->wire, field, HYP_WIRE_VARINT, "a number");
}

// Appends the whole numbers of a field, packed or single; *count may pass `most`, the rest is lost.
static bool read_ints(const Reader *reader, const HypWireField *field, int64_t *values, size_t most,
                      size_t *count)
{
    HypWireSpan rest = field->span;
    if (field->type != HYP_WIRE_BYTES &&
        !hyp_wire_expect(reader->wire, field, HYP_WIRE_VARINT, "a number"))
        return false;
    while (rest.begin < rest.end) {
        uint64_t value;
        if (!hyp_wire_take_varint(reader->wire, &rest, &value))
            return false;
        if (*count < most)
            values[*count] = (int64_t)value;
        ++*count;
    }
    return true;
}

// Rank that does not overflow an int, for messages only once past the maximum.
static int clamp_rank(size_t count)
{
    return count > HYPERION_MAX_RANK ? HYPERION_MAX_RANK + 1 : (int)count;
}

// StringStringEntryProto.
typedef struct Entry {
    const char *key, *value;
} Entry;

static bool read_entry_field(const Reader *reader, const HypWireField *field, void *target)
{
    Entry *entry = target;
    switch (field->number) {
    case 1: return read_text(reader, field, &entry->key);
    case 2: return read_text(reader, field, &entry->value);
    default: return true;
    }
}

// Where the bytes are in another file. A length is not looked at: type and shape say it.
static bool read_external(const Reader *reader, const HypWireField *field, OnnxTensor *tensor)
{
    Entry entry = {"", ""};
    char *end = NULL;
    tensor->external = true;
    if (!read_submessage(reader, field, "external_data", read_entry_field, &entry))
        return false;
    if (strcmp(entry.key, "location") == 0)
        tensor->location = entry.value;
    if (strcmp(entry.key, "offset") != 0)
        return true;
    errno = 0;
    tensor->offset = strtoull(entry.value, &end, 10);
    return (entry.value[0] >= '0' && entry.value[0] <= '9' && !*end && errno == 0) ||
           hyp_wire_fail(reader->wire, field->span.begin, "an offset that is no number");
}

static bool read_tensor_field(const Reader *reader, const HypWireField *field, void *target)
{
    OnnxTensor *tensor = target;
    size_t count = (size_t)tensor->rank;
    int64_t location;
    switch (field->number) {
    case 1: // dims
        if (!read_ints(reader, field, tensor->dims, HYPERION_MAX_RANK, &count))
            return false;
        tensor->rank = clamp_rank(count);
        return true;
    case 2: return read_int(reader, field, &tensor->data_type);
    case 8: return read_text(reader, field, &tensor->name);
    case 9: // raw_data
        tensor->has_raw = true;
        tensor->raw = field->span;
        return hyp_wire_expect(reader->wire, field, HYP_WIRE_BYTES, "raw_data");
    case 13: return read_external(reader, field, tensor);
    case 14: // data_location
        if (!read_int(reader, field, &location))
            return false;
        tensor->external |= location != 0;
        return true;
    default: return true;
    }
}

bool hyp_onnx_read_tensor(HypWire *wire, HypArena *arena, HypWireSpan message, OnnxTensor *tensor)
{
    const Reader reader = {.wire = wire, .arena = arena};
    *tensor = (OnnxTensor){.name = "", .location = "", .message = message};
    return read_message(&reader, message, read_tensor_field, tensor);
}

// The bytes of a short text attribute; others are not kept: they may be anything.
static bool read_word(const Reader *reader, const HypWireField *field, char word[ONNX_WORD_BYTES])
{
    const uint64_t length = field->span.end - field->span.begin;
    memset(word, 0, ONNX_WORD_BYTES);
    return hyp_wire_expect(reader->wire, field, HYP_WIRE_BYTES, "a text attribute") &&
           (length >= ONNX_WORD_BYTES ||
            hyp_wire_copy(reader->wire, field->span.begin, word, (size_t)length));
}

static bool read_attribute_field(const Reader *reader, const HypWireField *field, void *target)
{
    OnnxAttribute *attribute = target;
    uint32_t bits;
    switch (field->number) {
    case 1: return read_text(reader, field, &attribute->name);
    case 2: // f
        bits = (uint32_t)field->value;
        memcpy(&attribute->f, &bits, sizeof bits);
        return hyp_wire_expect(reader->wire, field, HYP_WIRE_FIXED32, "a float attribute");
    case 3: return read_int(reader, field, &attribute->i);
    case 4: return read_word(reader, field, attribute->s);
    case 5: // t
        attribute->tensor = hyp_arena_allocate(reader->arena, 1, sizeof *attribute->tensor);
        return attribute->tensor &&
               hyp_wire_expect(reader->wire, field, HYP_WIRE_BYTES, "a tensor") &&
               hyp_onnx_read_tensor(reader->wire, reader->arena, field->span, attribute->tensor);
    case 6: // g
        attribute->has_graph = true;
        attribute->graph = field->span;
        return hyp_wire_expect(reader->wire, field, HYP_WIRE_BYTES, "a graph");
    case 8: // ints
        return read_ints(reader, field, attribute->ints, ONNX_MOST_INTS, &attribute->int_count);
    default: return true;
    }
}

static bool read_node_field(const Reader *reader, const HypWireField *field, void *target)
{
    OnnxNode *node = target;
    OnnxAttribute *attribute;
    switch (field->number) {
    case 1: return read_text(reader, field, &node->inputs[node->input_count++]);
    case 2: return read_text(reader, field, &node->outputs[node->output_count++]);
    case 3: return read_text(reader, field, &node->name);
    case 4: return read_text(reader, field, &node->op_type);
    case 5:
        attribute = &node->attributes[node->attribute_count++];
        *attribute = (OnnxAttribute){.name = "", .message = field->span};
        return read_submessage(reader, field, "an attribute", read_attribute_field, attribute);
    case 7: return read_text(reader, field, &node->domain);
    default: return true;
    }
}

// Room for as many items as the message has fields `number`, none of them shorter than
// `least_bytes` and no more than `most`. NULL on failure.
static void *make_room(const Reader *reader, HypWireSpan message, uint32_t number,
                       uint64_t least_bytes, size_t most, size_t item_bytes)
{
    HypWireField field;
    HypWireStep step;
    size_t count = 0;
    while ((step = hyp_wire_next(reader->wire, &message, &field)) == HYP_WIRE_FIELD) {
        if (field.number != number)
            continue;
        if (field.span.end - field.span.begin < least_bytes || ++count > most) {
            (void)hyp_fail(HYPERION_ERROR_FORMAT,
                           "%s: byte %" PRIu64 ": an empty item, or more than %zu",
                           reader->wire->path, field.span.begin, most);
            return NULL;
        }
    }
    return step == HYP_WIRE_END ? hyp_arena_allocate(reader->arena, count, item_bytes) : NULL;
}

bool hyp_onnx_read_node(HypWire *wire, HypArena *arena, HypWireSpan message, OnnxNode *node)
{
    // No operator has that many attributes; some take any number of inputs.
    enum { MOST_ATTRIBUTES = 64, MOST_VALUES = 4096 };
    const Reader reader = {.wire = wire, .arena = arena};
    *node = (OnnxNode){.name = "", .op_type = "", .domain = ""};
    node->inputs = make_room(&reader, message, 1, 0, MOST_VALUES, sizeof *node->inputs);
    node->outputs = make_room(&reader, message, 2, 0, MOST_VALUES, sizeof *node->outputs);
    node->attributes = make_room(&reader, message, 5, 0, MOST_ATTRIBUTES, sizeof *node->attributes);
    return node->inputs && node->outputs && node->attributes &&
           read_message(&reader, message, read_node_field, node);
}

// Both lists of an attribute, counted first, then kept.
static bool read_numbers_field(const Reader *reader, const HypWireField *field, void *target)
{
    OnnxNumbers *numbers = target;
    const uint64_t size_bytes = field->span.end - field->span.begin;
    if (field->number == 8)
        return read_ints(reader, field, numbers->ints, numbers->ints ? SIZE_MAX : 0,
                         &numbers->int_count);
    if (field->number != 7)
        return true;
    if (size_bytes % 4 != 0)
        return hyp_wire_fail(reader->wire, field->span.begin, "floats of other than 4 bytes");
    if (numbers->floats &&
        !hyp_wire_copy(reader->wire, field->span.begin, numbers->floats + numbers->float_count,
                       (size_t)size_bytes))
        return false;
    numbers->float_count += (size_t)size_bytes / 4;
    return true;
}

bool hyp_onnx_read_numbers(HypWire *wire, HypArena *arena, const OnnxAttribute *attribute,
                           OnnxNumbers *numbers)
{
    const Reader reader = {.wire = wire, .arena = arena};
    OnnxNumbers counted = {0};
    if (!read_message(&reader, attribute->message, read_numbers_field, &counted))
        return false;
    *numbers = (OnnxNumbers){
        .ints = hyp_arena_allocate(arena, counted.int_count, sizeof *numbers->ints),
        .floats = hyp_arena_allocate(arena, counted.float_count, sizeof *numbers->floats)};
    return numbers->ints && numbers->floats &&
           read_message(&reader, attribute->message, read_numbers_field, numbers);
}

typedef struct Dimension {
    int64_t size;
    const char *symbol;
} Dimension;

// TensorShapeProto.Dimension: dim_value or dim_param.
static bool read_dim_field(const Reader *reader, const HypWireField *field, void *target)
{
    Dimension *dimension = target;
    switch (field->number) {
    case 1: return read_int(reader, field, &dimension->size);
    case 2: return read_text(reader, field, &dimension->symbol);
    default: return true;
    }
}

static bool read_shape_field(const Reader *reader, const HypWireField *field, void *target)
{
    OnnxValue *value = target;
    Dimension dimension = {.size = -1};
    if (field->number != 1)
        return true;
    if (!read_submessage(reader, field, "a dimension", read_dim_field, &dimension))
        return false;
    if (value->rank < HYPERION_MAX_RANK) {
        value->dims[value->rank] = dimension.size;
        value->symbols[value->rank] =
            dimension.symbol && dimension.symbol[0] ? dimension.symbol : NULL;
    }
    value->rank = clamp_rank((size_t)value->rank + 1);
    return true;
}

static bool read_tensor_type_field(const Reader *reader, const HypWireField *field, void *target)
{
    OnnxValue *value = target;
    switch (field->number) {
    case 1: return read_int(reader, field, &value->data_type);
    case 2:
        value->rank = 0;
        return read_submessage(reader, field, "a shape", read_shape_field, value);
    default: return true;
    }
}

static bool read_type_field(const Reader *reader, const HypWireField *field, void *target)
{
    return field->number != 1 ||
           read_submessage(reader, field, "a type", read_tensor_type_field, target);
}

static bool read_value_field(const Reader *reader, const HypWireField *field, void *target)
{
    OnnxValue *value = target;
    switch (field->number) {
    case 1: return read_text(reader, field, &value->name);
    case 2: return read_submessage(reader, field, "a type", read_type_field, value);
    default: return true;
    }
}

static bool read_value(const Reader *reader, const HypWireField *field, OnnxValue *value)
{
    *value = (OnnxValue){.name = "", .rank = -1};
    return read_submessage(reader, field, "an input or output", read_value_field, value);
}

static bool read_graph_field(const Reader *reader, const HypWireField *field, void *target)
{
    OnnxGraph *graph = target;
    switch (field->number) {
    case 1:
        graph->nodes[graph->node_count++] = field->span;
        return hyp_wire_expect(reader->wire, field, HYP_WIRE_BYTES, "a node");
    case 5:
        graph->initialisers[graph->initialiser_count++] = field->span;
        return hyp_wire_expect(reader->wire, field, HYP_WIRE_BYTES, "a tensor");
    case 11: return read_value(reader, field, &graph->inputs[graph->input_count++]);
    case 12: return read_value(reader, field, &graph->outputs[graph->output_count++]);
    case 15:
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                        "%s: sparse initialisers are not implemented in this version",
                        reader->wire->path);
    default: return true;
    }
}

bool hyp_onnx_read_graph(HypWire *wire, HypArena *arena, HypWireSpan message, OnnxGraph *graph)
{
    // A node has an operator, a tensor a name or a type: the least is a text of one character.
    enum { LEAST_BYTES = 3, MOST_VALUES = 2048 };
    const Reader reader = {.wire = wire, .arena = arena};
    *graph = (OnnxGraph){0};
    graph->nodes = make_room(&reader, message, 1, LEAST_BYTES, SIZE_MAX, sizeof *graph->nodes);
    graph->initialisers =
        make_room(&reader, message, 5, LEAST_BYTES, SIZE_MAX, sizeof *graph->initialisers);
    graph->inputs =
        make_room(&reader, message, 11, LEAST_BYTES, MOST_VALUES, sizeof *graph->inputs);
    graph->outputs =
        make_room(&reader, message, 12, LEAST_BYTES, MOST_VALUES, sizeof *graph->outputs);
    return graph->nodes && graph->initialisers && graph->inputs && graph->outputs &&
           read_message(&reader, message, read_graph_field, graph);
}

static bool read_top_graph(const Reader *reader, const HypWireField *field, OnnxFile *file)
{
    if (!hyp_wire_expect(reader->wire, field, HYP_WIRE_BYTES, "the graph"))
        return false;
    if (file->graph.nodes)
        return hyp_wire_fail(reader->wire, field->span.begin, "a second graph");
    return hyp_onnx_read_graph(reader->wire, reader->arena, field->span, &file->graph);
}

typedef struct OpsetImport {
    const char *domain;
    int64_t version;
} OpsetImport;

static bool read_opset_field(const Reader *reader, const HypWireField *field, void *target)
{
    OpsetImport *opset = target;
    switch (field->number) {
    case 1: return read_text(reader, field, &opset->domain);
    case 2: return read_int(reader, field, &opset->version);
    default: return true;
    }
}

static bool read_model_field(const Reader *reader, const HypWireField *field, void *target)
{
    OnnxFile *file = target;
    OpsetImport opset = {.domain = ""};
    switch (field->number) {
    case 7: return read_top_graph(reader, field, file);
    case 8:
        if (!read_submessage(reader, field, "an opset", read_opset_field, &opset))
            return false;
        if (!opset.domain[0] || strcmp(opset.domain, "ai.onnx") == 0)
            file->opset = opset.version;
        return true;
    default: return true;
    }
}

bool hyp_onnx_read(HypWire *wire, HypArena *arena, OnnxFile *file)
{
    const Reader reader = {.wire = wire, .arena = arena};
    *file = (OnnxFile){0};
    const HypWireSpan whole = {0, hyp_platform_file_bytes(wire->file)};
    if (!read_message(&reader, whole, read_model_field, file))
        return false;
    return file->graph.nodes ||
           hyp_fail(HYPERION_ERROR_FORMAT, "%s: not an ONNX model: it has no graph", wire->path);
}
