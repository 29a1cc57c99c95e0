// SPDX-License-Identifier: Apache-2.0
// How slivers of B are packed from an image (kernels/conv/conv2d_columns.h): of each channel, the
// rows that the window meets, and their copy.
#include "cache/gemm_walk.h"

#include "cache/gemm_walk_part.h"

enum { READ_SOURCE, WRITE_PACKED };

// What pixels of a sliver that lie in one row of the result see of a channel.
typedef struct Segment {
    size_t top;           // row that the first row of the window meets, from -pad_top on
    size_t left, columns; // from -pad_left on, for the first tap of a row of the window
} Segment;

enum { MOST_SEGMENTS = 64 };

typedef struct Sliver {
    Segment segments[MOST_SEGMENTS];
    size_t count;
    size_t packed; // its place
} Sliver;

static void find_sliver(Sliver *sliver, const HypGemmWalk *walk, size_t index)
{
    const HypGemmNest *nest = walk->nest;
    const HypImageSource *image = nest->image;
    const size_t first = walk->at->column + index * nest->nr;
    size_t left = gemm_least(nest->nr, walk->nc - index * nest->nr);
    size_t y = first / image->out_width;
    size_t x = first % image->out_width;
    sliver->packed = nest->places.packed_b + index * walk->depth * nest->nr;
    sliver->count = 0;
    while (left > 0 && sliver->count < MOST_SEGMENTS) {
        const size_t pixels = gemm_least(left, image->out_width - x);
        sliver->segments[sliver->count++] =
            (Segment){.top = y * image->stride_h,
                      .left = x * image->stride_w,
                      .columns = (pixels - 1) * image->stride_w + 1};
        left -= pixels;
        x = 0;
        y++;
    }
}

// A row of a window, of which taps `first` to `last` are met in a channel.
typedef struct Taps {
    size_t plane; // place of the channel
    size_t row, first, last;
} Taps;

static void read_taps(HypGemmWalk *walk, const Sliver *sliver, const Taps *taps)
{
    const HypImageSource *image = walk->nest->image;
    for (size_t i = 0; i < sliver->count; i++) {
        const Segment *segment = &sliver->segments[i];
        const size_t y = segment->top + taps->row * image->dilation_h;
        const size_t start = segment->left + taps->first * image->dilation_w;
        const size_t end = segment->left + segment->columns + taps->last * image->dilation_w;
        const size_t from = start > image->pad_left ? start - image->pad_left : 0;
        const size_t inside = end > image->pad_left ? end - image->pad_left : 0;
        const size_t to = gemm_least(inside, image->width);
        if (y >= image->pad_top && y - image->pad_top < image->height && from < to)
            hyp_walk_touch(walk, READ_SOURCE,
                           taps->plane + (y - image->pad_top) * image->width + from, to - from);
    }
}

static void pack_sliver(HypGemmWalk *walk, size_t index)
{
    enum { LINES_TOGETHER = 16 };
    const HypGemmNest *nest = walk->nest;
    const HypImageSource *image = nest->image;
    const size_t channel = image->height * image->width;
    const size_t window = image->kernel_h * image->kernel_w;
    const size_t tap = walk->at->depth % window;
    const size_t together = LINES_TOGETHER * nest->line_floats / nest->nr;
    Sliver sliver;
    find_sliver(&sliver, walk, index);
    Taps taps = {.plane = nest->places.b + walk->at->depth / window * channel,
                 .row = tap / image->kernel_w,
                 .first = tap % image->kernel_w};
    size_t written = 0;
    for (size_t k = 0; k < walk->depth;) {
        const size_t count = gemm_least(image->kernel_w - taps.first, walk->depth - k);
        taps.last = taps.first + count - 1;
        read_taps(walk, &sliver, &taps);
        k += count;
        if (k - written >= together || k == walk->depth) {
            hyp_walk_touch(walk, WRITE_PACKED, sliver.packed + written * nest->nr,
                           (k - written) * nest->nr);
            written = k;
        }
        taps.first = 0;
        if (++taps.row == image->kernel_h) {
            taps.row = 0;
            taps.plane += channel;
        }
    }
}

// Returns what they miss of the image.
static double pack_slivers(HypGemmWalk *walk, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pack_sliver(walk, first + i);
    return hyp_stacks_take(&walk->stacks).of[READ_SOURCE];
}

static size_t sliver_touches(const HypGemmWalk *walk)
{
    enum { LINES_OF_TOUCH = 16 };
    const HypGemmNest *nest = walk->nest;
    const size_t rows = gemm_quotient_up(walk->depth, nest->image->kernel_w);
    const size_t segments = 1 + (nest->nr - 1) / nest->image->out_width;
    const size_t lines = (walk->depth * nest->nr) >> walk->line_shift;
    return rows * segments + lines / LINES_OF_TOUCH;
}

