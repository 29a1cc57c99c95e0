// SPDX-License-Identifier: Apache-2.0
#include "cache/set_stacks_touch.h"

#ifdef __AVX2__
const HypStackLoops hyp_stack_loops_avx2 = {touch_run, touch_rows, flush_all};
#else
const HypStackLoops hyp_stack_loops_avx2 = {NULL, NULL, NULL};
#endif
