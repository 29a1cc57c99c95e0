// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "read_faults.h"

#include "platform/platform_read.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

typedef ssize_t (*ReadCall)(int descriptor, void *buffer, size_t size_bytes, off_t offset);
typedef ssize_t (*VectorCall)(int descriptor, const struct iovec *places, int count, off_t offset,
                              int flags);

ssize_t pread(int descriptor, void *buffer, size_t size_bytes, off_t offset);
ssize_t pread64(int descriptor, void *buffer, size_t size_bytes, off_t offset);
ssize_t preadv2(int descriptor, const struct iovec *places, int count, off_t offset, int flags);
ssize_t preadv64v2(int descriptor, const struct iovec *places, int count, off_t offset, int flags);

static ReadFault fault;
static atomic_int read_count;

void read_faults_set(const ReadFault *set)
{
    fault = *set;
    read_count = 0;
}

// Its path; false where the descriptor is of no model file.
static bool find_path(int descriptor, char *path, size_t size_bytes)
{
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, path, size_bytes - 1);
    if (length < 0)
        return false;
    path[length] = '\0';
    return strstr(path, "hyperion-loader-") != NULL;
}

static bool is_unbuffered(int descriptor)
{
    return fcntl(descriptor, F_GETFL) & O_DIRECT;
}

// What becomes of a read that would give `result`: that, less, or an error number below 0.
static int64_t spoil(int descriptor, int64_t result, size_t size_bytes, int64_t offset)
{
    char path[512];
    if (fault.kind == READ_FAULT_NONE || !find_path(descriptor, path, sizeof path))
        return result;
    const int count = atomic_fetch_add(&read_count, 1) - fault.after;
    const int64_t step = is_unbuffered(descriptor) ? 4096 : 1;
    const int64_t third = result / 3 / step * step;
    const bool meets = offset <= fault.at && fault.at < offset + (int64_t)size_bytes;
    if (count < 0)
        return result;
    switch (fault.kind) {
    case READ_FAULT_SHORT: return result > step ? (third ? third : step) : result;
    case READ_FAULT_EINTR: return count % 3 ? -EINTR : result;
    case READ_FAULT_EAGAIN: return count % 3 ? -EAGAIN : result;
    case READ_FAULT_EINVAL: return step > 1 ? -EINVAL : result;
    case READ_FAULT_EIO: return meets ? -EIO : result;
    case READ_FAULT_TRUNCATE:
        (void)!truncate(path, fault.at);
        return offset >= fault.at ? 0 : result;
    case READ_FAULT_SLOW: (void)usleep(5000); return result;
    default: return result;
    }
}

static ssize_t give(int64_t result)
{
    errno = result < 0 ? (int)-result : errno;
    return result < 0 ? -1 : (ssize_t)result;
}

static ssize_t intercept(const char *name, int descriptor, void *buffer, size_t size_bytes,
                         off_t offset)
{
    ReadCall call;
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(&call, &symbol, sizeof call);
    const ssize_t got = call(descriptor, buffer, size_bytes, offset);
    return give(spoil(descriptor, got < 0 ? -errno : got, size_bytes, offset));
}

ssize_t pread(int descriptor, void *buffer, size_t size_bytes, off_t offset)
{
    return intercept("pread", descriptor, buffer, size_bytes, offset);
}

ssize_t pread64(int descriptor, void *buffer, size_t size_bytes, off_t offset)
{
    return intercept("pread64", descriptor, buffer, size_bytes, offset);
}

static ssize_t intercept_vector(const char *name, int descriptor, const struct iovec *places,
                                int count, off_t offset, int flags)
{
    VectorCall call;
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(&call, &symbol, sizeof call);
    const ssize_t got = call(descriptor, places, count, offset, flags);
    return give(spoil(descriptor, got < 0 ? -errno : got, places[0].iov_len, offset));
}

ssize_t preadv2(int descriptor, const struct iovec *places, int count, off_t offset, int flags)
{
    return intercept_vector("preadv2", descriptor, places, count, offset, flags);
}

ssize_t preadv64v2(int descriptor, const struct iovec *places, int count, off_t offset, int flags)
{
    return intercept_vector("preadv64v2", descriptor, places, count, offset, flags);
}

#if HYPERION_HAVE_URING
#include <liburing.h>

typedef int (*WaitCall)(struct io_uring *ring, struct io_uring_cqe **entry, unsigned count,
                        struct __kernel_timespec *limit, sigset_t *signals);
typedef int (*InitCall)(unsigned entries, struct io_uring *ring, unsigned flags);

int io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **entry,
                                     unsigned count, struct __kernel_timespec *limit,
                                     sigset_t *signals)
{
    WaitCall call;
    void *symbol = dlsym(RTLD_NEXT, "io_uring_submit_and_wait_timeout");
    memcpy(&call, &symbol, sizeof call);
    const int result = call(ring, entry, count, limit, signals);
    if (result < 0 || !*entry)
        return result;
    const HypReadTry *attempt = io_uring_cqe_get_data(*entry);
    (*entry)->res = (int)spoil(attempt->descriptor, (*entry)->res, attempt->size_bytes,
                               (int64_t)attempt->offset);
    return result;
}

int io_uring_queue_init(unsigned entries, struct io_uring *ring, unsigned flags)
{
    InitCall call;
    void *symbol = dlsym(RTLD_NEXT, "io_uring_queue_init");
    memcpy(&call, &symbol, sizeof call);
    return fault.kind == READ_FAULT_NO_RING ? -EPERM : call(entries, ring, flags);
}
#endif
