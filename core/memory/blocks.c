/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * blocks.c - see blocks.h.
 *
 * HANDLES  count granules of 16 bytes. Where address space can be reserved, a handle is an offset into one flat range. Elsewhere handles are cut into
 *          chunks of 64 KiB that a directory maps to pages, each taken when it is first needed:
 *
 *              granule 0          low                                   high             end
 *                      | small -> |  .  .  .  untouched  .  .  .  .  .  | <- big (chunks) |
 *
 *          Small blocks never straddle a chunk; big ones (more than a chunk; only there) get a run of directory places and pages of their own.
 * CLASSES  1 .. 8 granules, then 8 classes per doubling: at most 1/8 of a block above 128 bytes is lost, and 15 bytes below.
 * FREEING  one Treiber stack (1986) per class. The head carries a tag that every push increments: a pop whose head was popped, used and pushed again
 *          meanwhile fails its CAS.
 * PROGRESS alloc and free are lock-free: a CAS repeats only because another thread's alloc or free succeeded.
 * RECLAMATION  of the pages: at close. Blocks go round through their stacks.
 */
#include "memory/blocks.h"

#include "memory/arena.h"
#include "plat_pages.h"

#define GRANULE_BYTES 16u
#define CHUNK_GRANULES 4096u
#define CHUNK_BYTES (CHUNK_GRANULES * GRANULE_BYTES)
#define MOST_GRANULES (UINT32_C(1) << 31)    /* bit 31 of a handle is its owner's: 32 GiB of blocks */
#define LEAST_FLAT_BYTES (UINT64_C(1) << 30) /* a smaller range would end before the machine's memory does: chunks are better then */
#define N_CLASSES 128u                       /* the last that 2 MiB need is 120 */

/* In front of every block, allocated or free. */
typedef struct header {
    uint32_t n_bytes; /* asked for; the class follows from it. Owner of the block only */
    /* while free: the one below in the stack. Atomic, because a pop may read it of a block that was just popped by another thread */
    plat_a32_t next_free;
} header_t;

typedef struct free_stack {
    _Alignas(64) plat_a64_t head; /* tag << 32 | handle; atomic, any thread */
} free_stack_t;

struct cmi_blocks {
    uint8_t *flat;                        /* NULL: chunked. Immutable */
    uint64_t flat_bytes;                  /* immutable */
    cmi_arena_t chunks;                   /* chunked: plat_aptr_t per chunk, NULL until it has pages; of a big block the first only */
    _Alignas(64) plat_a64_t frontier;     /* high << 32 | low; atomic, any writer */
    _Alignas(64) plat_a64_t n_bytes_used; /* statistics */
    plat_a64_t n_bytes_chunks;            /* statistics */
    free_stack_t free[N_CLASSES];
};

/* ---- size classes -------------------------------------------------------------------------------------------------------- */

static uint32_t granules_for(uint32_t n_bytes) {
    return (n_bytes + (uint32_t)sizeof(header_t) + GRANULE_BYTES - 1) / GRANULE_BYTES;
}

/* The smallest class that holds n granules. */
static uint32_t class_of(uint32_t n) {
    if (n <= 8) return n - 1;
    uint32_t doubling = 31u - (uint32_t)__builtin_clz((n - 1) / 8);
    return 8 + 8 * doubling + ((n - 1 - (8u << doubling)) >> doubling);
}

static uint32_t granules_of(uint32_t class) {
    if (class < 8) return class + 1;
    uint32_t doubling = (class - 8) / 8, step = (class - 8) % 8;
    return (8u << doubling) + ((step + 1) << doubling);
}

/* ---- addresses ------------------------------------------------------------------------------------------------------------ */

static plat_aptr_t *chunk_of(const cmi_blocks_t *blocks, uint32_t handle) {
    return (plat_aptr_t *)cmi_arena_at(&blocks->chunks, handle / CHUNK_GRANULES);
}

