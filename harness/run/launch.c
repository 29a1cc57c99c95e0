// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "run/launch.h"

#include "common/clock.h"
#include "run/interrupt.h"
#include "run/protocol.h"
#include "run/stack_dump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Above the descriptors that the worker is given, so that placing one never closes another.
enum { LOWEST_PIPE_DESCRIPTOR = 10, PIPE_COUNT = 3, READ_BLOCK_BYTES = 4096 };
enum { PIPE_REQUEST, PIPE_ANSWER, PIPE_OUTPUT };
enum { EXIT_NOT_EXECUTABLE = 127 };
static const double stack_time_ns = 0.2e9; // for a worker that hangs to say where

typedef struct Pipe {
    int read_end, write_end; // -1 when closed
} Pipe;

typedef struct Launch {
    Pipe pipes[PIPE_COUNT];
    pid_t child;
    sigset_t caller_mask;
    struct sigaction caller_child_action;
    double deadline_ns;
    double worker_cpu_ns;
    size_t output_length;
    WorkerEnd *end;
} Launch;

static void close_end(int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
    *descriptor = -1;
}

static bool open_pipe(Pipe *out)
{
    int low[2];
    if (pipe2(low, O_CLOEXEC) != 0)
        return false;
    out->read_end = fcntl(low[0], F_DUPFD_CLOEXEC, LOWEST_PIPE_DESCRIPTOR);
    out->write_end = fcntl(low[1], F_DUPFD_CLOEXEC, LOWEST_PIPE_DESCRIPTOR);
    (void)close(low[0]);
    (void)close(low[1]);
    return out->read_end >= 0 && out->write_end >= 0;
}

// The request fits the pipe, so that it is there before the worker is and nobody waits for anybody.
static bool prepare_pipes(Launch *launch, const char *request)
{
    for (int i = 0; i < PIPE_COUNT; i++)
        if (!open_pipe(&launch->pipes[i]))
            return false;
    const size_t length = strlen(request);
    const ssize_t written = write(launch->pipes[PIPE_REQUEST].write_end, request, length);
    close_end(&launch->pipes[PIPE_REQUEST].write_end);
    return written == (ssize_t)length &&
           fcntl(launch->pipes[PIPE_ANSWER].read_end, F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(launch->pipes[PIPE_OUTPUT].read_end, F_SETFL, O_NONBLOCK) == 0;
}

// SIGCHLD must end ppoll: it needs a handler, and to be let in only there.
static void ignore_signal(int number)
{
    (void)number;
}

static void hold_signals(Launch *launch)
{
    struct sigaction action = {.sa_handler = ignore_signal};
    sigset_t held;
    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGCHLD);
    (void)sigaddset(&held, SIGINT);
    (void)sigaddset(&held, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &held, &launch->caller_mask);
    (void)sigaction(SIGCHLD, &action, &launch->caller_child_action);
}

static void release_signals(const Launch *launch)
{
    (void)sigaction(SIGCHLD, &launch->caller_child_action, NULL);
    (void)sigprocmask(SIG_SETMASK, &launch->caller_mask, NULL);
}

_Noreturn static void refuse_start(const char *what, const char *which)
{
    (void)dprintf(STDERR_FILENO, "cannot %s %s: %s\n", what, which, strerror(errno));
    _exit(EXIT_NOT_EXECUTABLE);
}

