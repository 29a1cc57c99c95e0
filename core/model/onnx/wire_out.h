// SPDX-License-Identifier: Apache-2.0
// wire_out.h - messages in the protocol-buffer wire format, in the making. wire.h reads them.
#ifndef HYP_WIRE_OUT_H
#define HYP_WIRE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// All zero is an empty message. After one that ran out of memory, `failed` and the last error are
// set and nothing is added any more: it is enough to look at it at the end.
typedef struct HypWireOut {
    unsigned char *bytes;
    size_t count, capacity;
    bool failed;
} HypWireOut;

void hyp_wire_out_varint(HypWireOut *out, uint64_t value); // by itself, without a field's number
void hyp_wire_out_int(HypWireOut *out, uint32_t field, int64_t value);
void hyp_wire_out_float(HypWireOut *out, uint32_t field, float value);
void hyp_wire_out_bytes(HypWireOut *out, uint32_t field, const void *bytes, size_t count);
void hyp_wire_out_text(HypWireOut *out, uint32_t field, const char *text);
void hyp_wire_out_message(HypWireOut *out, uint32_t field, const HypWireOut *inner);

void hyp_wire_out_fields(HypWireOut *out, const HypWireOut *fields); // as they are

// What stands before `size_bytes` of payload that are written elsewhere.
void hyp_wire_out_head(HypWireOut *out, uint32_t field, uint64_t size_bytes);

void hyp_wire_out_clear(HypWireOut *out); // keeps the memory, and the failure
void hyp_wire_out_free(HypWireOut *out);

#endif
