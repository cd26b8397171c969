/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * text.c - checking and ordering of the strings that callers hand in.
 *
 * The UTF-8 rule is the table of well-formed byte sequences of the Unicode standard: the lead byte fixes the length and, for four of them,
 * a narrower range for the second byte; that range alone excludes overlong forms, surrogates and everything above U+10FFFF.
 */
#include "base/base.h"

#define ASCII_MASK 0x8080808080808080u

/* Length of the well-formed sequence at s, whose first byte is not ASCII; 0 when it is malformed or cut off. */
static size_t multibyte_length(const uint8_t *s, size_t left) {
    uint8_t lead = s[0], second_min = 0x80, second_max = 0xBF;
    if (lead < 0xC2 || lead > 0xF4) return 0; /* a continuation, an overlong pair, or beyond U+10FFFF */
    size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead == 0xE0) second_min = 0xA0; /* overlong below */
    if (lead == 0xED) second_max = 0x9F; /* surrogates above */
    if (lead == 0xF0) second_min = 0x90; /* overlong below */
    if (lead == 0xF4) second_max = 0x8F; /* beyond U+10FFFF above */
    if (left < length || s[1] < second_min || s[1] > second_max) return 0;
    for (size_t i = 2; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
    }
    return length;
}

bool cmi_utf8_valid(const char *bytes, size_t n_bytes) {
    const uint8_t *s = (const uint8_t *)bytes;
    size_t i = 0;
    while (i < n_bytes) {
        uint64_t word;
        if (n_bytes - i >= sizeof word) { /* most text is ASCII: eight bytes at a time */
            memcpy(&word, s + i, sizeof word);
            if ((word & ASCII_MASK) == 0) {
                i += sizeof word;
                continue;
            }
        }
        size_t length = s[i] < 0x80 ? 1 : multibyte_length(s + i, n_bytes - i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

int cmi_str_compare(cm_str_t a, cm_str_t b) {
    size_t common = CMI_MIN(a.len, b.len);
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common); /* an empty string may be a NULL pointer, which memcmp must not see */
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}
