// SPDX-License-Identifier: Apache-2.0
// test_gemm_walk.c - parts of a block walked as runs of lines miss what they do step by step.
#include "cache/gemm_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_FLOATS = 16, MOST_LINES = 2048 };

// Line by line: of a set after the other its ways, the most recent first; 0: none, else a line + 1.
typedef struct Cache {
    size_t sets, ways, lines[MOST_LINES];
} Cache;

// How many of the lines of a run are missed.
static size_t touch(Cache *cache, size_t start, size_t floats)
{
    size_t missed = 0;
    for (size_t line = start / LINE_FLOATS; line <= (start + floats - 1) / LINE_FLOATS; line++) {
        size_t *set = &cache->lines[line % cache->sets * cache->ways];
        size_t way = 0;
        while (way + 1 < cache->ways && set[way] != line + 1)
            way++;
        missed += set[way] != line + 1;
        memmove(set + 1, set, way * sizeof *set);
        set[0] = line + 1;
    }
    return missed;
}

static HypCacheShape shape_of(const Cache *cache)
{
    return (HypCacheShape){(double)cache->sets, (double)cache->ways, LINE_FLOATS};
}

// A product of one block, and of its extents the tile.
typedef struct Product {
    HyperionGemmShape shape;
    HyperionGemmBlocking blocking;
    HypGemmNest nest;
    HypIterations at;
} Product;

static void describe(Product *product, const HypImageSource *image)
{
    HyperionGemmBlocking *blocking = &product->blocking;
    const HyperionGemmShape *shape = &product->shape;
    blocking->mc = (shape->m + blocking->mr - 1) / blocking->mr * blocking->mr;
    blocking->nc = (shape->n + blocking->nr - 1) / blocking->nr * blocking->nr;
    blocking->kc = shape->k;
    const HypGemmProducts products = {.shape = shape,
                                      .image = image,
                                      .blocking = blocking,
                                      .different_a = 1,
                                      .of_one_a = 1,
                                      .lanes = 8};
    product->nest = hyp_gemm_nest(&products, LINE_FLOATS * sizeof(float));
    product->at =
        (HypIterations){.typical = hyp_gemm_block(&product->nest, shape->m, shape->k, shape->n)};
}

static void assert_near(double walked, double counted, double tolerance)
{
    if (walked < counted - tolerance || walked > counted + tolerance)
        fail_msg("walked %.4f, counted %.4f", walked, counted);
}

static Product product_of(size_t m, size_t n, size_t k)
{
    Product product = {.shape = {.m = m, .n = n, .k = k}, .blocking = {.mr = 6, .nr = 16}};
    describe(&product, NULL);
    return product;
}

static const HypGemmWalked unknown = {-1, -1, -1, -1, -1};

static HypGemmWalked walk(const Product *product, const HypCacheShape *cache)
{
    HypGemmWalked walked = unknown;
    assert_true(hyp_gemm_walk_tiles(&product->nest, &product->at, cache, &walked));
    return walked;
}

static void what_fits_comes_back(void **state)
{
    (void)state;
    const HypCacheShape cache = {64, 12, LINE_FLOATS};
    const Product product = product_of(24, 40, 32); // 40 columns: slivers share lines
    HypGemmWalked walked = walk(&product, &cache);
    assert_true(walked.a == 0 && walked.b == 0 && walked.row_of_c == 0);
    assert_true(walked.prefetched_c < 0 && walked.row_of_b < 0);
    assert_true(hyp_gemm_walk_packing(&product.nest, &product.at, &cache, &walked));
    assert_true(walked.row_of_b == 0);
}

static void what_is_too_long_does_not(void **state)
{
    (void)state;
    const HypCacheShape cache = {64, 8, LINE_FLOATS};
    const Product product = product_of(12, 64, 2000); // a sliver of four times the cache
    HypGemmWalked walked = walk(&product, &cache);
    assert_true(walked.b == 1);
    assert_true(walked.a < 0); // passes: nothing to count
    const Product shared = product_of(12, 40, 2000);
    assert_true(hyp_gemm_walk_packing(&shared.nest, &shared.at, &cache, &walked));
    assert_true(walked.row_of_b == 1);
}

static void too_much_is_left_to_windows(void **state)
{
    (void)state;
    const HypCacheShape cache = {1 << 16, 16, LINE_FLOATS};
    const Product product = product_of(1 << 17, 1 << 10, 2);
    const HypGemmWalked walked = walk(&product, &cache);
    assert_memory_equal(&walked, &unknown, sizeof walked);
}

// The shares of A and of B that a block misses, step by step of k.
typedef struct Shares {
    double a, b;
} Shares;

static Shares multiply(const Product *product, Cache *cache)
{
    const HypGemmNest *nest = &product->nest;
    const HyperionGemmShape *shape = &product->shape;
    const size_t mr = nest->mr;
    const size_t nr = nest->nr;
    Shares missed = {0, 0};
    for (size_t jr = 0; jr < shape->n; jr += nr) {
        for (size_t ir = 0; ir < shape->m; ir += mr) {
            for (size_t k = 0; k < shape->k; k++) {
                const size_t a = nest->places.packed_a + ir * shape->k + k * mr;
                const size_t b = nest->places.packed_b + jr * shape->k + k * nr;
                const size_t of_a = touch(cache, a, mr);
                const size_t of_b = touch(cache, b, nr);
                missed.a += jr > 0 ? (double)of_a : 0;
                missed.b += jr > 0 && ir > 0 ? (double)of_b : 0;
            }
            for (size_t row = ir; row < ir + mr && row < shape->m; row++)
                (void)touch(cache, nest->places.c + row * shape->n + jr, nr);
        }
    }
    const size_t panels = (shape->m + mr - 1) / mr;
    const size_t slivers = shape->n / nr - 1; // counted
    const double depth = (double)shape->k / LINE_FLOATS;
    missed.a /= (double)(slivers * panels * mr) * depth;
    missed.b /= (double)(slivers * (panels - 1) * nr) * depth;
    return missed;
}

