// SPDX-License-Identifier: Apache-2.0
// stack_lanes.h - stacks of recency (Mattson et al. 1970) of sixteen sets of a cache, side by side:
// what moves in all of them moves at once. Written for registers of AVX2, and for those that every
// processor has, of eight lanes.
#ifndef HYP_STACK_LANES_H
#define HYP_STACK_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

enum { HYP_STACK_LANES = 16 };

// Entry by entry, the most recent first: one of each set. 0: empty.
typedef struct HypStackEntries {
    _Alignas(HYP_STACK_LANES * sizeof(uint16_t)) uint16_t of[HYP_STACK_LANES];
} HypStackEntries;

#ifdef __AVX2__

// All bits of a lane where its bit in `mask` is set.
static inline __m256i hyp_lanes_of(unsigned mask)
{
    const __m256i bits =
        _mm256_setr_epi16(1, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9,
                          1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, (short)(1 << 15));
    return _mm256_cmpeq_epi16(_mm256_and_si256(_mm256_set1_epi16((short)mask), bits), bits);
}

// The lanes in `mask`, a bit each, become `entry`.
static inline void hyp_lanes_set(HypStackEntries *entries, unsigned mask, unsigned entry)
{
    __m256i *all = (__m256i *)entries->of;
    const __m256i now = _mm256_set1_epi16((short)entry);
    _mm256_store_si256(all, _mm256_blendv_epi8(_mm256_load_si256(all), now, hyp_lanes_of(mask)));
}

// Moves the entries of the lanes in `mask` to the top of their stacks, and returns the lanes that
// did not have theirs, which lose their last.
static inline unsigned hyp_lanes_move(HypStackEntries *stack, size_t ways,
                                      const HypStackEntries *entries, unsigned mask)
{
    const __m256i sought = _mm256_load_si256((const __m256i *)entries->of);
    __m256i left = hyp_lanes_of(mask);
    __m256i above = sought;
    for (size_t way = 0; way < ways; way++) {
        const __m256i here = _mm256_load_si256((const __m256i *)stack[way].of);
        _mm256_store_si256((__m256i *)stack[way].of, _mm256_blendv_epi8(here, above, left));
        left = _mm256_andnot_si256(_mm256_cmpeq_epi16(here, sought), left);
        above = here;
        if (_mm256_testz_si256(left, left))
            return 0;
    }
    const __m128i bytes =
        _mm_packs_epi16(_mm256_castsi256_si128(left), _mm256_extracti128_si256(left, 1));
    return (unsigned)_mm_movemask_epi8(bytes);
}

#else

enum { HYP_HALF = HYP_STACK_LANES / 2, HYP_HALF_MASK = 0xff };

typedef uint16_t HypHalf __attribute__((vector_size(HYP_HALF * sizeof(uint16_t))));

static inline HypHalf hyp_half_splat(unsigned value)
{
    const uint16_t one = (uint16_t)value;
    return (HypHalf){one, one, one, one, one, one, one, one};
}

static inline HypHalf hyp_half_of(unsigned mask)
{
    const HypHalf bits = {1, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7};
    return (HypHalf)((hyp_half_splat(mask) & bits) == bits);
}

static inline void hyp_half_set(uint16_t *entries, unsigned mask, unsigned entry)
{
    HypHalf all;
    memcpy(&all, entries, sizeof all);
    all ^= (all ^ hyp_half_splat(entry)) & hyp_half_of(mask);
    memcpy(entries, &all, sizeof all);
}

static inline void hyp_lanes_set(HypStackEntries *entries, unsigned mask, unsigned entry)
{
    hyp_half_set(entries->of, mask & HYP_HALF_MASK, entry);
    hyp_half_set(entries->of + HYP_HALF, mask >> HYP_HALF, entry);
}

static inline bool hyp_half_is_any(HypHalf half)
{
    uint64_t words[sizeof half / sizeof(uint64_t)];
    memcpy(words, &half, sizeof half);
    return (words[0] | words[1]) != 0;
}

static inline unsigned hyp_half_move(uint16_t *stack, size_t ways, const uint16_t *entries,
                                     unsigned mask)
{
    HypHalf sought;
    memcpy(&sought, entries, sizeof sought);
    HypHalf left = hyp_half_of(mask);
    HypHalf above = sought;
    for (size_t way = 0; way < ways && hyp_half_is_any(left); way++, stack += HYP_STACK_LANES) {
        HypHalf here;
        memcpy(&here, stack, sizeof here);
        const HypHalf now = here ^ ((here ^ above) & left);
        memcpy(stack, &now, sizeof now);
        left &= (HypHalf)(here != sought);
        above = here;
    }
    unsigned missed = 0;
    for (unsigned lane = 0; lane < HYP_HALF; lane++)
        missed |= (unsigned)(left[lane] & 1) << lane;
    return missed;
}

static inline unsigned hyp_lanes_move(HypStackEntries *stack, size_t ways,
                                      const HypStackEntries *entries, unsigned mask)
{
    unsigned missed = 0;
    if (mask & HYP_HALF_MASK)
        missed |= hyp_half_move(stack->of, ways, entries->of, mask & HYP_HALF_MASK);
    if (mask >> HYP_HALF)
        missed |=
            hyp_half_move(stack->of + HYP_HALF, ways, entries->of + HYP_HALF, mask >> HYP_HALF)
            << HYP_HALF;
    return missed;
}

#endif

#endif
