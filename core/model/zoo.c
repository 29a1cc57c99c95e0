// SPDX-License-Identifier: Apache-2.0
#include "model/zoo.h"

#include "common/fail.h"
#include "common/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const HypZooGenerator *const generators[] = {
    &hyp_zoo_mlp,        &hyp_zoo_cnn,         &hyp_zoo_transformer, &hyp_zoo_bert,
    &hyp_zoo_minilm,     &hyp_zoo_gpt2,        &hyp_zoo_llama,       &hyp_zoo_resnet18,
    &hyp_zoo_resnet50,   &hyp_zoo_mobilenetv2, &hyp_zoo_densenet121, &hyp_zoo_inceptionv3,
    &hyp_zoo_squeezenet, &hyp_zoo_shufflenet,  &hyp_zoo_vgg16,       &hyp_zoo_unet,
};
enum { GENERATOR_COUNT = sizeof generators / sizeof generators[0], LONGEST_WORD = 63 };

const char *hyperionBuiltinModelName(int index)
{
    return index >= 0 && index < GENERATOR_COUNT ? generators[index]->name : NULL;
}

const char *hyperionBuiltinModelHelp(int index)
{
    return index >= 0 && index < GENERATOR_COUNT ? generators[index]->help : NULL;
}

// Copies the text up to one of `ends` and returns where that stands; NULL when it is too long.
static const char *take_word(const char *text, const char *ends, char word[LONGEST_WORD + 1])
{
    const size_t length = strcspn(text, ends);
    if (length > LONGEST_WORD)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "built-in model: '%.*s...' is too long",
                             LONGEST_WORD, text);
    memcpy(word, text, length);
    word[length] = '\0';
    return text + length;
}

static const HypZooGenerator *find_generator(const char *name)
{
    const HypZooGenerator *nearest = generators[0];
    for (int i = 0; i < GENERATOR_COUNT; i++) {
        if (strcmp(generators[i]->name, name) == 0)
            return generators[i];
        if (hyp_text_distance(generators[i]->name, name) < hyp_text_distance(nearest->name, name))
            nearest = generators[i];
    }
    return hyp_fail_null(HYPERION_ERROR_ARGUMENT,
                         "built-in model: there is no '%s'; the nearest is '%s'", name,
                         nearest->name);
}

// Index of the parameter `key`, -1 if there is none.
static int find_parameter(const HypZooGenerator *generator, const char *key)
{
    int nearest = 0;
    for (int i = 0; i < generator->parameter_count; i++) {
        const char *known = generator->parameters[i].key;
        if (strcmp(known, key) == 0)
            return i;
        if (hyp_text_distance(known, key) <
            hyp_text_distance(generator->parameters[nearest].key, key))
            nearest = i;
    }
    (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "builtin:%s has no key '%s'; the nearest is '%s'",
                   generator->name, key, generator->parameters[nearest].key);
    return -1;
}

static bool read_value(const HypZooGenerator *generator, const HypZooParameter *parameter,
                       const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    if (end == text || *end || errno || number < parameter->least || number > parameter->most)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "builtin:%s: %s is %" PRId64 " to %" PRId64 ", given '%s'", generator->name,
                        parameter->key, parameter->least, parameter->most, text);
    *value = number;
    return true;
}

// key=value,key=value: each key once.
static bool read_values(const HypZooGenerator *generator, const char *text, int64_t *values)
{
    bool given[HYP_ZOO_MOST_PARAMETERS] = {false};
    for (;;) {
        char key[LONGEST_WORD + 1];
        char value[LONGEST_WORD + 1];
        text = take_word(text, "=,", key);
        if (!text)
            return false;
        if (*text != '=')
            return hyp_fail(HYPERION_ERROR_ARGUMENT, "builtin:%s: expected key=value, given '%s'",
                            generator->name, key);
        text = take_word(text + 1, ",", value);
        const int i = text ? find_parameter(generator, key) : -1;
        if (i < 0)
            return false;
        if (given[i])
            return hyp_fail(HYPERION_ERROR_ARGUMENT, "builtin:%s: %s is given twice",
                            generator->name, key);
        given[i] = true;
        if (!read_value(generator, &generator->parameters[i], value, &values[i]))
            return false;
        if (!*text)
            return true;
        text++;
    }
}

static HyperionModel *build_model(const HypZooGenerator *generator, const char *name,
                                  const int64_t *values)
{
    HypZooSketch sketch = {.model = hyperionCreateModel(name)};
    for (int i = 0; i < generator->parameter_count; i++)
        if (strcmp(generator->parameters[i].key, "seed") == 0)
            sketch.random = (uint64_t)values[i];
    if (sketch.model && !generator->build(&sketch, values)) {
        hyperionFreeModel(sketch.model);
        return NULL;
    }
    return sketch.model;
}

HyperionModel *hyp_zoo_create(const char *specification)
{
    char name[LONGEST_WORD + 1];
    const char *rest = take_word(strchr(specification, ':') + 1, ":", name);
    const HypZooGenerator *generator = rest ? find_generator(name) : NULL;
    if (!generator)
        return NULL;
    int64_t values[HYP_ZOO_MOST_PARAMETERS];
    for (int i = 0; i < generator->parameter_count; i++)
        values[i] = generator->parameters[i].fallback;
    if (*rest && !read_values(generator, rest + 1, values))
        return NULL;
    return build_model(generator, specification, values);
}
