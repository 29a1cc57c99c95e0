// SPDX-License-Identifier: Apache-2.0
// test_windows.c - convolutions and pools over one to three axes are what their formulas say.
#include "layer_support.h"

enum { AXES = 3, CASES = 300 };

// A layer's windows, always over three axes: those that are lacking have an extent of 1.
typedef struct Windows {
    int rank;
    int64_t size[AXES], count[AXES];
    int64_t kernel[AXES], stride[AXES], dilation[AXES], before[AXES], after[AXES];
} Windows;

static Windows draw_windows(uint32_t *state, HyperionLayerAttributes *attributes)
{
    Windows windows = {.rank = 1 + (int)draw(state, AXES)};
    for (int axis = 0; axis < AXES; axis++) {
        const int given = axis - (AXES - windows.rank);
        windows.size[axis] = windows.count[axis] = windows.kernel[axis] = 1;
        windows.stride[axis] = windows.dilation[axis] = 1;
        if (given < 0)
            continue;
        windows.kernel[axis] = 1 + draw(state, 3);
        windows.stride[axis] = attributes->stride[given] = 1 + draw(state, 3);
        windows.dilation[axis] = attributes->dilation[given] = 1 + draw(state, 2);
        windows.before[axis] = attributes->padding[given] = draw(state, windows.kernel[axis]);
        windows.after[axis] = attributes->padding[windows.rank + given] =
            draw(state, windows.kernel[axis]);
        windows.size[axis] = 1 + (windows.kernel[axis] - 1) * windows.dilation[axis] +
                             draw(state, windows.rank == 3 ? 3 : 9);
    }
    return windows;
}

// Appends the axes in `extents` that the image has.
static void append_axes(LayerShape *shape, const Windows *windows, const int64_t *extents)
{
    for (int axis = AXES - windows->rank; axis < AXES; axis++)
        shape->dims[shape->rank++] = extents[axis];
}

static void read_counts(Windows *windows, const LayerShape *result)
{
    for (int axis = 0; axis < windows->rank; axis++)
        windows->count[AXES - windows->rank + axis] = result->dims[2 + axis];
}

// Number of element `index` of a box along each axis.
static void split(size_t index, const int64_t *extents, int64_t *at)
{
    for (int axis = AXES - 1; axis >= 0; axis--) {
        at[axis] = (int64_t)index % extents[axis];
        index /= (size_t)extents[axis];
    }
}

static size_t volume(const int64_t *extents)
{
    return (size_t)(extents[0] * extents[1] * extents[2]);
}

// Where tap `tap` of window `window` lies in the image; -1 outside of it. *padded: on the padding.
static int64_t find_place(const Windows *windows, size_t window, size_t tap, bool *padded)
{
    int64_t at[AXES];
    int64_t offset[AXES];
    split(window, windows->count, at);
    split(tap, windows->kernel, offset);
    int64_t place = 0;
    bool inside = true;
    *padded = true;
    for (int axis = 0; axis < AXES; axis++) {
        const int64_t along = at[axis] * windows->stride[axis] +
                              offset[axis] * windows->dilation[axis] - windows->before[axis];
        inside = inside && along >= 0 && along < windows->size[axis];
        *padded = *padded && along < windows->size[axis] + windows->after[axis];
        place = place * windows->size[axis] + along;
    }
    return inside ? place : -1;
}

static void assert_near(double got, double want, const char *what, size_t i)
{
    if (!(fabs(got - want) <= 1e-5 + 1e-5 * fabs(want)))
        fail_msg("%s: element %zu is %g, expected %g", what, i, got, want);
}

