// SPDX-License-Identifier: Apache-2.0
#include "cache/attention_walk.h"

#include "attention/attention_blocks.h"
#include "cache/attention_accesses.h"
#include "kernel_table.h"

enum {
    TILE_VECTORS = 2,    // columns of a register tile
    TOGETHER = 16,       // keys that a group of queries meets at once, at least
    PACKED_TOGETHER = 4, // rows that are packed at once
    PAGE_BYTES = 4096,
};

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t place_array(const void *known, uintptr_t *end, size_t floats)
{
    const uintptr_t start = (*end + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    if (known)
        return (uintptr_t)known / sizeof(float);
    *end = start + floats * sizeof(float);
    return start / sizeof(float);
}

static void place_workspace(HypAttentionWalk *walk, size_t start)
{
    HypAttentionArgs placed = *walk->args;
    placed.workspace = (void *)(start * sizeof(float));
    const AttentionWorkspace work = attention_workspace(&placed, 0);
    walk->keys = start;
    walk->values = start + (size_t)(work.values - work.keys);
    walk->queries = start + (size_t)(work.queries - work.keys);
    walk->results = start + (size_t)(work.results - work.keys);
    walk->scores = start + (size_t)(work.scores - work.keys);
    walk->factors = start + (size_t)(work.factors - work.keys);
    walk->greatest = start + (size_t)(work.greatest - work.keys);
    walk->sums = start + (size_t)(work.sum - work.keys);
    walk->end = start + attention_workspace_floats(walk->args);
}

void hyp_attention_walk_start(HypAttentionWalk *walk, const HypAttentionArgs *args,
                              HyperionSIMDLevel level, size_t line_floats)
{
    const HypKernelVariant *tile = hyp_kernel_find(HYP_OP_GEMM, level);
    const size_t lanes = tile->nr / TILE_VECTORS;
    const size_t position = args->heads * args->dim;
    walk->args = args;
    walk->accesses = 0;
    walk->line_floats = line_floats;
    walk->line_shift = (unsigned)__builtin_ctzll(line_floats);
    walk->lanes = lanes;
    walk->tile_rows = tile->mr;
    walk->tile_keys = tile->nr;
    walk->panel = attention_panel(tile->nr);
    walk->width = (args->dim + lanes - 1) / lanes * lanes;
    walk->position = position;
    walk->key_position = position / attention_sharing(args);
    uintptr_t end = PAGE_BYTES;
    const size_t rows = args->batch * args->queries * position;
    const size_t keys = args->batch * args->keys * walk->key_position;
    walk->arrays.q = place_array(args->q, &end, rows);
    walk->arrays.k = place_array(args->k, &end, keys);
    walk->arrays.v = place_array(args->v, &end, keys);
    walk->arrays.out = place_array(args->out, &end, rows);
    place_workspace(walk, place_array(args->workspace, &end, attention_workspace_floats(args)));
}

void hyp_attention_walk_head(HypAttentionWalk *walk, size_t head)
{
    const HypAttentionArgs *args = walk->args;
    const size_t batch = head / args->heads;
    const size_t in_image = head % args->heads;
    const size_t at = batch * args->queries * walk->position + in_image * args->dim;
    const size_t at_key =
        batch * args->keys * walk->key_position + in_image / attention_sharing(args) * args->dim;
    walk->head.q = walk->arrays.q + at;
    walk->head.k = walk->arrays.k + at_key;
    walk->head.v = walk->arrays.v + at_key;
    walk->head.out = walk->arrays.out + at;
}

static void touch_run(HypAttentionWalk *walk, HypAttentionKind kind, size_t start, size_t floats)
{
    if (floats == 0)
        return;
    const size_t first = start >> walk->line_shift;
    const size_t last = (start + floats - 1) >> walk->line_shift;
    hyp_stacks_touch(&walk->stacks, kind, first, last - first + 1);
}

// Of the workspace.
static void read_run(HypAttentionWalk *walk, size_t start, size_t floats)
{
    touch_run(walk, HYP_ATTENTION_READ, start, floats);
}

static void write_run(HypAttentionWalk *walk, size_t start, size_t floats)
{
    touch_run(walk, HYP_ATTENTION_WRITTEN, start, floats);
}

static void pack_run(HypAttentionWalk *walk, size_t start, size_t floats)
{
    touch_run(walk, HYP_ATTENTION_PACKED, start, floats);
}

// Rows of a head in an array, from its row `first` on.
static void touch_rows(HypAttentionWalk *walk, HypAttentionKind kind, size_t head, size_t position,
                       size_t first, size_t rows)
{
    const size_t dim = walk->args->dim;
    const size_t start = head + first * position;
    if (position == dim) {
        touch_run(walk, kind, start, rows * dim);
        return;
    }
    hyp_stacks_touch_rows(&walk->stacks, kind,
                          &(HypStackRows){.start = start,
                                          .width = dim,
                                          .stride = position,
                                          .count = rows,
                                          .line_shift = walk->line_shift});
}

void hyp_attention_walk_queries(HypAttentionWalk *walk, size_t first, size_t count)
{
    const size_t dim = walk->args->dim;
    for (size_t i = 0, rows; i < count; i += rows) {
        rows = attention_group_rows(count - i, walk->tile_rows);
        touch_rows(walk, HYP_ATTENTION_ROWS, walk->head.q, walk->position, first + i, rows);
        const size_t results = walk->results + i * walk->width;
        write_run(walk, results, rows * walk->width);
        pack_run(walk, walk->queries + i * dim, rows * dim);
        write_run(walk, results, rows * walk->width);
    }
    write_run(walk, walk->greatest, count);
    write_run(walk, walk->sums, count);
    walk->accesses += hyp_attention_end_accesses(walk, count);
}

void hyp_attention_walk_results(HypAttentionWalk *walk, size_t first, size_t count)
{
    read_run(walk, walk->sums, count);
    for (size_t i = 0, rows; i < count; i += rows) {
        rows = least_of(TOGETHER, count - i);
        read_run(walk, walk->results + i * walk->width, rows * walk->width);
        touch_rows(walk, HYP_ATTENTION_OUT, walk->head.out, walk->position, first + i, rows);
    }
}

void hyp_attention_walk_packing(HypAttentionWalk *walk, size_t first, size_t count)
{
    const size_t dim = walk->args->dim;
    const size_t tile = walk->tile_keys;
    const size_t register_rows = walk->lanes < PACKED_TOGETHER ? PACKED_TOGETHER : walk->lanes;
    for (size_t j = 0, rows; j < count; j += rows) {
        rows = least_of(register_rows, count - j);
        touch_rows(walk, HYP_ATTENTION_ROWS, walk->head.k, walk->key_position, first + j, rows);
        pack_run(walk, walk->values, least_of(walk->lanes, rows) * walk->width);
        // A register of keys fills half of each row of a panel: here, half of its rows.
        const size_t end = j + rows;
        const size_t columns = (end < count ? end : (end + tile - 1) / tile * tile) - j;
        pack_run(walk, walk->keys + j * dim, columns * dim);
    }
    for (size_t j = 0, rows; j < count; j += rows) {
        rows = least_of(PACKED_TOGETHER, count - j);
        touch_rows(walk, HYP_ATTENTION_ROWS, walk->head.v, walk->key_position, first + j, rows);
        for (size_t d = 0; d < walk->width; d += walk->panel) {
            const size_t columns = least_of(walk->panel, walk->width - d);
            pack_run(walk, walk->values + d * ATTENTION_KEYS + j * columns, rows * columns);
        }
    }
    walk->accesses += hyp_attention_packing_accesses(walk, count);
}

// Queries of a register tile, the first `first` in their block, of which the last sees `seen` keys
// of a block.
typedef struct Group {
    size_t first, rows, seen;
} Group;

// Scores of all rows with the first `keys` of the block.
static void write_scores(HypAttentionWalk *walk, const Group *group, size_t keys)
{
    if (keys + walk->line_floats > ATTENTION_KEYS) {
        write_run(walk, walk->scores, group->rows * ATTENTION_KEYS);
        return;
    }
    hyp_stacks_touch_rows(&walk->stacks, HYP_ATTENTION_WRITTEN,
                          &(HypStackRows){.start = walk->scores,
                                          .width = keys,
                                          .stride = ATTENTION_KEYS,
                                          .count = group->rows,
                                          .line_shift = walk->line_shift});
}

// Panels of keys from key `j` on and the queries, side by side in parts.
static void walk_panels(HypAttentionWalk *walk, const Group *group, size_t j, size_t panels,
                        size_t parts)
{
    const size_t dim = walk->args->dim;
    const size_t keys = walk->keys + j * dim;
    const size_t queries = walk->queries + group->first * dim;
    const size_t columns = panels * walk->tile_keys;
    for (size_t part = 0; part < parts; part++) {
        const size_t from = part * dim / parts;
        const size_t to = (part + 1) * dim / parts;
        read_run(walk, keys + from * columns, (to - from) * columns);
        read_run(walk, queries + from * group->rows, (to - from) * group->rows);
    }
    write_scores(walk, group, group->seen);
}

static void walk_scores(HypAttentionWalk *walk, const Group *group)
{
    enum { FIRST_PARTS = 4, LINES_TOGETHER = 64 };
    const size_t tile = walk->tile_keys;
    const size_t step = tile > TOGETHER ? tile : TOGETHER;
    const size_t lines = tile * walk->args->dim / walk->line_floats;
    walk_panels(walk, group, 0, 1, FIRST_PARTS);
    for (size_t j = tile, keys; j < group->seen; j += keys) {
        keys = least_of(step - j % step, group->seen - j);
        walk_panels(walk, group, j, (keys + tile - 1) / tile, 1 + lines / LINES_TOGETHER);
    }
}

// Results of all rows in columns `from` to `to` - 1.
static void write_results(HypAttentionWalk *walk, const Group *group, size_t from, size_t to)
{
    const size_t results = walk->results + group->first * walk->width;
    to = least_of(to, walk->width);
    if (from < to)
        hyp_stacks_touch_rows(&walk->stacks, HYP_ATTENTION_WRITTEN,
                              &(HypStackRows){.start = results + from,
                                              .width = to - from,
                                              .stride = walk->width,
                                              .count = group->rows,
                                              .line_shift = walk->line_shift});
}

// Results of a panel are read before its values and written behind them.
static void walk_values(HypAttentionWalk *walk, const Group *group)
{
    write_results(walk, group, 0, walk->panel);
    for (size_t d = 0; d < walk->width; d += walk->panel) {
        const size_t columns = least_of(walk->panel, walk->width - d);
        const size_t values = walk->values + d * ATTENTION_KEYS;
        const size_t half = group->seen / 2;
        read_run(walk, walk->factors, group->rows);
        read_run(walk, values, half * columns);
        write_scores(walk, group, group->seen);
        read_run(walk, values + half * columns, (group->seen - half) * columns);
        write_results(walk, group, d, d + 2 * walk->panel);
    }
}

static void walk_group(HypAttentionWalk *walk, const Group *group)
{
    walk_scores(walk, group);
    write_scores(walk, group, group->seen);
    write_run(walk, walk->factors, group->rows);
    write_run(walk, walk->greatest + group->first, group->rows);
    write_run(walk, walk->sums + group->first, group->rows);
    walk_values(walk, group);
}

// What no other group touches.
static void touch_own(HypAttentionWalk *walk, const Group *group)
{
    const size_t dim = walk->args->dim;
    read_run(walk, walk->queries + group->first * dim, group->rows * dim);
    write_run(walk, walk->results + group->first * walk->width, group->rows * walk->width);
}

// Keys of the block that a query sees.
static size_t count_seen(const HypAttentionWalk *walk, const HypAttentionStep *step, size_t i)
{
    const size_t seen = attention_visible(walk->args, step->first_query + i);
    return seen <= step->first_key ? 0 : least_of(seen - step->first_key, step->keys);
}

HypAttentionStep hyp_attention_step(const HypAttentionWalk *walk, size_t first_query,
                                    size_t queries, size_t first_key)
{
    HypAttentionStep step = {.first_query = first_query,
                             .queries = queries,
                             .first_key = first_key,
                             .keys = least_of(ATTENTION_KEYS, walk->args->keys - first_key)};
    for (size_t i = 0; i + walk->tile_rows <= queries; i += walk->tile_rows)
        step.whole_count += count_seen(walk, &step, i) == step.keys;
    return step;
}

// How a group is walked, and how many times it counts.
typedef struct Turn {
    bool walked;
    double weight;
} Turn;

// Of many groups those behind the first stand for all others, of which only what is their own is
// touched, but for the last: it finds the keys back.
static Turn take_turn(const HypAttentionWalk *walk, size_t index, size_t count)
{
    const size_t counted = walk->counted_groups;
    if (index == 0 || count - 1 <= counted || count - 2 == counted)
        return (Turn){true, 1};
    if (index <= counted)
        return (Turn){true, (double)(count - 1) / (double)counted};
    return (Turn){index + 1 == count, 0};
}

void hyp_attention_walk_groups(HypAttentionWalk *walk, HypAttentionStep *step, size_t most)
{
    for (size_t rows; step->next < step->queries && most > 0; step->next += rows) {
        rows = attention_group_rows(step->queries - step->next, walk->tile_rows);
        const Group group = {.first = step->next,
                             .rows = rows,
                             .seen = count_seen(walk, step, step->next + rows - 1)};
        if (group.seen == 0)
            continue;
        most--;
        const size_t seen_by_first = count_seen(walk, step, step->next);
        Turn turn = {true, 1};
        if (rows == walk->tile_rows && seen_by_first == step->keys)
            turn = take_turn(walk, step->whole++, step->whole_count);
        hyp_stacks_weigh(&walk->stacks, turn.weight);
        if (turn.walked)
            walk_group(walk, &group);
        else
            touch_own(walk, &group);
        const double mean = (double)(seen_by_first + group.seen) / 2;
        walk->accesses += turn.weight * hyp_attention_group_accesses(walk, rows, group.seen, mean);
    }
    hyp_stacks_weigh(&walk->stacks, 1);
}

// Columns of rows of an array of keys or values.
static void touch_columns(HypAttentionWalk *walk, size_t start, size_t columns, size_t rows)
{
    if (walk->key_position == columns) {
        touch_run(walk, HYP_ATTENTION_ROWS, start, rows * columns);
        return;
    }
    hyp_stacks_touch_rows(&walk->stacks, HYP_ATTENTION_ROWS,
                          &(HypStackRows){.start = start,
                                          .width = columns,
                                          .stride = walk->key_position,
                                          .count = rows,
                                          .line_shift = walk->line_shift});
}

// How many rows after one of keys its sets come back, where rows are whole lines apart and sets a
// power of two; else 0.
static size_t find_period(const HypAttentionWalk *walk)
{
    const size_t sets = walk->stacks.groups.count << walk->stacks.lane_shift;
    const size_t stride = walk->key_position >> walk->line_shift;
    if ((sets & (sets - 1)) != 0 || walk->key_position % walk->line_floats != 0)
        return 0;
    return stride % sets == 0 ? 1 : sets >> __builtin_ctzll(stride);
}

// Whether the query is in a set of a row of keys that comes back after `period`.
static bool are_of_one_set(const HypAttentionWalk *walk, size_t query, size_t key, size_t period)
{
    const size_t sets = walk->stacks.groups.count << walk->stacks.lane_shift;
    return ((query >> walk->line_shift) - (key >> walk->line_shift)) % (sets / period) == 0;
}

bool hyp_attention_fills_sets(const HypAttentionWalk *walk)
{
    const size_t period = find_period(walk);
    const size_t rows = attention_alone_keys(walk->lanes);
    return period > 0 && (rows + period - 1) / period == walk->stacks.ways &&
           walk->lanes < walk->line_floats;
}

bool hyp_attention_meets_query(const HypAttentionWalk *walk)
{
    return hyp_attention_fills_sets(walk) &&
           are_of_one_set(walk, walk->queries, walk->head.k, find_period(walk));
}

// A query with rows of keys that fill `in_set` ways of their sets, line by line: where there are no
// more ways than that, or the query is in the same set, each register of a line finds others in its
// place.
static void walk_crowded_keys(HypAttentionWalk *walk, size_t query, size_t key, size_t rows,
                              size_t period)
{
    const size_t dim = walk->args->dim;
    const size_t in_set = (rows + period - 1) / period;
    for (size_t d = 0; d < dim; d += walk->line_floats) {
        const size_t columns = least_of(walk->line_floats, dim - d);
        const bool evicted =
            in_set > walk->stacks.ways || are_of_one_set(walk, query + d, key + d, period);
        const size_t registers = evicted ? (columns + walk->lanes - 1) / walk->lanes : 1;
        for (size_t i = 0; i < registers; i++) {
            touch_columns(walk, key + d, columns, rows);
            read_run(walk, query + d, columns);
        }
    }
}

// Scores are read where the values of some keys are.
static void walk_alone_values(HypAttentionWalk *walk, size_t first_value, size_t columns,
                              size_t seen)
{
    const size_t step = attention_alone_keys(walk->lanes);
    for (size_t j = 0; j < seen; j += step) {
        read_run(walk, walk->scores + j, 1);
        touch_columns(walk, first_value + j * walk->key_position, columns,
                      least_of(step, seen - j));
    }
}

// One query with `seen` keys.
static void walk_alone(HypAttentionWalk *walk, size_t i, size_t first_key, size_t seen)
{
    const HypAttentionArgs *args = walk->args;
    const size_t query = walk->queries + i * args->dim;
    const size_t step = attention_alone_keys(walk->lanes);
    const size_t period = find_period(walk);
    for (size_t j = 0, rows; j < seen; j += rows) {
        rows = least_of(step, seen - j);
        const size_t key = walk->head.k + (first_key + j) * walk->key_position;
        if (period > 0 && rows >= walk->stacks.ways * period) {
            walk_crowded_keys(walk, query, key, rows, period);
        } else {
            touch_columns(walk, key, args->dim, rows);
            read_run(walk, query, args->dim);
        }
        write_run(walk, walk->scores + j, rows);
    }
    write_run(walk, walk->scores, seen);
    write_run(walk, walk->factors, 1);
    write_run(walk, walk->greatest + i, 1);
    write_run(walk, walk->sums + i, 1);
    for (size_t d = 0, columns; d < args->dim; d += columns) {
        columns = attention_alone_vectors(args->dim - d, walk->lanes) * walk->lanes;
        columns = least_of(columns, args->dim - d);
        write_run(walk, walk->results + i * walk->width + d, columns);
        walk_alone_values(walk, walk->head.v + first_key * walk->key_position + d, columns, seen);
    }
}

void hyp_attention_walk_alone(HypAttentionWalk *walk, const HypAttentionStep *step)
{
    for (size_t i = 0; i < step->queries; i++) {
        const size_t seen = count_seen(walk, step, i);
        if (seen == 0)
            continue;
        walk_alone(walk, i, step->first_key, seen);
        walk->accesses += hyp_attention_alone_accesses(walk, seen);
    }
}
