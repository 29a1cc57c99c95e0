// SPDX-License-Identifier: Apache-2.0
#include "scenario/yaml_tree.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

// A scenario needs six levels.
enum { DEEPEST_NESTING = 16 };

typedef struct Reader {
    const char *name;
    const char *text;
    size_t text_bytes;
    yaml_parser_t parser;
    yaml_event_t event; // the current one; owned
    Problem *problem;
} Reader;

static bool fail_at(const char *name, size_t line, size_t column, Problem *problem,
                    const char *format, va_list args)
{
    char message[1024];
    (void)vsnprintf(message, sizeof message, format, args);
    return problem_set(problem, "%s:%zu:%zu: %s", name, line, column, message);
}

bool tree_fail(const char *name, const TreeNode *node, Problem *problem, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fail_at(name, node->line, node->column, problem, format, args);
    va_end(args);
    return false;
}

bool tree_fail_key(const char *name, const TreeNode *node, Problem *problem, const char *format,
                   ...)
{
    va_list args;
    va_start(args, format);
    (void)fail_at(name, node->key_line, node->key_column, problem, format, args);
    va_end(args);
    return false;
}

__attribute__((format(printf, 2, 3))) static bool fail_event(Reader *reader, const char *format,
                                                             ...)
{
    va_list args;
    va_start(args, format);
    (void)fail_at(reader->name, reader->event.start_mark.line + 1,
                  reader->event.start_mark.column + 1, reader->problem, format, args);
    va_end(args);
    return false;
}

// Encoding errors come with a byte offset only.
static bool fail_encoding(Reader *reader)
{
    size_t line = 1;
    size_t column = 1;
    const size_t end = reader->parser.problem_offset < reader->text_bytes
                           ? reader->parser.problem_offset
                           : reader->text_bytes;
    for (size_t i = 0; i < end; i++) {
        column = reader->text[i] == '\n' ? 1 : column + 1;
        line += reader->text[i] == '\n';
    }
    return problem_set(reader->problem, "%s:%zu:%zu: not text: %s", reader->name, line, column,
                       reader->parser.problem);
}

static bool next_event(Reader *reader)
{
    yaml_event_delete(&reader->event);
    const yaml_parser_t *parser = &reader->parser;
    if (yaml_parser_parse(&reader->parser, &reader->event))
        return true;
    if (parser->error == YAML_READER_ERROR)
        return fail_encoding(reader);
    if (parser->error == YAML_MEMORY_ERROR)
        return problem_set(reader->problem, "%s: out of memory", reader->name);
    return problem_set(reader->problem, "%s:%zu:%zu: %s%s%s", reader->name,
                       parser->problem_mark.line + 1, parser->problem_mark.column + 1,
                       parser->context ? parser->context : "", parser->context ? ", " : "",
                       parser->problem ? parser->problem : "not YAML");
}

static bool pass_events(Reader *reader, int count)
{
    for (int i = 0; i < count; i++)
        if (!next_event(reader))
            return false;
    return true;
}

static TreeNode *create_node(Reader *reader, TreeKind kind)
{
    TreeNode *node = calloc(1, sizeof *node);
    if (!node) {
        (void)problem_set(reader->problem, "%s: out of memory", reader->name);
        return NULL;
    }
    node->kind = kind;
    node->line = reader->event.start_mark.line + 1;
    node->column = reader->event.start_mark.column + 1;
    return node;
}

// What a scenario has no use for is refused, since it hides what is meant or how much it is.
static bool refuse_extras(Reader *reader)
{
    const yaml_event_t *event = &reader->event;
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT: return fail_event(reader, "aliases are not allowed");
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default: break;
    }
    if (anchor)
        return fail_event(reader, "anchors are not allowed");
    return !tag || fail_event(reader, "tags are not allowed");
}

static char *copy_scalar(Reader *reader)
{
    const char *value = (const char *)reader->event.data.scalar.value;
    const size_t length = reader->event.data.scalar.length;
    if (memchr(value, '\0', length)) {
        (void)fail_event(reader, "text holds a NUL");
        return NULL;
    }
    char *copy = malloc(length + 1);
    if (!copy) {
        (void)problem_set(reader->problem, "%s: out of memory", reader->name);
        return NULL;
    }
    memcpy(copy, value, length + 1);
    return copy;
}

static TreeNode *read_node(Reader *reader, int depth);

