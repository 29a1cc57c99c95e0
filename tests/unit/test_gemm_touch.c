// SPDX-License-Identifier: Apache-2.0
// test_gemm_touch.c - the touch visitor names the memory that the product really uses.
#include "gemm/gemm_touch.h"

#include "kernel_table.h"

#include "hyperion/simd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 4096, TRACE = 64 };

// Reads and writes of each float of one array.
typedef struct Counts {
    uintptr_t start;
    size_t floats;
    size_t reads[LIMIT], writes[LIMIT];
} Counts;

typedef struct Recorder {
    Counts a, b, c, packed;
    size_t elsewhere;
    char trace[TRACE]; // first letter of the array, capital when written
    size_t runs;
} Recorder;

static void record(void *context, uintptr_t address, size_t bytes, bool write)
{
    Recorder *recorder = context;
    Counts *const arrays[] = {&recorder->a, &recorder->b, &recorder->c, &recorder->packed};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        Counts *array = arrays[i];
        const uintptr_t first = (address - array->start) / sizeof(float);
        if (address < array->start || first >= array->floats)
            continue;
        assert_true(first + bytes / sizeof(float) <= array->floats);
        for (size_t f = 0; f < bytes / sizeof(float); f++)
            (write ? array->writes : array->reads)[first + f]++;
        if (recorder->runs < TRACE)
            recorder->trace[recorder->runs] = (write ? "ABCP" : "abcp")[i];
        recorder->runs++;
        return;
    }
    recorder->elsewhere++;
}

typedef struct Problem {
    HypGemmArgs args;
    float a[LIMIT], b[LIMIT], c[LIMIT];
    float *workspace; // LIMIT floats
    float bias[2][LIMIT];
    Recorder recorder;
} Problem;

static Problem *make_problem(size_t m, size_t n, size_t k, HyperionGemmBlocking blocking)
{
    Problem *problem = calloc(1, sizeof *problem);
    assert_non_null(problem);
    problem->workspace = aligned_alloc(64, LIMIT * sizeof(float));
    assert_non_null(problem->workspace);
    problem->args = (HypGemmArgs){.m = m,
                                  .n = n,
                                  .k = k,
                                  .a = problem->a,
                                  .lda = k + 3,
                                  .b = problem->b,
                                  .ldb = n + 5,
                                  .c = problem->c,
                                  .ldc = n + 1,
                                  .blocking = blocking,
                                  .workspace = problem->workspace};
    return problem;
}

static void free_problem(Problem *problem)
{
    free(problem->workspace);
    free(problem);
}

static void touch(Problem *problem)
{
    const HypGemmArgs *args = &problem->args;
    Recorder *recorder = &problem->recorder;
    memset(recorder, 0, sizeof *recorder);
    const size_t workspace_floats = hyp_gemm_workspace_bytes(args) / sizeof(float);
    assert_true(workspace_floats <= LIMIT);
    recorder->a = (Counts){.start = (uintptr_t)args->a, .floats = LIMIT};
    recorder->b = (Counts){.start = (uintptr_t)args->b, .floats = LIMIT};
    recorder->c = (Counts){.start = (uintptr_t)args->c, .floats = LIMIT};
    recorder->packed = (Counts){.start = (uintptr_t)args->workspace, .floats = workspace_floats};
    const HypTouchSink sink = {.touch = record, .context = recorder};
    hyp_gemm_touch(args, &sink);
}

static void assert_rows(const size_t *counts, size_t rows, size_t columns, size_t ld, size_t want)
{
    for (size_t i = 0; i < LIMIT; i++) {
        const bool inside = i / ld < rows && i % ld < columns;
        assert_int_equal(counts[i], inside ? want : 0);
    }
}

static void every_element_is_touched_as_often_as_the_blocking_says(void **state)
{
    (void)state;
    // 2 blocks of n, 3 of k, 2 of m
    const HyperionGemmBlocking blocking = {.mc = 8, .kc = 9, .nc = 16, .mr = 4, .nr = 8};
    Problem *problem = make_problem(13, 29, 25, blocking);
    for (int transposed = 0; transposed < 2; transposed++) {
        HypGemmArgs *args = &problem->args;
        args->b_transposed = transposed;
        args->ldb = transposed ? args->k + 5 : args->n + 5;
        touch(problem);
        const Recorder *recorder = &problem->recorder;
        assert_rows(recorder->a.reads, args->m, args->k, args->lda, 2);
        assert_rows(recorder->b.reads, transposed ? args->n : args->k,
                    transposed ? args->k : args->n, args->ldb, 1);
        assert_rows(recorder->c.writes, args->m, args->n, args->ldc, 3);
        assert_rows(recorder->c.reads, args->m, args->n, args->ldc, 2);
        assert_rows(recorder->a.writes, 0, 0, 1, 0);
        assert_rows(recorder->b.writes, 0, 0, 1, 0);
        assert_int_equal(recorder->elsewhere, 0);
    }
    free_problem(problem);
}

