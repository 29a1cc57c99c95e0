// SPDX-License-Identifier: Apache-2.0
#include "cache/stream_ops.h"

#include "conv/depthwise2d_layout.h"
#include "gemm/gemv_blocks.h"

#include <math.h>

static double count_lines(const HypAccount *account, double floats)
{
    return floats / account->caches[0].line_floats;
}

static void touch_new(HypAccount *account, double lines)
{
    account->traffic.accesses += lines;
    hyp_account_cold(account, lines);
}

static void touch_again(HypAccount *account, double lines, const HypWindow *window)
{
    account->traffic.accesses += lines;
    hyp_account(account, lines, window);
}

// `lines` are written once, together with `others` that are read at the same pace: what is left in
// a cache at the end are the last of both, in proportion; the rest was written back.
static void write_once(HypAccount *account, double lines, double others)
{
    for (int level = 0; level < account->level_count; level++) {
        const HypCacheShape *cache = &account->caches[level];
        const double left = cache->sets * cache->ways * lines / fmax(1, lines + others);
        account->traffic.write_backs[level] += fmax(0, lines - left);
    }
}

void hyp_stream_map(HypAccount *account, size_t count)
{
    const double lines = ceil(count_lines(account, (double)count));
    touch_new(account, 2 * lines);
    write_once(account, lines, lines);
}

void hyp_stream_move(HypAccount *account, size_t read_bytes, size_t written_bytes)
{
    const double read = ceil(count_lines(account, (double)read_bytes / sizeof(float)));
    const double written = ceil(count_lines(account, (double)written_bytes / sizeof(float)));
    touch_new(account, read + written);
    write_once(account, written, read);
}

static double count_byte_lines(const HypAccount *account, size_t size_bytes)
{
    return ceil(count_lines(account, (double)size_bytes / sizeof(float)));
}

void hyp_stream_combine(HypAccount *account, size_t out_bytes, const HypStreamOperand *operands,
                        size_t operand_count)
{
    const double out = count_byte_lines(account, out_bytes);
    if (out <= 0)
        return;
    double all = out; // lines that pass while out is written
    double stored = 0;
    for (size_t i = 0; i < operand_count; i++) {
        all += count_byte_lines(account, operands[i].touched_bytes);
        stored += count_byte_lines(account, operands[i].stored_bytes);
    }
    touch_new(account, out + stored);
    write_once(account, out, stored);
    for (size_t i = 0; i < operand_count; i++) {
        const double own = count_byte_lines(account, operands[i].stored_bytes);
        const double touched = count_byte_lines(account, operands[i].touched_bytes);
        if (touched <= own)
            continue;
        HypWindow next_turn;
        hyp_window_start(&next_turn);
        hyp_window_add(&next_turn, own, 1, 0);
        hyp_window_add(&next_turn, own * (all - touched) / touched, 1, 0);
        touch_again(account, touched - own, &next_turn);
    }
}

// The passes over the rows of `in` and `out` that softmax and layer normalisation have in common.
static void touch_rows(HypAccount *account, double lines, double row)
{
    touch_new(account, lines); // the first pass over in
    HypWindow second;
    hyp_window_start(&second);
    hyp_window_add(&second, row, 1, 0);
    hyp_window_add(&second, row / 2, 1, 0); // of out, on average
    touch_again(account, lines, &second);
    touch_new(account, lines); // out
    write_once(account, lines, lines);
    HypWindow third;
    hyp_window_start(&third);
    hyp_window_add(&third, row, 1, 0);
    hyp_window_add(&third, row / 2, 1, 0); // of in
    hyp_account_written(account, lines, &third);
    account->traffic.accesses += 2 * lines; // written where just read
}

void hyp_stream_softmax(HypAccount *account, size_t rows, size_t columns)
{
    if (rows && columns)
        touch_rows(account, ceil(count_lines(account, (double)rows * (double)columns)),
                   count_lines(account, (double)columns));
}

