// SPDX-License-Identifier: Apache-2.0
// test_gemm_trace.c - the touch visitor of the matrix product names the cache lines that the
// product touches, step by step, at every level.
#include "gemm/gemm_blocks.h"
#include "gemm/gemm_touch.h"
#include "hyperion/simd.h"
#include "kernel_table.h"
#include "trace/kernel_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_BYTES = 64, DEPTH = 64, MAX_ACCESSES = 1 << 16 };

typedef enum Step { PACK_A, PACK_B, MULTIPLY } Step;

// One line touched in one step of the nest.
typedef struct Access {
    Step step;
    uintptr_t line;
    bool write;
} Access;

typedef struct Trace {
    const HypGemmArgs *args;
    size_t count;
    Access accesses[MAX_ACCESSES];
} Trace;

static size_t round_to_line(size_t floats)
{
    return gemm_round_up(floats, LINE_BYTES / sizeof(float));
}

static bool inside(uintptr_t address, const void *start, size_t bytes)
{
    return address - (uintptr_t)start < bytes;
}

// False: not memory of the problem but the kernel's stack, or its arguments.
static bool find_step(const HypGemmArgs *args, uintptr_t address, bool write, Step *step)
{
    const GemmBlocks blocks = gemm_blocks(args);
    const size_t b_rows = args->b_transposed ? args->n : args->k;
    if (inside(address, args->c, args->m * args->ldc * sizeof(float)))
        *step = MULTIPLY;
    else if (inside(address, args->a, args->m * args->lda * sizeof(float)))
        *step = PACK_A;
    else if (inside(address, args->b, b_rows * args->ldb * sizeof(float)))
        *step = PACK_B;
    else if (inside(address, args->workspace, blocks.packed_bytes))
        *step = !write                                                   ? MULTIPLY
                : address - (uintptr_t)args->workspace < blocks.packed_b ? PACK_A
                                                                         : PACK_B;
    else
        return false;
    return true;
}

// Runs are cut into lines.
static void record(Trace *trace, uintptr_t address, size_t bytes, bool write)
{
    Step step;
    if (!find_step(trace->args, address, write, &step))
        return;
    const uintptr_t last = (address + bytes - 1) / LINE_BYTES;
    for (uintptr_t line = address / LINE_BYTES; line <= last; line++) {
        assert_true(trace->count < MAX_ACCESSES);
        trace->accesses[trace->count++] = (Access){step, line, write};
    }
}

static void record_touch(void *context, uintptr_t address, size_t bytes, bool write)
{
    record(context, address, bytes, write);
}

static void record_access(void *context, uintptr_t address, size_t bytes, HyperionTouch kind)
{
    if (kind != HYPERION_TOUCH_PREFETCH)
        record(context, address, bytes, kind == HYPERION_TOUCH_WRITE);
}

// Number of accesses from `start` on that belong to the same step.
static size_t step_length(const Trace *trace, size_t start)
{
    size_t end = start;
    while (end < trace->count && trace->accesses[end].step == trace->accesses[start].step)
        end++;
    return end - start;
}

static bool seen_before(const uintptr_t *lines, size_t count, uintptr_t line)
{
    for (size_t i = 0; i < count; i++)
        if (lines[i] == line)
            return true;
    return false;
}

// The lines that a step reads, or writes, in order: of a multiplication every change of line, of
// packing each line when it is first touched.
static size_t list_lines(const Access *accesses, size_t count, bool write, uintptr_t *lines)
{
    size_t listed = 0;
    for (size_t i = 0; i < count; i++) {
        if (accesses[i].write != write)
            continue;
        const size_t known = accesses[i].step == MULTIPLY && listed > 0 ? 1 : listed;
        if (!seen_before(lines + listed - known, known, accesses[i].line))
            lines[listed++] = accesses[i].line;
    }
    return listed;
}

static int compare_lines(const void *a, const void *b)
{
    const uintptr_t *x = a;
    const uintptr_t *y = b;
    return (*x > *y) - (*x < *y);
}