static void compare_conv(const LayerTrial *trial, const Windows *windows, int64_t groups)
{
    const size_t places = volume(windows->count);
    const size_t plane = volume(windows->size);
    const size_t taps = volume(windows->kernel);
    const size_t filters = (size_t)trial->shapes[1].dims[0];
    const size_t depth = (size_t)trial->shapes[1].dims[1];
    for (size_t i = 0; i < trial->value_count; i++) {
        const size_t filter = i / places % filters;
        const size_t image = i / places / filters;
        const size_t first = (image * (size_t)groups + filter / (filters / (size_t)groups)) * depth;
        double sum = (double)trial->inputs[2][filter];
        for (size_t channel = 0; channel < depth; channel++)
            for (size_t tap = 0; tap < taps; tap++) {
                bool padded;
                const int64_t place = find_place(windows, i % places, tap, &padded);
                if (place >= 0)
                    sum += (double)trial->inputs[1][(filter * depth + channel) * taps + tap] *
                           (double)trial->inputs[0][(first + channel) * plane + (size_t)place];
            }
        assert_near((double)((float *)trial->values)[i], sum, "conv", i);
    }
}

static void convolutions_sum_their_windows(void **state)
{
    uint32_t seed = 1;
    (void)state;
    for (int repeat = 0; repeat < CASES; repeat++) {
        HyperionLayerAttributes attributes = {.groups = 1 + draw(&seed, 3)};
        Windows windows = draw_windows(&seed, &attributes);
        const int64_t depth = 1 + draw(&seed, 2);
        const int64_t filters = attributes.groups * (1 + draw(&seed, 3));
        LayerTrial trial = {.shapes = {{2, {1 + draw(&seed, 2), depth * attributes.groups}},
                                       {2, {filters, depth}},
                                       {1, {filters}}}};
        append_axes(&trial.shapes[0], &windows, windows.size);
        append_axes(&trial.shapes[1], &windows, windows.kernel);
        assert_true(try_layer(&trial, HYPERION_LAYER_CONV2D, &attributes, 3, &seed));
        read_counts(&windows, &trial.result);
        compare_conv(&trial, &windows, attributes.groups);
        free_trial(&trial);
    }
}

// Element by element of the image, what it adds to the result.
static void compare_conv_transpose(const LayerTrial *trial, const Windows *windows, int64_t groups)
{
    const size_t places = volume(windows->count);
    const size_t plane = volume(windows->size);
    const size_t taps = volume(windows->kernel);
    const size_t filters = (size_t)trial->shapes[1].dims[1];
    const size_t channels = (size_t)trial->shapes[0].dims[1];
    double *sums = calloc(trial->value_count, sizeof *sums);
    assert_non_null(sums);
    for (size_t i = 0; i < trial->value_count; i++)
        sums[i] = (double)trial->inputs[2][i / plane % (filters * (size_t)groups)];
    for (size_t i = 0; i < count_elements(&trial->shapes[0]); i++) {
        const size_t channel = i / places % channels;
        const size_t group = channel / (channels / (size_t)groups);
        const size_t image = i / places / channels;
        for (size_t filter = 0; filter < filters; filter++)
            for (size_t tap = 0; tap < taps; tap++) {
                bool padded;
                const int64_t place = find_place(windows, i % places, tap, &padded);
                const size_t out = (image * (size_t)groups + group) * filters + filter;
                if (place >= 0)
                    sums[out * plane + (size_t)place] +=
                        (double)trial->inputs[0][i] *
                        (double)trial->inputs[1][(channel * filters + filter) * taps + tap];
            }
    }
    for (size_t i = 0; i < trial->value_count; i++)
        assert_near((double)((float *)trial->values)[i], sums[i], "conv_transpose", i);
    free(sums);
}

