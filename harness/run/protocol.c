// SPDX-License-Identifier: Apache-2.0
#include "run/protocol.h"

#include "common/json_fields.h"
#include "common/json_file.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *counters_to_json(const char *const *counters)
{
    json_t *array = json_array();
    for (size_t i = 0; array && counters && counters[i]; i++)
        if (json_array_append_new(array, json_string(counters[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *cpus_to_json(const int *cpus, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < count; i++)
        if (json_array_append_new(array, json_integer(cpus[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *request_to_json(const WorkerRequest *request)
{
    // JSON integers are signed: the seed travels as text.
    char seed[24];
    (void)snprintf(seed, sizeof seed, "%" PRIu64, request->seed);
    return json_pack("{s:i, s:s, s:o, s:b, s:s, s:o, s:o, s:I, s:i, s:f, s:f, s:o}", "protocol",
                     PROTOCOL_VERSION, "task", sample_task_name(request->task), "cell",
                     cell_to_json(&request->cell), "emulated", request->emulated, "seed", seed,
                     "cpus", cpus_to_json(request->cpus, request->cpu_count), "topology",
                     machine_topology_to_json(&request->topology), "iterations",
                     (json_int_t)request->iterations, "repetitions", request->repetitions,
                     "min_time_ns", request->min_time_ns, "warmup_ns", request->warmup_ns,
                     "counters", counters_to_json(request->counters));
}

char *request_write(const WorkerRequest *request, Problem *problem)
{
    json_t *json = request_to_json(request);
    char *text = json ? json_dumps(json, JSON_FILE_FLAGS | JSON_COMPACT) : NULL;
    json_decref(json);
    if (!text) {
        (void)problem_set(problem, "worker request: out of memory, or text that is not UTF-8");
        return NULL;
    }
    const size_t length = strlen(text);
    if (length > PROTOCOL_REQUEST_LIMIT_BYTES) {
        (void)problem_set(problem, "worker request: %zu bytes, at most %d fit a pipe", length,
                          PROTOCOL_REQUEST_LIMIT_BYTES);
        free(text);
        return NULL;
    }
    return text;
}

static bool read_version(const json_t *json, const char *who, Problem *problem)
{
    long long version = 0;
    if (!json_is_object(json))
        return problem_set(problem, "%s: expected a JSON object", who);
    if (!json_read_integer(json, "protocol", 0, INT_MAX, &version, problem))
        return false;
    if (version != PROTOCOL_VERSION)
        return problem_set(problem, "%s: protocol version %lld, this program speaks %d", who,
                           version, PROTOCOL_VERSION);
    return true;
}

static bool read_seed(const json_t *json, uint64_t *seed, Problem *problem)
{
    char text[24];
    char *end = NULL;
    if (!json_read_text(json, "seed", false, text, sizeof text, problem))
        return false;
    *seed = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end)
        return problem_set(problem, "\"seed\": expected digits, given '%s'", text);
    return true;
}

static bool read_counters(ReceivedRequest *received, Problem *problem)
{
    const json_t *names = json_object_get(received->json, "counters");
    if (!json_is_array(names))
        return problem_set(problem, "\"counters\": expected an array");
    const size_t count = json_array_size(names);
    received->counters = calloc(count + 1, sizeof *received->counters);
    if (!received->counters)
        return problem_set(problem, "\"counters\": out of memory");
    for (size_t i = 0; i < count; i++) {
        received->counters[i] = json_string_value(json_array_get(names, i));
        if (!received->counters[i])
            return problem_set(problem, "\"counters\"[%zu]: expected text", i);
    }
    received->request.counters = received->counters;
    return true;
}

// The cell says how many threads it has; the CPUs may be more or fewer.
static bool read_cpus(ReceivedRequest *received, Problem *problem)
{
    const json_t *cpus = json_object_get(received->json, "cpus");
    if (!json_is_array(cpus))
        return problem_set(problem, "\"cpus\": expected an array");
    WorkerRequest *request = &received->request;
    const size_t count = json_array_size(cpus);
    if (count > HYPERION_MAX_THREADS)
        return problem_set(problem, "\"cpus\": more than %d", HYPERION_MAX_THREADS);
    for (size_t i = 0; i < count; i++) {
        const json_t *cpu = json_array_get(cpus, i);
        if (!json_is_integer(cpu) || json_integer_value(cpu) < 0 ||
            json_integer_value(cpu) > INT_MAX)
            return problem_set(problem, "\"cpus\"[%zu]: expected the number of a CPU", i);
        request->cpus[i] = (int)json_integer_value(cpu);
    }
    request->cpu_count = count;
    return true;
}

static bool read_numbers(const json_t *json, WorkerRequest *request, Problem *problem)
{
    long long iterations = 0;
    long long repetitions = 0;
    if (!json_read_integer(json, "iterations", 0, LLONG_MAX, &iterations, problem) ||
        !json_read_integer(json, "repetitions", 0, 1000000, &repetitions, problem) ||
        !json_read_number(json, "min_time_ns", false, &request->min_time_ns, problem) ||
        !json_read_number(json, "warmup_ns", false, &request->warmup_ns, problem))
        return false;
    const bool timed = sample_task_is_timed(request->task);
    if ((timed || request->task == SAMPLE_COUNT) &&
        (iterations == 0 || (timed && repetitions == 0)))
        return problem_set(problem, "%s: expected iterations and repetitions, given none",
                           sample_task_name(request->task));
    request->iterations = (uint64_t)iterations;
    request->repetitions = (int)repetitions;
    return true;
}

static bool read_request(ReceivedRequest *received, Problem *problem)
{
    const json_t *json = received->json;
    WorkerRequest *request = &received->request;
    char task[16];
    if (!read_version(json, "worker request", problem) ||
        !json_read_text(json, "task", false, task, sizeof task, problem))
        return false;
    request->task = sample_task_find(task);
    if (request->task == SAMPLE_TASK_COUNT)
        return problem_set(problem, "\"task\": unknown task '%s'", task);
    // A harness from before there were emulated cells does not say.
    if (json_object_get(json, "emulated") &&
        !json_read_flag(json, "emulated", &request->emulated, problem))
        return false;
    return read_seed(json, &request->seed, problem) && read_numbers(json, request, problem) &&
           machine_topology_from_json(json_object_get(json, "topology"), &request->topology,
                                      problem) &&
           cell_from_json(json_object_get(json, "cell"), &request->cell, problem) &&
           read_cpus(received, problem) && read_counters(received, problem);
}

bool request_read(const char *text, size_t length, ReceivedRequest *received, Problem *problem)
{
    json_error_t error;
    *received = (ReceivedRequest){0};
    received->json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (!received->json)
        return problem_set(problem, "worker request: %s (line %d, column %d)", error.text,
                           error.line, error.column);
    return read_request(received, problem);
}

void request_clear(ReceivedRequest *received)
{
    cell_clear(&received->request.cell);
    free(received->counters);
    json_decref(received->json);
    *received = (ReceivedRequest){0};
}

char *answer_write(const Sample *outcome)
{
    json_t *json = sample_outcome_to_json(outcome);
    char *line = NULL;
    if (json && json_object_set_new(json, "protocol", json_integer(PROTOCOL_VERSION)) == 0)
        line = json_dumps(json, JSON_FILE_FLAGS | JSON_COMPACT);
    json_decref(json);
    const size_t length = line ? strlen(line) : 0;
    char *ended = line ? realloc(line, length + 2) : NULL;
    if (!ended) {
        free(line);
        return NULL;
    }
    ended[length] = '\n';
    ended[length + 1] = '\0';
    return ended;
}

// That the answer is to this request: the right number of loops, an iteration count.
static bool check_answer(const WorkerRequest *request, const Sample *sample, Problem *problem)
{
    if (!sample->ok)
        return true;
    if (request->task == SAMPLE_PILOT && sample->iterations == 0)
        return problem_set(problem, "worker answer: a pilot without an iteration count");
    if (request->task == SAMPLE_EMULATE && !sample_find_value(sample, "instructions"))
        return problem_set(problem, "worker answer: no instructions");
    if (!sample_task_is_timed(request->task))
        return true;
    if (sample->real_count != (size_t)request->repetitions ||
        sample->iterations != request->iterations)
        return problem_set(problem,
                           "worker answer: %zu loops of %" PRIu64 " iterations, expected %d of "
                           "%" PRIu64,
                           sample->real_count, sample->iterations, request->repetitions,
                           request->iterations);
    return true;
}

// The line as JSON, which the caller decrefs; NULL: it is not one whole line of this version.
static json_t *parse_answer(const char *bytes, size_t length, Problem *problem)
{
    const char *end = length ? memchr(bytes, '\n', length) : NULL;
    json_error_t error;
    if (length == 0)
        (void)problem_set(problem, "worker wrote no answer");
    else if (!end)
        (void)problem_set(problem, "worker answer: %zu bytes without an end of line", length);
    else if (end + 1 != bytes + length)
        (void)problem_set(problem, "worker answer: more than one line");
    if (!end || end + 1 != bytes + length)
        return NULL;
    json_t *json = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        (void)problem_set(problem, "worker answer: no JSON: %s", error.text);
    if (json && read_version(json, "worker answer", problem))
        return json;
    json_decref(json);
    return NULL;
}

char *handshake_write(void)
{
    json_t *json = json_pack("{s:i}", "protocol", PROTOCOL_VERSION);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

bool answer_check_version(const char *bytes, size_t length, Problem *problem)
{
    json_t *json = parse_answer(bytes, length, problem);
    json_decref(json);
    return json != NULL;
}

bool answer_read(const char *bytes, size_t length, const WorkerRequest *request, Sample *sample,
                 Problem *problem)
{
    json_t *json = parse_answer(bytes, length, problem);
    const bool read = json && sample_outcome_from_json(json, sample, problem) &&
                      check_answer(request, sample, problem);
    json_decref(json);
    return read;
}
