// SPDX-License-Identifier: Apache-2.0
// The reads of an image by the packing of B's panel: slivers of nr pixels one after another, of
// each all channels of the block of k.
#include "cache/gemm_reuse.h"

#include <math.h>

enum {
    SLIVER_SAMPLES = 4, // slivers that are looked at
    LEAST_COUNTS = 4,   // slivers and channels over which lines are counted
    MOST_COUNTS = 8,
    MAP_WORDS = 16,
    WORD_BITS = 64,
    MAP_LINES = MAP_WORDS * WORD_BITS,
};

// Pixels of the result, counted along its rows.
typedef struct Pixels {
    size_t first, end;
} Pixels;

// A part of one channel that pixels of one row of the result see.
typedef struct Patch {
    size_t row, rows, column, width;
} Patch;

// From `start` - pad on, what lies inside of 0 .. extent - 1.
static void clip(size_t start, size_t count, size_t pad, size_t extent, size_t *first,
                 size_t *inside)
{
    const size_t end = start + count > pad ? start + count - pad : 0;
    *first = start > pad ? start - pad : 0;
    const size_t stop = end < extent ? end : extent;
    *inside = stop > *first ? stop - *first : 0;
}

// Of the row of the result in which `pixels` begin; returns how many pixels that are.
static size_t find_patch(const HypImageSource *image, Pixels pixels, Patch *patch)
{
    const size_t y = pixels.first / image->out_width;
    const size_t x = pixels.first % image->out_width;
    const size_t left = pixels.end - pixels.first;
    const size_t count = left < image->out_width - x ? left : image->out_width - x;
    const size_t tall = (image->kernel_h - 1) * image->dilation_h + 1;
    const size_t wide =
        (count - 1) * image->stride_w + (image->kernel_w - 1) * image->dilation_w + 1;
    clip(y * image->stride_h, tall, image->pad_top, image->height, &patch->row, &patch->rows);
    clip(x * image->stride_w, wide, image->pad_left, image->width, &patch->column, &patch->width);
    return count;
}

// Lines of one channel, from `base` on; what lies beyond the map is left out.
typedef struct LineMap {
    size_t base;
    uint64_t words[MAP_WORDS];
} LineMap;

static void mark_lines(LineMap *map, size_t first, size_t last)
{
    const size_t stop = map->base + (size_t)MAP_LINES;
    for (size_t line = first; line <= last && line < stop; line++)
        map->words[(line - map->base) / WORD_BITS] |= (uint64_t)1 << (line - map->base) % WORD_BITS;
}

static void mark_pixels(LineMap *map, const HypImageSource *image, size_t channel_place,
                        size_t line_floats, Pixels pixels)
{
    while (pixels.first < pixels.end) {
        Patch patch;
        pixels.first += find_patch(image, pixels, &patch);
        for (size_t i = 0; i < patch.rows && patch.width > 0; i += image->dilation_h) {
            const size_t start = channel_place + (patch.row + i) * image->width + patch.column;
            mark_lines(map, start / line_floats, (start + patch.width - 1) / line_floats);
        }
    }
}

// As mark_pixels, of whole rows of the result at once.
static void mark_earlier(LineMap *map, const HypImageSource *image, size_t channel_place,
                         size_t line_floats, Pixels pixels)
{
    const size_t row = pixels.end / image->out_width * image->out_width;
    const size_t first =
        (pixels.first + image->out_width - 1) / image->out_width * image->out_width;
    if (first < row) {
        Patch top, bottom;
        (void)find_patch(image, (Pixels){first, row}, &top);
        (void)find_patch(image, (Pixels){row - image->out_width, row}, &bottom);
        const size_t start = channel_place + top.row * image->width;
        const size_t end = channel_place + (bottom.row + bottom.rows) * image->width;
        if (end > start)
            mark_lines(map, start / line_floats, (end - 1) / line_floats);
    }
    const size_t head = first < pixels.end ? first : pixels.end;
    mark_pixels(map, image, channel_place, line_floats, (Pixels){pixels.first, head});
    mark_pixels(map, image, channel_place, line_floats,
                (Pixels){row > head ? row : head, pixels.end});
}

// Of the lines of a sliver in one channel, those that the sliver before had, and those that only
// earlier ones had: neighbours in the row of the result above, whose last touch is `back` pixels
// ago. What lies between is what the sliver sees, or that and `back` pixels before.
typedef struct Returning {
    LineMap near, far, between_near, between_far;
} Returning;

