// SPDX-License-Identifier: Apache-2.0
// test_rope.c - rotary position embedding against its definition.
#include "movement_support.h"

#include <math.h>

enum { BATCH = 2, SEQ = 37, HEADS = 3, DIM = 10, WIDTH = HEADS * DIM, COUNT = BATCH * SEQ * WIDTH };

static float in[COUNT];
static float out[COUNT];

static void check_rope(bool interleaved, int64_t first_position, float base, int threads)
{
    HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(BATCH, SEQ, WIDTH));
    const HyperionLayerAttributes attributes = {.heads = HEADS,
                                                .rotary_interleaved = interleaved,
                                                .first_position = first_position,
                                                .rotary_base = base};
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_ROPE, &attributes, (int[]){0}, 1);
    for (int i = 0; i < COUNT; i++)
        in[i] = (float)(i % 23) - 11.0F;
    assert_true(hyperionSetThreadCount(model, threads));
    assert_true(run_once(model, y, in, NULL, out));
    for (int i = 0; i < COUNT / 2; i++) {
        const int pair = i % (DIM / 2);
        const int head = i / (DIM / 2);
        const int a = head * DIM + (interleaved ? 2 * pair : pair);
        const int b = interleaved ? a + 1 : a + DIM / 2;
        const double position = (double)first_position + head / HEADS % SEQ;
        const double angle = position * pow(base > 0 ? (double)base : 10000.0, -2.0 * pair / DIM);
        assert_float_equal(out[a], (float)(in[a] * cos(angle) - in[b] * sin(angle)), 1e-5);
        assert_float_equal(out[b], (float)(in[b] * cos(angle) + in[a] * sin(angle)), 1e-5);
    }
}

static void pairs_half_a_head_apart_turn_with_position(void **state)
{
    (void)state;
    check_rope(false, 0, 0, 1);
    check_rope(false, 1000, 500000.0F, 3);
}

static void neighbours_turn_where_interleaved(void **state)
{
    (void)state;
    check_rope(true, 0, 0, 2);
    check_rope(true, 7, 100.0F, 1);
}

static void heads_of_odd_length_are_refused(void **state)
{
    (void)state;
    HyperionModel *model = start_model(HYPERION_TYPE_F32, SHAPE(4, 6));
    const HyperionLayerAttributes odd = {.heads = 2};
    const HyperionLayerAttributes none = {.heads = -1};
    const HyperionLayerAttributes base = {.rotary_base = -1.0F};
    const int vector = hyperionAddInput(model, "vector", HYPERION_TYPE_F32, SHAPE(6));
    assert_refused(model, HYPERION_LAYER_ROPE, &odd, (int[]){0}, 1,
                   "'x' is 4x6 f32, expected 2 heads of an even length");
    assert_refused(model, HYPERION_LAYER_ROPE, &none, (int[]){0}, 1, "expected -1 heads");
    assert_refused(model, HYPERION_LAYER_ROPE, &base, (int[]){0}, 1, "base -1");
    assert_refused(model, HYPERION_LAYER_ROPE, NULL, &vector, 1, "'vector' is 6 f32");
    hyperionFreeModel(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_half_a_head_apart_turn_with_position),
        cmocka_unit_test(neighbours_turn_where_interleaved),
        cmocka_unit_test(heads_of_odd_length_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
