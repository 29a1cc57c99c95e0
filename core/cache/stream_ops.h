// SPDX-License-Identifier: Apache-2.0
// stream_ops.h - cache traffic of operations that stream over their tensors once or a few times,
// row by row. An access is one line of one pass. Sizes are floats; nothing is done for no elements.
#ifndef HYP_STREAM_OPS_H
#define HYP_STREAM_OPS_H

#include "hyperion/simulate.h"

#include "cache/stream_account.h"
#include "kernel.h"

// out[i] from in[i].
void hyp_stream_map(HypAccount *account, size_t count);

// An operand of which `touched_bytes` are used in all, its `stored_bytes` again and again.
typedef struct HypStreamOperand {
    size_t stored_bytes, touched_bytes;
} HypStreamOperand;

// out[i] from as many operands as there are, side by side.
void hyp_stream_combine(HypAccount *account, size_t out_bytes, const HypStreamOperand *operands,
                        size_t operand_count);

// Elements moved: bytes read once and written once.
void hyp_stream_move(HypAccount *account, size_t read_bytes, size_t written_bytes);

// Softmax: in read twice, out written and scaled; a row is what is finished before the next.
void hyp_stream_softmax(HypAccount *account, size_t rows, size_t columns);

// Layer normalisation: in read twice, out written and scaled by `vectors` vectors of a row's
// length.
void hyp_stream_layernorm(HypAccount *account, size_t rows, size_t columns, size_t vectors);

// `repeats` products of few rows, one after another, as gemv_nest.h has them.
void hyp_stream_gemv(HypAccount *account, const HyperionGemmShape *shape, size_t repeats);

// Depthwise convolution as depthwise2d_nest.h has it; of `args` only extents count.
void hyp_stream_depthwise(HypAccount *account, const HypConv2dArgs *args);

// The second half of a transposed convolution: `taps` times over each plane of `out` floats, what
// `product` floats of it add.
void hyp_stream_spread(HypAccount *account, size_t planes, size_t taps, size_t product, size_t out);

// Local response normalisation: for each plane of out, `size` of in are read and added to it, then
// its own is.
void hyp_stream_lrn(HypAccount *account, size_t planes, size_t plane_floats, size_t size);

// Windows `kernel_h` rows high over `planes` images.
typedef struct HypPoolExtents {
    size_t planes, height, width, out_height, out_width, kernel_h;
} HypPoolExtents;
void hyp_stream_pool(HypAccount *account, const HypPoolExtents *pool);

#endif
