// SPDX-License-Identifier: Apache-2.0
// test_bands.c - layers run in bands of rows: the rows that a band takes are those that bear on it,
// and results are the same to the bit as those of whole layers.
#include "hyperion/hyperion.h"

#include "memory/activation_plan.h"
#include "memory/band_plan.h"
#include "model/band.h"
#include "model/run_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t random_state;

static int draw(int end)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (int)((random_state >> 33) % (uint64_t)end);
}

static float draw_value(void)
{
    return (float)(draw(2001) - 1000) / 500;
}

static int add_weight(HyperionModel *model, int rank, const int64_t *dims)
{
    static float values[1 << 19];
    char name[32];
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= dims[i];
    assert_true(count <= (int64_t)(sizeof values / sizeof *values));
    for (int64_t i = 0; i < count; i++)
        values[i] = draw_value();
    (void)snprintf(name, sizeof name, "weight%d", hyperionModelTensorCount(model));
    return hyperionAddWeight(model, name, HYPERION_TYPE_F32, rank, dims, values);
}

static int add_layer(HyperionModel *model, HyperionLayerOp op,
                     const HyperionLayerAttributes *attributes, const int *inputs, int input_count)
{
    char name[32];
    (void)snprintf(name, sizeof name, "layer%d", hyperionModelLayerCount(model));
    return hyperionAddLayer(model, name, op, attributes, inputs, input_count);
}

// What runs layers of a model, once it is attached: groups of steps in bands.
typedef struct Banding {
    HypBandGroup groups[4];
    int group_count;
    size_t activation_bytes;
    bool refused; // groups are not possible
} Banding;

static bool plan_bands(void *context, const HyperionModel *model, HypRunPlan *plan)
{
    Banding *banding = context;
    const HypActivationSettings settings = {.share = true, .in_place = true, .effort = 0.3F};
    HypActivationFacts facts;
    int *reads = hyp_band_plan_count_reads(model, plan);
    assert_non_null(reads);
    banding->refused = false;
    for (int i = 0; i < banding->group_count; i++)
        banding->refused |= !hyp_band_group_is_possible(model, plan, reads, &banding->groups[i]);
    free(reads);
    if (!banding->refused)
        assert_true(hyp_band_plan_apply(model, banding->groups, banding->group_count, plan));
    assert_true(hyp_activation_plan_make(model, &settings, plan, &facts));
    banding->activation_bytes = facts.planned_bytes;
    return true;
}

static const HypExecutorHooks hooks = {.plan = plan_bands};

static HyperionTensor *create(HyperionTensorInfo info)
{
    HyperionTensor *tensor = hyperionCreateTensor(info.type, info.rank, info.dims);
    assert_non_null(tensor);
    return tensor;
}

// Runs the model, of one input and output, whole and in bands; false where bands are refused.
static bool expect_the_same(HyperionModel *model, Banding *banding)
{
    HyperionTensor *in = create(hyperionModelInput(model, 0));
    HyperionTensor *whole = create(hyperionModelOutput(model, 0));
    HyperionTensor *bands = create(hyperionModelOutput(model, 0));
    float *values = hyperionTensorData(in);
    for (size_t i = 0; i < hyperionTensorElementCount(in); i++)
        values[i] = draw_value();
    memset(hyperionTensorData(bands), 0x55, hyperionTensorBytes(bands));
    if (!hyperionRunModel(model, &in, &whole))
        fail_msg("%s", hyperionGetLastError());
    assert_true(hyp_model_attach(model, HYP_ATTACHED_OPTIMIZER, &hooks, banding));
    if (!hyperionRunModel(model, &in, &bands))
        fail_msg("%s", hyperionGetLastError());
    assert_true(hyp_model_detach(model, HYP_ATTACHED_OPTIMIZER));
    const uint32_t *expected = hyperionTensorConstData(whole);
    const uint32_t *given = hyperionTensorConstData(bands);
    for (size_t i = 0; i < hyperionTensorElementCount(whole); i++)
        if (expected[i] != given[i])
            fail_msg("bits of element %zu are %08x in bands, %08x whole", i, (unsigned)given[i],
                     (unsigned)expected[i]);
    hyperionFreeTensor(in);
    hyperionFreeTensor(whole);
    hyperionFreeTensor(bands);
    return !banding->refused;
}