static header_t *header_at(const cmi_blocks_t *blocks, uint32_t handle) {
    if (CMI_LIKELY(blocks->flat != NULL)) return (header_t *)(blocks->flat + (uint64_t)handle * GRANULE_BYTES);
    /* relaxed: the handle reached us through an acquire that its allocation happens before, and [B3] brought the chunk to whoever allocated it */
    uint8_t *chunk = plat_load_relaxed(chunk_of(blocks, handle));
    return (header_t *)(chunk + (size_t)(handle % CHUNK_GRANULES) * GRANULE_BYTES);
}

/* ---- free stacks ------------------------------------------------------------------------------------------------------------- */

static void push(cmi_blocks_t *blocks, uint32_t class, uint32_t handle) {
    plat_a64_t *word = &blocks->free[class].head;
    header_t *header = header_at(blocks, handle);
    uint64_t head = plat_load_relaxed(word), pushed; /* relaxed: re-checked by the CAS */
    do {
        plat_store_relaxed(&header->next_free, (uint32_t)head); /* relaxed: published by the CAS */
        pushed = ((head >> 32) + 1) << 32 | handle;
        /* [B1] release: next_free, and the last owner's use of the block. Retry: another push or pop of this class succeeded */
    } while (!plat_cas_release(word, &head, pushed));
}

/* Relaxed is enough for reading next_free: if `handle` is still the head with the same tag at the CAS, then no push happened since the head was read, so the
 * block stayed in the stack and next_free is what the acquire of the head made visible. Otherwise the value is not used. */
static uint32_t pop(cmi_blocks_t *blocks, uint32_t class) {
    plat_a64_t *word = &blocks->free[class].head;
    uint64_t head = plat_load_acquire(word); /* [B1] acquire: next_free of the head */
    while ((uint32_t)head != CMI_NO_BLOCK) {
        uint32_t below = plat_load_relaxed(&header_at(blocks, (uint32_t)head)->next_free);
        /* [B1] acquire: the last owner's use of the block. All changes of the head are RMWs, so each continues every earlier push's release sequence.
         * Retry: another push or pop of this class succeeded */
        if (plat_cas_acquire(word, &head, (head & ~(uint64_t)UINT32_MAX) | below)) return (uint32_t)head;
    }
    return CMI_NO_BLOCK;
}

/* ---- untouched granules -------------------------------------------------------------------------------------------------------- */

static bool ensure_chunk(cmi_blocks_t *blocks, uint32_t handle) {
    if (!cmi_arena_ensure(&blocks->chunks, handle / CHUNK_GRANULES)) return false;
    plat_aptr_t *place = chunk_of(blocks, handle);
    void *installed = plat_load_acquire(place); /* [B3] */
    if (installed) return true;
    void *fresh = plat_pages_alloc(CHUNK_BYTES);
    if (!fresh) return false;
    if (plat_cas_acq_rel(place, &installed, fresh)) {                 /* [B3] release: zeroed pages; pairs with the acquire above */
        plat_fetch_add_relaxed(&blocks->n_bytes_chunks, CHUNK_BYTES); /* relaxed: statistics */
        return true;
    }
    plat_pages_free(fresh, CHUNK_BYTES); /* another thread installed one first: progress was made */
    return true;
}

/* What is left of a chunk becomes free blocks. */
static void recycle(cmi_blocks_t *blocks, uint32_t handle, uint32_t end) {
    while (handle < end) {
        uint32_t class = class_of(end - handle);
        if (granules_of(class) > end - handle) class --;
        push(blocks, class, handle);
        handle += granules_of(class);
    }
}

