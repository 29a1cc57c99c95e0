// SPDX-License-Identifier: Apache-2.0
// schedule.h - the samples of a plan in the order they are taken; a function of the plan alone, so
// that a resumed run goes on as the first would have.
#ifndef HYP_SCHEDULE_H
#define HYP_SCHEDULE_H

#include "record/journal.h"
#include "record/shard.h"
#include "scenario/plan.h"

typedef struct Job {
    size_t cell;
    int round; // -1 for verify and pilot
    SampleTask task;
    int rejections; // of this job before, in this run or one that it resumes
} Job;

// All verifications and, of timed cells, pilots in the order of the plan; rounds, every cell that
// has so many samples once a round in an order shuffled by seed and round; counter passes of timed
// cells. The caller frees. NULL: out of memory.
Job *schedule_make(const Plan *plan, size_t *count);

// Rounds of the plan: the most samples any of its cells has.
int schedule_rounds(const Plan *plan);

// Drops the jobs of cells in other shards; the number left. The order stays that of the whole plan.
size_t schedule_keep_shard(const Plan *plan, Shard shard, Job *jobs, size_t count);

// Which of the jobs the journal has done already: with a good sample, or rejected as often as may
// be; jobs of a cell that failed count as done. Sets the rejections of the others. The caller
// frees. NULL: out of memory.
bool *schedule_done(const Plan *plan, Job *jobs, size_t count, const JournalContent *journal);

#endif
