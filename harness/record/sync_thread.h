// SPDX-License-Identifier: Apache-2.0
// sync_thread.h - a thread that brings a file to the disk while its writer goes on: a sync takes
// milliseconds, as long as a worker takes to start.
#ifndef HYP_SYNC_THREAD_H
#define HYP_SYNC_THREAD_H

#include <pthread.h>
#include <stdbool.h>

typedef struct SyncThread {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int descriptor;
    bool requested, stopping; // under the mutex
    int error;                // errno of the first sync that failed; 0 = none
} SyncThread;

// The thread takes no signals. False, with errno set, when it cannot be started. `sync` must not
// move, and `descriptor` stay open, until sync_thread_stop.
bool sync_thread_start(SyncThread *sync, int descriptor);

// Asks for a sync of what is written by now, and returns at once.
void sync_thread_request(SyncThread *sync);

// Waits until what was asked for is done: 0, or the errno of the first sync that failed.
int sync_thread_wait(SyncThread *sync);

// Does what was asked for and ends the thread.
void sync_thread_stop(SyncThread *sync);

#endif
