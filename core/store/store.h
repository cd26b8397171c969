/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * store.h - what a store is made of, for the files of core/store and core/persist.
 *
 *     id --idmap--> entry --value--> slot --> node, vector (core/index)
 *                                        \--> record: attributes, entry, context, blocks
 *
 * A memory EXISTS when the value of its id's entry names its slot. That word is the linearisation point of everything:
 *   insert   fills slot and record, links the node into the graph (LIVE), then CASes entry.value from the old slot (or none) to the new one;
 *   remove   CASes entry.value from the slot to CMI_VALUE_TOMB.
 * Whoever's CAS took a slot out of the map kills its node and retires its blocks. A LIVE node whose entry names another slot is not (yet, or
 * any more) a memory: search, snapshot and iteration test cmi_store_current().
 *
 * RECLAMATION  id, relationship and payload blocks and id map entries are retired through the epoch; whoever dereferences a handle is pinned. Slots are used once
 * (online vacuum will reuse them).
 */
#ifndef CMI_STORE_H
#define CMI_STORE_H

#include "base/base.h"
#include "index/hnsw.h"
#include "memory/arena.h"
#include "memory/blocks.h"
#include "plat_atomic.h"
#include "plat_epoch.h"

/* In the words of a record that name a block or node: the memory was taken out of the id map, and the word changes no more. What it names stays readable for whoever was pinned before. */
#define CMI_SEALED 0x80000000u

/* One per slot, 64 bytes. A word that names a block or node changes as a whole, together with the attribute that it stands for, and is sealed by whoever took the slot out of the id
 * map: after that no change succeeds, and the one who sealed it knows what to retire (record.h). */
typedef struct cmi_record {
    int64_t created_ms;       /* set before publish, then immutable */
    plat_a64_t accessed_ms;   /* int64_t bits; atomic, any writer */
    plat_a64_t decayed_ms;    /* int64_t bits: up to here decay has been applied; INT64_MIN: never. Atomic, any writer */
    plat_a64_t placed;        /* context entry << 32 | node in by_context (postings.h); atomic */
    plat_a64_t timed;         /* float bits of decay_rate (0 = the store's) << 32 | node in by_time; atomic */
    plat_a32_t relationships; /* block (relationships.h layout), or CMI_NO_BLOCK; atomic, replaced as a whole */
    plat_a32_t payload;       /* block (u32 text bytes, text, metadata), or CMI_NO_BLOCK; atomic, replaced as a whole */
    plat_a32_t importance;    /* float bits; atomic, any writer */
    plat_a32_t access_count;  /* atomic, any writer */
    plat_a32_t entry;         /* of the id; atomic: until the memory exists its inserter may move it to a fresh entry, then immutable */
    uint32_t reserved;
} cmi_record_t;

_Static_assert(sizeof(cmi_record_t) == 64, "a record is one cache line");

/* A memory as pieces, pointing into the store (valid while pinned) or into a snapshot being loaded. */
typedef struct cmi_memory_view {
    cm_str_t id, context, text, metadata;
    const void *row; /* of the vector, index/rows.h */
    int64_t created_ms, accessed_ms, decayed_ms;
    float importance, decay_rate;
    uint32_t access_count;
    uint32_t n_relationships;
    const uint8_t *relationships; /* packed: each u32 length (little-endian), then the bytes, no padding */
    uint32_t relationships_bytes;
} cmi_memory_view_t;

struct cm_store; /* core/store/store_impl.h */

/* What persist needs of a store. */
const cm_config_t *cmi_store_config(const cm_store_t *store);
cmi_hnsw_t *cmi_store_graph(cm_store_t *store);
cm_store_t *cmi_thread_store(cm_thread_t *thread);
cmi_scratch_t *cmi_thread_scratch(cm_thread_t *thread);
cm_error_t *cmi_thread_error(cm_thread_t *thread); /* what cm_message() shows; fill it with cmi_fail() */
void cmi_thread_pin(cm_thread_t *thread);
void cmi_thread_unpin(cm_thread_t *thread);

/* True while the id map names this slot (acquire). Caller pinned. */
bool cmi_store_current(const cm_store_t *store, uint32_t slot);

/* Calls visit(context, slot) for every memory that exists throughout, each id at most once, in the order of id map entries. Caller pinned. */
void cmi_store_each(cm_store_t *store, void (*visit)(void *context, uint32_t slot), void *context);

/* The pieces of a slot that WAS current in the caller's present pinned section: its blocks are kept by the pin. */
void cmi_store_view(const cm_store_t *store, uint32_t slot, cmi_memory_view_t *out);

/* Loading: puts a memory that a snapshot holds at `slot` (its vector and links are restored by the caller through hnsw.h) into records, id map, contexts, counters.
 * One thread, store not shared yet. Checks what cm_insert checks of the attributes (ids, UTF-8, ranges, limits, duplicates): CM_E_CORRUPT with a message,
 * CM_E_NO_MEMORY, CM_E_CAPACITY. view->row is not used. */
cm_status_t cmi_store_restore(cm_thread_t *thread, uint32_t slot, const cmi_memory_view_t *view, cm_error_t *error);

/* Before the first and after the last: what is made for all memories at once. CM_E_NO_MEMORY. */
void cmi_store_restore_begin(cm_thread_t *thread);
cm_status_t cmi_store_restore_end(cm_thread_t *thread, cm_error_t *error);

/* Everything check() knows about: graph, records, id map, counters (store/check.c). */
cm_status_t cmi_store_check(cm_thread_t *thread, cm_check_report_t *report, cm_error_t *error);

/* cm_open with `n_slots_at_least` slots, for a snapshot that holds tombstones. cm_open itself passes 0. */
cm_status_t cmi_store_open(const cm_config_t *config, uint32_t n_slots_at_least, cm_store_t **out, cm_error_t *error);

/* Says that there is no memory for a slot, or no room on the disk for its vector. CM_E_NO_MEMORY. */
cm_status_t cmi_no_slots(const cm_store_t *store, cm_error_t *error);

/* The rules of cm_config_t, each with its own message: CM_E_CONFIG (store/config.c). */
cm_status_t cmi_config_validate(const cm_config_t *config, cm_error_t *error);

#endif
