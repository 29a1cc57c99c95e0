// SPDX-License-Identifier: Apache-2.0
// plan_check.c - whether a plan of offsets holds, by its definition alone: shares nothing with the
// planners.
#include "hyperion/planners.h"

#include "common/fail.h"

static bool lies_within(const HyperionBuffer *buffer, size_t index, size_t offset,
                        size_t capacity_bytes)
{
    if (offset > capacity_bytes || buffer->size_bytes > capacity_bytes - offset)
        return hyp_fail(
            HYPERION_ERROR_ARGUMENT,
            "check offsets: buffer %zu, %zu bytes at %zu, ends past the capacity of %zu", index,
            buffer->size_bytes, offset, capacity_bytes);
    return buffer->alignment <= 1 || offset % buffer->alignment == 0 ||
           hyp_fail(HYPERION_ERROR_ARGUMENT,
                    "check offsets: buffer %zu at %zu, expected a multiple of %zu", index, offset,
                    buffer->alignment);
}

static bool is_empty(const HyperionBuffer *buffer)
{
    return buffer->lower >= buffer->upper || buffer->size_bytes == 0;
}

static bool meet(const HyperionBuffer *a, const HyperionBuffer *b)
{
    return !is_empty(a) && !is_empty(b) && a->lower < b->upper && b->lower < a->upper;
}

bool hyperionCheckOffsets(const HyperionBuffer *buffers, size_t count, const size_t *offsets,
                          size_t capacity_bytes)
{
    if (count > 0 && (!buffers || !offsets))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "check offsets: %s is NULL",
                        buffers ? "offsets" : "buffers");
    for (size_t i = 0; i < count; i++) {
        if (is_empty(&buffers[i]))
            continue;
        if (!lies_within(&buffers[i], i, offsets[i], capacity_bytes))
            return false;
        for (size_t j = 0; j < i; j++)
            if (meet(&buffers[i], &buffers[j]) && offsets[i] < offsets[j] + buffers[j].size_bytes &&
                offsets[j] < offsets[i] + buffers[i].size_bytes)
                return hyp_fail(
                    HYPERION_ERROR_ARGUMENT,
                    "check offsets: buffers %zu and %zu are needed at the same time and "
                    "overlap: %zu bytes at %zu, %zu bytes at %zu",
                    j, i, buffers[j].size_bytes, offsets[j], buffers[i].size_bytes, offsets[i]);
    }
    return true;
}
