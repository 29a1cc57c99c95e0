// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "worker_io.h"

#include "run/stack_dump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_input(char *buffer, size_t capacity, size_t *length, Problem *problem)
{
    *length = 0;
    while (*length < capacity) {
        const ssize_t got = read(STDIN_FILENO, buffer + *length, capacity - *length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return problem_set(problem, "worker request: %s", strerror(errno));
        if (got == 0)
            return true;
        *length += (size_t)got;
    }
    return problem_set(problem, "worker request: longer than %zu bytes", capacity);
}

static bool write_answer(const Sample *outcome)
{
    char *line = answer_write(outcome);
    if (!line)
        return false;
    const size_t length = strlen(line);
    size_t written = 0;
    while (written < length) {
        const ssize_t put = write(PROTOCOL_ANSWER_DESCRIPTOR, line + written, length - written);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        written += (size_t)put;
    }
    free(line);
    return written == length;
}

int worker_answer(bool (*answer)(const WorkerRequest *request, Sample *outcome, Problem *problem))
{
    static char input[PROTOCOL_REQUEST_LIMIT_BYTES + 1];
    size_t length = 0;
    Problem problem = {0};
    ReceivedRequest received = {0};
    Sample outcome = sample_empty();
    stack_dump_install();
    if (!read_input(input, sizeof input, &length, &problem) ||
        !request_read(input, length, &received, &problem) ||
        !answer(&received.request, &outcome, &problem))
        (void)snprintf(outcome.reason, sizeof outcome.reason, "%.500s", problem.text);
    const bool answered = write_answer(&outcome);
    if (!answered)
        (void)fprintf(stderr, "hyperion-worker: no answer on descriptor %d: %s\n",
                      PROTOCOL_ANSWER_DESCRIPTOR, strerror(errno));
    sample_clear(&outcome);
    request_clear(&received);
    return answered ? EXIT_SUCCESS : EXIT_FAILURE;
}
