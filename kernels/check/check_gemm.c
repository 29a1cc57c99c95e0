// SPDX-License-Identifier: Apache-2.0
#include "check/check_product.h"

#include <stdio.h>

// For the size of a workspace that is not looked at.
static const HyperionGemmBlocking blocking_of_one = {.mc = 1, .kc = 1, .nc = 1, .mr = 1, .nr = 1};

typedef struct GemmBuffers {
    HypCheckBuffer a, b, c, column_bias, row_bias, workspace;
} GemmBuffers;

// Floats from the first to the last element of `rows` rows.
static size_t matrix_floats(size_t rows, size_t columns, size_t ld)
{
    return rows > 0 && columns > 0 ? (rows - 1) * ld + columns : 0;
}

// Replaces the pointers of `args`: biases by present ones where they were not NULL.
static bool allocate_buffers(HypCheckRun *run, GemmBuffers *buffers, HypGemmArgs *args,
                             size_t misalignment)
{
    const size_t b_floats = args->b_transposed ? matrix_floats(args->n, args->k, args->ldb)
                                               : matrix_floats(args->k, args->n, args->ldb);
    if (!hyp_check_allocate(run, &buffers->a, matrix_floats(args->m, args->k, args->lda),
                            misalignment) ||
        !hyp_check_allocate(run, &buffers->b, b_floats, misalignment) ||
        !hyp_check_allocate(run, &buffers->c, matrix_floats(args->m, args->n, args->ldc),
                            misalignment) ||
        !hyp_check_allocate(run, &buffers->column_bias, args->n, misalignment) ||
        !hyp_check_allocate(run, &buffers->row_bias, args->m, misalignment) ||
        !hyp_check_allocate(run, &buffers->workspace,
                            hyp_gemm_workspace_bytes(args) / sizeof(float), 0))
        return false;
    args->a = buffers->a.data;
    args->b = buffers->b.data;
    args->c = buffers->c.data;
    args->workspace = buffers->workspace.data;
    if (args->epilogue.column_bias)
        args->epilogue.column_bias = buffers->column_bias.data;
    if (args->epilogue.row_bias)
        args->epilogue.row_bias = buffers->row_bias.data;
    return true;
}

static void release_buffers(GemmBuffers *buffers)
{
    hyp_check_release(&buffers->a);
    hyp_check_release(&buffers->b);
    hyp_check_release(&buffers->c);
    hyp_check_release(&buffers->column_bias);
    hyp_check_release(&buffers->row_bias);
    hyp_check_release(&buffers->workspace);
}

static bool check_guards(HypCheckRun *run, const GemmBuffers *buffers)
{
    return hyp_check_guards(run, &buffers->a, "a") && hyp_check_guards(run, &buffers->b, "b") &&
           hyp_check_guards(run, &buffers->c, "c") &&
           hyp_check_guards(run, &buffers->column_bias, "column bias") &&
           hyp_check_guards(run, &buffers->row_bias, "row bias") &&
           hyp_check_guards(run, &buffers->workspace, "workspace");
}

static bool check_values(HypCheckRun *run, const HypGemmArgs *args)
{
    const size_t total = args->m * args->n;
    const size_t count = hyp_check_sample_count(total, HYP_CHECK_PRODUCT_SAMPLE);
    for (size_t i = 0; i < count; i++) {
        const size_t place = hyp_check_sample(run, total, HYP_CHECK_PRODUCT_SAMPLE, i);
        const size_t row = place / args->n;
        const size_t column = place % args->n;
        const HypReferenceSum sum = hyp_reference_gemm(args, row, column);
        char name[96];
        (void)snprintf(name, sizeof name, "c[%zu][%zu]", row, column);
        if (!hyp_check_product(run, args->c[row * args->ldc + column], &sum, args->k,
                               &args->epilogue, name))
            return false;
    }
    return true;
}

static bool check_gaps(HypCheckRun *run, const HypGemmArgs *args, const HypCheckBuffer *c)
{
    for (size_t row = 0; row + 1 < args->m && args->n > 0; row++)
        if (!hyp_check_untouched(run, c, row * args->ldc + args->n, args->ldc - args->n, "c"))
            return false;
    return true;
}

// The same with operands packed before, which must not be read themselves then.
static bool check_packed_once(HypCheckRun *run, const HypKernelVariant *variant,
                              const HypGemmArgs *args, const HypCheckBuffer *c)
{
    const size_t which = 1 + hyp_check_below(run, 3); // a, b, both
    HypGemmArgs packed = *args;
    HypCheckBuffer a = {.count = 0};
    HypCheckBuffer b = {.count = 0};
    const bool allocated =
        hyp_check_allocate(run, &a, hyp_gemm_packed_a_bytes(args) / sizeof(float), 0) &&
        hyp_check_allocate(run, &b, hyp_gemm_packed_b_bytes(args) / sizeof(float), 0);
    if (allocated && which & 1) {
        hyp_gemm_pack_a(args, a.data);
        packed.packed_a = a.data;
        packed.a = NULL;
    }
    if (allocated && which & 2) {
        hyp_gemm_pack_b(args, b.data);
        packed.packed_b = b.data;
        packed.b = NULL;
    }
    const bool agrees = allocated && hyp_check_guards(run, &a, "a packed once") &&
                        hyp_check_guards(run, &b, "b packed once") &&
                        hyp_check_split(run, variant, &packed, c, NULL);
    hyp_check_release(&a);
    hyp_check_release(&b);
    return agrees;
}

