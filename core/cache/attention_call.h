// SPDX-License-Identifier: Apache-2.0
// attention_call.h - a call of attention as its closed form sees it: where the parts of the
// workspace lie, and how many lines a group of queries or a block of keys has in them.
#ifndef HYP_ATTENTION_CALL_H
#define HYP_ATTENTION_CALL_H

#include "cache/placed_pieces.h"
#include "kernel.h"

enum { HYP_TILE_VECTORS = 2 }; // columns of a register tile

// Lines, but for counts and strides.
typedef struct HypAttentionCall {
    const HypAttentionArgs *args;
    HypAccount *account;
    size_t lanes, tile_rows, tile_keys, panel_columns;
    int value_panels;
    size_t position, key_position;
    double line;       // floats
    double heads;      // of all images
    double fresh;      // share of them whose keys and values no other has read
    double row;        // of a query, a key, a value or a result
    double own;        // share of its lines that it does not have in common with the head before
    double packed_row; // of results or values in the workspace
    double values, queries, results, scores, factors, greatest, sums, end; // begin there
} HypAttentionCall;

// A block of keys before a block of queries, of which there are `times`.
typedef struct HypKeyBlock {
    double times;
    double first, keys;
    size_t first_query, queries;
} HypKeyBlock;

// Queries of one register tile.
typedef struct HypQueryGroup {
    size_t first, rows;         // in their block
    size_t begin;               // of the first group that sees the block of keys
    double keys;                // of that block
    double seen, seen_by_first; // keys of the block: of the last query, which sees most
    bool one_of_many;           // stands for others, that lie elsewhere
} HypQueryGroup;

HypAttentionCall hyp_attention_call(const HypAttentionArgs *args, HyperionSIMDLevel level,
                                    HypAccount *account);

// The group that begins with query `first` of its block.
HypQueryGroup hyp_attention_group(const HypAttentionCall *call, const HypKeyBlock *block,
                                  size_t first);

// How many panels `keys` fill, and lines of packed keys.
double hyp_attention_panels(const HypAttentionCall *call, double keys);
double hyp_attention_keys(const HypAttentionCall *call, double keys);

// Lines of `rows` packed queries.
double hyp_attention_queries(const HypAttentionCall *call, double rows);

// Lines of a row of a panel of values.
double hyp_attention_value_row(const HypAttentionCall *call, int panel);

// A panel that stands for a share of all values.
typedef struct HypValueSample {
    int panel;
    double share;
} HypValueSample;

HypValueSample hyp_attention_value_sample(const HypAttentionCall *call, int index, int samples);

// Rows `from` to `to` of a panel of values, or the first of all others (of all, for -1).
void hyp_add_values_of(HypPieces *pieces, const HypAttentionCall *call, int panel, double from,
                       double to);
void hyp_add_other_values(HypPieces *pieces, const HypAttentionCall *call, int panel, double to);

void hyp_add_keys(HypPieces *pieces, const HypAttentionCall *call, double from_line,
                  double to_line);
void hyp_add_queries(HypPieces *pieces, const HypAttentionCall *call, double first, double rows);

// Of results the share from `from` to `to` of each row.
void hyp_add_results(HypPieces *pieces, const HypAttentionCall *call, double first, double rows);
void hyp_add_columns(HypPieces *pieces, const HypAttentionCall *call, const HypQueryGroup *group,
                     double from, double to);
void hyp_add_scores(HypPieces *pieces, const HypAttentionCall *call, double rows);

// Factors, and the greatest scores and sums of queries.
void hyp_add_states(HypPieces *pieces, const HypAttentionCall *call, double first, double rows);

// Of a block of keys and of one of values, rows `from` to `to` of a head.
void hyp_add_key_rows(HypPlacedWindow *window, const HypAttentionCall *call, double from,
                      double to);
void hyp_add_value_rows(HypPlacedWindow *window, const HypAttentionCall *call, double from,
                        double to);

// Rows of one head in an array.
void hyp_add_head_rows(HypWindow *window, const HypAttentionCall *call, double rows, size_t stride);

// `lines` come back after `window`; written: each touch makes them dirty.
void hyp_attention_back(const HypAttentionCall *call, double lines, const HypPlacedWindow *window);
void hyp_attention_back_written(const HypAttentionCall *call, double lines,
                                const HypPlacedWindow *window);

// A group passes over a block of keys, after the group `before` it or, for NULL, after packing.
void hyp_attention_step(const HypAttentionCall *call, double times, const HypQueryGroup *group,
                        const HypQueryGroup *before);

// Queries of a block that packs nothing, with all the keys that they see, `times` over, but for the
// first touches of rows; and lines of the workspace that so many touch.
void hyp_attention_alone(const HypAttentionCall *call, double times, size_t first, size_t queries);
double hyp_attention_alone_lines(const HypAttentionCall *call, double queries);

// Accesses of a step, of packing a block of keys and values, and of copying queries and results.
double hyp_attention_step_accesses(const HypAttentionCall *call, const HypQueryGroup *group);
double hyp_attention_packing_accesses(const HypAttentionCall *call, double keys);
double hyp_attention_end_accesses(const HypAttentionCall *call, double queries);

#endif
