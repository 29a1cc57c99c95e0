// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "record/journal.h"

#include "common/json_file.h"
#include "record/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool add_sample(JournalContent *content, size_t *capacity, const Sample *sample)
{
    if (content->sample_count == *capacity) {
        const size_t wanted = *capacity ? *capacity * 2 : 64;
        Sample *samples = realloc(content->samples, wanted * sizeof *samples);
        if (!samples)
            return false;
        content->samples = samples;
        *capacity = wanted;
    }
    content->samples[content->sample_count++] = *sample;
    return true;
}

// On failure the problem is the reason alone: the caller knows the place.
static bool parse_line(const char *line, size_t length, size_t cell_count, Sample *sample,
                       Problem *problem)
{
    json_error_t error;
    json_t *json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        return problem_set(problem, "%s (column %d)", error.text, error.column);
    bool parsed = sample_from_json(json, sample, problem);
    json_decref(json);
    if (parsed && sample->task != SAMPLE_CANARY && sample->cell >= cell_count) {
        parsed = problem_set(problem, "cell %zu, but the plan has %zu", sample->cell, cell_count);
        sample_clear(sample);
    }
    return parsed;
}

static bool read_lines(FILE *file, const char *path, size_t cell_count, JournalContent *content,
                       Problem *problem)
{
    char *line = NULL;
    size_t line_capacity = 0;
    size_t capacity = 0;
    bool good = true;
    for (size_t number = 1; good; number++) {
        const ssize_t length = getline(&line, &line_capacity, file);
        if (length <= 0)
            break;
        if (line[length - 1] != '\n') {
            content->torn_lines = 1;
            break;
        }
        Sample sample;
        Problem reason = {0};
        if (!parse_line(line, (size_t)length - 1, cell_count, &sample, &reason)) {
            good = problem_set(problem, "%s:%zu: %.1500s", path, number, reason.text);
        } else if (!add_sample(content, &capacity, &sample)) {
            sample_clear(&sample);
            good = problem_set(problem, "%s:%zu: out of memory", path, number);
        }
    }
    free(line);
    if (good && ferror(file))
        good = problem_set(problem, "%s: %s", path, strerror(errno));
    return good;
}

bool journal_read(const char *path, size_t cell_count, JournalContent *content, Problem *problem)
{
    *content = (JournalContent){0};
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT)
        return true;
    if (!file)
        return problem_set(problem, "%s: %s", path, strerror(errno));
    const bool good = read_lines(file, path, cell_count, content, problem);
    (void)fclose(file);
    if (good && samples_settle(content))
        return true;
    journal_clear(content);
    return problem_set(problem, "%s: out of memory", path); // unless there is a reason already
}

void journal_clear(JournalContent *content)
{
    samples_free(content->samples, content->sample_count);
    samples_free(content->rejected, content->rejected_count);
    samples_free(content->canaries, content->canary_count);
    *content = (JournalContent){0};
}

// Bytes up to and with the last end of line; -1 on a read error.
static off_t find_whole_length(int descriptor, off_t size)
{
    char block[4096];
    while (size > 0) {
        const off_t start = size > (off_t)sizeof block ? size - (off_t)sizeof block : 0;
        const ssize_t got = pread(descriptor, block, (size_t)(size - start), start);
        if (got != (ssize_t)(size - start))
            return -1;
        for (ssize_t i = got; i > 0; i--)
            if (block[i - 1] == '\n')
                return start + i;
        size = start;
    }
    return 0;
}

static bool cut_torn_line(Journal *journal)
{
    struct stat status;
    if (fstat(journal->descriptor, &status) != 0)
        return false;
    journal->whole_bytes = find_whole_length(journal->descriptor, status.st_size);
    return journal->whole_bytes >= 0 && (journal->whole_bytes == status.st_size ||
                                         ftruncate(journal->descriptor, journal->whole_bytes) == 0);
}

bool journal_open(Journal *journal, const char *path, Problem *problem)
{
    journal->descriptor = -1;
    if (snprintf(journal->path, sizeof journal->path, "%s", path) >= (int)sizeof journal->path)
        return problem_set(problem, "%s: the path is too long", path);
    journal->descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (journal->descriptor < 0)
        return problem_set(problem, "%s: %s", path, strerror(errno));
    const bool whole = cut_torn_line(journal);
    if (whole && sync_thread_start(&journal->sync, journal->descriptor))
        return true;
    (void)problem_set(problem, "%s: cannot %s: %s", path,
                      whole ? "start a thread to sync it" : "cut off its torn last line",
                      strerror(errno));
    (void)close(journal->descriptor);
    journal->descriptor = -1;
    return false;
}

static bool write_all(int descriptor, const char *bytes, size_t count)
{
    while (count > 0) {
        const ssize_t written = write(descriptor, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        count -= (size_t)written;
    }
    return true;
}

// Half a line would be cut off by the next run; without it every other reader is spared too.
static bool fail_append(const Journal *journal, int error, Problem *problem)
{
    const bool cut = ftruncate(journal->descriptor, journal->whole_bytes) == 0;
    return problem_set(problem, "%s: %s; %s, and --resume goes on from there", journal->path,
                       strerror(error),
                       cut ? "the samples before are whole"
                           : "the samples before are whole, the last line is torn");
}

bool journal_append(Journal *journal, const Sample *sample, Problem *problem)
{
    json_t *json = sample_to_json(sample);
    char *line = json ? json_dumps(json, JSON_FILE_FLAGS | JSON_COMPACT) : NULL;
    json_decref(json);
    if (!line)
        return problem_set(problem, "%s: out of memory", journal->path);
    const size_t length = strlen(line);
    line[length] = '\n'; // over the NUL, so that one write carries the whole line
    int error = sync_thread_wait(&journal->sync); // of the line before
    if (!error && !write_all(journal->descriptor, line, length + 1))
        error = errno;
    free(line);
    if (error)
        return fail_append(journal, error, problem);
    journal->whole_bytes += (off_t)length + 1;
    sync_thread_request(&journal->sync);
    return true;
}

bool journal_flush(Journal *journal, Problem *problem)
{
    const int error = sync_thread_wait(&journal->sync);
    return !error || problem_set(problem, "%s: sync: %s", journal->path, strerror(error));
}

void journal_close(Journal *journal)
{
    if (journal->descriptor < 0)
        return;
    sync_thread_stop(&journal->sync);
    (void)close(journal->descriptor);
    journal->descriptor = -1;
}
