// SPDX-License-Identifier: Apache-2.0
// test_pad.c - padding and cropping, by constants, edges and mirrors.
#include "movement_support.h"

static float out_values[MOST_BYTES / sizeof(float)];

static void check_row(HyperionPadding mode, int64_t start, int64_t extent, const float *expected)
{
    HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(4));
    float values[] = {10, 11, 12, 13};
    const HyperionLayerAttributes attributes = {
        .rank = 1, .dims = {extent}, .starts = {start}, .pad_mode = mode};
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_PAD, &attributes, (int[]){0}, 1);
    assert_dims(model, y, SHAPE(extent));
    assert_true(run_once(model, y, values, NULL, out_values));
    for (int64_t i = 0; i < extent; i++)
        assert_float_equal(out_values[i], expected[i], 0);
}

static void each_mode_pads_before_and_behind(void **state)
{
    (void)state;
    check_row(HYPERION_PADDING_CONSTANT, -2, 7, (float[]){0, 0, 10, 11, 12, 13, 0});
    check_row(HYPERION_PADDING_EDGE, -2, 7, (float[]){10, 10, 10, 11, 12, 13, 13});
    check_row(HYPERION_PADDING_REFLECT, -2, 8, (float[]){12, 11, 10, 11, 12, 13, 12, 11});
}

static void reflections_go_on_past_the_other_end(void **state)
{
    (void)state;
    check_row(HYPERION_PADDING_REFLECT, -5, 6, (float[]){11, 12, 13, 12, 11, 10});
    check_row(HYPERION_PADDING_REFLECT, 3, 6, (float[]){13, 12, 11, 10, 11, 12});
}

static void negative_padding_crops(void **state)
{
    (void)state;
    check_row(HYPERION_PADDING_CONSTANT, 1, 2, (float[]){11, 12});
    check_row(HYPERION_PADDING_CONSTANT, 2, 4, (float[]){12, 13, 0, 0});
    check_row(HYPERION_PADDING_CONSTANT, -6, 3, (float[]){0, 0, 0});
    check_row(HYPERION_PADDING_CONSTANT, 4, 2, (float[]){0, 0});
    check_row(HYPERION_PADDING_EDGE, 6, 2, (float[]){13, 13});
}

static void every_axis_is_padded_with_the_value_of_its_type(void **state)
{
    static int64_t in[24];
    static int64_t out[360];
    (void)state;
    HyperionModel *model = start_model(HYPERION_TYPE_I64, SHAPE(2, 3, 4));
    const int64_t big = INT64_C(1) << 60 | 1;
    const int value = hyperionAddWeight(model, "value", HYPERION_TYPE_I64, 0, NULL, &big);
    const HyperionLayerAttributes attributes = {
        .rank = 3, .dims = {5, 6, 12}, .starts = {-1, -2, -3}};
    const int y =
        hyperionAddLayer(model, "y", HYPERION_LAYER_PAD, &attributes, (int[]){0, value}, 2);
    assert_true(hyperionSetThreadCount(model, 2));
    count_up(HYPERION_TYPE_I64, in, 24);
    assert_true(run_once(model, y, in, NULL, out));
    for (int64_t i = 0; i < 360; i++) {
        const int64_t a = i / 72 - 1;
        const int64_t b = i / 12 % 6 - 2;
        const int64_t c = i % 12 - 3;
        const bool inside = a >= 0 && a < 2 && b >= 0 && b < 3 && c >= 0 && c < 4;
        assert_int_equal(out[i], inside ? in[a * 12 + b * 4 + c] : big);
    }
}

static void mirrors_and_edges_work_over_several_axes(void **state)
{
    float in[] = {0, 1, 2, 3, 4, 5};
    (void)state;
    HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(2, 3));
    HyperionLayerAttributes attributes = {
        .rank = 2, .dims = {4, 5}, .starts = {-1, -1}, .pad_mode = HYPERION_PADDING_REFLECT};
    int y = hyperionAddLayer(model, "y", HYPERION_LAYER_PAD, &attributes, (int[]){0}, 1);
    assert_true(run_once(model, y, in, NULL, out_values));
    static const float mirrored[] = {4, 3, 4, 5, 4, 1, 0, 1, 2, 1, 4, 3, 4, 5, 4, 1, 0, 1, 2, 1};
    assert_memory_equal(out_values, mirrored, sizeof mirrored);
    model = start_model(HYPERION_TYPE_F32, SHAPE(2, 3));
    attributes.pad_mode = HYPERION_PADDING_EDGE;
    y = hyperionAddLayer(model, "y", HYPERION_LAYER_PAD, &attributes, (int[]){0}, 1);
    assert_true(run_once(model, y, in, NULL, out_values));
    static const float edged[] = {0, 0, 1, 2, 2, 0, 0, 1, 2, 2, 3, 3, 4, 5, 5, 3, 3, 4, 5, 5};
    assert_memory_equal(out_values, edged, sizeof edged);
}

static void a_tensor_without_elements_is_padded_by_a_constant_only(void **state)
{
    (void)state;
    HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(2, 0));
    HyperionLayerAttributes attributes = {.rank = 2, .dims = {2, 3}};
    const int y = hyperionAddLayer(model, "filled", HYPERION_LAYER_PAD, &attributes, (int[]){0}, 1);
    attributes.pad_mode = HYPERION_PADDING_EDGE;
    assert_refused(model, HYPERION_LAYER_PAD, &attributes, (int[]){0}, 1,
                   "axis 1 has no elements to pad with");
    out_values[5] = 1;
    assert_true(run_once(model, y, out_values + 100, NULL, out_values));
    for (int i = 0; i < 6; i++)
        assert_float_equal(out_values[i], 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mode_pads_before_and_behind),
        cmocka_unit_test(reflections_go_on_past_the_other_end),
        cmocka_unit_test(negative_padding_crops),
        cmocka_unit_test(every_axis_is_padded_with_the_value_of_its_type),
        cmocka_unit_test(mirrors_and_edges_work_over_several_axes),
        cmocka_unit_test(a_tensor_without_elements_is_padded_by_a_constant_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
