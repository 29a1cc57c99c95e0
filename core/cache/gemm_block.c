// SPDX-License-Identifier: Apache-2.0
#include "cache/gemm_block.h"

#include "common/size_math.h"

#include <math.h>

// A last block shorter by more than one part in so many behaves unlike the others.
enum { SHORTER_PART = 4 };

static size_t divide_up(size_t value, size_t divisor)
{
    return value / divisor + (value % divisor != 0);
}

int hyp_loop_split(size_t extent, size_t size, HypLoopPart parts[HYP_LOOP_PARTS])
{
    const size_t count = divide_up(extent, size);
    const size_t last = extent - (count - 1) * size;
    const size_t typical = last < size - size / SHORTER_PART ? last : size;
    int used = 0;
    if (count == 1) {
        parts[used++] = (HypLoopPart){last, 1, 0, last, true};
        return used;
    }
    parts[used++] = (HypLoopPart){size, 1, 0, size, true};
    if (count > 2)
        parts[used++] = (HypLoopPart){size, count - 2, count / 2 * size, size, false};
    parts[used++] = (HypLoopPart){last, 1, (count - 1) * size, typical, false};
    // Those of one behaviour at one place: what holds for it is worked out once.
    for (int i = 0; i < used && count > 2; i++)
        if (parts[i].typical == size)
            parts[i].start = parts[1].start;
    return used;
}

// Windows that step over rows leave their lines out, but for those that the rows read begin or end
// in; columns that they step over lie in the lines of others.
static double count_image_lines(const HypImageSource *image, size_t line_floats)
{
    const double channels = (double)image->channels;
    if (image->stride_h <= image->kernel_h)
        return channels * (double)(image->height * image->width) / (double)line_floats;
    const size_t reached = (image->out_width - 1) * image->stride_w + image->kernel_w;
    const size_t width = reached < image->width ? reached : image->width;
    const double row =
        hyp_lines_of_row(width, image->stride_h * image->width, image->width, line_floats);
    return channels * (double)(image->out_height * image->kernel_h) * row;
}

// Whether the window is one pixel that moves over all: then channels are the rows of a matrix.
static bool is_matrix(const HypImageSource *image)
{
    return image->kernel_h * image->kernel_w == 1 && image->stride_h == 1 && image->stride_w == 1 &&
           image->out_height == image->height && image->out_width == image->width &&
           image->pad_top == 0 && image->pad_left == 0;
}

static size_t take_place(size_t *end, size_t floats)
{
    enum { PAGE_FLOATS = 4096 / sizeof(float) };
    const size_t start = divide_up(*end, PAGE_FLOATS) * PAGE_FLOATS;
    *end = start + floats;
    return start;
}

// Floats of A and of B where they lie: packed, they are filled up to whole panels.
static size_t count_a(const HypGemmNest *nest)
{
    const size_t m = nest->shape.m;
    return nest->shape.k * (nest->packed_a ? divide_up(m, nest->mr) * nest->mr : m);
}

static size_t count_b(const HypGemmNest *nest)
{
    const HypImageSource *image = nest->image;
    const size_t n = nest->shape.n;
    if (image)
        return image->channels * image->height * image->width;
    return nest->shape.k * (nest->packed_b ? divide_up(n, nest->nr) * nest->nr : n);
}

static HypGemmPlaces find_places(const HypGemmNest *nest, const HypGemmOperands *operands)
{
    HypGemmPlaces places;
    size_t workspace;
    if (operands) {
        places = (HypGemmPlaces){.a = operands->a / sizeof(float),
                                 .b = operands->b / sizeof(float),
                                 .c = operands->c / sizeof(float)};
        workspace = operands->workspace / sizeof(float);
    } else {
        size_t end = 0;
        places.a = take_place(&end, count_a(nest));
        places.b = take_place(&end, count_b(nest));
        places.c = take_place(&end, nest->shape.m * nest->shape.n);
        workspace = take_place(&end, 0);
    }
    places.packed_a = nest->packed_a ? places.a : workspace;
    places.packed_b = nest->packed_b ? places.b : workspace + nest->blocks.packed_b / sizeof(float);
    return places;
}

HypGemmNest hyp_gemm_nest(const HypGemmProducts *products, size_t line_bytes)
{
    static const float packed; // that there is some
    const HyperionGemmShape *shape = products->shape;
    const bool as_matrix = products->image && is_matrix(products->image);
    const HypImageSource *image = as_matrix ? NULL : products->image;
    const HyperionGemmBlocking *blocking = products->blocking;
    const HypGemmArgs args = {.m = shape->m,
                              .n = shape->n,
                              .k = shape->k,
                              .packed_a = products->packed_a ? &packed : NULL,
                              .packed_b = products->packed_b ? &packed : NULL,
                              .blocking = *blocking};
    const size_t line_floats = line_bytes / sizeof(float);
    HypGemmNest nest = {.shape = *shape,
                        .image = image,
                        .packed_a = products->packed_a,
                        .packed_b = products->packed_b,
                        .mr = blocking->mr,
                        .nr = blocking->nr,
                        .blocks = gemm_blocks(&args),
                        .lanes = products->lanes,
                        .line_floats = line_floats,
                        .prefetch_lines = blocking->prefetch_lines,
                        .image_lines = image ? count_image_lines(image, line_floats) : 0};
    nest.places = find_places(&nest, products->operands);
    return nest;
}

