// SPDX-License-Identifier: Apache-2.0
// The levels that are private to a core are told of its touches at once. What they fetch and give
// up goes to the shared ones as events: at once too, or, while tasks run one after another for
// threads that would run side by side, when all are done, merged by how far each thread had come.
#include "cache/cache_simulator.h"

#include "model/thread_pool.h"

#include <stdlib.h>

static bool is_victim_level(const HyperionSimulator *simulator, int level)
{
    return level + 1 == simulator->assumptions.victim_level;
}

// Makes the first copy in levels first .. end - 1 dirty; false where none has one.
static bool mark_dirty(const HypSimulatorThread *thread, int first, int end, uint64_t line)
{
    for (int i = first; i < end; i++)
        if (hyp_cache_mark(&thread->path[i]->sets, line, true))
            return true;
    return false;
}

static void keep_victim(HyperionSimulator *simulator, const HypSimulatorThread *thread,
                        uint64_t entry)
{
    HypCacheInstance *keeper = thread->path[simulator->assumptions.victim_level - 1];
    uint64_t evicted = 0;
    if (!hyp_cache_access(&keeper->sets, hyp_entry_line(entry), entry & HYP_ENTRY_DIRTY, &evicted))
        keeper->counters.fills++;
    if (evicted & HYP_ENTRY_DIRTY) {
        keeper->counters.write_backs++;
        simulator->memory_writes++;
    }
}

static void handle_event(HyperionSimulator *simulator, HypSimulatorThread *thread,
                         const HypCacheEvent *event);

// To the shared levels, in order with the other threads' events. Without memory to keep it, at
// once.
static void send_event(HyperionSimulator *simulator, HypSimulatorThread *thread,
                       HypCacheEventKind kind, uint64_t entry)
{
    const HypCacheEvent event = {thread->position, entry, kind};
    if (simulator->deferring && thread->event_count == thread->event_capacity) {
        const size_t capacity = thread->event_capacity ? 2 * thread->event_capacity : 4096;
        HypCacheEvent *events = realloc(thread->events, capacity * sizeof *events);
        if (events) {
            thread->events = events;
            thread->event_capacity = capacity;
        }
    }
    if (simulator->deferring && thread->event_count < thread->event_capacity)
        thread->events[thread->event_count++] = event;
    else
        handle_event(simulator, thread, &event);
}

// The first level's copy leaves one of the levels before `end`.
static void give_up(HyperionSimulator *simulator, HypSimulatorThread *thread, int level, int end,
                    uint64_t entry)
{
    if (entry & HYP_ENTRY_DIRTY)
        thread->path[level]->counters.write_backs++;
    if (is_victim_level(simulator, level + 1)) {
        if (level + 1 < end)
            keep_victim(simulator, thread, entry);
        else
            send_event(simulator, thread, HYP_EVENT_VICTIM, entry);
        return;
    }
    const uint64_t line = hyp_entry_line(entry);
    if (!(entry & HYP_ENTRY_DIRTY) || mark_dirty(thread, level + 1, end, line))
        return;
    if (end < simulator->level_count)
        send_event(simulator, thread, HYP_EVENT_WRITE_BACK, entry);
    else
        simulator->memory_writes++;
}

// The victim level gives the line up, if it has it.
static bool take_back(const HypSimulatorThread *thread, int level, uint64_t line, uint64_t demand)
{
    HypCacheInstance *keeper = thread->path[level];
    const uint64_t entry = hyp_cache_take(&keeper->sets, line);
    keeper->counters.accesses += demand;
    keeper->counters.misses += entry ? 0 : demand;
    if (entry & HYP_ENTRY_DIRTY)
        (void)mark_dirty(thread, level - 1, level, line);
    return entry != 0;
}

