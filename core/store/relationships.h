/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * relationships.h - lists of ids, packed into one block that is replaced as a whole.
 *
 *     u32 n | u32 length, bytes | u32 length, bytes | ...        (native = little-endian, no padding)
 *
 * A list holds no id twice. A block is immutable once it is published; readers are pinned.
 */
#ifndef CMI_RELATIONSHIPS_H
#define CMI_RELATIONSHIPS_H

#include "base/base.h"
#include "memory/blocks.h"

/* A packed list, in a block or in a snapshot. */
typedef struct cmi_relationships {
    uint32_t n, n_bytes; /* n_bytes without the count in front */
    const uint8_t *bytes;
} cmi_relationships_t;

/* The list in a block; CMI_NO_BLOCK is the empty list. */
cmi_relationships_t cmi_relationships_at(const cmi_blocks_t *blocks, uint32_t block);

/* Takes the first id off the list; the list must not be empty. */
cm_str_t cmi_relationships_pop(cmi_relationships_t *list);

/* What a new list is made of, in this order: `head`, which holds no id twice, `fresh`, `tail`. Parts may be empty. */
typedef struct cmi_relationships_plan {
    cmi_relationships_t head;
    const cm_str_t *fresh;
    uint32_t n_fresh;
    cmi_relationships_t tail;
    cm_str_t without; /* this id is left out wherever it comes; len 0: none */
    uint32_t limit;   /* ids */
} cmi_relationships_plan_t;

/* A new block with the plan's ids: without duplicates, the first `limit` of them, and no more than CM_MAX_RELATIONSHIPS_BYTES. *block is CMI_NO_BLOCK for the
 * empty list. Lengths were checked. False when the machine gives no memory. */
bool cmi_relationships_make(cmi_blocks_t *blocks, const cmi_relationships_plan_t *plan, uint32_t *block);

bool cmi_relationships_hold(cmi_relationships_t list, cm_str_t id);

/* Whether hostile bytes are a list as merge() makes them, with at most `limit` ids that cmi_check_id() accepts; CM_E_CORRUPT if not. */
cm_status_t cmi_relationships_check(cmi_relationships_t list, uint32_t limit, cm_error_t *error);

#endif