void hyp_stream_layernorm(HypAccount *account, size_t rows, size_t columns, size_t vectors)
{
    if (!rows || !columns)
        return;
    const double row = count_lines(account, (double)columns);
    touch_rows(account, ceil(count_lines(account, (double)rows * (double)columns)), row);
    const double scales = (double)vectors * ceil(row);
    touch_new(account, scales);
    HypWindow next_row;
    hyp_window_start(&next_row);
    hyp_window_add(&next_row, scales, 1, 0);
    hyp_window_add(&next_row, row, 1, 0);
    hyp_window_add(&next_row, row, 1, 0);
    if (scales > 0)
        touch_again(account, (double)(rows - 1) * scales, &next_row);
}

void hyp_stream_lrn(HypAccount *account, size_t planes, size_t plane_floats, size_t size)
{
    const double plane = count_lines(account, (double)plane_floats);
    const double lines = (double)planes * plane;
    const double passes = (double)size;
    if (lines <= 0)
        return;
    touch_new(account, 2 * lines);
    write_once(account, lines, lines);
    // Out for each plane that is added, and for the result.
    HypWindow next_pass;
    hyp_window_start(&next_pass);
    hyp_window_add(&next_pass, plane, 1, 0);
    hyp_window_add(&next_pass, plane, 1, 0);
    hyp_account_written(account, lines * (passes + 1), &next_pass);
    account->traffic.accesses += lines * (passes + 1);
    // In for the sums of the other planes, and for its own result.
    HypWindow next_plane;
    hyp_window_start(&next_plane);
    hyp_window_add(&next_plane, plane * passes, 1, 0);
    hyp_window_add(&next_plane, plane, 1, 0);
    touch_again(account, lines * passes, &next_plane);
}

void hyp_stream_pool(HypAccount *account, const HypPoolExtents *pool)
{
    const double planes = (double)pool->planes;
    const double image =
        ceil(count_lines(account, planes * (double)pool->height * (double)pool->width));
    const double out =
        ceil(count_lines(account, planes * (double)pool->out_height * (double)pool->out_width));
    if (image <= 0 || out <= 0)
        return;
    const double row = count_lines(account, (double)pool->width);
    const double kernel_rows = (double)pool->kernel_h;
    const double touches = planes * (double)pool->out_height * kernel_rows * row;
    touch_new(account, fmin(touches, image) + out);
    write_once(account, out, fmin(touches, image));
    HypWindow next_row;
    hyp_window_start(&next_row);
    hyp_window_add(&next_row, kernel_rows * row, 1, 0);
    hyp_window_add(&next_row, count_lines(account, (double)pool->out_width), 1, 0);
    touch_again(account, fmax(0, touches - image), &next_row);
}

// `lines` are touched again and written, after `window`.
static void write_again(HypAccount *account, double lines, const HypWindow *window)
{
    account->traffic.accesses += lines;
    hyp_account_written(account, lines, window);
}

// Two runs of lines, the first that of the line which comes back.
static HypWindow window_of(double own, double other)
{
    HypWindow window;
    hyp_window_start(&window);
    hyp_window_add(&window, own, 1, 0);
    hyp_window_add(&window, other, 1, 0);
    return window;
}

void hyp_stream_gemv(HypAccount *account, const HyperionGemmShape *shape, size_t repeats)
{
    const double times = (double)repeats;
    const double rows = (double)shape->m;
    const double depth = count_lines(account, (double)shape->k);
    const double columns = count_lines(account, (double)shape->n);
    const double a = times * rows * depth;
    const double b = times * (double)shape->n * depth;
    const double c = times * rows * columns;
    if (a <= 0 || c <= 0)
        return;
    touch_new(account, a + b + c);
    write_once(account, c, a + b);
    if (shape->b_transposed) { // A comes back for the next rows of B, which serve each row of A
        const double turns = ceil((double)shape->n / GEMV_DOTS);
        const HypWindow next_turn = window_of(rows * depth, GEMV_DOTS * depth);
        const HypWindow next_row = window_of(GEMV_DOTS * depth, depth);
        touch_again(account, (turns - 1) * a, &next_turn);
        touch_again(account, (rows - 1) * b, &next_row);
        return;
    }
    // C comes back for the next rows of B, and for the epilogue.
    const double run = fmin(columns, count_lines(account, GEMV_COLUMNS));
    const double turns = floor((double)shape->k / GEMV_STREAMS) + (double)(shape->k % GEMV_STREAMS);
    const HypWindow next_turn = window_of(rows * run, GEMV_STREAMS * run);
    write_again(account, turns * c, &next_turn);
    account->traffic.accesses += turns * c; // read and written
}

