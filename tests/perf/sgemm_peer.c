// SPDX-License-Identifier: Apache-2.0
// sgemm_peer.c - one timing of one side: square f32 products by this library or by OpenBLAS, one
// thread. Prints GFLOP/s and who it was. A process a timing, so that sgemm_peer.sh can take turns.
#define _POSIX_C_SOURCE 200809L // clock_gettime
#include "kernel_table.h"

#include "hyperion/hyperion.h"

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

// From the caches of this machine, or "MCxKCxNCxPREFETCH" for experiments.
static bool resolve_blocking(const HypKernelVariant *variant, size_t n, const char *given,
                             HyperionGemmBlocking *blocking)
{
    *blocking = (HyperionGemmBlocking){.mr = variant->mr, .nr = variant->nr};
    if (given) {
        if (sscanf(given, "%zux%zux%zux%zu", &blocking->mc, &blocking->kc, &blocking->nc,
                   &blocking->prefetch_lines) != 4 ||
            blocking->kc == 0 || blocking->mc < variant->mr || blocking->nc < variant->nr)
            return false;
        blocking->mc -= blocking->mc % variant->mr;
        blocking->nc -= blocking->nc % variant->nr;
        return true;
    }
    const HyperionGemmShape shape = {.m = n, .n = n, .k = n};
    const HyperionCacheConfig config = {.enable_prefetch = true, .prefetch_distance = 8};
    const HyperionCacheTopology topology = hyperionGetHostCacheTopology();
    return hyperionResolveGemmBlocking(&shape, &config, &topology, (int)variant->level, blocking);
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5) {
        (void)fprintf(stderr, "usage: sgemm_peer openblas|KERNEL N SECONDS [BLOCKING]\n");
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
    if (variant && !resolve_blocking(variant, n, argv[4], &args.blocking)) {
        (void)fprintf(stderr, "sgemm_peer: no blocking: %s\n",
                      argc > 4 ? argv[4] : hyperionGetLastError());
        return 1;
    }
    args.a = random_square(n);
    args.b = random_square(n);
    args.c = random_square(n);
    args.workspace = variant ? allocate(hyp_gemm_workspace_bytes(&args)) : NULL;

    multiply(variant, &args); // pages, buffers and caches
    int calls = 0;
    const double start = now_seconds();
    double elapsed;
    do {
        multiply(variant, &args);
        calls++;
        elapsed = now_seconds() - start;
    } while (elapsed < seconds);
    (void)printf("%.2f %s\n", 2e-9 * (double)n * (double)n * (double)n * calls / elapsed,
                 variant ? variant->name : openblas_get_corename());
    return 0;
}
