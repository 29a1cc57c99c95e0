// SPDX-License-Identifier: Apache-2.0
// test_tensor.c - tensors: sizes, refusals, wrapped memory.
#include "hyperion/error.h"
#include "hyperion/tensor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void new_tensor_is_aligned_zeros(void **state)
{
    (void)state;
    const int64_t dims[] = {3, 5};
    HyperionTensor *tensor = hyperionCreateTensor(HYPERION_TYPE_F32, 2, dims);
    assert_non_null(tensor);
    assert_int_equal(hyperionTensorElementCount(tensor), 15);
    assert_int_equal(hyperionTensorBytes(tensor), 60);
    assert_int_equal(hyperionTensorRank(tensor), 2);
    assert_int_equal(hyperionTensorDims(tensor)[1], 5);
    const float *values = hyperionTensorData(tensor);
    assert_int_equal((uintptr_t)values % 64, 0);
    for (int i = 0; i < 15; i++)
        assert_true(values[i] == 0.0F);
    hyperionFreeTensor(tensor);
}

static void scalar_and_empty_tensors_are_tensors(void **state)
{
    (void)state;
    HyperionTensor *scalar = hyperionCreateTensor(HYPERION_TYPE_I64, 0, NULL);
    assert_int_equal(hyperionTensorElementCount(scalar), 1);
    assert_int_equal(hyperionTensorBytes(scalar), 8);
    hyperionFreeTensor(scalar);
    const int64_t dims[] = {4, 0, 2};
    HyperionTensor *empty = hyperionCreateTensor(HYPERION_TYPE_BOOL, 3, dims);
    assert_non_null(empty);
    assert_int_equal(hyperionTensorElementCount(empty), 0);
    hyperionFreeTensor(empty);
}

static void impossible_shapes_are_refused(void **state)
{
    (void)state;
    const int64_t negative[] = {2, -1};
    const int64_t huge[] = {INT64_MAX, 2};
    const int64_t hidden[] = {INT64_MAX, 2, 0}; // the product is 0, but a stride overflows
    const int64_t one[] = {1};
    assert_null(hyperionCreateTensor(HYPERION_TYPE_F32, 2, negative));
    assert_non_null(strstr(hyperionGetLastError(), "dimension 1 is -1"));
    assert_null(hyperionCreateTensor(HYPERION_TYPE_BOOL, 2, huge));
    assert_null(hyperionCreateTensor(HYPERION_TYPE_BOOL, 3, hidden));
    assert_null(hyperionCreateTensor(HYPERION_TYPE_F32, 9, one));
    assert_null(hyperionCreateTensor(HYPERION_TYPE_F32, -1, one));
    assert_null(hyperionCreateTensor(HYPERION_TYPE_F32, 1, NULL));
    assert_null(hyperionCreateTensor(HYPERION_TYPE_COUNT, 1, one));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
    const int64_t too_much[] = {INT64_MAX / 2};
    assert_null(hyperionCreateTensor(HYPERION_TYPE_BOOL, 1, too_much));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_MEMORY);
}

static void wrapped_memory_stays_the_callers(void **state)
{
    (void)state;
    float values[4] = {1, 2, 3, 4};
    const int64_t dims[] = {4};
    HyperionTensor *tensor = hyperionWrapTensor(HYPERION_TYPE_F32, 1, dims, values);
    assert_ptr_equal(hyperionTensorData(tensor), values);
    assert_ptr_equal(hyperionTensorConstData(tensor), values);
    hyperionFreeTensor(tensor);
    assert_true(values[3] == 4.0F);
    assert_null(hyperionWrapTensor(HYPERION_TYPE_F32, 1, dims, (char *)values + 1));
    assert_null(hyperionWrapTensor(HYPERION_TYPE_F32, 1, dims, NULL));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
}

static void facts_of_no_tensor_are_nothing_and_say_so(void **state)
{
    (void)state;
    hyperionFreeTensor(NULL);
    assert_null(hyperionTensorData(NULL));
    assert_string_equal(hyperionGetLastError(), "tensor is NULL");
    assert_null(hyperionTensorConstData(NULL));
    assert_null(hyperionTensorDims(NULL));
    assert_int_equal(hyperionTensorType(NULL), HYPERION_TYPE_COUNT);
    assert_int_equal(hyperionTensorRank(NULL), 0);
    assert_int_equal(hyperionTensorBytes(NULL), 0);
    assert_int_equal(hyperionTensorElementCount(NULL), 0);
}

static void types_have_names_and_sizes(void **state)
{
    (void)state;
    assert_string_equal(hyperionTypeName(HYPERION_TYPE_F32), "f32");
    assert_int_equal(hyperionTypeBytes(HYPERION_TYPE_I64), 8);
    assert_string_equal(hyperionTypeName(HYPERION_TYPE_COUNT), "unknown");
    assert_int_equal(hyperionTypeBytes(HYPERION_TYPE_COUNT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_tensor_is_aligned_zeros),
        cmocka_unit_test(scalar_and_empty_tensors_are_tensors),
        cmocka_unit_test(impossible_shapes_are_refused),
        cmocka_unit_test(wrapped_memory_stays_the_callers),
        cmocka_unit_test(facts_of_no_tensor_are_nothing_and_say_so),
        cmocka_unit_test(types_have_names_and_sizes),
    };
    return cmocka_run_group_tests_name("tensor", tests, NULL, NULL);
}