static int add_convolution(HyperionModel *model, int image, int64_t filters, int64_t kernel,
                           bool depthwise)
{
    const HyperionTensorInfo info = hyperionModelTensor(model, image);
    const int64_t groups = depthwise ? info.dims[1] : 1;
    const int64_t out = depthwise ? info.dims[1] : filters;
    const int64_t dims[] = {out, info.dims[1] / groups, kernel, 1 + draw(3)};
    const int64_t stride = 1 + draw(2);
    const HyperionLayerAttributes attributes = {
        .stride = {stride, 1 + draw(2)},
        .dilation = {1 + draw(2), 1 + draw(2)},
        .padding = {draw(4), draw(3), draw(4), draw(3)},
        .groups = groups,
        .activation = (HyperionActivation)draw(3),
    };
    const int inputs[] = {image, add_weight(model, 4, dims), add_weight(model, 1, &out)};
    return add_layer(model, HYPERION_LAYER_CONV2D, &attributes, inputs, 2 + draw(2));
}

static int add_pool(HyperionModel *model, int image)
{
    const HyperionLayerAttributes attributes = {
        .kernel = {1 + draw(3), 1 + draw(3)},
        .stride = {1 + draw(2), 1 + draw(2)},
        .dilation = {1 + draw(2), 1},
        .padding = {draw(2), draw(2), draw(2), draw(2)},
        .ceil_mode = draw(2),
        .count_padding = draw(2),
    };
    return add_layer(model, draw(2) ? HYPERION_LAYER_MAX_POOL : HYPERION_LAYER_AVERAGE_POOL,
                     &attributes, &image, 1);
}

static int add_scale_shift(HyperionModel *model, int image)
{
    const int64_t channels = hyperionModelTensor(model, image).dims[1];
    const int inputs[] = {image, add_weight(model, 1, &channels), add_weight(model, 1, &channels)};
    return add_layer(model, HYPERION_LAYER_SCALE_SHIFT, NULL, inputs, 3);
}

static int add_sum(HyperionModel *model, int image)
{
    const HyperionTensorInfo info = hyperionModelTensor(model, image);
    const int64_t dims[] = {draw(2) ? info.dims[1] : 1, 1, draw(2) ? info.dims[3] : 1};
    const HyperionLayerAttributes attributes = {.binary = (HyperionBinary)draw(4)};
    const int other = draw(2) ? image : add_weight(model, 3, dims);
    const int inputs[] = {draw(2) ? image : other, image};
    return add_layer(model, HYPERION_LAYER_BINARY, &attributes, inputs, 2);
}

// Two branches and what joins them: the rows that both read are read more than once.
static int add_branches(HyperionModel *model, int image)
{
    const HyperionLayerAttributes same = {.padding = {1, 0, 1, 0}};
    const HyperionTensorInfo info = hyperionModelTensor(model, image);
    const int64_t dims[] = {info.dims[1], info.dims[1], 3, 1};
    const int conv[] = {image, add_weight(model, 4, dims)};
    const int branch = add_layer(model, HYPERION_LAYER_CONV2D, &same, conv, 2);
    const int both[] = {branch, image};
    const HyperionLayerAttributes channels = {.axis = draw(2) ? 1 : 3};
    return add_layer(model, draw(2) ? HYPERION_LAYER_CONCAT : HYPERION_LAYER_BINARY, &channels,
                     both, 2);
}

