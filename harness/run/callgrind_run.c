// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "run/callgrind_run.h"

#include "common/file.h"
#include "run/emulated_region.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

// What the emulated worker finds open, and where.
enum { FILE_REQUEST, FILE_ANSWER, FILE_COUNTS, FILE_PROGRAM, FILE_COUNT };
static const int file_places[FILE_COUNT] = {
    [FILE_REQUEST] = STDIN_FILENO,
    [FILE_ANSWER] = PROTOCOL_ANSWER_DESCRIPTOR,
    [FILE_COUNTS] = 4,
    [FILE_PROGRAM] = 5,
};
// Above those places, so that filling one never closes another.
enum { LOWEST_DESCRIPTOR = 10, COUNTS_LIMIT_BYTES = 64 << 20 };

typedef struct Emulation {
    const CallgrindRun *run;
    int files[FILE_COUNT]; // -1 when closed
    Problem *problem;
} Emulation;

// Takes `descriptor` over.
static bool keep_file(Emulation *emulation, int file, int descriptor, const char *name)
{
    if (descriptor >= 0) {
        emulation->files[file] = fcntl(descriptor, F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR);
        (void)close(descriptor);
    }
    return emulation->files[file] >= 0 ||
           problem_set(emulation->problem, "%s: %s", name, strerror(errno));
}

static bool write_request(Emulation *emulation)
{
    // The CPU is bound already, and inherited.
    WorkerRequest inner = *emulation->run->request;
    inner.cpu_count = 0;
    char *text = request_write(&inner, emulation->problem);
    if (!text)
        return false;
    const size_t length = strlen(text);
    const int file = emulation->files[FILE_REQUEST];
    const bool written =
        write(file, text, length) == (ssize_t)length && lseek(file, 0, SEEK_SET) == 0;
    free(text);
    return written || problem_set(emulation->problem, "request in memory: %s", strerror(errno));
}

static bool open_files(Emulation *emulation)
{
    const char *program = emulation->run->program;
    static const char *const in_memory[] = {"request", "answer", "counts"};
    for (int i = FILE_REQUEST; i <= FILE_COUNTS; i++)
        if (!keep_file(emulation, i, memfd_create(in_memory[i], MFD_CLOEXEC), in_memory[i]))
            return false;
    return keep_file(emulation, FILE_PROGRAM, open(program, O_RDONLY | O_CLOEXEC), program) &&
           write_request(emulation);
}

// The least environment: its length moves the stack, and with it the lines that are missed. What is
// kept decides whether the programs start at all, and at which SIMD level.
static const char *const kept_variables[] = {"HYPERION_SIMD=", "LD_LIBRARY_PATH=", "VALGRIND_LIB="};
enum { KEPT_COUNT = sizeof kept_variables / sizeof *kept_variables };

typedef struct Environment {
    char folder[PATH_MAX];  // PWD=...
    char padding[PATH_MAX]; // as much longer as that is shorter
    const char *entries[KEPT_COUNT + 4];
} Environment;

// Debian's valgrind is a shell script, and the shell exports the working folder if nobody did.
static void add_folder(Environment *environment, size_t *count)
{
    static const char name[] = "PWD=";
    static const char padding_name[] = "PAD=";
    (void)memcpy(environment->folder, name, sizeof name);
    if (!getcwd(environment->folder + sizeof name - 1, PATH_MAX - sizeof name))
        (void)memcpy(environment->folder, "PWD=/", sizeof "PWD=/");
    const size_t missing_bytes = PATH_MAX - 1 - strlen(environment->folder);
    (void)memset(environment->padding, '-', missing_bytes);
    (void)memcpy(environment->padding, padding_name, sizeof padding_name - 1);
    environment->padding[missing_bytes] = '\0';
    environment->entries[(*count)++] = environment->folder;
    environment->entries[(*count)++] = environment->padding;
}

static void fill_environment(Environment *environment)
{
    size_t count = 0;
    environment->entries[count++] = "LC_ALL=C";
    add_folder(environment, &count);
    for (size_t i = 0; i < KEPT_COUNT; i++)
        for (char **entry = environ; *entry; entry++)
            if (strncmp(*entry, kept_variables[i], strlen(kept_variables[i])) == 0) {
                environment->entries[count++] = *entry;
                break;
            }
    environment->entries[count] = NULL;
}

