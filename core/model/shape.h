// SPDX-License-Identifier: Apache-2.0
// shape.h - type and dimensions of a tensor, with sizes known not to overflow.
#ifndef HYP_SHAPE_H
#define HYP_SHAPE_H

#include "hyperion/types.h"

typedef struct HypShape {
    HyperionType type;
    int rank;
    int64_t dims[HYPERION_MAX_RANK]; // >= 0; those past rank are 0
    size_t element_count;
    size_t size_bytes;
} HypShape;

enum { HYP_SHAPE_TEXT_BYTES = 192 };

// False, last error set, for an unknown type, a rank outside 0..HYPERION_MAX_RANK, a negative
// dimension, or a size past PTRDIFF_MAX. `what` names the tensor in the message. `dims` may be
// NULL when rank is 0.
bool hyp_shape_create(HypShape *shape, const char *what, HyperionType type, int rank,
                      const int64_t *dims);

// Same type and dimensions.
bool hyp_shape_equal(const HypShape *a, const HypShape *b);

// Product of the dimensions from `first` up to, not including, `end`.
size_t hyp_shape_product(const HypShape *shape, int first, int end);

// "1x8x28x28 f32", "scalar i64", in the caller's buffer, which is returned.
const char *hyp_shape_text(const HypShape *shape, char text[HYP_SHAPE_TEXT_BYTES]);

#endif
