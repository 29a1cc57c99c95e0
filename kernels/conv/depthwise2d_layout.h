// SPDX-License-Identifier: Apache-2.0
// depthwise2d_layout.h - how a depthwise convolution lays a plane out in its workspace, so that
// every tap of every window is one straight run of floats.
//
// Some rows of the result at a time, a band. What the band needs of the plane is copied, with its
// padding, into slots: with a stride of 2 every other column of every other row makes one of four.
// In a slot the pixel that the same tap of the next window needs is the next float, and so is, but
// for a few floats at the end of each row that are computed for nothing, that of the next row's
// windows: rows are as far apart in the slots as in the sums. The loop over a band's sums does not
// know of rows, padding or strides, and vectors are full however narrow the image.
#ifndef HYP_DEPTHWISE2D_LAYOUT_H
#define HYP_DEPTHWISE2D_LAYOUT_H

#include "kernel.h"
#include "parallel_for.h"

// Along one axis.
typedef struct DepthwiseAxis {
    size_t slots;
    size_t slot_step; // pixels from where one slot begins to where the next does
    size_t reach;     // pixels of a slot that windows reach past their first
    bool by_tap;      // a slot for each tap: for large strides and dilations
} DepthwiseAxis;

typedef struct DepthwiseLayout {
    DepthwiseAxis rows, columns;
    size_t band;  // rows of the result at a time
    size_t bands; // in a plane
    size_t pitch; // floats from row to row, in slots and sums
    size_t slot_floats;
    size_t sums_floats;
    size_t thread_floats; // workspace of one thread: offsets of the taps, slots, sums
    size_t threads;
} DepthwiseLayout;

// Widest vector, which may be read past a slot's end.
enum { DEPTHWISE_SLACK_FLOATS = 16 };

static inline size_t depthwise_round_up(size_t floats)
{
    return (floats + HYP_LINE_FLOATS - 1) / HYP_LINE_FLOATS * HYP_LINE_FLOATS;
}

static inline DepthwiseAxis depthwise_axis(size_t kernel, size_t stride, size_t dilation)
{
    // Past these most of a slot would be read by no tap.
    enum { MOST_STRIDE = 2, MOST_REACH = 64 };
    if (stride <= MOST_STRIDE && (kernel - 1) * dilation <= MOST_REACH)
        return (DepthwiseAxis){
            .slots = stride, .slot_step = 1, .reach = (kernel - 1) * dilation / stride};
    return (DepthwiseAxis){.slots = kernel, .slot_step = dilation, .by_tap = true};
}

// Where tap `tap` begins: its slot, and how far into it.
static inline size_t depthwise_slot(const DepthwiseAxis *axis, size_t tap, size_t dilation,
                                    size_t *shift)
{
    *shift = axis->by_tap ? 0 : tap * dilation / axis->slots;
    return axis->by_tap ? tap : tap * dilation % axis->slots;
}

static inline DepthwiseLayout depthwise_layout(const HypConv2dArgs *args)
{
    // The sums take as much again, image and result pass by: all in a first level of 48 KiB.
    const size_t most_slot_floats = 3072;
    DepthwiseLayout layout = {
        .rows = depthwise_axis(args->kernel_h, args->stride_h, args->dilation_h),
        .columns = depthwise_axis(args->kernel_w, args->stride_w, args->dilation_w)};
    layout.pitch = args->out_width + layout.columns.reach;
    const size_t row_floats = layout.rows.slots * layout.columns.slots * layout.pitch;
    const size_t fitting = row_floats ? most_slot_floats / row_floats : 0;
    // Rows that are reached from two bands are copied twice: few of them where bands are high.
    const size_t least = 2 * layout.rows.reach + 1;
    layout.band = fitting > layout.rows.reach + least ? fitting - layout.rows.reach : least;
    if (layout.band > args->out_height)
        layout.band = args->out_height;
    layout.bands = layout.band ? (args->out_height + layout.band - 1) / layout.band : 0;
    if (layout.bands > 0) // all of about the same height
        layout.band = (args->out_height + layout.bands - 1) / layout.bands;
    layout.slot_floats = (layout.band + layout.rows.reach) * layout.pitch;
    layout.sums_floats = depthwise_round_up(layout.band * layout.pitch + DEPTHWISE_SLACK_FLOATS);
    const size_t taps = args->kernel_h * args->kernel_w;
    const size_t slots = layout.rows.slots * layout.columns.slots;
    layout.thread_floats = depthwise_round_up(taps * sizeof(size_t) / sizeof(float)) +
                           depthwise_round_up(slots * layout.slot_floats + DEPTHWISE_SLACK_FLOATS) +
                           layout.sums_floats;
    const double sums = (double)args->batch * (double)args->out_channels *
                        (double)args->out_height * (double)args->out_width;
    layout.threads =
        hyp_parallel_threads(args->parallel, sums * (2 * (double)taps + HYP_WORK_STREAMED));
    return layout;
}

#endif
