// SPDX-License-Identifier: Apache-2.0
// check_support.h - what the checks of all operations share: seeded numbers, guarded arrays, and
// the bookkeeping of errors against their bounds. For kernels/check/ only.
#ifndef HYP_CHECK_SUPPORT_H
#define HYP_CHECK_SUPPORT_H

#include "check/check.h"

#include <float.h>

// The check behind hyp_check_variant, one an operation: every size, misalignment and setting that
// could make a difference.
#define OP(name, args_type, ENUM)                                                                  \
    bool hyp_check_##name##_all(const HypKernelVariant *variant, uint64_t seed,                    \
                                HypCheckReport *report);
HYP_KERNEL_OPS(OP)
#undef OP

// Distance from 1 to the next float; rounding to nearest errs by at most half of it.
#define HYP_CHECK_EPSILON ((double)FLT_EPSILON)

// Floats in the widest vector of any level: misalignments to try are 0 .. this - 1.
#define HYP_CHECK_WIDEST_LANES 16

// One run of a check. The report belongs to the caller.
typedef struct HypCheckRun {
    HypCheckReport *report;
    uint64_t random_state;
    char label[128];                  // sizes and settings of the case at hand
    const HyperionParallel *parallel; // to check with; NULL: emulated ones
} HypCheckRun;

// Empties the report.
HypCheckRun hyp_check_start(HypCheckReport *report, uint64_t seed);

// Counts a case and names it for messages: "m=3 n=4 k=5 misaligned by 1".
__attribute__((format(printf, 2, 3))) void hyp_check_begin_case(HypCheckRun *run,
                                                                const char *format, ...);

// Always returns false. Puts "label: message" into the report unless it holds a failure already.
__attribute__((format(printf, 2, 3))) bool hyp_check_fail(HypCheckRun *run, const char *format,
                                                          ...);

// True where |got - want| <= bound; both NaN and equal infinities agree. Keeps the worst ratio;
// on failure reports the place, which `format` spells: "c[%zu][%zu]".
__attribute__((format(printf, 5, 6))) bool
hyp_check_value(HypCheckRun *run, double got, double want, double bound, const char *format, ...);

// Seeded numbers (SplitMix64: Steele, Lea and Flood 2014): uniform in [low, high), and 0 .. n - 1
// (n > 0).
float hyp_check_uniform(HypCheckRun *run, float low, float high);
size_t hyp_check_below(HypCheckRun *run, size_t n);

// `count` floats between guards. Guards and fresh contents are NaNs of one pattern, so that a value
// that was read past an end, or never written, shows in the results; under the address sanitizer
// touching a guard is an error at once.
typedef struct HypCheckBuffer {
    float *data;
    size_t count;
    void *memory;
    size_t memory_bytes;
} HypCheckBuffer;

// data lies `misalignment` floats past a 64-byte boundary. False: reported; release is still
// allowed. Release with hyp_check_release, also a zeroed buffer.
bool hyp_check_allocate(HypCheckRun *run, HypCheckBuffer *buffer, size_t count,
                        size_t misalignment);
void hyp_check_release(HypCheckBuffer *buffer);

// Fills the whole buffer with uniform values from [low, high).
void hyp_check_fill(HypCheckRun *run, HypCheckBuffer *buffer, float low, float high);

// True if nothing was written around `buffer`; else reports it under `name`.
bool hyp_check_guards(HypCheckRun *run, const HypCheckBuffer *buffer, const char *name);

// True if data[first .. first + count - 1] still holds the pattern of a fresh buffer.
bool hyp_check_untouched(HypCheckRun *run, const HypCheckBuffer *buffer, size_t first, size_t count,
                         const char *name);

// After a run on one thread that left its results in `serial_out`: runs the variant once more, on
// run->parallel or else on 2, 3 or 5 threads in turn, emulated one after another in random order,
// and demands the same results to the bit. `serial_args` are those of that run, of the variant's
// operation; in_place: what `out` held before, where it was the input as well; else NULL.
bool hyp_check_split(HypCheckRun *run, const HypKernelVariant *variant, const void *serial_args,
                     const HypCheckBuffer *serial_out, const HypCheckBuffer *in_place);

// Fills it with values that are easily mishandled: zeros of both signs, denormals, the largest and
// smallest numbers, limits of the exponential, infinities of both signs and, if `with_nan`, NaN.
void hyp_check_fill_special(HypCheckRun *run, HypCheckBuffer *buffer, bool with_nan);

// Fills it with floats of random bits, NaN and infinities among them.
void hyp_check_fill_bits(HypCheckRun *run, HypCheckBuffer *buffer);

// Copies all of `from` into `to`, which has the same count.
void hyp_check_copy(HypCheckBuffer *to, const HypCheckBuffer *from);

// Parameters to check functions with that have some.
#define HYP_CHECK_ALPHA 0.3F
#define HYP_CHECK_BETA 0.6F

// Which of `total` results to compare: all while there are at most `limit`, else `limit` of them,
// the first, the last and random ones. For i < hyp_check_sample_count the i-th place is
// hyp_check_sample.
size_t hyp_check_sample_count(size_t total, size_t limit);
size_t hyp_check_sample(HypCheckRun *run, size_t total, size_t limit, size_t i);

#endif