static void transposed_convolutions_spread_every_place(void **state)
{
    uint32_t seed = 2;
    (void)state;
    for (int repeat = 0; repeat < CASES; repeat++) {
        HyperionLayerAttributes attributes = {.groups = 1 + draw(&seed, 2)};
        Windows windows = draw_windows(&seed, &attributes);
        for (int axis = 0; axis < windows.rank; axis++)
            attributes.output_padding[axis] = draw(&seed, attributes.stride[axis] + 1);
        memcpy(windows.count, windows.size, sizeof windows.count);
        const int64_t filters = 1 + draw(&seed, 3);
        LayerTrial trial = {
            .shapes = {{2, {1 + draw(&seed, 2), attributes.groups * (1 + draw(&seed, 3))}},
                       {2, {0, filters}},
                       {1, {filters * attributes.groups}}}};
        trial.shapes[1].dims[0] = trial.shapes[0].dims[1];
        append_axes(&trial.shapes[0], &windows, windows.count);
        append_axes(&trial.shapes[1], &windows, windows.kernel);
        assert_true(try_layer(&trial, HYPERION_LAYER_CONV_TRANSPOSE, &attributes, 3, &seed));
        for (int axis = 0; axis < windows.rank; axis++)
            windows.size[AXES - windows.rank + axis] = trial.result.dims[2 + axis];
        compare_conv_transpose(&trial, &windows, attributes.groups);
        free_trial(&trial);
    }
}

// What a window of a plane holds.
typedef struct Facts {
    double greatest, sum, on_image, on_padding;
    int64_t where;
} Facts;

static Facts read_window(const Windows *windows, const float *plane, size_t window)
{
    Facts facts = {.greatest = -INFINITY};
    for (size_t tap = 0; tap < volume(windows->kernel); tap++) {
        bool padded;
        const int64_t place = find_place(windows, window, tap, &padded);
        if (place < 0) {
            facts.on_padding += padded;
            continue;
        }
        facts.on_image++;
        facts.sum += (double)plane[place];
        if ((double)plane[place] > facts.greatest) {
            facts.greatest = (double)plane[place];
            facts.where = place;
        }
    }
    return facts;
}

// `column_major` numbers of places count the first axis fastest.
static int64_t number_place(const Windows *windows, int64_t place, bool column_major)
{
    int64_t at[AXES];
    split((size_t)place, windows->size, at);
    return column_major ? at[0] + windows->size[0] * (at[1] + windows->size[1] * at[2]) : place;
}

static void compare_pool(const LayerTrial *trial, const Windows *windows, HyperionLayerOp op,
                         const HyperionLayerAttributes *attributes)
{
    const size_t places = volume(windows->count);
    const size_t plane = volume(windows->size);
    for (size_t i = 0; i < trial->value_count; i++) {
        const size_t image = i / places;
        const Facts facts = read_window(windows, trial->inputs[0] + image * plane, i % places);
        assert_true(facts.on_image > 0);
        const double counted = facts.on_image + (attributes->count_padding ? facts.on_padding : 0);
        if (op == HYPERION_LAYER_MAX_POOL)
            assert_near((double)((float *)trial->values)[i], facts.greatest, "max_pool", i);
        else if (op == HYPERION_LAYER_AVERAGE_POOL)
            assert_near((double)((float *)trial->values)[i], facts.sum / counted, "average", i);
        else
            assert_int_equal(((int64_t *)trial->values)[i],
                             (int64_t)(image * plane) +
                                 number_place(windows, facts.where, attributes->column_major));
    }
}

static void check_pools(HyperionLayerOp op)
{
    uint32_t seed = 3;
    for (int repeat = 0; repeat < CASES; repeat++) {
        HyperionLayerAttributes attributes = {.ceil_mode = draw(&seed, 2) > 0,
                                              .count_padding = draw(&seed, 2) > 0,
                                              .column_major = draw(&seed, 2) > 0};
        Windows windows = draw_windows(&seed, &attributes);
        for (int axis = 0; axis < windows.rank; axis++) {
            attributes.kernel[axis] = windows.kernel[AXES - windows.rank + axis];
            // Else a window could lie around the image, every place of it on the padding.
            attributes.dilation[axis] = windows.dilation[AXES - windows.rank + axis] = 1;
        }
        LayerTrial trial = {.shapes = {{2, {1 + draw(&seed, 2), 1 + draw(&seed, 2)}}}};
        append_axes(&trial.shapes[0], &windows, windows.size);
        assert_true(try_layer(&trial, op, &attributes, 1, &seed));
        read_counts(&windows, &trial.result);
        compare_pool(&trial, &windows, op, &attributes);
        free_trial(&trial);
    }
}

