/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* string.h - the five functions of <string.h> that the project uses. WebAssembly builds link no libc; libc.c defines them. */
#ifndef PLAT_WASM_STRING_H
#define PLAT_WASM_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n_bytes);
void *memmove(void *to, const void *from, size_t n_bytes);
void *memset(void *to, int byte, size_t n_bytes);
int memcmp(const void *a, const void *b, size_t n_bytes);
size_t strlen(const char *text);

#endif