static uint32_t take_small(cmi_blocks_t *blocks, uint32_t n) {
    uint64_t word = plat_load_relaxed(&blocks->frontier); /* relaxed, and the CAS: a count; ensure_chunk() brings the chunk here [B3] */
    for (;;) {
        uint32_t low = (uint32_t)word, high = (uint32_t)(word >> 32), start = low;
        if (!blocks->flat && low / CHUNK_GRANULES != (low + n - 1) / CHUNK_GRANULES) start = (low / CHUNK_GRANULES + 1) * CHUNK_GRANULES;
        if (n > high || start > high - n) return CMI_NO_BLOCK;
        /* recycle() writes to the chunk of `low`: another thread may have brought it, or nobody yet, when all of the second is asked for */
        if (!blocks->flat && (!ensure_chunk(blocks, low) || !ensure_chunk(blocks, start))) return CMI_NO_BLOCK;
        /* retry: another thread took granules */
        if (!plat_cas_relaxed(&blocks->frontier, &word, (uint64_t)high << 32 | (start + n))) continue;
        recycle(blocks, low, start);
        return start;
    }
}

/* A run of directory places from the top, for pages that are the caller's already. */
static uint32_t take_run(cmi_blocks_t *blocks, uint32_t n) {
    uint64_t word = plat_load_relaxed(&blocks->frontier); /* relaxed, and the CAS: a count; the pages are ours */
    for (;;) {
        uint32_t low = (uint32_t)word, high = (uint32_t)(word >> 32);
        if (n > high || high - n < low + CHUNK_GRANULES) return CMI_NO_BLOCK; /* the chunk of `low` is taken as a whole */
        if (!cmi_arena_ensure(&blocks->chunks, (high - n) / CHUNK_GRANULES)) return CMI_NO_BLOCK;
        /* retry: another thread took granules */
        if (plat_cas_relaxed(&blocks->frontier, &word, (uint64_t)(high - n) << 32 | low)) return high - n;
    }
}

static uint64_t run_bytes(uint32_t granules) {
    return ((uint64_t)granules + CHUNK_GRANULES - 1) / CHUNK_GRANULES * CHUNK_BYTES;
}

static uint32_t take_big(cmi_blocks_t *blocks, uint32_t n) {
    uint64_t bytes = run_bytes(n);
    void *pages = plat_pages_alloc((size_t)bytes);
    if (!pages) return CMI_NO_BLOCK;
    uint32_t handle = take_run(blocks, (uint32_t)(bytes / GRANULE_BYTES));
    if (handle == CMI_NO_BLOCK) {
        plat_pages_free(pages, (size_t)bytes);
        return CMI_NO_BLOCK;
    }
    plat_store_relaxed(chunk_of(blocks, handle), pages);    /* relaxed: published with the handle */
    plat_fetch_add_relaxed(&blocks->n_bytes_chunks, bytes); /* relaxed: statistics */
    return handle;
}

/* ---- blocks.h --------------------------------------------------------------------------------------------------------------------- */

static uint64_t bytes_of(uint32_t n_bytes) {
    return (uint64_t)granules_of(class_of(granules_for(n_bytes))) * GRANULE_BYTES;
}

static void reserve_flat(cmi_blocks_t *blocks) {
    if (!plat_pages_caps()->can_reserve) return;
    uint64_t bytes = (uint64_t)MOST_GRANULES * GRANULE_BYTES;
    for (; bytes >= LEAST_FLAT_BYTES && bytes <= SIZE_MAX; bytes /= 2) {
        blocks->flat = plat_pages_reserve((size_t)bytes);
        blocks->flat_bytes = bytes;
        if (blocks->flat) return;
    }
}

cmi_blocks_t *cmi_blocks_open(void) {
    cmi_blocks_t *blocks = plat_pages_alloc(sizeof *blocks);
    if (!blocks) return NULL;
    reserve_flat(blocks);
    uint32_t end = blocks->flat ? (uint32_t)(blocks->flat_bytes / GRANULE_BYTES) : MOST_GRANULES;
    if (!blocks->flat && !cmi_arena_open(&blocks->chunks, sizeof(plat_aptr_t), end / CHUNK_GRANULES)) {
        plat_pages_free(blocks, sizeof *blocks);
        return NULL;
    }
    plat_store_relaxed(&blocks->frontier, (uint64_t)end << 32 | 1u); /* relaxed: not shared yet. Granule 0 is CMI_NO_BLOCK */
    return blocks;
}

