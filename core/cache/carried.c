// SPDX-License-Identifier: Apache-2.0
#include "cache/carried.h"

#include "common/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void hyp_carried_open(HypCarried *carried, double line_bytes)
{
    *carried = (HypCarried){.line_bytes = line_bytes};
}

void hyp_carried_close(HypCarried *carried)
{
    free(carried->runs);
    free(carried->pieces);
}

static double count_lines(const HypCarried *carried, double bytes)
{
    return ceil(bytes / carried->line_bytes);
}

static uintptr_t end_of(const HypMemory *memory)
{
    return memory->start + memory->size_bytes;
}

// The first run that ends past an address.
static size_t find_run(const HypCarried *carried, uintptr_t address)
{
    size_t first = 0;
    size_t end = carried->run_count;
    while (first < end) {
        const size_t middle = first + (end - first) / 2;
        if (carried->runs[middle].end > address)
            end = middle;
        else
            first = middle + 1;
    }
    return first;
}

// Whether one of the first so many memories of the layer has the address.
static bool is_had(const HypMemory *memory, int count, uintptr_t address)
{
    bool had = false;
    for (int i = 0; i < count; i++)
        had |= memory[i].start <= address && address < end_of(&memory[i]);
    return had;
}

// Adds the part of memory `index` from one address to another, unless it is none. `run`: of which
// it is a part; NULL: of none.
static bool add_piece(HypCarried *carried, const HypMemory *memory, int index,
                      const HypCarriedRun *run, uintptr_t start, uintptr_t end)
{
    if (start >= end)
        return true;
    HypCarriedPiece *pieces = hyp_array_reserve(carried->pieces, &carried->piece_capacity,
                                                carried->piece_count + 1, sizeof *pieces);
    if (!pieces)
        return false;
    carried->pieces = pieces;
    pieces[carried->piece_count++] = (HypCarriedPiece){
        .memory = index,
        .had = is_had(memory, index, start),
        .lines = memory[index].share * count_lines(carried, (double)(end - start)),
        .all_the_while = memory[index].all_the_while,
        .run = run ? *run : (HypCarriedRun){.layer = -1}};
    return true;
}

static bool cut_memory(HypCarried *carried, const HypMemory *memory, int index)
{
    const uintptr_t end = end_of(&memory[index]);
    uintptr_t cut = memory[index].start; // so far
    bool added = true;
    for (size_t i = find_run(carried, cut);
         added && i < carried->run_count && carried->runs[i].start < end; i++) {
        const HypCarriedRun *run = &carried->runs[i];
        const uintptr_t first = run->start > cut ? run->start : cut;
        const uintptr_t last = run->end < end ? run->end : end;
        added = add_piece(carried, memory, index, NULL, cut, first) &&
                add_piece(carried, memory, index, run, first, last);
        cut = last;
    }
    return added && add_piece(carried, memory, index, NULL, cut, end);
}

// Layers pass over memory from front to back: when a line comes back, the rest of the layer before
// has been touched, and so much of this one as of the memory; of what is used all the while, only
// the like. What was touched again since then counts where it was touched last (stack distances:
// Mattson et al., 1970).
static void find_distance(const HypCarried *carried, HypCarriedPiece *piece)
{
    const HypCarriedRun *last = &piece->run;
    double since = carried->passed - last->passed;
    double beside = 0; // by the same layer
    double now = 0;    // by this one, and not since then
    for (size_t i = 0; i < carried->run_count; i++) {
        const HypCarriedRun *run = &carried->runs[i];
        const double lines = count_lines(carried, (double)(run->end - run->start));
        since += run->layer > last->layer ? lines : 0;
        if (run->layer == last->layer && (run->all_the_while || !last->all_the_while))
            beside += lines;
    }
    for (size_t i = 0; i < carried->piece_count; i++) {
        const HypCarriedPiece *other = &carried->pieces[i];
        if (!other->had && other->run.layer <= last->layer &&
            (other->all_the_while || !piece->all_the_while))
            now += other->lines;
    }
    piece->first = since + beside;
    piece->last = since + now;
}

// The share of a range along which what is touched between goes evenly from one number of lines to
// another, in which these are fewer than a cache holds.
static double share_kept(const HypCacheShape *cache, double first, double last)
{
    const double capacity = cache->sets * cache->ways;
    if (fabs(last - first) < 1)
        return first <= capacity ? 1 : 0;
    const double place = (capacity - first) / (last - first);
    const double before = fmin(1, fmax(0, place));
    return last > first ? before : 1 - before;
}

