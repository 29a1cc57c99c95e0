// SPDX-License-Identifier: Apache-2.0
#include "cache/placed_window.h"

#include <assert.h>
#include <math.h>
#include <string.h>

// Of more sets a piece fills but a small part, and is taken as spread over all.
enum { MOST_SETS = 4096 };

void hyp_pieces_add(HypPieces *pieces, double start, double lines)
{
    if (lines <= 0)
        return;
    const size_t end = (size_t)ceil(start + lines - 1e-9);
    size_t first = (size_t)start;
    const int last = pieces->count - 1;
    if (last >= 0) { // a line in which two pieces meet counts once
        HypPiece *before = &pieces->pieces[last];
        const size_t border = before->start + before->lines;
        if (first + 1 == border && end >= border)
            first = border;
        if (first == border && last > 0) {
            before->lines = end - before->start;
            return;
        }
    }
    assert(pieces->count < HYP_MOST_PIECES);
    if (end > first)
        pieces->pieces[pieces->count++] = (HypPiece){first, end - first};
}

// How lines lie in the sets: in each `everywhere` and what rises and falls have summed up to.
typedef struct SetCounts {
    size_t everywhere;
    int16_t change[MOST_SETS + 1];
} SetCounts;

static void count_piece(SetCounts *counts, const HypPiece *piece, size_t sets)
{
    const size_t first = piece->start % sets;
    const size_t end = first + piece->lines % sets;
    counts->everywhere += piece->lines / sets;
    counts->change[first]++;
    if (end > sets) { // around
        counts->change[sets]--;
        counts->change[0]++;
    }
    counts->change[end > sets ? end - sets : end]--;
}

static void count_pieces(SetCounts *counts, const HypPieces *pieces, size_t sets)
{
    counts->everywhere = 0;
    memset(counts->change, 0, (sets + 1) * sizeof counts->change[0]);
    for (int i = 0; i < pieces->count; i++)
        count_piece(counts, &pieces->pieces[i], sets);
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Share of the first piece's lines by how many other lines of the pieces their sets hold.
static void find_held(const HypPieces *pieces, size_t sets, size_t ways, HypHeld *held)
{
    SetCounts all;
    count_pieces(&all, pieces, sets);
    const HypPiece *own = &pieces->pieces[0];
    const size_t behind = sets - own->start % sets; // of set 0, from the first of the piece on
    const double weight = 1 / (double)own->lines;
    size_t lines = all.everywhere;
    for (size_t set = 0; set < sets; set++) {
        lines += (size_t)all.change[set]; // below 0: wraps around, as it does back
        const size_t place = set + behind < sets ? set + behind : set + behind - sets;
        const size_t held_own = own->lines / sets + (place < own->lines % sets);
        if (held_own > 0)
            held->share[least_of(lines - 1, ways)] += weight * (double)held_own;
    }
}

// Adds what moving pieces bring to all sets alike.
static void add_moving(const HypPieces *pieces, size_t sets, size_t ways, HypHeld *held)
{
    SetCounts all;
    size_t of_lines[HYP_COUNTED_WAYS + 1] = {0}; // sets that hold so many
    count_pieces(&all, pieces, sets);
    size_t lines = all.everywhere;
    for (size_t set = 0; set < sets; set++) {
        lines += (size_t)all.change[set];
        of_lines[least_of(lines, ways)]++;
    }
    const HypHeld before = *held;
    memset(held, 0, sizeof *held);
    for (size_t i = 0; i <= ways; i++)
        for (size_t j = 0; j <= ways && of_lines[i] > 0; j++)
            held->share[least_of(i + j, ways)] +=
                before.share[j] * (double)of_lines[i] / (double)sets;
}

// Bounds on the lines in a set, and all lines.
typedef struct Bounds {
    size_t least, most;
    double lines;
} Bounds;

static void bound_pieces(const HypPieces *pieces, size_t sets, Bounds *bounds)
{
    size_t first = SIZE_MAX;
    size_t end = 0;
    size_t most = 0;
    for (int i = 0; i < pieces->count; i++) {
        const HypPiece *piece = &pieces->pieces[i];
        first = least_of(first, piece->start);
        end = piece->start + piece->lines > end ? piece->start + piece->lines : end;
        bounds->least += piece->lines / sets;
        bounds->lines += (double)piece->lines;
        most += (piece->lines + sets - 1) / sets;
    }
    if (pieces->count > 0)
        bounds->most += least_of(most, (end - first + sets - 1) / sets);
}

static double find_miss(const HypPlacedWindow *window, const HypCacheShape *cache)
{
    const size_t sets = (size_t)cache->sets;
    const size_t ways = (size_t)cache->ways;
    Bounds bounds = {.lines = 0};
    bound_pieces(&window->still, sets, &bounds);
    bound_pieces(&window->moving, sets, &bounds);
    for (int i = 0; i < window->others.count; i++)
        bounds.lines += window->others.regions[i].lines;
    double others_least, others_most;
    hyp_window_bounds(&window->others, cache, &others_least, &others_most);
    if ((double)bounds.most + others_most <= cache->ways)
        return 0;
    if ((double)bounds.least + others_least > cache->ways)
        return 1;
    if (sets > MOST_SETS || ways > HYP_COUNTED_WAYS)
        return bounds.lines <= cache->ways * cache->sets ? 0 : 1;
    HypHeld held = {{0}};
    find_held(&window->still, sets, ways, &held);
    if (window->moving.count > 0)
        add_moving(&window->moving, sets, ways, &held);
    return hyp_window_miss_beside(&window->others, &held, cache);
}

HypChances hyp_placed_chances(const HypAccount *account, const HypPlacedWindow *window)
{
    HypChances chances = {{0}};
    double chance = 1;
    for (int level = 0; level < account->level_count && chance > 0; level++) {
        // What survives in a level does in those further out.
        chance = fmin(chance, find_miss(window, &account->caches[level]));
        chances.miss[level] = chance;
    }
    return chances;
}
