/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * owner.h - one node's list on level 0, and all newcomers that want to be in it, one after the other: the protocol and the decisions of cmi_links_append(), but the distances of the members to
 * the owner are computed once for all of them.
 */
#ifndef CMI_OWNER_H
#define CMI_OWNER_H

#include "index/links.h"

typedef struct cmi_owner {
    const cmi_hnsw_t *graph;
    cmi_scratch_t *scratch; /* members: the list as read; member_to_owner: once it is full */
    cmi_list_t list;
    uint32_t slot;
    bool measured; /* member_to_owner is right */
} cmi_owner_t;

cmi_owner_t cmi_owner_of(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot);

/* As cmi_links_append(). Nothing else may use the scratch's members between two calls. */
bool cmi_owner_take(cmi_owner_t *owner, uint32_t slot, float distance, cmi_append_t mode);

/* Asks for what serving an owner will read. */
void cmi_owner_request(const cmi_hnsw_t *graph, const cmi_scratch_t *scratch, uint32_t slot);

#endif