static void assert_same_lines(const Access *touched, size_t touched_count, const Access *traced,
                              size_t traced_count, bool write)
{
    uintptr_t *want = calloc(touched_count + traced_count, sizeof *want);
    assert_non_null(want);
    uintptr_t *got = want + touched_count;
    const size_t wanted = list_lines(touched, touched_count, write, want);
    const size_t found = list_lines(traced, traced_count, write, got);
    assert_int_equal(found, wanted);
    if (write && touched->step != MULTIPLY) {
        // Registers of different lengths write a packed block in different orders.
        qsort(want, wanted, sizeof *want, compare_lines);
        qsort(got, found, sizeof *got, compare_lines);
    }
    assert_memory_equal(got, want, wanted * sizeof *want);
    free(want);
}

static void assert_same_steps(const Trace *touched, const Trace *traced)
{
    size_t i = 0;
    size_t j = 0;
    while (i < touched->count && j < traced->count) {
        const size_t touched_length = step_length(touched, i);
        const size_t traced_length = step_length(traced, j);
        const Access *want = touched->accesses + i;
        const Access *got = traced->accesses + j;
        assert_int_equal(got->step, want->step);
        assert_same_lines(want, touched_length, got, traced_length, false);
        assert_same_lines(want, touched_length, got, traced_length, true);
        i += touched_length;
        j += traced_length;
    }
    assert_int_equal(i, touched->count);
    assert_int_equal(j, traced->count);
}

static float *allocate(size_t floats)
{
    float *memory = aligned_alloc(LINE_BYTES, round_to_line(floats) * sizeof(float));
    assert_non_null(memory);
    memset(memory, 0, round_to_line(floats) * sizeof(float));
    return memory;
}

// Two blocks of m, of k and tiles of n, the last of which miss `missing` rows and columns.
static void compare(const HypKernelVariant *variant, bool transposed, size_t missing, Trace *traces)
{
    HypGemmArgs args = {.m = 4 * variant->mr - missing,
                        .n = 2 * variant->nr - missing,
                        .k = DEPTH,
                        .lda = DEPTH,
                        .b_transposed = transposed,
                        .ldc = round_to_line(2 * variant->nr),
                        .blocking = {.mc = 2 * variant->mr,
                                     .kc = DEPTH / 2,
                                     .nc = 2 * variant->nr,
                                     .mr = variant->mr,
                                     .nr = variant->nr}};
    args.ldb = transposed ? DEPTH : args.ldc;
    float *a = allocate(args.m * args.lda);
    float *b = allocate((transposed ? args.n : args.k) * args.ldb);
    float *c = allocate(args.m * args.ldc);
    args.a = a;
    args.b = b;
    args.c = c;
    args.workspace = allocate(hyp_gemm_workspace_bytes(&args) / sizeof(float));

    Trace *touched = &traces[0];
    Trace *traced = &traces[1];
    touched->args = traced->args = &args;
    touched->count = traced->count = 0;
    const HypTouchSink sink = {.touch = record_touch, .context = touched};
    hyp_gemm_touch(&args, &sink);
    hyp_trace_begin(&(HypTraceSink){.access = record_access, .context = traced});
    variant->fn.gemm(&args);
    hyp_trace_end();
    assert_true(traced->count > 0);
    assert_same_steps(touched, traced);
    free(a);
    free(b);
    free(c);
    free(args.workspace);
}

static void every_step_touches_the_lines_that_the_visitor_names(void **state)
{
    (void)state;
    const uint32_t levels = hyperionGetSIMDCapabilities().levels;
    Trace *traces = calloc(2, sizeof *traces);
    assert_non_null(traces);
    for (size_t i = 0; i < hyp_kernel_count; i++) {
        const HypKernelVariant *variant = &hyp_kernel_table[i];
        if (variant->op != HYP_OP_GEMM)
            continue;
        if (!(levels >> variant->level & 1)) {
            print_message("%s: left out, this CPU lacks the level\n", variant->name);
            continue;
        }
        for (size_t missing = 0; missing < 2; missing++) {
            compare(variant, false, missing, traces);
            compare(variant, true, missing, traces);
        }
        print_message("%s: %zu lines\n", variant->name, traces[1].count);
    }
    free(traces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_touches_the_lines_that_the_visitor_names),
    };
    return cmocka_run_group_tests_name("gemm_trace", tests, NULL, NULL);
}
