// SPDX-License-Identifier: Apache-2.0
// image_lines.h - lines of an image with its padding, for steps that lay it out anew. Included
// after level/<level>/vec_<level>.h.
#ifndef HYP_IMAGE_LINES_H
#define HYP_IMAGE_LINES_H

#include <stddef.h>

VEC_FN void copy_floats(const float *from, size_t count, float *to)
{
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES)
        vec_store(to + i, vec_load(from + i));
    vec_store_part(to + i, vec_load_part(from + i, count - i), count - i);
}

VEC_FN void zero_floats(size_t count, float *to)
{
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES)
        vec_store(to + i, vec_zero());
    vec_store_part(to + i, vec_zero(), count - i);
}

// How many of start, start + stride, ... lie before `end`, at most `count`.
VEC_FN size_t count_before(size_t start, size_t stride, size_t end, size_t count)
{
    if (start >= end)
        return 0;
    const size_t before = stride == 1 ? end - start : (end - start + stride - 1) / stride;
    return before < count ? before : count;
}

// to[i] = from[2 * i] for i < count; nothing past the last of these is read.
VEC_FN void copy_even(const float *from, size_t count, float *to)
{
    size_t i = 0;
    for (; i + VEC_LANES < count; i += VEC_LANES)
        vec_store(to + i, vec_load_even(from + 2 * i));
    for (; i < count; i++)
        one_store(to + i, one_load(from + 2 * i));
}

// to[i] = line[start + i * stride - pad] for i < count, 0 where that is outside of 0 .. width - 1.
VEC_FN void gather_line(const float *line, size_t width, size_t start, size_t pad, size_t stride,
                        size_t count, float *to)
{
    const size_t before = count_before(start, stride, pad, count);
    const size_t inside = count_before(start, stride, pad + width, count) - before;
    zero_floats(before, to);
    to += before;
    if (inside > 0) {
        const float *from = line + (start + before * stride - pad);
        if (stride == 1)
            copy_floats(from, inside, to);
        else if (stride == 2)
            copy_even(from, inside, to);
        else
            for (size_t i = 0; i < inside; i++)
                one_store(to + i, one_load(from + i * stride));
    }
    zero_floats(count - before - inside, to + inside);
}

#endif
