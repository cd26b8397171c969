/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * reclaim.h - handing memory back once nobody can be looking at it, many handles per grace period callback.
 *
 * A thread collects what it retires in a bag, a block that begins with a plat_epoch_node_t. A full bag is retired as one object; its callback, on any
 * thread and lock-free, frees the handles and then the bag. Room is made BEFORE a write operation changes anything (prepare), so that retiring never fails.
 *
 * WRITERS  one cmi_retirer_t per thread, its owner only; cmi_reclaimer_t is shared.
 * PROGRESS prepare and retire are lock-free (they allocate a block and push on the epoch).
 */
#ifndef CMI_RECLAIM_H
#define CMI_RECLAIM_H

#include "memory/blocks.h"
#include "plat_epoch.h"

#define CMI_RETIRE_AT_MOST 8u /* handles that one operation may retire */

/* What a handle names. Kinds other than CMI_RETIRE_BLOCK belong to the owner of the reclaimer. */
#define CMI_RETIRE_BLOCK 0u

typedef struct cmi_reclaimer {
    plat_epoch_t *epoch;                                                /* immutable */
    cmi_blocks_t *blocks;                                               /* immutable */
    void (*free_handle)(void *context, uint32_t kind, uint32_t handle); /* immutable; for kinds that are not blocks. Lock-free */
    void *context;                                                      /* immutable */
    plat_a64_t n_waiting;                                               /* handles retired and not freed; statistics */
} cmi_reclaimer_t;

typedef struct cmi_retirer {
    cmi_reclaimer_t *reclaimer; /* immutable */
    uint32_t epoch_slot;        /* immutable */
    plat_a32_t bag;             /* block, or CMI_NO_BLOCK. Owner thread; after its death whoever abandons it */
    uint32_t n_operations;      /* since the bag was begun */
    uint32_t n_bytes;           /* of the blocks in the bag */
} cmi_retirer_t;

/* Makes sure that CMI_RETIRE_AT_MOST handles can be retired. False when the machine gives no memory; nothing has changed then. */
bool cmi_retirer_prepare(cmi_retirer_t *retirer);

/* Prepared, pinned; the handle can no longer be reached by new readers. */
void cmi_retire(cmi_retirer_t *retirer, uint32_t kind, uint32_t handle);

/* Hands over the bag as it is, empty or not. When the thread detaches. */
void cmi_retirer_submit(cmi_retirer_t *retirer);

#endif