// Looks for the line in the levels first .. end - 1, and puts it into those that miss it.
static bool look_up(HyperionSimulator *simulator, HypSimulatorThread *thread, int first, int end,
                    uint64_t line, HyperionTouch kind)
{
    const uint64_t demand = kind == HYPERION_TOUCH_PREFETCH ? 0 : 1;
    uint64_t dirty = kind == HYPERION_TOUCH_WRITE ? HYP_ENTRY_DIRTY : 0;
    uint64_t leaving = 0; // for the victim level, which is asked for the line first
    bool found = false;
    for (int i = first; i < end && !found; i++) {
        if (is_victim_level(simulator, i)) {
            found = take_back(thread, i, line, demand);
            break; // there is none further out
        }
        HypCacheInstance *instance = thread->path[i];
        uint64_t victim = 0;
        instance->counters.accesses += demand;
        found = hyp_cache_access(&instance->sets, line, dirty, &victim);
        if (found)
            break;
        dirty = 0; // further out the line is as memory has it
        instance->counters.misses += demand;
        instance->counters.fills++;
        if (victim && is_victim_level(simulator, i + 1))
            leaving = victim;
        else if (victim & HYP_ENTRY_DIRTY)
            give_up(simulator, thread, i, end, victim);
    }
    if (!found && end < simulator->level_count)
        send_event(simulator, thread, demand ? HYP_EVENT_FETCH : HYP_EVENT_PREFETCH,
                   hyp_entry_make(line));
    else if (!found)
        simulator->memory_reads++;
    if (leaving)
        give_up(simulator, thread, simulator->assumptions.victim_level - 2, end, leaving);
    return found;
}

static void handle_event(HyperionSimulator *simulator, HypSimulatorThread *thread,
                         const HypCacheEvent *event)
{
    const int first = simulator->private_levels;
    const int end = simulator->level_count;
    const uint64_t line = hyp_entry_line(event->entry);
    switch (event->kind) {
    case HYP_EVENT_FETCH:
        (void)look_up(simulator, thread, first, end, line, HYPERION_TOUCH_READ);
        break;
    case HYP_EVENT_PREFETCH:
        (void)look_up(simulator, thread, first, end, line, HYPERION_TOUCH_PREFETCH);
        break;
    case HYP_EVENT_WRITE_BACK:
        if (!mark_dirty(thread, first, end, line))
            simulator->memory_writes++;
        break;
    case HYP_EVENT_VICTIM: keep_victim(simulator, thread, event->entry); break;
    }
}

// Takes the line out of the caches that other threads have and this one has not.
static void invalidate_others(HyperionSimulator *simulator, const HypSimulatorThread *own,
                              uint64_t line)
{
    for (int i = 0; i < simulator->level_count; i++) {
        const HypSimulatorLevel *level = &simulator->levels[i];
        for (int k = 0; k < level->instance_count; k++)
            if (&level->instances[k] != own->path[i])
                (void)hyp_cache_take(&level->instances[k].sets, line);
    }
}

// Before this thread fetches the line: who has it dirty writes it back and keeps it clean.
static void clean_others(HyperionSimulator *simulator, const HypSimulatorThread *own, uint64_t line)
{
    for (int t = 0; t < simulator->thread_count; t++) {
        HypSimulatorThread *other = &simulator->threads[t];
        bool dirty = false;
        for (int i = 0; i < simulator->private_levels && other != own; i++) {
            const uint64_t before = hyp_cache_mark(&other->path[i]->sets, line, false);
            other->path[i]->counters.write_backs += before & HYP_ENTRY_DIRTY;
            dirty = dirty || (before & HYP_ENTRY_DIRTY);
        }
        if (dirty)
            send_event(simulator, other, HYP_EVENT_WRITE_BACK, hyp_entry_make(line));
    }
}

static bool holds_dirty(const HypCacheInstance *instance, uint64_t line)
{
    return hyp_cache_find(&instance->sets, line) & HYP_ENTRY_DIRTY;
}

