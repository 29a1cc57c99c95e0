// SPDX-License-Identifier: Apache-2.0
#include "cache/stream_account.h"

#include <math.h>
#include <string.h>

void hyp_window_memo_clear(HypWindowMemo *memo)
{
    memset(memo->used, 0, sizeof memo->used);
}

static HypChances find_chances(const HypAccount *account, const HypWindow *window)
{
    HypChances chances = {{0}};
    double chance = 1;
    for (int level = 0; level < account->level_count && chance > 0; level++) {
        // What survives in a level does in those further out.
        chance = fmin(chance, hyp_window_miss(window, &account->caches[level]));
        chances.miss[level] = chance;
    }
    return chances;
}

static bool is_same_window(const HypWindow *a, const HypWindow *b)
{
    if (a->count != b->count)
        return false;
    for (int i = 0; i < a->count; i++) {
        const HypRegion *x = &a->regions[i];
        const HypRegion *y = &b->regions[i];
        if (x->lines != y->lines || x->rows != y->rows || x->stride_floats != y->stride_floats)
            return false;
    }
    return true;
}

static size_t hash_window(const HypWindow *window)
{
    double sum = 0;
    for (int i = 0; i < window->count; i++)
        sum = sum * 3 + window->regions[i].lines + (double)window->regions[i].rows;
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return ((bits * 0x9e3779b97f4a7c15U) >> 32) % HYP_MEMO_PLACES; // Fibonacci hashing
}

HypChances hyp_account_chances(const HypAccount *account, const HypWindow *window)
{
    HypWindowMemo *memo = account->memo;
    const size_t place = hash_window(window);
    if (!memo->used[place] || !is_same_window(&memo->windows[place], window)) {
        memo->used[place] = true;
        memo->windows[place] = *window;
        memo->chances[place] = find_chances(account, window);
    }
    return memo->chances[place];
}

void hyp_account_chance(HypAccount *account, double lines, const HypChances *chances)
{
    for (int level = 0; level < account->level_count; level++) {
        const double chance = chances->miss[level];
        account->traffic.misses[level] += lines * chance;
        account->traffic.doubt[level] += lines * chance * (1 - chance);
    }
}

HypChances hyp_account(HypAccount *account, double lines, const HypWindow *window)
{
    if (lines <= 0)
        return (HypChances){{0}};
    const HypChances chances = hyp_account_chances(account, window);
    hyp_account_chance(account, lines, &chances);
    return chances;
}

void hyp_account_cold(HypAccount *account, double lines)
{
    for (int level = 0; level < account->level_count; level++)
        account->traffic.misses[level] += lines;
}

void hyp_account_write_back(HypAccount *account, double lines, const HypChances *evicted)
{
    for (int level = 0; level < account->level_count; level++)
        account->traffic.write_backs[level] += lines * evicted->miss[level];
}

void hyp_account_written(HypAccount *account, double lines, const HypWindow *window)
{
    const HypChances evicted = hyp_account(account, lines, window);
    hyp_account_write_back(account, lines, &evicted);
}

void hyp_chances_keep_greatest(HypChances *greatest, const HypChances *other)
{
    for (int level = 0; level < HYPERION_MAX_CACHE_LEVELS; level++)
        greatest->miss[level] = fmax(greatest->miss[level], other->miss[level]);
}

void hyp_chances_add(HypChances *mean, const HypChances *other, double share)
{
    for (int level = 0; level < HYPERION_MAX_CACHE_LEVELS; level++)
        mean->miss[level] += share * other->miss[level];
}
