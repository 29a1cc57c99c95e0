// SPDX-License-Identifier: Apache-2.0
#include "reference/reference.h"

#include <math.h>

void hyp_reference_softmax(const HypSoftmaxArgs *args, size_t row, double *out)
{
    const float *in =
        args->in + row / args->inner * args->columns * args->inner + row % args->inner;
    double greatest = -INFINITY;
    for (size_t i = 0; i < args->columns; i++)
        greatest = fmax(greatest, (double)in[i * args->inner]);
    double sum = 0;
    for (size_t i = 0; i < args->columns; i++)
        sum += out[i] = exp((double)in[i * args->inner] - greatest);
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
    const double mean = args->rms ? 0 : sum / n;
    double squares = 0;
    for (size_t i = 0; i < args->columns; i++)
        squares += pow((double)in[i] - mean, 2);
    const double deviation = sqrt(squares / n + (double)args->epsilon);
    for (size_t i = 0; i < args->columns; i++) {
        const double bias = args->bias ? (double)args->bias[i] : 0;
        out[i] = ((double)in[i] - mean) / deviation * (double)args->scale[i] + bias;
    }
}

static double join(HyperionReduce function, double so_far, double x)
{
    switch (function) {
    case HYPERION_REDUCE_MAX: return isnan(so_far) || isnan(x) ? NAN : fmax(so_far, x);
    case HYPERION_REDUCE_MIN: return isnan(so_far) || isnan(x) ? NAN : fmin(so_far, x);
    case HYPERION_REDUCE_PROD: return so_far * x;
    default: return so_far + x;
    }
}

double hyp_reference_reduce(const HypReduceArgs *args, size_t i)
{
    static const double starts[HYPERION_REDUCE_COUNT] = {[HYPERION_REDUCE_MAX] = -INFINITY,
                                                         [HYPERION_REDUCE_MIN] = INFINITY,
                                                         [HYPERION_REDUCE_PROD] = 1};
    const size_t plane = i / args->inner * args->middle;
    double result = starts[args->function];
    for (size_t m = 0; m < args->middle; m++)
        result = join(args->function, result,
                      (double)args->in[(plane + m) * args->inner + i % args->inner]);
    return args->function == HYPERION_REDUCE_MEAN ? result / (double)args->middle : result;
}
