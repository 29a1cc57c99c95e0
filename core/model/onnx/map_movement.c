// SPDX-License-Identifier: Apache-2.0
// Operators that move elements without computing with them.
#include "model/onnx/map_support.h"

#include "hyperion/tensor.h"

#include "common/fail.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

bool hyp_onnx_map_transpose(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    const HypShape *shape = hyp_onnx_shape(import, x);
    HyperionLayerAttributes attributes = {.rank = shape->rank};
    for (int i = 0; i < shape->rank; i++)
        attributes.axes[i] = shape->rank - 1 - i;
    return hyp_onnx_ints(node, "perm", (size_t)shape->rank, attributes.axes) &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_TRANSPOSE, &attributes, &x, 1);
}

bool hyp_onnx_map_concat(OnnxImport *import, const OnnxNode *node)
{
    const HyperionLayerAttributes attributes = {.axis = hyp_onnx_int(node, "axis", 0)};
    int *inputs = hyp_arena_allocate(import->arena, node->input_count, sizeof *inputs);
    return inputs && hyp_onnx_inputs(import, node, (int)node->input_count, inputs) &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_CONCAT, &attributes, inputs,
                          (int)node->input_count);
}

// A slice of all of `shape`.
static HyperionLayerAttributes take_all(const HypShape *shape)
{
    HyperionLayerAttributes attributes = {.rank = shape->rank};
    memcpy(attributes.dims, shape->dims, sizeof shape->dims);
    for (int axis = 0; axis < shape->rank; axis++)
        attributes.steps[axis] = 1;
    return attributes;
}

// The extents of the node's outputs on an axis of `extent`, in the arena; NULL on failure.
static int64_t *read_parts(OnnxImport *import, const OnnxNode *node, int64_t extent)
{
    const size_t part_count = node->output_count;
    int64_t *parts = hyp_arena_allocate(import->arena, part_count, sizeof *parts);
    size_t count = part_count;
    bool given;
    if (!parts || !hyp_onnx_int_list(import, node, "split", 1, parts, part_count, &count, &given))
        return NULL;
    int64_t sum = 0;
    for (size_t i = 0; i < part_count; i++) {
        if (!given)
            parts[i] = extent / (int64_t)part_count;
        if (parts[i] < 0 || __builtin_add_overflow(sum, parts[i], &sum))
            return hyp_fail_null(HYPERION_ERROR_FORMAT, "part %zu has extent %" PRId64, i,
                                 parts[i]);
    }
    if (sum != extent || (given && count != part_count))
        return hyp_fail_null(HYPERION_ERROR_FORMAT,
                             "%zu parts do not make up an axis of extent %" PRId64, part_count,
                             extent);
    return parts;
}

bool hyp_onnx_map_split(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    const HypShape shape = *hyp_onnx_shape(import, x);
    const int axis = hyp_onnx_axis(node, "axis", 0, shape.rank, shape.rank - 1);
    const int64_t *parts = axis < 0 ? NULL : read_parts(import, node, shape.dims[axis]);
    if (!parts)
        return false;
    HyperionLayerAttributes attributes = take_all(&shape);
    for (size_t i = 0; i < node->output_count; i++) {
        attributes.dims[axis] = parts[i];
        if (hyp_onnx_has_output(node, i) &&
            !hyp_onnx_layer_at(import, node, i, HYPERION_LAYER_SLICE, &attributes, &x, 1))
            return false;
        attributes.starts[axis] += parts[i];
    }
    return true;
}