static int add_any(HyperionModel *model, int image)
{
    const HyperionLayerAttributes attributes = {
        .activation = (HyperionActivation)(1 + draw(HYPERION_ACTIVATION_COUNT - 1)),
        .alpha = 0.5F,
        .beta = 0.75F,
        .size = 3};
    switch (draw(8)) {
    case 0: return add_convolution(model, image, 1 + draw(9), 1 + draw(4), false);
    case 1: return add_convolution(model, image, 0, 1 + draw(4), true);
    case 2: return add_pool(model, image);
    case 3: return add_scale_shift(model, image);
    case 4: return add_sum(model, image);
    case 5: return add_branches(model, image);
    case 6: return add_layer(model, HYPERION_LAYER_LRN, &attributes, &image, 1);
    default: return add_layer(model, HYPERION_LAYER_ACTIVATION, &attributes, &image, 1);
    }
}

static void chains_of_image_layers_give_the_same_bits(void **state)
{
    (void)state;
    int banded = 0;
    for (int turn = 0; turn < 400; turn++) {
        random_state = (uint64_t)turn;
        HyperionModel *model = hyperionCreateModel("chain");
        const int64_t dims[] = {1 + draw(2), 1 + draw(5), 5 + draw(20), 3 + draw(20)};
        int tensor = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 4, dims);
        const int length = 2 + draw(3);
        for (int i = 0; i < length; i++) {
            const int next = add_any(model, tensor);
            tensor = next >= 0 ? next : tensor; // refused: a window larger than the image
        }
        const int layers = hyperionModelLayerCount(model);
        assert_true(hyperionSetThreadCount(model, 1 + turn % 2));
        if (layers > 0 && hyperionAddOutput(model, tensor)) {
            const int first = draw(layers);
            Banding banding = {.groups = {{first, 1 + draw(layers - first), 1 + draw(6)}},
                               .group_count = 1};
            banded += expect_the_same(model, &banding);
        }
        hyperionFreeModel(model);
    }
    assert_true(banded > 200); // else this tests nothing
}

// Layers over rows of tokens.
static int add_token_layer(HyperionModel *model, int tokens)
{
    const HyperionTensorInfo info = hyperionModelTensor(model, tokens);
    const int64_t width = info.dims[info.rank - 1];
    const int64_t matrix[] = {width, 1 + draw(width > 100 ? 10 : 40)};
    const int64_t other[] = {info.dims[info.rank - 2], width};
    const HyperionLayerAttributes attributes = {
        .activation = (HyperionActivation)(1 + draw(HYPERION_ACTIVATION_COUNT - 1)),
        .alpha = 0.5F,
        .beta = 0.75F,
        .axis = -1 - draw(2),
        .axis_from_end = draw(2)};
    switch (draw(7)) {
    case 0:
        return add_layer(model, HYPERION_LAYER_GEMM, &attributes,
                         (int[]){tokens, add_weight(model, 2, matrix)}, 2);
    case 1:
        return add_layer(model, HYPERION_LAYER_LAYERNORM, NULL,
                         (int[]){tokens, add_weight(model, 1, &width)}, 2);
    case 2: return add_layer(model, HYPERION_LAYER_SOFTMAX, &attributes, &tokens, 1);
    case 3:
        return add_layer(model, HYPERION_LAYER_BINARY, NULL,
                         (int[]){add_weight(model, 2, other), tokens}, 2);
    case 4: return add_layer(model, HYPERION_LAYER_CONCAT, &attributes, (int[]){tokens, tokens}, 2);
    case 5: return add_scale_shift(model, tokens);
    default: return add_layer(model, HYPERION_LAYER_ACTIVATION, &attributes, &tokens, 1);
    }
}

