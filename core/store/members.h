/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * members.h - the memories that take part in a consolidation, in their order: importance descending, then created_ms ascending, then id ascending.
 *
 * Read once, at the start; ids are copied, so that nothing has to stay pinned while they are sorted. A member is a slot: whoever acts on one asks, pinned, whether it is still the memory
 * (cmi_store_current: slots are used once). What comes into being later is no member.
 */
#ifndef CMI_MEMBERS_H
#define CMI_MEMBERS_H

#include "store/store_impl.h"

typedef struct cmi_member {
    const char *id; /* a copy */
    int64_t created_ms;
    float importance;
    float inverse_norm; /* 1/|v|, 0 for the zero vector */
    uint32_t slot;
    uint16_t id_bytes;
    bool absorbed;     /* by the consolidation that runs; or found to be gone */
    uint32_t absorber; /* then: the member that did; CMI_NONE for one that is gone */
} cmi_member_t;

typedef struct cmi_members {
    cmi_member_t *at; /* in order */
    uint32_t n, capacity;
    uint32_t *place; /* by slot: index of the member, CMI_NONE for what is none */
    uint32_t n_slots;
    char *ids;
    uint64_t n_id_bytes, id_capacity;
} cmi_members_t;

/* Unpinned; pins batch by batch. False when the machine gives no memory. Afterwards free, in either case. */
bool cmi_members_collect(cmi_members_t *members, cm_thread_t *thread);
void cmi_members_free(cmi_members_t *members);

#endif
