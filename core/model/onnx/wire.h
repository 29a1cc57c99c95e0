// SPDX-License-Identifier: Apache-2.0
// wire.h - the protocol-buffer wire format, scanned in a file without copying it: fields of a
// message with their place in the file. Payloads are read only when asked for.
// Format: protobuf.dev/programming-guides/encoding.
#ifndef HYP_WIRE_H
#define HYP_WIRE_H

#include "common/arena.h"
#include "platform/platform.h"

// Bytes of the file from begin up to, not including, end; always inside the file.
typedef struct HypWireSpan {
    uint64_t begin, end;
} HypWireSpan;

typedef enum HypWireType {
    HYP_WIRE_VARINT = 0,
    HYP_WIRE_FIXED64 = 1,
    HYP_WIRE_BYTES = 2,
    HYP_WIRE_FIXED32 = 5
} HypWireType;

typedef struct HypWireField {
    uint32_t number;
    HypWireType type;
    uint64_t value;   // of a varint or a fixed one
    HypWireSpan span; // of the payload, whatever the type
} HypWireField;

typedef struct HypWire {
    const HypFile *file;
    const char *path; // for messages
    uint64_t window_begin;
    size_t window_bytes; // read so far from window_begin
    unsigned char window[16 * 1024];
} HypWire;

// What a step over a message found.
typedef enum HypWireStep {
    HYP_WIRE_FIELD,
    HYP_WIRE_END,
    HYP_WIRE_BROKEN // last error set
} HypWireStep;

// The first field of `rest`, which then begins behind it.
HypWireStep hyp_wire_next(HypWire *wire, HypWireSpan *rest, HypWireField *field);

// The varint at the beginning of `rest`, which then begins behind it. False at a malformed one.
bool hyp_wire_take_varint(HypWire *wire, HypWireSpan *rest, uint64_t *value);

// Copies `size_bytes` from `position`, which must be inside the file.
bool hyp_wire_copy(HypWire *wire, uint64_t position, void *buffer, size_t size_bytes);

// The text of a field in `arena`: at most 4096 bytes of UTF-8 without control characters. NULL on
// failure.
char *hyp_wire_take_text(HypWire *wire, const HypWireField *field, HypArena *arena);

// Number of fields `number` in a message; false where it is malformed.
bool hyp_wire_count(HypWire *wire, HypWireSpan message, uint32_t number, size_t *count);

// Fails with "path: byte N: reason".
bool hyp_wire_fail(const HypWire *wire, uint64_t position, const char *reason);

// Fails unless the field has this type; `what` names it.
bool hyp_wire_expect(const HypWire *wire, const HypWireField *field, HypWireType type,
                     const char *what);

#endif
