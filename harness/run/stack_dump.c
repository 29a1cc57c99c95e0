// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "run/stack_dump.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// The handler and the signal trampoline stand above what was interrupted.
enum { DEPTH = 12, OWN_FRAMES = 2, STATUS_OF_DUMP = 124 };

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void format_frame(char *text, size_t bytes, const void *frame)
{
    Dl_info info;
    if (dladdr(frame, &info) == 0) {
        (void)snprintf(text, bytes, "%p", frame);
        return;
    }
    const bool named = info.dli_sname != NULL;
    const char *base = named ? info.dli_saddr : info.dli_fbase;
    (void)snprintf(text, bytes, "%.60s+0x%zx", named ? info.dli_sname : last_part(info.dli_fname),
                   (size_t)((const char *)frame - base));
}

// Not by the book, which lets a handler call hardly anything: the process is lost anyway, and where
// this hangs too the runner kills it.
static void dump_stack(int number)
{
    void *frames[DEPTH];
    char text[512] = "stack:";
    size_t used = strlen(text);
    const int count = backtrace(frames, DEPTH);
    (void)number;
    for (int i = OWN_FRAMES; i < count && used < sizeof text - 1; i++) {
        char frame[96];
        format_frame(frame, sizeof frame, frames[i]);
        const int added =
            snprintf(text + used, sizeof text - used, "%s %s", i > OWN_FRAMES ? " <" : "", frame);
        used = added < 0 || used + (size_t)added >= sizeof text ? sizeof text - 1
                                                                : used + (size_t)added;
    }
    text[used < sizeof text - 1 ? used++ : used] = '\n';
    (void)!write(STDERR_FILENO, text, used);
    _exit(STATUS_OF_DUMP);
}

void stack_dump_install(void)
{
    void *frame;
    struct sigaction action = {.sa_handler = dump_stack};
    (void)backtrace(&frame, 1); // loads what it needs while there is time
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(STACK_DUMP_SIGNAL, &action, NULL);
}
