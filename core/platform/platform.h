// SPDX-License-Identifier: Apache-2.0
// platform.h - the whole contract with the operating system and the CPU. No OS header anywhere else
// in core. Functions that can fail return false or NULL with the last error set.
#ifndef HYP_PLATFORM_H
#define HYP_PLATFORM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A huge page where they are smallest; memory of whole ones begins at a multiple.
#define HYP_HUGE_PAGE_BYTES ((size_t)2 << 20)

// `size_bytes` (may be 0) at a multiple of `alignment` (power of two, >= 64), not initialised.
void *hyp_platform_allocate(size_t size_bytes, size_t alignment);
void hyp_platform_release(void *memory); // NULL is allowed
// Asks for huge pages under memory that was not touched yet; it works as well without.
void hyp_platform_prefer_huge_pages(void *memory, size_t size_bytes);

// Whole pages from the system, zeroed and present, huge ones where it can, and straight back to it:
// no allocator keeps them. Multiples of 4096 bytes, more than 0.
void *hyp_platform_map(size_t size_bytes);
void hyp_platform_unmap(void *memory, size_t size_bytes); // NULL is allowed
// Another size, perhaps in another place, of the same pages as far as they go; what they hold
// counts no more. NULL: as it was.
void *hyp_platform_remap(void *memory, size_t old_bytes, size_t size_bytes);

// A regular file opened for reading; anything else (folder, pipe, device) is refused. Positioned
// reads only, so that several threads may share it.
typedef struct HypFile HypFile;
HypFile *hyp_platform_open(const char *path);
// A file that another, at `path`, names by a path relative to its own folder: one that leads out of
// the folder, also by a link, is refused.
HypFile *hyp_platform_open_beside(const char *path, const char *relative);
void hyp_platform_close(HypFile *file);                // NULL is allowed
uint64_t hyp_platform_file_bytes(const HypFile *file); // at the time it was opened
// Exactly `size_bytes` from `offset`, finishing short and interrupted reads; false names the file,
// the offset, and what was expected and found.
bool hyp_platform_read(const HypFile *file, uint64_t offset, void *buffer, size_t size_bytes);
// False, saying what differs, if the size or the time of the last write is not that of the opening.
bool hyp_platform_file_unchanged(const HypFile *file);

// What reads have to do with the page cache.
typedef enum HypFileAccess {
    HYP_ACCESS_AHEAD,     // they go through it, and the system reads ahead
    HYP_ACCESS_NO_AHEAD,  // they go through it, and it gets what is asked for alone
    HYP_ACCESS_UNBUFFERED // they pass it by: offset, length and memory at multiples of
                          // HYP_READ_ALIGNMENT
} HypFileAccess;
#define HYP_READ_ALIGNMENT ((size_t)4096)

// The same file once more, whatever became of its name, to be read in another way.
HypFile *hyp_platform_reopen(const HypFile *file, HypFileAccess access);
// Has the page cache forget a part of the file, and what stands around it.
bool hyp_platform_drop_cached(const HypFile *file, uint64_t offset, uint64_t size_bytes);

// Positioned reads of which several are under way at a time, and that end in the order in which
// they were started. One thread uses a queue.
typedef enum HypReadBackend {
    HYP_READ_URING,  // io_uring
    HYP_READ_THREADS // as many threads as there may be reads under way
} HypReadBackend;

typedef struct HypRead {
    const HypFile *file; // open until the read has ended
    uint64_t offset;
    void *memory;
    size_t size_bytes;
    size_t least_bytes; // with fewer the file ends too soon
    void *owner;        // the caller's
} HypRead;

typedef enum HypReadState {
    HYP_READ_PENDING,
    HYP_READ_DONE,
    HYP_READ_FAILED, // last error set, as by hyp_platform_read
    HYP_READ_REFUSED // last error set: the file may be read in another way
} HypReadState;

typedef struct HypReadCounts {
    uint64_t reads, bytes, shorts, retries; // as in HyperionLoaderIOStats
} HypReadCounts;

