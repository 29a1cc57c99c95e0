// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "run/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t requests;

static void note_interrupt(int number)
{
    static const char finishing[] = "\nstopping after this sample; once more stops at once\n";
    (void)number;
    const int error = errno;
    if (requests++ == 0)
        (void)!write(STDERR_FILENO, finishing, sizeof finishing - 1); // or nobody is there to tell
    errno = error;
}

void interrupt_install(void)
{
    struct sigaction action = {.sa_handler = note_interrupt};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&ignore.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGXFSZ, &ignore, NULL);
}

bool interrupt_requested(void)
{
    return requests > 0;
}

bool interrupt_insisted(void)
{
    return requests > 1;
}
