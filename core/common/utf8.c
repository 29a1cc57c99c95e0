// SPDX-License-Identifier: Apache-2.0
#include "common/utf8.h"

// Bytes of the character at `at`; 0: it is none. RFC 3629, section 4: the first byte says how many
// follow and what the second may be.
static size_t measure_character(const unsigned char *at, size_t left_bytes)
{
    const unsigned char first = at[0];
    if (first < 0x80)
        return 1;
    const size_t count = first < 0xC2   ? 0
                         : first < 0xE0 ? 2
                         : first < 0xF0 ? 3
                         : first < 0xF5 ? 4
                                        : 0;
    if (count == 0 || count > left_bytes)
        return 0;
    const unsigned char least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned char most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < least || at[1] > most)
        return 0;
    for (size_t i = 2; i < count; i++)
        if (at[i] < 0x80 || at[i] > 0xBF)
            return 0;
    return count;
}

size_t hyp_utf8_prefix(const char *text, size_t size_bytes)
{
    size_t at = 0;
    while (at < size_bytes) {
        const size_t count = measure_character((const unsigned char *)text + at, size_bytes - at);
        if (count == 0)
            break;
        at += count;
    }
    return at;
}

size_t hyp_utf8_encode(int32_t point, char out[4])
{
    static const int32_t first_beyond[] = {0x80, 0x800, 0x10000, 0x110000};
    static const unsigned char marks[] = {0x00, 0xC0, 0xE0, 0xF0};
    size_t more = 0;
    while (point >= first_beyond[more])
        more++;
    for (size_t i = more; i > 0; i--, point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3F));
    out[0] = (char)(marks[more] | point);
    return more + 1;
}
