// SPDX-License-Identifier: Apache-2.0
#include "common/checksum_avx2.h"

#if HYPERION_CHECKSUM_AVX2
#define XXH_INLINE_ALL
#include <xxhash.h>

void hyp_checksum_update_avx2(void *state, const void *bytes, size_t size_bytes)
{
    (void)XXH3_64bits_update(state, bytes, size_bytes);
}
#endif