static int64_t limit(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

// Sets an axis of a slice: from `start` up to, not including, `end`, both counted from the end of
// the axis where negative and limited to it. `step` is not 0.
static void slice_axis(HyperionLayerAttributes *attributes, int axis, int64_t start, int64_t end,
                       int64_t step)
{
    const int64_t extent = attributes->dims[axis];
    start += start < 0 ? extent : 0;
    end += end < 0 ? extent : 0;
    const int64_t least = step > 0 ? 0 : -1;
    const int64_t most = step > 0 ? extent : extent - 1;
    start = limit(start, least, most);
    end = limit(end, least, most);
    const bool any = step > 0 ? start < end : start > end;
    attributes->dims[axis] = any ? (end - start - (step > 0 ? 1 : -1)) / step + 1 : 0;
    attributes->starts[axis] = any ? start : 0;
    attributes->steps[axis] = step;
}

// Of Slice, each as attribute or input; the last two may be left out.
typedef struct SliceLists {
    int64_t starts[HYPERION_MAX_RANK], ends[HYPERION_MAX_RANK];
    int64_t axes[HYPERION_MAX_RANK], steps[HYPERION_MAX_RANK];
    size_t count;
} SliceLists;

static bool read_slice_lists(OnnxImport *import, const OnnxNode *node, SliceLists *lists)
{
    struct {
        const char *name;
        int64_t *values;
        bool given;
    } all[] = {{"starts", lists->starts, false},
               {"ends", lists->ends, false},
               {"axes", lists->axes, false},
               {"steps", lists->steps, false}};
    for (size_t i = 0; i < 4; i++) {
        size_t count;
        if (!hyp_onnx_int_list(import, node, all[i].name, i + 1, all[i].values, HYPERION_MAX_RANK,
                               &count, &all[i].given))
            return false;
        if (i == 0)
            lists->count = count;
        if (i < 2 ? !all[i].given || count != lists->count : all[i].given && count != lists->count)
            return hyp_fail(HYPERION_ERROR_FORMAT, "%s has %zu values, starts has %zu", all[i].name,
                            all[i].given ? count : 0, lists->count);
    }
    for (size_t i = 0; i < lists->count; i++) {
        if (!all[2].given)
            lists->axes[i] = (int64_t)i;
        if (!all[3].given)
            lists->steps[i] = 1;
    }
    return true;
}

bool hyp_onnx_map_slice(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    SliceLists lists;
    if (x < 0 || !read_slice_lists(import, node, &lists))
        return false;
    const HypShape shape = *hyp_onnx_shape(import, x);
    HyperionLayerAttributes attributes = take_all(&shape);
    unsigned seen = 0;
    for (size_t i = 0; i < lists.count; i++) {
        const int64_t axis = lists.axes[i] < 0 ? lists.axes[i] + shape.rank : lists.axes[i];
        if (axis < 0 || axis >= shape.rank || seen & 1U << axis || lists.steps[i] == 0)
            return hyp_fail(HYPERION_ERROR_FORMAT,
                            "axis %" PRId64 " of %d, or a second time, in steps of %" PRId64,
                            lists.axes[i], shape.rank, lists.steps[i]);
        seen |= 1U << axis;
        slice_axis(&attributes, (int)axis, lists.starts[i], lists.ends[i], lists.steps[i]);
    }
    return hyp_onnx_layer(import, node, HYPERION_LAYER_SLICE, &attributes, &x, 1);
}

static bool read_pad_mode(const OnnxNode *node, HyperionPadding *mode)
{
    static const char *const names[HYPERION_PADDING_COUNT] = {
        [HYPERION_PADDING_CONSTANT] = "constant",
        [HYPERION_PADDING_EDGE] = "edge",
        [HYPERION_PADDING_REFLECT] = "reflect",
    };
    int choice = HYPERION_PADDING_CONSTANT;
    const bool known = hyp_onnx_choice(node, "mode", names, HYPERION_PADDING_COUNT, &choice);
    *mode = (HyperionPadding)choice;
    return known;
}

// The padding value as input or attribute; *input_count is 2 where there is one.
static bool read_pad_value(OnnxImport *import, const OnnxNode *node, int *inputs, int *input_count)
{
    const float value = hyp_onnx_float(node, "value", 0);
    *input_count = 2;
    if (hyp_onnx_has_input(node, 2))
        inputs[1] = hyp_onnx_input(import, node, 2);
    else if (value != 0)
        inputs[1] =
            hyp_onnx_inner_constant(import, node, "/value", HYPERION_TYPE_F32, 0, NULL, &value);
    else
        *input_count = 1;
    return *input_count == 1 || inputs[1] >= 0;
}

enum { MOST_PADS = 2 * HYPERION_MAX_RANK };

bool hyp_onnx_map_pad(OnnxImport *import, const OnnxNode *node)
{
    int64_t pads[MOST_PADS] = {0};
    int inputs[2] = {hyp_onnx_input(import, node, 0), -1};
    int input_count;
    size_t count;
    bool given;
    HyperionLayerAttributes attributes = {0};
    if (inputs[0] < 0 || !read_pad_mode(node, &attributes.pad_mode) ||
        !hyp_onnx_int_list(import, node, "pads", 1, pads, MOST_PADS, &count, &given) ||
        !read_pad_value(import, node, inputs, &input_count))
        return false;
    const HypShape shape = *hyp_onnx_shape(import, inputs[0]);
    if (!given || count != 2 * (size_t)shape.rank)
        return hyp_fail(HYPERION_ERROR_FORMAT, "pads has %zu values, expected %d",
                        given ? count : 0, 2 * shape.rank);
    attributes.rank = shape.rank;
    for (int axis = 0; axis < shape.rank; axis++) {
        int64_t *extent = &attributes.dims[axis];
        if (__builtin_sub_overflow(0, pads[axis], &attributes.starts[axis]) ||
            __builtin_add_overflow(shape.dims[axis], pads[axis], extent) ||
            __builtin_add_overflow(*extent, pads[shape.rank + axis], extent))
            return hyp_fail(HYPERION_ERROR_FORMAT, "the padding of axis %d overflows", axis);
    }
    return hyp_onnx_layer(import, node, HYPERION_LAYER_PAD, &attributes, inputs, input_count);
}

bool hyp_onnx_map_gather(OnnxImport *import, const OnnxNode *node)
{
    const HyperionLayerAttributes attributes = {.axis = hyp_onnx_int(node, "axis", 0)};
    int inputs[2];
    return hyp_onnx_inputs(import, node, 2, inputs) &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_GATHER, &attributes, inputs, 2);
}

