/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* postings.c - see postings.h. */
#include "store/postings.h"

#include "base/heap.h"
#include "plat_pages.h"

/* Nodes that wait for a grace period, or belong to operations under way, come on top of two per memory. Two threads that do nothing but move memories had 9,000 waiting at a time. Unused ones
 * take address space only. */
#define SPARE_NODES (1u << 20)

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

/* Lists by number: 0 is by_context, 1 + class a class. */
static cmi_skiplist_t *list_at(cmi_postings_t *postings, uint32_t list) {
    return list == 0 ? &postings->by_context : &postings->by_time[list - 1];
}

static cm_status_t add(cmi_postings_t *postings, uint32_t list, uint64_t key, uint32_t slot, uint32_t *node) {
    cm_status_t status = cmi_skip_make(&postings->nodes, key, slot, node);
    if (status != CM_OK) return status;
    if (postings->loading) plat_store_relaxed(&cmi_skip_at(&postings->nodes, *node)->next, list); /* relaxed: nobody shares it yet */
    else cmi_skip_link(&postings->nodes, list_at(postings, list), *node);
    return CM_OK;
}

cm_status_t cmi_postings_add_context(cmi_postings_t *postings, uint32_t context, uint32_t slot, uint32_t *node) {
    return add(postings, 0, context, slot, node);
}

/* Positive floats are in the order of their bits. */
static void lower_rate(plat_a32_t *lowest, uint32_t rate_bits) {
    uint32_t held = plat_load_relaxed(lowest); /* relaxed: re-checked by the CAS */
    while (held == 0 || held > rate_bits)
        if (plat_cas_relaxed(lowest, &held, rate_bits))
            return; /* relaxed: published with the node [K1]. Retry: another memory lowered it */
}

cm_status_t cmi_postings_add_time(cmi_postings_t *postings, float rate_per_hour, int64_t created_ms, uint32_t slot, uint32_t *node) {
    uint32_t class = cmi_rate_class(rate_per_hour);
    lower_rate(&postings->lowest_rate[class],
               cmi_float_bits(rate_per_hour)); /* before the node, so that nobody meets one below the bound */
    return add(postings, 1 + class, cmi_time_key(created_ms), slot, node);
}

void cmi_postings_drop_context(cmi_postings_t *postings, uint32_t node) {
    cmi_skip_unlink(&postings->nodes, &postings->by_context, node);
}

void cmi_postings_drop_time(cmi_postings_t *postings, float rate_per_hour, uint32_t node) {
    cmi_skip_unlink(&postings->nodes, &postings->by_time[cmi_rate_class(rate_per_hour)], node);
}

/* ---- moves ---------------------------------------------------------------------------------------------------------------------- */

/* How far the move in a place is ahead of a move. */
static int32_t ahead_of(uint64_t held, uint64_t number) {
    return (int32_t)((uint32_t)(held >> 32) - (uint32_t)number);
}

/* Whoever sees the old node unlinked sees the move: the count and the entry come first. Of two moves that share a place the newer one stays, so that a thread which was held up
 * between the two does not make a move that was noted look like one to come. */
void cmi_postings_note_move(cmi_postings_t *postings, uint32_t slot) {
    uint64_t number = plat_fetch_add_release(&postings->n_moves, 1) + 1; /* [K3] release: the new node */
    plat_a64_t *place = &postings->moves[number % CMI_MOVES];
    uint64_t held = plat_load_relaxed(place); /* relaxed, and the CAS: what its reader needs came with the count [K3] */
    while (ahead_of(held, number) < 0)
        if (plat_cas_relaxed(place, &held, number << 32 | slot)) return; /* retry: another move was noted here */
}

uint32_t cmi_postings_move(const cmi_postings_t *postings, uint64_t move) {
    uint64_t held = plat_load_relaxed((plat_a64_t *)&postings->moves[(move + 1) % CMI_MOVES]); /* relaxed: as above */
    int32_t ahead = ahead_of(held, move + 1);
    if (ahead == 0) return (uint32_t)held;
    return ahead < 0 ? CMI_MOVE_TO_COME : CMI_MOVE_FORGOTTEN;
}

/* ---- loading -------------------------------------------------------------------------------------------------------------------- */

typedef struct posting {
    uint64_t key;
    uint32_t list, slot, node;
} posting_t;

static bool comes_before(const posting_t *a, const posting_t *b) {
    if (a->list != b->list) return a->list < b->list;
    if (a->key != b->key) return a->key < b->key;
    return a->slot < b->slot; /* a slot has one node per list */
}
CMI_HEAP(posting_t, comes_before)

void cmi_postings_begin_loading(cmi_postings_t *postings) {
    postings->loading = true;
}

/* Every node ever made. */
static size_t collect(const cmi_postings_t *postings, posting_t *out) {
    uint32_t end = cmi_items_end(&postings->nodes.items);
    for (uint32_t node = 1; node < end; node++) {
        cmi_skip_node_t *at = cmi_skip_at(&postings->nodes, node);
        out[node - 1] = (posting_t){at->key, plat_load_relaxed(&at->next), at->slot, node}; /* relaxed: as add() left it */
    }
    return end - 1;
}

bool cmi_postings_end_loading(cmi_postings_t *postings) {
    size_t bytes = (size_t)cmi_items_end(&postings->nodes.items) * sizeof(posting_t);
    posting_t *all = plat_pages_alloc(bytes);
    if (!all) return false;
    cmi_skip_tail_t tail = {{0}};
    uint32_t list = 0;
    size_t n = collect(postings, all);
    posting_t_heap_make(all, n);
    while (n > 0) {
        posting_t next = posting_t_heap_pop(all, &n);
        if (next.list != list) tail = (cmi_skip_tail_t){{0}}, list = next.list;
        cmi_skip_append(&postings->nodes, list_at(postings, list), &tail, next.node);
    }
    plat_pages_free(all, bytes);
    postings->loading = false;
    return true;
}

/* ---- readers -------------------------------------------------------------------------------------------------------------------- */

static uint32_t within(const cmi_postings_t *postings, uint32_t context, uint32_t node) {
    if (node == CMI_NO_SKIP_NODE || cmi_skip_at(&postings->nodes, node)->key != context) return CMI_NO_SKIP_NODE;
    return node;
}

uint32_t cmi_postings_first_of(const cmi_postings_t *postings, uint32_t context) {
    return within(postings, context, cmi_skip_seek(&postings->nodes, &postings->by_context, context));
}

uint32_t cmi_postings_next_of(const cmi_postings_t *postings, uint32_t context, uint32_t node) {
    return within(postings, context, cmi_skip_next(&postings->nodes, node));
}