static double count_lines(const LineMap *map)
{
    double lines = 0;
    for (int i = 0; i < MAP_WORDS; i++)
        lines += __builtin_popcountll(map->words[i]);
    return lines;
}

// A line that the sliver begins to see was last seen by the pixels above its end.
static size_t pixels_back(const HypGemmNest *nest)
{
    const HypImageSource *image = nest->image;
    const size_t wide = nest->line_floats - 1 + (image->kernel_w - 1) * image->dilation_w;
    const size_t seen = wide / image->stride_w;
    return image->out_width > seen ? image->out_width - seen : 0;
}

static void find_returning(Returning *lines, const HypGemmNest *nest, size_t channel, Pixels panel,
                           Pixels sliver)
{
    const HypImageSource *image = nest->image;
    const size_t tall = (image->kernel_h - 1) * image->dilation_h + 1;
    const size_t reach = (tall / image->stride_h + 1) * image->out_width + nest->nr;
    const Pixels before = {sliver.first - nest->nr, sliver.first};
    const size_t gone = sliver.first - panel.first;
    const size_t earliest = sliver.first - (gone < reach ? gone : reach);
    const size_t back = pixels_back(nest);
    const Pixels recent = {sliver.first - (gone < back ? gone : back), sliver.end};
    const size_t place = nest->places.b + channel * image->height * image->width;
    const size_t line = nest->line_floats;
    Patch patch;
    (void)find_patch(image, (Pixels){earliest, sliver.end}, &patch);
    const LineMap none = {.base = (place + patch.row * image->width) / line};
    LineMap now = none;
    LineMap last = none;
    LineMap all = none;
    *lines = (Returning){none, none, none, none};
    mark_pixels(&now, image, place, line, sliver);
    mark_pixels(&last, image, place, line, before);
    mark_earlier(&all, image, place, line, (Pixels){earliest, before.first});
    mark_pixels(&lines->between_far, image, place, line, recent);
    for (int i = 0; i < MAP_WORDS; i++) {
        lines->near.words[i] = now.words[i] & last.words[i];
        lines->far.words[i] = now.words[i] & all.words[i] & ~last.words[i];
        lines->between_near.words[i] = now.words[i] & ~lines->near.words[i];
        lines->between_far.words[i] &= ~lines->far.words[i];
    }
}

// Means over as many slivers as begin in a line, in channels of other alignments, and of them the
// one with the most.
typedef struct MeanReturning {
    double near, far;
    Returning most_near, most_far;
} MeanReturning;

static void find_mean_returning(MeanReturning *mean, const HypGemmNest *nest, size_t channel,
                                Pixels panel, size_t first)
{
    const size_t of_line = nest->line_floats / (nest->nr * nest->image->stride_w);
    const size_t least = of_line > LEAST_COUNTS ? of_line : LEAST_COUNTS;
    const size_t counts = least < MOST_COUNTS ? least : MOST_COUNTS;
    double most_near = -1;
    double most_far = -1;
    mean->near = 0;
    mean->far = 0;
    for (size_t i = 0; i < counts; i++) {
        const size_t moved = first + (of_line > 0 ? i % of_line : 0) * nest->nr;
        const size_t start = moved + nest->nr <= panel.end ? moved : first;
        const size_t end = start + nest->nr < panel.end ? start + nest->nr : panel.end;
        Returning lines;
        find_returning(&lines, nest, channel + i, panel, (Pixels){start, end});
        const double near = count_lines(&lines.near);
        const double far = count_lines(&lines.far);
        mean->near += near / (double)counts;
        mean->far += far / (double)counts;
        if (near > most_near)
            mean->most_near = lines;
        if (far > most_far)
            mean->most_far = lines;
        most_near = fmax(near, most_near);
        most_far = fmax(far, most_far);
    }
}

// The channels that a block of k meets.
typedef struct Channels {
    size_t first;
    double count;
} Channels;

static Channels find_channels(const HypGemmNest *nest, const HypIterations *at, size_t kc)
{
    const size_t taps = nest->image->kernel_h * nest->image->kernel_w;
    return (Channels){at->depth / taps, (double)kc / (double)taps};
}

// The first line from `line` on that is marked, or is not; MAP_LINES: none.
static size_t next_line(const LineMap *map, size_t line, bool marked)
{
    while (line < MAP_LINES) {
        const uint64_t word = map->words[line / WORD_BITS];
        const uint64_t rest = (marked ? word : ~word) >> line % WORD_BITS;
        if (rest != 0)
            return line + (size_t)__builtin_ctzll(rest);
        line += WORD_BITS - line % WORD_BITS;
    }
    return MAP_LINES;
}

