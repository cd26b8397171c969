/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * arena.h - an array of fixed-stride items that grows without moving: item i has one address for ever.
 *
 * Where the machine can reserve address space the arena is flat: base + i * stride, and pages arrive as they are touched. Where it cannot
 * (WebAssembly, or an address-space limit) it is a directory of at most CMI_ARENA_CHUNKS chunks, each allocated when its first item is
 * needed. Items are zero at first. A spilled arena is flat, and its pages are those of a file in place of memory (plat_spill.h).
 *
 * READERS  cmi_arena_at(): wait-free, for items that were ensured by whoever published their index.
 * WRITERS  cmi_arena_ensure(): lock-free; two threads may race to install a chunk, the loser gives its pages back.
 * RECLAMATION  none: items live as long as the arena. Reuse of items is their owner's business.
 */
#ifndef CMI_ARENA_H
#define CMI_ARENA_H

#include "base/base.h"
#include "plat_atomic.h"
#include "plat_spill.h"

#define CMI_ARENA_CHUNKS 256u

typedef struct cmi_arena {
    uint8_t *flat;                       /* NULL: chunked. Immutable after open */
    plat_spill_t spill;                  /* where a spilled arena is flat */
    uint64_t stride_bytes;               /* immutable */
    uint64_t flat_bytes;                 /* immutable: of the reservation */
    uint32_t capacity;                   /* items; immutable */
    uint32_t chunk_shift;                /* log2(items per chunk); immutable */
    plat_aptr_t chunk[CMI_ARENA_CHUNKS]; /* NULL until allocated, then immutable */
} cmi_arena_t;

/* stride_bytes > 0, capacity > 0. False when the machine gives no memory; the arena then needs no close. */
bool cmi_arena_open(cmi_arena_t *arena, uint64_t stride_bytes, uint32_t capacity);

/* The same in a file in `folder`. NULL, or a sentence that says why there is none. */
const char *cmi_arena_open_spilled(cmi_arena_t *arena, uint64_t stride_bytes, uint32_t capacity, const char *folder);

/* Also right for an arena that is all zero. */
void cmi_arena_close(cmi_arena_t *arena);

/* Makes item i < capacity usable. False when the machine gives no memory, or the disk no room. */
bool cmi_arena_ensure(cmi_arena_t *arena, uint32_t i);

/* Bytes behind the first n items (n used items of a flat arena; whole chunks otherwise). */
uint64_t cmi_arena_bytes(const cmi_arena_t *arena, uint32_t n);

static inline bool cmi_arena_is_spilled(const cmi_arena_t *arena) {
    return PLAT_CAN_SPILL && arena->spill.address != NULL;
}

static inline void *cmi_arena_at(const cmi_arena_t *arena, uint32_t i) {
    if (CMI_LIKELY(arena->flat != NULL)) return arena->flat + (uint64_t)i * arena->stride_bytes;
    /* relaxed: the index i reached us through an acquire that its publisher's cmi_arena_ensure(i) happens before */
    uint8_t *chunk = (uint8_t *)plat_load_relaxed((plat_aptr_t *)&arena->chunk[i >> arena->chunk_shift]);
    return chunk + (uint64_t)(i & ((1u << arena->chunk_shift) - 1u)) * arena->stride_bytes;
}

/* True when item i was made usable, or one in the same chunk. */
static inline bool cmi_arena_has(const cmi_arena_t *arena, uint32_t i) {
    return arena->flat || plat_load_relaxed((plat_aptr_t *)&arena->chunk[i >> arena->chunk_shift]); /* relaxed: as above */
}

#endif
