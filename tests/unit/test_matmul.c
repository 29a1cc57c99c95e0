// SPDX-License-Identifier: Apache-2.0
// test_matmul.c - products of stacks of matrices are what numpy's matmul says.
#include "layer_support.h"

enum { CASES = 400 };

// Dimension `axis` of a stack of `rank` axes; 1 for those that the operand lacks.
static int64_t stack_extent(const LayerShape *shape, int rank, int axis)
{
    const int own = shape->rank > 2 ? shape->rank - 2 : 0;
    return axis < rank - own ? 1 : shape->dims[axis - (rank - own)];
}

// Which matrix of the operand takes part in product `index` of the result's stack.
static size_t find_matrix(const LayerShape *shape, const LayerShape *stack, size_t index)
{
    size_t matrix = 0;
    size_t step = 1;
    for (int axis = stack->rank - 1; axis >= 0; axis--) {
        const size_t at = index % (size_t)stack->dims[axis];
        const size_t extent = (size_t)stack_extent(shape, stack->rank, axis);
        index /= (size_t)stack->dims[axis];
        matrix += (extent == 1 ? 0 : at) * step;
        step *= extent;
    }
    return matrix;
}

static void compare(const LayerTrial *trial, const LayerShape *stack, size_t m, size_t n, size_t k,
                    bool transposed)
{
    assert_int_equal(trial->value_count, count_elements(stack) * m * n);
    for (size_t i = 0; i < trial->value_count; i++) {
        const size_t column = i % n;
        const size_t row = i / n % m;
        const float *a =
            trial->inputs[0] + find_matrix(&trial->shapes[0], stack, i / n / m) * m * k;
        const float *b =
            trial->inputs[1] + find_matrix(&trial->shapes[1], stack, i / n / m) * k * n;
        double sum = 0;
        for (size_t j = 0; j < k; j++)
            sum += (double)a[row * k + j] * (double)b[transposed ? column * k + j : j * n + column];
        const double got = (double)((float *)trial->values)[i];
        if (!(fabs(got - sum) <= 1e-4))
            fail_msg("element %zu is %g, expected %g", i, got, sum);
    }
}

static void stacks_broadcast(void **state)
{
    uint32_t seed = 1;
    (void)state;
    for (int repeat = 0; repeat < CASES; repeat++) {
        const int64_t m = 1 + draw(&seed, 5);
        const int64_t n = 1 + draw(&seed, 40);
        const int64_t k = 1 + draw(&seed, 20);
        LayerShape stack = {.rank = (int)draw(&seed, 4)};
        LayerTrial trial = {.shapes = {{.rank = 0}, {.rank = 0}}};
        const int ranks[2] = {(int)draw(&seed, stack.rank + 1), (int)draw(&seed, stack.rank + 1)};
        stack.rank = ranks[0] > ranks[1] ? ranks[0] : ranks[1];
        for (int axis = 0; axis < stack.rank; axis++) {
            const int64_t extent = 1 + draw(&seed, 4);
            stack.dims[axis] = 1;
            for (int operand = 0; operand < 2; operand++) {
                LayerShape *shape = &trial.shapes[operand];
                if (axis < stack.rank - ranks[operand])
                    continue;
                shape->dims[shape->rank] = draw(&seed, 3) ? extent : 1;
                if (shape->dims[shape->rank] > stack.dims[axis])
                    stack.dims[axis] = shape->dims[shape->rank];
                shape->rank++;
            }
        }
        const HyperionLayerAttributes attributes = {.transpose_b = draw(&seed, 2) > 0};
        const int64_t a_matrix[] = {m, k};
        const int64_t b_matrix[] = {attributes.transpose_b ? n : k, attributes.transpose_b ? k : n};
        memcpy(trial.shapes[0].dims + trial.shapes[0].rank, a_matrix, sizeof a_matrix);
        memcpy(trial.shapes[1].dims + trial.shapes[1].rank, b_matrix, sizeof b_matrix);
        trial.shapes[0].rank += 2;
        trial.shapes[1].rank += 2;
        assert_true(try_layer(&trial, HYPERION_LAYER_MATMUL, &attributes, 2, &seed));
        compare(&trial, &stack, (size_t)m, (size_t)n, (size_t)k, attributes.transpose_b);
        free_trial(&trial);
    }
}

static void vectors_are_rows_and_columns(void **state)
{
    uint32_t seed = 2;
    (void)state;
    const LayerShape none = {.rank = 0};
    LayerTrial trial = {.shapes = {{1, {5}}, {2, {5, 3}}}};
    assert_true(try_layer(&trial, HYPERION_LAYER_MATMUL, NULL, 2, &seed));
    assert_int_equal(trial.result.rank, 1);
    compare(&trial, &none, 1, 3, 5, false);
    free_trial(&trial);
    trial = (LayerTrial){.shapes = {{3, {2, 4, 5}}, {1, {5}}}};
    assert_true(try_layer(&trial, HYPERION_LAYER_MATMUL, NULL, 2, &seed));
    assert_int_equal(trial.result.rank, 2);
    compare(&trial, &none, 8, 1, 5, false);
    free_trial(&trial);
    trial = (LayerTrial){.shapes = {{1, {5}}, {1, {5}}}};
    assert_true(try_layer(&trial, HYPERION_LAYER_MATMUL, NULL, 2, &seed));
    assert_int_equal(trial.result.rank, 0);
    compare(&trial, &none, 1, 1, 5, false);
    free_trial(&trial);
}

static void unsuitable_operands_are_refused(void **state)
{
    static const struct {
        LayerShape a, b;
        const char *reason;
    } cases[] = {
        {{2, {2, 3}}, {2, {4, 5}}, "depths differ"},
        {{0, {0}}, {2, {4, 5}}, "depths differ"},
        {{3, {2, 3, 4}}, {3, {3, 4, 5}}, "do not broadcast"},
    };
    uint32_t seed = 3;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        LayerTrial trial = {.shapes = {cases[i].a, cases[i].b}};
        assert_false(try_layer(&trial, HYPERION_LAYER_MATMUL, NULL, 2, &seed));
        if (!strstr(hyperionGetLastError(), cases[i].reason))
            fail_msg("\"%s\" does not say \"%s\"", hyperionGetLastError(), cases[i].reason);
        free_trial(&trial);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_broadcast),
        cmocka_unit_test(vectors_are_rows_and_columns),
        cmocka_unit_test(unsuitable_operands_are_refused),
    };
    return cmocka_run_group_tests_name("matmul", tests, NULL, NULL);
}