// Adds the lines of a map in every channel; in each they may lie half a line off.
static void add_map(HypWindow *window, const HypGemmNest *nest, const Channels *channels,
                    const LineMap *map)
{
    enum { REST = 2 }; // regions left for what comes after
    const size_t line_floats = nest->line_floats;
    const size_t planes = (size_t)ceil(channels->count);
    for (size_t first = next_line(map, 0, true); first < MAP_LINES;) {
        const size_t end = next_line(map, first, false);
        if (window->count >= HYP_WINDOW_REGIONS - REST)
            return;
        hyp_window_add(window, channels->count * (double)(end - first), planes,
                       nest->image->height * nest->image->width);
        hyp_window_place(window,
                         &(HypPlace){.known = true,
                                     .planes = true,
                                     .start = (map->base + first) * line_floats + line_floats / 2,
                                     .width = (end - first - 1) * line_floats + 1});
        first = next_line(map, end, true);
    }
}

// Adds `lines` that come back to *sum, and what they miss to *misses.
static void add_returning(const HypAccount *account, HypWindow *window, double lines, double *sum,
                          HypChances *misses)
{
    if (lines <= 0)
        return;
    const HypChances chances = hyp_account_chances(account, window);
    *sum += lines;
    hyp_chances_add(misses, &chances, lines);
}

static void look_at_sliver(const HypGemmPredictor *predictor, const HypIterations *at, double index,
                           HypGemmReuse *reuse)
{
    const HypGemmNest *nest = &predictor->nest;
    const Pixels panel = {at->column, at->column + at->typical.nc};
    const Channels channels = find_channels(nest, at, at->typical.kc);
    const double back = fmax(1, (double)pixels_back(nest) / (double)nest->nr);
    HypAccount account = predictor->account;
    account.first_level = reuse->walked < 0 ? 0 : 1;
    MeanReturning mean;
    find_mean_returning(&mean, nest, channels.first, panel, panel.first + (size_t)index * nest->nr);
    HypWindow near;
    hyp_window_start(&near);
    add_map(&near, nest, &channels, &mean.most_near.near);
    add_map(&near, nest, &channels, &mean.most_near.between_near);
    hyp_window_add_slivers(&near, nest, &at->typical, index - 0.5, index + 0.5);
    add_returning(&account, &near, mean.near, &reuse->near, &reuse->near_miss);
    HypWindow far;
    hyp_window_start(&far);
    add_map(&far, nest, &channels, &mean.most_far.far);
    add_map(&far, nest, &channels, &mean.most_far.between_far);
    hyp_window_add_slivers(&far, nest, &at->typical, fmax(0, index + 0.5 - back), index + 0.5);
    add_returning(&account, &far, mean.far, &reuse->far, &reuse->far_miss);
}

// Of windows that start at 0, stride, ..., the share whose tap lies in the image, over all taps.
static double share_inside(size_t windows, size_t stride, size_t taps, size_t dilation, size_t pad,
                           size_t extent)
{
    size_t inside = 0;
    for (size_t tap = 0; tap < taps; tap++) {
        const size_t start = tap * dilation; // of the first window, from -pad on
        const size_t before = start < pad ? (pad - start + stride - 1) / stride : 0;
        const size_t until =
            pad + extent > start ? (pad + extent - start + stride - 1) / stride : 0;
        const size_t end = until < windows ? until : windows;
        inside += end > before ? end - before : 0;
    }
    return (double)inside / (double)(windows * taps);
}

// Accesses of one tap of `count` pixels in a row: registers are read and written in turn.
static double count_accesses(const HypGemmNest *nest, size_t count, double inside)
{
    const double line = (double)nest->line_floats;
    const size_t lanes = nest->lanes;
    const size_t stride = nest->image->stride_w;
    const size_t whole = stride == 1 ? count / lanes : stride == 2 ? (count - 1) / lanes : 0;
    const size_t rest = count - whole * lanes;
    const size_t singles = stride > 1 ? rest : (rest + lanes - 1) / lanes;
    const double of_register = 1 + (double)(stride * lanes - 1) / line;
    const double of_rest = stride > 1 || rest == 0 ? 1 : 1 + (double)(rest - 1) / line;
    return inside * ((double)whole * of_register + (double)singles * of_rest) +
           (double)(whole + singles);
}