static void chains_of_token_layers_give_the_same_bits(void **state)
{
    (void)state;
    int banded = 0;
    for (int turn = 0; turn < 400; turn++) {
        random_state = (uint64_t)turn;
        HyperionModel *model = hyperionCreateModel("chain");
        // Rows of more than a block's depth differ in the last bit between kernels.
        const int64_t dims[] = {1 + draw(3), 1 + draw(40), draw(3) ? 1 + draw(30) : 600};
        int tensor =
            hyperionAddInput(model, "x", HYPERION_TYPE_F32, 2 + turn % 2, dims + 1 - turn % 2);
        const int layers = 2 + draw(3);
        for (int i = 0; i < layers; i++)
            tensor = add_token_layer(model, tensor);
        assert_true(tensor >= 0 && hyperionAddOutput(model, tensor));
        const int first = draw(layers);
        Banding banding = {.groups = {{first, 1 + draw(layers - first), 1 + draw(20)}},
                           .group_count = 1};
        banded += expect_the_same(model, &banding);
        hyperionFreeModel(model);
    }
    assert_true(banded > 200); // else this tests nothing
}

// The rows of the image that the windows of rows `made` have an element on, one by one.
static HypRows find_reached(const HyperionLayerAttributes *attributes, int64_t kernel,
                            int64_t height, HypRows made)
{
    int64_t least = height;
    int64_t most = -1;
    for (int64_t row = made.first; row < made.first + made.count; row++)
        for (int64_t k = 0; k < kernel; k++) {
            const int64_t at =
                row * attributes->stride[0] + k * attributes->dilation[0] - attributes->padding[0];
            if (at < 0 || at >= height)
                continue;
            least = at < least ? at : least;
            most = at > most ? at : most;
        }
    return (HypRows){least, most - least + 1};
}

static void windows_take_the_rows_that_they_reach(void **state)
{
    (void)state;
    int checked = 0;
    for (int turn = 0; turn < 500; turn++) {
        random_state = (uint64_t)turn;
        HyperionModel *model = hyperionCreateModel("windows");
        const int64_t dims[] = {1, 1, 1 + draw(12), 4};
        const int64_t kernel = 1 + draw(4);
        const int image = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 4, dims);
        const int64_t filter[] = {1, 1, kernel, 1};
        const HyperionLayerAttributes attributes = {.stride = {1 + draw(3), 1},
                                                    .dilation = {1 + draw(3), 1},
                                                    .padding = {draw(6), 0, draw(6), 0}};
        const int inputs[] = {image, add_weight(model, 4, filter)};
        const int result = add_layer(model, HYPERION_LAYER_CONV2D, &attributes, inputs, 2);
        const int64_t rows = result < 0 ? 0 : hyp_row_count(&model->tensors[result].shape);
        for (int64_t first = 0; first < rows; first++)
            for (int64_t count = 1; count <= rows - first; count++) {
                const HypRows made = {first, count};
                const HypRows reached = find_reached(&attributes, kernel, dims[2], made);
                HypBandInput input;
                if (!hyp_layer_band(model, &model->layers[0], 0, made, &input)) {
                    assert_true(reached.count <= 0 || dims[2] == 0);
                    continue;
                }
                // Where windows leave rows out, it may be those at an end.
                assert_true(reached.count <= 0 ||
                            (input.rows.first <= reached.first &&
                             input.rows.first + input.rows.count >= reached.first + reached.count));
                if (attributes.dilation[0] == 1 && attributes.stride[0] <= kernel)
                    assert_true(input.rows.first == reached.first &&
                                input.rows.count == reached.count);
                checked++;
            }
        hyperionFreeModel(model);
    }
    assert_true(checked > 1000);
}

// A convolution, a pool and a convolution, as a plan has them in two bands.
typedef struct Banded {
    HyperionModel *model;
    HypRunPlan plan;
} Banded;

