// SPDX-License-Identifier: Apache-2.0
#include "record/settle.h"

#include <stdlib.h>

typedef enum Place { PLACE_COUNTS, PLACE_REJECTED, PLACE_CANARY, PLACE_TOTAL } Place;

// Rounds side by side; within one, what is accepted before what was rejected, and that by excess.
static int compare_samples(const void *first, const void *second)
{
    const Sample *a = *(const Sample *const *)first;
    const Sample *b = *(const Sample *const *)second;
    if (a->cell != b->cell)
        return a->cell < b->cell ? -1 : 1;
    if (a->round != b->round)
        return a->round < b->round ? -1 : 1;
    if (a->excess != b->excess)
        return a->excess < b->excess ? -1 : 1;
    return (a > b) - (a < b); // the earlier one
}

// places[i] of every sample. False: out of memory.
static bool find_places(const JournalContent *content, Place *places)
{
    const Sample **sorted = calloc(content->sample_count + 1, sizeof(const Sample *));
    size_t count = 0;
    for (size_t i = 0; i < content->sample_count; i++) {
        const Sample *sample = &content->samples[i];
        places[i] = sample->task == SAMPLE_CANARY ? PLACE_CANARY : PLACE_COUNTS;
        if (sorted && sample->task == SAMPLE_TIME && sample->ok)
            sorted[count++] = sample;
    }
    if (!sorted)
        return false;
    qsort((void *)sorted, count, sizeof(const Sample *), compare_samples);
    for (size_t i = 1; i < count; i++)
        if (sorted[i]->rejection[0] && sorted[i]->cell == sorted[i - 1]->cell &&
            sorted[i]->round == sorted[i - 1]->round)
            places[sorted[i] - content->samples] = PLACE_REJECTED;
    free((void *)sorted);
    return true;
}

static void move_samples(JournalContent *content, const Place *places, Sample *rejected,
                         Sample *canaries)
{
    const size_t count = content->sample_count;
    content->rejected = rejected;
    content->canaries = canaries;
    content->sample_count = 0;
    for (size_t i = 0; i < count; i++) {
        const Sample sample = content->samples[i];
        switch (places[i]) {
        case PLACE_REJECTED: rejected[content->rejected_count++] = sample; break;
        case PLACE_CANARY: canaries[content->canary_count++] = sample; break;
        default: content->samples[content->sample_count++] = sample;
        }
    }
}

bool samples_settle(JournalContent *content)
{
    const size_t count = content->sample_count;
    size_t counts[PLACE_TOTAL] = {0};
    Place *places = calloc(count + 1, sizeof *places);
    bool settled = places && find_places(content, places);
    for (size_t i = 0; settled && i < count; i++)
        counts[places[i]]++;
    Sample *rejected = calloc(counts[PLACE_REJECTED] + 1, sizeof *rejected);
    Sample *canaries = calloc(counts[PLACE_CANARY] + 1, sizeof *canaries);
    settled = settled && rejected && canaries;
    if (settled) {
        move_samples(content, places, rejected, canaries);
    } else {
        free(rejected);
        free(canaries);
    }
    free(places);
    return settled;
}
