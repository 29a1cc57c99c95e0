// SPDX-License-Identifier: Apache-2.0
#include "cli/model_arrays.h"

#include "common/file.h"
#include "common/folder.h"
#include "common/whole_file.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "arrays are written as they lie in memory");

static bool check_array(const char *path, const char *name, const HyperionTensor *tensor,
                        const char *bytes, size_t size_bytes, Problem *problem)
{
    if (size_bytes != hyperionTensorBytes(tensor))
        return problem_set(problem, "input %s: %s has %zu bytes, expected %zu (%zu elements of %s)",
                           name, path, size_bytes, hyperionTensorBytes(tensor),
                           hyperionTensorElementCount(tensor),
                           hyperionTypeName(hyperionTensorType(tensor)));
    for (size_t i = 0; hyperionTensorType(tensor) == HYPERION_TYPE_BOOL && i < size_bytes; i++)
        if (bytes[i] != 0 && bytes[i] != 1)
            return problem_set(problem, "input %s: %s, byte %zu: expected 0 or 1, given %d", name,
                               path, i, (unsigned char)bytes[i]);
    return true;
}

bool model_array_read(const char *path, const char *name, HyperionTensor *tensor, Problem *problem)
{
    size_t size_bytes = 0;
    char *bytes = file_read(path, SIZE_MAX, &size_bytes, problem);
    const bool good = bytes && check_array(path, name, tensor, bytes, size_bytes, problem);
    if (good && size_bytes > 0)
        memcpy(hyperionTensorData(tensor), bytes, size_bytes);
    free(bytes);
    return good;
}

bool model_array_path(const char *folder, const char *name, char *path, size_t path_bytes,
                      Problem *problem)
{
    const int length = snprintf(path, path_bytes, "%s/%s.bin", folder, name);
    if (length < 0 || (size_t)length >= path_bytes)
        return problem_set(problem, "output %s: the path is too long", name);
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')) != NULL;)
        *slash = '_';
    return true;
}

bool model_array_write(const char *path, const HyperionTensor *tensor, Problem *problem)
{
    WholeFile file = {0};
    const size_t size_bytes = hyperionTensorBytes(tensor);
    const bool written = folder_of_file_make(path, problem) &&
                         whole_file_open(&file, path, problem) &&
                         (size_bytes == 0 ||
                          fwrite(hyperionTensorConstData(tensor), size_bytes, 1, file.stream) == 1);
    return whole_file_close(&file, written, problem);
}

static double value_at(const HyperionTensor *tensor, size_t index)
{
    const void *data = hyperionTensorConstData(tensor);
    switch (hyperionTensorType(tensor)) {
    case HYPERION_TYPE_F32: return (double)((const float *)data)[index];
    case HYPERION_TYPE_I64: return (double)((const int64_t *)data)[index];
    case HYPERION_TYPE_I32: return (double)((const int32_t *)data)[index];
    case HYPERION_TYPE_BOOL: return (double)((const uint8_t *)data)[index];
    case HYPERION_TYPE_COUNT: break;
    }
    return 0;
}

static json_t *number_or_null(double value, bool known)
{
    return known ? json_real(value) : json_null();
}

json_t *model_array_summary(const HyperionTensor *tensor)
{
    const size_t count = hyperionTensorElementCount(tensor);
    size_t finite = 0;
    double least = INFINITY;
    double greatest = -INFINITY;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const double value = value_at(tensor, i);
        if (!isfinite(value))
            continue;
        finite++;
        sum += value;
        least = fmin(least, value);
        greatest = fmax(greatest, value);
    }
    return json_pack("{s:o, s:o, s:o, s:I}", "least", number_or_null(least, finite > 0), "greatest",
                     number_or_null(greatest, finite > 0), "mean",
                     number_or_null(sum / (double)finite, finite > 0), "not_finite",
                     (json_int_t)(count - finite));
}
