// SPDX-License-Identifier: Apache-2.0
// placed_window.h - windows of occupancy.h whose regions lie at known places: the lines of each set
// are counted, by arithmetic over the runs.
#ifndef HYP_PLACED_WINDOW_H
#define HYP_PLACED_WINDOW_H

#include "cache/occupancy.h"

// Whether all places are known and to count them takes no more than a few microseconds.
bool hyp_window_is_placed(const HypWindow *window, const HypCacheShape *cache);

// As hyp_window_miss, of such a window: the share of the lines of region 0 that have as many others
// in their set as there are ways.
double hyp_placed_window_miss(const HypWindow *window, const HypCacheShape *cache);

#endif