// By how much rows of `floats` that begin anywhere touch more lines than they fill.
static double count_cut_lines(const HypAccount *account, double lines, size_t floats)
{
    return lines * (account->caches[0].line_floats - 1) / (double)floats;
}

// What one band of a depthwise convolution touches. Lines.
typedef struct BandLines {
    double image, slots, sums, out;
} BandLines;

// The steps over the workspace of `bands` bands: slots filled, read by `taps`, sums written, read.
// All go from front to back: of what goes along, half has been touched when a line comes back.
static void touch_bands(HypAccount *account, const BandLines *band, double bands, double taps)
{
    const HypWindow refilled = window_of(band->slots, band->sums + band->image / 2 + band->out);
    const HypWindow filled = window_of(band->slots, (band->image + band->sums) / 2);
    const HypWindow next_tap = window_of(band->slots / fmax(1, taps), 1);
    const HypWindow summed = window_of(band->sums, band->slots + band->image + band->out / 2);
    const HypWindow stored = window_of(band->sums, (band->slots + band->out) / 2);
    touch_new(account, band->slots + band->sums);
    write_again(account, (bands - 1) * band->slots, &refilled);
    write_again(account, (bands - 1) * band->sums, &summed);
    touch_again(account, bands * band->slots, &filled);
    touch_again(account, bands * fmax(0, taps * band->sums - band->slots), &next_tap);
    touch_again(account, bands * band->sums, &stored);
}

void hyp_stream_depthwise(HypAccount *account, const HypConv2dArgs *args)
{
    const DepthwiseLayout layout = depthwise_layout(args);
    const double planes = (double)args->batch * (double)args->out_channels;
    const double bands = planes * (double)layout.bands;
    const double taps = (double)args->kernel_h * (double)args->kernel_w;
    const double image = count_lines(account, (double)args->batch * (double)args->channels *
                                                  (double)args->height * (double)args->width);
    const double out =
        count_lines(account, planes * (double)args->out_height * (double)args->out_width);
    if (image <= 0 || out <= 0)
        return;
    touch_new(account, image + out + count_lines(account, (double)args->out_channels * taps));
    write_once(account, out, image);
    const double slots = (double)(layout.rows.slots * layout.columns.slots);
    const double rows = (double)args->out_height / (double)layout.bands; // on average
    const BandLines band = {
        .image = image / bands,
        .slots =
            count_lines(account, slots * (rows + (double)layout.rows.reach) * (double)layout.pitch),
        .sums = count_lines(account, rows * (double)layout.pitch),
        .out = out / bands,
    };
    touch_bands(account, &band, bands, taps);
    // Every slot of a row takes its columns from all of the line; taps begin anywhere, 64 sums at
    // a time.
    account->traffic.accesses +=
        ((double)layout.columns.slots - 1) * image +
        (double)layout.columns.slots * count_cut_lines(account, image, args->width) +
        count_cut_lines(account, bands * band.slots, layout.pitch) +
        count_cut_lines(account, out + bands * band.sums, args->out_width) +
        count_cut_lines(account, bands * taps * band.sums, 64);
}

void hyp_stream_spread(HypAccount *account, size_t planes, size_t taps, size_t product, size_t out)
{
    const double out_lines = count_lines(account, (double)out);
    const double product_lines = count_lines(account, (double)product);
    const double all = (double)planes * out_lines;
    if (all <= 0)
        return;
    touch_new(account, all);
    write_once(account, all, (double)planes * (double)taps * product_lines);
    // since the product was written
    HypWindow made;
    hyp_window_start(&made);
    hyp_window_add(&made, (double)planes * (double)taps * product_lines, 1, 0);
    touch_again(account, (double)planes * (double)taps * product_lines, &made);
    HypWindow next_tap;
    hyp_window_start(&next_tap);
    hyp_window_add(&next_tap, out_lines, 1, 0);
    hyp_window_add(&next_tap, product_lines, 1, 0);
    write_again(account, (double)taps * all, &next_tap);
}
