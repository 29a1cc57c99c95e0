// SPDX-License-Identifier: Apache-2.0
// test_touch_trace.c - what hyp_kernel_touch tells is what the kernel does: the same cache lines,
// read, written and prefetched in the same order, of every operation at every level. In products
// and convolutions touch by touch. Elsewhere a compiler moves single loads past others, and keeps
// what was just loaded or stored in registers: there writes and prefetches are compared one by one,
// and what is read between two of them as a set, in which lines may lack that are touched nearby.
#include "kernel_results.h"
#include "trace/kernel_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct LineTouch {
    uintptr_t line;
    HyperionTouch kind;
} LineTouch;

// Touches of operands and workspace, cut into lines; what is done to one line in a row is one
// touch, or two: read, then written.
typedef struct Recorder {
    const KernelRun *run;
    size_t line_bytes;
    size_t count, capacity;
    LineTouch *touches;
} Recorder;

static bool is_of_arrays(const KernelRun *run, uintptr_t address)
{
    for (size_t i = 0; i < run->operands.array_count; i++) {
        const size_t bytes = i < run->problem.operand_count
                                 ? run->problem.operands[i].count * sizeof(float)
                                 : run->workspace_bytes;
        if (address - (uintptr_t)run->operands.arrays[i].first < bytes)
            return true;
    }
    return false;
}

static bool repeats(const LineTouch *last, uintptr_t line, HyperionTouch kind)
{
    return last->line == line && (last->kind == kind || (last->kind == HYPERION_TOUCH_WRITE &&
                                                         kind == HYPERION_TOUCH_READ));
}

static void record(void *context, uintptr_t address, size_t bytes, HyperionTouch kind)
{
    Recorder *recorder = context;
    // Prefetches run past the ends of arrays.
    if (kind != HYPERION_TOUCH_PREFETCH && !is_of_arrays(recorder->run, address))
        return;
    const uintptr_t last = (address + bytes - 1) / recorder->line_bytes;
    for (uintptr_t line = address / recorder->line_bytes; line <= last; line++) {
        if (recorder->count > 0 && repeats(&recorder->touches[recorder->count - 1], line, kind))
            continue;
        if (recorder->count == recorder->capacity) {
            recorder->capacity = recorder->capacity ? 2 * recorder->capacity : 1024;
            recorder->touches =
                realloc(recorder->touches, recorder->capacity * sizeof *recorder->touches);
            assert_non_null(recorder->touches);
        }
        recorder->touches[recorder->count++] = (LineTouch){line, kind};
    }
}

static void assert_same_touches(const Recorder *told, const Recorder *traced)
{
    const size_t count = told->count < traced->count ? told->count : traced->count;
    for (size_t i = 0; i < count; i++) {
        const LineTouch *want = &traced->touches[i];
        const LineTouch *got = &told->touches[i];
        if (want->line != got->line || want->kind != got->kind)
            fail_msg("%s: touch %zu of line %#zx as %d, told %#zx as %d", told->run->name, i,
                     (size_t)want->line, (int)want->kind, (size_t)got->line, (int)got->kind);
    }
    if (told->count != traced->count)
        fail_msg("%s: %zu touches, told %zu", told->run->name, traced->count, told->count);
}

enum { NEARBY = 96 }; // touches

// Writes and prefetches of `recorder` are steps, several of one line in a row one: the place of the
// first from `from` on that is not `last` again; the count where there is none.
static size_t next_step(const Recorder *recorder, size_t from, const LineTouch *last)
{
    size_t i = from;
    while (i < recorder->count && (recorder->touches[i].kind == HYPERION_TOUCH_READ ||
                                   (last && recorder->touches[i].line == last->line &&
                                    recorder->touches[i].kind == last->kind)))
        i++;
    return i;
}

static bool has_line(const Recorder *recorder, size_t first, size_t end, uintptr_t line)
{
    for (size_t i = first; i < end && i < recorder->count; i++)
        if (recorder->touches[i].line == line)
            return true;
    return false;
}

// Lines that `one` reads from first to end, the other one does too, or touches nearby.
static void assert_reads(const Recorder *one, size_t first, size_t end, const Recorder *other,
                         size_t other_first, size_t other_end)
{
    const size_t low = other_first > NEARBY ? other_first - NEARBY : 0;
    for (size_t i = first; i < end; i++)
        if (!has_line(other, low, other_end + NEARBY, one->touches[i].line))
            fail_msg("%s: touch %zu, a read of line %#zx, in one of both alone", one->run->name, i,
                     (size_t)one->touches[i].line);
}

static void assert_same_steps(const Recorder *told, const Recorder *traced)
{
    size_t i = 0;
    size_t j = 0;
    const LineTouch *last = NULL;
    for (;;) {
        const size_t told_step = next_step(told, i, last);
        const size_t traced_step = next_step(traced, j, last);
        assert_reads(told, i, told_step, traced, j, traced_step);
        assert_reads(traced, j, traced_step, told, i, told_step);
        if (told_step == told->count || traced_step == traced->count) {
            assert_int_equal(told_step, told->count);
            assert_int_equal(traced_step, traced->count);
            return;
        }
        last = &traced->touches[traced_step];
        const LineTouch *got = &told->touches[told_step];
        if (got->line != last->line || got->kind != last->kind)
            fail_msg("%s: step %zu to line %#zx, told %#zx", told->run->name, traced_step,
                     (size_t)last->line, (size_t)got->line);
        i = told_step + 1;
        j = traced_step + 1;
    }
}

static void compare_run(KernelRun *run, void *context)
{
    static const size_t line_sizes[] = {64, 32, 128};
    size_t *runs = context;
    Recorder told = {.run = run};
    Recorder traced = {.run = run};
    for (size_t i = 0; i < sizeof line_sizes / sizeof line_sizes[0]; i++) {
        told.line_bytes = traced.line_bytes = line_sizes[i];
        told.count = traced.count = 0;
        hyp_trace_begin(&(HypTraceSink){.access = record, .context = &traced});
        kernel_run_call(run);
        hyp_trace_end();
        hyp_kernel_touch(
            run->variant, &run->problem.args,
            &(HypTouchSink){.touch = record, .context = &told, .line_bytes = line_sizes[i]});
        if (run->problem.has_product)
            assert_same_touches(&told, &traced);
        else
            assert_same_steps(&told, &traced);
        assert_true(told.count > 0);
    }
    free(told.touches);
    free(traced.touches);
    ++*runs;
}

static void every_kernel_is_told_touch_by_touch(void **state)
{
    (void)state;
    size_t runs = 0;
    kernel_results_each(compare_run, &runs);
    print_message("%zu runs\n", runs);
    assert_true(runs > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_is_told_touch_by_touch),
    };
    return cmocka_run_group_tests_name("touch_trace", tests, NULL, NULL);
}
