// SPDX-License-Identifier: Apache-2.0
#include "cache/attention_traffic.h"

#include "attention/attention_blocks.h"
#include "cache/gemm_block.h"

#include <math.h>

enum {
    MOST_BLOCKS = 6, // of keys that are looked at one by one
    MOST_PARTS = 4,  // of the queries that see a part of a block: few values conflict, many do
};

// One head: lines, but for counts and strides.
typedef struct Head {
    const HypAttentionArgs *args;
    HypAccount *account;
    size_t lanes, position, key_position;
    double heads;  // of all images
    double fresh;  // share of them whose keys and values no other has read
    double row;    // of a query, a key, a value or a result: lines
    double own;    // share of its lines that it does not have in common with the head before
    double packed; // keys
    double states; // the greatest scores and the sums so far
} Head;

// One block of keys.
typedef struct KeyBlock {
    double count;   // such blocks in all heads
    double keys;    // in it
    double queries; // that see any of them
    double visible; // of them to such a query, on average
    double partial; // queries that see a part of it: the first `least` keys, each next one more
    double least;
    bool first; // of the keys
    bool packs; // its queries are the first that see it
} KeyBlock;

static double lines_of(const Head *head, double floats)
{
    return floats / head->account->caches[0].line_floats;
}

static void add_rows(HypWindow *window, double rows, double row_lines, size_t stride)
{
    hyp_window_add(window, rows * row_lines, (size_t)ceil(rows), stride);
}

// Rows of queries and of results, of keys and of values. All arrays are cut into heads alike, and
// begin at multiples of pages: where rows are as far apart in all, they fall into the same sets.
static void add_all_rows(HypWindow *window, const Head *head, double queries, double keys)
{
    if (head->position == head->key_position) {
        add_rows(window, 2 * (queries + keys), head->row, head->position);
        return;
    }
    add_rows(window, 2 * queries, head->row, head->position);
    add_rows(window, 2 * keys, head->row, head->key_position);
}

// What one query touches beside packed keys: values, its row and result, scores and state.
static void add_query(HypWindow *window, const Head *head, double values)
{
    add_rows(window, values, head->row, head->key_position);
    hyp_window_add(window, 2 * head->row + lines_of(head, (double)ATTENTION_KEYS) + 2, 1, 0);
}

static void come_back(const Head *head, double lines, const HypWindow *window)
{
    if (lines <= 0)
        return;
    head->account->traffic.accesses += lines;
    hyp_account(head->account, lines, window);
}

static void come_back_written(const Head *head, double lines, const HypWindow *window)
{
    if (lines <= 0)
        return;
    head->account->traffic.accesses += lines;
    hyp_account_written(head->account, lines, window);
}

// Rows of a head, a `fresh` share of them new: the others were left there by the head before, and
// so were lines in which a row begins where one of the head before ends.
static void come_first(const Head *head, double lines, double fresh)
{
    const HypAttentionArgs *args = head->args;
    HypWindow window = {.count = 0};
    add_all_rows(&window, head, (double)args->queries, (double)args->keys);
    hyp_window_add(&window, head->packed + head->states, 1, 0);
    const double cold = lines * fresh * head->own;
    head->account->traffic.accesses += cold;
    hyp_account_cold(head->account, cold);
    come_back(head, lines - cold, &window);
}

// Keys are read across: each of their lines as often as it has floats, all keys in between.
static void add_packing(const Head *head, const KeyBlock *block)
{
    const double lines = block->count * block->keys * head->row;
    const double touches = block->count * block->keys * (double)head->args->dim;
    come_first(head, lines, head->fresh);
    HypWindow across = {.count = 0};
    add_rows(&across, block->keys, 1, head->key_position);
    hyp_window_add(&across, lines_of(head, (double)ATTENTION_KEYS), 1, 0);
    come_back(head, touches - lines, &across);

    HypWindow last_block = {.count = 0};
    hyp_window_add(&last_block, head->packed, 1, 0);
    add_query(&last_block, head, block->visible);
    add_rows(&last_block, block->keys, head->row / 2, head->key_position);
    come_back_written(head, block->count * head->packed, &last_block);
}

// Every query passes over the packed keys, its scores, and the values.
static void add_scores(const Head *head, const KeyBlock *block)
{
    const double passes = block->count * block->queries;
    // Several registers of keys at a time, up to the last that is visible.
    const double group = 4 * (double)head->lanes;
    const double seen =
        fmin((double)ATTENTION_KEYS, ceil(block->visible / group) * group) / (double)ATTENTION_KEYS;
    HypWindow packing = {.count = 0};
    hyp_window_add(&packing, head->packed, 1, 0);
    add_rows(&packing, block->keys, head->row / 2, head->key_position);
    const double packed = block->packs ? block->count : 0; // passes right after packing
    come_back(head, packed * head->packed * seen, &packing);
    HypWindow next_query = {.count = 0};
    hyp_window_add(&next_query, head->packed * seen, 1, 0);
    add_query(&next_query, head, block->visible);
    come_back(head, (passes - packed) * head->packed * seen, &next_query);

    const double scores = lines_of(head, (double)ATTENTION_KEYS);
    HypWindow last_scores = {.count = 0};
    hyp_window_add(&last_scores, scores, 1, 0);
    hyp_window_add(&last_scores, head->packed * seen, 1, 0);
    add_rows(&last_scores, block->visible, head->row / 2, head->key_position);
    hyp_window_add(&last_scores, 2 * head->row + 2, 1, 0);
    come_back_written(head, passes * (scores + 2), &last_scores); // and two lines of state
    head->account->traffic.accesses += passes * 4 * scores;
}

