// SPDX-License-Identifier: Apache-2.0
// test_movement.c - layers that move elements: transpose, concat, slice, expand, gather.
#include "movement_support.h"

#include "model/graph.h"

static unsigned char in_bytes[MOST_BYTES];
static unsigned char out_bytes[MOST_BYTES];

static const HyperionType types[] = {HYPERION_TYPE_F32, HYPERION_TYPE_I64, HYPERION_TYPE_I32,
                                     HYPERION_TYPE_BOOL};

// Row-major place of the element that `steps` strides from `place`, element by element.
static size_t find_place(size_t place, int rank, const int64_t *dims, const size_t *strides)
{
    size_t sum = 0;
    for (int axis = rank; axis-- > 0;) {
        sum += place % (size_t)dims[axis] * strides[axis];
        place /= (size_t)dims[axis];
    }
    return sum;
}

static size_t count_elements(const HyperionTensorInfo *info)
{
    return info->size_bytes / hyperionTypeBytes(info->type);
}

// Runs a transpose of in_bytes and checks every element.
static void check_transpose(HyperionType type, int rank, const int64_t *dims, const int64_t *axes,
                            int threads)
{
    HyperionModel *model = start_model(type, rank, dims);
    HyperionLayerAttributes attributes = {.rank = rank};
    size_t in_strides[HYPERION_MAX_RANK];
    size_t strides[HYPERION_MAX_RANK];
    size_t stride = 1;
    memcpy(attributes.axes, axes, (size_t)rank * sizeof *axes);
    const int y =
        hyperionAddLayer(model, "y", HYPERION_LAYER_TRANSPOSE, &attributes, (int[]){0}, 1);
    assert_int_equal(y, 1);
    const HyperionTensorInfo info = hyperionModelTensor(model, y);
    for (int i = rank; i-- > 0; stride *= (size_t)dims[i])
        in_strides[i] = stride;
    for (int i = 0; i < rank; i++) {
        assert_int_equal(info.dims[i], dims[axes[i]]);
        strides[i] = in_strides[axes[i]];
    }
    int64_t out_dims[HYPERION_MAX_RANK];
    memcpy(out_dims, info.dims, sizeof out_dims);
    const size_t count = count_elements(&info);
    const size_t element_bytes = hyperionTypeBytes(type);
    count_up(type, in_bytes, count);
    assert_true(hyperionSetThreadCount(model, threads));
    assert_true(run_once(model, y, in_bytes, NULL, out_bytes));
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(out_bytes + i * element_bytes,
                            in_bytes + find_place(i, rank, out_dims, strides) * element_bytes,
                            element_bytes);
}

static void transpose_moves_every_element_of_every_type_by_any_permutation(void **state)
{
    static const int64_t shapes[][4] = {{2, 3, 4, 5}, {1, 33, 1, 18}, {17, 1, 16, 3}};
    (void)state;
    for (int permutation = 0; permutation < 256; permutation++) {
        const int64_t axes[] = {permutation >> 6 & 3, permutation >> 4 & 3, permutation >> 2 & 3,
                                permutation & 3};
        if ((1 << axes[0] | 1 << axes[1] | 1 << axes[2] | 1 << axes[3]) != 15)
            continue;
        for (int shape = 0; shape < 3; shape++)
            for (int type = 0; type < 4; type++)
                check_transpose(types[type], 4, shapes[shape], axes, 1);
    }
}

static void large_transposes_are_the_same_with_threads(void **state)
{
    (void)state;
    check_transpose(HYPERION_TYPE_F32, SHAPE(500, 300), (const int64_t[]){1, 0}, 3);
    check_transpose(HYPERION_TYPE_F32, SHAPE(7, 120, 3, 40), (const int64_t[]){0, 2, 1, 3}, 3);
    check_transpose(HYPERION_TYPE_F32, SHAPE(20, 50, 60), (const int64_t[]){2, 0, 1}, 2);
}

