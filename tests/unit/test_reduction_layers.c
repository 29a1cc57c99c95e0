// SPDX-License-Identifier: Apache-2.0
// test_reduction_layers.c - reductions of axes and normalisations, checked by hand-written loops.
#include "layer_bench.h"

#include <math.h>

static double join(HyperionReduce function, double so_far, double x)
{
    switch (function) {
    case HYPERION_REDUCE_MAX: return fmax(so_far, x);
    case HYPERION_REDUCE_MIN: return fmin(so_far, x);
    case HYPERION_REDUCE_PROD: return so_far * x;
    default: return so_far + x;
    }
}

// Reduces the axes in the set `axes`; those kept keep their order.
static void reduce_plainly(const Operand *in, unsigned axes, HyperionReduce function,
                           double *result)
{
    static const double starts[] = {0, 0, -INFINITY, INFINITY, 1};
    double reduced = 1;
    size_t results = 1;
    for (int axis = 0; axis < in->rank; axis++)
        if (axes >> axis & 1)
            reduced *= (double)in->dims[axis];
        else
            results *= (size_t)in->dims[axis];
    for (size_t i = 0; i < results; i++)
        result[i] = starts[function];
    for (size_t i = 0; i < count_elements(in); i++) {
        size_t rest = i;
        size_t place = 0;
        size_t step = 1;
        for (int axis = in->rank; axis-- > 0; rest /= (size_t)in->dims[axis]) {
            if (axes >> axis & 1)
                continue;
            place += rest % (size_t)in->dims[axis] * step;
            step *= (size_t)in->dims[axis];
        }
        result[place] = join(function, result[place], in->values[i]);
    }
    for (size_t i = 0; i < results && function == HYPERION_REDUCE_MEAN; i++)
        result[i] =
            in->type == HYPERION_TYPE_F32 ? result[i] / reduced : trunc(result[i] / reduced);
}

static void compare_reduction(const Operand *in, unsigned axes, HyperionReduce function, bool keep,
                              int level)
{
    static Operand out;
    static double want[MOST];
    HyperionLayerAttributes attributes = {.reduce = function, .keep_dims = keep};
    for (int axis = 0; axis < in->rank; axis++)
        if (axes >> axis & 1) // every other one counted from the end
            attributes.axes[attributes.axis_count++] = axis % 2 ? axis : axis - in->rank;
    run_layer(HYPERION_LAYER_REDUCE, &attributes, in, 1, level, &out);
    assert_int_equal(out.type, in->type);
    assert_int_equal(out.rank, keep ? in->rank : in->rank - attributes.axis_count);
    reduce_plainly(in, axes, function, want);
    for (size_t i = 0; i < count_elements(&out); i++)
        if (!(fabs(out.values[i] - want[i]) <= 1e-6 * fabs(want[i])))
            fail_msg("axes %x function %d level %d: out[%zu] is %g, want %g", axes, (int)function,
                     level, i, out.values[i], want[i]);
}

static void reductions_cover_every_set_of_axes_in_every_type(void **state)
{
    (void)state;
    static Operand in = {.rank = 4, .dims = {2, 3, 4, 5}};
    for (int type = 0; type < HYPERION_TYPE_BOOL; type++) {
        in.type = (HyperionType)type;
        for (unsigned axes = 1; axes < 16; axes++)
            for (int f = 0; f < HYPERION_REDUCE_COUNT; f++)
                for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++) {
                    // Products stay within the exact integers of a double.
                    fill(&in, f == HYPERION_REDUCE_PROD ? -1 : -7,
                         f == HYPERION_REDUCE_PROD ? 2.0 / 15 : 1, axes);
                    for (size_t i = 0; i < 120 && f == HYPERION_REDUCE_PROD; i++)
                        in.values[i] = in.values[i] < 0 ? -1 : 1;
                    compare_reduction(&in, axes, (HyperionReduce)f, level % 2, level);
                }
    }
}

static void reduction_without_axes_takes_all(void **state)
{
    (void)state;
    static const Operand in = {.rank = 2, .dims = {2, 3}, .values = {1, 2, 3, 4, 5, 6}};
    static Operand out;
    const HyperionLayerAttributes attributes = {.reduce = HYPERION_REDUCE_SUM};
    run_layer(HYPERION_LAYER_REDUCE, &attributes, &in, 1, 3, &out);
    assert_int_equal(out.rank, 0);
    assert_true(out.values[0] == 21);
}

