// SPDX-License-Identifier: Apache-2.0
// sysroot.h - small files under /proc and /sys, of this machine or of a captured tree.
#ifndef HYP_SYSROOT_H
#define HYP_SYSROOT_H

#include <stdbool.h>
#include <stddef.h>

// Reads root + path ("" as root is this machine) as text without trailing white space. False if it
// is absent, unreadable or longer than the buffer; then the text says why.
bool sysroot_read(const char *root, const char *path, char *text, size_t text_bytes);

// The first line of a file of any length, such as /proc/stat, as sysroot_read.
bool sysroot_read_line(const char *root, const char *path, char *text, size_t text_bytes);

// Value of the first line "name : value" of a file such as /proc/cpuinfo, as sysroot_read.
bool sysroot_read_field(const char *root, const char *path, const char *name, char *text,
                        size_t text_bytes);

// True if there is such a file or folder.
bool sysroot_exists(const char *root, const char *path);

#endif