static Banded make_banded(void)
{
    random_state = 1;
    Banded banded = {.model = hyperionCreateModel("banded")};
    const int64_t dims[] = {1, 3, 12, 10};
    const int64_t filter[] = {4, 3, 3, 3};
    const int64_t second[] = {2, 4, 3, 1};
    const HyperionLayerAttributes pool = {.kernel = {2, 2}, .stride = {1, 1}};
    const int image = hyperionAddInput(banded.model, "x", HYPERION_TYPE_F32, 4, dims);
    const int first = add_layer(banded.model, HYPERION_LAYER_CONV2D, NULL,
                                (int[]){image, add_weight(banded.model, 4, filter)}, 2);
    const int pooled = add_layer(banded.model, HYPERION_LAYER_MAX_POOL, &pool, &first, 1);
    const int last = add_layer(banded.model, HYPERION_LAYER_CONV2D, NULL,
                               (int[]){pooled, add_weight(banded.model, 4, second)}, 2);
    const HyperionLayerAttributes relu = {.activation = HYPERION_ACTIVATION_RELU};
    const int out = add_layer(banded.model, HYPERION_LAYER_ACTIVATION, &relu, &last, 1);
    assert_true(hyperionAddOutput(banded.model, out));
    assert_true(hyp_run_plan_create(banded.model, &banded.plan));
    const HypBandGroup group = {.first = 0, .count = 3, .rows = 4};
    assert_true(hyp_band_plan_apply(banded.model, &group, 1, &banded.plan));
    return banded;
}

static void free_banded(Banded *banded)
{
    hyp_run_plan_free(&banded->plan);
    hyperionFreeModel(banded->model);
}

static int find_result(const Banded *banded, int layer)
{
    return banded->model->layers[layer].outputs[0];
}

static void plans_in_bands_are_held_to_what_a_run_needs(void **state)
{
    (void)state;
    Banded banded = make_banded();
    HypRunPlan *plan = &banded.plan;
    // 10 rows of the first result, 9 of the second, 7 of the third: bands of 4 and 3.
    static const HypRows bands[] = {{0, 7}, {0, 6}, {0, 4}, {4, 6}, {4, 5}, {4, 3}, {0, 0}};
    assert_int_equal(plan->step_count, 7);
    for (int i = 0; i < plan->step_count; i++) {
        assert_int_equal(plan->steps[i], i < 6 ? i % 3 : 3);
        assert_memory_equal(&plan->bands[i], &bands[i], sizeof bands[i]);
    }
    const int first = find_result(&banded, 0);
    const int third = find_result(&banded, 2);
    assert_int_equal(plan->held_rows[first], 7);
    assert_int_equal(plan->held_rows[find_result(&banded, 1)], 6);
    assert_int_equal(plan->held_rows[third], 0);
    assert_int_equal(hyp_run_plan_tensor_bytes(banded.model, plan, first), 4 * 7 * 8 * 4);
    assert_true(hyp_run_plan_goes_on(banded.model, plan, 5));
    assert_false(hyp_run_plan_goes_on(banded.model, plan, 2) ||
                 hyp_run_plan_goes_on(banded.model, plan, 3));
    assert_true(hyp_run_plan_is_valid(banded.model, plan));
    assert_true(hyp_activation_plan_check(banded.model, plan));

    plan->held_rows[first] = 6; // less than a band of it has
    assert_false(hyp_run_plan_is_valid(banded.model, plan));
    plan->held_rows[first] = 7;
    plan->bands[0].count = 6; // less than the pool reads
    assert_false(hyp_run_plan_is_valid(banded.model, plan));
    assert_false(hyp_activation_plan_check(banded.model, plan));
    plan->bands[0].count = 7;
    // Seven rows of the last result, but one of them twice and one never.
    plan->bands[3] = (HypRows){3, 6};
    plan->bands[4] = (HypRows){3, 5};
    plan->bands[5] = (HypRows){3, 3};
    assert_false(hyp_activation_plan_check(banded.model, plan));
    plan->bands[3] = (HypRows){4, 6};
    plan->bands[4] = (HypRows){4, 5};
    plan->bands[5] = (HypRows){4, 4}; // one too many
    assert_false(hyp_run_plan_is_valid(banded.model, plan));
    plan->bands[5] = (HypRows){4, 3};
    plan->offsets[third] = plan->offsets[first]; // over what the next band is made from
    assert_false(hyp_activation_plan_check(banded.model, plan));
    free_banded(&banded);
}

