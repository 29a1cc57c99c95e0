// SPDX-License-Identifier: Apache-2.0
#include "common/checksum.h"

#include "common/checksum_avx2.h"
#include "common/fail.h"

#if HYPERION_HAVE_XXHASH
#define XXH_INLINE_ALL
#include <xxhash.h>

struct HypChecksum {
    XXH3_state_t *state; // of an alignment of its own
};

bool hyp_checksum_exists(void)
{
    return true;
}

HypChecksum *hyp_checksum_begin(void)
{
    HypChecksum *checksum = calloc(1, sizeof *checksum);
    if (checksum)
        checksum->state = XXH3_createState();
    if (!checksum || !checksum->state) {
        free(checksum);
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "no memory for a checksum");
    }
    (void)XXH3_64bits_reset(checksum->state);
    return checksum;
}

void hyp_checksum_add(HypChecksum *checksum, const void *bytes, size_t size_bytes)
{
#if HYPERION_CHECKSUM_AVX2
    if (__builtin_cpu_supports("avx2")) {
        hyp_checksum_update_avx2(checksum->state, bytes, size_bytes);
        return;
    }
#endif
    (void)XXH3_64bits_update(checksum->state, bytes, size_bytes);
}

uint64_t hyp_checksum_value(const HypChecksum *checksum)
{
    return XXH3_64bits_digest(checksum->state);
}

void hyp_checksum_end(HypChecksum *checksum)
{
    if (!checksum)
        return;
    (void)XXH3_freeState(checksum->state);
    free(checksum);
}

#else
#include <stdlib.h>

struct HypChecksum {
    char unused;
};

bool hyp_checksum_exists(void)
{
    return false;
}

HypChecksum *hyp_checksum_begin(void)
{
    HypChecksum *checksum = calloc(1, sizeof *checksum);
    return checksum ? checksum : hyp_fail_null(HYPERION_ERROR_MEMORY, "no memory for a checksum");
}

void hyp_checksum_add(HypChecksum *checksum, const void *bytes, size_t size_bytes)
{
    (void)checksum;
    (void)bytes;
    (void)size_bytes;
}

uint64_t hyp_checksum_value(const HypChecksum *checksum)
{
    (void)checksum;
    return 0;
}

void hyp_checksum_end(HypChecksum *checksum)
{
    free(checksum);
}
#endif
