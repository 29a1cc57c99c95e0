// SPDX-License-Identifier: Apache-2.0
// check.h - every kernel variant against the reference: for tests, `hyperion verify`, and the
// harness, which checks a shape before it times it.
#ifndef HYP_CHECK_H
#define HYP_CHECK_H

#include "kernel_table.h"

typedef struct HypCheckReport {
    size_t case_count;
    double worst;      // greatest error / its bound over all cases; above 1 fails
    char failure[256]; // "" or what failed: sizes, place, got, want, bound
} HypCheckReport;

// Runs `variant` over tails, misalignments and guard bytes with random values from `seed`, and
// compares with the reference within the operation's error bound. The caller makes sure that the
// CPU has the variant's level. Aborts nothing, prints nothing; false: see report->failure.
bool hyp_check_variant(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report);

// The same for the one problem whose sizes and settings `args` gives. Of its pointers only
// `parallel` counts: the threads whose results must be those of one thread; NULL: emulated ones.
// Large problems are compared at a random sample of elements; guards are always checked.
#define OP(name, args_type, ENUM)                                                                  \
    bool hyp_check_##name##_args(const HypKernelVariant *variant, const args_type *args,           \
                                 uint64_t seed, HypCheckReport *report);
HYP_KERNEL_OPS(OP)
#undef OP

#endif