// Slivers that evict all that the one before them met: some channels stand for all.
static bool walk_passing(HypGemmWalk *walk, double *missed)
{
    enum { CHANNELS = 4, LEAST_COUNTED = 4, MOST_TOUCHES = 600 };
    const HypImageSource *image = walk->nest->image;
    walk->depth = gemm_least(walk->kc, CHANNELS * image->kernel_h * image->kernel_w);
    const size_t most = hyp_walk_most(MOST_TOUCHES / sliver_touches(walk), LEAST_COUNTED);
    const size_t counted = gemm_least(walk->slivers, most);
    if (counted * sliver_touches(walk) > HYP_WALK_MOST_TOUCHES)
        return true;
    if (!hyp_walk_open(walk))
        return false;
    double sum = 0;
    for (size_t i = 0; i < counted; i++) {
        hyp_stacks_clear(&walk->stacks);
        sum += pack_slivers(walk, i * walk->slivers / counted, 1);
    }
    hyp_stacks_close(&walk->stacks);
    const double share = (double)counted * (double)walk->depth / (double)walk->kc;
    *missed = sum * (double)walk->slivers / share;
    return true;
}

static bool windows_overlap(const HypImageSource *image)
{
    return (image->kernel_h - 1) * image->dilation_h + 1 > image->stride_h;
}

// Slivers until the row of the image above comes back, where it can: a line that the window begins
// to see was left by the last pixels that saw it in the row of the result above.
static size_t slivers_back(const HypGemmWalk *walk)
{
    const HypGemmNest *nest = walk->nest;
    const HypImageSource *image = nest->image;
    const size_t wide = nest->line_floats - 1 + (image->kernel_w - 1) * image->dilation_w;
    const size_t of_row = image->out_width * image->dilation_h;
    const size_t seen = gemm_least(of_row, wide / image->stride_w);
    const double written = (double)(of_row - seen) * (double)walk->kc / (double)nest->line_floats;
    if (!windows_overlap(image) || written >= hyp_walk_capacity(walk))
        return 1;
    return 1 + gemm_quotient_up(of_row, nest->nr);
}

// Whether some slivers stand for the others: not where windows step over pixels that lie in the
// lines of others, and begin anew with each row of the result.
static bool slivers_are_alike(const HypGemmNest *nest)
{
    enum { WIDE = 8 };
    const HypImageSource *image = nest->image;
    const bool steps = image->stride_h > 1 || image->stride_w > 1;
    return nest->nr >= WIDE ? !steps || windows_overlap(image) : !steps && windows_overlap(image);
}

// As many touches as are worth it: of whole rows of the result, or so many that each place in a
// line comes as often as others.
static size_t count_slivers(const HypGemmWalk *walk, size_t filling)
{
    enum { MOST_TOUCHES = 1200, LEAST_COUNTED = 2, SHORT_ROW = 4 };
    const HypGemmNest *nest = walk->nest;
    const size_t most = MOST_TOUCHES / sliver_touches(walk);
    const size_t left = most > filling ? most - filling : 0;
    const size_t columns = gemm_least(nest->nr * nest->image->stride_w, nest->line_floats);
    const size_t of_line = nest->line_floats / columns;
    const size_t of_row = gemm_quotient_up(nest->image->out_width, nest->nr);
    const size_t unit =
        left >= of_row || of_row <= SHORT_ROW || !slivers_are_alike(nest) ? of_row : of_line;
    return hyp_walk_most(left > unit ? left / unit * unit : unit, LEAST_COUNTED);
}

// Some slivers of the middle, of which the first fill the cache, or all where these are not many
// more.
static bool walk_coming_back(HypGemmWalk *walk, double *missed)
{
    enum { FEW_TOUCHES = 2500 };
    const size_t filling = slivers_back(walk);
    const size_t counted = count_slivers(walk, filling);
    const bool few = walk->slivers * sliver_touches(walk) <= FEW_TOUCHES;
    const bool all = few || filling + counted + (filling + counted) / 2 >= walk->slivers;
    const size_t walked = all ? walk->slivers : filling + counted;
    const size_t touches = walked * sliver_touches(walk);
    if (touches > HYP_WALK_MOST_TOUCHES)
        return true;
    if (!hyp_walk_open(walk))
        return false;
    const size_t start = (walk->slivers - walked) / 2;
    *missed = pack_slivers(walk, start, all ? walked : filling);
    if (!all) {
        const double next = pack_slivers(walk, start + filling, counted);
        *missed += next / (double)counted * (double)(walk->slivers - filling);
    }
    hyp_stacks_close(&walk->stacks);
    return true;
}

// Whether the panel before may have left rows in the cache that this one needs: of the same
// channels, beside its own, or of channels of which each block of k has but some taps.
static bool meets_rows_of_others(const HypGemmWalk *walk)
{
    enum { LEAST_CHANNELS = 4 };
    const HypGemmNest *nest = walk->nest;
    const size_t window = nest->image->kernel_h * nest->image->kernel_w;
    const double packed = walk->at->typical.packed_b;
    return (walk->nc < nest->shape.n && packed < hyp_walk_capacity(walk)) ||
           (walk->kc < nest->shape.k && walk->kc < LEAST_CHANNELS * window);
}

bool hyp_gemm_walk_image(const HypGemmNest *nest, const HypIterations *at,
                         const HypCacheShape *cache, double *missed)
{
    HypGemmWalk walk = hyp_walk_start(nest, at, cache);
    const double written = at->typical.sliver; // until the next sliver comes to the same rows
    if (meets_rows_of_others(&walk))
        return true;
    if (written >= hyp_walk_capacity(&walk) && slivers_are_alike(nest))
        return walk_passing(&walk, missed);
    return walk_coming_back(&walk, missed);
}
