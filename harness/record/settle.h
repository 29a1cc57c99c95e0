// SPDX-License-Identifier: Apache-2.0
// settle.h - which samples of a journal count.
#ifndef HYP_SETTLE_H
#define HYP_SETTLE_H

#include "record/journal.h"

// Sorts content->samples, as read, into what counts, what was rejected and canaries; the order
// within each stays. Of a round of a cell that has rejected samples alone, the one with the least
// excess counts, its rejection beside it. False, and nothing changed: out of memory.
bool samples_settle(JournalContent *content);

#endif
