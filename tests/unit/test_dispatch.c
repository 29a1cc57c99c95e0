// SPDX-License-Identifier: Apache-2.0
// test_dispatch.c - which kernels a level and the switches choose.
#include "simd/dispatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void level_chooses_the_best_kernels_up_to_it(void **state)
{
    (void)state;
    const HyperionSIMDLevel best = hyperionGetSIMDCapabilities().best_level;
    for (int level = 0; level <= (int)best; level++) {
        const HypDispatch dispatch = hyp_dispatch_create((HyperionSIMDLevel)level);
        assert_int_equal(dispatch.best[HYP_OP_BINARY]->level, level);
    }
}

static void disabled_type_runs_scalar_until_enabled_again(void **state)
{
    (void)state;
    const HyperionSIMDLevel best = hyperionGetSIMDCapabilities().best_level;
    HypDispatch dispatch = hyp_dispatch_create(best);
    hyp_dispatch_enable(&dispatch, HYPERION_SIMD_OP_ACTIVATION, false);
    assert_int_equal(dispatch.best[HYP_OP_BINARY]->level, HYPERION_SIMD_SCALAR);
    hyp_dispatch_set_level(&dispatch, best); // does not forget the switch
    assert_int_equal(dispatch.best[HYP_OP_BINARY]->level, HYPERION_SIMD_SCALAR);
    hyp_dispatch_enable(&dispatch, HYPERION_SIMD_OP_ACTIVATION, true);
    assert_int_equal(dispatch.best[HYP_OP_BINARY]->level, best);
}

static void each_type_switches_its_own_kernels(void **state)
{
    (void)state;
    HypDispatch dispatch = hyp_dispatch_create(hyperionGetSIMDCapabilities().best_level);
    const HypKernelVariant *add = dispatch.best[HYP_OP_BINARY];
    hyp_dispatch_enable(&dispatch, HYPERION_SIMD_OP_MATRIX_MUL, false);
    hyp_dispatch_enable(&dispatch, HYPERION_SIMD_OP_CONV, false);
    hyp_dispatch_enable(&dispatch, HYPERION_SIMD_OP_ATTENTION, false);
    assert_ptr_equal(dispatch.best[HYP_OP_BINARY], add);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_chooses_the_best_kernels_up_to_it),
        cmocka_unit_test(disabled_type_runs_scalar_until_enabled_again),
        cmocka_unit_test(each_type_switches_its_own_kernels),
    };
    return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
