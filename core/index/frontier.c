/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* frontier.c - see frontier.h. The walk that searches, inserts and streams spend their time in, compiled once. */
#include "index/frontier.h"

#include "index/links.h"

/* The unseen neighbours of `slot` below `n_slots`, into out[0 .. cap-1]; seen from now on, if `take`. Without a branch per place: half of them are seen already, and no processor
 * guesses which. */
static uint32_t unseen(const cmi_hnsw_t *graph, const cmi_scratch_t *scratch, uint32_t slot, uint32_t level, uint32_t n_slots, bool take,
                       uint32_t *out) {
    cmi_list_t list = cmi_list_of(graph, slot, level);
    uint8_t *seen = scratch->seen, tag = scratch->tag;
    uint32_t nobody = scratch->n_seen_slots, n = 0;
    for (uint32_t i = 0; i < list.cap; i++) {
        uint32_t id = cmi_list_read(&list, i);
        uint32_t at = id < n_slots ? id : nobody; /* CMI_NONE is above every n_slots */
        out[n] = id;
        n += (uint32_t)(at != nobody) & (uint32_t)(seen[at] != tag);
        if (take) seen[at] = tag;
    }
    return n;
}

uint32_t cmi_gather_fresh(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot, uint32_t level, uint32_t n_slots) {
    return unseen(graph, scratch, slot, level, n_slots, true, scratch->fresh);
}

static bool acceptable(const cmi_hnsw_t *graph, const cmi_accept_t *accept, uint32_t slot) {
    cmi_state_t state = cmi_meta_state(cmi_hnsw_meta(graph, slot));
    if (state != CMI_LIVE && !(accept->dead_too && state == CMI_DEAD)) return false;
    return !accept->keep || accept->keep(accept->context, slot);
}

static void put_off(const cmi_frontier_t *frontier, float distance, uint32_t slot) {
    if (frontier->later) cmi_hidden_push(frontier->later, distance, slot);
}

void cmi_look_no_farther(cmi_frontier_t *frontier) {
    const cmi_beam_t *beam = &frontier->beam;
    cmi_pool_t *pool = frontier->pool;
    if (pool->n < beam->least) return;
    float within = beam->slack * pool->at[beam->k - 1].distance, least = pool->at[beam->least - 1].distance;
    frontier->horizon = within > least ? within : least;
    /* The cursor stays within the pool: only who came in among the `least` lowers the horizon, and the cursor is not behind it. */
    while (pool->n > beam->least && pool->at[pool->n - 1].distance >= frontier->horizon) pool->n--;
    if (pool->n == beam->most) frontier->horizon = pool->at[beam->most - 1].distance;
}

void cmi_take_in(cmi_frontier_t *frontier, float distance, uint32_t slot) {
    cmi_pool_t *pool = frontier->pool;
    if (pool->n == frontier->beam.most) put_off(frontier, pool->at[pool->n - 1].distance, pool->at[pool->n - 1].slot);
    uint32_t place = cmi_pool_insert(pool, frontier->beam.most, distance, slot);
    if (place < frontier->cursor) frontier->cursor = place;
    cmi_look_no_farther(frontier);
}

void cmi_consider(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_frontier_t *frontier, const cmi_accept_t *accept, float distance,
                  uint32_t slot) {
    if (!cmi_useful(frontier, distance)) {
        put_off(frontier, distance, slot);
        return;
    }
    if (CMI_UNLIKELY(!acceptable(graph, accept, slot))) cmi_hidden_push(&scratch->hidden, distance, slot);
    else cmi_take_in(frontier, distance, slot);
}

/* Asks for what the next expansion will most likely read: the rows of the unseen neighbours of the nearest node in the pool that is not expanded. It is right as often as an expansion finds
 * nothing nearer, and else early. Only the next node: asking for two loses again (docs/BENCHMARKS.md). */
