// SPDX-License-Identifier: Apache-2.0
// peaks.h - the measured compute roof: multiply-adds on registers alone.
#ifndef HYP_PEAKS_H
#define HYP_PEAKS_H

#include "machine/limit_team.h"

#include <jansson.h>

// Measures every level of this machine on one core and on all of the team; takes about a second.
// {"peaks": {"avx2": {"gflops", "low", "high", "runs", "threads", "chains", "instructions",
// "provenance"}, ...}, "peaks_all": the same, or null with a reason}. NULL: out of memory.
json_t *peaks_measure(LimitTeam *team, Problem *problem);

#endif
