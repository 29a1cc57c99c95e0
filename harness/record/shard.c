// SPDX-License-Identifier: Apache-2.0
#include "record/shard.h"

#include "common/fnv.h"
#include "common/splitmix.h"

#include <stdio.h>
#include <stdlib.h>

bool shard_parse(const char *text, Shard *shard, Problem *problem)
{
    char *slash = NULL;
    char *end = NULL;
    const long index = strtol(text, &slash, 10);
    const long count = *slash == '/' ? strtol(slash + 1, &end, 10) : 0;
    if (!end || end == slash + 1 || *end || index < 1 || index > count || count > SHARD_LIMIT)
        return problem_set(problem, "shard: expected I/N with 1 <= I <= N <= %d, given '%.32s'",
                           SHARD_LIMIT, text);
    *shard = (Shard){(int)index, (int)count};
    return true;
}

void shard_format(Shard shard, char text[SHARD_TEXT_BYTES])
{
    text[0] = '\0';
    if (shard.count > 0)
        (void)snprintf(text, SHARD_TEXT_BYTES, "%d/%d", shard.index, shard.count);
}

bool shard_holds(Shard shard, const char *cell_id)
{
    // The low bits of FNV depend on the low bits of the text alone: mixed once more.
    uint64_t hash = fnv_add_text(FNV_START, cell_id);
    return shard.count == 0 ||
           splitmix_next(&hash) % (uint64_t)shard.count == (uint64_t)shard.index - 1;
}

bool shard_of_machine(const json_t *machine, Shard *shard, Problem *problem)
{
    const json_t *text = json_object_get(json_object_get(machine, "run"), "shard");
    *shard = (Shard){0};
    if (!text)
        return true;
    if (!json_is_string(text))
        return problem_set(problem, "\"run\": \"shard\": expected text");
    return shard_parse(json_string_value(text), shard, problem);
}
