// SPDX-License-Identifier: Apache-2.0
// test_elementwise_layers.c - layers that work value by value, with broadcasting and in every type,
// checked by hand-written loops.
#include "layer_bench.h"

#include <math.h>

// Value of an operand at element `index` of a result that it broadcasts to.
static double broadcast(const Operand *operand, const Operand *out, size_t index)
{
    size_t offset = 0;
    size_t step = 1;
    for (int axis = out->rank; axis-- > 0;) {
        const size_t place = index % (size_t)out->dims[axis];
        const int own = axis - (out->rank - operand->rank);
        index /= (size_t)out->dims[axis];
        if (own < 0)
            continue;
        offset += operand->dims[own] == 1 ? 0 : place * step;
        step *= (size_t)operand->dims[own];
    }
    return operand->values[offset];
}

static double compute(HyperionBinary function, double a, double b)
{
    switch (function) {
    case HYPERION_BINARY_ADD: return a + b;
    case HYPERION_BINARY_SUB: return a - b;
    case HYPERION_BINARY_MUL: return a * b;
    case HYPERION_BINARY_DIV: return a / b;
    case HYPERION_BINARY_MAX: return a > b ? a : b;
    case HYPERION_BINARY_MIN: return a < b ? a : b;
    case HYPERION_BINARY_POW: return pow(a, b);
    case HYPERION_BINARY_PRELU: return a < 0 ? a * b : a;
    case HYPERION_BINARY_EQUAL: return a == b;
    case HYPERION_BINARY_LESS: return a < b;
    case HYPERION_BINARY_LESS_EQUAL: return a <= b;
    case HYPERION_BINARY_GREATER: return a > b;
    case HYPERION_BINARY_GREATER_EQUAL: return a >= b;
    case HYPERION_BINARY_AND: return a != 0 && b != 0;
    case HYPERION_BINARY_OR: return a != 0 || b != 0;
    case HYPERION_BINARY_XOR: return (a != 0) != (b != 0);
    case HYPERION_BINARY_COUNT: break;
    }
    return NAN;
}

static bool is_logic(HyperionBinary function)
{
    return function >= HYPERION_BINARY_AND;
}

static const Operand shape_pairs[][2] = {
    {{.rank = 3, .dims = {2, 3, 4}}, {.rank = 3, .dims = {2, 3, 4}}},
    {{.rank = 3, .dims = {2, 3, 20}}, {.rank = 1, .dims = {20}}},
    {{.rank = 0}, {.rank = 2, .dims = {3, 19}}},
    {{.rank = 4, .dims = {2, 3, 5, 7}}, {.rank = 3, .dims = {3, 1, 1}}},
    {{.rank = 3, .dims = {3, 1, 1}}, {.rank = 4, .dims = {2, 3, 5, 7}}},
    {{.rank = 2, .dims = {5, 1}}, {.rank = 2, .dims = {1, 33}}},
    {{.rank = 4, .dims = {2, 1, 4, 1}}, {.rank = 4, .dims = {1, 3, 1, 5}}},
    {{.rank = 2, .dims = {0, 3}}, {.rank = 1, .dims = {3}}},
    {{.rank = 2, .dims = {1, 1}}, {.rank = 1, .dims = {1}}},
};

enum { SHAPE_PAIRS = sizeof shape_pairs / sizeof shape_pairs[0] };

