// SPDX-License-Identifier: Apache-2.0
#include "model/shape.h"

#include "hyperion/tensor.h"

#include "common/fail.h"
#include "common/size_math.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *name;
    size_t size_bytes;
} type_table[HYPERION_TYPE_COUNT] = {
    [HYPERION_TYPE_F32] = {"f32", 4},
    [HYPERION_TYPE_I64] = {"i64", 8},
    [HYPERION_TYPE_I32] = {"i32", 4},
    [HYPERION_TYPE_BOOL] = {"bool", 1},
};

size_t hyperionTypeBytes(HyperionType type)
{
    return (unsigned)type < HYPERION_TYPE_COUNT ? type_table[type].size_bytes : 0;
}

const char *hyperionTypeName(HyperionType type)
{
    return (unsigned)type < HYPERION_TYPE_COUNT ? type_table[type].name : "unknown";
}

bool hyp_shape_create(HypShape *shape, const char *what, HyperionType type, int rank,
                      const int64_t *dims)
{
    if ((unsigned)type >= HYPERION_TYPE_COUNT)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: unknown type %d", what, (int)type);
    if (rank < 0 || rank > HYPERION_MAX_RANK)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: rank %d, expected 0 to %d", what, rank,
                        HYPERION_MAX_RANK);
    if (rank > 0 && !dims)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: dims is NULL", what);
    HypShape made = {.type = type, .rank = rank, .element_count = 1};
    // A dimension of 0 counts as 1 here: what the others multiply to may not overflow either.
    size_t bound_bytes = hyperionTypeBytes(type);
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0)
            return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: dimension %d is %" PRId64, what, i,
                            dims[i]);
        if (!hyp_size_multiply(bound_bytes, dims[i] ? (size_t)dims[i] : 1, &bound_bytes) ||
            bound_bytes > PTRDIFF_MAX)
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "%s: dimension %d, %" PRId64 ", makes it larger than the address space",
                            what, i, dims[i]);
        made.dims[i] = dims[i];
        made.element_count *= (size_t)dims[i];
    }
    made.size_bytes = made.element_count * hyperionTypeBytes(type);
    *shape = made;
    return true;
}

bool hyp_shape_equal(const HypShape *a, const HypShape *b)
{
    if (a->type != b->type || a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

size_t hyp_shape_product(const HypShape *shape, int first, int end)
{
    size_t product = 1;
    for (int i = first; i < end; i++)
        product *= (size_t)shape->dims[i];
    return product;
}

const char *hyp_shape_text(const HypShape *shape, char text[HYP_SHAPE_TEXT_BYTES])
{
    size_t used = 0;
    for (int i = 0; i < shape->rank; i++)
        used += (size_t)snprintf(text + used, HYP_SHAPE_TEXT_BYTES - used, "%s%" PRId64,
                                 i ? "x" : "", shape->dims[i]);
    (void)snprintf(text + used, HYP_SHAPE_TEXT_BYTES - used, "%s %s", shape->rank ? "" : "scalar",
                   hyperionTypeName(shape->type));
    return text;
}
