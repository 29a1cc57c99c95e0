// SPDX-License-Identifier: Apache-2.0
#include "reference/reference.h"

#include <math.h>

void hyp_reference_softmax(const HypSoftmaxArgs *args, size_t row, double *out)
{
    const float *in = args->in + row * args->columns;
    double greatest = -INFINITY;
    for (size_t i = 0; i < args->columns; i++)
        greatest = fmax(greatest, (double)in[i]);
    double sum = 0;
    for (size_t i = 0; i < args->columns; i++)
        sum += out[i] = exp((double)in[i] - greatest);
    for (size_t i = 0; i < args->columns; i++)
        out[i] /= sum;
}

void hyp_reference_layernorm(const HypLayernormArgs *args, size_t row, double *out)
{
    const float *in = args->in + row * args->columns;
    const double n = (double)args->columns;
    double sum = 0;
    for (size_t i = 0; i < args->columns; i++)
        sum += (double)in[i];
    const double mean = sum / n;
    double squares = 0;
    for (size_t i = 0; i < args->columns; i++)
        squares += pow((double)in[i] - mean, 2);
    const double deviation = sqrt(squares / n + (double)args->epsilon);
    for (size_t i = 0; i < args->columns; i++) {
        const double bias = args->bias ? (double)args->bias[i] : 0;
        out[i] = ((double)in[i] - mean) / deviation * (double)args->scale[i] + bias;
    }
}
