// SPDX-License-Identifier: Apache-2.0
// test_stream_products.c - products of few rows and depthwise convolutions in closed form against
// their passes through the simulator.
#include "stream_trace.h"

#include "conv/depthwise2d_layout.h"
#include "gemm/gemv_blocks.h"

enum { LINE = 16, BLOCK = 64 };

static void trace_straight(Trace *trace, const HyperionGemmShape *shape, const uint64_t *at)
{
    for (size_t first = 0; first < shape->n; first += GEMV_COLUMNS) {
        const size_t end = first + GEMV_COLUMNS < shape->n ? first + GEMV_COLUMNS : shape->n;
        for (size_t k = 0; k < shape->k; k += GEMV_STREAMS)
            for (size_t j = first; j < end; j += LINE) {
                for (size_t s = 0; s < GEMV_STREAMS; s++)
                    touch(trace, at[1], (k + s) * shape->n + j, LINE, false);
                for (size_t row = 0; row < shape->m; row++) {
                    if (j == first && k % LINE == 0)
                        touch(trace, at[0], row * shape->k + k, LINE, false);
                    if (k > 0)
                        touch(trace, at[2], row * shape->n + j, LINE, false);
                    touch(trace, at[2], row * shape->n + j, LINE, true);
                }
            }
        for (size_t row = 0; row < shape->m; row++)
            for (size_t j = first; j < end; j += LINE) {
                touch(trace, at[2], row * shape->n + j, LINE, false);
                touch(trace, at[2], row * shape->n + j, LINE, true);
            }
    }
}

static void trace_transposed(Trace *trace, const HyperionGemmShape *shape, const uint64_t *at)
{
    for (size_t j = 0; j < shape->n; j += GEMV_DOTS)
        for (size_t row = 0; row < shape->m; row++) {
            for (size_t k = 0; k < shape->k; k += LINE) {
                touch(trace, at[0], row * shape->k + k, LINE, false);
                for (size_t dot = 0; dot < GEMV_DOTS; dot++)
                    touch(trace, at[1], (j + dot) * shape->k + k, LINE, false);
            }
            touch(trace, at[2], row * shape->n + j, GEMV_DOTS, true);
        }
}

static void few_rows_agree_with_their_trace(void **state)
{
    static const HyperionGemmShape cases[] = {
        {1, 256, 256, false}, {1, 1024, 512, false}, {2, 4096, 256, false}, {1, 16384, 64, false},
        {1, 256, 256, true},  {1, 1024, 4096, true}, {3, 512, 1024, true},  {1, 64, 16384, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const HyperionGemmShape *shape = &cases[i];
        Formula formula;
        hyp_stream_gemv(start_formula(&formula), shape, 1);
        Trace trace = start_trace();
        uint64_t at[3];
        at[0] = place(&trace, shape->m * shape->k);
        at[1] = place(&trace, shape->k * shape->n);
        at[2] = place(&trace, shape->m * shape->n);
        (shape->b_transposed ? trace_transposed : trace_straight)(&trace, shape, at);
        print_message("case %zu\n", i);
        assert_close(&formula, &trace, 2, 2);
    }
}

// Of one plane and its band: what the kernel's three steps touch.
static void trace_band(const Trace *trace, const HypConv2dArgs *args, const DepthwiseLayout *layout,
                       size_t plane, size_t first, const uint64_t *at)
{
    const size_t rows =
        args->out_height - first < layout->band ? args->out_height - first : layout->band;
    const size_t slots = layout->rows.slots * layout->columns.slots;
    for (size_t slot = 0; slot < slots; slot++)
        for (size_t q = 0; q < rows + layout->rows.reach; q++) {
            const size_t y = (first + q) * args->stride_h +
                             slot / layout->columns.slots * layout->rows.slot_step - args->pad_top;
            if (y < args->height)
                touch(trace, at[0], (plane * args->height + y) * args->width, args->width, false);
            touch(trace, at[1], slot * layout->slot_floats + q * layout->pitch, layout->pitch,
                  true);
        }
    for (size_t i = 0; i < (rows - 1) * layout->pitch + args->out_width; i += BLOCK) {
        for (size_t tap = 0; tap < args->kernel_h * args->kernel_w; tap++) {
            size_t down;
            size_t right;
            const size_t row =
                depthwise_slot(&layout->rows, tap / args->kernel_w, args->dilation_h, &down);
            const size_t column =
                depthwise_slot(&layout->columns, tap % args->kernel_w, args->dilation_w, &right);
            touch(trace, at[1],
                  (row * layout->columns.slots + column) * layout->slot_floats +
                      down * layout->pitch + right + i,
                  BLOCK, false);
        }
        touch(trace, at[2], i, BLOCK, true);
    }
    for (size_t y = 0; y < rows; y++) {
        touch(trace, at[2], y * layout->pitch, args->out_width, false);
        touch(trace, at[3], (plane * args->out_height + first + y) * args->out_width,
              args->out_width, true);
    }
}

static void depthwise_convolutions_agree_with_their_trace(void **state)
{
    static const struct {
        size_t channels, size, kernel, stride;
    } cases[] = {{16, 112, 3, 1}, {16, 112, 3, 2}, {64, 56, 3, 1}, {256, 14, 5, 1}, {512, 7, 3, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t size = cases[i].size;
        const size_t out = (size - 1) / cases[i].stride + 1;
        const HypConv2dArgs args = {.batch = 1,
                                    .channels = cases[i].channels,
                                    .height = size,
                                    .width = size,
                                    .out_channels = cases[i].channels,
                                    .out_height = out,
                                    .out_width = out,
                                    .kernel_h = cases[i].kernel,
                                    .kernel_w = cases[i].kernel,
                                    .stride_h = cases[i].stride,
                                    .stride_w = cases[i].stride,
                                    .dilation_h = 1,
                                    .dilation_w = 1,
                                    .pad_top = cases[i].kernel / 2,
                                    .pad_left = cases[i].kernel / 2};
        const DepthwiseLayout layout = depthwise_layout(&args);
        Formula formula;
        hyp_stream_depthwise(start_formula(&formula), &args);
        Trace trace = start_trace();
        uint64_t at[4];
        at[0] = place(&trace, args.channels * size * size);
        at[1] = place(&trace, layout.thread_floats);
        at[2] = place(&trace, layout.sums_floats);
        at[3] = place(&trace, args.channels * out * out);
        for (size_t plane = 0; plane < args.channels; plane++)
            for (size_t band = 0; band < layout.bands; band++)
                trace_band(&trace, &args, &layout, plane, band * layout.band, at);
        print_message("case %zu\n", i);
        assert_close(&formula, &trace, 5, 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_rows_agree_with_their_trace),
        cmocka_unit_test(depthwise_convolutions_agree_with_their_trace),
    };
    return cmocka_run_group_tests_name("stream_products", tests, NULL, NULL);
}