// Distances are known to within such a factor.
static const double known_within = 1.25;

static void take_lines(const HypCarriedPiece *piece, const HypTraffic *before, HypAccount *account)
{
    HypTraffic *traffic = &account->traffic;
    for (int level = 0; level < account->level_count; level++) {
        const HypCacheShape *cache = &account->caches[level];
        const double share = share_kept(cache, piece->first, piece->last);
        const double doubted =
            share_kept(cache, piece->first / known_within, piece->last / known_within) -
            share_kept(cache, piece->first * known_within, piece->last * known_within);
        const double added = fmax(0, traffic->misses[level] - before->misses[level]);
        traffic->misses[level] -= fmin(added, share * piece->lines);
        traffic->doubt[level] += fmin(added, doubted * piece->lines);
    }
}

// In place, a line comes back to be written when the layer has read it.
static HypCarriedPiece describe_written(const HypCarried *carried, const HypMemory *memory,
                                        const HypCarriedPiece *piece)
{
    double all = 0; // that the layer touches
    for (size_t i = 0; i < carried->piece_count; i++)
        all += carried->pieces[i].had ? 0 : carried->pieces[i].lines;
    const HypMemory *own = &memory[piece->memory];
    HypCarriedPiece written = *piece;
    written.first = count_lines(carried, own->delay_bytes);
    written.last = written.first + own->behind * all;
    return written;
}

// What a layer has twice it is given once, for how it comes back within it is not known unless it
// is in place.
static void take_piece(const HypCarried *carried, const HypMemory *memory,
                       const HypCarriedPiece *piece, const HypTraffic *before, HypAccount *account)
{
    if (piece->had && memory[piece->memory].in_place) {
        const HypCarriedPiece written = describe_written(carried, memory, piece);
        take_lines(&written, before, account);
    } else if (!piece->had && piece->run.layer >= 0) {
        take_lines(piece, before, account);
    }
}

// Has the memory be of this layer, and what was there before of nobody.
static bool note_memory(HypCarried *carried, const HypMemory *memory)
{
    const uintptr_t start = memory->start;
    const uintptr_t end = end_of(memory);
    // One run may be cut in two, with the new one between.
    HypCarriedRun *runs = hyp_array_reserve(carried->runs, &carried->run_capacity,
                                            carried->run_count + 2, sizeof *runs);
    if (!runs)
        return false;
    carried->runs = runs;
    HypCarriedRun put[3];
    size_t put_count = 0;
    const size_t first = find_run(carried, start);
    size_t next = first;
    if (first < carried->run_count && runs[first].start < start) {
        put[put_count] = runs[first];
        put[put_count++].end = start;
    }
    put[put_count++] = (HypCarriedRun){.start = start,
                                       .end = end,
                                       .all_the_while = memory->all_the_while,
                                       .layer = carried->layer,
                                       .passed = carried->passed};
    while (next < carried->run_count && runs[next].end <= end)
        next++;
    if (next < carried->run_count && runs[next].start < end) {
        put[put_count] = runs[next++];
        put[put_count++].start = end;
    }
    memmove(&runs[first + put_count], &runs[next], (carried->run_count - next) * sizeof *runs);
    memcpy(&runs[first], put, put_count * sizeof *runs);
    carried->run_count = carried->run_count - (next - first) + put_count;
    return true;
}

// What is touched, and not noted: it has passed.
static bool note_all(HypCarried *carried, const HypMemory *memory, int count)
{
    bool noted = true;
    for (int i = 0; i < count; i++)
        if (memory[i].goes_on)
            carried->passed += count_lines(carried, memory[i].share * (double)memory[i].size_bytes);
    for (int i = 0; noted && i < count; i++)
        if (!memory[i].goes_on && memory[i].size_bytes > 0)
            noted = note_memory(carried, &memory[i]);
    carried->layer++;
    return noted;
}

bool hyp_carried_take(HypCarried *carried, const HypMemory *memory, int count,
                      const HypTraffic *before, HypAccount *account)
{
    bool cut = true;
    carried->piece_count = 0;
    for (int i = 0; cut && i < count; i++)
        cut = memory[i].size_bytes == 0 || cut_memory(carried, memory, i);
    if (!cut)
        return false;
    for (size_t i = 0; i < carried->piece_count; i++)
        find_distance(carried, &carried->pieces[i]);
    for (size_t i = 0; i < carried->piece_count; i++)
        take_piece(carried, memory, &carried->pieces[i], before, account);
    return note_all(carried, memory, count);
}
