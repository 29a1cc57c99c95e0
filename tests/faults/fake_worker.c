// SPDX-License-Identifier: Apache-2.0
// fake_worker.c - a worker that measures nothing and misbehaves as its cell asks (faults.def); a
// cell that asks for nothing gets an answer with made-up times.
#define _GNU_SOURCE
#include "run/protocol.h"
#include "run/stack_dump.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FAULT(NAME, reason) FAULT_##NAME,
enum {
    FAULT_NONE,
#include "faults.def"
    FAULT_COUNT
};
#undef FAULT

static void say(const char *text)
{
    const size_t length = strlen(text);
    if (write(PROTOCOL_ANSWER_DESCRIPTOR, text, length) != (ssize_t)length)
        _exit(99);
}

static void answer(const WorkerRequest *request)
{
    Sample outcome = sample_empty();
    outcome.ok = true;
    outcome.iterations = request->task == SAMPLE_PILOT ? 10 : request->iterations;
    if (sample_task_is_timed(request->task)) {
        outcome.real_count = (size_t)request->repetitions;
        outcome.real_ns = calloc(outcome.real_count, sizeof *outcome.real_ns);
        outcome.cpu_ns = calloc(outcome.real_count, sizeof *outcome.cpu_ns);
        for (size_t i = 0; i < outcome.real_count; i++)
            outcome.real_ns[i] = outcome.cpu_ns[i] = 1000;
    }
    char *line = answer_write(&outcome);
    say(line);
    free(line);
    sample_clear(&outcome);
}

static void die_of(int number)
{
    (void)signal(number, SIG_DFL); // sanitizers have handlers
    (void)raise(number);
}

// Takes memory until there is none, as a workload that is too large does.
static void eat_memory(void)
{
    enum { BLOCK_BYTES = 1 << 20, MOST_BLOCKS = 4096 };
    for (int i = 0; i < MOST_BLOCKS; i++) {
        char *block = malloc(BLOCK_BYTES);
        if (!block) {
            (void)fprintf(stderr, "out of memory after %d MiB\n", i);
            abort();
        }
        memset(block, 1, BLOCK_BYTES);
    }
}

// Not static: the stack of a worker that hangs must name it.
__attribute__((noinline)) void hang_for_ever(void);
void hang_for_ever(void)
{
    for (;;)
        (void)pause();
}

static void misbehave(int fault, const WorkerRequest *request)
{
    switch (fault) {
    case FAULT_CRASH: die_of(SIGSEGV); break;
    case FAULT_ABORT:
        (void)fprintf(stderr, "assertion `fake' failed\n");
        die_of(SIGABRT);
        break;
    case FAULT_HANG: hang_for_ever(); break;
    case FAULT_STOP: (void)raise(SIGSTOP); break;
    case FAULT_BABBLE:
        for (;;)
            puts("on and on");
    case FAULT_OUT_OF_MEMORY_KILL: (void)raise(SIGKILL); break;
    case FAULT_GARBAGE: say("\x80\xff rubbish\n"); break;
    case FAULT_SILENCE: break;
    case FAULT_HALF_LINE: say("{\"protocol\":2"); break;
    case FAULT_TWO_LINES:
        answer(request);
        answer(request);
        break;
    case FAULT_OTHER_PROTOCOL: say("{\"protocol\":9}\n"); break;
    case FAULT_MISSING_MEMBER: say("{\"protocol\":2,\"ok\":true,\"iterations\":1}\n"); break;
    case FAULT_ENDLESS_ANSWER:
        for (;;)
            say("and so on ");
    case FAULT_STATUS: (void)fprintf(stderr, "about to give up\n"); exit(3);
    case FAULT_STATUS_AFTER_ANSWER: answer(request); exit(3);
    case FAULT_REFUSAL:
        say("{\"protocol\":2,\"ok\":false,\"reason\":\"no such thing\",\"iterations\":0,"
            "\"real_ns\":[],\"cpu_ns\":[],\"values\":[],\"cpu\":null,\"minor_faults\":null,"
            "\"major_faults\":null,\"voluntary_switches\":null,\"involuntary_switches\":null,"
            "\"peak_rss_kib\":null}\n");
        break;
    default: eat_memory(); break;
    }
}

int main(void)
{
    static char input[PROTOCOL_REQUEST_LIMIT_BYTES];
    ReceivedRequest received;
    Problem problem = {0};
    stack_dump_install();
    const size_t length = fread(input, 1, sizeof input, stdin);
    if (!request_read(input, length, &received, &problem)) {
        (void)fprintf(stderr, "%s\n", problem.text);
        return EXIT_FAILURE;
    }
    const WorkerRequest *request = &received.request;
    const int fault = (int)request->cell.values[AXIS_M].integer - 1;
    const bool now = request->cell.values[AXIS_N].integer == (long long)request->task + 1;
    // A pause, so that there is a time to be killed in; in milliseconds what is asked for by k.
    const long long k = request->cell.values[AXIS_K].integer;
    const struct timespec pause = {0, (k < 100 ? 2 : k) * 1000000};
    (void)nanosleep(&pause, NULL);
    if (fault != FAULT_NONE && now)
        misbehave(fault, request);
    else
        answer(request);
    request_clear(&received);
    // Hundreds of these end in one test: without a search for leaks in each.
    _exit(EXIT_SUCCESS);
}
