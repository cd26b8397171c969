/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* draft.h - the steps of an insert (insert.c), which core/bulk takes with many memories at once: begin, prepare, link the node, publish. */
#ifndef CMI_DRAFT_H
#define CMI_DRAFT_H

#include "store/store_impl.h"

/* A memory on its way, and what has to be undone if it does not arrive. */
typedef struct cmi_draft {
    cm_thread_t *thread;
    cm_store_t *store;
    const cm_memory_t *memory;
    uint32_t entry;   /* of the id */
    uint64_t old;     /* what its word held */
    uint32_t merged;  /* block of the relationships that were merged out of the old memory */
    bool made;        /* this insert made the entry */
    bool counted;     /* in n_live, as a memory that is not there yet */
    uint32_t context; /* counted up; CMI_NO_ENTRY_INDEX before that */
    uint32_t slot;    /* CMI_NONE before it is reserved */
    bool linked;      /* the node is in the graph */
} cmi_draft_t;

/* What cm_insert() checks of a memory. */
cm_status_t cmi_draft_check(const cm_store_t *store, const cm_memory_t *memory, cm_error_t *error);

/* Checked, pinned, until it is published or given up. begin: takes the entry of the id, nothing else: as long as it `made` none there is nothing to give up. prepare: everything up to a slot
 * that can be linked. After a status that is not CM_OK: give up. */
cm_status_t cmi_draft_begin(cmi_draft_t *draft, cm_thread_t *thread, const cm_memory_t *memory);
cm_status_t cmi_draft_prepare(cmi_draft_t *draft);

/* Linked, and the retirer prepared: the memory exists, and takes over from an old one of its id. */
cm_status_t cmi_draft_publish(cmi_draft_t *draft);

/* The retirer prepared. */
void cmi_draft_give_up(cmi_draft_t *draft);

#endif
