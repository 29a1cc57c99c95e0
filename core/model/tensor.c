// SPDX-License-Identifier: Apache-2.0
#include "hyperion/tensor.h"

#include "common/fail.h"
#include "model/shape.h"
#include "model/tensor_source.h"
#include "platform/platform.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct HyperionTensor {
    HypShape shape;
    void *data;
    bool owned;
    bool expired; // its memory went back to the source it was from
    HypLease lease;
};

static _Thread_local HypTensorSource *source_in_force;

HypTensorSource *hyp_tensor_source_set(HypTensorSource *source)
{
    HypTensorSource *before = source_in_force;
    source_in_force = source;
    return before;
}

void hyp_tensor_expire(HyperionTensor *tensor)
{
    assert(tensor->lease.take_back && !tensor->expired);
    tensor->data = NULL;
    tensor->expired = true;
}

static HyperionTensor *create_around(HyperionType type, int rank, const int64_t *dims)
{
    HypShape shape;
    if (!hyp_shape_create(&shape, "tensor", type, rank, dims))
        return NULL;
    HyperionTensor *tensor = calloc(1, sizeof *tensor);
    if (!tensor)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "tensor: out of memory");
    tensor->shape = shape;
    return tensor;
}

HyperionTensor *hyperionCreateTensor(HyperionType type, int rank, const int64_t *dims)
{
    HyperionTensor *tensor = create_around(type, rank, dims);
    if (!tensor)
        return NULL;
    if (source_in_force) {
        tensor->lease.tensor = tensor;
        tensor->data =
            source_in_force->lend(source_in_force, &tensor->lease, tensor->shape.size_bytes);
    } else {
        tensor->data = hyp_platform_allocate(tensor->shape.size_bytes, 64);
        tensor->owned = true;
    }
    if (!tensor->data) {
        free(tensor);
        return NULL;
    }
    memset(tensor->data, 0, tensor->shape.size_bytes);
    return tensor;
}

HyperionTensor *hyperionWrapTensor(HyperionType type, int rank, const int64_t *dims, void *data)
{
    HyperionTensor *tensor = create_around(type, rank, dims);
    if (!tensor)
        return NULL;
    const size_t alignment = hyperionTypeBytes(type);
    if ((!data && tensor->shape.size_bytes) || (uintptr_t)data % alignment) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "wrap tensor: data %p, expected a multiple of %zu",
                       data, alignment);
        hyperionFreeTensor(tensor);
        return NULL;
    }
    tensor->data = data;
    return tensor;
}

void hyperionFreeTensor(HyperionTensor *tensor)
{
    if (!tensor)
        return;
    if (tensor->lease.take_back)
        tensor->lease.take_back(&tensor->lease);
    else if (tensor->owned)
        hyp_platform_release(tensor->data);
    free(tensor);
}

// The shape of a tensor; NULL, last error set, for NULL and one whose memory is gone.
static const HypShape *get_shape(const HyperionTensor *tensor)
{
    if (!tensor)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "tensor is NULL");
    if (tensor->expired)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT,
                             "tensor is no longer valid: it outlived the call of "
                             "hyperionExecuteWithTensorReuse that it was made in");
    return &tensor->shape;
}

void *hyperionTensorData(HyperionTensor *tensor)
{
    return get_shape(tensor) ? tensor->data : NULL;
}

const void *hyperionTensorConstData(const HyperionTensor *tensor)
{
    return get_shape(tensor) ? tensor->data : NULL;
}

HyperionType hyperionTensorType(const HyperionTensor *tensor)
{
    const HypShape *shape = get_shape(tensor);
    return shape ? shape->type : HYPERION_TYPE_COUNT;
}

int hyperionTensorRank(const HyperionTensor *tensor)
{
    const HypShape *shape = get_shape(tensor);
    return shape ? shape->rank : 0;
}

const int64_t *hyperionTensorDims(const HyperionTensor *tensor)
{
    const HypShape *shape = get_shape(tensor);
    return shape ? shape->dims : NULL;
}

size_t hyperionTensorElementCount(const HyperionTensor *tensor)
{
    const HypShape *shape = get_shape(tensor);
    return shape ? shape->element_count : 0;
}

size_t hyperionTensorBytes(const HyperionTensor *tensor)
{
    const HypShape *shape = get_shape(tensor);
    return shape ? shape->size_bytes : 0;
}
