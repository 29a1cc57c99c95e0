// SPDX-License-Identifier: Apache-2.0
// test_resize.c - RESIZE: values worked out by hand for every mode and coordinate formula; the
// wider check is ONNX's own test cases.
#include "movement_support.h"

#include <math.h>

enum { MOST = 1 << 16 };
static float in[MOST];
static float out[MOST];

static void fill(size_t count)
{
    for (size_t i = 0; i < count; i++)
        in[i] = (float)(i * 37 % 101) - 50.0F;
}

// A row of 10, 20, 30, 40 to `extent` elements.
static void check_row(HyperionLayerAttributes attributes, int64_t extent, const float *expected)
{
    HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(4));
    attributes.rank = 1;
    attributes.dims[0] = extent;
    memcpy(in, (float[]){10, 20, 30, 40}, 4 * sizeof *in);
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_RESIZE, &attributes, (int[]){0}, 1);
    assert_dims(model, y, SHAPE(extent));
    assert_true(run_once(model, y, in, NULL, out));
    for (int64_t i = 0; i < extent; i++)
        assert_float_equal(out[i], expected[i], 1e-4);
}

static void each_rounding_finds_its_nearest_element(void **state)
{
    (void)state;
    // At 0, 1.5 and 3.
    HyperionLayerAttributes attributes = {.coordinates = HYPERION_COORDINATES_ALIGN_CORNERS};
    attributes.nearest = HYPERION_NEAREST_ROUND_PREFER_FLOOR;
    check_row(attributes, 3, (float[]){10, 20, 40});
    attributes.nearest = HYPERION_NEAREST_ROUND_PREFER_CEIL;
    check_row(attributes, 3, (float[]){10, 30, 40});
    // At 0, 4/5, 8/5, 12/5, 16/5.
    attributes.coordinates = HYPERION_COORDINATES_ASYMMETRIC;
    attributes.nearest = HYPERION_NEAREST_FLOOR;
    check_row(attributes, 5, (float[]){10, 10, 20, 30, 40});
    attributes.nearest = HYPERION_NEAREST_CEIL;
    check_row(attributes, 5, (float[]){10, 20, 30, 40, 40});
}

static void each_coordinate_formula_is_its_own(void **state)
{
    (void)state;
    HyperionLayerAttributes attributes = {.resize = HYPERION_RESIZE_LINEAR};
    attributes.coordinates = HYPERION_COORDINATES_HALF_PIXEL;
    check_row(attributes, 8, (float[]){10, 12.5F, 17.5F, 22.5F, 27.5F, 32.5F, 37.5F, 40});
    check_row(attributes, 2, (float[]){15, 35});
    check_row(attributes, 1, (float[]){25});
    attributes.coordinates = HYPERION_COORDINATES_PYTORCH_HALF_PIXEL;
    check_row(attributes, 2, (float[]){15, 35});
    check_row(attributes, 1, (float[]){10});
    attributes.coordinates = HYPERION_COORDINATES_ALIGN_CORNERS;
    check_row(attributes, 7, (float[]){10, 15, 20, 25, 30, 35, 40});
    check_row(attributes, 1, (float[]){10});
    attributes.coordinates = HYPERION_COORDINATES_ASYMMETRIC;
    check_row(attributes, 8, (float[]){10, 15, 20, 25, 30, 35, 40, 40});
    attributes.coordinates = HYPERION_COORDINATES_HALF_PIXEL_FOR_NEAREST;
    check_row(attributes, 8, (float[]){12.5F, 17.5F, 22.5F, 27.5F, 32.5F, 37.5F, 40, 40});
}

static void crops_extrapolate_outside_of_the_input(void **state)
{
    (void)state;
    HyperionLayerAttributes attributes = {.resize = HYPERION_RESIZE_LINEAR,
                                          .coordinates = HYPERION_COORDINATES_CROP,
                                          .extrapolation = -7.0F};
    attributes.roi[0] = 0.5F;
    attributes.roi[1] = 1.5F;
    check_row(attributes, 3, (float[]){25, 40, -7});
    attributes.roi[0] = 0.0F;
    attributes.roi[1] = 1.0F;
    check_row(attributes, 1, (float[]){25});
}

static void scales_may_differ_from_the_ratio_of_extents(void **state)
{
    (void)state;
    HyperionLayerAttributes attributes = {.resize = HYPERION_RESIZE_LINEAR,
                                          .coordinates = HYPERION_COORDINATES_ASYMMETRIC,
                                          .scales = {0.8F}};
    check_row(attributes, 3, (float[]){10, 22.5F, 35});
    attributes.scales[0] = 1.25F; // of an axis that keeps its extent
    check_row(attributes, 4, (float[]){10, 18, 26, 34});
}

// Catmull and Rom's weights at the middle are -1/16, 9/16, 9/16, -1/16.
static void cubic_weighs_four_elements(void **state)
{
    (void)state;
    HyperionLayerAttributes attributes = {.resize = HYPERION_RESIZE_CUBIC,
                                          .cubic_coefficient = -0.5F};
    check_row(attributes, 2, (float[]){(9 * 30.0F - 10 - 30) / 16, (9 * 70.0F - 20 - 40) / 16});
    attributes.exclude_outside = true;
    check_row(attributes, 2, (float[]){(9 * 30.0F - 30) / 17 * 1.0F, (9 * 70.0F - 20) / 17});
    attributes.exclude_outside = false;
    attributes.cubic_coefficient = 0; // -0.75: -3/32, 19/32
    check_row(attributes, 2, (float[]){(19 * 30.0F - 3 * 40) / 32, (19 * 70.0F - 3 * 60) / 32});
}

