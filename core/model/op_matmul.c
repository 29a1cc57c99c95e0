// SPDX-License-Identifier: Apache-2.0
// Products of stacks of matrices, numpy's matmul: one call of the matrix-product kernel for each,
// in which the threads share the work, or, where products are small, each works on some of them.
#include "model/layer_op.h"

#include "common/size_math.h"

#include "kernel_table.h"
#include "parallel_for.h"

#include <inttypes.h>

// Multiplications of one product that are worth sharing it: see CONV2D_SHARED_WORK.
static const double shared_work = 0x1p18;

// The layer as a stack of equal products.
typedef struct Stack {
    HyperionGemmShape shape;
    int rank; // axes of the stack
    size_t extents[HYPERION_MAX_RANK];
    size_t a_steps[HYPERION_MAX_RANK]; // floats from one matrix to the next along the axis
    size_t b_steps[HYPERION_MAX_RANK]; // 0 where the operand is repeated
    size_t count;
} Stack;

// Dimensions of an operand before its matrix.
static int stack_rank(const HypShape *shape)
{
    return shape->rank > 2 ? shape->rank - 2 : 0;
}

// Of the dimension of an operand that counts `from_end` axes before its matrix; 1 where it is none.
static int64_t stack_extent(const HypShape *shape, int from_end)
{
    return from_end <= stack_rank(shape) ? shape->dims[stack_rank(shape) - from_end] : 1;
}

static int64_t count_rows(const HypShape *a)
{
    return a->rank > 1 ? a->dims[a->rank - 2] : 1;
}

static int64_t count_columns(const HypShape *b, bool transposed)
{
    return b->rank > 1 ? b->dims[b->rank - (transposed ? 2 : 1)] : 1;
}

static int64_t b_depth(const HypShape *b, bool transposed)
{
    return b->dims[b->rank - (transposed || b->rank == 1 ? 1 : 2)];
}

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *a = hyp_layer_input(model, layer, 0);
    const HypShape *b = hyp_layer_input(model, layer, 1);
    const bool transposed = layer->attributes.transpose_b;
    char a_text[HYP_SHAPE_TEXT_BYTES];
    char b_text[HYP_SHAPE_TEXT_BYTES];
    if (a->rank < 1 || b->rank < 1 || a->dims[a->rank - 1] != b_depth(b, transposed))
        return hyp_layer_fail(layer, "%s by %s%s: depths differ", hyp_shape_text(a, a_text),
                              hyp_shape_text(b, b_text), transposed ? " transposed" : "");
    int64_t dims[HYPERION_MAX_RANK] = {0};
    const int rank = stack_rank(a) > stack_rank(b) ? stack_rank(a) : stack_rank(b);
    for (int axis = 0; axis < rank; axis++) {
        const int64_t a_extent = stack_extent(a, rank - axis);
        const int64_t b_extent = stack_extent(b, rank - axis);
        if (a_extent != b_extent && a_extent != 1 && b_extent != 1)
            return hyp_layer_fail(layer, "%s by %s: leading dimensions do not broadcast",
                                  hyp_shape_text(a, a_text), hyp_shape_text(b, b_text));
        dims[axis] = a_extent == 1 ? b_extent : a_extent;
    }
    int result_rank = rank;
    if (a->rank > 1)
        dims[result_rank++] = count_rows(a);
    if (b->rank > 1)
        dims[result_rank++] = count_columns(b, transposed);
    return hyp_layer_result(layer, result, result_rank, dims);
}

// Rows of A that lie behind one another and meet the same B are one matrix.
static void merge_rows(Stack *stack)
{
    while (stack->rank > 0 && stack->b_steps[stack->rank - 1] == 0 &&
           stack->a_steps[stack->rank - 1] == stack->shape.m * stack->shape.k) {
        stack->rank--;
        stack->shape.m *= stack->extents[stack->rank];
        stack->count = stack->extents[stack->rank] ? stack->count / stack->extents[stack->rank] : 1;
    }
}

static Stack describe_stack(const HyperionModel *model, const HypLayer *layer)
{
    const HypShape *a = hyp_layer_input(model, layer, 0);
    const HypShape *b = hyp_layer_input(model, layer, 1);
    const bool transposed = layer->attributes.transpose_b && b->rank > 1;
    Stack stack = {.shape = {.m = (size_t)count_rows(a),
                             .n = (size_t)count_columns(b, transposed),
                             .k = (size_t)a->dims[a->rank - 1],
                             .b_transposed = transposed},
                   .count = 1};
    stack.rank = stack_rank(a) > stack_rank(b) ? stack_rank(a) : stack_rank(b);
    size_t a_step = stack.shape.m * stack.shape.k;
    size_t b_step = stack.shape.k * stack.shape.n;
    for (int axis = stack.rank - 1; axis >= 0; axis--) {
        const size_t a_extent = (size_t)stack_extent(a, stack.rank - axis);
        const size_t b_extent = (size_t)stack_extent(b, stack.rank - axis);
        stack.extents[axis] = a_extent == 1 ? b_extent : a_extent;
        stack.a_steps[axis] = a_extent == 1 && b_extent != 1 ? 0 : a_step;
        stack.b_steps[axis] = b_extent == 1 && a_extent != 1 ? 0 : b_step;
        stack.count *= stack.extents[axis];
        a_step *= a_extent;
        b_step *= b_extent;
    }
    merge_rows(&stack);
    return stack;
}