static void max_pools_take_the_greatest(void **state)
{
    (void)state;
    check_pools(HYPERION_LAYER_MAX_POOL);
}

static void average_pools_take_the_mean(void **state)
{
    (void)state;
    check_pools(HYPERION_LAYER_AVERAGE_POOL);
}

static void indices_say_where_the_greatest_stands(void **state)
{
    (void)state;
    check_pools(HYPERION_LAYER_MAX_POOL_INDICES);
}

static void a_window_more_begins_on_the_image(void **state)
{
    // Of 5 with 1 before: windows at -1, 2, and, rounded up, at 5, which is behind the image.
    uint32_t seed = 4;
    (void)state;
    HyperionLayerAttributes attributes = {
        .kernel = {2}, .stride = {3}, .padding = {1, 1}, .ceil_mode = true};
    LayerTrial trial = {.shapes = {{3, {1, 1, 5}}}};
    assert_true(try_layer(&trial, HYPERION_LAYER_MAX_POOL, &attributes, 1, &seed));
    assert_int_equal(trial.result.dims[2], 2);
    free_trial(&trial);
    trial = (LayerTrial){.shapes = {{3, {1, 1, 6}}}};
    assert_true(try_layer(&trial, HYPERION_LAYER_MAX_POOL, &attributes, 1, &seed));
    assert_int_equal(trial.result.dims[2], 3);
    free_trial(&trial);
}

static void unsuitable_layers_are_refused(void **state)
{
    static const struct {
        HyperionLayerOp op;
        HyperionLayerAttributes attributes;
        LayerShape image, filter;
        const char *reason;
    } cases[] = {
        {HYPERION_LAYER_CONV2D, {0}, {2, {2, 3}}, {2, {2, 3}}, "expected 3 to 5 dimensions"},
        {HYPERION_LAYER_CONV2D, {0}, {3, {1, 1, 4}}, {4, {1, 1, 2, 2}}, "expected 3 dimensions"},
        {HYPERION_LAYER_CONV_TRANSPOSE, {0}, {3, {1, 2, 4}}, {3, {1, 1, 2}}, "has 1 channels"},
        {HYPERION_LAYER_CONV_TRANSPOSE,
         {.groups = 2},
         {3, {1, 3, 4}},
         {3, {3, 1, 2}},
         "2 groups do not suit 3 channels"},
        {HYPERION_LAYER_CONV_TRANSPOSE,
         {.output_padding = {-1}},
         {3, {1, 1, 4}},
         {3, {1, 1, 2}},
         "output padding -1"},
        {HYPERION_LAYER_CONV_TRANSPOSE,
         {.padding = {9, 9}},
         {3, {1, 1, 4}},
         {3, {1, 1, 2}},
         "leave an extent of -13"},
        {HYPERION_LAYER_CONV_TRANSPOSE,
         {.activation = (HyperionActivation)99},
         {3, {1, 1, 4}},
         {3, {1, 1, 2}},
         "unknown activation 99"},
    };
    uint32_t seed = 5;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        LayerTrial trial = {.shapes = {cases[i].image, cases[i].filter}};
        assert_false(try_layer(&trial, cases[i].op, &cases[i].attributes, 2, &seed));
        if (!strstr(hyperionGetLastError(), cases[i].reason))
            fail_msg("\"%s\" does not say \"%s\"", hyperionGetLastError(), cases[i].reason);
        free_trial(&trial);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_sum_their_windows),
        cmocka_unit_test(transposed_convolutions_spread_every_place),
        cmocka_unit_test(max_pools_take_the_greatest),
        cmocka_unit_test(average_pools_take_the_mean),
        cmocka_unit_test(indices_say_where_the_greatest_stands),
        cmocka_unit_test(a_window_more_begins_on_the_image),
        cmocka_unit_test(unsuitable_layers_are_refused),
    };
    return cmocka_run_group_tests_name("windows", tests, NULL, NULL);
}