static void runs_come_in_the_order_of_the_steps(void **state)
{
    (void)state;
    const HyperionGemmBlocking blocking = {.mc = 4, .kc = 2, .nc = 8, .mr = 4, .nr = 8};
    Problem *problem = make_problem(2, 8, 3, blocking);
    touch(problem);
    // k = 2 + 1: B packed row by row, A by columns, a tile, C written; then C added to.
    assert_string_equal(problem->recorder.trace, "bPbP"
                                                 "aaP"
                                                 "pppp"
                                                 "CC"
                                                 "bP"
                                                 "aaP"
                                                 "pp"
                                                 "cCcC");
    free_problem(problem);
}

static void biases_are_read_once_a_row_of_a_tile(void **state)
{
    (void)state;
    const HyperionGemmBlocking blocking = {.mc = 4, .kc = 2, .nc = 8, .mr = 4, .nr = 8};
    Problem *problem = make_problem(3, 9, 4, blocking);
    problem->args.epilogue.row_bias = problem->bias[0];
    problem->args.epilogue.column_bias = problem->bias[1];
    touch(problem);
    assert_int_equal(problem->recorder.elsewhere, 3 * 2 * 2);
    free_problem(problem);
}

static void no_depth_writes_c_and_no_extent_touches_nothing(void **state)
{
    (void)state;
    const HyperionGemmBlocking blocking = {.mc = 4, .kc = 2, .nc = 8, .mr = 4, .nr = 8};
    Problem *problem = make_problem(3, 9, 0, blocking);
    touch(problem);
    assert_rows(problem->recorder.c.writes, 3, 9, problem->args.ldc, 1);
    assert_int_equal(problem->recorder.runs, 6);
    problem->args.k = 2;
    problem->args.m = 0;
    touch(problem);
    assert_int_equal(problem->recorder.runs, 0);
    problem->args.m = 3;
    problem->args.n = 0;
    touch(problem);
    assert_int_equal(problem->recorder.runs, 0);
    free_problem(problem);
}

// What the product leaves written in workspace and C is what the visitor said it would write.
static void writes_are_those_of_the_product_at_every_level(void **state)
{
    (void)state;
    const HyperionSIMDLevel best = hyperionGetSIMDCapabilities().best_level;
    for (size_t v = 0; v < hyp_kernel_count; v++) {
        const HypKernelVariant *variant = &hyp_kernel_table[v];
        if (variant->op != HYP_OP_GEMM || variant->level > best)
            continue;
        const HyperionGemmBlocking blocking = {.mc = 2 * variant->mr,
                                               .kc = 21,
                                               .nc = variant->nr,
                                               .mr = variant->mr,
                                               .nr = variant->nr};
        Problem *problem = make_problem(2 * variant->mr - 1, variant->nr + 3, 41, blocking);
        for (int transposed = 0; transposed < 2; transposed++) {
            problem->args.b_transposed = transposed;
            problem->args.ldb = transposed ? 41 : variant->nr + 3;
            touch(problem);
            for (size_t i = 0; i < LIMIT; i++) // all products are of zeros
                problem->c[i] = problem->workspace[i] = 1;
            variant->fn.gemm(&problem->args);
            for (size_t i = 0; i < LIMIT; i++) {
                assert_int_equal(problem->c[i] == 0, problem->recorder.c.writes[i] > 0);
                assert_int_equal(problem->workspace[i] == 0,
                                 problem->recorder.packed.writes[i] > 0);
            }
        }
        free_problem(problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_element_is_touched_as_often_as_the_blocking_says),
        cmocka_unit_test(runs_come_in_the_order_of_the_steps),
        cmocka_unit_test(biases_are_read_once_a_row_of_a_tile),
        cmocka_unit_test(no_depth_writes_c_and_no_extent_touches_nothing),
        cmocka_unit_test(writes_are_those_of_the_product_at_every_level),
    };
    return cmocka_run_group_tests_name("gemm_touch", tests, NULL, NULL);
}