// What one thread's touch means for the others, done before it.
static void agree_with_others(HyperionSimulator *simulator, const HypSimulatorThread *thread,
                              uint64_t line, HyperionTouch kind)
{
    if (kind == HYPERION_TOUCH_STREAM ||
        (kind == HYPERION_TOUCH_WRITE && !holds_dirty(thread->path[0], line)))
        invalidate_others(simulator, thread, line);
    else if (kind != HYPERION_TOUCH_WRITE && !hyp_cache_find(&thread->path[0]->sets, line))
        clean_others(simulator, thread, line);
}

// Past all levels, which lose the line.
static void stream_line(HyperionSimulator *simulator, const HypSimulatorThread *thread,
                        uint64_t line)
{
    for (int i = 0; i < simulator->level_count; i++)
        (void)hyp_cache_take(&thread->path[i]->sets, line);
    simulator->memory_writes++;
}

// Bijective, so that no two pages meet: both steps can be undone. Frames have 46 bits.
static uint64_t find_frame(uint64_t page, uint64_t seed)
{
    const uint64_t mask = ((uint64_t)1 << 46) - 1;
    uint64_t frame = (page ^ seed) & mask;
    frame = frame * 0x9e3779b97f4a7c15U & mask;
    frame ^= frame >> 23;
    frame = frame * 0xbf58476d1ce4e5b9U & mask;
    return frame ^ frame >> 23;
}

static uint64_t place_line(HyperionSimulator *simulator, uint64_t line)
{
    if (simulator->assumptions.placement == HYPERION_PLACEMENT_CONTIGUOUS)
        return line;
    const uint64_t page = line >> simulator->page_shift;
    if (page != simulator->page) {
        simulator->page = page;
        simulator->frame = find_frame(page, simulator->assumptions.placement_seed);
    }
    return simulator->frame << simulator->page_shift |
           (line & (((uint64_t)1 << simulator->page_shift) - 1));
}

// Whether a touch changes nothing and counts for nothing after the one before.
static inline bool is_same_access(const HypSimulatorThread *thread, uint64_t line,
                                  HyperionTouch kind)
{
    return line == thread->last_line &&
           (kind == thread->last_kind ||
            (kind == HYPERION_TOUCH_READ && thread->last_kind == HYPERION_TOUCH_WRITE));
}

static inline void note_touch(HypSimulatorThread *thread, uint64_t line, HyperionTouch kind)
{
    thread->last_line = line;
    thread->last_kind = kind;
    thread->position++;
}

static void touch_line(HyperionSimulator *simulator, uint64_t virtual_line, HyperionTouch kind)
{
    HypSimulatorThread *thread = simulator->current;
    simulator->prefetches += kind == HYPERION_TOUCH_PREFETCH ? 1 : 0;
    if (is_same_access(thread, virtual_line, kind))
        return;
    const uint64_t line = place_line(simulator, virtual_line);
    note_touch(thread, virtual_line, kind);
    if (simulator->thread_count > 1)
        agree_with_others(simulator, thread, line, kind);
    if (kind == HYPERION_TOUCH_STREAM)
        stream_line(simulator, thread, line);
    else
        (void)look_up(simulator, thread, 0, simulator->private_levels, line, kind);
}

// Puts a line that the first level has not into it, where the simulator is direct.
static __attribute__((noinline)) void fetch_direct(HyperionSimulator *simulator, uint64_t line,
                                                   HyperionTouch kind)
{
    HypSimulatorThread *thread = simulator->current;
    HypCacheInstance *nearest = thread->path[0];
    const int end = simulator->private_levels;
    const bool prefetches = kind == HYPERION_TOUCH_PREFETCH;
    const uint64_t victim =
        hyp_cache_fill(&nearest->sets, line, kind == HYPERION_TOUCH_WRITE ? HYP_ENTRY_DIRTY : 0);
    nearest->counters.misses += !prefetches;
    nearest->counters.fills++;
    if (victim & HYP_ENTRY_DIRTY)
        give_up(simulator, thread, 0, end, victim);
    (void)look_up(simulator, thread, 1, end, line,
                  prefetches ? HYPERION_TOUCH_PREFETCH : HYPERION_TOUCH_READ);
}