static void transpose_without_axes_reverses_them(void **state)
{
    (void)state;
    HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(2, 3, 4));
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_TRANSPOSE, NULL, (int[]){0}, 1);
    assert_dims(model, y, SHAPE(4, 3, 2));
    hyperionFreeModel(model);
}

static bool is_view(const HyperionModel *model, int tensor)
{
    return model->tensors[tensor].view_of >= 0;
}

static void layers_that_move_nothing_are_views(void **state)
{
    (void)state;
    HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(1, 6, 1, 4));
    const int x = 0;
    const HyperionLayerAttributes unit = {.rank = 4, .axes = {1, 2, 3, 0}};
    const HyperionLayerAttributes real = {.rank = 4, .axes = {0, 3, 2, 1}};
    const HyperionLayerAttributes whole = {
        .rank = 4, .dims = {1, 6, 1, 4}, .steps = {-1, 1, -1, 1}};
    const HyperionLayerAttributes part = {.rank = 4, .dims = {1, 5, 1, 4}, .starts = {0, 1}};
    const HyperionLayerAttributes more = {.rank = 5, .dims = {1, 1, 1, 1, 1}};
    const HyperionLayerAttributes twice = {.rank = 4, .dims = {2, 1, 1, 1}};
    assert_true(
        is_view(model, hyperionAddLayer(model, "unit", HYPERION_LAYER_TRANSPOSE, &unit, &x, 1)));
    assert_false(
        is_view(model, hyperionAddLayer(model, "real", HYPERION_LAYER_TRANSPOSE, &real, &x, 1)));
    assert_true(
        is_view(model, hyperionAddLayer(model, "whole", HYPERION_LAYER_SLICE, &whole, &x, 1)));
    assert_false(
        is_view(model, hyperionAddLayer(model, "part", HYPERION_LAYER_SLICE, &part, &x, 1)));
    assert_true(
        is_view(model, hyperionAddLayer(model, "more", HYPERION_LAYER_EXPAND, &more, &x, 1)));
    assert_false(
        is_view(model, hyperionAddLayer(model, "twice", HYPERION_LAYER_EXPAND, &twice, &x, 1)));
    assert_true(is_view(model, hyperionAddLayer(model, "one", HYPERION_LAYER_CONCAT, NULL, &x, 1)));
    assert_true(is_view(model, hyperionAddLayer(model, "same", HYPERION_LAYER_PAD, &whole, &x, 1)));
    assert_false(is_view(model, hyperionAddLayer(model, "less", HYPERION_LAYER_PAD, &part, &x, 1)));
    hyperionFreeModel(model);
}

static void views_hold_what_they_view(void **state)
{
    (void)state;
    HyperionModel *model = start_model(HYPERION_TYPE_I64, SHAPE(3, 1, 4));
    const HyperionLayerAttributes unit = {.rank = 3, .axes = {1, 0, 2}};
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_TRANSPOSE, &unit, (int[]){0}, 1);
    assert_dims(model, y, SHAPE(1, 3, 4));
    count_up(HYPERION_TYPE_I64, in_bytes, 12);
    assert_true(run_once(model, y, in_bytes, NULL, out_bytes));
    assert_memory_equal(in_bytes, out_bytes, 12 * sizeof(int64_t));
}

