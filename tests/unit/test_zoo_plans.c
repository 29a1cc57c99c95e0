// SPDX-License-Identifier: Apache-2.0
// test_zoo_plans.c - the activations of every built-in network, at its own size, and of those
// beside the project lie as low as any placement could have them, but for two networks at most.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hyperion/hyperion.h"
#include "memory/activation_plan.h"
#include "model/run_plan.h"

#include <stdio.h>

enum { MOST_ABOVE = 2 };

// What an optimizer searches with.
static const float effort = 0.3F;

static bool is_at_lower_bound(const HyperionModel *model, const char *name, bool in_place)
{
    const HypActivationSettings settings = {.share = true, .in_place = in_place, .effort = effort};
    HypRunPlan plan = {0};
    HypActivationFacts facts = {0};
    if (!hyp_run_plan_create(model, &plan) ||
        !hyp_activation_plan_make(model, &settings, &plan, &facts))
        fail_msg("%s: %s", name, hyperionGetLastError());
    hyp_run_plan_free(&plan);
    assert_true(facts.planned_bytes >= facts.lower_bound_bytes);
    if (facts.planned_bytes == facts.lower_bound_bytes)
        return true;
    print_message("%s, in place %d: %zu bytes planned, lower bound %zu\n", name, in_place,
                  facts.planned_bytes, facts.lower_bound_bytes);
    return false;
}

// Number of networks above, 0 or 1; 0 where the file is not there.
static int count_above(const char *name, bool may_be_absent)
{
    bool above = false;
    for (int rewriting = 0; rewriting < 2; rewriting++) {
        const HyperionLoadOptions options = {.no_rewriting = !rewriting};
        HyperionModel *model = hyperionLoadModelWith(name, &options);
        if (!model && may_be_absent) {
            print_message("skipped: %s\n", hyperionGetLastError());
            return 0;
        }
        if (!model)
            fail_msg("%s", hyperionGetLastError());
        for (int in_place = 0; in_place < 2; in_place++)
            above |= !is_at_lower_bound(model, name, in_place);
        hyperionFreeModel(model);
    }
    return above;
}

static void all_but_two_networks_are_at_their_lower_bounds(void **state)
{
    (void)state;
    int above = 0;
    int count = 0;
    for (; hyperionBuiltinModelName(count); count++) {
        char name[64];
        (void)snprintf(name, sizeof name, "builtin:%s", hyperionBuiltinModelName(count));
        above += count_above(name, false);
    }
    assert_true(count > 10);
    above += count_above(HYPERION_SOURCE_DIR "/../shared/models/ultraface-rfb-320.onnx", true);
    above += count_above(HYPERION_SOURCE_DIR "/../shared/models/gpt2-tiny.onnx", true);
    assert_in_range(above, 0, MOST_ABOVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_but_two_networks_are_at_their_lower_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