// As touch_line where the simulator is direct: most touches are of lines that the first level has.
static inline void touch_direct(HyperionSimulator *simulator, uint64_t line, HyperionTouch kind)
{
    HypSimulatorThread *thread = simulator->current;
    HypCacheInstance *nearest = thread->path[0];
    const bool prefetches = kind == HYPERION_TOUCH_PREFETCH;
    simulator->prefetches += prefetches;
    if (is_same_access(thread, line, kind))
        return;
    note_touch(thread, line, kind);
    nearest->counters.accesses += !prefetches;
    if (!hyp_cache_hit(&nearest->sets, line, kind == HYPERION_TOUCH_WRITE ? HYP_ENTRY_DIRTY : 0))
        fetch_direct(simulator, line, kind);
}

static __attribute__((noinline)) void touch_lines(HyperionSimulator *simulator, uint64_t first,
                                                  uint64_t last, HyperionTouch kind)
{
    const bool direct = simulator->direct && kind != HYPERION_TOUCH_STREAM;
    for (uint64_t line = first; line <= last; line++)
        if (direct)
            touch_direct(simulator, line, kind);
        else
            touch_line(simulator, line, kind);
}

// Reads the line where it is known to be the most recent of its set; false where it is not.
static inline bool read_recent(const HyperionSimulator *simulator, uint64_t line)
{
    HypSimulatorThread *thread = simulator->current;
    HypCacheInstance *nearest = thread->path[0];
    if (!simulator->direct || !hyp_cache_is_recent(&nearest->sets, line))
        return false;
    if (is_same_access(thread, line, HYPERION_TOUCH_READ))
        return true;
    nearest->counters.accesses++;
    note_touch(thread, line, HYPERION_TOUCH_READ);
    return true;
}

void hyperionSimulatorTouch(HyperionSimulator *simulator, uintptr_t address, size_t bytes,
                            HyperionTouch kind)
{
    const uint64_t first = address >> simulator->line_shift;
    const uint64_t last = (address + bytes - 1) >> simulator->line_shift;
    if (bytes == 0)
        return;
    if (first == last && kind == HYPERION_TOUCH_READ && read_recent(simulator, first))
        return;
    touch_lines(simulator, first, last, kind);
}

static void merge_events(HyperionSimulator *simulator)
{
    simulator->deferring = false;
    for (;;) {
        HypSimulatorThread *next = NULL;
        for (int t = 0; t < simulator->thread_count; t++) {
            HypSimulatorThread *thread = &simulator->threads[t];
            if (thread->merged < thread->event_count &&
                (!next ||
                 thread->events[thread->merged].position < next->events[next->merged].position))
                next = thread;
        }
        if (!next)
            break;
        handle_event(simulator, next, &next->events[next->merged++]);
    }
    for (int t = 0; t < simulator->thread_count; t++) {
        HypSimulatorThread *thread = &simulator->threads[t];
        thread->position = thread->event_count = thread->merged = 0;
        thread->last_line = UINT64_MAX; // others have been at work since
    }
}

// A run inside a task is one thread's.
static void run_tasks(void *pool, size_t count, HyperionParallelTask task, void *context)
{
    HyperionSimulator *simulator = pool;
    const bool nested = simulator->deferring;
    simulator->deferring = true;
    for (size_t i = 0; i < count; i++) {
        if (!nested)
            simulator->current = &simulator->threads[i % (size_t)simulator->thread_count];
        task(context, i);
    }
    if (nested)
        return;
    simulator->current = &simulator->threads[0];
    merge_events(simulator);
}

HyperionParallel hyperionSimulatorParallel(HyperionSimulator *simulator)
{
    return (HyperionParallel){.threads = simulator ? (size_t)simulator->thread_count : 1,
                              .least_work = HYP_LEAST_WORK,
                              .run = run_tasks,
                              .pool = simulator};
}