double hyp_lines_of_run(size_t width, size_t step, size_t line_floats)
{
    if (width == 0)
        return 0;
    const size_t grain = hyp_size_divisor(step, line_floats);
    const size_t reach = divide_up(width, grain) * grain + line_floats - grain;
    return (double)reach / (double)line_floats;
}

double hyp_lines_of_row(size_t width, size_t stride, size_t step, size_t line_floats)
{
    const size_t grain = hyp_size_divisor(step, line_floats);
    const size_t gap = stride - width + grain;
    const size_t untouched = gap > line_floats ? gap - line_floats : 0;
    return (double)(stride - untouched) / (double)line_floats;
}

double hyp_lines_of_pieces(size_t width, size_t piece, size_t step, size_t line_floats)
{
    const size_t grain = hyp_size_divisor(step, piece);
    const size_t whole = width / piece;
    return (double)whole * hyp_lines_of_run(piece, grain, line_floats) +
           hyp_lines_of_run(width - whole * piece, grain, line_floats);
}

double hyp_lines_of_registers(const HypGemmNest *nest, size_t width, size_t step)
{
    return hyp_lines_of_pieces(width, nest->lanes, step, nest->line_floats);
}

double hyp_lines_of_transposed(const HypGemmNest *nest, size_t width, size_t depth)
{
    const size_t lanes = nest->lanes;
    const size_t line = nest->line_floats;
    if (lanes == 1)
        return (double)(width * depth);
    if (width > lanes)
        return (double)(depth * divide_up(width, lanes)) * fmin(1, (double)width / (double)line);
    const size_t groups = depth / lanes;
    const size_t rest = depth - groups * lanes;
    const size_t group = (lanes - 1) * width + lanes; // the last row spills
    return (double)groups * hyp_lines_of_run(group, hyp_size_divisor(width * lanes, line), line) +
           hyp_lines_of_run(rest * width, line, line);
}

double hyp_lines_of_runs(size_t count, size_t width, size_t line_floats)
{
    if (count == 0)
        return 0;
    const size_t last = count * width - 1;
    const size_t both = width / hyp_size_divisor(width, line_floats) * line_floats;
    const size_t lines = count + last / line_floats - last / both;
    return (double)lines;
}

// Of an image: the channels of kc taps, the rows of nc pixels; taken as one run.
static void measure_image(const HypGemmNest *nest, HypGemmBlock *block)
{
    const HyperionGemmShape *shape = &nest->shape;
    const double lines = nest->image_lines;
    const double depth = (double)block->kc / (double)shape->k;
    const double columns = (double)block->nc / (double)shape->n;
    block->b_rows = 1;
    block->b_column_rows = 1;
    block->b_source = lines * depth * columns;
    block->b_source_sliver = block->b_source / block->slivers;
    block->b_column = lines * columns;
}

static void measure_b_source(const HypGemmNest *nest, HypGemmBlock *block)
{
    const HyperionGemmShape *shape = &nest->shape;
    if (nest->image) {
        measure_image(nest, block);
        return;
    }
    if (shape->b_transposed) {
        block->b_rows = block->nc;
        block->b_column_rows = 1; // whole rows
        block->b_column = (double)shape->k * (double)block->nc / (double)nest->line_floats;
        block->ldb = shape->k;
        block->b_source = (double)block->nc * block->a_row;
        block->b_source_sliver = (double)nest->nr * block->a_row;
    } else {
        block->b_rows = block->kc;
        block->b_column_rows = shape->k;
        block->b_column = (double)shape->k * block->c_row;
        block->ldb = shape->n;
        block->b_source = (double)block->kc * block->c_row;
        block->b_source_sliver = (double)block->kc * block->tile_row;
    }
}

HypGemmBlock hyp_gemm_block(const HypGemmNest *nest, size_t mc, size_t kc, size_t nc)
{
    const size_t line = nest->line_floats;
    const HyperionGemmShape *shape = &nest->shape;
    HypGemmBlock block = {.mc = mc,
                          .kc = kc,
                          .nc = nc,
                          .panels = (double)divide_up(mc, nest->mr),
                          .slivers = (double)divide_up(nc, nest->nr),
                          .panel = (double)(kc * nest->mr) / (double)line,
                          .sliver = (double)(kc * nest->nr) / (double)line};
    block.packed_a = ceil(block.panels * block.panel);
    block.packed_b = ceil(block.slivers * block.sliver);
    block.tile_row =
        hyp_lines_of_run(nest->nr < nc ? nest->nr : nc, hyp_size_divisor(shape->n, nest->nr), line);
    block.c_row = hyp_lines_of_run(nc, hyp_size_divisor(shape->n, nest->blocks.nc), line);
    block.a_row = hyp_lines_of_run(kc, hyp_size_divisor(shape->k, nest->blocks.kc), line);
    measure_b_source(nest, &block);
    return block;
}
