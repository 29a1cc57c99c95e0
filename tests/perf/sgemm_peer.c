// SPDX-License-Identifier: Apache-2.0
// sgemm_peer.c - one timing of one side: square f32 products by this library or by OpenBLAS, one
// thread. Prints GFLOP/s. A process a timing, so that sgemm_peer.sh can take turns.
#include "kernel_table.h"

#include <cblas.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static const HypKernelVariant *find_gemm(const char *name)
{
    for (size_t i = 0; i < hyp_kernel_count; i++)
        if (hyp_kernel_table[i].op == HYP_OP_GEMM && strcmp(hyp_kernel_table[i].name, name) == 0)
            return &hyp_kernel_table[i];
    return NULL;
}

static void *allocate(size_t bytes)
{
    void *memory = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (!memory) {
        (void)fprintf(stderr, "sgemm_peer: out of memory for %zu bytes\n", bytes);
        exit(1);
    }
    memset(memory, 0, bytes);
    return memory;
}

static float *random_square(size_t n)
{
    float *values = allocate(n * n * sizeof *values);
    uint32_t state = 1;
    for (size_t i = 0; i < n * n; i++) {
        state = state * 1664525U + 1013904223U;
        values[i] = (float)(state >> 8) / 16777216.0F - 0.5F;
    }
    return values;
}

static void multiply(const HypKernelVariant *variant, const HypGemmArgs *args)
{
    const int n = (int)args->n;
    if (variant)
        variant->fn.gemm(args);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0F, args->a, n, args->b,
                    n, 0.0F, args->c, n);
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        (void)fprintf(stderr, "usage: sgemm_peer openblas|KERNEL N SECONDS MC KC NC PREFETCH\n");
        return 1;
    }
    const HypKernelVariant *variant = find_gemm(argv[1]);
    if (!variant && strcmp(argv[1], "openblas") != 0) {
        (void)fprintf(stderr, "sgemm_peer: no kernel %s\n", argv[1]);
        return 1;
    }
    const size_t n = strtoul(argv[2], NULL, 10);
    const double seconds = strtod(argv[3], NULL);
    HypGemmArgs args = {.m = n, .n = n, .k = n, .lda = n, .ldb = n, .ldc = n};
    args.a = random_square(n);
    args.b = random_square(n);
    args.c = random_square(n);
    if (variant) {
        args.blocking = (HyperionGemmBlocking){.mc = strtoul(argv[4], NULL, 10),
                                               .kc = strtoul(argv[5], NULL, 10),
                                               .nc = strtoul(argv[6], NULL, 10),
                                               .mr = variant->mr,
                                               .nr = variant->nr,
                                               .prefetch_lines = strtoul(argv[7], NULL, 10)};
        args.blocking.mc -= args.blocking.mc % variant->mr;
        args.blocking.nc -= args.blocking.nc % variant->nr;
        args.workspace = allocate(hyp_gemm_workspace_bytes(&args));
    }

    multiply(variant, &args); // pages, buffers and caches
    int calls = 0;
    const double start = now_seconds();
    double elapsed;
    do {
        multiply(variant, &args);
        calls++;
        elapsed = now_seconds() - start;
    } while (elapsed < seconds);
    (void)printf("%.2f\n", 2e-9 * (double)n * (double)n * (double)n * calls / elapsed);
    return 0;
}
