// SPDX-License-Identifier: Apache-2.0
#include "model/strided_copy.h"

#include "parallel_for.h"

#include <string.h>

// Where the last axis is not contiguous in `in` but another is, squares of TILE elements on a side:
// each line read is used up while it is in the first-level cache.
enum { TILE = 16, RUN_ELEMENTS = 16 * 1024 };

// A copy cut into pieces of the same kind: `outer` axes, and a piece of one axis, `cut`, at each of
// their indices. In bytes.
typedef struct Pieces {
    HypStridedCopy copy; // merged; the axes that are not outer come last
    size_t element_bytes;
    int outer_count;
    size_t cut_step; // elements of the first inner axis that make a piece
    size_t cuts;     // pieces of that axis
    size_t total;
    const char *in;
    char *out;
} Pieces;

void hyp_strided_dense(int rank, const int64_t *dims, ptrdiff_t *strides)
{
    ptrdiff_t stride = 1;
    for (int axis = rank; axis-- > 0;) {
        strides[axis] = stride;
        stride *= (ptrdiff_t)dims[axis];
    }
}

// Axes of extent 1 left out, neighbours that are one run in both arrays merged, strides in bytes.
static HypStridedCopy merge_axes(const HypStridedCopy *copy)
{
    const ptrdiff_t element_bytes = (ptrdiff_t)copy->element_bytes;
    HypStridedCopy merged = {.element_bytes = copy->element_bytes};
    for (int axis = 0; axis < copy->rank; axis++) {
        const size_t extent = copy->extents[axis];
        const ptrdiff_t in_stride = copy->in_strides[axis] * element_bytes;
        const ptrdiff_t out_stride = copy->out_strides[axis] * element_bytes;
        if (extent == 1)
            continue;
        int place = merged.rank - 1;
        if (place >= 0 && merged.in_strides[place] == in_stride * (ptrdiff_t)extent &&
            merged.out_strides[place] == out_stride * (ptrdiff_t)extent)
            merged.extents[place] *= extent;
        else
            merged.extents[place = merged.rank++] = extent;
        merged.in_strides[place] = in_stride;
        merged.out_strides[place] = out_stride;
    }
    return merged;
}

// Puts axis `from` at place `to`; the axes between move down.
static void move_axis_up(HypStridedCopy *copy, int from, int to)
{
    const size_t extent = copy->extents[from];
    const ptrdiff_t in_stride = copy->in_strides[from];
    const ptrdiff_t out_stride = copy->out_strides[from];
    for (int axis = from; axis < to; axis++) {
        copy->extents[axis] = copy->extents[axis + 1];
        copy->in_strides[axis] = copy->in_strides[axis + 1];
        copy->out_strides[axis] = copy->out_strides[axis + 1];
    }
    copy->extents[to] = extent;
    copy->in_strides[to] = in_stride;
    copy->out_strides[to] = out_stride;
}

// The axis, not the last, along which `in` is contiguous; -1 for none, and where the last is.
static int find_turned_axis(const HypStridedCopy *copy)
{
    const ptrdiff_t element_bytes = (ptrdiff_t)copy->element_bytes;
    const int last = copy->rank - 1;
    if (copy->in_strides[last] == element_bytes || copy->in_strides[last] == 0)
        return -1;
    for (int axis = last; axis-- > 0;)
        if (copy->in_strides[axis] == element_bytes)
            return axis;
    return -1;
}

static Pieces cut_into_pieces(const HypStridedCopy *copy, const void *in, void *out)
{
    Pieces pieces = {.copy = merge_axes(copy), .in = in, .out = out, .total = 1};
    HypStridedCopy *merged = &pieces.copy;
    pieces.element_bytes = merged->element_bytes;
    if (merged->rank == 0) {
        merged->rank = 1;
        merged->extents[0] = 1;
        merged->in_strides[0] = merged->out_strides[0] = (ptrdiff_t)merged->element_bytes;
    }
    const int turned = find_turned_axis(merged);
    if (turned >= 0)
        move_axis_up(merged, turned, merged->rank - 2);
    pieces.outer_count = merged->rank - (turned >= 0 ? 2 : 1);
    pieces.cut_step = turned >= 0 ? TILE : RUN_ELEMENTS;
    pieces.cuts = (merged->extents[pieces.outer_count] + pieces.cut_step - 1) / pieces.cut_step;
    pieces.total = pieces.cuts;
    for (int axis = 0; axis < pieces.outer_count; axis++)
        pieces.total *= merged->extents[axis];
    return pieces;
}

