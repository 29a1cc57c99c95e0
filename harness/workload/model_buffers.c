// SPDX-License-Identifier: Apache-2.0
#include "workload/model_buffers.h"

#include "hyperion/error.h"
#include "hyperion/profile.h"
#include "workload/model_instance.h"

#include <stdlib.h>

// As the library places tensors.
enum { PLACE_BYTES = 64 };

static size_t round_up(size_t size_bytes)
{
    return (size_bytes + PLACE_BYTES - 1) / PLACE_BYTES * PLACE_BYTES;
}

static HyperionBuffer *list_buffers(const HyperionModel *model, const HyperionProfile *profile,
                                    size_t *count)
{
    const int tensor_count = hyperionModelTensorCount(model);
    HyperionBuffer *buffers = calloc((size_t)tensor_count + 1, sizeof *buffers);
    *count = 0;
    for (int i = 0; buffers && i < tensor_count; i++) {
        const HyperionProfilePlace place = hyperionProfilePlace(profile, i);
        if (place.placed)
            buffers[(*count)++] = (HyperionBuffer){.lower = place.first_step,
                                                   .upper = place.last_step + 1,
                                                   .size_bytes = round_up(place.size_bytes)};
    }
    return buffers;
}

bool model_buffers_read(const char *path, HyperionBuffer **buffers, size_t *count, Problem *problem)
{
    ModelInstance instance = {.model = hyperionLoadModel(path)};
    HyperionProfile *profile = instance.model ? hyperionCreateProfile(instance.model, 1) : NULL;
    *buffers = NULL;
    if (profile && model_instance_create_tensors(&instance, 1, problem) &&
        model_instance_run(&instance)) {
        *buffers = list_buffers(instance.model, profile, count);
        if (!*buffers)
            (void)problem_set(problem, "%s: out of memory for its tensors", path);
    } else {
        (void)problem_set(problem, "%s", hyperionGetLastError()); // the first reason stays
    }
    hyperionFreeProfile(profile);
    model_instance_close(&instance);
    return *buffers != NULL;
}