static void concat_puts_inputs_behind_each_other_on_any_axis(void **state)
{
    (void)state;
    for (int axis = -3; axis < 3; axis++) {
        static float second_values[64];
        const int place = axis < 0 ? axis + 3 : axis;
        int64_t dims[] = {2, 3, 4};
        HyperionModel *model = start_model(HYPERION_TYPE_F32, 3, dims);
        dims[place] = 2;
        assert_int_equal(hyperionAddInput(model, "z", HYPERION_TYPE_F32, 3, dims), 1);
        const HyperionLayerAttributes attributes = {.axis = axis};
        const int y =
            hyperionAddLayer(model, "y", HYPERION_LAYER_CONCAT, &attributes, (int[]){0, 1, 0}, 3);
        assert_int_equal(y, 2);
        const HyperionTensorInfo info = hyperionModelTensor(model, y);
        const int64_t own = place == 0 ? 2 : place == 1 ? 3 : 4;
        assert_int_equal(info.dims[place], 2 * own + 2);
        count_up(HYPERION_TYPE_F32, in_bytes, 24);
        for (int i = 0; i < 64; i++)
            second_values[i] = (float)(100 + i);
        const int64_t inner = place == 0 ? 12 : place == 1 ? 4 : 1;
        const int64_t extent = info.dims[place];
        const size_t count = count_elements(&info);
        assert_true(run_once(model, y, in_bytes, second_values, out_bytes));
        for (int64_t i = 0; i < (int64_t)count; i++) {
            const int64_t outer = i / inner / extent;
            const int64_t at = i / inner % extent;
            const int64_t rest = i % inner;
            const bool of_second = at >= own && at < own + 2;
            const int64_t of_x = at < own ? at : at - own - 2;
            const float expected = of_second ? (float)(100 + (outer * 2 + at - own) * inner + rest)
                                             : (float)((outer * own + of_x) * inner + rest);
            assert_float_equal(((float *)out_bytes)[i], expected, 0);
        }
    }
}

static void slice_takes_every_step_of_any_sign(void **state)
{
    static const struct {
        int64_t starts[2], steps[2], dims[2];
    } cases[] = {
        {{1, 2}, {0, 0}, {3, 5}},   {{5, 0}, {-2, 3}, {3, 3}},        {{0, 6}, {1, -1}, {6, 7}},
        {{3, 3}, {-1, -2}, {1, 2}}, {{0, 0}, {INT64_MAX, 2}, {1, 4}}, {{2, 9}, {1, 1}, {2, 0}},
        {{5, 6}, {-5, -6}, {2, 2}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int type = 0; type < 4; type++) {
            const size_t element_bytes = hyperionTypeBytes(types[type]);
            HyperionModel *model = start_model(types[type], SHAPE(6, 7));
            HyperionLayerAttributes attributes = {.rank = 2};
            memcpy(attributes.starts, cases[i].starts, sizeof cases[i].starts);
            memcpy(attributes.steps, cases[i].steps, sizeof cases[i].steps);
            memcpy(attributes.dims, cases[i].dims, sizeof cases[i].dims);
            const int y =
                hyperionAddLayer(model, "y", HYPERION_LAYER_SLICE, &attributes, (int[]){0}, 1);
            assert_dims(model, y, 2, cases[i].dims);
            count_up(types[type], in_bytes, 42);
            assert_true(run_once(model, y, in_bytes, NULL, out_bytes));
            const int64_t row_step = cases[i].steps[0] ? cases[i].steps[0] : 1;
            const int64_t column_step = cases[i].steps[1] ? cases[i].steps[1] : 1;
            for (int64_t row = 0; row < cases[i].dims[0]; row++)
                for (int64_t column = 0; column < cases[i].dims[1]; column++) {
                    const int64_t from = (cases[i].starts[0] + (row ? row * row_step : 0)) * 7 +
                                         cases[i].starts[1] + column * column_step;
                    const int64_t to = row * cases[i].dims[1] + column;
                    assert_memory_equal(out_bytes + (size_t)to * element_bytes,
                                        in_bytes + (size_t)from * element_bytes, element_bytes);
                }
        }
}

static void expand_repeats_axes_of_extent_1_and_adds_leading_ones(void **state)
{
    (void)state;
    for (int type = 0; type < 4; type++) {
        const size_t element_bytes = hyperionTypeBytes(types[type]);
        HyperionModel *model = start_model(types[type], SHAPE(3, 1, 2, 1));
        const HyperionLayerAttributes attributes = {.rank = 5, .dims = {2, 1, 4, 1, 5}};
        const int y =
            hyperionAddLayer(model, "y", HYPERION_LAYER_EXPAND, &attributes, (int[]){0}, 1);
        assert_dims(model, y, SHAPE(2, 3, 4, 2, 5));
        count_up(types[type], in_bytes, 6);
        assert_true(run_once(model, y, in_bytes, NULL, out_bytes));
        for (size_t i = 0; i < 240; i++)
            assert_memory_equal(out_bytes + i * element_bytes,
                                in_bytes + (i / 40 % 3 * 2 + i / 5 % 2) * element_bytes,
                                element_bytes);
    }
}

static void check_gather(HyperionType index_type, const void *indices, int threads)
{
    HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(3, 5, 4));
    assert_int_equal(hyperionAddInput(model, "indices", index_type, SHAPE(2, 2)), 1);
    const HyperionLayerAttributes attributes = {.axis = -2};
    const int y =
        hyperionAddLayer(model, "y", HYPERION_LAYER_GATHER, &attributes, (int[]){0, 1}, 2);
    assert_dims(model, y, SHAPE(3, 2, 2, 4));
    count_up(HYPERION_TYPE_F32, in_bytes, 60);
    assert_true(hyperionSetThreadCount(model, threads));
    // run_once does not write to its inputs.
    assert_true(run_once(model, y, in_bytes, (void *)(uintptr_t)indices, out_bytes));
    static const int rows[] = {4, 0, 1, 3};
    for (int i = 0; i < 48; i++)
        assert_int_equal((int)((float *)out_bytes)[i], i / 16 * 20 + rows[i / 4 % 4] * 4 + i % 4);
}

