/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * heap_pages.h - plat_pages.h out of malloc, for the harnesses: the address sanitizer then sees an access beyond a page request, which it cannot see in
 * mmap()ed memory. Nothing can be reserved, as on WebAssembly, and there is an end to it: a count that some bytes of input could inflate shows.
 */
#ifndef HEAP_PAGES_H
#define HEAP_PAGES_H

#include <stddef.h>
#include <stdint.h>

/* What all stores of one input may take together; beyond it requests are refused. */
#define HEAP_PAGES_MOST_BYTES ((size_t)24 << 20)

/* The n-th request from now on is refused, once; 0: none. */
void heap_pages_refuse(uint32_t n);

/* Bytes that were taken and not given back. */
size_t heap_pages_in_use(void);

#endif
