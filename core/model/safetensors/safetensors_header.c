// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors/safetensors_header.h"

#include "common/fail.h"
#include "common/sort.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool read_type(HypJson *json, SafeTensor *tensor)
{
    HypJsonString name;
    if (!hyp_json_string(json, &name))
        return false;
    for (size_t i = 0; i < HYP_SAFE_TYPE_COUNT; i++)
        if (hyp_json_string_is(&name, hyp_safe_types[i].name)) {
            tensor->type = i & 31;
            return true;
        }
    return hyp_json_fail(json, "tensor '%s': unknown type '%.32s'", tensor->name, name.bytes);
}

// Fails where a number before the first 0 makes it too many: an empty tensor has no excuse for what
// stands in front of its 0.
static bool read_dims(HypJson *json, SafeTensor *tensor, uint64_t *element_count)
{
    HypJsonList list = hyp_json_enter(json, '[');
    *element_count = 1;
    tensor->rank = 0;
    while (hyp_json_next_item(json, &list)) {
        uint64_t dim = 0;
        if (!hyp_json_unsigned(json, &dim))
            return false;
        if (__builtin_mul_overflow(*element_count, dim, element_count))
            return hyp_json_fail(json, "tensor '%s': more elements than 64 bits count",
                                 tensor->name);
        if (tensor->rank < HYPERION_MAX_RANK)
            tensor->dims[tensor->rank] = dim;
        tensor->rank++;
    }
    return !json->failed;
}

static bool read_span(HypJson *json, SafeTensor *tensor)
{
    uint64_t places[2] = {0};
    size_t count = 0;
    HypJsonList list = hyp_json_enter(json, '[');
    while (hyp_json_next_item(json, &list)) {
        if (count == 2)
            return hyp_json_fail(json, "tensor '%s': more than two data_offsets", tensor->name);
        if (!hyp_json_unsigned(json, &places[count++]))
            return false;
    }
    if (count < 2)
        return hyp_json_fail(json, "tensor '%s': less than two data_offsets", tensor->name);
    tensor->begin = places[0];
    tensor->end = places[1];
    return !json->failed;
}

static bool check_size(HypJson *json, const SafeTensor *tensor, uint64_t element_count)
{
    uint64_t bits = 0;
    if (__builtin_mul_overflow(element_count, hyp_safe_types[tensor->type].bits, &bits))
        return hyp_json_fail(json, "tensor '%s': more bits than 64 bits count", tensor->name);
    if (bits % 8 != 0)
        return hyp_json_fail(json, "tensor '%s': %" PRIu64 " bits are no whole bytes", tensor->name,
                             bits);
    if (tensor->end < tensor->begin || tensor->end - tensor->begin != bits / 8)
        return hyp_json_fail(
            json, "tensor '%s': data_offsets %" PRIu64 " and %" PRIu64 " for %" PRIu64 " bytes",
            tensor->name, tensor->begin, tensor->end, bits / 8);
    return true;
}

// Fields that the format does not know are left out.
static bool read_tensor(HypJson *json, SafeTensor *tensor)
{
    static const char *const names[] = {"dtype", "shape", "data_offsets"};
    enum { FIELD_COUNT = sizeof names / sizeof names[0] };
    bool seen[FIELD_COUNT] = {false};
    uint64_t element_count = 0;
    HypJsonString key;
    HypJsonList fields = hyp_json_enter(json, '{');
    while (hyp_json_next_member(json, &fields, &key)) {
        int field = 0;
        while (field < FIELD_COUNT && !hyp_json_string_is(&key, names[field]))
            field++;
        if (field < FIELD_COUNT && seen[field])
            return hyp_json_fail(json, "tensor '%s': a second %s", tensor->name, names[field]);
        if (field < FIELD_COUNT)
            seen[field] = true;
        const bool read = field == 0   ? read_type(json, tensor)
                          : field == 1 ? read_dims(json, tensor, &element_count)
                          : field == 2 ? read_span(json, tensor)
                                       : hyp_json_skip(json);
        if (!read)
            return false;
    }
    for (int i = 0; i < FIELD_COUNT; i++)
        if (!seen[i])
            return hyp_json_fail(json, "tensor '%s': no %s", tensor->name, names[i]);
    return check_size(json, tensor, element_count);
}

static bool read_texts(HypJson *json, HyperionWeightsFile *file)
{
    size_t count = 0;
    if (hyp_json_peek(json) == 'n')
        return hyp_json_skip(json);
    if (!hyp_json_count(json, &count))
        return false;
    file->texts = calloc(count ? count : 1, sizeof *file->texts);
    if (!file->texts)
        return hyp_fail(HYPERION_ERROR_MEMORY, "no memory for %zu texts", count);
    HypJsonString key;
    HypJsonString value;
    HypJsonList members = hyp_json_enter(json, '{');
    while (hyp_json_next_member(json, &members, &key)) {
        if (!hyp_json_string(json, &value))
            return false;
        file->texts[file->text_count++] =
            (SafeText){.key = (uint32_t)(key.bytes - file->header),
                       .key_bytes = (uint32_t)key.length,
                       .value = (uint32_t)(value.bytes - file->header),
                       .value_bytes = (uint32_t)value.length};
    }
    return !json->failed;
}