// In the child: nothing but system calls between fork and exec.
_Noreturn static void become_worker(const Launch *launch, const char *program,
                                    const LaunchLimits *limits, pid_t parent)
{
    const struct rlimit no_core = {0, 0};
    const struct rlimit space = {limits->memory_bytes, limits->memory_bytes};
    char name[] = "hyperion-worker";
    char *const arguments[] = {name, NULL};
    (void)setpgid(0, 0);
    // A runner that is killed takes its worker along.
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_NOT_EXECUTABLE);
    if (dup2(launch->pipes[PIPE_REQUEST].read_end, STDIN_FILENO) < 0 ||
        dup2(launch->pipes[PIPE_OUTPUT].write_end, STDOUT_FILENO) < 0 ||
        dup2(launch->pipes[PIPE_OUTPUT].write_end, STDERR_FILENO) < 0 ||
        dup2(launch->pipes[PIPE_ANSWER].write_end, PROTOCOL_ANSWER_DESCRIPTOR) < 0)
        refuse_start("connect", program);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    if (limits->memory_bytes && setrlimit(RLIMIT_AS, &space) != 0)
        refuse_start("limit the memory of", program);
    (void)sigprocmask(SIG_SETMASK, &launch->caller_mask, NULL);
    (void)execv(program, arguments);
    refuse_start("execute", program);
}

static void kill_worker(Launch *launch, WorkerEnding ending)
{
    launch->end->ending = ending;
    launch->deadline_ns = clock_monotonic_ns() + 1e9; // its end is near
    (void)kill(-launch->child, SIGKILL);
}

// Moves what is there into end->answer; false when it is more than a worker may say.
static bool drain_answer(Launch *launch)
{
    WorkerEnd *end = launch->end;
    for (;;) {
        char *grown = realloc(end->answer, end->answer_length + READ_BLOCK_BYTES);
        if (!grown)
            return false;
        end->answer = grown;
        const ssize_t got =
            read(launch->pipes[PIPE_ANSWER].read_end, grown + end->answer_length, READ_BLOCK_BYTES);
        if (got == 0)
            close_end(&launch->pipes[PIPE_ANSWER].read_end);
        if (got <= 0)
            return true;
        end->answer_length += (size_t)got;
        if (end->answer_length > PROTOCOL_ANSWER_LIMIT_BYTES)
            return false;
    }
}

static void keep_output(Launch *launch, const char *bytes, size_t count)
{
    char *kept = launch->end->output;
    const size_t room = sizeof launch->end->output - 1;
    for (size_t i = 0; i < count; i++) {
        if (launch->output_length == room) {
            // Drops the older half: the last words matter.
            memmove(kept, kept + room / 2, room - room / 2);
            launch->output_length = room - room / 2;
        }
        const char c = bytes[i];
        kept[launch->output_length++] = (char)(c < ' ' ? ' ' : c > '~' ? '?' : c);
    }
    kept[launch->output_length] = '\0';
}

// At most one pipe's worth a call, so that a babbling worker cannot keep the runner from its clock.
static void drain_output(Launch *launch)
{
    char block[READ_BLOCK_BYTES];
    for (int i = 0; i < 16 && launch->pipes[PIPE_OUTPUT].read_end >= 0; i++) {
        const ssize_t got = read(launch->pipes[PIPE_OUTPUT].read_end, block, sizeof block);
        if (got == 0)
            close_end(&launch->pipes[PIPE_OUTPUT].read_end);
        if (got <= 0)
            return;
        keep_output(launch, block, (size_t)got);
    }
}

static void wait_for_event(const Launch *launch)
{
    struct pollfd files[] = {
        {.fd = launch->pipes[PIPE_ANSWER].read_end, .events = POLLIN},
        {.fd = launch->pipes[PIPE_OUTPUT].read_end, .events = POLLIN},
    };
    double left_ns = launch->deadline_ns - clock_monotonic_ns();
    if (left_ns < 0)
        left_ns = 0;
    const struct timespec timeout = {(time_t)(left_ns / 1e9),
                                     (long)(left_ns - 1e9 * (double)(time_t)(left_ns / 1e9))};
    sigset_t open_mask = launch->caller_mask;
    (void)sigdelset(&open_mask, SIGCHLD);
    (void)sigdelset(&open_mask, SIGINT);
    (void)sigdelset(&open_mask, SIGTERM);
    (void)ppoll(files, sizeof files / sizeof *files, &timeout, &open_mask);
}