// Some columns of all values at a time: of narrow registers less than a line.
static void add_values(const Head *head, const KeyBlock *block)
{
    const double passes = block->count * block->queries;
    const double lines = block->visible * head->row;
    const double columns = fmin((double)head->args->dim, 4 * (double)head->lanes);
    const double touches =
        block->visible * ((double)head->args->dim / columns) * fmax(1, lines_of(head, columns));
    const double first = block->packs ? block->count * block->keys * head->row : 0;
    come_first(head, first, head->fresh);
    HypWindow next_query = {.count = 0};
    add_query(&next_query, head, block->visible);
    hyp_window_add(&next_query, head->packed, 1, 0);
    come_back(head, fmax(0, passes * lines - first), &next_query);
    HypWindow across = {.count = 0};
    add_rows(&across, block->visible, 1, head->key_position);
    hyp_window_add(&across, 2 * lines_of(head, (double)ATTENTION_KEYS), 1, 0);
    come_back(head, passes * fmax(0, touches - lines), &across);
}

// The queries that see a part of the block, then those that see all of it.
static void add_passes(const Head *head, const KeyBlock *block)
{
    const double parts = fmin(MOST_PARTS, block->partial);
    KeyBlock part = *block;
    part.packs = true;
    for (int i = 0; i < (int)parts; i++) {
        part.queries = block->partial / parts;
        part.visible = block->least + (i + 0.5) * part.queries - 0.5;
        add_scores(head, &part);
        add_values(head, &part);
        part.packs = false;
    }
    part.queries = block->queries - block->partial;
    part.visible = block->keys;
    if (part.queries <= 0)
        return;
    add_scores(head, &part);
    add_values(head, &part);
}

// The rows of queries and results come back with every block of keys.
static void add_queries(const Head *head, const KeyBlock *block)
{
    const double lines = block->count * block->queries * head->row;
    HypWindow next_block = {.count = 0};
    add_all_rows(&next_block, head, block->queries, (block->keys + block->visible) / 2);
    hyp_window_add(&next_block, head->packed + head->states, 1, 0);
    if (block->first)
        come_first(head, lines, 1);
    else
        come_back(head, lines, &next_block);
    come_back_written(head, lines, &next_block);
    head->account->traffic.accesses += lines;
}

// Results are zeroed before the first block and scaled after the last.
static void add_results(const Head *head)
{
    const double queries = (double)head->args->queries;
    const double lines = head->heads * queries * head->row;
    come_first(head, lines, 1);
    HypWindow last_block = {.count = 0};
    add_all_rows(&last_block, head, queries, 0);
    hyp_window_add(&last_block, head->packed + head->states, 1, 0);
    come_back_written(head, lines, &last_block);
    head->account->traffic.accesses += lines;
    hyp_account_cold(head->account, head->packed + head->states);
}

// What block `index` of keys is to the queries of a head.
static KeyBlock find_block(const HypAttentionArgs *args, size_t index)
{
    const size_t first = index * ATTENTION_KEYS;
    const size_t left = args->keys - first;
    KeyBlock block = {.keys = (double)(left < ATTENTION_KEYS ? left : ATTENTION_KEYS),
                      .queries = (double)args->queries,
                      .first = index == 0};
    block.visible = block.keys;
    if (!args->causal)
        return block;
    // Query i sees i + 1 + ahead keys: those from `from` on see the block, from `all` on all of it.
    const double ahead = (double)args->keys - (double)args->queries;
    const double from = fmax(0, (double)first - ahead);
    const double all = fmax(from, fmin(block.queries, (double)first + block.keys - 1 - ahead));
    const double partial = all - from;
    const double least = from + 1 + ahead - (double)first;
    block.partial = partial;
    block.least = least;
    block.queries = fmax(0, block.queries - from);
    if (block.queries > 0)
        block.visible =
            (partial * (least + (partial - 1) / 2) + (block.queries - partial) * block.keys) /
            block.queries;
    return block;
}

void hyp_attention_traffic(const HypAttentionArgs *args, size_t lanes, HypAccount *account)
{
    const size_t sharing = attention_sharing(args);
    if (!args->batch || !args->heads || !args->queries || !args->keys || !args->dim)
        return;
    Head head = {.args = args,
                 .account = account,
                 .lanes = lanes,
                 .position = args->heads * args->dim,
                 .key_position = args->heads / sharing * args->dim,
                 .heads = (double)args->batch * (double)args->heads,
                 .fresh = 1 / (double)sharing};
    head.row = hyp_lines_of_run(args->dim, args->dim, (size_t)account->caches[0].line_floats);
    head.own = lines_of(&head, (double)args->dim) / head.row;
    head.packed = lines_of(&head, (double)(args->dim * ATTENTION_KEYS));
    head.states = ceil(lines_of(&head, 2 * (double)args->queries));
    const size_t blocks = (args->keys + ATTENTION_KEYS - 1) / ATTENTION_KEYS;
    // The first, the last, and some of those between that stand for the others.
    const size_t looked_at = blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS;
    for (size_t i = 0; i < looked_at; i++) {
        const size_t index = looked_at > 1 ? i * (blocks - 1) / (looked_at - 1) : 0;
        KeyBlock block = find_block(args, index);
        const bool between = i > 0 && i + 1 < looked_at;
        block.count = head.heads * (between ? (double)(blocks - 2) / (double)(looked_at - 2) : 1);
        if (block.queries <= 0)
            continue;
        add_packing(&head, &block);
        add_passes(&head, &block);
        add_queries(&head, &block);
    }
    add_results(&head);
}
