// SPDX-License-Identifier: Apache-2.0
#include "counters/cache_events.h"

#include "hyperion/cache.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void cache_event_format(const CacheEventKind *kind, const CacheEvent *event, char *name)
{
    const char *start = event->cold ? ".cold" : "";
    const char *count = kind->counts[event->count].name;
    if (event->level > 0)
        (void)snprintf(name, CACHE_EVENT_NAME_BYTES, "%s%s.L%d.%s", kind->source, start,
                       event->level, count);
    else
        (void)snprintf(name, CACHE_EVENT_NAME_BYTES, "%s%s.%s", kind->source, start, count);
}

bool cache_event_parse(const CacheEventKind *kind, const char *name, CacheEvent *event)
{
    char formatted[CACHE_EVENT_NAME_BYTES];
    const size_t length = strlen(kind->source);
    if (strncmp(name, kind->source, length) != 0 || name[length] != '.')
        return false;
    for (size_t i = 0; kind->counts[i].name; i++)
        for (int cold = 0; cold < 2; cold++)
            for (int level = 0; level <= HYPERION_MAX_CACHE_LEVELS; level++) {
                *event = (CacheEvent){cold, level, i};
                cache_event_format(kind, event, formatted);
                if (kind->counts[i].of_level == (level > 0) && strcmp(formatted, name) == 0)
                    return true;
            }
    return false;
}

size_t cache_events_list(const CacheEventKind *kind, const char *native, const char *reason,
                         CounterEvent *events, size_t capacity)
{
    size_t count = 0;
    for (; kind->counts[count].name; count++) {
        if (count >= capacity)
            continue;
        CounterEvent *event = &events[count];
        *event = (CounterEvent){.available = !reason, .probe_value = NAN, .provenance = "sim"};
        (void)snprintf(event->name, sizeof event->name, "%s.%s%s", kind->source,
                       kind->counts[count].of_level ? "L<n>." : "", kind->counts[count].name);
        (void)snprintf(event->native, sizeof event->native, "%s", reason ? "" : native);
        (void)snprintf(event->reason, sizeof event->reason, "%s", reason ? reason : "");
    }
    return count;
}
