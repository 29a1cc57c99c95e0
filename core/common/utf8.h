// SPDX-License-Identifier: Apache-2.0
// utf8.h - UTF-8 as RFC 3629 has it: no surrogates, no overlong forms.
#ifndef HYP_UTF8_H
#define HYP_UTF8_H

#include <stddef.h>
#include <stdint.h>

// Bytes from the start of `text` that are whole characters of UTF-8; size_bytes if all is well.
size_t hyp_utf8_prefix(const char *text, size_t size_bytes);

// Writes a code point, no surrogate and at most 0x10FFFF; returns its bytes, 1 to 4.
size_t hyp_utf8_encode(int32_t point, char out[4]);

#endif
