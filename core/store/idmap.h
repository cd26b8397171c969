/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * idmap.h - a map from strings to one atomic 64-bit word each: from ids to slots, and from context labels to counts.
 *
 * A split-ordered list (Shalev & Shavit, Split-Ordered Lists: Lock-Free Extensible Hash Tables, 2006) over u32 entry indices, on Michael's list (2002). All entries hang in
 * one list sorted by the bit-reversed hash; a bucket is a shortcut to a dummy entry inside it, so doubling the number of buckets moves nothing.
 *
 *     bucket[0] --> (0) --> 8 --> (bucket 2) --> 10 --> (bucket 1) --> 13 --> (bucket 3) --> 7 --> end
 *
 * READERS  find, value, key: wait-free. They skip marked entries and help nobody. A walk visits each entry at most once: split-order keys never fall along
 *          it, and while the reader is pinned no entry that it passed comes back. A bucket without its dummy is replaced by its parent, at most 31 times.
 * WRITERS  obtain, remove: lock-free. A restart happens only because another thread linked, marked or unlinked an entry there.
 * REMOVAL  in the word of the entry: whoever CASes it to CMI_VALUE_TOMB owns the removal, calls cmi_idmap_unlink() and then retires the entry. A writer
 *          that meets a tombstone under its own key helps to unlink it, and adds a fresh entry; so two entries of one key are never in the list at a time.
 * RECLAMATION  a retired entry and its key block are freed after a grace period: callers of everything here are pinned.
 */
#ifndef CMI_IDMAP_H
#define CMI_IDMAP_H

#include "base/base.h"
#include "memory/blocks.h"
#include "memory/items.h"
#include "plat_atomic.h"

#define CMI_NO_ENTRY_INDEX CMI_NO_ITEM

/* The word of an entry. In the id map: one of these two, or a slot (cmi_value_of). In the context map: a count, and CMI_VALUE_TOMB in dummies. */
#define CMI_VALUE_NONE UINT64_C(0)
#define CMI_VALUE_TOMB UINT64_MAX

/* generation << 32 | slot + 1, so that neither NONE nor TOMB is a slot (slots are below 2^31). */
static inline uint64_t cmi_value_of(uint32_t slot, uint32_t generation) {
    return (uint64_t)generation << 32 | (slot + 1);
}
static inline bool cmi_value_is_slot(uint64_t value) {
    return value != CMI_VALUE_NONE && value != CMI_VALUE_TOMB;
}
static inline uint32_t cmi_value_slot(uint64_t value) {
    return (uint32_t)value - 1;
}

/* 24 bytes. Dummies have an even order, all others an odd one. */
typedef struct cmi_entry {
    /* index << 1 | marked; while free: the next free entry. Atomic, any writer; frozen once marked, until the entry is reused */
    plat_a32_t next;
    uint32_t key;   /* block, CMI_NO_BLOCK in dummies; set before publish */
    uint32_t order; /* split-order key; set before publish */
    /* 0, or the number of the last scan that had begun when the entry was about to get its first slot; atomic, any writer */
    plat_a32_t born;
    plat_a64_t value; /* atomic, any writer */
} cmi_entry_t;

typedef struct cmi_idmap {
    cmi_items_t entries;  /* cmi_entry_t; index 1 is the dummy of bucket 0 */
    cmi_arena_t buckets;  /* plat_a32_t: the dummy's index, 0 while there is none */
    cmi_blocks_t *blocks; /* immutable */
    uint64_t seed;        /* of the hash; immutable */
    uint32_t max_buckets; /* immutable */
    plat_a32_t n_buckets; /* a power of two, only growing */
    plat_a32_t n_keys;    /* entries linked, without dummies (approximate while they change) */
    plat_a32_t n_scans;   /* scans begun, plus 1 */
} cmi_idmap_t;

/* SETUP. Room for n_keys keys. False when the machine gives no memory. */
bool cmi_idmap_open(cmi_idmap_t *map, cmi_blocks_t *blocks, uint32_t n_keys);
void cmi_idmap_close(cmi_idmap_t *map);

/* The entry of a key, CMI_NO_ENTRY_INDEX if there is none. Its word may be CMI_VALUE_TOMB: then there was none at that moment. */
uint32_t cmi_idmap_find(const cmi_idmap_t *map, cm_str_t key);

/* The entry of a key; when there is none, *made becomes true and a fresh one with CMI_VALUE_NONE is linked. *value is what its word held, never TOMB.
 * CM_E_NO_MEMORY, CM_E_INDEX_FULL (no entries left). */
cm_status_t cmi_idmap_obtain(cmi_idmap_t *map, cm_str_t key, uint32_t *entry, uint64_t *value, bool *made);

/* By whoever CASed the word to CMI_VALUE_TOMB. Afterwards no walk that begins finds the entry: retire it. */
void cmi_idmap_unlink(cmi_idmap_t *map, uint32_t entry);

/* After the grace period: frees the key and makes the entry usable again. Lock-free, any thread. */
void cmi_idmap_free(cmi_idmap_t *map, uint32_t entry);

static inline cmi_entry_t *cmi_idmap_at(const cmi_idmap_t *map, uint32_t entry) {
    return (cmi_entry_t *)cmi_items_at(&map->entries, entry);
}

/* The key of an entry that was in the list while the caller was pinned. */
cm_str_t cmi_idmap_key(const cmi_idmap_t *map, uint32_t entry);

/* [M3] acquire: what was done before the word was set; pairs with cmi_idmap_cas() and with the counting in contexts.c. */
static inline uint64_t cmi_idmap_value(const cmi_idmap_t *map, uint32_t entry) {
    return plat_load_acquire(&cmi_idmap_at(map, entry)->value);
}

/* [M3] release: record, blocks and node before the word that names them. On failure *expected is what was found (acquire). */
static inline bool cmi_idmap_cas(cmi_idmap_t *map, uint32_t entry, uint64_t *expected, uint64_t desired) {
    return plat_cas_acq_rel(&cmi_idmap_at(map, entry)->value, expected, desired);
}

/* Scans run over the indices 1 .. end-1. In each, value() may be called; key() only where the word says that there is one. */
static inline uint32_t cmi_idmap_end(const cmi_idmap_t *map) {
    return cmi_items_end(&map->entries);
}

/* Scans that must not see one key in two entries, because it was removed and added again meanwhile. Every writer that is about to CAS the word of an entry from
 * CMI_VALUE_NONE calls set_born() first; a scan then leaves out the entries that were not born before it began.
 * Why: when an entry is born it is linked, so its predecessor under the same key is a tombstone already. If the entry was born before the scan began, the
 * scan sees that tombstone [M8]; if not, the scan sees only the predecessor. */
void cmi_idmap_set_born(cmi_idmap_t *map, uint32_t entry);
uint32_t cmi_idmap_begin_scan(cmi_idmap_t *map);

/* For an entry whose word is a slot. */
static inline bool cmi_idmap_born_before(const cmi_idmap_t *map, uint32_t entry, uint32_t scan) {
    return plat_load_relaxed(&cmi_idmap_at(map, entry)->born) < scan; /* relaxed: published by the word [M3] */
}

uint64_t cmi_idmap_bytes(const cmi_idmap_t *map);

/* Order, hashes, marks, buckets and the number of keys; `name` is for the message. Threads that died may have left `slack` entries marked and linked, and as many uncounted, or counted
 * too often. CM_E_INVARIANT. Conclusive while nobody writes. */
cm_status_t cmi_idmap_check(const cmi_idmap_t *map, const char *name, uint32_t slack, cm_error_t *error);

#endif
