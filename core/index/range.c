/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* range.c - see range.h. */
#include "index/range.h"

#include "index/frontier.h"

/* found[head .. n-1] wait to be expanded; of the pool, which holds the nearest outside, those from the cursor on that are not CMI_CHECKED. */
typedef struct walk {
    const cmi_range_t *range;
    cmi_pool_t *outside;
    uint32_t n, head, cursor;
    bool overflowed;
} walk_t;

static void take_outside(walk_t *walk, float distance, uint32_t slot) {
    cmi_pool_t *pool = walk->outside;
    uint32_t limit = walk->range->patience_near;
    if (pool->n == limit && distance >= pool->at[limit - 1].distance) return;
    uint32_t place = cmi_pool_insert(pool, limit, distance, slot);
    if (place < walk->cursor) walk->cursor = place;
}

static void take(walk_t *walk, float distance, uint32_t slot) {
    const cmi_range_t *range = walk->range;
    if ((double)distance >= range->radius) take_outside(walk, distance, slot);
    else if (walk->n == range->capacity) walk->overflowed = true;
    else range->found[walk->n++] = slot;
}

static bool next(walk_t *walk, uint32_t *slot) {
    cmi_pool_t *pool = walk->outside;
    if (walk->overflowed) return false;
    if (walk->head < walk->n) {
        *slot = walk->range->found[walk->head++];
        return true;
    }
    uint32_t end = CMI_MIN(pool->n, walk->n > 1 ? walk->range->patience_near : walk->range->patience);
    while (walk->cursor < end && (pool->at[walk->cursor].slot & CMI_CHECKED)) walk->cursor++;
    if (walk->cursor == end) return false;
    *slot = pool->at[walk->cursor].slot;
    pool->at[walk->cursor].slot |= CMI_CHECKED;
    return true;
}

uint32_t cmi_range_walk(const cmi_range_t *range, uint32_t start) {
    cmi_scratch_t *scratch = range->scratch;
    cmi_query_t query = cmi_query_of_slot(range->graph, scratch, CMI_FORM_QUERY, start);
    walk_t walk = {.range = range, .outside = &scratch->pool, .n = 1};
    uint32_t slot;
    range->found[0] = start;
    scratch->pool.n = 0;
    cmi_seen_clear(scratch);
    cmi_seen_add(scratch, start);
    while (next(&walk, &slot)) {
        uint32_t n = cmi_gather_fresh(range->graph, scratch, slot, 0, range->n_slots);
        cmi_distances(range->graph, scratch, &query, scratch->fresh, n, scratch->fresh_distance);
        for (uint32_t i = 0; i < n; i++) take(&walk, scratch->fresh_distance[i], scratch->fresh[i]);
    }
    return walk.overflowed ? CMI_NONE : walk.n;
}
