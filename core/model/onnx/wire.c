// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/wire.h"

#include "common/fail.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum { MOST_TEXT_BYTES = 4096 };

bool hyp_wire_fail(const HypWire *wire, uint64_t position, const char *reason)
{
    return hyp_fail(HYPERION_ERROR_FORMAT, "%s: byte %" PRIu64 ": %s", wire->path, position,
                    reason);
}

bool hyp_wire_expect(const HypWire *wire, const HypWireField *field, HypWireType type,
                     const char *what)
{
    return field->type == type ||
           hyp_fail(HYPERION_ERROR_FORMAT, "%s: byte %" PRIu64 ": %s has wire type %d, expected %d",
                    wire->path, field->span.begin, what, (int)field->type, (int)type);
}

// Makes the window begin at `position`, which is inside the file.
static bool move_window(HypWire *wire, uint64_t position)
{
    const uint64_t left_bytes = hyp_platform_file_bytes(wire->file) - position;
    wire->window_bytes = 0; // nothing, should the read fail
    const size_t size_bytes =
        left_bytes < sizeof wire->window ? (size_t)left_bytes : sizeof wire->window;
    if (!hyp_platform_read(wire->file, position, wire->window, size_bytes))
        return false;
    wire->window_begin = position;
    wire->window_bytes = size_bytes;
    return true;
}

bool hyp_wire_copy(HypWire *wire, uint64_t position, void *buffer, size_t size_bytes)
{
    assert(position + size_bytes <= hyp_platform_file_bytes(wire->file));
    if (size_bytes > sizeof wire->window)
        return hyp_platform_read(wire->file, position, buffer, size_bytes);
    const bool inside = position >= wire->window_begin &&
                        position + size_bytes <= wire->window_begin + wire->window_bytes;
    if (!inside && !move_window(wire, position))
        return false;
    memcpy(buffer, wire->window + (position - wire->window_begin), size_bytes);
    return true;
}

bool hyp_wire_take_varint(HypWire *wire, HypWireSpan *rest, uint64_t *value)
{
    const uint64_t begin = rest->begin;
    uint64_t result = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        unsigned char byte;
        if (rest->begin >= rest->end)
            return hyp_wire_fail(wire, begin, "a number does not end");
        if (!hyp_wire_copy(wire, rest->begin, &byte, 1))
            return false;
        rest->begin++;
        if (shift == 63 && byte > 1)
            return hyp_wire_fail(wire, begin, "a number has more than 64 bits");
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *value = result;
            return true;
        }
    }
    return hyp_wire_fail(wire, begin, "a number has more than 64 bits");
}

// Sets the field's span, `size_bytes` long, and moves `rest` behind it.
static bool take_span(HypWire *wire, HypWireSpan *rest, uint64_t size_bytes, HypWireField *field)
{
    if (size_bytes > rest->end - rest->begin)
        return hyp_fail(HYPERION_ERROR_FORMAT,
                        "%s: byte %" PRIu64 ": a field of %" PRIu64 " bytes where %" PRIu64
                        " are left",
                        wire->path, rest->begin, size_bytes, rest->end - rest->begin);
    field->span = (HypWireSpan){rest->begin, rest->begin + size_bytes};
    rest->begin = field->span.end;
    return true;
}

static bool take_fixed(HypWire *wire, HypWireSpan *rest, size_t size_bytes, HypWireField *field)
{
    unsigned char bytes[8];
    if (!take_span(wire, rest, size_bytes, field) ||
        !hyp_wire_copy(wire, field->span.begin, bytes, size_bytes))
        return false;
    field->value = 0;
    for (size_t i = size_bytes; i-- > 0;)
        field->value = field->value << 8 | bytes[i];
    return true;
}

static bool take_payload(HypWire *wire, HypWireSpan *rest, HypWireField *field)
{
    uint64_t size_bytes = 0;
    switch (field->type) {
    case HYP_WIRE_VARINT:
        field->span.begin = rest->begin;
        if (!hyp_wire_take_varint(wire, rest, &field->value))
            return false;
        field->span.end = rest->begin;
        return true;
    case HYP_WIRE_FIXED64: return take_fixed(wire, rest, 8, field);
    case HYP_WIRE_FIXED32: return take_fixed(wire, rest, 4, field);
    case HYP_WIRE_BYTES:
        return hyp_wire_take_varint(wire, rest, &size_bytes) &&
               take_span(wire, rest, size_bytes, field);
    }
    return hyp_wire_fail(wire, rest->begin, "unknown wire type");
}

HypWireStep hyp_wire_next(HypWire *wire, HypWireSpan *rest, HypWireField *field)
{
    if (rest->begin >= rest->end)
        return HYP_WIRE_END;
    const uint64_t begin = rest->begin;
    uint64_t key = 0;
    if (!hyp_wire_take_varint(wire, rest, &key))
        return HYP_WIRE_BROKEN;
    const uint64_t number = key >> 3;
    if (number == 0 || number > (1U << 29) - 1) {
        (void)hyp_wire_fail(wire, begin, "field number out of range");
        return HYP_WIRE_BROKEN;
    }
    *field = (HypWireField){.number = (uint32_t)number, .type = (HypWireType)(key & 7)};
    return take_payload(wire, rest, field) ? HYP_WIRE_FIELD : HYP_WIRE_BROKEN;
}

bool hyp_wire_count(HypWire *wire, HypWireSpan message, uint32_t number, size_t *count)
{
    HypWireField field;
    HypWireStep step;
    *count = 0;
    while ((step = hyp_wire_next(wire, &message, &field)) == HYP_WIRE_FIELD)
        *count += field.number == number;
    return step == HYP_WIRE_END;
}

// Length of the UTF-8 character at `text`, 0 if it is malformed or a control character.
static size_t measure_character(const unsigned char *text, size_t left_bytes)
{
    static const uint32_t least[] = {0, 0x20, 0x80, 0x800, 0x10000};
    const unsigned char lead = text[0];
    const size_t length = lead < 0x80   ? 1
                          : lead < 0xc0 ? 0
                          : lead < 0xe0 ? 2
                          : lead < 0xf0 ? 3
                          : lead < 0xf8 ? 4
                                        : 0;
    if (length == 0 || length > left_bytes)
        return 0;
    uint32_t point = length == 1 ? lead : lead & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3f);
    }
    const bool good = point >= least[length] && point != 0x7f && point <= 0x10ffff &&
                      (point < 0xd800 || point > 0xdfff);
    return good ? length : 0;
}

char *hyp_wire_take_text(HypWire *wire, const HypWireField *field, HypArena *arena)
{
    const uint64_t length = field->span.end - field->span.begin;
    if (!hyp_wire_expect(wire, field, HYP_WIRE_BYTES, "a text"))
        return NULL;
    if (length > MOST_TEXT_BYTES) {
        (void)hyp_wire_fail(wire, field->span.begin, "a text of more than 4096 bytes");
        return NULL;
    }
    char *text = hyp_arena_allocate(arena, (size_t)length + 1, 1);
    if (!text || !hyp_wire_copy(wire, field->span.begin, text, (size_t)length))
        return NULL;
    for (size_t i = 0; i < length;) {
        const size_t step = measure_character((const unsigned char *)text + i, (size_t)length - i);
        if (step == 0) {
            (void)hyp_wire_fail(wire, field->span.begin + i,
                                "a text that is not UTF-8, or has control characters");
            return NULL;
        }
        i += step;
    }
    return text;
}
