// SPDX-License-Identifier: Apache-2.0
#include "reference/reference_gemm.h"

#include <math.h>

void hyp_reference_add(HypReferenceSum *sum, double term)
{
    sum->value += term;
    sum->magnitude += fabs(term);
}

HypReferenceSum hyp_reference_gemm(const HypGemmArgs *args, size_t row, size_t column)
{
    HypReferenceSum sum = {.value = 0};
    for (size_t k = 0; k < args->k; k++) {
        const double a = args->a[row * args->lda + k];
        const double b =
            args->b_transposed ? args->b[column * args->ldb + k] : args->b[k * args->ldb + column];
        hyp_reference_add(&sum, a * b);
    }
    if (args->epilogue.column_bias)
        hyp_reference_add(&sum, args->epilogue.column_bias[column]);
    if (args->epilogue.row_bias)
        hyp_reference_add(&sum, args->epilogue.row_bias[row]);
    return sum;
}