// gemv is the same product for few rows, without blocks and packing.
static bool packs_nothing(const HypKernelVariant *variant)
{
    return variant->op == HYP_OP_GEMV;
}

static bool check_problem(HypCheckRun *run, const HypKernelVariant *variant,
                          const HypGemmArgs *problem, size_t misalignment)
{
    HypGemmArgs args = *problem;
    args.parallel = NULL;
    const HyperionGemmBlocking *blocking = &args.blocking;
    hyp_check_begin_case(run, "m=%zu n=%zu k=%zu%s mc=%zu kc=%zu nc=%zu activation=%d offset=%zu",
                         args.m, args.n, args.k, args.b_transposed ? " bT" : "", blocking->mc,
                         blocking->kc, blocking->nc, (int)args.epilogue.activation, misalignment);
    GemmBuffers buffers = {.a = {.count = 0}};
    bool agrees = allocate_buffers(run, &buffers, &args, misalignment);
    if (agrees) {
        hyp_check_fill(run, &buffers.a, -1, 1);
        hyp_check_fill(run, &buffers.b, -1, 1);
        hyp_check_fill(run, &buffers.column_bias, -1, 1);
        hyp_check_fill(run, &buffers.row_bias, -1, 1);
        (packs_nothing(variant) ? variant->fn.gemv : variant->fn.gemm)(&args);
        agrees = check_guards(run, &buffers) && check_gaps(run, &args, &buffers.c) &&
                 check_values(run, &args) &&
                 hyp_check_split(run, variant, &args, &buffers.c, NULL) &&
                 (packs_nothing(variant) || check_packed_once(run, variant, &args, &buffers.c));
    }
    release_buffers(&buffers);
    return agrees;
}

bool hyp_check_gemm_args(const HypKernelVariant *variant, const HypGemmArgs *args, uint64_t seed,
                         HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    run.parallel = args->parallel;
    return hyp_check_tile(&run, variant, &args->blocking) && check_problem(&run, variant, args, 0);
}

bool hyp_check_gemv_args(const HypKernelVariant *variant, const HypGemmArgs *args, uint64_t seed,
                         HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    HypGemmArgs unpacked = *args;
    unpacked.blocking = blocking_of_one;
    run.parallel = args->parallel;
    return check_problem(&run, variant, &unpacked, 0);
}

// Everything but the sizes at random; what is likely to matter together comes together often.
static bool check_sizes(HypCheckRun *run, const HypKernelVariant *variant, size_t m, size_t n,
                        size_t k)
{
    static const float present = 0;
    const bool transposed = hyp_check_below(run, 2);
    const HypGemmArgs args = {
        .m = m,
        .n = n,
        .k = k,
        .lda = k + hyp_check_below(run, 4),
        .ldb = (transposed ? k : n) + hyp_check_below(run, 4),
        .b_transposed = transposed,
        .ldc = n + hyp_check_below(run, 4),
        .epilogue = {.column_bias = hyp_check_below(run, 2) ? &present : NULL,
                     .row_bias = hyp_check_below(run, 2) ? &present : NULL,
                     .activation =
                         (HyperionActivation)hyp_check_below(run, HYPERION_ACTIVATION_COUNT),
                     .alpha = HYP_CHECK_ALPHA,
                     .beta = HYP_CHECK_BETA},
        .blocking =
            packs_nothing(variant) ? blocking_of_one : hyp_check_random_blocking(run, variant)};
    return check_problem(run, variant, &args, hyp_check_below(run, HYP_CHECK_WIDEST_LANES));
}

bool hyp_check_gemm_all(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    const size_t last_m = 2 * variant->mr + 1;
    const size_t last_n = 2 * variant->nr + 1;
    const size_t last_k = 2 * HYP_CHECK_WIDEST_LANES + 1;
    for (size_t m = 0; m <= last_m; m++)
        for (size_t n = 0; n <= last_n; n++)
            if (!check_sizes(&run, variant, m, n, hyp_check_below(&run, last_k + 1)))
                return false;
    for (size_t k = 0; k <= last_k; k++)
        for (int repeat = 0; repeat < 8; repeat++)
            if (!check_sizes(&run, variant, 1 + hyp_check_below(&run, last_m),
                             1 + hyp_check_below(&run, last_n), k))
                return false;
    return true;
}

bool hyp_check_gemv_all(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    // Eight vectors of columns, four rows of a transposed B, and twice two vectors of depth.
    const size_t last_n = 8 * HYP_CHECK_WIDEST_LANES + 1;
    const size_t last_k = 4 * HYP_CHECK_WIDEST_LANES + 1;
    for (size_t n = 0; n <= last_n; n++)
        for (int repeat = 0; repeat < 8; repeat++)
            if (!check_sizes(&run, variant, hyp_check_below(&run, 4), n,
                             hyp_check_below(&run, last_k)))
                return false;
    for (size_t k = 0; k <= last_k; k++)
        for (int repeat = 0; repeat < 8; repeat++)
            if (!check_sizes(&run, variant, 1 + hyp_check_below(&run, 3),
                             1 + hyp_check_below(&run, last_n), k))
                return false;
    // More columns than are taken at a time.
    return check_sizes(&run, variant, 1, 4096 + 1 + hyp_check_below(&run, 4096), 9);
}
