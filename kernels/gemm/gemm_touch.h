// SPDX-License-Identifier: Apache-2.0
// gemm_touch.h - the memory that a matrix product touches, in order, without touching it: the nest
// of gemm_nest.h with steps that name what the steps of gemm_compute_steps.h read and write.
#ifndef HYP_GEMM_TOUCH_H
#define HYP_GEMM_TOUCH_H

#include "kernel.h"

// `touch` is told of each run of bytes (at least 1) that is read or written next. A run may span
// lines; the same line may come in several runs.
typedef struct HypTouchSink {
    void (*touch)(void *context, uintptr_t address, size_t bytes, bool write);
    void *context;
} HypTouchSink;

// Tells `sink` what the variant with the register tile args->blocking.mr x nr would touch, in its
// order. Pointers in `args` are places only, never followed: any values do that are as far apart as
// those of the product meant. One thread: args->parallel is not looked at.
//
// Of the micro-kernel, per k: nr floats of B's panel, then mr of A's; then, per row of the tile, C
// read unless it is the first block of k, the biases if it is the last, and C written.
// Of packing: per k, the row of B read and written; with transposition, 16 k at a time, a run of
// each row read, then the packed run written. Levels with shorter registers visit the lines of
// those 16 k more than once, in turn, which a simulator sees as hits.
// Left out: the tile that edges and epilogues pass through on the stack, and software prefetches,
// which bring lines in sooner but (save past the end of A's packed block) no others: when
// prefetch_lines > 0, one a line of A's panel and of C's tile, for each tile.
void hyp_gemm_touch(const HypGemmArgs *args, const HypTouchSink *sink);

#endif