static void compare_binary(HyperionBinary function, HyperionType type, size_t shapes, int level)
{
    static Operand inputs[2];
    static Operand out;
    memcpy(inputs, shape_pairs[shapes], sizeof inputs);
    inputs[0].type = inputs[1].type = is_logic(function) ? HYPERION_TYPE_BOOL : type;
    // Small, never 0 and never negative where that would leave the real numbers.
    const bool positive = function == HYPERION_BINARY_POW || function == HYPERION_BINARY_DIV;
    fill(&inputs[0], positive ? 1 : -7, is_logic(function) ? 0.5 : 1, 1);
    fill(&inputs[1], positive ? 1 : -7, positive ? 0.25 : 1, 2);
    if (is_logic(function))
        for (int i = 0; i < 2; i++)
            fill(&inputs[i], -7, 1, (unsigned)i);
    const HyperionLayerAttributes attributes = {.binary = function};
    run_layer(HYPERION_LAYER_BINARY, &attributes, inputs, 2, level, &out);
    assert_int_equal(out.type,
                     function >= HYPERION_BINARY_EQUAL ? HYPERION_TYPE_BOOL : inputs[0].type);
    for (size_t i = 0; i < count_elements(&out); i++) {
        double a = broadcast(&inputs[0], &out, i);
        double b = broadcast(&inputs[1], &out, i);
        const bool whole = type != HYPERION_TYPE_F32;
        const double want = compute(function, whole ? trunc(a) : a, whole ? trunc(b) : b);
        const double rounded = whole && out.type != HYPERION_TYPE_BOOL ? trunc(want) : want;
        if (!(fabs(out.values[i] - rounded) <= 1e-6 * fabs(rounded)))
            fail_msg("function %d shapes %zu type %d level %d: out[%zu] is %g, want %g",
                     (int)function, shapes, (int)type, level, i, out.values[i], rounded);
    }
}

static void binary_functions_broadcast_in_every_type_at_every_level(void **state)
{
    (void)state;
    for (int f = 0; f < HYPERION_BINARY_COUNT; f++)
        for (size_t shapes = 0; shapes < SHAPE_PAIRS; shapes++)
            for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++) {
                compare_binary((HyperionBinary)f, HYPERION_TYPE_F32, shapes, level);
                if (f == HYPERION_BINARY_PRELU)
                    continue;
                compare_binary((HyperionBinary)f, HYPERION_TYPE_I64, shapes, level);
                compare_binary((HyperionBinary)f, HYPERION_TYPE_I32, shapes, level);
            }
}

static void integer_arithmetic_has_no_undefined_cases(void **state)
{
    (void)state;
    static const struct {
        HyperionBinary function;
        HyperionType type;
        double a, b, want;
    } cases[] = {
        {HYPERION_BINARY_DIV, HYPERION_TYPE_I64, -7, 2, -3},
        {HYPERION_BINARY_DIV, HYPERION_TYPE_I64, 7, 0, 0},
        {HYPERION_BINARY_DIV, HYPERION_TYPE_I64, -0x1p63, -1, -0x1p63},
        {HYPERION_BINARY_DIV, HYPERION_TYPE_I32, -0x1p31, -1, -0x1p31},
        {HYPERION_BINARY_ADD, HYPERION_TYPE_I32, 0x7fffffff, 1, -0x1p31},
        {HYPERION_BINARY_SUB, HYPERION_TYPE_I64, -0x1p63, 0x1p62, 0x1p62},
        {HYPERION_BINARY_MUL, HYPERION_TYPE_I32, 0x1p30, 4, 0},
        {HYPERION_BINARY_POW, HYPERION_TYPE_I64, -3, 3, -27},
        {HYPERION_BINARY_POW, HYPERION_TYPE_I64, 2, -1, 0},
        {HYPERION_BINARY_POW, HYPERION_TYPE_I64, -1, -3, -1},
        {HYPERION_BINARY_POW, HYPERION_TYPE_I64, 0, 0, 1},
        {HYPERION_BINARY_POW, HYPERION_TYPE_I32, 2, 31, -0x1p31},
    };
    static Operand out;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const Operand inputs[2] = {{.type = cases[i].type, .values = {cases[i].a}},
                                   {.type = cases[i].type, .values = {cases[i].b}}};
        const HyperionLayerAttributes attributes = {.binary = cases[i].function};
        run_layer(HYPERION_LAYER_BINARY, &attributes, inputs, 2, 0, &out);
        if (out.values[0] != cases[i].want)
            fail_msg("case %zu: %.17g, want %.17g", i, out.values[0], cases[i].want);
    }
}