static void tiles_are_walked_as_they_are_multiplied(void **state)
{
    (void)state;
    static const size_t extents[][3] = {{96, 48, 96}, {60, 48, 200}, {90, 48, 77}, {128, 48, 64}};
    static const size_t ways[] = {4, 8, 12};
    for (size_t i = 0; i < sizeof extents / sizeof extents[0]; i++) {
        for (size_t j = 0; j < sizeof ways / sizeof ways[0]; j++) {
            Cache cache = {.sets = 64, .ways = ways[j]};
            const HypCacheShape shape = shape_of(&cache);
            const Product product = product_of(extents[i][0], extents[i][1], extents[i][2]);
            const HypGemmWalked walked = walk(&product, &shape);
            const Shares missed = multiply(&product, &cache);
            if (walked.a >= 0)
                assert_near(walked.a, missed.a, 0.02);
            assert_near(walked.b, missed.b, 0.02);
        }
    }
}

// Lines of an image that are missed when it is packed, tap by tap.
static double pack(const Product *product, const HypImageSource *image, Cache *cache)
{
    const HypGemmNest *nest = &product->nest;
    const size_t k = product->shape.k;
    double missed = 0;
    for (size_t jr = 0; jr < product->shape.n; jr += nest->nr) {
        for (size_t tap = 0; tap < k; tap++) {
            const size_t in_window = tap % (image->kernel_h * image->kernel_w);
            const size_t channel = tap / (image->kernel_h * image->kernel_w);
            for (size_t i = jr; i < jr + nest->nr && i < product->shape.n; i++) {
                const size_t y =
                    i / image->out_width * image->stride_h + in_window / image->kernel_w;
                const size_t x =
                    i % image->out_width * image->stride_w + in_window % image->kernel_w;
                const size_t row = channel * image->height + y - image->pad_top;
                const size_t column = x - image->pad_left;
                if (y >= image->pad_top && y - image->pad_top < image->height &&
                    x >= image->pad_left && column < image->width)
                    missed += (double)touch(cache, nest->places.b + row * image->width + column, 1);
            }
            (void)touch(cache, nest->places.packed_b + jr * k + tap * nest->nr, nest->nr);
        }
    }
    return missed;
}

typedef struct ImageCase {
    size_t channels, edge, kernel, pad, stride;
} ImageCase;

static HypImageSource square_image(const ImageCase *at)
{
    const size_t out_edge = (at->edge + 2 * at->pad - at->kernel) / at->stride + 1;
    return (HypImageSource){.channels = at->channels,
                            .height = at->edge,
                            .width = at->edge,
                            .out_height = out_edge,
                            .out_width = out_edge,
                            .kernel_h = at->kernel,
                            .kernel_w = at->kernel,
                            .stride_h = at->stride,
                            .stride_w = at->stride,
                            .dilation_h = 1,
                            .dilation_w = 1,
                            .pad_top = at->pad,
                            .pad_left = at->pad};
}

static Product image_product(const HypImageSource *image)
{
    return (Product){.shape = {.m = 12,
                               .n = image->out_height * image->out_width,
                               .k = image->channels * image->kernel_h * image->kernel_w},
                     .blocking = {.mr = 6, .nr = 16}};
}

static void images_are_walked_as_they_are_packed(void **state)
{
    (void)state;
    static const ImageCase cases[] = {{8, 12, 3, 1, 1},  {20, 9, 3, 0, 1},  {5, 14, 5, 2, 1},
                                      {48, 8, 1, 1, 1},  {90, 12, 3, 1, 1}, {30, 17, 3, 1, 2},
                                      {60, 15, 1, 0, 2}, {12, 40, 3, 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const HypImageSource image = square_image(&cases[i]);
        Product product = image_product(&image);
        describe(&product, &image);
        Cache cache = {.sets = 64, .ways = 8};
        const HypCacheShape shape = shape_of(&cache);
        const double missed = pack(&product, &image, &cache);
        double walked = -1;
        assert_true(hyp_gemm_walk_image(&product.nest, &product.at, &shape, &walked));
        assert_near(walked / missed, 1, 0.05);
    }
}

static void windows_of_one_pixel_make_a_matrix(void **state)
{
    (void)state;
    static const ImageCase matrix = {48, 8, 1, 0, 1};
    static const ImageCase others[] = {{48, 8, 1, 1, 1}, {48, 8, 1, 0, 2}, {48, 8, 2, 0, 1}};
    const HypImageSource image = square_image(&matrix);
    Product product = image_product(&image);
    describe(&product, &image);
    assert_null(product.nest.image);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const HypImageSource other = square_image(&others[i]);
        product = image_product(&other);
        describe(&product, &other);
        assert_non_null(product.nest.image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_comes_back),
        cmocka_unit_test(what_is_too_long_does_not),
        cmocka_unit_test(too_much_is_left_to_windows),
        cmocka_unit_test(tiles_are_walked_as_they_are_multiplied),
        cmocka_unit_test(images_are_walked_as_they_are_packed),
        cmocka_unit_test(windows_of_one_pixel_make_a_matrix),
    };
    return cmocka_run_group_tests_name("gemm_walk", tests, NULL, NULL);
}