static void request_next(const cmi_hnsw_t *graph, const cmi_scratch_t *scratch, cmi_frontier_t *frontier, const cmi_query_t *query,
                         uint32_t level, uint32_t n_slots) {
    const cmi_way_t *way = cmi_way_of(scratch);
    if (!PLAT_PREFETCH_IS_FREE || !way->next) return; /* the same for the whole walk */
    frontier->foreseen = CMI_NONE;
    const cmi_pool_t *pool = frontier->pool;
    uint32_t next = frontier->cursor;
    while (next < pool->n && (pool->at[next].slot & CMI_CHECKED)) next++;
    if (next == pool->n) return;
    frontier->foreseen = pool->at[next].slot;
    frontier->n_foreseen = unseen(graph, scratch, frontier->foreseen, level, n_slots, false, scratch->wanted);
    for (uint32_t i = 0; i < frontier->n_foreseen; i++) cmi_prefetch_row(query->rows, scratch->wanted[i], way);
}

/* The neighbours of the node that was foreseen: nothing was seen since, so they are known. */
static uint32_t take_foreseen(cmi_scratch_t *scratch, const cmi_frontier_t *frontier) {
    uint32_t *fresh = scratch->wanted;
    scratch->wanted = scratch->fresh, scratch->fresh = fresh;
    for (uint32_t i = 0; i < frontier->n_foreseen; i++) scratch->seen[fresh[i]] = scratch->tag;
    return frontier->n_foreseen;
}

/* Their lists and states are read soon: all at once, before the first is. */
static void request_useful(const cmi_hnsw_t *graph, const cmi_scratch_t *scratch, const cmi_frontier_t *frontier, uint32_t level,
                           uint32_t n) {
    if (!PLAT_PREFETCH_IS_FREE) return;
    for (uint32_t i = 0; i < n; i++) {
        if (!cmi_useful(frontier, scratch->fresh_distance[i])) continue;
        const char *places = (const char *)cmi_list_of(graph, scratch->fresh[i], level).place;
        plat_prefetch(cmi_hnsw_node(graph, scratch->fresh[i]));
        plat_prefetch(places);
        plat_prefetch(places + 64);
    }
}

/* The unseen neighbours of `slot` and their distances, into scratch->fresh and fresh_distance; returns how many. */
static uint32_t expand(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_frontier_t *frontier, const cmi_query_t *query, uint32_t slot,
                       uint32_t level, uint32_t n_slots) {
    uint32_t n = PLAT_PREFETCH_IS_FREE && slot == frontier->foreseen ? take_foreseen(scratch, frontier)
                                                                     : cmi_gather_fresh(graph, scratch, slot, level, n_slots);
    request_next(graph, scratch, frontier, query, level, n_slots);
    cmi_distances(graph, scratch, query, scratch->fresh, n, scratch->fresh_distance);
    request_useful(graph, scratch, frontier, level, n);
    return n;
}

/* The nearest node that is not expanded yet, from the pool or from the hidden heap; false when none can matter any more. */
static bool next_to_expand(cmi_scratch_t *scratch, cmi_frontier_t *frontier, uint32_t *slot) {
    cmi_pool_t *pool = frontier->pool;
    while (frontier->cursor < pool->n && (pool->at[frontier->cursor].slot & CMI_CHECKED)) frontier->cursor++;
    bool pooled = frontier->cursor < pool->n;
    if (scratch->hidden.n > 0 && (!pooled || scratch->hidden.at[0].distance < pool->at[frontier->cursor].distance)) {
        if (cmi_useful(frontier, scratch->hidden.at[0].distance)) {
            *slot = cmi_hidden_pop(&scratch->hidden).slot;
            return true;
        }
        if (!frontier->later) scratch->hidden.n = 0; /* all others are farther still */
        if (!pooled) return false;
    }
    if (!pooled) return false;
    *slot = pool->at[frontier->cursor].slot;
    pool->at[frontier->cursor].slot |= CMI_CHECKED;
    return true;
}

void cmi_walk(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_frontier_t *frontier, const cmi_walk_t *walk) {
    uint32_t slot;
    cmi_walk_begins(scratch);
    while (next_to_expand(scratch, frontier, &slot)) {
        uint32_t n = expand(graph, scratch, frontier, walk->query, slot, walk->level, walk->n_slots);
        if (walk->visit) walk->visit(walk->visit_context, scratch->fresh, scratch->fresh_distance, n);
        for (uint32_t i = 0; i < n; i++)
            cmi_consider(graph, scratch, frontier, walk->accept, scratch->fresh_distance[i], scratch->fresh[i]);
    }
    cmi_walk_ends(scratch);
}