static void where_chooses_with_broadcasting_in_every_type(void **state)
{
    (void)state;
    static Operand inputs[3] = {{.type = HYPERION_TYPE_BOOL, .rank = 3, .dims = {2, 1, 5}},
                                {.rank = 2, .dims = {3, 1}},
                                {.rank = 3, .dims = {2, 3, 5}}};
    static Operand out;
    fill(&inputs[0], -7, 1, 1);
    fill(&inputs[1], -7, 1, 2);
    fill(&inputs[2], -7, 1, 3);
    for (size_t i = 0; i < 10; i += 2)
        inputs[0].values[i] = 0;
    for (int type = 0; type < HYPERION_TYPE_COUNT; type++) {
        inputs[1].type = inputs[2].type = (HyperionType)type;
        run_layer(HYPERION_LAYER_WHERE, NULL, inputs, 3, 3, &out);
        assert_int_equal(out.type, type);
        assert_int_equal(count_elements(&out), 30);
        for (size_t i = 0; i < 30; i++) {
            double want = broadcast(&inputs[0], &out, i) != 0 ? broadcast(&inputs[1], &out, i)
                                                              : broadcast(&inputs[2], &out, i);
            if (type == HYPERION_TYPE_BOOL)
                want = want != 0;
            assert_true(out.values[i] == want);
        }
    }
}

static void cast_truncates_saturates_and_wraps(void **state)
{
    (void)state;
    static const struct {
        HyperionType from, to;
        double value, want;
    } cases[] = {
        {HYPERION_TYPE_F32, HYPERION_TYPE_I32, -2.75, -2},
        {HYPERION_TYPE_F32, HYPERION_TYPE_I32, 3e9, INT32_MAX},
        {HYPERION_TYPE_F32, HYPERION_TYPE_I32, -INFINITY, INT32_MIN},
        {HYPERION_TYPE_F32, HYPERION_TYPE_I64, 0x1p63, (double)INT64_MAX},
        {HYPERION_TYPE_F32, HYPERION_TYPE_I64, -0x1p70, (double)INT64_MIN},
        {HYPERION_TYPE_F32, HYPERION_TYPE_I64, NAN, 0},
        {HYPERION_TYPE_F32, HYPERION_TYPE_BOOL, 0.25, 1},
        {HYPERION_TYPE_F32, HYPERION_TYPE_BOOL, -0.0, 0},
        {HYPERION_TYPE_F32, HYPERION_TYPE_F32, 0.25, 0.25},
        {HYPERION_TYPE_I64, HYPERION_TYPE_F32, 16777217, 16777216},
        {HYPERION_TYPE_I64, HYPERION_TYPE_I32, 0x1p32 + 5, 5},
        {HYPERION_TYPE_I64, HYPERION_TYPE_BOOL, 0x1p32, 1},
        {HYPERION_TYPE_I32, HYPERION_TYPE_I64, -3, -3},
        {HYPERION_TYPE_BOOL, HYPERION_TYPE_F32, 1, 1},
        {HYPERION_TYPE_BOOL, HYPERION_TYPE_I64, 1, 1},
    };
    static Operand out;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const Operand input = {.type = cases[i].from, .values = {cases[i].value}};
        const HyperionLayerAttributes attributes = {.type = cases[i].to};
        run_layer(HYPERION_LAYER_CAST, &attributes, &input, 1, 0, &out);
        if (out.values[0] != cases[i].want || out.type != cases[i].to)
            fail_msg("case %zu: %.17g, want %.17g", i, out.values[0], cases[i].want);
    }
}

