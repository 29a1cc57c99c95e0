// SPDX-License-Identifier: Apache-2.0
#include "solve/buffer_file.h"

#include "common/file.h"
#include "common/quantity.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_MOST_BYTES = 256 << 20 };

typedef enum Column {
    COLUMN_ID,
    COLUMN_LOWER,
    COLUMN_UPPER,
    COLUMN_SIZE,
    COLUMN_ALIGNMENT,
    COLUMNS
} Column;

static const char *const column_names[] = {"id", "lower", "upper", "size", "alignment", NULL};

typedef struct Reader {
    const char *path;
    size_t line;
    Column order[COLUMNS]; // by place in a row
    size_t fields;         // a row
    Problem *problem;
} Reader;

// Cuts the next field off the row; NULL at its end.
static char *take_field(char **row)
{
    char *field = *row;
    if (!field)
        return NULL;
    char *comma = strchr(field, ',');
    *row = comma ? comma + 1 : NULL;
    if (comma)
        *comma = '\0';
    while (*field == ' ')
        field++;
    for (char *end = field + strlen(field); end > field && strchr(" \r", end[-1]);)
        *--end = '\0';
    return field;
}

static bool read_header(Reader *reader, char *row)
{
    bool seen[COLUMNS] = {false};
    for (char *field; (field = take_field(&row)) != NULL;) {
        size_t column = 0;
        while (column < COLUMNS && strcmp(column_names[column], field) != 0)
            column++;
        if (column == COLUMNS) {
            const char *near = problem_nearest(field, column_names);
            return problem_set(reader->problem, "%s:%zu: unknown column '%s'%s%s%s", reader->path,
                               reader->line, field, near ? ", did you mean '" : "",
                               near ? near : "", near ? "'?" : "");
        }
        if (seen[column])
            return problem_set(reader->problem, "%s:%zu: a second column '%s'", reader->path,
                               reader->line, field);
        seen[column] = true;
        reader->order[reader->fields++] = (Column)column;
    }
    for (size_t column = 0; column < COLUMN_ALIGNMENT; column++)
        if (!seen[column])
            return problem_set(reader->problem, "%s:%zu: column '%s' is missing", reader->path,
                               reader->line, column_names[column]);
    return true;
}

static bool check_buffer(const Reader *reader, const long long *values)
{
    if (values[COLUMN_SIZE] < 0 || values[COLUMN_ALIGNMENT] < 0)
        return problem_set(reader->problem, "%s:%zu: size and alignment are not negative",
                           reader->path, reader->line);
    return values[COLUMN_LOWER] <= values[COLUMN_UPPER] ||
           problem_set(reader->problem, "%s:%zu: lower is %lld, after upper, %lld", reader->path,
                       reader->line, values[COLUMN_LOWER], values[COLUMN_UPPER]);
}

static bool read_row(Reader *reader, char *row, BufferFile *file)
{
    long long values[COLUMNS] = {0};
    size_t fields = 0;
    for (char *field; (field = take_field(&row)) != NULL; fields++) {
        if (fields == reader->fields)
            return problem_set(reader->problem, "%s:%zu: more than the %zu fields of the header",
                               reader->path, reader->line, reader->fields);
        const Column column = reader->order[fields];
        if (column == COLUMN_ID)
            file->ids[file->count] = field;
        else if (!quantity_parse_integer(field, &values[column]))
            return problem_set(reader->problem, "%s:%zu: %s: expected a whole number, given '%s'",
                               reader->path, reader->line, column_names[column], field);
    }
    if (fields < reader->fields)
        return problem_set(reader->problem, "%s:%zu: %zu fields, expected %zu", reader->path,
                           reader->line, fields, reader->fields);
    if (!check_buffer(reader, values))
        return false;
    file->buffers[file->count++] = (HyperionBuffer){.lower = values[COLUMN_LOWER],
                                                    .upper = values[COLUMN_UPPER],
                                                    .size_bytes = (size_t)values[COLUMN_SIZE],
                                                    .alignment = (size_t)values[COLUMN_ALIGNMENT]};
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool check_ids(const BufferFile *file, const char *path, Problem *problem)
{
    const char **sorted = calloc(file->count + 1, sizeof *sorted);
    if (!sorted)
        return problem_set(problem, "%s: out of memory", path);
    for (size_t i = 0; i < file->count; i++)
        sorted[i] = file->ids[i];
    qsort(sorted, file->count, sizeof *sorted, compare_ids);
    const char *twice = NULL;
    for (size_t i = 1; i < file->count && !twice; i++)
        twice = strcmp(sorted[i - 1], sorted[i]) == 0 ? sorted[i] : NULL;
    if (twice)
        (void)problem_set(problem, "%s: id '%s' is there twice", path, twice);
    free(sorted);
    return twice == NULL;
}

static size_t count_lines(const char *text)
{
    size_t lines = 1;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

bool buffer_file_read(BufferFile *file, const char *path, Problem *problem)
{
    Reader reader = {.path = path, .problem = problem};
    size_t size_bytes = 0;
    *file = (BufferFile){.text = file_read(path, FILE_MOST_BYTES, &size_bytes, problem)};
    if (!file->text)
        return false;
    if (strlen(file->text) != size_bytes)
        return problem_set(problem, "%s: not a text: a NUL after %zu bytes", path,
                           strlen(file->text));
    const size_t lines = count_lines(file->text);
    file->buffers = calloc(lines, sizeof *file->buffers);
    file->ids = calloc(lines, sizeof *file->ids);
    if (!file->buffers || !file->ids)
        return problem_set(problem, "%s: out of memory", path);
    for (char *row = file->text; row;) {
        char *end = strchr(row, '\n');
        if (end)
            *end = '\0';
        reader.line++;
        const bool blank = row[strspn(row, " \r")] == '\0';
        if (!blank &&
            !(reader.fields == 0 ? read_header(&reader, row) : read_row(&reader, row, file)))
            return false;
        row = end ? end + 1 : NULL;
    }
    if (reader.fields == 0)
        return problem_set(problem, "%s: empty; the first row names the columns", path);
    return check_ids(file, path, problem);
}

void buffer_file_clear(BufferFile *file)
{
    free(file->buffers);
    free(file->ids);
    free(file->text);
    *file = (BufferFile){0};
}