static void softmax_takes_any_axis(void **state)
{
    (void)state;
    static Operand in = {.rank = 3, .dims = {3, 5, 19}};
    static Operand out;
    fill(&in, -4, 0.5, 5);
    for (int from_end = 0; from_end < 3; from_end++)
        for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++) {
            const HyperionLayerAttributes attributes = {.axis_from_end = from_end};
            run_layer(HYPERION_LAYER_SOFTMAX, &attributes, &in, 1, level, &out);
            const size_t stride = from_end == 0 ? 1 : from_end == 1 ? 19 : 95;
            const size_t extent = (size_t)in.dims[2 - from_end];
            for (size_t i = 0; i < 285; i++) {
                const size_t first = i - i / stride % extent * stride;
                double sum = 0;
                for (size_t j = 0; j < extent; j++)
                    sum += exp(in.values[first + j * stride]);
                assert_true(fabs(out.values[i] - exp(in.values[i]) / sum) < 1e-6);
            }
        }
}

static void rms_normalisation_has_no_mean(void **state)
{
    (void)state;
    static Operand inputs[2] = {{.rank = 2, .dims = {3, 33}}, {.rank = 1, .dims = {33}}};
    static Operand out;
    fill(&inputs[0], -2, 0.5, 6);
    fill(&inputs[1], -1, 0.25, 7);
    const HyperionLayerAttributes attributes = {.rms = true, .epsilon = 1e-3F};
    for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++) {
        run_layer(HYPERION_LAYER_LAYERNORM, &attributes, inputs, 2, level, &out);
        for (size_t i = 0; i < 99; i++) {
            double squares = 0;
            for (size_t j = 0; j < 33; j++)
                squares += pow(inputs[0].values[i / 33 * 33 + j], 2);
            const double want =
                inputs[0].values[i] / sqrt(squares / 33 + 1e-3) * inputs[1].values[i % 33];
            assert_true(fabs(out.values[i] - want) < 1e-5);
        }
    }
}

static void scale_shift_works_by_channel(void **state)
{
    (void)state;
    static Operand inputs[3] = {{.rank = 4, .dims = {2, 3, 5, 7}},
                                {.rank = 1, .dims = {3}, .values = {2, -1, 0.5}},
                                {.rank = 1, .dims = {3}, .values = {1, 0, -3}}};
    static Operand out;
    fill(&inputs[0], -7, 1, 8);
    for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++) {
        run_layer(HYPERION_LAYER_SCALE_SHIFT, NULL, inputs, 3, level, &out);
        for (size_t i = 0; i < 210; i++) {
            const size_t c = i / 35 % 3;
            assert_true(out.values[i] ==
                        inputs[0].values[i] * inputs[1].values[c] + inputs[2].values[c]);
        }
    }
}

static void lrn_sums_neighbouring_channels(void **state)
{
    (void)state;
    static Operand in = {.rank = 3, .dims = {2, 6, 11}};
    static Operand out;
    fill(&in, -7, 1, 9);
    for (int64_t size = 1; size <= 13; size++) {
        const HyperionLayerAttributes attributes = {
            .size = size, .alpha = 0.5F, .beta = 0.75F, .bias = 2.0F};
        run_layer(HYPERION_LAYER_LRN, &attributes, &in, 1, 0, &out);
        for (size_t i = 0; i < 132; i++) {
            const int64_t channel = (int64_t)(i / 11 % 6);
            double squares = 0;
            for (int64_t c = channel - (size - 1) / 2; c <= channel + size / 2; c++)
                if (c >= 0 && c < 6)
                    squares += pow(in.values[(int64_t)i + (c - channel) * 11], 2);
            const double want = in.values[i] / pow(2.0 + 0.5 / (double)size * squares, 0.75);
            assert_true(fabs(out.values[i] - want) <= 1e-5);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reductions_cover_every_set_of_axes_in_every_type),
        cmocka_unit_test(reduction_without_axes_takes_all),
        cmocka_unit_test(softmax_takes_any_axis),
        cmocka_unit_test(rms_normalisation_has_no_mean),
        cmocka_unit_test(scale_shift_works_by_channel),
        cmocka_unit_test(lrn_sums_neighbouring_channels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