typedef struct HypReadQueue HypReadQueue;
HypReadQueue *hyp_platform_open_read_queue(HypReadBackend backend, int depth);
void hyp_platform_close_read_queue(HypReadQueue *queue); // NULL is allowed; no read is under way
bool hyp_platform_read_queue_has_room(const HypReadQueue *queue);
void hyp_platform_start_read(HypReadQueue *queue, const HypRead *read);
// Waits for the oldest read to end, or so long; short, interrupted and put off ones are finished.
// Not PENDING: it is out of the queue and in *read. At least one is under way.
HypReadState hyp_platform_await_read(HypReadQueue *queue, uint64_t timeout_ns, HypRead *read);
HypReadCounts hyp_platform_read_counts(const HypReadQueue *queue);

// A file without a name, gone when it is closed or the process ends: in `folder`, or, NULL, in
// /var/tmp, else /tmp. Reads and writes are whole, or false names the folder, the offset and why.
typedef struct HypScratch HypScratch;
HypScratch *hyp_platform_open_scratch(const char *folder);
void hyp_platform_close_scratch(HypScratch *scratch); // NULL is allowed
bool hyp_platform_write_scratch(HypScratch *scratch, uint64_t offset, const void *bytes,
                                size_t size_bytes);
bool hyp_platform_read_scratch(const HypScratch *scratch, uint64_t offset, void *bytes,
                               size_t size_bytes);

// CPUID leaf and sub-leaf, and extended control register 0, as seams: tests replace cpu_query.c.
typedef struct HypCpuidResult {
    uint32_t eax, ebx, ecx, edx;
} HypCpuidResult;
bool hyp_platform_cpuid(uint32_t leaf, uint32_t subleaf,
                        HypCpuidResult *result); // false: no such leaf
uint64_t hyp_platform_xcr0(void); // 0 where the operating system saves no extended state

// Data cache `level` (1..4) as sysconf knows it; 0 where unknown.
typedef struct HypPlatformCache {
    size_t size_bytes;
    int line_bytes;
    int ways;
} HypPlatformCache;
HypPlatformCache hyp_platform_cache(int level);

// A thread that runs body(argument), bound to one CPU unless cpu is -1; the caller joins it, once.
typedef struct HypThread HypThread;
HypThread *hyp_platform_start_thread(void (*body)(void *argument), void *argument, int cpu);
void hyp_platform_join_thread(HypThread *thread);
int hyp_platform_cpu_count(void); // that this thread may run on; at least 1

// Sleeps while *word is `value`, or less long: look again. Wakes one who sleeps so.
void hyp_platform_sleep_while(atomic_uint *word, unsigned value);
void hyp_platform_wake(atomic_uint *word);

// A lock for short sections; all zero is open. Not to be locked again by the thread that has it.
typedef struct HypLock {
    atomic_uint state; // 0: open, 1: locked, 2: locked and perhaps others wait
} HypLock;
void hyp_platform_lock(HypLock *lock);
void hyp_platform_unlock(HypLock *lock);

// A lock that one thread holds at a time, and may wait in until another notifies: then all who wait
// look again.
typedef struct HypMonitor HypMonitor;
HypMonitor *hyp_platform_create_monitor(void);
void hyp_platform_free_monitor(HypMonitor *monitor); // NULL is allowed; nobody holds it
void hyp_platform_enter(HypMonitor *monitor);
void hyp_platform_leave(HypMonitor *monitor);
void hyp_platform_wait(HypMonitor *monitor); // held before and after
void hyp_platform_notify(HypMonitor *monitor);

// Nanoseconds of a clock that never goes back.
uint64_t hyp_platform_now_ns(void);

// Tells how much memory of this process is present that no file stands behind; 0 where the system
// does not. NULL when out of memory.
typedef struct HypMemoryGauge HypMemoryGauge;
HypMemoryGauge *hyp_platform_open_gauge(void);
void hyp_platform_close_gauge(HypMemoryGauge *gauge); // NULL is allowed
size_t hyp_platform_anonymous_bytes(const HypMemoryGauge *gauge);

// Value of an environment variable, or NULL.
const char *hyp_platform_environment(const char *name);

#endif