/* Pages of the chunk that holds the handle; NULL when it has none, and perhaps the directory has none for it either. */
static void *pages_of(const cmi_blocks_t *blocks, uint32_t handle) {
    return cmi_arena_has(&blocks->chunks, handle / CHUNK_GRANULES) ? plat_load_relaxed(chunk_of(blocks, handle)) : NULL;
}

/* Whole chunks below `low`, and one more, which somebody may have brought there before memory ran out; big blocks (whose headers tell their size, also when
 * freed) above `high`. */
static void close_chunks(cmi_blocks_t *blocks) {
    uint64_t word = plat_load_relaxed(&blocks->frontier); /* relaxed, here and below: the last user is gone */
    uint64_t low = (uint32_t)word, high = word >> 32;
    for (uint64_t at = 0; at < low + CHUNK_GRANULES && at < high; at += CHUNK_GRANULES)
        plat_pages_free(pages_of(blocks, (uint32_t)at), CHUNK_BYTES);
    while (high < MOST_GRANULES) {
        header_t *first = header_at(blocks, (uint32_t)high);
        uint64_t bytes = run_bytes(granules_of(class_of(granules_for(first->n_bytes))));
        plat_pages_free(first, (size_t)bytes);
        high += bytes / GRANULE_BYTES;
    }
    cmi_arena_close(&blocks->chunks);
}

void cmi_blocks_close(cmi_blocks_t *blocks) {
    if (!blocks) return;
    if (blocks->flat) plat_pages_free(blocks->flat, (size_t)blocks->flat_bytes);
    else close_chunks(blocks);
    plat_pages_free(blocks, sizeof *blocks);
}

uint32_t cmi_blocks_alloc(cmi_blocks_t *blocks, uint32_t n_bytes) {
    uint32_t class = class_of(granules_for(n_bytes)), n = granules_of(class);
    uint32_t handle = pop(blocks, class);
    if (handle == CMI_NO_BLOCK) handle = blocks->flat || n <= CHUNK_GRANULES ? take_small(blocks, n) : take_big(blocks, n);
    if (handle == CMI_NO_BLOCK) return CMI_NO_BLOCK;
    header_at(blocks, handle)->n_bytes = n_bytes;
    plat_fetch_add_relaxed(&blocks->n_bytes_used, (uint64_t)n * GRANULE_BYTES); /* relaxed: statistics */
    return handle;
}

void cmi_blocks_free(cmi_blocks_t *blocks, uint32_t handle) {
    uint32_t n_bytes = header_at(blocks, handle)->n_bytes;
    plat_fetch_sub_relaxed(&blocks->n_bytes_used, bytes_of(n_bytes)); /* relaxed: statistics */
    push(blocks, class_of(granules_for(n_bytes)), handle);
}

void *cmi_blocks_at(const cmi_blocks_t *blocks, uint32_t handle) {
    return header_at(blocks, handle) + 1;
}

uint32_t cmi_blocks_len(const cmi_blocks_t *blocks, uint32_t handle) {
    return header_at(blocks, handle)->n_bytes;
}

uint64_t cmi_blocks_bytes_used(const cmi_blocks_t *blocks) {
    return plat_load_relaxed((plat_a64_t *)&blocks->n_bytes_used); /* relaxed: statistics */
}

uint64_t cmi_blocks_bytes_reserved(const cmi_blocks_t *blocks) {
    if (!blocks->flat) return plat_load_relaxed((plat_a64_t *)&blocks->n_bytes_chunks);            /* relaxed: statistics */
    return (uint64_t)(uint32_t)plat_load_relaxed((plat_a64_t *)&blocks->frontier) * GRANULE_BYTES; /* relaxed: statistics */
}
