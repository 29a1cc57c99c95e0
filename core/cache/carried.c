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

// Has a run be from one address to another.
static void bound_run(const HypCarried *carried, HypCarriedRun *run, uintptr_t start, uintptr_t end)
{
    run->start = start;
    run->end = end;
    run->lines = run->share * count_lines(carried, (double)(end - start));
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
        had |= !memory[i].known && memory[i].start <= address && address < end_of(&memory[i]);
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
        .run = run ? *run : (HypCarriedRun){.begun = {.layer = -1}, .at = {.layer = -1}}};
    return true;
}

static bool cut_memory(HypCarried *carried, const HypMemory *memory, int index)
{
    const uintptr_t end = end_of(&memory[index]);
    uintptr_t cut = memory[index].start; // so far
    bool added = true;
    if (memory[index].known) {
        const HypCarriedMoment *known = memory[index].known;
        const HypCarriedRun run = {.begun = *known, .at = *known};
        return add_piece(carried, memory, index, &run, cut, end);
    }
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
    double since_begun = carried->passed - last->begun.passed;
    double since = carried->passed - last->at.passed;
    double beside = 0; // by the same layer
    double now = 0;    // by this one, and not since then
    for (size_t i = 0; i < carried->run_count; i++) {
        const HypCarriedRun *run = &carried->runs[i];
        since_begun += run->at.layer > last->begun.layer ? run->lines : 0;
        since += run->at.layer > last->at.layer ? run->lines : 0;
        if (run->at.layer == last->at.layer && (run->all_the_while || !last->all_the_while))
            beside += run->lines;
    }
    for (size_t i = 0; i < carried->piece_count; i++) {
        const HypCarriedPiece *other = &carried->pieces[i];
        if (!other->had && other->run.at.layer <= last->at.layer &&
            (other->all_the_while || !piece->all_the_while))
            now += other->lines;
    }
    piece->first = since_begun + beside;
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

// Of `lines` of a run that come back after so many others, those that were evicted dirty, unless
// the formula of the layer which wrote them has counted them.
static void add_write_backs(const HypCarriedRun *run, double lines, double first, double last,
                            HypAccount *account)
{
    for (int level = 0; level < account->level_count; level++) {
        const HypCacheShape *cache = &account->caches[level];
        const double left = run->written ? share_kept(cache, 0, run->beside) : 1;
        const double evicted = fmax(0, left - share_kept(cache, first, last));
        account->traffic.write_backs[level] += evicted * run->dirty[level] * lines;
    }
}

// Lines that the layer under way touches.
static double count_touched(const HypCarried *carried)
{
    double lines = 0;
    for (size_t i = 0; i < carried->piece_count; i++)
        lines += carried->pieces[i].had ? 0 : carried->pieces[i].lines;
    return lines;
}

// In place, a line comes back to be written when the layer has read it.
static HypCarriedPiece describe_written(const HypCarried *carried, const HypMemory *memory,
                                        const HypCarriedPiece *piece)
{
    const HypMemory *own = &memory[piece->memory];
    HypCarriedPiece written = *piece;
    written.first = count_lines(carried, own->delay_bytes);
    written.last = written.first + own->behind * count_touched(carried);
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
    } else if (!piece->had && piece->run.at.layer >= 0) {
        take_lines(piece, before, account);
        if (!memory[piece->memory].goes_on)
            add_write_backs(&piece->run, piece->lines, piece->first, piece->last, account);
    }
}

// Has the memory of the run be of it alone.
static bool note_run(HypCarried *carried, const HypCarriedRun *made)
{
    const uintptr_t start = made->start;
    const uintptr_t end = made->end;
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
        bound_run(carried, &put[put_count++], runs[first].start, start);
    }
    put[put_count++] = *made;
    while (next < carried->run_count && runs[next].end <= end)
        next++;
    if (next < carried->run_count && runs[next].start < end) {
        put[put_count] = runs[next++];
        bound_run(carried, &put[put_count], end, put[put_count].end);
        put_count++;
    }
    memmove(&runs[first + put_count], &runs[next], (carried->run_count - next) * sizeof *runs);
    memcpy(&runs[first], put, put_count * sizeof *runs);
    carried->run_count = carried->run_count - (next - first) + put_count;
    return true;
}

// What the layer leaves of memory `index`. What it has read only is dirty as far as it was found
// so.
static HypCarriedRun describe_run(const HypCarried *carried, const HypMemory *memory, int index,
                                  const HypAccount *account)
{
    const HypMemory *own = &memory[index];
    const HypCarriedMoment now = {carried->layer, carried->passed};
    HypCarriedRun run = {.share = own->share,
                         .all_the_while = own->all_the_while,
                         .begun = own->begun ? *own->begun : now,
                         .at = now,
                         .written = own->written,
                         .beside = count_touched(carried)};
    bound_run(carried, &run, own->start, end_of(own));
    for (int level = 0; level < account->level_count; level++) {
        double dirty = 0;
        for (size_t i = 0; i < carried->piece_count; i++) {
            const HypCarriedPiece *piece = &carried->pieces[i];
            const double kept = share_kept(&account->caches[level], piece->first, piece->last);
            if (piece->memory == index && !piece->had && piece->run.at.layer >= 0)
                dirty += kept * piece->run.dirty[level] * piece->lines;
        }
        run.dirty[level] = own->written ? 1 : run.lines > 0 ? fmin(1, dirty / run.lines) : 0;
    }
    return run;
}

// What is touched, and not noted: it has passed.
static bool note_all(HypCarried *carried, const HypMemory *memory, int count,
                     const HypAccount *account)
{
    bool noted = true;
    for (int i = 0; i < count; i++)
        if (memory[i].goes_on)
            carried->passed += count_lines(carried, memory[i].share * (double)memory[i].size_bytes);
    for (int i = 0; noted && i < count; i++)
        if (!memory[i].goes_on && memory[i].size_bytes > 0) {
            const HypCarriedRun run = describe_run(carried, memory, i, account);
            noted = note_run(carried, &run);
        }
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
    return note_all(carried, memory, count, account);
}

// Lines that were touched since a moment, by layers after that.
static double count_since(const HypCarried *carried, const HypCarriedMoment *moment)
{
    double lines = carried->passed - moment->passed;
    for (size_t i = 0; i < carried->run_count; i++)
        lines += carried->runs[i].at.layer > moment->layer ? carried->runs[i].lines : 0;
    return lines;
}

void hyp_carried_finish(const HypCarried *carried, HypAccount *account)
{
    for (size_t i = 0; i < carried->run_count; i++) {
        const HypCarriedRun *run = &carried->runs[i];
        const double lines = count_lines(carried, (double)(run->end - run->start));
        add_write_backs(run, lines, count_since(carried, &run->at),
                        count_since(carried, &run->begun) + run->beside, account);
    }
}
