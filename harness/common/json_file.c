// SPDX-License-Identifier: Apache-2.0
#include "common/json_file.h"

#include "common/whole_file.h"

#include <stdlib.h>
#include <string.h>

json_t *json_file_read(const char *path, Problem *problem)
{
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        (void)problem_set(problem, "%s:%d:%d: %s", path, error.line, error.column, error.text);
    return json;
}

bool json_file_write(const char *path, const json_t *json, Problem *problem)
{
    char *text = json_dumps(json, JSON_FILE_FLAGS | JSON_INDENT(2));
    if (!text)
        return problem_set(problem, "%s: the document cannot be written as JSON", path);
    WholeFile file;
    bool written = whole_file_open(&file, path, problem);
    if (written)
        written = fputs(text, file.stream) >= 0 && fputc('\n', file.stream) != EOF;
    free(text);
    return whole_file_close(&file, written, problem);
}