static bool describe_product(const HyperionModel *model, const HypLayer *layer,
                             HypLayerProduct *product)
{
    const Stack stack = describe_stack(model, layer);
    *product = (HypLayerProduct){.shape = stack.shape, .repeats = stack.count, .of_one_a = 1};
    for (int axis = 0; axis < stack.rank && stack.a_steps[axis] == 0; axis++)
        product->of_one_a *= stack.extents[axis];
    return !hyp_layer_is_narrow(stack.shape.m);
}

static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    const HypShape *a = hyp_layer_input(model, layer, 0);
    return 2.0 * (double)hyp_layer_output(model, layer)->element_count *
           (double)a->dims[a->rank - 1];
}

static HypGemmArgs fill_args(const HypLayerRun *run, const Stack *stack)
{
    const HyperionGemmShape *shape = &stack->shape;
    return (HypGemmArgs){
        .m = shape->m,
        .n = shape->n,
        .k = shape->k,
        .lda = shape->k,
        .ldb = shape->b_transposed ? shape->k : shape->n,
        .b_transposed = shape->b_transposed,
        .ldc = shape->n,
        .blocking = run->blocking,
    };
}

// Threads that work on products of their own; 1: all share one product after the other.
static size_t count_threads(const HypLayerRun *run, const Stack *stack)
{
    const double one = (double)stack->shape.m * (double)stack->shape.n * (double)stack->shape.k;
    const size_t threads = hyp_parallel_threads(run->parallel, 2 * one * (double)stack->count);
    return stack->count < threads || one > shared_work * (double)threads ? 1 : threads;
}

// Of one thread.
static size_t product_workspace_bytes(const HypGemmArgs *args)
{
    return hyp_layer_is_narrow(args->m) ? 0 : hyp_gemm_workspace_bytes(args);
}

static size_t count_workspace_bytes(const HypLayerRun *run)
{
    const Stack stack = describe_stack(run->model, run->layer);
    const size_t threads = count_threads(run, &stack);
    HypGemmArgs args = fill_args(run, &stack);
    size_t bytes;
    args.parallel = threads == 1 ? run->parallel : NULL;
    return hyp_size_multiply(threads, product_workspace_bytes(&args), &bytes) ? bytes : SIZE_MAX;
}

// What threads work on together.
typedef struct StackRun {
    const HypLayerRun *run;
    const Stack *stack;
    size_t threads;
} StackRun;

static void multiply(const StackRun *all, HypGemmArgs *args, size_t index)
{
    const Stack *stack = all->stack;
    args->a = hyp_run_input(all->run, 0);
    args->b = hyp_run_input(all->run, 1);
    args->c = hyp_run_output(all->run) + index * args->m * args->n;
    size_t rest = index;
    for (int axis = stack->rank - 1; axis >= 0; axis--) {
        const size_t at = rest % stack->extents[axis];
        rest /= stack->extents[axis];
        args->a += at * stack->a_steps[axis];
        args->b += at * stack->b_steps[axis];
    }
    const HypKernelVariant *const *best = all->run->model->settings.dispatch.best;
    if (hyp_layer_is_narrow(args->m))
        best[HYP_OP_GEMV]->fn.gemv(args);
    else
        best[HYP_OP_GEMM]->fn.gemm(args);
}

static void multiply_part(void *shared, size_t thread)
{
    const StackRun *all = shared;
    HypGemmArgs args = fill_args(all->run, all->stack);
    args.workspace = (char *)all->run->workspace + thread * product_workspace_bytes(&args);
    const HypRange part = hyp_parallel_part(all->stack->count, 1, all->threads, thread);
    for (size_t i = part.first; i < part.end; i++)
        multiply(all, &args, i);
}

static void execute(const HypLayerRun *run)
{
    const Stack stack = describe_stack(run->model, run->layer);
    StackRun all = {run, &stack, count_threads(run, &stack)};
    if (all.threads > 1) {
        hyp_parallel_run(run->parallel, all.threads, multiply_part, &all);
        return;
    }
    HypGemmArgs args = fill_args(run, &stack);
    args.workspace = run->workspace;
    args.parallel = run->parallel;
    for (size_t i = 0; i < stack.count; i++)
        multiply(&all, &args, i);
}

const HypLayerOp hyp_layer_op_matmul = {
    .name = "matmul",
    .least_inputs = 2,
    .most_inputs = 2,
    .infer = infer,
    .flops = count_flops,
    .product = describe_product,
    .product_kernel = HYP_OP_GEMM,
    .workspace_bytes = count_workspace_bytes,
    .execute = execute,
};