static void gather_takes_rows_by_i64_and_i32_also_from_the_end(void **state)
{
    (void)state;
    check_gather(HYPERION_TYPE_I64, (const int64_t[]){4, -5, 1, -2}, 1);
    check_gather(HYPERION_TYPE_I32, (const int32_t[]){-1, 0, -4, 3}, 2);
}

static void a_run_fails_on_an_index_out_of_range(void **state)
{
    static const int64_t wrong[] = {5, -6, INT64_MIN, INT64_MAX};
    (void)state;
    for (int i = 0; i < 4; i++) {
        HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(5));
        assert_int_equal(hyperionAddInput(model, "indices", HYPERION_TYPE_I64, SHAPE(2)), 1);
        const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_GATHER, NULL, (int[]){0, 1}, 2);
        int64_t indices[] = {0, wrong[i]};
        assert_false(run_once(model, y, in_bytes, indices, out_bytes));
        assert_non_null(strstr(hyperionGetLastError(), "of 'indices' is out of range for axis 0"));
    }
}

static void results_without_elements_are_run_too(void **state)
{
    (void)state;
    HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(2, 0, 3));
    const HyperionLayerAttributes turn = {.rank = 3, .axes = {2, 1, 0}};
    const HyperionLayerAttributes behind = {.axis = 1};
    const HyperionLayerAttributes repeat = {.rank = 4, .dims = {5, 1, 1, 1}};
    const HyperionLayerAttributes empty = {.rank = 5, .dims = {0, 5, 2, 3, 0}, .zero_dims = true};
    int y = hyperionAddLayer(model, "turned", HYPERION_LAYER_TRANSPOSE, &turn, (int[]){0}, 1);
    y = hyperionAddLayer(model, "both", HYPERION_LAYER_CONCAT, &behind, (int[]){y, y}, 2);
    y = hyperionAddLayer(model, "many", HYPERION_LAYER_EXPAND, &repeat, &y, 1);
    y = hyperionAddLayer(model, "seen", HYPERION_LAYER_RESHAPE, &empty, &y, 1);
    assert_dims(model, y, SHAPE(0, 5, 2, 3, 0));
    assert_true(run_once(model, y, in_bytes, NULL, out_bytes));
}

