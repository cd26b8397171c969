/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * libc.c - what compilers call behind one's back, and <string.h>, for builds without a libc.
 *
 * Copying and filling are one instruction of the bulk-memory extension: __builtin_memcpy of a length that is not constant becomes
 * memory.copy. This file is compiled with -fno-builtin, or its loops would be recognised and turned into calls of themselves.
 */
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n_bytes) {
    return __builtin_memcpy(to, from, n_bytes);
}

/* memory.copy allows overlap. */
void *memmove(void *to, const void *from, size_t n_bytes) {
    return __builtin_memmove(to, from, n_bytes);
}

void *memset(void *to, int byte, size_t n_bytes) {
    return __builtin_memset(to, byte, n_bytes);
}

int memcmp(const void *a, const void *b, size_t n_bytes) {
    const unsigned char *x = a, *y = b;
    for (size_t i = 0; i < n_bytes; i++) {
        if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

size_t strlen(const char *text) {
    size_t n = 0;
    while (text[n] != '\0') n++;
    return n;
}
