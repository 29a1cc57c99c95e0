// SPDX-License-Identifier: Apache-2.0
// zoo_blocks.h - the parts that transformers share; what is normalised where is up to each.
#ifndef HYP_ZOO_BLOCKS_H
#define HYP_ZOO_BLOCKS_H

#include "model/zoo.h"

typedef struct HypZooBlock {
    int64_t width;
    int64_t heads;
    int64_t inner; // width within the feed-forward part
    bool causal;
    HyperionActivation activation; // of the feed-forward part
    float gain;                    // of what is added to x
} HypZooBlock;

// Fails, naming the model and its keys, unless the heads divide the width.
bool hyp_zoo_check_heads(const HypZooSketch *sketch, int64_t hidden, int64_t heads);

// The same, unless there is a learned position for each of the sequence.
bool hyp_zoo_check_positions(const HypZooSketch *sketch, int64_t seq, int64_t positions);

// A weight "<name>.weight" of one vector a row, whose product with a normalised vector is of order
// 1; and the rows that `ids` name.
int hyp_zoo_table(HypZooSketch *sketch, const char *name, int64_t rows, int64_t width);
int hyp_zoo_gather(HypZooSketch *sketch, const char *name, int table, int ids);

// project(attention(query(x), key(x), value(x))).
int hyp_zoo_self_attention(HypZooSketch *sketch, int number, int x, const HypZooBlock *block);

// down(activation(up(x))).
int hyp_zoo_feed_forward(HypZooSketch *sketch, int number, int x, const HypZooBlock *block);

// x + self_attention(norm(x)), then x + feed_forward(norm(x)).
int hyp_zoo_normed_block(HypZooSketch *sketch, int number, int x, const HypZooBlock *block);

#endif
