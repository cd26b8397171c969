/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* recency.c - see recency.h. */
#include "store/recency.h"

#include "store/score.h"

static const cmi_skip_nodes_t *nodes_of(const cmi_recency_t *stream) {
    return &stream->store->postings.nodes;
}

/* Stands on the node, or on the next one that is not on its way out. False behind the last. */
static bool stand_on(cmi_recency_t *stream, cmi_recency_class_t *class, uint32_t node) {
    while (node != CMI_NO_SKIP_NODE && cmi_skip_removed(nodes_of(stream), node)) node = cmi_skip_next(nodes_of(stream), node);
    class->node = node;
    if (node == CMI_NO_SKIP_NODE) return false;
    int64_t created_ms = cmi_time_of_key(cmi_skip_at(nodes_of(stream), node)->key);
    class->exponent = cmi_decay_exponent(created_ms, stream->now_ms, class->rate);
    return true;
}

void cmi_recency_begin(cmi_recency_t *stream, const cm_store_t *store, int64_t now_ms) {
    stream->store = store;
    stream->now_ms = now_ms;
    stream->n_classes = 0;
    for (uint32_t i = 0; i < CMI_RATE_CLASSES; i++) {
        uint32_t first = cmi_skip_first(&store->postings.by_time[i]);
        if (first == CMI_NO_SKIP_NODE) continue;
        cmi_recency_class_t *class = &stream->class[stream->n_classes];
        /* Not above the rate of any memory that exists now: it was lowered before the memory's node was linked. relaxed: the node came with [K1] */
        class->rate = cmi_bits_float(plat_load_relaxed((plat_a32_t *)&store->postings.lowest_rate[i]));
        if (stand_on(stream, class, first)) stream->n_classes++;
    }
}

/* The class to go on in, and the bound up to which it stays so. */
static cmi_recency_class_t *lowest(cmi_recency_t *stream, double *next_lowest) {
    cmi_recency_class_t *best = &stream->class[0];
    *next_lowest = __builtin_inf();
    for (uint32_t i = 1; i < stream->n_classes; i++) {
        cmi_recency_class_t *class = &stream->class[i];
        if (class->exponent < best->exponent) {
            *next_lowest = best->exponent;
            best = class;
        } else if (class->exponent < *next_lowest) *next_lowest = class->exponent;
    }
    return best;
}

uint32_t cmi_recency_take(cmi_recency_t *stream, uint32_t *slots, uint32_t n) {
    uint32_t n_taken = 0;
    while (n_taken < n && stream->n_classes > 0) {
        double next_lowest;
        cmi_recency_class_t *class = lowest(stream, &next_lowest);
        bool more = true;
        while (n_taken < n && more && class->exponent <= next_lowest) {
            slots[n_taken++] = cmi_posting_slot(&stream->store->postings, class->node);
            more = stand_on(stream, class, cmi_skip_next(nodes_of(stream), class->node));
        }
        if (!more) *class = stream->class[--stream->n_classes];
    }
    return n_taken;
}

double cmi_recency_bound(const cmi_recency_t *stream) {
    double exponent = __builtin_inf();
    if (stream->n_classes == 0) return exponent;
    for (uint32_t i = 0; i < stream->n_classes; i++) exponent = CMI_MIN(exponent, stream->class[i].exponent);
    return cmi_recency_of_exponent(exponent);
}
