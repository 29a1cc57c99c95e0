// SPDX-License-Identifier: Apache-2.0
#include "check/check.h"

#include "check/check_support.h"

bool hyp_check_variant(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report)
{
    typedef bool (*Check)(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report);
#define OP(name, args_type, ENUM) hyp_check_##name##_all,
    static const Check checks[] = {HYP_KERNEL_OPS(OP)};
#undef OP
    return checks[variant->op](variant, seed, report);
}
