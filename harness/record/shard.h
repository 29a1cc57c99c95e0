// SPDX-License-Identifier: Apache-2.0
// shard.h - a part of a plan's cells, for several machines or jobs to share one sweep. Which part a
// cell belongs to depends on its identity alone, so that it stays when the plan grows.
#ifndef HYP_SHARD_H
#define HYP_SHARD_H

#include "common/problem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { SHARD_LIMIT = 10000, SHARD_TEXT_BYTES = 16 };

// {0, 0} is the whole plan.
typedef struct Shard {
    int index; // from 1
    int count;
} Shard;

// "2/4".
bool shard_parse(const char *text, Shard *shard, Problem *problem);
// "" for the whole plan.
void shard_format(Shard shard, char text[SHARD_TEXT_BYTES]);

// The shard that a machine.json names; the whole plan where it names none.
bool shard_of_machine(const json_t *machine, Shard *shard, Problem *problem);

bool shard_holds(Shard shard, const char *cell_id);

#endif