static void layers_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(2, 3));
    const int vector = hyperionAddInput(model, "vector", HYPERION_TYPE_F32, SHAPE(3));
    const int numbers = hyperionAddInput(model, "numbers", HYPERION_TYPE_I64, SHAPE(2, 3));
    const int wide =
        hyperionAddInput(model, "wide", HYPERION_TYPE_I64, SHAPE(1, 1, 1, 1, 1, 1, 1, 1));
    const struct {
        HyperionLayerOp op;
        int input_count;
        HyperionLayerAttributes attributes;
        const char *reason;
        int inputs[2];
    } cases[] = {
        {HYPERION_LAYER_TRANSPOSE, 1, {.rank = 3}, "rank 3, expected 2", {0}},
        {HYPERION_LAYER_TRANSPOSE, 1, {.rank = 2, .axes = {0, 2}}, "axis 2 of 2", {0}},
        {HYPERION_LAYER_TRANSPOSE, 1, {.rank = 2, .axes = {1, -1}}, "axis 1 comes twice", {0}},
        {HYPERION_LAYER_CONCAT, 1, {.axis = 2}, "axis 2 of 2", {0}},
        {HYPERION_LAYER_CONCAT, 2, {0}, "'vector', 3 f32, does not go behind 'x'", {0, vector}},
        {HYPERION_LAYER_CONCAT, 2, {0}, "'numbers', 2x3 i64, does not go", {0, numbers}},
        {HYPERION_LAYER_SLICE, 1, {.rank = 1}, "rank 1, expected 2", {0}},
        {HYPERION_LAYER_SLICE, 1, {.rank = 2, .dims = {2, 4}}, "4 elements from 0 in steps", {0}},
        {HYPERION_LAYER_SLICE, 1, {.rank = 2, .dims = {1, -1}}, "-1 elements from 0", {0}},
        {HYPERION_LAYER_SLICE,
         1,
         {.rank = 2, .dims = {2, 1}, .steps = {INT64_MIN}, .starts = {1}},
         "of axis 0, whose extent is 2",
         {0}},
        {HYPERION_LAYER_SLICE,
         1,
         {.rank = 2, .dims = {2, 1}, .starts = {2}, .steps = {-1}},
         "2 elements from 2 in steps of -1",
         {0}},
        {HYPERION_LAYER_EXPAND, 1, {.rank = 9}, "rank 9, expected 0 to 8", {0}},
        {HYPERION_LAYER_EXPAND, 1, {.rank = 1, .dims = {2}}, "does not broadcast", {0}},
        {HYPERION_LAYER_EXPAND, 1, {.rank = 3, .dims = {-1, 1, 1}}, "dimension 0 is -1", {0}},
        {HYPERION_LAYER_GATHER, 2, {0}, "indices are f32, expected i64 or i32", {0, vector}},
        {HYPERION_LAYER_GATHER, 2, {.axis = -3}, "axis -3 of 2", {0, numbers}},
        {HYPERION_LAYER_GATHER, 2, {0}, "the result has 9 dimensions", {0, wide}},
        {HYPERION_LAYER_PAD, 1, {.rank = 1}, "rank 1, expected 2", {0}},
        {HYPERION_LAYER_PAD, 1, {.rank = 2, .pad_mode = 3}, "unknown mode 3", {0}},
        {HYPERION_LAYER_PAD, 2, {.rank = 2}, "the value, 3 f32, is not one f32", {0, vector}},
        {HYPERION_LAYER_PAD, 1, {.rank = 2, .starts = {INT64_MIN}}, "start -9223372036854", {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(model, cases[i].op, &cases[i].attributes, cases[i].inputs,
                       cases[i].input_count, cases[i].reason);
    hyperionFreeModel(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transpose_moves_every_element_of_every_type_by_any_permutation),
        cmocka_unit_test(large_transposes_are_the_same_with_threads),
        cmocka_unit_test(transpose_without_axes_reverses_them),
        cmocka_unit_test(layers_that_move_nothing_are_views),
        cmocka_unit_test(views_hold_what_they_view),
        cmocka_unit_test(concat_puts_inputs_behind_each_other_on_any_axis),
        cmocka_unit_test(slice_takes_every_step_of_any_sign),
        cmocka_unit_test(expand_repeats_axes_of_extent_1_and_adds_leading_ones),
        cmocka_unit_test(gather_takes_rows_by_i64_and_i32_also_from_the_end),
        cmocka_unit_test(a_run_fails_on_an_index_out_of_range),
        cmocka_unit_test(results_without_elements_are_run_too),
        cmocka_unit_test(layers_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
