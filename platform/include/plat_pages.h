/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * plat_pages.h - memory from the machine, in pages.
 *
 * The differences between targets are data, not #ifdefs: ask plat_pages_caps(). WebAssembly cannot reserve address space, so
 * everything that grows must also work as a directory of separately allocated chunks (core/memory/arena.h does).
 *
 * Thread-safe and lock-free in user space, all of it (one system call, or one memory.grow).
 */
#ifndef PLAT_PAGES_H
#define PLAT_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct plat_pages_caps {
    size_t page_bytes; /* allocation granularity: 4096 natively, 65536 on wasm */
    bool can_reserve;  /* address space without memory behind it: large ranges whose untouched pages cost nothing */
    bool can_release;  /* free gives memory back to the machine (wasm only keeps it for the next alloc) */
} plat_pages_caps_t;

const plat_pages_caps_t *plat_pages_caps(void);

/* Zeroed, writable, aligned to 64 bytes at least. NULL when the machine has no more. `bytes` is rounded up to pages. */
void *plat_pages_alloc(size_t bytes);

/* A range of address space, zero on first touch, memory arriving page by page as it is touched. NULL where the machine cannot
 * (caps.can_reserve false, or an address-space limit): fall back to chunks. */
void *plat_pages_reserve(size_t bytes);

/* Gives back a range from plat_pages_alloc or plat_pages_reserve, with the same size. NULL is allowed. */
void plat_pages_free(void *address, size_t bytes);

/* A wish for huge pages behind a reserved range; may do nothing. */
void plat_pages_wish_huge(void *address, size_t bytes);

#endif