// The tensor of that name, for which there is room.
static bool add_tensor(HypJson *json, HyperionWeightsFile *file, const HypJsonString *name)
{
    SafeTensor *tensor = &file->tensors[file->tensor_count++];
    *tensor = (SafeTensor){.name = name->bytes, .name_bytes = (uint32_t)name->length};
    return read_tensor(json, tensor);
}

static int compare_texts(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    const int order = memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);
    return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int compare_names(const void *a, const void *b, const void *context)
{
    const SafeTensor *first = a;
    const SafeTensor *second = b;
    (void)context;
    return compare_texts(first->name, first->name_bytes, second->name, second->name_bytes);
}

static int compare_keys(const void *a, const void *b, const void *header)
{
    const SafeText *first = a;
    const SafeText *second = b;
    const char *text = header;
    return compare_texts(text + first->key, first->key_bytes, text + second->key,
                         second->key_bytes);
}

// Those without bytes at one place stay in the order of the header.
static int compare_places(const void *a, const void *b, const void *context)
{
    const SafeTensor *first = a;
    const SafeTensor *second = b;
    (void)context;
    if (first->begin != second->begin)
        return first->begin < second->begin ? -1 : 1;
    if (first->end != second->end)
        return first->end < second->end ? -1 : 1;
    return (first->name > second->name) - (first->name < second->name);
}

static bool check_names(HyperionWeightsFile *file)
{
    hyp_sort(file->tensors, file->tensor_count, sizeof *file->tensors, compare_names, NULL);
    for (size_t i = 1; i < file->tensor_count; i++)
        if (compare_names(&file->tensors[i - 1], &file->tensors[i], NULL) == 0)
            return hyp_fail(HYPERION_ERROR_FORMAT, "a second tensor '%s'", file->tensors[i].name);
    hyp_sort(file->texts, file->text_count, sizeof *file->texts, compare_keys, file->header);
    for (size_t i = 1; i < file->text_count; i++)
        if (compare_keys(&file->texts[i - 1], &file->texts[i], file->header) == 0)
            return hyp_fail(HYPERION_ERROR_FORMAT, "a second text '%s' in __metadata__",
                            file->header + file->texts[i].key);
    return true;
}

// Puts the tensors in order and checks that their bytes are the file's.
static bool check_places(HyperionWeightsFile *file)
{
    uint64_t place = 0;
    const uint64_t data_bytes =
        hyp_platform_file_bytes(file->file) - SAFETENSORS_LENGTH_BYTES - file->header_bytes;
    hyp_sort(file->tensors, file->tensor_count, sizeof *file->tensors, compare_places, NULL);
    for (size_t i = 0; i < file->tensor_count; i++) {
        if (file->tensors[i].begin != place)
            return hyp_fail(HYPERION_ERROR_FORMAT,
                            "tensor '%s' begins at %" PRIu64 ", what is before it ends at %" PRIu64,
                            file->tensors[i].name, file->tensors[i].begin, place);
        place = file->tensors[i].end;
    }
    return place == data_bytes ||
           hyp_fail(HYPERION_ERROR_FORMAT,
                    "tensors of %" PRIu64 " bytes in a file that has %" PRIu64 " behind its header",
                    place, data_bytes);
}

bool hyp_safetensors_parse(HyperionWeightsFile *file)
{
    size_t count = 0;
    HypJson json = hyp_json_open("header", file->header, file->header_bytes);
    if (file->header_bytes == 0 || file->header[0] != '{')
        return json.failed ? false : hyp_json_fail(&json, "expected '{'");
    if (!hyp_json_count(&json, &count))
        return false;
    file->tensors = calloc(count ? count : 1, sizeof *file->tensors);
    if (!file->tensors)
        return hyp_fail(HYPERION_ERROR_MEMORY, "no memory for %zu tensors", count);
    HypJsonString key;
    bool has_texts = false;
    HypJsonList members = hyp_json_enter(&json, '{');
    while (hyp_json_next_member(&json, &members, &key)) {
        const bool is_texts = hyp_json_string_is(&key, "__metadata__");
        if (is_texts && has_texts)
            return hyp_json_fail(&json, "a second __metadata__");
        has_texts |= is_texts;
        if (is_texts ? !read_texts(&json, file) : !add_tensor(&json, file, &key))
            return false;
    }
    return hyp_json_finish(&json) && check_names(file) && check_places(file);
}
