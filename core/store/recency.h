/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * recency.h - memories, least recency first: a merge of the time lists of all rate classes (postings.h).
 *
 * In a class the next memory's age and the lowest rate bound the recency of all that follow. The stream always goes on where the bound is lowest, so that its own bound, the
 * lowest of all, rises monotonically: no memory that was not taken yet has a recency below it.
 *
 * READERS  wait-free: walks of the postings. Owner thread only; within one pinned section.
 */
#ifndef CMI_RECENCY_H
#define CMI_RECENCY_H

#include "store/store_impl.h"

typedef struct cmi_recency_class {
    uint32_t node;   /* the next; not CMI_NO_SKIP_NODE */
    float rate;      /* no memory of the class fades slower */
    double exponent; /* rate * hours of the next: the bound of recency is 1 - exp(-exponent) */
} cmi_recency_class_t;

typedef struct cmi_recency {
    const cm_store_t *store;
    int64_t now_ms;
    uint32_t n_classes; /* that have more */
    cmi_recency_class_t class[CMI_RATE_CLASSES];
} cmi_recency_t;

void cmi_recency_begin(cmi_recency_t *stream, const cm_store_t *store, int64_t now_ms);

/* The next slots, at most n; 0 behind the last. Some may be no memories, and a slot may come twice while it is being updated. */
uint32_t cmi_recency_take(cmi_recency_t *stream, uint32_t *slots, uint32_t n);

static inline bool cmi_recency_exhausted(const cmi_recency_t *stream) {
    return stream->n_classes == 0;
}

/* In [0,1]; infinity when exhausted. */
double cmi_recency_bound(const cmi_recency_t *stream);

#endif
