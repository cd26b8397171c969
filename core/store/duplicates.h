/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * duplicates.h - which members are similar to one of them: cosine similarity above a threshold, strictly. Zero vectors are similar to nothing.
 *
 * With the cosine metric by a walk through the graph around the member (index/range.h); where a walk meets too many, and with any other metric, by comparing with all. Both decide
 * by the same arithmetic, that of metric.h, which is symmetric to the bit.
 */
#ifndef CMI_DUPLICATES_H
#define CMI_DUPLICATES_H

#include "store/members.h"

typedef struct cmi_duplicates {
    cm_thread_t *thread;
    const cmi_members_t *members;
    double radius;   /* distances below it */
    uint32_t *found; /* indices of members, not in order; room for n_slots */
} cmi_duplicates_t;

/* False when the machine gives no memory. */
bool cmi_duplicates_open(cmi_duplicates_t *duplicates, cm_thread_t *thread, const cmi_members_t *members, float threshold);
void cmi_duplicates_close(cmi_duplicates_t *duplicates);

/* The members similar to member i that are not absorbed, but for itself, into found[]; returns how many. Some may be memories no more, and come more than once. A walk that meets absorbed members
 * looks at their absorbers, too: where hundreds are alike, their lists are full of each other, and the absorber's own walk may have missed this one. Wait-free. Pinned; i is a memory. */
uint32_t cmi_duplicates_of(const cmi_duplicates_t *duplicates, uint32_t i);

#endif
