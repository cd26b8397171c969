/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * plat_spill.h - pages of a file in place of memory, for what is large and seldom read: the machine keeps the pages that are in use and takes the others back
 * when it needs memory.
 *
 * The file has no name: nobody else sees it, and it is gone when the process ends, however that happens. Writing to a page for which the disk has no room would
 * be a SIGBUS, so room is asked for first, in steps, where a refusal is an answer.
 *
 * WebAssembly has no such thing and says so (PLAT_CAN_SPILL).
 */
#ifndef PLAT_SPILL_H
#define PLAT_SPILL_H

#include "plat_atomic.h"

#include <stddef.h>

#ifdef __wasm__
enum { PLAT_CAN_SPILL = 0 };
#else
enum { PLAT_CAN_SPILL = 1 };
#endif

typedef struct plat_spill {
    uint8_t *address;  /* NULL: none. Immutable after open */
    size_t n_bytes;    /* immutable */
    int file;          /* immutable */
    plat_a64_t n_safe; /* bytes from the start that the disk has room for; grows */
} plat_spill_t;

/* Maps n_bytes > 0 of a new file in `folder`: zero at first, aligned to pages, usable as far as plat_spill_ensure() has been asked for. NULL, or a sentence that
 * says why there is none. */
const char *plat_spill_open(plat_spill_t *spill, const char *folder, size_t n_bytes);

/* Makes bytes 0 .. n_bytes-1 (at most those of the mapping) usable. False when the disk has no room. Thread-safe; lock-free in user space (one system call). */
bool plat_spill_ensure(plat_spill_t *spill, uint64_t n_bytes);

/* Also right for one that is all zero. */
void plat_spill_close(plat_spill_t *spill);

#endif
