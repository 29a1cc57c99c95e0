// SPDX-License-Identifier: Apache-2.0
#include "cache/stream_account.h"

#include <math.h>
#include <string.h>

void hyp_window_memo_clear(HypWindowMemo *memo)
{
    memset(memo->hashes, 0, sizeof memo->hashes);
}

static HypChances find_chances(const HypAccount *account, const HypWindow *window)
{
    HypChances chances = {{0}};
    double chance = 1;
    for (int level = account->first_level; level < account->level_count && chance > 0; level++) {
        // What survives in a level does in those further out.
        chance = fmin(chance, hyp_window_miss(window, &account->caches[level]));
        chances.miss[level] = chance;
    }
    return chances;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15U; // Fibonacci hashing
    return hash ^ hash >> 32;
}

// All of the window, in 64 bits: of the some hundred windows of a prediction no two are alike but
// by a chance of 1 in 10^14.
static uint64_t hash_window(const HypWindow *window, const HypAccount *account)
{
    uint64_t hash = (uint64_t)window->count << 16 | (unsigned)account->first_level << 8 |
                    (unsigned)account->level_count;
    for (int i = 0; i < window->count; i++) {
        const HypRegion *region = &window->regions[i];
        const HypPlace *place = &region->place;
        uint64_t lines;
        memcpy(&lines, &region->lines, sizeof lines);
        hash = mix(hash, lines);
        hash = mix(hash, (uint64_t)region->rows << 32 ^ region->stride_floats);
        hash = mix(hash, place->start * 4 + (size_t)place->known * 2 + place->planes);
        hash =
            mix(hash, place->width * 4 + (size_t)place->left_out_first * 2 + place->left_out_last);
    }
    return hash ? hash : 1;
}

void hyp_traffic_add(HypTraffic *sum, const HypTraffic *traffic, double times)
{
    sum->accesses += times * traffic->accesses;
    sum->prefetches += (uint64_t)times * traffic->prefetches;
    for (int level = 0; level < HYPERION_MAX_CACHE_LEVELS; level++) {
        sum->misses[level] += times * traffic->misses[level];
        sum->write_backs[level] += times * traffic->write_backs[level];
        sum->doubt[level] += times * traffic->doubt[level];
    }
}

HypChances hyp_account_chances(const HypAccount *account, const HypWindow *window)
{
    HypWindowMemo *memo = account->memo;
    const uint64_t hash = hash_window(window, account);
    const size_t place = hash % HYP_MEMO_PLACES;
    if (memo->hashes[place] != hash) {
        memo->hashes[place] = hash;
        memo->chances[place] = find_chances(account, window);
    }
    return memo->chances[place];
}

bool hyp_chances_are_certain_outside(const HypChances *chances)
{
    static const double doubt = 0.01;
    for (int level = 1; level < HYPERION_MAX_CACHE_LEVELS; level++)
        if (chances->miss[level] > doubt && chances->miss[level] < 1 - doubt)
            return false;
    return true;
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

void hyp_account_written_at(HypAccount *account, double lines, const HypChances *chances)
{
    hyp_account_chance(account, lines, chances);
    hyp_account_write_back(account, lines, chances);
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
