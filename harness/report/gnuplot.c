// SPDX-License-Identifier: Apache-2.0
// gnuplot.c - finds and runs gnuplot.
#define _POSIX_C_SOURCE 200809L

#include "report/figure_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

bool gnuplot_find(char *path, size_t path_bytes)
{
    const char *folders = getenv("PATH");
    while (folders && *folders) {
        const size_t length = strcspn(folders, ":");
        const int used = snprintf(path, path_bytes, "%.*s/gnuplot",
                                  (int)(length < PATH_MAX ? length : 0), folders);
        if (length > 0 && used > 0 && (size_t)used < path_bytes && access(path, X_OK) == 0)
            return true;
        folders += length + (folders[length] == ':');
    }
    return false;
}

// In the child; does not return. gnuplot reads no start-up files, so that figures look alike.
static void run_child(const char *gnuplot, const char *directory, const char *script, int output)
{
    if (chdir(directory) == 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(output, STDERR_FILENO) >= 0)
        (void)execl(gnuplot, gnuplot, "-d", script, (char *)NULL);
    (void)dprintf(output, "%s: %s", gnuplot, strerror(errno));
    _exit(127);
}

// What the child says, cut to the buffer, in one line; reads until it closes its end.
static void collect(int input, char *text, size_t text_bytes)
{
    size_t used = 0;
    char piece[512];
    for (;;) {
        const ssize_t got = read(input, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got && used + 1 < text_bytes; i++)
            text[used++] = piece[i];
    }
    text[used] = '\0';
    for (char *at = text; *at; at++)
        if (*at == '\n')
            *at = ' ';
}

bool gnuplot_run(const char *gnuplot, const char *directory, const char *name, Problem *problem)
{
    char script[FIGURE_NAME_BYTES + 8];
    (void)snprintf(script, sizeof script, "%s.gp", name);
    int ends[2];
    if (pipe(ends) != 0)
        return problem_set(problem, "pipe to gnuplot: %s", strerror(errno));
    const pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        run_child(gnuplot, directory, script, ends[1]);
    }
    (void)close(ends[1]);
    char said[1024];
    collect(ends[0], said, sizeof said);
    (void)close(ends[0]);
    if (child < 0)
        return problem_set(problem, "start gnuplot: %s", strerror(errno));
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return problem_set(problem, "wait for gnuplot: %s", strerror(errno));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return problem_set(problem, "gnuplot %s/%s failed: %s", directory, script, said);
    return true;
}
