// SPDX-License-Identifier: Apache-2.0
// gemv_blocks.h - how much of its operands the product for few rows takes at a time.
#ifndef HYP_GEMV_BLOCKS_H
#define HYP_GEMV_BLOCKS_H

enum {
    // Rows of B at a time: each is a stream of its own, which prefetchers can follow, and C is
    // loaded and stored once for all of them.
    GEMV_STREAMS = 8,
    // Columns at a time: a row of C stays in the second level, and each stream is a run of 16 KiB.
    GEMV_COLUMNS = 4096,
    // Rows of a transposed B at a time, each a stream: a column of C each.
    GEMV_DOTS = 4
};

#endif