// The dims that input `index` gives.
static bool read_dims(OnnxImport *import, const OnnxNode *node, size_t index,
                      HyperionLayerAttributes *attributes)
{
    size_t rank;
    if (!hyp_onnx_constant_ints(import, node, index, attributes->dims, HYPERION_MAX_RANK, &rank))
        return false;
    attributes->rank = (int)rank;
    return true;
}

bool hyp_onnx_map_expand(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    HyperionLayerAttributes attributes = {0};
    return x >= 0 && read_dims(import, node, 1, &attributes) &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_EXPAND, &attributes, &x, 1);
}

bool hyp_onnx_map_constant_of_shape(OnnxImport *import, const OnnxNode *node)
{
    const OnnxAttribute *value = hyp_onnx_attribute(node, "value");
    HyperionLayerAttributes attributes = {0};
    int one = -1;
    if (!read_dims(import, node, 0, &attributes))
        return false;
    if (!value) {
        one = hyp_onnx_inner_constant(import, node, "/value", HYPERION_TYPE_F32, 0, NULL,
                                      &(float){0});
    } else if (value->tensor) {
        const char *name = hyp_onnx_inner_name(import, node, "/value");
        one = name ? hyp_onnx_add_weight(import, name, value->tensor) : -1;
    } else {
        return hyp_fail(HYPERION_ERROR_FORMAT, "value is no tensor");
    }
    if (one >= 0 && hyp_onnx_shape(import, one)->element_count != 1)
        return hyp_fail(HYPERION_ERROR_FORMAT, "value is not one element");
    if (one >= 0)
        one = hyp_onnx_inner_view(import, node, "/scalar", one, 0, NULL);
    return one >= 0 && hyp_onnx_layer(import, node, HYPERION_LAYER_EXPAND, &attributes, &one, 1);
}

// Longest range made while a model is read; it takes memory that the file does not answer for.
enum { MOST_RANGE = 1 << 16 };

typedef struct Range {
    HyperionType type;
    int64_t start, end, step; // of integers
    float f32_start, f32_end, f32_step;
} Range;

static bool read_range(OnnxImport *import, const OnnxNode *node, Range *range)
{
    int64_t *const integers[] = {&range->start, &range->end, &range->step};
    float *const floats[] = {&range->f32_start, &range->f32_end, &range->f32_step};
    const int start = hyp_onnx_input(import, node, 0);
    if (start < 0)
        return false;
    range->type = hyp_onnx_shape(import, start)->type;
    if (range->type == HYPERION_TYPE_BOOL)
        return hyp_onnx_unsupported("a range of bool");
    for (size_t i = 0; i < 3; i++) {
        const void *value = hyp_onnx_constant_value(import, node, i, range->type);
        if (!value)
            return false;
        if (range->type == HYPERION_TYPE_F32)
            *floats[i] = *(const float *)value;
        else
            *integers[i] = range->type == HYPERION_TYPE_I64 ? *(const int64_t *)value
                                                            : *(const int32_t *)value;
    }
    return true;
}

// Elements from the start up to, not including, the end; more than MOST_RANGE where too many.
static size_t count_range(const Range *range)
{
    if (range->type == HYPERION_TYPE_F32) {
        const double steps =
            ceil(((double)range->f32_end - (double)range->f32_start) / (double)range->f32_step);
        return !(steps <= MOST_RANGE) ? MOST_RANGE + 1 : steps > 0 ? (size_t)steps : 0;
    }
    if (range->step == 0)
        return MOST_RANGE + 1;
    const bool up = range->step > 0;
    if (up ? range->end <= range->start : range->end >= range->start)
        return 0;
    const uint64_t way = up ? (uint64_t)range->end - (uint64_t)range->start
                            : (uint64_t)range->start - (uint64_t)range->end;
    const uint64_t step = up ? (uint64_t)range->step : 0 - (uint64_t)range->step;
    return (size_t)((way - 1) / step + 1);
}

static void fill_range(const Range *range, size_t count, void *values)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t value = (uint64_t)range->start + i * (uint64_t)range->step;
        if (range->type == HYPERION_TYPE_F32)
            ((float *)values)[i] = range->f32_start + (float)i * range->f32_step;
        else if (range->type == HYPERION_TYPE_I64)
            ((int64_t *)values)[i] = (int64_t)value;
        else
            ((int32_t *)values)[i] = (int32_t)value;
    }
}

bool hyp_onnx_map_range(OnnxImport *import, const OnnxNode *node)
{
    Range range = {0};
    if (!read_range(import, node, &range))
        return false;
    const size_t count = count_range(&range);
    if (count > MOST_RANGE)
        return hyp_onnx_unsupported("a range in steps of 0 or of so many elements");
    void *values = hyp_arena_allocate(import->arena, count, hyperionTypeBytes(range.type));
    if (!values)
        return false;
    fill_range(&range, count, values);
    const int id = hyp_onnx_inner_constant(import, node, "/value", range.type, 1,
                                           &(int64_t){(int64_t)count}, values);
    return id >= 0 && hyp_onnx_bind_output(import, node, 0, id);
}