// Linear at (row, column), both inside, of a plane of 5 x 7.
static float interpolate(const float *plane, float row, float column)
{
    const size_t i = (size_t)fminf(row, 3);
    const size_t j = (size_t)fminf(column, 5);
    const float v = row - (float)i;
    const float h = column - (float)j;
    const float *at = plane + i * 7 + j;
    return (1 - v) * ((1 - h) * at[0] + h * at[1]) + v * ((1 - h) * at[7] + h * at[8]);
}

static void images_are_resized_over_both_axes_by_any_number_of_threads(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(3, 20, 5, 7));
        const HyperionLayerAttributes attributes = {.rank = 4,
                                                    .dims = {3, 20, 3, 13},
                                                    .resize = HYPERION_RESIZE_LINEAR,
                                                    .coordinates =
                                                        HYPERION_COORDINATES_ALIGN_CORNERS};
        const int y =
            hyperionAddLayer(model, "y", HYPERION_LAYER_RESIZE, &attributes, (int[]){0}, 1);
        fill(2100);
        assert_true(hyperionSetThreadCount(model, threads));
        assert_true(run_once(model, y, in, NULL, out));
        for (size_t i = 0; i < 2340; i++)
            assert_float_equal(
                out[i],
                interpolate(in + i / 39 * 35, (float)(i / 13 % 3) * 2.0F, (float)(i % 13) * 0.5F),
                1e-4);
    }
}

static void the_nearest_element_is_copied_whatever_its_type(void **state)
{
    static const HyperionType types[] = {HYPERION_TYPE_F32, HYPERION_TYPE_I64, HYPERION_TYPE_I32,
                                         HYPERION_TYPE_BOOL};
    (void)state;
    for (int type = 0; type < 4; type++) {
        const size_t element_bytes = hyperionTypeBytes(types[type]);
        HyperionModel *model = start_model(types[type], SHAPE(2, 64, 5, 6));
        const HyperionLayerAttributes attributes = {.rank = 4,
                                                    .dims = {2, 64, 10, 18},
                                                    .nearest = HYPERION_NEAREST_FLOOR,
                                                    .coordinates = HYPERION_COORDINATES_ASYMMETRIC};
        const int y =
            hyperionAddLayer(model, "y", HYPERION_LAYER_RESIZE, &attributes, (int[]){0}, 1);
        static unsigned char values[2 * 64 * 30 * 8];
        static unsigned char result[2 * 64 * 180 * 8];
        count_up(types[type], values, sizeof values / 8);
        assert_true(hyperionSetThreadCount(model, 2));
        assert_true(run_once(model, y, values, NULL, result));
        for (size_t i = 0; i < sizeof result / 8; i++) {
            const size_t from = i / 180 * 30 + i / 18 % 10 / 2 * 6 + i % 18 / 3;
            assert_memory_equal(result + i * element_bytes, values + from * element_bytes,
                                element_bytes);
        }
    }
}

static void resizes_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(4));
    const int numbers = hyperionAddInput(model, "numbers", HYPERION_TYPE_I64, SHAPE(4));
    const int empty = hyperionAddInput(model, "empty", HYPERION_TYPE_F32, SHAPE(0));
    const struct {
        HyperionLayerAttributes attributes;
        int input;
        const char *reason;
    } cases[] = {
        {{.rank = 2}, 0, "rank 2, expected 1"},
        {{.rank = 1, .resize = 3}, 0, "unknown mode 3"},
        {{.rank = 1, .coordinates = 6}, 0, "coordinates 6"},
        {{.rank = 1, .nearest = 4}, 0, "nearest 4"},
        {{.rank = 1, .dims = {-1}}, 0, "dimension 0 is -1"},
        {{.rank = 1, .dims = {2}, .scales = {-0.5F}}, 0, "axis 0, of 4, to 2 by -0.5"},
        {{.rank = 1, .dims = {2}, .scales = {NAN}}, 0, "axis 0, of 4, to 2 by"},
        {{.rank = 1, .dims = {2}}, empty, "axis 0, of 0, to 2"},
        {{.rank = 1, .dims = {2}, .resize = HYPERION_RESIZE_LINEAR}, numbers, "is i64, expected"},
        {{.rank = 1, .dims = {2}, .coordinates = HYPERION_COORDINATES_CROP}, numbers, "is i64"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(model, HYPERION_LAYER_RESIZE, &cases[i].attributes, &cases[i].input, 1,
                       cases[i].reason);
    hyperionFreeModel(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rounding_finds_its_nearest_element),
        cmocka_unit_test(each_coordinate_formula_is_its_own),
        cmocka_unit_test(crops_extrapolate_outside_of_the_input),
        cmocka_unit_test(scales_may_differ_from_the_ratio_of_extents),
        cmocka_unit_test(cubic_weighs_four_elements),
        cmocka_unit_test(images_are_resized_over_both_axes_by_any_number_of_threads),
        cmocka_unit_test(the_nearest_element_is_copied_whatever_its_type),
        cmocka_unit_test(resizes_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
