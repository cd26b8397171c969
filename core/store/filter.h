/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* filter.h - which memories may be hits: context, importance, time, and a predicate of the caller. */
#ifndef CMI_FILTER_H
#define CMI_FILTER_H

#include "store/store_impl.h"

typedef struct cmi_filter {
    cm_thread_t *thread;
    const cm_store_t *store;
    uint32_t context; /* entry of the label; CMI_NO_ENTRY_INDEX: all */
    float min_importance, max_importance;
    int64_t after_ms, before_ms; /* after <= created < before; INT64_MAX: no limit */
    cm_filter_t *predicate;      /* NULL: none */
    void *predicate_context;
    bool by_attributes; /* importance or time are limited */
} cmi_filter_t;

/* Everything may be a hit. */
static inline bool cmi_filter_is_open(const cmi_filter_t *filter) {
    return filter->context == CMI_NO_ENTRY_INDEX && !filter->by_attributes && !filter->predicate;
}

/* The record of a node that is or was LIVE, or out of the postings, is complete. Without the predicate. Wait-free. */
bool cmi_filter_attributes(const cmi_filter_t *filter, uint32_t slot);

/* With it: false for what is no memory. Pinned. */
bool cmi_filter_passes(const cmi_filter_t *filter, uint32_t slot);

/* How many memories pass, roughly: exact for a context alone, else out of a sample. */
uint64_t cmi_filter_estimate(const cmi_filter_t *filter);

#endif
