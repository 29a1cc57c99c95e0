// SPDX-License-Identifier: Apache-2.0
// safetensors.h - the inside of an open safetensors file.
#ifndef HYP_SAFETENSORS_H
#define HYP_SAFETENSORS_H

#include "hyperion/weights.h"

#include "common/json_reader.h"
#include "platform/platform.h"

// Types of elements, one row each: X(name in the format, bits).
// https://github.com/huggingface/safetensors, safetensors/src/tensor.rs
#define HYP_SAFE_TYPES(X)                                                                          \
    X(BOOL, 8)                                                                                     \
    X(F4, 4)                                                                                       \
    X(F6_E2M3, 6)                                                                                  \
    X(F6_E3M2, 6)                                                                                  \
    X(U8, 8)                                                                                       \
    X(I8, 8)                                                                                       \
    X(F8_E5M2, 8)                                                                                  \
    X(F8_E4M3, 8)                                                                                  \
    X(F8_E8M0, 8)                                                                                  \
    X(F8_E4M3FNUZ, 8)                                                                              \
    X(F8_E5M2FNUZ, 8)                                                                              \
    X(I16, 16)                                                                                     \
    X(U16, 16)                                                                                     \
    X(F16, 16)                                                                                     \
    X(BF16, 16)                                                                                    \
    X(I32, 32)                                                                                     \
    X(U32, 32)                                                                                     \
    X(F32, 32)                                                                                     \
    X(C64, 64)                                                                                     \
    X(F64, 64)                                                                                     \
    X(I64, 64)                                                                                     \
    X(U64, 64)

#define HYP_SAFE_TYPE_CONSTANT(name, bits) HYP_SAFE_##name,
typedef enum HypSafeType { HYP_SAFE_TYPES(HYP_SAFE_TYPE_CONSTANT) HYP_SAFE_TYPE_COUNT } HypSafeType;
#undef HYP_SAFE_TYPE_CONSTANT

// By HypSafeType.
typedef struct HypSafeTypeFacts {
    const char *name;
    uint64_t bits;
} HypSafeTypeFacts;
extern const HypSafeTypeFacts hyp_safe_types[HYP_SAFE_TYPE_COUNT];

// Kept small: there may be as many as fit in the header, of at most 100,000,000 bytes.
typedef struct SafeTensor {
    const char *name; // in the header
    uint32_t name_bytes;
    uint32_t rank : 27;  // each dimension takes two bytes of the header
    uint32_t type : 5;   // HypSafeType
    uint64_t begin, end; // from the end of the header
    uint64_t dims[HYPERION_MAX_RANK];
} SafeTensor;

// A pair of __metadata__, as places in the header.
typedef struct SafeText {
    uint32_t key, key_bytes;
    uint32_t value, value_bytes;
} SafeText;

struct HyperionWeightsFile {
    HypFile *file;
    char *header; // its strings unescaped and ended by NULs
    uint64_t header_bytes;
    SafeTensor *tensors; // in the order of their bytes
    size_t tensor_count;
    SafeText *texts; // in the order of their keys
    size_t text_count;
};

enum {
    SAFETENSORS_LENGTH_BYTES = 8, // the header's length in front of it, little-endian
    SAFETENSORS_MOST_HEADER_BYTES = 100000000
};

// As hyperionWeightsMetadata, to be read further in place.
bool hyp_safetensors_metadata(const HyperionWeightsFile *file, const char *key,
                              HypJsonString *value);

#endif
