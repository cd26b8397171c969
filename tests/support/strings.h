/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* strings.h - cm_str_t from C strings. */
#ifndef TEST_STRINGS_H
#define TEST_STRINGS_H

#include "chronomind.h"

#include <string.h>

static inline cm_str_t str(const char *text) {
    return (cm_str_t){text, strlen(text)};
}

/* "a b c" -> its words; returns how many. */
static inline uint32_t split(const char *words, cm_str_t *out) {
    uint32_t n = 0;
    for (const char *p = words; *p;) {
        size_t len = strcspn(p, " ");
        out[n++] = (cm_str_t){p, len};
        p += len + (p[len] == ' ');
    }
    return n;
}

/* The number behind the first `skip` bytes of a string, which has no terminator; UINT32_MAX where there is none. */
static inline uint32_t number_behind(cm_str_t string, size_t skip) {
    uint32_t number = 0;
    for (size_t i = skip; i < string.len; i++) {
        if (string.data[i] < '0' || string.data[i] > '9') return UINT32_MAX;
        number = 10 * number + (uint32_t)(string.data[i] - '0');
    }
    return string.len > skip ? number : UINT32_MAX;
}

#endif