static double find_accesses(const HypGemmNest *nest, Pixels panel)
{
    const HypImageSource *image = nest->image;
    const double inside = share_inside(image->out_height, image->stride_h, image->kernel_h,
                                       image->dilation_h, image->pad_top, image->height) *
                          share_inside(image->out_width, image->stride_w, image->kernel_w,
                                       image->dilation_w, image->pad_left, image->width);
    double accesses = 0;
    for (size_t first = panel.first; first < panel.end; first += nest->nr) {
        const size_t end = first + nest->nr < panel.end ? first + nest->nr : panel.end;
        for (size_t pixel = first; pixel < end;) {
            const size_t left = image->out_width - pixel % image->out_width;
            const size_t count = left < end - pixel ? left : end - pixel;
            accesses += count_accesses(nest, count, inside);
            pixel += count;
        }
    }
    return accesses;
}

static void divide_chances(HypChances *sum, double lines)
{
    for (int level = 0; level < HYPERION_MAX_CACHE_LEVELS && lines > 0; level++)
        sum->miss[level] /= lines;
}

// Whether the first level has been walked, and those further out keep all that is touched until a
// row of the image comes back, many times over.
static bool returns_are_known(const HypGemmPredictor *predictor, const HypIterations *at,
                              const HypGemmReuse *reuse)
{
    enum { TIMES = 4 };
    const HypGemmNest *nest = &predictor->nest;
    const HypAccount *account = &predictor->account;
    const double pixels = (double)(pixels_back(nest) + 2 * nest->nr);
    const double lines = 2 * pixels * (double)at->typical.kc / (double)nest->line_floats;
    bool known = reuse->walked >= 0;
    for (int level = 1; level < account->level_count; level++)
        known = known && TIMES * lines <= account->caches[level].sets * account->caches[level].ways;
    return known;
}

void hyp_gemm_find_image_reuse(const HypGemmPredictor *predictor, const HypIterations *at,
                               HypGemmReuse *reuse)
{
    const HypGemmNest *nest = &predictor->nest;
    const size_t others = (size_t)at->typical.slivers - 1; // than the first
    const size_t most = returns_are_known(predictor, at, reuse) ? 0 : SLIVER_SAMPLES;
    const size_t samples = others < most ? others : most;
    for (size_t i = 0; i < samples; i++) {
        const size_t index = 1 + (2 * i + 1) * others / (2 * samples);
        look_at_sliver(predictor, at, (double)index, reuse);
    }
    reuse->accesses = find_accesses(nest, (Pixels){at->column, at->column + at->typical.nc});
    divide_chances(&reuse->near_miss, reuse->near);
    divide_chances(&reuse->far_miss, reuse->far);
    reuse->near /= (double)(samples > 0 ? samples : 1);
    reuse->far /= (double)(samples > 0 ? samples : 1);
}

// The rows that the last pixels of the panel before saw as well.
static void account_overlap(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypImageSource *image = nest->image;
    const size_t tall = (image->kernel_h - 1) * image->dilation_h + 1;
    if (at->first_column || tall <= image->stride_h)
        return;
    const double rows = (double)(tall - image->stride_h);
    const double lines = rows * (double)image->width / (double)nest->line_floats;
    HypWindow window;
    hyp_window_start(&window);
    hyp_window_add_column(&window, nest, at, HYP_MATRIX_B);
    hyp_account(&predictor->account,
                at->times * find_channels(nest, at, at->exact.kc).count * lines, &window);
}

void hyp_gemm_account_image(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    HypAccount *account = &predictor->account;
    const HypGemmReuse *reuse = hyp_gemm_reuse(predictor, at);
    account->traffic.accesses += at->times * (double)at->exact.kc * reuse->accesses *
                                 (double)at->exact.nc / (double)at->typical.nc;
    const double missed_before = account->traffic.misses[0];
    const double doubt_before = account->traffic.doubt[0];
    hyp_account_cold(account, at->times * at->exact.b_source);
    account_overlap(predictor, at);
    const double slivers = at->times * find_channels(nest, at, at->exact.kc).count *
                           (at->exact.slivers - 1); // but the first, of all channels
    hyp_account_chance(account, slivers * reuse->near, &reuse->near_miss);
    hyp_account_chance(account, slivers * reuse->far, &reuse->far_miss);
    if (reuse->walked >= 0) {
        const double typical = (double)at->typical.kc * (double)at->typical.nc;
        const double panels = at->times * (double)at->exact.kc * (double)at->exact.nc / typical;
        account->traffic.misses[0] = missed_before + panels * reuse->walked;
        account->traffic.doubt[0] = doubt_before;
    }
}
