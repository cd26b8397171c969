/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* postings.c - see postings.h. */
#include "store/postings.h"

/* Nodes that wait for a grace period, or belong to operations under way, come on top of two per memory. */
#define SPARE_NODES 4096u

bool cmi_postings_open(cmi_postings_t *postings, cmi_blocks_t *blocks, uint32_t n_slots) {
    return cmi_skip_open(&postings->nodes, blocks, CMI_POSTING_LISTS * n_slots + n_slots / 4 + SPARE_NODES);
}

void cmi_postings_close(cmi_postings_t *postings) {
    cmi_skip_close(&postings->nodes);
}

/* Half octaves, from the float's exponent and the first bit of its mantissa: 2^-23 (a half-life of 660 years) to 2^9 per hour; what lies outside goes to the ends. */
uint32_t cmi_rate_class(float rate_per_hour) {
    int32_t half_octave = (int32_t)(cmi_float_bits(rate_per_hour) >> 22) - 2 * (127 - 23);
    if (half_octave < 0) return 0;
    return CMI_MIN((uint32_t)half_octave, CMI_RATE_CLASSES - 1);
}

static cm_status_t add(cmi_postings_t *postings, cmi_skiplist_t *list, uint64_t key, uint32_t slot, uint32_t *node) {
    cm_status_t status = cmi_skip_make(&postings->nodes, key, slot, node);
    if (status == CM_OK) cmi_skip_link(&postings->nodes, list, *node);
    return status;
}

cm_status_t cmi_postings_add_context(cmi_postings_t *postings, uint32_t context, uint32_t slot, uint32_t *node) {
    return add(postings, &postings->by_context, context, slot, node);
}

/* Positive floats are in the order of their bits. */
static void lower_rate(plat_a32_t *lowest, uint32_t rate_bits) {
    uint32_t held = plat_load_relaxed(lowest); /* relaxed: re-checked by the CAS */
    while (held == 0 || held > rate_bits)
        if (plat_cas_release(lowest, &held, rate_bits)) return; /* [K2] release; retry: another memory lowered it, at most once per rate */
}

cm_status_t cmi_postings_add_time(cmi_postings_t *postings, float rate_per_hour, int64_t created_ms, uint32_t slot, uint32_t *node) {
    uint32_t class = cmi_rate_class(rate_per_hour);
    lower_rate(&postings->lowest_rate[class],
               cmi_float_bits(rate_per_hour)); /* before the node, so that nobody meets one below the bound */
    return add(postings, &postings->by_time[class], cmi_time_key(created_ms), slot, node);
}

void cmi_postings_drop_context(cmi_postings_t *postings, uint32_t node) {
    cmi_skip_unlink(&postings->nodes, &postings->by_context, node);
}

void cmi_postings_drop_time(cmi_postings_t *postings, float rate_per_hour, uint32_t node) {
    cmi_skip_unlink(&postings->nodes, &postings->by_time[cmi_rate_class(rate_per_hour)], node);
}

static uint32_t within(const cmi_postings_t *postings, uint32_t context, uint32_t node) {
    while (node != CMI_NO_SKIP_NODE && cmi_skip_removed(&postings->nodes, node)) node = cmi_skip_next(&postings->nodes, node);
    if (node == CMI_NO_SKIP_NODE || cmi_skip_at(&postings->nodes, node)->key != context) return CMI_NO_SKIP_NODE;
    return node;
}

uint32_t cmi_postings_first_of(const cmi_postings_t *postings, uint32_t context) {
    return within(postings, context, cmi_skip_seek(&postings->nodes, &postings->by_context, context));
}

uint32_t cmi_postings_next_of(const cmi_postings_t *postings, uint32_t context, uint32_t node) {
    return within(postings, context, cmi_skip_next(&postings->nodes, node));
}
