// SPDX-License-Identifier: Apache-2.0
// test_kernels.c - every kernel of the table that this CPU can run agrees with its reference.
// Usage: test_kernels [SEED]; the seed is printed, and the same seed repeats the same cases.
#include "check/check.h"
#include "hyperion/simd.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define KERNEL(op, OP, dtype, level, LEVEL, tuning, mr, nr) +1
enum {
    KERNEL_COUNT =
#include "kernel_list.def"
};
#undef KERNEL

static uint64_t seed = 20240229;

static void agrees_with_the_reference(void **state)
{
    const HypKernelVariant *variant = *state;
    const HyperionSIMDCapabilities machine = hyperionGetSIMDCapabilities();
    if (!(machine.levels >> variant->level & 1)) {
        print_message("skipped: this process cannot run level %s, at most %s\n",
                      hyperionSIMDLevelName((int)variant->level), machine.best_level_name);
        skip();
    }
    HypCheckReport report;
    const bool agrees = hyp_check_variant(variant, seed, &report);
    print_message("%zu cases, worst error %.3f of its bound\n", report.case_count, report.worst);
    if (!agrees)
        fail_msg("%s: %s (seed %" PRIu64 ")", variant->name, report.failure, seed);
    assert_true(report.case_count > 0);
    assert_true(report.worst <= 1);
    assert_string_equal(report.failure, "");
}

static void table_holds_the_whole_list(void **state)
{
    (void)state;
    assert_int_equal(hyp_kernel_count, KERNEL_COUNT);
}

static void every_operation_has_a_scalar_kernel(void **state)
{
    (void)state;
    for (int op = 0; op < HYP_OP_COUNT; op++) {
        const HypKernelVariant *variant = hyp_kernel_find((HypKernelOp)op, HYPERION_SIMD_SCALAR);
        assert_non_null(variant);
        assert_int_equal(variant->level, HYPERION_SIMD_SCALAR);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    print_message("seed %" PRIu64 "\n", seed);
    struct CMUnitTest tests[KERNEL_COUNT + 2];
    HypKernelVariant variants[KERNEL_COUNT]; // cmocka wants the initial state without const
    tests[KERNEL_COUNT] = (struct CMUnitTest)cmocka_unit_test(every_operation_has_a_scalar_kernel);
    tests[KERNEL_COUNT + 1] = (struct CMUnitTest)cmocka_unit_test(table_holds_the_whole_list);
    for (size_t i = 0; i < KERNEL_COUNT; i++) {
        variants[i] = hyp_kernel_table[i];
        tests[i] = (struct CMUnitTest){.name = variants[i].name,
                                       .test_func = agrees_with_the_reference,
                                       .initial_state = &variants[i]};
    }
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