// Reads children up to the end event; the start event is current.
static bool read_children(Reader *reader, TreeNode *node, int depth)
{
    TreeNode **tail = &node->first;
    for (;;) {
        if (!next_event(reader))
            return false;
        if (reader->event.type == YAML_SEQUENCE_END_EVENT ||
            reader->event.type == YAML_MAPPING_END_EVENT)
            return true;
        TreeNode key = {0};
        if (node->kind == TREE_MAP) {
            if (!refuse_extras(reader))
                return false;
            if (reader->event.type != YAML_SCALAR_EVENT)
                return fail_event(reader, "a key must be a word");
            key.key_line = reader->event.start_mark.line + 1;
            key.key_column = reader->event.start_mark.column + 1;
            key.key = copy_scalar(reader);
            if (!key.key || !next_event(reader)) {
                free(key.key);
                return false;
            }
        }
        TreeNode *child = read_node(reader, depth + 1);
        if (!child) {
            free(key.key);
            return false;
        }
        child->key = key.key;
        child->key_line = key.key_line;
        child->key_column = key.key_column;
        *tail = child;
        tail = &child->next;
        node->count++;
    }
}

// The node that the current event starts.
static TreeNode *read_node(Reader *reader, int depth)
{
    if (!refuse_extras(reader))
        return NULL;
    if (depth > DEEPEST_NESTING) {
        (void)fail_event(reader, "nested deeper than %d levels", DEEPEST_NESTING);
        return NULL;
    }
    const bool scalar = reader->event.type == YAML_SCALAR_EVENT;
    const bool map = reader->event.type == YAML_MAPPING_START_EVENT;
    TreeNode *node = create_node(reader, scalar ? TREE_SCALAR : map ? TREE_MAP : TREE_LIST);
    if (!node)
        return NULL;
    const bool read =
        scalar ? (node->text = copy_scalar(reader)) != NULL : read_children(reader, node, depth);
    if (!read) {
        tree_free(node);
        return NULL;
    }
    return node;
}

static TreeNode *read_document(Reader *reader)
{
    if (!pass_events(reader, 2)) // stream start, then a document or the end
        return NULL;
    if (reader->event.type == YAML_STREAM_END_EVENT) {
        (void)problem_set(reader->problem, "%s:1:1: there is nothing in it", reader->name);
        return NULL;
    }
    if (!next_event(reader))
        return NULL;
    TreeNode *root = read_node(reader, 1);
    if (!root)
        return NULL;
    bool single = pass_events(reader, 2); // document end, stream end
    if (single && reader->event.type != YAML_STREAM_END_EVENT)
        single = fail_event(reader, "a second document starts here; one is allowed");
    if (!single) {
        tree_free(root);
        return NULL;
    }
    return root;
}

TreeNode *tree_parse(const char *name, const char *text, size_t text_bytes, Problem *problem)
{
    Reader reader = {.name = name, .text = text, .text_bytes = text_bytes, .problem = problem};
    if (!yaml_parser_initialize(&reader.parser)) {
        (void)problem_set(problem, "%s: out of memory", name);
        return NULL;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, text_bytes);
    TreeNode *root = read_document(&reader);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return root;
}

void tree_free(TreeNode *node)
{
    while (node) {
        TreeNode *next = node->next;
        tree_free(node->first);
        free(node->text);
        free(node->key);
        free(node);
        node = next;
    }
}

const TreeNode *tree_find(const TreeNode *map, const char *key)
{
    for (const TreeNode *child = map->first; child; child = child->next)
        if (strcmp(child->key, key) == 0)
            return child;
    return NULL;
}

bool tree_expect(const char *name, const TreeNode *node, TreeKind kind, const char *what,
                 Problem *problem)
{
    static const char *const kinds[] = {
        [TREE_SCALAR] = "a single value", [TREE_LIST] = "a list", [TREE_MAP] = "a map of keys"};
    return node->kind == kind || tree_fail(name, node, problem, "%s: expected %s, given %s", what,
                                           kinds[kind], kinds[node->kind]);
}

bool tree_check_keys(const char *name, const TreeNode *map, const char *const *known,
                     const char *what, Problem *problem)
{
    for (const TreeNode *child = map->first; child; child = child->next) {
        bool found = false;
        for (size_t i = 0; known[i] && !found; i++)
            found = strcmp(known[i], child->key) == 0;
        if (!found) {
            const char *near = problem_nearest(child->key, known);
            return tree_fail_key(name, child, problem, "unknown key '%.64s' in %s%s%s%s",
                                 child->key, what, near ? ", did you mean '" : "", near ? near : "",
                                 near ? "'?" : "");
        }
        const TreeNode *first = tree_find(map, child->key);
        if (first != child)
            return tree_fail_key(name, child, problem, "key '%s' is given twice; first in line %zu",
                                 child->key, first->key_line);
    }
    return true;
}
