// SPDX-License-Identifier: Apache-2.0
#include "model/band.h"

#include "kernel_table.h"

#include <inttypes.h>

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *a = hyp_layer_input(model, layer, 0);
    if ((unsigned)layer->attributes.activation >= HYPERION_ACTIVATION_COUNT)
        return hyp_layer_fail(layer, "unknown activation %d", (int)layer->attributes.activation);
    if (a->rank < 1)
        return hyp_layer_fail(layer, "input '%s' is a scalar",
                              model->tensors[layer->inputs[0]].name);
    if (!hyp_layer_expect_rank(model, layer, 1, 2))
        return false;
    const HypShape *b = hyp_layer_input(model, layer, 1);
    const int64_t depth = a->dims[a->rank - 1];
    const int64_t b_depth = b->dims[layer->attributes.transpose_b ? 1 : 0];
    const int64_t columns = b->dims[layer->attributes.transpose_b ? 0 : 1];
    if (depth != b_depth)
        return hyp_layer_fail(layer, "'%s' has depth %" PRId64 ", but '%s' %" PRId64,
                              model->tensors[layer->inputs[0]].name, depth,
                              model->tensors[layer->inputs[1]].name, b_depth);
    if (layer->input_count > 2 && !hyp_layer_expect_vector(model, layer, 2, columns))
        return false;
    HypShape shape = *a;
    shape.dims[a->rank - 1] = columns;
    return hyp_layer_result(layer, result, a->rank, shape.dims);
}

static HyperionGemmShape describe_shape(const HyperionModel *model, const HypLayer *layer)
{
    const HypShape *a = hyp_layer_input(model, layer, 0);
    const HypShape *c = hyp_layer_output(model, layer);
    return (HyperionGemmShape){.m = hyp_shape_product(a, 0, a->rank - 1),
                               .n = (size_t)c->dims[c->rank - 1],
                               .k = (size_t)a->dims[a->rank - 1],
                               .b_transposed = layer->attributes.transpose_b};
}

static bool describe_product(const HyperionModel *model, const HypLayer *layer,
                             HypLayerProduct *product)
{
    *product =
        (HypLayerProduct){.shape = describe_shape(model, layer), .repeats = 1, .of_one_a = 1};
    return !hyp_layer_is_narrow(product->shape.m);
}

static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    const HyperionGemmShape shape = describe_shape(model, layer);
    return 2.0 * (double)shape.m * (double)shape.n * (double)shape.k;
}

static HypGemmArgs fill_args(const HypLayerRun *run)
{
    const HyperionGemmShape shape = describe_shape(run->model, run->layer);
    return (HypGemmArgs){
        .m = shape.m,
        .n = shape.n,
        .k = shape.k,
        .a = hyp_run_input(run, 0),
        .lda = shape.k,
        .b = hyp_run_input(run, 1),
        .ldb = shape.b_transposed ? shape.k : shape.n,
        .b_transposed = shape.b_transposed,
        .packed_b = run->packed,
        .c = hyp_run_output(run),
        .ldc = shape.n,
        .epilogue = {.column_bias = hyp_run_input(run, 2),
                     .activation = run->layer->attributes.activation,
                     .alpha = run->layer->attributes.alpha,
                     .beta = run->layer->attributes.beta},
        .blocking = run->blocking,
        .workspace = run->workspace,
        .parallel = run->parallel,
    };
}

static size_t count_workspace_bytes(const HypLayerRun *run)
{
    const HypGemmArgs args = fill_args(run);
    return hyp_layer_is_narrow(args.m) ? 0 : hyp_gemm_workspace_bytes(&args);
}

static size_t count_packed_bytes(const HypLayerRun *run)
{
    const HypGemmArgs args = fill_args(run);
    return hyp_layer_is_narrow(args.m) ? 0 : hyp_gemm_packed_b_bytes(&args);
}

static void pack(const HypLayerRun *run, float *packed)
{
    const HypGemmArgs args = fill_args(run);
    hyp_gemm_pack_b(&args, packed);
}

static void execute(const HypLayerRun *run)
{
    const HypGemmArgs args = fill_args(run);
    const HypKernelVariant *const *best = run->model->settings.dispatch.best;
    if (hyp_layer_is_narrow(args.m))
        best[HYP_OP_GEMV]->fn.gemv(&args);
    else
        best[HYP_OP_GEMM]->fn.gemm(&args);
}

// All of B. So few rows that another kernel multiplies them could differ in the last bit.
static bool find_band(const HyperionModel *model, const HypLayer *layer, int index, HypRows made,
                      HypBandInput *input)
{
    const HypShape *a = hyp_layer_input(model, layer, 0);
    const int64_t rows = hyp_row_count(a);
    *input = (HypBandInput){.rows = {0}};
    if (rows == 0 ||
        (hyp_layer_is_narrow(describe_shape(model, layer).m / (size_t)rows * (size_t)made.count) &&
         !hyp_layer_is_narrow(describe_shape(model, layer).m)))
        return false;
    return index > 0 || hyp_band_alike(model, layer, index, made, input);
}

const HypLayerOp hyp_layer_op_gemm = {
    .name = "gemm",
    .least_inputs = 2,
    .most_inputs = 3,
    .band = find_band,
    .infer = infer,
    .flops = count_flops,
    .product = describe_product,
    .product_kernel = HYP_OP_GEMM,
    .packed_input = 1,
    .packed_bytes = count_packed_bytes,
    .pack = pack,
    .workspace_bytes = count_workspace_bytes,
    .execute = execute,
};