// True when the worker has ended; it is not reaped, so that its process group still has its number.
static bool has_ended(const Launch *launch)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)launch->child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == launch->child;
}

// Out of time: it may say where it is, then it has to go.
static void ask_for_stack(Launch *launch)
{
    launch->end->ending = WORKER_TIMED_OUT;
    launch->deadline_ns = clock_monotonic_ns() + stack_time_ns;
    (void)kill(launch->child, STACK_DUMP_SIGNAL);
}

static void check_time(Launch *launch)
{
    const WorkerEnding ending = launch->end->ending;
    const bool late = clock_monotonic_ns() >= launch->deadline_ns;
    if (ending == WORKER_EXITED && interrupt_insisted())
        kill_worker(launch, WORKER_INTERRUPTED);
    else if (ending == WORKER_EXITED && late)
        ask_for_stack(launch);
    else if (late)
        kill_worker(launch, ending);
}

static void watch_worker(Launch *launch)
{
    while (!has_ended(launch)) {
        check_time(launch);
        wait_for_event(launch);
        drain_output(launch);
        if (launch->pipes[PIPE_ANSWER].read_end >= 0 && !drain_answer(launch)) {
            close_end(&launch->pipes[PIPE_ANSWER].read_end);
            kill_worker(launch, WORKER_OVERFLOWED);
        }
    }
}

static double to_ns(struct timeval time)
{
    return (double)time.tv_sec * 1e9 + (double)time.tv_usec * 1e3;
}

static void reap_worker(Launch *launch)
{
    int status = 0;
    struct rusage usage = {0};
    (void)kill(-launch->child, SIGKILL); // what it started and left behind
    while (wait4(launch->child, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    launch->worker_cpu_ns = to_ns(usage.ru_utime) + to_ns(usage.ru_stime);
    drain_output(launch);
    if (launch->pipes[PIPE_ANSWER].read_end >= 0 && !drain_answer(launch) &&
        launch->end->ending == WORKER_EXITED)
        launch->end->ending = WORKER_OVERFLOWED;
    if (launch->end->ending != WORKER_EXITED)
        return;
    if (WIFSIGNALED(status))
        launch->end->ending = WORKER_SIGNALLED;
    launch->end->code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

void worker_launch(const char *program, const char *request, const LaunchLimits *limits,
                   WorkerEnd *end)
{
    Launch launch = {.pipes = {{-1, -1}, {-1, -1}, {-1, -1}}, .end = end};
    *end = (WorkerEnd){.ending = WORKER_NOT_STARTED, .started_unix_s = clock_unix_s()};
    const Conditions before = conditions_read("", limits->cpus, limits->cpu_count);
    const double start_ns = clock_monotonic_ns();
    launch.deadline_ns = start_ns + limits->timeout_ns;
    const pid_t parent = getpid();
    hold_signals(&launch);
    launch.child = prepare_pipes(&launch, request) ? fork() : -1;
    if (launch.child == 0)
        become_worker(&launch, program, limits, parent);
    if (launch.child < 0) {
        (void)snprintf(end->output, sizeof end->output, "%s", strerror(errno));
    } else {
        end->ending = WORKER_EXITED;
        (void)setpgid(launch.child, launch.child); // whoever of the two comes first
        close_end(&launch.pipes[PIPE_REQUEST].read_end);
        close_end(&launch.pipes[PIPE_ANSWER].write_end);
        close_end(&launch.pipes[PIPE_OUTPUT].write_end);
        watch_worker(&launch);
        reap_worker(&launch);
    }
    end->life_ns = clock_monotonic_ns() - start_ns;
    const Conditions after = conditions_read("", limits->cpus, limits->cpu_count);
    end->disturbance = conditions_between(&before, &after, launch.worker_cpu_ns, end->life_ns);
    release_signals(&launch);
    for (int i = 0; i < PIPE_COUNT; i++) {
        close_end(&launch.pipes[i].read_end);
        close_end(&launch.pipes[i].write_end);
    }
}