#define COPY_STRIDED(type)                                                                         \
    do {                                                                                           \
        for (size_t i = 0; i < count; i++) {                                                       \
            type value;                                                                            \
            memcpy(&value, in + (ptrdiff_t)i * in_stride, sizeof value);                           \
            memcpy(out + (ptrdiff_t)i * out_stride, &value, sizeof value);                         \
        }                                                                                          \
    } while (0)

static void copy_run(const char *in, ptrdiff_t in_stride, char *out, ptrdiff_t out_stride,
                     size_t count, size_t element_bytes)
{
    if (in_stride == (ptrdiff_t)element_bytes && out_stride == in_stride)
        memcpy(out, in, count * element_bytes);
    else if (element_bytes == 4)
        COPY_STRIDED(uint32_t);
    else if (element_bytes == 8)
        COPY_STRIDED(uint64_t);
    else
        COPY_STRIDED(uint8_t);
}

// `rows` elements of the turned axis by all of the last.
static void copy_turned(const Pieces *pieces, const char *in, char *out, size_t rows)
{
    const HypStridedCopy *copy = &pieces->copy;
    const int last = copy->rank - 1;
    for (size_t first = 0; first < copy->extents[last]; first += TILE) {
        const size_t left = copy->extents[last] - first;
        const char *in_tile = in + (ptrdiff_t)first * copy->in_strides[last];
        char *out_tile = out + (ptrdiff_t)first * copy->out_strides[last];
        for (size_t row = 0; row < rows; row++)
            copy_run(in_tile + (ptrdiff_t)row * copy->in_strides[last - 1], copy->in_strides[last],
                     out_tile + (ptrdiff_t)row * copy->out_strides[last - 1],
                     copy->out_strides[last], left < TILE ? left : TILE, pieces->element_bytes);
    }
}

// The pieces of one thread, by an odometer over the outer axes.
static void copy_pieces(void *context, size_t thread)
{
    const HypParallelCall *call = context;
    const Pieces *pieces = call->args;
    const HypStridedCopy *copy = &pieces->copy;
    const int inner = pieces->outer_count;
    const HypRange range = hyp_parallel_part(pieces->total, 1, call->threads, thread);
    size_t cut = range.first % pieces->cuts;
    size_t index[HYPERION_MAX_RANK] = {0};
    const char *in = pieces->in;
    char *out = pieces->out;
    size_t rest = range.first / pieces->cuts;
    for (int axis = inner; axis-- > 0; rest /= copy->extents[axis]) {
        index[axis] = rest % copy->extents[axis];
        in += (ptrdiff_t)index[axis] * copy->in_strides[axis];
        out += (ptrdiff_t)index[axis] * copy->out_strides[axis];
    }
    for (size_t piece = range.first; piece < range.end; piece++) {
        const size_t first = cut * pieces->cut_step;
        const size_t left = copy->extents[inner] - first;
        const size_t count = left < pieces->cut_step ? left : pieces->cut_step;
        const char *from = in + (ptrdiff_t)first * copy->in_strides[inner];
        char *to = out + (ptrdiff_t)first * copy->out_strides[inner];
        if (inner < copy->rank - 1)
            copy_turned(pieces, from, to, count);
        else
            copy_run(from, copy->in_strides[inner], to, copy->out_strides[inner], count,
                     pieces->element_bytes);
        if (++cut < pieces->cuts)
            continue;
        cut = 0;
        for (int axis = inner; axis-- > 0;) {
            in += copy->in_strides[axis];
            out += copy->out_strides[axis];
            if (++index[axis] < copy->extents[axis])
                break;
            in -= (ptrdiff_t)index[axis] * copy->in_strides[axis];
            out -= (ptrdiff_t)index[axis] * copy->out_strides[axis];
            index[axis] = 0;
        }
    }
}

void hyp_strided_copy(const HypStridedCopy *copy, const void *in, void *out,
                      const HyperionParallel *parallel)
{
    size_t elements = 1;
    for (int axis = 0; axis < copy->rank; axis++)
        elements *= copy->extents[axis];
    if (elements == 0)
        return;
    const Pieces pieces = cut_into_pieces(copy, in, out);
    hyp_parallel_call(parallel, (double)elements * HYP_WORK_STREAMED, copy_pieces, &pieces);
}