static int spawn_worker(const Emulation *emulation, char *const *arguments, pid_t *child)
{
    Environment environment;
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0)
        return code;
    fill_environment(&environment);
    for (int i = 0; code == 0 && i < FILE_COUNT; i++)
        code = posix_spawn_file_actions_adddup2(&actions, emulation->files[i], file_places[i]);
    if (code == 0)
        code = posix_spawnp(child, arguments[0], &actions, NULL, arguments,
                            (char *const *)(uintptr_t)environment.entries);
    (void)posix_spawn_file_actions_destroy(&actions);
    return code;
}

static bool start_callgrind(const Emulation *emulation, pid_t *child)
{
    // Of the code's own misses nothing is reported: any geometry, but the same everywhere.
    static const SimulatedCache any = {1, 32768, 8, 64};
    const SimulatedCaches *simulated = emulation->run->caches;
    const SimulatedCache *caches[] = {
        &any,
        simulated ? &simulated->first : &any,
        simulated ? &simulated->last : &any,
    };
    static const char *const cache_names[] = {"I1", "D1", "LL"};
    char cache_options[3][64];
    for (int i = 0; i < 3; i++) {
        char geometry[48];
        callgrind_format_cache(caches[i], geometry, sizeof geometry);
        (void)snprintf(cache_options[i], sizeof cache_options[i], "--%s=%s", cache_names[i],
                       geometry);
    }
    static const char toggle[] = "--toggle-collect=" EMULATED_REGION_NAME;
    const char *const arguments[] = {
        "valgrind",
        "--tool=callgrind",
        "--command-line-only=yes", // no .valgrindrc
        "--quiet",
        "--vgdb=no",
        "--callgrind-out-file=/proc/self/fd/4",
        toggle,
        simulated ? "--cache-sim=yes" : "--cache-sim=no",
        cache_options[0],
        cache_options[1],
        cache_options[2],
        // The program by its descriptor: the length of its path would move the stack.
        "/proc/self/fd/5",
        emulation->run->argument,
        NULL,
    };
    // Where this is forbidden, as in some containers, the emulator's own layout is mostly enough.
    (void)personality(ADDR_NO_RANDOMIZE);
    const int code = spawn_worker(emulation, (char *const *)(uintptr_t)arguments, child);
    if (code == ENOENT)
        return problem_set(emulation->problem, "this needs valgrind, which is not installed: "
                                               "`harness/install-deps.sh test` installs it");
    return code == 0 || problem_set(emulation->problem, "start valgrind: %s", strerror(code));
}

static bool await_end(const Emulation *emulation, pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return problem_set(emulation->problem, "wait for valgrind: %s", strerror(errno));
    if (WIFSIGNALED(status))
        return problem_set(emulation->problem, "valgrind killed by signal %d (%s)",
                           WTERMSIG(status), strsignal(WTERMSIG(status)));
    return WEXITSTATUS(status) == 0 ||
           problem_set(emulation->problem, "valgrind exited with %d", WEXITSTATUS(status));
}

static char *read_back(const Emulation *emulation, int file, size_t *length)
{
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", emulation->files[file]);
    return file_read(path, COUNTS_LIMIT_BYTES, length, emulation->problem);
}

static bool check_answer(const Emulation *emulation)
{
    size_t length = 0;
    char *text = read_back(emulation, FILE_ANSWER, &length);
    if (!text)
        return false;
    json_error_t error;
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    Sample answer = sample_empty();
    const bool read =
        json ? sample_outcome_from_json(json, &answer, emulation->problem)
             : problem_set(emulation->problem, "emulated worker: no answer: %s", error.text);
    const bool good = read && (answer.ok || problem_set(emulation->problem, "%s", answer.reason));
    sample_clear(&answer);
    json_decref(json);
    free(text);
    return good;
}

static bool take_counts(const Emulation *emulation, CallgrindReport *report)
{
    size_t length = 0;
    char *text = read_back(emulation, FILE_COUNTS, &length);
    const bool taken =
        text && callgrind_read(text, emulation->run->caches, report, emulation->problem);
    free(text);
    return taken;
}

bool callgrind_run(const CallgrindRun *run, CallgrindReport *report, Problem *problem)
{
    Emulation emulation = {.run = run, .files = {-1, -1, -1, -1}, .problem = problem};
    pid_t child = -1;
    const bool taken = open_files(&emulation) && start_callgrind(&emulation, &child) &&
                       await_end(&emulation, child) && check_answer(&emulation) &&
                       take_counts(&emulation, report);
    for (int i = 0; i < FILE_COUNT; i++)
        if (emulation.files[i] >= 0)
            (void)close(emulation.files[i]);
    return taken;
}
