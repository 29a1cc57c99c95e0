// SPDX-License-Identifier: Apache-2.0
// layer_attributes.h - the fields of HyperionLayerAttributes as a table: who stores or shows them
// loops over it, so that a new attribute is one row.
#ifndef HYP_LAYER_ATTRIBUTES_H
#define HYP_LAYER_ATTRIBUTES_H

#include "hyperion/model.h"

#include "common/json_reader.h"
#include "common/json_writer.h"

typedef enum HypAttributeKind {
    HYP_ATTRIBUTE_I64,
    HYP_ATTRIBUTE_INT,
    HYP_ATTRIBUTE_BOOL,
    HYP_ATTRIBUTE_F32,
    HYP_ATTRIBUTE_WORD // an enumeration, stored by the names of its constants
} HypAttributeKind;

typedef struct HypAttribute {
    const char *name; // of the field
    HypAttributeKind kind;
    size_t offset;     // in HyperionLayerAttributes
    size_t size_bytes; // of all its elements
    const char *const *words;
    size_t word_count; // of the enumeration; a word may be NULL: a constant that has no name
} HypAttribute;

extern const HypAttribute hyp_attributes[];
extern const size_t hyp_attribute_count;

// Elements of the field, and bytes of one.
size_t hyp_attribute_element_bytes(const HypAttribute *attribute);
size_t hyp_attribute_element_count(const HypAttribute *attribute);

// {"stride": [2, 2], ...}: fields that are not all zero, trailing zeros left out. False, last error
// set, where one cannot be named or memory is out.
bool hyp_attributes_write(HypJsonWriter *writer, const HyperionLayerAttributes *attributes);
bool hyp_attributes_read(HypJson *json, HyperionLayerAttributes *attributes);

#endif
