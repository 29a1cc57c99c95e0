// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE // realpath, getauxval
#include "common/installation.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

// Without /proc the name by which the kernel started the program tells. The loader of the programs
// that this one starts cannot find their own folder then: it takes it from the environment.
static bool find_itself(char program[PATH_MAX], Problem *problem)
{
    const ssize_t length = readlink("/proc/self/exe", program, PATH_MAX - 1);
    if (length > 0) {
        program[length] = '\0';
        return true;
    }
    const int error = errno;
    const char *name = (const char *)getauxval(AT_EXECFN);
    if (!name || !realpath(name, program))
        return problem_set(problem, "cannot find this program's own folder: /proc/self/exe: %s",
                           strerror(error));
    char *slash = strrchr(program, '/');
    *slash = '\0';
    const bool set = setenv("LD_ORIGIN_PATH", program, 1) == 0;
    *slash = '/';
    return set || problem_set(problem, "out of memory");
}

bool installation_program(const char *name, char *path, size_t path_bytes, Problem *problem)
{
    char program[PATH_MAX];
    if (!find_itself(program, problem))
        return false;
    const int folder = (int)(strrchr(program, '/') - program);
    if (snprintf(path, path_bytes, "%.*s/%s", folder, program, name) >= (int)path_bytes)
        return problem_set(problem, "%s: the name of its folder is too long", name);
    return access(path, X_OK) == 0 || problem_set(problem, "%s: %s", path, strerror(errno));
}

static bool holds(const char *above, const char *place, const char *name, const char *file,
                  char *folder, size_t folder_bytes)
{
    char path[2 * PATH_MAX];
    return snprintf(folder, folder_bytes, "%s/%s%s", above, place, name) < (int)folder_bytes &&
           snprintf(path, sizeof path, "%s/%s", folder, file) < (int)sizeof path &&
           access(path, R_OK) == 0;
}

bool installation_folder(const char *name, const char *file, char *folder, size_t folder_bytes)
{
    char program[PATH_MAX];
    Problem ignored = {0};
    if (!find_itself(program, &ignored))
        program[0] = '\0';
    for (char *slash = strrchr(program, '/'); slash; slash = strrchr(program, '/')) {
        *slash = '\0';
        if (holds(program, "share/hyperion/", name, file, folder, folder_bytes) ||
            holds(program, "", name, file, folder, folder_bytes))
            return true;
    }
    return holds(HYPERION_SOURCE_TREE, "", name, file, folder, folder_bytes);
}
