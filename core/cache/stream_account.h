// SPDX-License-Identifier: Apache-2.0
// stream_account.h - sums the misses of streams of cache lines, each told as how many lines come
// back after what was touched in between.
#ifndef HYP_STREAM_ACCOUNT_H
#define HYP_STREAM_ACCOUNT_H

#include "cache/occupancy.h"
#include "hyperion/cache.h"

// Summed over all streams, in lines. Fractions are averages over alignments.
typedef struct HypTraffic {
    double accesses;
    uint64_t prefetches; // software prefetch instructions
    double misses[HYPERION_MAX_CACHE_LEVELS];
    double write_backs[HYPERION_MAX_CACHE_LEVELS];
    // Misses that could as well be hits, for the interval: the sum over streams of lines x chance x
    // (1 - chance).
    double doubt[HYPERION_MAX_CACHE_LEVELS];
} HypTraffic;

// Adds so many times the same traffic.
void hyp_traffic_add(HypTraffic *sum, const HypTraffic *traffic, double times);

// Chance per level that a line has been evicted.
typedef struct HypChances {
    double miss[HYPERION_MAX_CACHE_LEVELS];
} HypChances;

enum { HYP_MEMO_PLACES = 512 };

// Windows whose chances are known, by their hash; blocks of one size share most of theirs.
typedef struct HypWindowMemo {
    uint64_t hashes[HYP_MEMO_PLACES]; // 0: none
    HypChances chances[HYP_MEMO_PLACES];
} HypWindowMemo;

void hyp_window_memo_clear(HypWindowMemo *memo);

typedef struct HypAccount {
    const HypCacheShape *caches;
    int level_count;
    HypWindowMemo *memo;
    int first_level; // that windows are looked at for: chances are 0 below
    HypTraffic traffic;
    bool failed; // the traffic is not whole: the last error is set
} HypAccount;

HypChances hyp_account_chances(const HypAccount *account, const HypWindow *window);

// `lines` touches miss with these chances.
void hyp_account_chance(HypAccount *account, double lines, const HypChances *chances);

// `lines` touches come back after `window`: adds their misses and returns their chances.
HypChances hyp_account(HypAccount *account, double lines, const HypWindow *window);

// `lines` are touched for the first time.
void hyp_account_cold(HypAccount *account, double lines);

// Of `lines` dirty lines, those evicted are written back.
void hyp_account_write_back(HypAccount *account, double lines, const HypChances *evicted);

// As hyp_account, of lines that each touch makes dirty: one that misses had been written back.
void hyp_account_written(HypAccount *account, double lines, const HypWindow *window);
void hyp_account_written_at(HypAccount *account, double lines, const HypChances *chances);

// Whether at every level but the first nearly all hit or nearly all miss.
bool hyp_chances_are_certain_outside(const HypChances *chances);

void hyp_chances_keep_greatest(HypChances *greatest, const HypChances *other);
void hyp_chances_add(HypChances *mean, const HypChances *other, double share);

#endif
