// SPDX-License-Identifier: Apache-2.0
#include "check/check_support.h"
#include "parallel_for.h"

#include <math.h>
#include <string.h>

enum { MOST_EMULATED_THREADS = 5 };

// Where the pointers stand in the arguments of an operation.
typedef struct ArgsLayout {
    size_t args_bytes;
    size_t in; // what `out` may be
    size_t out;
    size_t parallel;
} ArgsLayout;

#define LAYOUT(args_type, in, out)                                                                 \
    {                                                                                              \
        sizeof(args_type), offsetof(args_type, in), offsetof(args_type, out),                      \
            offsetof(args_type, parallel)                                                          \
    }
static const ArgsLayout layouts[HYP_OP_COUNT] = {
    [HYP_OP_GEMM] = LAYOUT(HypGemmArgs, a, c),
    [HYP_OP_CONV2D] = LAYOUT(HypConv2dArgs, image, out),
    [HYP_OP_DEPTHWISE2D] = LAYOUT(HypConv2dArgs, image, out),
    [HYP_OP_GEMV] = LAYOUT(HypGemmArgs, a, c),
    [HYP_OP_ACTIVATION] = LAYOUT(HypActivationArgs, in, out),
    [HYP_OP_MAX_POOL2D] = LAYOUT(HypPool2dArgs, image, out),
    [HYP_OP_AVERAGE_POOL2D] = LAYOUT(HypPool2dArgs, image, out),
    [HYP_OP_BINARY] = LAYOUT(HypBinaryArgs, a, out),
    [HYP_OP_REDUCE] = LAYOUT(HypReduceArgs, in, out),
    [HYP_OP_SCALE_SHIFT] = LAYOUT(HypScaleShiftArgs, in, out),
    [HYP_OP_SOFTMAX] = LAYOUT(HypSoftmaxArgs, in, out),
    [HYP_OP_LAYERNORM] = LAYOUT(HypLayernormArgs, in, out),
    [HYP_OP_ATTENTION] = LAYOUT(HypAttentionArgs, q, out),
};

static void set_pointer(HypKernelArgs *args, size_t offset, const void *pointer)
{
    memcpy((char *)args + offset, &pointer, sizeof pointer);
}

static void call_variant(const HypKernelVariant *variant, const HypKernelArgs *args)
{
    switch (variant->op) {
#define OP(name, args_type, ENUM)                                                                  \
    case HYP_OP_##ENUM: variant->fn.name(&args->name); break;
        HYP_KERNEL_OPS(OP)
#undef OP
    case HYP_OP_COUNT: break;
    }
}

// A parallel-for in one thread: the tasks in random order, which shows where one needs another.
static void run_shuffled(void *opaque, size_t count, HyperionParallelTask task, void *context)
{
    HypCheckRun *run = opaque;
    size_t order[MOST_EMULATED_THREADS];
    for (size_t i = 0; i < count; i++) {
        const size_t other = hyp_check_below(run, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    for (size_t i = 0; i < count; i++)
        task(context, order[i]);
}

static HyperionParallel choose_parallel(HypCheckRun *run)
{
    static const size_t threads[] = {2, 3, MOST_EMULATED_THREADS};
    if (run->parallel)
        return *run->parallel;
    return (HyperionParallel){
        .threads = threads[run->report->case_count % 3], .run = run_shuffled, .pool = run};
}

// Bit for bit, save which NaN a NaN is: that depends on the order of the operands, which compilers
// choose anew for each copy of a loop.
static bool expect_same(HypCheckRun *run, const HypCheckBuffer *serial, const HypCheckBuffer *split,
                        size_t threads)
{
    for (size_t i = 0; i < serial->count; i++) {
        const float want = serial->data[i];
        const float got = split->data[i];
        const bool same = want == got && signbit(want) == signbit(got);
        if (!same && !(isnan(want) && isnan(got)))
            return hyp_check_fail(run, "out[%zu] is %.9g on %zu threads, %.9g on one", i,
                                  (double)got, threads, (double)want);
    }
    return true;
}

static bool run_split(HypCheckRun *run, const HypKernelVariant *variant, HypKernelArgs *args,
                      const HyperionParallel *parallel, HypCheckBuffer *workspace)
{
    size_t workspace_bytes = 0;
    set_pointer(args, layouts[variant->op].parallel, parallel);
    void **place = hyp_kernel_workspace(variant->op, args, &workspace_bytes);
    if (!hyp_check_allocate(run, workspace, workspace_bytes / sizeof(float), 0))
        return false;
    if (place)
        *place = workspace->data;
    call_variant(variant, args);
    return hyp_check_guards(run, workspace, "workspace of several threads");
}

bool hyp_check_split(HypCheckRun *run, const HypKernelVariant *variant, const void *serial_args,
                     const HypCheckBuffer *serial_out, const HypCheckBuffer *in_place)
{
    const ArgsLayout *layout = &layouts[variant->op];
    const HyperionParallel parallel = choose_parallel(run);
    HypCheckBuffer out = {.count = 0};
    HypCheckBuffer workspace = {.count = 0};
    HypKernelArgs args;
    memcpy(&args, serial_args, layout->args_bytes);
    const size_t misalignment = (uintptr_t)serial_out->data / sizeof(float) % HYP_LINE_FLOATS;
    bool agrees = hyp_check_allocate(run, &out, serial_out->count, misalignment);
    if (agrees) {
        set_pointer(&args, layout->out, out.data);
        if (in_place) {
            hyp_check_copy(&out, in_place);
            set_pointer(&args, layout->in, out.data);
        }
        agrees = run_split(run, variant, &args, &parallel, &workspace) &&
                 hyp_check_guards(run, &out, "out of several threads") &&
                 expect_same(run, serial_out, &out, parallel.threads);
    }
    hyp_check_release(&out);
    hyp_check_release(&workspace);
    return agrees;
}