static void parameters_reach_activations_and_epilogues(void **state)
{
    (void)state;
    static Operand inputs[2] = {{.rank = 2, .dims = {1, 2}, .values = {-4, 9}},
                                {.rank = 2, .dims = {2, 2}, .values = {1, 0, 0, 1}}};
    static Operand out;
    const HyperionLayerAttributes leaky = {.activation = HYPERION_ACTIVATION_LEAKY_RELU,
                                           .alpha = 0.5F};
    const HyperionLayerAttributes clip = {
        .activation = HYPERION_ACTIVATION_CLIP, .alpha = -1, .beta = 6};
    run_layer(HYPERION_LAYER_ACTIVATION, &leaky, inputs, 1, 3, &out);
    assert_true(out.values[0] == -2 && out.values[1] == 9);
    run_layer(HYPERION_LAYER_GEMM, &clip, inputs, 2, 3, &out);
    assert_true(out.values[0] == -1 && out.values[1] == 6);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    enum { F32, I64, BOOL, VECTOR, INPUTS };
    static const struct {
        HyperionLayerOp op;
        HyperionLayerAttributes attributes;
        int input_count;
        int inputs[3];
        const char *message;
    } cases[] = {
        {HYPERION_LAYER_BINARY, {0}, 2, {F32, I64}, "does not take f32 and i64"},
        {HYPERION_LAYER_BINARY, {0}, 2, {BOOL, BOOL}, "does not take bool and bool"},
        {HYPERION_LAYER_BINARY,
         {.binary = HYPERION_BINARY_AND},
         2,
         {F32, F32},
         "does not take f32 and f32"},
        {HYPERION_LAYER_BINARY,
         {.binary = HYPERION_BINARY_PRELU},
         2,
         {I64, I64},
         "does not take i64 and i64"},
        {HYPERION_LAYER_BINARY,
         {.binary = HYPERION_BINARY_COUNT},
         2,
         {F32, F32},
         "no function 16 of two operands"},
        {HYPERION_LAYER_BINARY, {0}, 2, {F32, VECTOR}, "do not broadcast"},
        {HYPERION_LAYER_WHERE, {0}, 3, {F32, F32, F32}, "expected bool and two of one type"},
        {HYPERION_LAYER_WHERE, {0}, 3, {BOOL, F32, I64}, "expected bool and two of one type"},
        {HYPERION_LAYER_WHERE, {0}, 3, {BOOL, F32, VECTOR}, "do not broadcast"},
        {HYPERION_LAYER_CAST, {.type = HYPERION_TYPE_COUNT}, 1, {F32}, "unknown type 4"},
        {HYPERION_LAYER_REDUCE, {0}, 1, {BOOL}, "is bool"},
        {HYPERION_LAYER_REDUCE, {.reduce = HYPERION_REDUCE_COUNT}, 1, {F32}, "no reduction 5"},
        {HYPERION_LAYER_REDUCE, {.axis_count = 1, .axes = {2}}, 1, {F32}, "axis 2 of 2"},
        {HYPERION_LAYER_REDUCE, {.axis_count = 2, .axes = {1, -1}}, 1, {F32}, "given twice"},
        {HYPERION_LAYER_REDUCE, {.axis_count = 3}, 1, {F32}, "3 axes of 2"},
        {HYPERION_LAYER_SOFTMAX, {.axis_from_end = 2}, 1, {F32}, "none is 2 from its last"},
        {HYPERION_LAYER_SOFTMAX, {.axis_from_end = -1}, 1, {F32}, "none is -1 from its last"},
        {HYPERION_LAYER_LAYERNORM, {.rms = true}, 3, {F32, VECTOR, VECTOR}, "bias"},
        {HYPERION_LAYER_SCALE_SHIFT, {0}, 3, {VECTOR, VECTOR, VECTOR}, "expected at least 2"},
        {HYPERION_LAYER_SCALE_SHIFT, {0}, 3, {F32, F32, VECTOR}, "expected 3 f32"},
        {HYPERION_LAYER_LRN, {.size = -1}, 1, {F32}, "size is -1"},
        {HYPERION_LAYER_LRN, {0}, 1, {VECTOR}, "expected at least 2"},
    };
    HyperionModel *model = hyperionCreateModel("layers");
    const int64_t matrix[] = {2, 3};
    const int64_t vector[] = {4};
    (void)hyperionAddInput(model, "f32", HYPERION_TYPE_F32, 2, matrix);
    (void)hyperionAddInput(model, "i64", HYPERION_TYPE_I64, 2, matrix);
    (void)hyperionAddInput(model, "bool", HYPERION_TYPE_BOOL, 2, matrix);
    (void)hyperionAddInput(model, "vector", HYPERION_TYPE_F32, 1, vector);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int id = hyperionAddLayer(model, "layer", cases[i].op, &cases[i].attributes,
                                        cases[i].inputs, cases[i].input_count);
        assert_int_equal(id, -1);
        if (!strstr(hyperionGetLastError(), cases[i].message))
            fail_msg("case %zu: %s", i, hyperionGetLastError());
        assert_int_equal(hyperionModelTensorCount(model), INPUTS);
    }
    hyperionFreeModel(model);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_functions_broadcast_in_every_type_at_every_level),
        cmocka_unit_test(integer_arithmetic_has_no_undefined_cases),
        cmocka_unit_test(where_chooses_with_broadcasting_in_every_type),
        cmocka_unit_test(cast_truncates_saturates_and_wraps),
        cmocka_unit_test(parameters_reach_activations_and_epilogues),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
