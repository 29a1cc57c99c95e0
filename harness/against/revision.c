// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "against/revision.h"

#include "common/file.h"
#include "common/json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COPY_BLOCK_BYTES = 1 << 16, ANSWER_LIMIT_BYTES = 1 << 20, EXIT_NOT_EXECUTABLE = 127 };

// Runs a program with standard output and error in two files (the same name: in one), appended or
// anew; its exit status, or -1.
static int run_program(const char *const *arguments, const char *output, const char *errors,
                       bool append)
{
    const pid_t child = fork();
    if (child == 0) {
        const int flags = O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC);
        const int out = open(output, flags, 0666);
        const int err = open(errors, O_WRONLY | O_CREAT | O_APPEND, 0666);
        if (out < 0 || err < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
            _exit(EXIT_NOT_EXECUTABLE);
        // execvp takes what it does not change as changeable.
        (void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(EXIT_NOT_EXECUTABLE);
    }
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// One line of what git says.
static bool ask_git(const char *const *arguments, char *line, size_t line_bytes)
{
    char path[] = "/tmp/hyperion-git-XXXXXX";
    const int file = mkstemp(path);
    Problem ignored = {0};
    if (file < 0)
        return false;
    (void)close(file);
    const bool well = run_program(arguments, path, "/dev/null", false) == 0;
    size_t bytes = 0;
    char *text = well ? file_read(path, ANSWER_LIMIT_BYTES, &bytes, &ignored) : NULL;
    (void)unlink(path);
    if (text)
        text[strcspn(text, "\n")] = '\0';
    const bool fits = text && text[0] && snprintf(line, line_bytes, "%s", text) < (int)line_bytes;
    free(text);
    return fits;
}

static bool find_top(char *top, size_t top_bytes, Problem *problem)
{
    static const char *const ask[] = {"git", "rev-parse", "--show-toplevel", NULL};
    return ask_git(ask, top, top_bytes) ||
           problem_set(problem, "--against: the current folder is in no git repository (or there "
                                "is no git)");
}

static bool find_commit(const char *name, char *commit, size_t commit_bytes, Problem *problem)
{
    char wanted[512];
    const char *const ask[] = {"git",  "rev-parse", "--verify", "--quiet", "--end-of-options",
                               wanted, NULL};
    if (snprintf(wanted, sizeof wanted, "%s^{commit}", name) >= (int)sizeof wanted ||
        !ask_git(ask, commit, commit_bytes))
        return problem_set(problem, "--against: git knows no revision '%.256s'", name);
    return true;
}

static bool copy_worker(const char *from, const char *to, Problem *problem)
{
    char block[COPY_BLOCK_BYTES];
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    (void)unlink(to); // one that runs cannot be written to
    const int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
    ssize_t got = in >= 0 && out >= 0 ? 1 : -1;
    while (got > 0) {
        got = read(in, block, sizeof block);
        if (got > 0 && write(out, block, (size_t)got) != got)
            got = -1;
    }
    if (got < 0)
        (void)problem_set(problem, "copy %s to %s: %s", from, to, strerror(errno));
    if (in >= 0)
        (void)close(in);
    if (out >= 0 && close(out) != 0)
        got = -1;
    return got == 0 || problem_set(problem, "write %s: %s", to, strerror(errno));
}

static const char *text_of(const json_t *build, const char *key)
{
    const char *text = json_string_value(json_object_get(build, key));
    return text ? text : "";
}

// Whether this program is that commit and nothing else.
static bool is_own(const json_t *build, const char *commit)
{
    return strcmp(text_of(build, "commit"), commit) == 0 &&
           json_is_false(json_object_get(build, "modified"));
}

static bool make_folder(const char *path, Problem *problem)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST ||
           problem_set(problem, "%s: %s", path, strerror(errno));
}

// "<top>/build/against/<name>".
static bool choose_folder(Revision *revision, const char *top, const char *name, Problem *problem)
{
    static const char *const parts[] = {"", "/build", "/build/against"};
    char path[2048];
    for (size_t i = 1; i < sizeof parts / sizeof *parts; i++) {
        if (snprintf(path, sizeof path, "%s%s", top, parts[i]) >= (int)sizeof path)
            return problem_set(problem, "%.100s...: the path is too long", top);
        if (!make_folder(path, problem))
            return false;
    }
    return snprintf(revision->folder, sizeof revision->folder, "%s/%s", path, name) <
               (int)sizeof revision->folder ||
           problem_set(problem, "%.100s...: the path is too long", top);
}

// A step of the build: its words and what it is called in messages.
static bool do_step(const Revision *revision, const char *what, const char *const *arguments,
                    Problem *problem)
{
    char log[PATH_MAX];
    (void)snprintf(log, sizeof log, "%s/build.log", revision->folder);
    const int status = run_program(arguments, log, log, true);
    if (status == 0)
        return true;
    return problem_set(problem, "--against %.12s: %s failed (%s, status %d); its log: %s",
                       revision->commit, what, arguments[0], status, log);
}

static bool check_out(const Revision *revision, const char *top, const char *source,
                      Problem *problem)
{
    const char *const prune[] = {"git", "-C", top, "worktree", "prune", NULL};
    const char *const add[] = {"git",     "-C",       top,    "worktree",       "add",
                               "--force", "--detach", source, revision->commit, NULL};
    char marker[PATH_MAX];
    (void)snprintf(marker, sizeof marker, "%s/.git", source);
    if (access(marker, F_OK) == 0)
        return true;
    return do_step(revision, "git worktree prune", prune, problem) &&
           do_step(revision, "git worktree add", add, problem);
}

static bool build(const Revision *revision, const json_t *own, const char *source,
                  const char *binary, Problem *problem)
{
    char type[64];
    char sanitizers[128];
    (void)snprintf(type, sizeof type, "-DCMAKE_BUILD_TYPE=%s", text_of(own, "build_type"));
    (void)snprintf(sanitizers, sizeof sanitizers, "-DHYPERION_SANITIZE=%s",
                   text_of(own, "sanitizers"));
    const char *const configure[] = {
        "cmake",    "-S", source, "-B", binary, "-G", "Ninja", type, "-DHYPERION_TESTS=OFF",
        sanitizers, NULL};
    const char *const make[] = {"cmake", "--build", binary, NULL};
    return do_step(revision, "cmake configure", configure, problem) &&
           do_step(revision, "cmake build", make, problem);
}

// What the other revision says of its own making; an older one that cannot is known by its commit.
static json_t *describe_build(const Revision *revision, const char *binary)
{
    char program[PATH_MAX];
    char file[PATH_MAX];
    Problem ignored = {0};
    (void)snprintf(program, sizeof program, "%s/bin/hyperion", binary);
    (void)snprintf(file, sizeof file, "%s/machine.json", revision->folder);
    const char *const ask[] = {program, "machine", "--json", NULL};
    json_t *machine =
        run_program(ask, file, "/dev/null", false) == 0 ? json_file_read(file, &ignored) : NULL;
    json_t *facts = json_incref(json_object_get(machine, "build"));
    json_decref(machine);
    return facts ? facts : json_pack("{s:s}", "commit", revision->commit);
}

static bool make_other(Revision *revision, const json_t *own, const char *top, FILE *progress,
                       Problem *problem)
{
    char name[128];
    char source[3200];
    char binary[3200];
    (void)snprintf(name, sizeof name, "%s-%s", revision->commit, text_of(own, "build_type"));
    if (!choose_folder(revision, top, name, problem) || !make_folder(revision->folder, problem))
        return false;
    (void)snprintf(source, sizeof source, "%s/source", revision->folder);
    (void)snprintf(binary, sizeof binary, "%s/build", revision->folder);
    (void)snprintf(revision->worker, sizeof revision->worker, "%s/bin/hyperion-worker", binary);
    if (progress)
        (void)fprintf(progress, "%s %.12s in %s ...\n",
                      access(revision->worker, X_OK) == 0 ? "checking the build of" : "building",
                      revision->commit, revision->folder);
    if (!check_out(revision, top, source, problem) ||
        !build(revision, own, source, binary, problem))
        return false;
    if (access(revision->worker, X_OK) != 0)
        return problem_set(problem, "--against %.12s: it builds no hyperion-worker: %s: %s",
                           revision->commit, revision->worker, strerror(errno));
    revision->build = describe_build(revision, binary);
    return revision->build || problem_set(problem, "out of memory");
}

static bool make_copy(Revision *revision, const json_t *own, const char *own_worker,
                      const char *top, Problem *problem)
{
    if (!choose_folder(revision, top, "own", problem) || !make_folder(revision->folder, problem))
        return false;
    (void)snprintf(revision->worker, sizeof revision->worker, "%s/hyperion-worker",
                   revision->folder);
    revision->build = json_deep_copy(own);
    return copy_worker(own_worker, revision->worker, problem) &&
           (revision->build || problem_set(problem, "out of memory"));
}

bool revision_make(const char *name, const json_t *own, const char *own_worker, FILE *progress,
                   Revision *revision, Problem *problem)
{
    char top[2048];
    Problem no_repository = {0};
    *revision = (Revision){0};
    const bool itself = strcmp(name, ".") == 0;
    if (!find_top(top, sizeof top, &no_repository)) {
        if (!itself)
            return problem_set(problem, "%s", no_repository.text);
        (void)snprintf(top, sizeof top, "."); // this program needs no repository
    }
    if (itself)
        (void)snprintf(revision->commit, sizeof revision->commit, "%.40s", text_of(own, "commit"));
    else if (!find_commit(name, revision->commit, sizeof revision->commit, problem))
        return false;
    revision->own = itself || is_own(own, revision->commit);
    return revision->own ? make_copy(revision, own, own_worker, top, problem)
                         : make_other(revision, own, top, progress, problem);
}

void revision_clear(Revision *revision)
{
    json_decref(revision->build);
    *revision = (Revision){0};
}
