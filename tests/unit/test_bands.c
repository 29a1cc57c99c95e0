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
    float values[8192];
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
    const float *expected = hyperionTensorConstData(whole);
    const float *given = hyperionTensorConstData(bands);
    for (size_t i = 0; i < hyperionTensorElementCount(whole); i++)
        if (memcmp(&expected[i], &given[i], sizeof(float)) != 0)
            fail_msg("element %zu is %.9g in bands, %.9g whole", i, (double)given[i],
                     (double)expected[i]);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_of_image_layers_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
