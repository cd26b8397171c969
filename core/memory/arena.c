/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* arena.c - see arena.h. */
#include "memory/arena.h"

#include "plat_pages.h"

#define CHUNK_BYTES_AT_LEAST 65536u /* smaller chunks would waste most of a wasm page */
#define CHUNK_BYTES_ENOUGH 524288u  /* beyond, the last chunk would be too much that nobody uses yet */

static uint64_t chunk_bytes(const cmi_arena_t *arena) {
    return arena->stride_bytes << arena->chunk_shift;
}

/* Chunks come in whole pages: more than a sixteenth of one would be waste. */
static bool is_wasteful(uint64_t bytes) {
    uint64_t page_bytes = plat_pages_caps()->page_bytes, in_last = bytes % page_bytes;
    return in_last != 0 && (page_bytes - in_last) * 16 > bytes;
}

/* Chunks small enough to grow in steps, large enough that the directory's CMI_ARENA_CHUNKS cover the capacity. */
static uint32_t choose_chunk_shift(uint64_t stride_bytes, uint32_t capacity) {
    uint32_t shift = 0;
    while ((stride_bytes << shift) < CHUNK_BYTES_AT_LEAST) shift++;
    while (((uint64_t)CMI_ARENA_CHUNKS << shift) < capacity) shift++;
    while ((stride_bytes << shift) < CHUNK_BYTES_ENOUGH && is_wasteful(stride_bytes << shift)) shift++;
    return shift;
}

static void shape(cmi_arena_t *arena, uint64_t stride_bytes, uint32_t capacity) {
    memset(arena, 0, sizeof *arena);
    arena->stride_bytes = stride_bytes;
    arena->capacity = capacity;
    arena->chunk_shift = choose_chunk_shift(stride_bytes, capacity);
}

bool cmi_arena_open(cmi_arena_t *arena, uint64_t stride_bytes, uint32_t capacity) {
    shape(arena, stride_bytes, capacity);
    uint64_t bytes = stride_bytes * capacity;
    if (plat_pages_caps()->can_reserve && bytes <= SIZE_MAX) {
        arena->flat = plat_pages_reserve((size_t)bytes);
        if (arena->flat) {
            arena->flat_bytes = bytes;
            plat_pages_wish_huge(arena->flat, (size_t)bytes);
        }
    }
    return true;
}

const char *cmi_arena_open_spilled(cmi_arena_t *arena, uint64_t stride_bytes, uint32_t capacity, const char *folder) {
    shape(arena, stride_bytes, capacity);
    uint64_t bytes = stride_bytes * capacity;
    if (bytes > SIZE_MAX) return "it is more than this machine can address";
    const char *why = plat_spill_open(&arena->spill, folder, (size_t)bytes);
    arena->flat = arena->spill.address;
    arena->flat_bytes = bytes;
    return why;
}

void cmi_arena_close(cmi_arena_t *arena) {
    if (cmi_arena_is_spilled(arena)) plat_spill_close(&arena->spill);
    else if (arena->flat) plat_pages_free(arena->flat, (size_t)arena->flat_bytes);
    for (uint32_t c = 0; c < CMI_ARENA_CHUNKS; c++) {
        void *chunk = plat_load_relaxed(&arena->chunk[c]); /* relaxed: the last user is gone */
        if (chunk) plat_pages_free(chunk, (size_t)chunk_bytes(arena));
    }
    memset(arena, 0, sizeof *arena);
}

bool cmi_arena_ensure(cmi_arena_t *arena, uint32_t i) {
    if (cmi_arena_is_spilled(arena)) return plat_spill_ensure(&arena->spill, ((uint64_t)i + 1) * arena->stride_bytes);
    if (arena->flat) return true;
    plat_aptr_t *entry = &arena->chunk[i >> arena->chunk_shift];
    void *installed = plat_load_acquire(entry); /* [A1] acquire: the chunk's zeroes, pairs with the release CAS below */
    if (installed) return true;
    if (chunk_bytes(arena) > SIZE_MAX) return false;
    void *fresh = plat_pages_alloc((size_t)chunk_bytes(arena));
    if (!fresh) return false;
    if (plat_cas_acq_rel(entry, &installed, fresh)) return true; /* [A1] release: zeroed chunk before its address */
    plat_pages_free(fresh, (size_t)chunk_bytes(arena));          /* another thread installed one first: progress was made */
    return true;
}

uint64_t cmi_arena_bytes(const cmi_arena_t *arena, uint32_t n) {
    if (arena->flat) return (uint64_t)n * arena->stride_bytes;
    uint64_t bytes = 0;
    for (uint32_t c = 0; c < CMI_ARENA_CHUNKS; c++) /* relaxed: a statistic */
        if (plat_load_relaxed((plat_aptr_t *)&arena->chunk[c])) bytes += chunk_bytes(arena);
    return bytes;
}
