// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "record/sync_thread.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static int sync_now(int descriptor)
{
    while (fdatasync(descriptor) != 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

static void *serve(void *argument)
{
    SyncThread *sync = argument;
    (void)pthread_mutex_lock(&sync->mutex);
    while (sync->requested || !sync->stopping) {
        if (!sync->requested) {
            (void)pthread_cond_wait(&sync->changed, &sync->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&sync->mutex);
        const int error = sync_now(sync->descriptor);
        (void)pthread_mutex_lock(&sync->mutex);
        sync->requested = false;
        if (!sync->error)
            sync->error = error;
        (void)pthread_cond_broadcast(&sync->changed);
    }
    (void)pthread_mutex_unlock(&sync->mutex);
    return NULL;
}

bool sync_thread_start(SyncThread *sync, int descriptor)
{
    *sync = (SyncThread){.mutex = PTHREAD_MUTEX_INITIALIZER,
                         .changed = PTHREAD_COND_INITIALIZER,
                         .descriptor = descriptor};
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&sync->thread, NULL, serve, sync);
    const bool started = errno == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void sync_thread_request(SyncThread *sync)
{
    (void)pthread_mutex_lock(&sync->mutex);
    sync->requested = true;
    (void)pthread_cond_broadcast(&sync->changed);
    (void)pthread_mutex_unlock(&sync->mutex);
}

int sync_thread_wait(SyncThread *sync)
{
    (void)pthread_mutex_lock(&sync->mutex);
    while (sync->requested)
        (void)pthread_cond_wait(&sync->changed, &sync->mutex);
    const int error = sync->error;
    (void)pthread_mutex_unlock(&sync->mutex);
    return error;
}

void sync_thread_stop(SyncThread *sync)
{
    (void)pthread_mutex_lock(&sync->mutex);
    sync->stopping = true;
    (void)pthread_cond_broadcast(&sync->changed);
    (void)pthread_mutex_unlock(&sync->mutex);
    (void)pthread_join(sync->thread, NULL);
    (void)pthread_mutex_destroy(&sync->mutex);
    (void)pthread_cond_destroy(&sync->changed);
}
