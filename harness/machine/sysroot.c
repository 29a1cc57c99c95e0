// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "machine/sysroot.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// False if the name is too long for the system.
static bool join_path(const char *root, const char *path, char joined[PATH_MAX])
{
    const int length = snprintf(joined, PATH_MAX, "%s%s", root, path);
    return length >= 0 && length < PATH_MAX;
}

static bool say_why(char *text, size_t text_bytes, const char *path, const char *why)
{
    (void)snprintf(text, text_bytes, "%s: %s", path, why);
    return false;
}

// NULL, `text` saying why, where it cannot be opened.
static FILE *open_text(const char *root, const char *path, char *text, size_t text_bytes)
{
    char joined[PATH_MAX];
    const bool fits = join_path(root, path, joined);
    FILE *file = fits ? fopen(joined, "re") : NULL;
    if (!file)
        (void)say_why(text, text_bytes, path, fits ? strerror(errno) : "name too long");
    return file;
}

bool sysroot_read(const char *root, const char *path, char *text, size_t text_bytes)
{
    FILE *file = open_text(root, path, text, text_bytes);
    if (!file)
        return false;
    // The kernel gives the whole of such a file in one go, and some fail on read, not on open.
    errno = 0;
    size_t length = fread(text, 1, text_bytes - 1, file);
    const int error = ferror(file) ? errno : 0;
    const bool whole = fgetc(file) == EOF;
    (void)fclose(file);
    if (error)
        return say_why(text, text_bytes, path, strerror(error));
    if (!whole)
        return say_why(text, text_bytes, path, "longer than expected");
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    text[length] = '\0';
    return true;
}

bool sysroot_read_line(const char *root, const char *path, char *text, size_t text_bytes)
{
    FILE *file = open_text(root, path, text, text_bytes);
    if (!file)
        return false;
    const bool read = text_bytes <= INT_MAX && fgets(text, (int)text_bytes, file) != NULL;
    (void)fclose(file);
    if (!read)
        return say_why(text, text_bytes, path, "cannot be read, or is empty");
    text[strcspn(text, "\n")] = '\0';
    return true;
}

// The value in a line "name : value", or NULL.
static char *match_field(char *line, const char *name)
{
    const size_t length = strlen(name);
    if (strncmp(line, name, length) != 0)
        return NULL;
    char *rest = line + length;
    rest += strspn(rest, " \t");
    if (*rest != ':')
        return NULL;
    rest++;
    rest += strspn(rest, " \t");
    rest[strcspn(rest, "\n")] = '\0';
    return rest;
}

bool sysroot_read_field(const char *root, const char *path, const char *name, char *text,
                        size_t text_bytes)
{
    FILE *file = open_text(root, path, text, text_bytes);
    if (!file)
        return false;
    char *line = NULL;
    size_t line_bytes = 0;
    const char *value = NULL;
    while (!value && getline(&line, &line_bytes, file) >= 0)
        value = match_field(line, name);
    const bool found = value && *value && strlen(value) < text_bytes;
    if (found)
        (void)snprintf(text, text_bytes, "%s", value);
    else
        (void)snprintf(text, text_bytes, "%s has no '%s'", path, name);
    free(line);
    (void)fclose(file);
    return found;
}

bool sysroot_exists(const char *root, const char *path)
{
    char joined[PATH_MAX];
    return join_path(root, path, joined) && access(joined, F_OK) == 0;
}
