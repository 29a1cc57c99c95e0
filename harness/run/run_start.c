// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "run/run_start.h"

#include "common/whole_file.h"
#include "record/run_directory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool make_directories(const char *directory, Problem *problem)
{
    char path[4096];
    if (!directory[0])
        return problem_set(problem, "the run directory has no name");
    if (snprintf(path, sizeof path, "%s", directory) >= (int)sizeof path)
        return problem_set(problem, "%.100s...: the path is too long", directory);
    for (char *at = path + 1;; at++) {
        const char here = *at;
        if (here != '/' && here != '\0')
            continue;
        *at = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return problem_set(problem, "%s: %s", path, strerror(errno));
        *at = here;
        if (here == '\0')
            break;
    }
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return problem_set(problem, "%s: not a directory", path);
    return true;
}

// A record lock, not flock: it belongs to the process alone, so that a worker that was just forked
// does not hold it on when its runner is killed.
static bool lock_directory(const char *directory, int *lock, Problem *problem)
{
    char *path = run_file_path(directory, RUN_LOCK);
    *lock = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
    free(path);
    if (*lock < 0)
        return problem_set(problem, "%s/%s: %s", directory, RUN_LOCK, strerror(errno));
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(*lock, F_SETLK, &whole) == 0)
        return true;
    if (errno != EACCES && errno != EAGAIN)
        return problem_set(problem, "%s/%s: lock: %s", directory, RUN_LOCK, strerror(errno));
    if (fcntl(*lock, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK)
        return problem_set(problem, "%s: in use by another run (process %ld)", directory,
                           (long)whole.l_pid);
    return problem_set(problem, "%s: in use by another run", directory);
}

// What a run that was killed before its plan was in place leaves behind, and the two folders.
static bool is_ours(const char *name)
{
    static const char unfinished_plan[] = RUN_PLAN ".tmp";
    static const char *const ours[] = {".", "..", RUN_LOCK, RUN_PLAN, unfinished_plan};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(name, ours[i]) == 0)
            return true;
    return false;
}

static bool refuse_other_files(const char *directory, Problem *problem)
{
    DIR *folder = opendir(directory);
    if (!folder)
        return problem_set(problem, "%s: %s", directory, strerror(errno));
    bool empty = true;
    for (const struct dirent *entry = readdir(folder); entry && empty; entry = readdir(folder)) {
        empty = is_ours(entry->d_name);
        if (!empty)
            (void)problem_set(problem, "%s: holds no run, but other files (%s)", directory,
                              entry->d_name);
    }
    (void)closedir(folder);
    return empty;
}

static bool write_plan(const char *path, const char *directory, const Plan *plan, Problem *problem)
{
    if (!refuse_other_files(directory, problem))
        return false;
    WholeFile file;
    const bool written = whole_file_open(&file, path, problem) && plan_write(plan, file.stream);
    return whole_file_close(&file, written, problem);
}

static bool check_plan(const char *directory, const Plan *plan, bool resume, Problem *problem)
{
    Plan *held = run_plan_load(directory, problem);
    if (!held)
        return false;
    const bool same = strcmp(held->hash, plan->hash) == 0;
    if (!same)
        (void)problem_set(problem,
                          "%s: holds another plan (%s, hash %s; this one is %s, hash %s): choose "
                          "another --out",
                          directory, held->scenario, held->hash, plan->scenario, plan->hash);
    else if (!resume)
        (void)problem_set(problem, "%s: holds a run of this plan: --resume completes it",
                          directory);
    plan_free(held);
    return same && resume;
}

bool run_start(const char *directory, const Plan *plan, bool resume, RunStart *start,
               Problem *problem)
{
    *start = (RunStart){.lock = -1};
    char *path = run_file_path(directory, RUN_PLAN);
    if (!path)
        return problem_set(problem, "%s: out of memory", directory);
    bool started =
        make_directories(directory, problem) && lock_directory(directory, &start->lock, problem);
    if (started) {
        start->resumes = access(path, F_OK) == 0;
        started = start->resumes ? check_plan(directory, plan, resume, problem)
                                 : write_plan(path, directory, plan, problem);
    }
    free(path);
    if (!started)
        run_start_release(start);
    return started;
}

void run_start_release(RunStart *start)
{
    if (start->lock >= 0)
        (void)close(start->lock);
    start->lock = -1;
}

bool run_default_directory(const Plan *plan, double unix_s, const char *host, const char *commit,
                           char *buffer, size_t buffer_bytes)
{
    const time_t seconds = (time_t)unix_s;
    struct tm parts;
    char date[32] = "";
    char place[64];
    (void)snprintf(place, sizeof place, "%s", host[0] ? host : "unknown");
    for (char *at = place; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '-' && *at != '.')
            *at = '_';
    if (gmtime_r(&seconds, &parts))
        (void)strftime(date, sizeof date, "%Y%m%dT%H%M%SZ", &parts);
    const int length = snprintf(buffer, buffer_bytes, "results/%s/%s-%s-%.12s", plan->scenario,
                                date, place, commit && commit[0] ? commit : "unknown");
    return length > 0 && (size_t)length < buffer_bytes;
}
