// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/wire_out.h"

#include "common/fail.h"
#include "model/onnx/wire.h"

#include <stdlib.h>
#include <string.h>

enum { TYPE_BITS = 3, FIRST_BYTES = 256 };

static bool reserve(HypWireOut *out, size_t more)
{
    if (out->failed)
        return false;
    if (more <= out->capacity - out->count)
        return true;
    size_t capacity = out->capacity ? out->capacity : FIRST_BYTES;
    while (capacity - out->count < more && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    unsigned char *grown = capacity - out->count >= more ? realloc(out->bytes, capacity) : NULL;
    if (!grown) {
        out->failed = true;
        return hyp_fail(HYPERION_ERROR_MEMORY, "write a message: no memory for %zu bytes more",
                        more);
    }
    out->bytes = grown;
    out->capacity = capacity;
    return true;
}

static void append(HypWireOut *out, const void *bytes, size_t count)
{
    if (count == 0 || !reserve(out, count))
        return;
    memcpy(out->bytes + out->count, bytes, count);
    out->count += count;
}

void hyp_wire_out_varint(HypWireOut *out, uint64_t value)
{
    unsigned char bytes[10];
    size_t count = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[count++] = (unsigned char)(value | 0x80);
    bytes[count++] = (unsigned char)value;
    append(out, bytes, count);
}

static void put_key(HypWireOut *out, uint32_t field, HypWireType type)
{
    hyp_wire_out_varint(out, (uint64_t)field << TYPE_BITS | (uint64_t)type);
}

void hyp_wire_out_int(HypWireOut *out, uint32_t field, int64_t value)
{
    put_key(out, field, HYP_WIRE_VARINT);
    hyp_wire_out_varint(out, (uint64_t)value);
}

void hyp_wire_out_float(HypWireOut *out, uint32_t field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    unsigned char bytes[sizeof bits];
    for (size_t i = 0; i < sizeof bits; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    put_key(out, field, HYP_WIRE_FIXED32);
    append(out, bytes, sizeof bytes);
}

void hyp_wire_out_head(HypWireOut *out, uint32_t field, uint64_t size_bytes)
{
    put_key(out, field, HYP_WIRE_BYTES);
    hyp_wire_out_varint(out, size_bytes);
}

void hyp_wire_out_bytes(HypWireOut *out, uint32_t field, const void *bytes, size_t count)
{
    hyp_wire_out_head(out, field, count);
    append(out, bytes, count);
}

void hyp_wire_out_text(HypWireOut *out, uint32_t field, const char *text)
{
    hyp_wire_out_bytes(out, field, text, strlen(text));
}

void hyp_wire_out_message(HypWireOut *out, uint32_t field, const HypWireOut *inner)
{
    out->failed = out->failed || inner->failed;
    hyp_wire_out_bytes(out, field, inner->bytes, inner->count);
}

void hyp_wire_out_fields(HypWireOut *out, const HypWireOut *fields)
{
    out->failed = out->failed || fields->failed;
    append(out, fields->bytes, fields->count);
}

void hyp_wire_out_clear(HypWireOut *out)
{
    out->count = 0;
}

void hyp_wire_out_free(HypWireOut *out)
{
    free(out->bytes);
    *out = (HypWireOut){0};
}
