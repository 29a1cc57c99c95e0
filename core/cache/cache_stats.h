// SPDX-License-Identifier: Apache-2.0
// cache_stats.h - from predicted traffic to HyperionCacheStats.
#ifndef HYP_CACHE_STATS_H
#define HYP_CACHE_STATS_H

#include "cache/stream_account.h"

// The levels of a complete topology as the closed form sees them.
void hyp_cache_shapes(const HyperionCacheTopology *complete,
                      HypCacheShape caches[HYPERION_MAX_CACHE_LEVELS]);

// All fields but those on layers, tier CLOSED_FORM.
HyperionCacheStats hyp_cache_stats_from_traffic(const HypTraffic *traffic,
                                                const HyperionCacheTopology *complete);

// The account of one prediction, and what it rests on: not to be copied.
typedef struct HypClosedForm {
    HypCacheShape caches[HYPERION_MAX_CACHE_LEVELS];
    HypWindowMemo memo;
    HypAccount account;
} HypClosedForm;

void hyp_closed_form_start(HypClosedForm *form, const HyperionCacheTopology *complete);

// As above; not valid, with the last error set, where the account has failed.
HyperionCacheStats hyp_closed_form_stats(const HypClosedForm *form,
                                         const HyperionCacheTopology *complete);

#endif
