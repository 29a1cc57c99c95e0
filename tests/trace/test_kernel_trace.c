// SPDX-License-Identifier: Apache-2.0
// test_kernel_trace.c - traced kernels compute what ordinary ones do, and tell of all that they
// read and write. Argument: the program plain_results.
#define _POSIX_C_SOURCE 200809L
#include "kernel_results.h"
#include "trace/kernel_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *plain_results;

enum { WAS_READ = 1, WAS_WRITTEN = 2, MOST_ARRAYS = KERNEL_MOST_OPERANDS + 1 };

// What a run did to each of its arrays.
typedef struct Seen {
    const KernelRun *run;
    size_t count;
    struct {
        char *first;
        size_t size_bytes;
        unsigned char *marks; // WAS_READ, WAS_WRITTEN; one a byte
        size_t bytes_read, bytes_written;
    } arrays[MOST_ARRAYS];
    size_t prefetches;
    size_t strays;    // accesses to none of them, nor to arguments
    size_t unwritten; // bytes of outputs and workspace that were read before they were written
} Seen;

static void begin_seeing(Seen *seen, const KernelRun *run)
{
    *seen = (Seen){.run = run, .count = run->operands.array_count};
    for (size_t i = 0; i < seen->count; i++) {
        seen->arrays[i].first = run->operands.arrays[i].first;
        seen->arrays[i].size_bytes = i < run->problem.operand_count
                                         ? run->problem.operands[i].count * sizeof(float)
                                         : run->workspace_bytes;
        seen->arrays[i].marks = calloc(seen->arrays[i].size_bytes + 1, 1);
        assert_non_null(seen->arrays[i].marks);
    }
}

static void end_seeing(Seen *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        free(seen->arrays[i].marks);
}

static OperandRole role_of(const Seen *seen, size_t array)
{
    const KernelCase *problem = &seen->run->problem;
    return array < problem->operand_count ? problem->operands[array].role : OPERAND_OUTPUT;
}

static void mark(Seen *seen, size_t array, size_t place, size_t bytes, HyperionTouch kind)
{
    unsigned char *marks = seen->arrays[array].marks + place;
    const bool made_here = role_of(seen, array) == OPERAND_OUTPUT;
    for (size_t i = 0; i < bytes; i++) {
        if (kind == HYPERION_TOUCH_READ && made_here && !(marks[i] & WAS_WRITTEN))
            seen->unwritten++;
        marks[i] |= kind == HYPERION_TOUCH_READ ? WAS_READ : WAS_WRITTEN;
    }
    *(kind == HYPERION_TOUCH_READ ? &seen->arrays[array].bytes_read
                                  : &seen->arrays[array].bytes_written) += bytes;
}

static void see(void *context, uintptr_t address, size_t bytes, HyperionTouch kind)
{
    Seen *seen = context;
    if (kind == HYPERION_TOUCH_PREFETCH) {
        seen->prefetches++;
        return;
    }
    for (size_t i = 0; i < seen->count; i++) {
        const size_t place = address - (uintptr_t)seen->arrays[i].first;
        if (place < seen->arrays[i].size_bytes && bytes <= seen->arrays[i].size_bytes - place) {
            mark(seen, i, place, bytes, kind);
            return;
        }
    }
    const bool of_arguments =
        address - (uintptr_t)&seen->run->problem.args < sizeof seen->run->problem.args;
    if (!of_arguments)
        seen->strays++;
}

// Inputs are read whole and never written, outputs written whole.
static void assert_complete(const Seen *seen)
{
    for (size_t i = 0; i < seen->run->problem.operand_count; i++)
        for (size_t j = 0; j < seen->arrays[i].size_bytes; j++) {
            const int marks = seen->arrays[i].marks[j];
            if (role_of(seen, i) == OPERAND_OUTPUT ? !(marks & WAS_WRITTEN) : marks != WAS_READ)
                fail_msg("%s: byte %zu of operand %zu: %s", seen->run->name, j, i,
                         role_of(seen, i) == OPERAND_OUTPUT ? "never written"
                         : marks == 0                       ? "never read"
                                                            : "written");
        }
    if (seen->strays || seen->unwritten)
        fail_msg("%s: %zu accesses outside, %zu bytes read before written", seen->run->name,
                 seen->strays, seen->unwritten);
}

// Of operations that touch each element so many times at every level; 0 = depends.
static const struct {
    HypKernelOp op;
    size_t reads, writes; // of inputs, of outputs
} known_touches[] = {
    {HYP_OP_ACTIVATION, 1, 1},  {HYP_OP_BINARY, 1, 1},         {HYP_OP_REDUCE, 1, 1},
    {HYP_OP_SOFTMAX, 0, 2},     {HYP_OP_SCALE_SHIFT, 0, 1},    {HYP_OP_MAX_POOL2D, 0, 1},
    {HYP_OP_DEPTHWISE2D, 0, 1}, {HYP_OP_AVERAGE_POOL2D, 0, 1},
};

static void assert_known_counts(const Seen *seen)
{
    for (size_t i = 0; i < sizeof known_touches / sizeof known_touches[0]; i++) {
        if (known_touches[i].op != seen->run->variant->op)
            continue;
        for (size_t j = 0; j < seen->run->problem.operand_count; j++) {
            const size_t bytes = seen->arrays[j].size_bytes;
            if (role_of(seen, j) == OPERAND_OUTPUT)
                assert_int_equal(seen->arrays[j].bytes_written, known_touches[i].writes * bytes);
            else if (known_touches[i].reads > 0)
                assert_int_equal(seen->arrays[j].bytes_read, known_touches[i].reads * bytes);
        }
    }
    if (seen->run->problem.has_product)
        assert_true(seen->prefetches > 0);
}

static void trace_run(KernelRun *run, void *context)
{
    Seen seen;
    size_t *runs = context;
    begin_seeing(&seen, run);
    hyp_trace_begin(&(HypTraceSink){.access = see, .context = &seen});
    kernel_run_call(run);
    hyp_trace_end();
    kernel_run_call(run); // not told of
    assert_complete(&seen);
    assert_known_counts(&seen);
    end_seeing(&seen);
    ++*runs;
}

static void every_byte_that_a_kernel_reads_or_writes_is_told(void **state)
{
    (void)state;
    size_t runs = 0;
    kernel_results_each(trace_run, &runs);
    print_message("%zu runs\n", runs);
    assert_true(runs > 0);
}

static void compare_outputs(KernelRun *run, void *context)
{
    kernel_run_call(run);
    for (size_t i = 0; i < run->problem.operand_count; i++) {
        const size_t bytes = run->problem.operands[i].count * sizeof(float);
        if (run->problem.operands[i].role != OPERAND_OUTPUT)
            continue;
        char *plain = malloc(bytes);
        assert_non_null(plain);
        assert_int_equal(fread(plain, 1, bytes, context), bytes);
        if (memcmp(plain, run->operands.arrays[i].first, bytes) != 0)
            fail_msg("%s: other results than the ordinary kernel", run->name);
        free(plain);
    }
}

static void results_are_those_of_ordinary_kernels(void **state)
{
    (void)state;
    FILE *plain = popen(plain_results, "r");
    assert_non_null(plain);
    kernel_results_each(compare_outputs, plain);
    assert_int_equal(fgetc(plain), EOF);
    assert_int_equal(pclose(plain), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_that_a_kernel_reads_or_writes_is_told),
        cmocka_unit_test(results_are_those_of_ordinary_kernels),
    };
    if (argc != 2)
        return EXIT_FAILURE;
    plain_results = argv[1];
    return cmocka_run_group_tests_name("kernel_trace", tests, NULL, NULL);
}