static void groups_are_refused_where_others_read_what_is_between(void **state)
{
    (void)state;
    Banded banded = make_banded();
    HypRunPlan plan;
    assert_true(hyp_run_plan_create(banded.model, &plan));
    int *reads = hyp_band_plan_count_reads(banded.model, &plan);
    HypBandGroup group = {.first = 0, .count = 2, .rows = 1};
    assert_true(hyp_band_group_is_possible(banded.model, &plan, reads, &group));
    group.rows = 0;
    assert_false(hyp_band_group_is_possible(banded.model, &plan, reads, &group));
    free(reads);
    assert_true(hyperionAddOutput(banded.model, find_result(&banded, 0)));
    hyp_run_plan_free(&plan);
    assert_true(hyp_run_plan_create(banded.model, &plan));
    reads = hyp_band_plan_count_reads(banded.model, &plan);
    group.rows = 1;
    assert_false(hyp_band_group_is_possible(banded.model, &plan, reads, &group));
    free(reads);
    hyp_run_plan_free(&plan);
    free_banded(&banded);
}

// A profile sees the steps of bands, and rectangles of memory as high as what is held.
static void a_profile_shows_bands(void **state)
{
    (void)state;
    Banded banded = make_banded();
    Banding banding = {.groups = {{0, 3, 4}}, .group_count = 1};
    HyperionProfile *profile = hyperionCreateProfile(banded.model, 1);
    assert_non_null(profile);
    HyperionTensor *in = create(hyperionModelInput(banded.model, 0));
    HyperionTensor *out = create(hyperionModelOutput(banded.model, 0));
    memset(hyperionTensorData(in), 0, hyperionTensorBytes(in));
    assert_true(hyp_model_attach(banded.model, HYP_ATTACHED_OPTIMIZER, &hooks, &banding));
    assert_true(hyperionRunModel(banded.model, &in, &out));
    assert_int_equal(hyperionProfileStepCount(profile), 7);
    const HyperionProfileMemory memory = hyperionProfileMemory(profile);
    assert_int_equal(memory.activation_bytes, banding.activation_bytes);
    assert_true(memory.live_peak_bytes <= memory.activation_bytes);
    const HyperionProfilePlace place = hyperionProfilePlace(profile, find_result(&banded, 0));
    assert_true(place.placed);
    assert_int_equal(place.size_bytes, 4 * 7 * 8 * 4);
    assert_int_equal(place.first_step, 0);
    assert_int_equal(place.last_step, 4);
    // Two bands are one pass, whose time is that of both.
    const HyperionProfileLayer layer = hyperionProfileLayer(profile, 1);
    assert_int_equal(layer.pass_count, 1);
    assert_int_equal(layer.median_ns, hyperionProfileStep(profile, 0, 1).duration_ns +
                                          hyperionProfileStep(profile, 0, 4).duration_ns);
    assert_int_equal(layer.before_bytes, 4 * 7 * 8 * 4);
    assert_true(hyp_model_detach(banded.model, HYP_ATTACHED_OPTIMIZER));
    hyperionFreeProfile(profile);
    hyperionFreeTensor(in);
    hyperionFreeTensor(out);
    free_banded(&banded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_take_the_rows_that_they_reach),
        cmocka_unit_test(plans_in_bands_are_held_to_what_a_run_needs),
        cmocka_unit_test(groups_are_refused_where_others_read_what_is_between),
        cmocka_unit_test(a_profile_shows_bands),
        cmocka_unit_test(chains_of_token_layers_give_the_same_bits),
        cmocka_unit_test(chains_of_image_layers_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
