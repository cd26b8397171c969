/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * insert.c - linking a node into the graph: Algorithm 1 of Malkov & Yashunin (2018) in an order that concurrent readers and writers can live with.
 *
 *     vector -> search every level -> forward lists of ALL levels -> publish LIVE -> backlinks from the top down (and the tree edge, links.h) -> LINKED
 *     -> raise the entry point -> linked again if the graph outgrew what the search saw
 *
 * Whoever finds the node through a backlink finds a complete node. Lock-free: the only loops that others can prolong are the CAS retries of
 * cmi_links_append() and raise_entry(), and the rounds of keep_up(), each of which others prolong only by adding an eighth to the graph.
 */
#include "index/insert.h"

#include "index/links.h"
#include "index/search.h"

/* Algorithm 4: a candidate is chosen unless one chosen before is nearer to it than the query is. `pool` is sorted, so near ones come first. */
static bool diverse(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_chosen_t *chosen, cmi_found_t candidate) {
    cmi_query_t query = cmi_walking_query_of_slot(graph, scratch, CMI_FORM_OWNER, candidate.slot);
    for (uint32_t i = 0; i < chosen->n; i += 4) { /* four at a time: most candidates fall to an early one */
        uint32_t n = CMI_MIN(chosen->n - i, 4u), slots[4] = {0};
        for (uint32_t j = 0; j < n; j++) slots[j] = chosen->at[i + j].slot;
        cmi_distances_at_hand(graph, scratch, &query, slots, n, scratch->fresh_distance);
        for (uint32_t j = 0; j < n; j++)
            if (scratch->fresh_distance[j] < candidate.distance) return false;
    }
    return true;
}

/* Up to m diverse candidates, then the nearest of the others until there are m. The paper's keepPrunedConnections, which most libraries leave out: measured
 * on 100k word vectors it costs 14 % more distances per insert and gives recall@10 .942 instead of .934 at ef 40 for the same distances per query. */
void cmi_link_choose(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t m, cmi_chosen_t *chosen) {
    cmi_pool_t *pool = &scratch->pool;
    uint32_t i, n_passed = 0;
    chosen->n = 0;
    for (i = 0; i < pool->n && chosen->n < m; i++) {
        if (diverse(graph, scratch, chosen, pool->at[i])) chosen->at[chosen->n++] = pool->at[i];
        else pool->at[n_passed++] = pool->at[i]; /* passed over, kept at the front of the pool, nearest first */
    }
    for (i = 0; i < n_passed && chosen->n < m; i++) chosen->at[chosen->n++] = pool->at[i];
}

static void choose_neighbors(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t level) {
    cmi_link_choose(graph, scratch, graph->params.m, &scratch->chosen[level]);
}

/* Searches one level and chooses neighbours there; returns where the level below starts. */
static cmi_found_t link_forward(cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, uint32_t slot, uint32_t level,
                                cmi_found_t start) {
    cmi_accept_t accept = {NULL, NULL, false};
    cmi_beam_t beam = cmi_beam_of(graph->params.ef_construction);
    cmi_search_level(graph, scratch, query, start, level, &beam, &accept);
    if (scratch->pool.n == 0) { /* everything near is a tombstone: they must carry the new node */
        accept.dead_too = true;
        cmi_search_level(graph, scratch, query, start, level, &beam, &accept);
    }
    if (level == 0) cmi_beam_learn(graph, scratch->pool.at, scratch->pool.n);
    cmi_found_t nearest = scratch->pool.n > 0 ? scratch->pool.at[0] : start;
    choose_neighbors(graph, scratch, level);
    cmi_links_fill(graph, slot, level, scratch->chosen[level].at, scratch->chosen[level].n);
    return nearest;
}

static void append_upper(cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot, uint32_t level) {
    const cmi_chosen_t *chosen = &scratch->chosen[level];
    for (uint32_t i = 0; i < chosen->n; i++)
        cmi_links_append(graph, scratch, chosen->at[i].slot, level, slot, chosen->at[i].distance, CMI_APPEND_IF_BETTER);
}

/* Tries to hang `slot` under `parent`: the parent word first, because the link must not be seen without it. */
static bool hang_under(cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot, cmi_found_t parent, cmi_append_t mode) {
    plat_store_relaxed(&cmi_hnsw_node(graph, slot)->parent, parent.slot); /* relaxed: published by [N1], finally by [N4] */
    return cmi_links_append(graph, scratch, parent.slot, 0, slot, parent.distance, mode);
}

/* Of a chosen neighbour's slot: its list has, or had, the new node as a plain link. As that was seen without a parent word that names the owner, it cannot become a tree edge; not even
 * after it was pushed out, for whoever is about to push it out knows the place and the id only, and both may be the same again. */
#define PLAIN CMI_PLAIN

/* Backlinks on level 0. The first LINKED neighbour that takes the node becomes its tree parent; the others are plain links. Returns whether there is one. */
static bool append_base(cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot) {
    const cmi_chosen_t *chosen = &scratch->chosen[0];
    bool hung = false;
    for (uint32_t i = 0; i < chosen->n; i++) {
        cmi_found_t neighbor = chosen->at[i];
        if (!hung && cmi_linked(graph, neighbor.slot)) hung = hang_under(graph, scratch, slot, neighbor, CMI_APPEND_IF_BETTER);
        else if (cmi_links_append(graph, scratch, neighbor.slot, 0, slot, neighbor.distance, CMI_APPEND_IF_BETTER))
            chosen->at[i].slot |= PLAIN;
    }
    return hung;
}

static bool is_plain(const cmi_chosen_t *chosen, uint32_t owner) {
    for (uint32_t i = 0; i < chosen->n; i++)
        if (chosen->at[i].slot == (owner | PLAIN)) return true;
    return false;
}

/* A tree child of `owner` that a node can hang under, CMI_NONE if there is none. The child need not be LINKED: that we see it here with this parent means that the chain down to it is
 * complete. A list of nothing but tree edges has 2m - 1 children at least, and at most m of them are plain. */
static uint32_t tree_child(const cmi_hnsw_t *graph, const cmi_chosen_t *chosen, uint32_t owner) {
    cmi_list_t list = cmi_list_of(graph, owner, 0);
    for (uint32_t i = 0; i < list.cap; i++) {
        uint32_t id = cmi_list_read(&list, i);
        if (id == CMI_NONE || plat_load_relaxed(&cmi_hnsw_node(graph, id)->parent) != owner) continue; /* relaxed: under [N1] */
        if (!is_plain(chosen, id)) return id;
    }
    return CMI_NONE;
}

static cmi_found_t found_at(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot, uint32_t other) {
    cmi_query_t query = cmi_walking_query_of_slot(graph, scratch, CMI_FORM_NEWCOMER, slot);
    return (cmi_found_t){cmi_distance(graph, &query, other), other};
}

/* Every neighbour refused: the nearest LINKED one is made to give up a link. When its list holds nothing but tree edges, one of its tree children is asked, and so on: the tree is
 * finite and a leaf has one tree edge only, so somebody can. */
static void hang_by_force(cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot, uint32_t entry_slot) {
    const cmi_chosen_t *chosen = &scratch->chosen[0];
    cmi_found_t parent = found_at(graph, scratch, slot, entry_slot); /* LINKED for sure */
    for (uint32_t i = 0; i < chosen->n; i++) {
        if (chosen->at[i].slot & PLAIN || !cmi_linked(graph, chosen->at[i].slot)) continue;
        parent = chosen->at[i];
        break;
    }
    while (!hang_under(graph, scratch, slot, parent, CMI_APPEND_FORCED)) {
        uint32_t child = tree_child(graph, chosen, parent.slot);
        if (child == CMI_NONE) continue; /* the list changed meanwhile: another insert made progress */
        parent = found_at(graph, scratch, slot, child);
    }
    cmi_links_append(graph, scratch, slot, 0, parent.slot, parent.distance, CMI_APPEND_FORCED); /* the edge's other direction */
}

static void raise_entry(cmi_hnsw_t *graph, uint32_t slot, uint32_t level) {
    uint64_t entry = cmi_entry_load(graph), raised = (uint64_t)level << 32 | slot;
    while (level > cmi_entry_level(entry))
        if (plat_cas_release(&graph->entry, &entry, raised)) return; /* [N6] release: the node. Retry: another insert raised it */
}

static void set_linked(cmi_hnsw_t *graph, uint32_t slot) {
    plat_fetch_or_release(&cmi_hnsw_node(graph, slot)->meta, (uint64_t)CMI_FLAG_LINKED << 16); /* [N4] release: the parent word */
}

/* The first node of the graph is its own world: no links, no parent. False when another thread's node became the first; a scan may have seen ours LIVE for a
 * moment, complete as it was. */
static bool link_first(cmi_hnsw_t *graph, uint32_t slot) {
    plat_a64_t *meta = &cmi_hnsw_node(graph, slot)->meta;
    uint64_t building = plat_load_relaxed(meta); /* relaxed: BUILDING is private */
    uint32_t level = cmi_meta_level(building);
    /* [N3] release: vector, record. Searches come by [N6], but a scan of all slots sees nothing else */
    plat_store_release(meta, cmi_meta_make(cmi_meta_generation(building), CMI_FLAG_LINKED, level, CMI_LIVE));
    uint64_t expected = CMI_NO_ENTRY;
    if (plat_cas_release(&graph->entry, &expected, (uint64_t)level << 32 | slot)) return true; /* [N6] release: the node */
    plat_store_relaxed(meta, building);                                                        /* relaxed: private again */
    return false;
}

static bool is_another(void *slot, uint32_t candidate) {
    return candidate != *(const uint32_t *)slot;
}

/* Links a LINKED node on level 0 to the neighbours that it has now, in both directions. */
static void link_again(cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, uint32_t slot) {
    uint64_t entry = cmi_entry_load(graph);
    cmi_accept_t accept = {is_another, &slot, false};
    cmi_found_t start = cmi_descend(graph, scratch, query, cmi_entry_slot(entry), cmi_entry_level(entry), 0);
    cmi_beam_t beam = cmi_beam_of(graph->params.ef_construction);
    cmi_search_level(graph, scratch, query, start, 0, &beam, &accept);
    choose_neighbors(graph, scratch, 0);
    const cmi_chosen_t *chosen = &scratch->chosen[0];
    for (uint32_t i = 0; i < chosen->n; i++) {
        cmi_links_append(graph, scratch, chosen->at[i].slot, 0, slot, chosen->at[i].distance, CMI_APPEND_IF_BETTER);
        if (!cmi_linked(graph, chosen->at[i].slot)) continue; /* it may be about to hang under us: a plain link must not come first */
        cmi_links_append(graph, scratch, slot, 0, chosen->at[i].slot, chosen->at[i].distance, CMI_APPEND_IF_BETTER);
    }
}

/* A thread that was put aside between searching and linking has neighbours of an older, smaller graph. Their lists are full of nearer ones by now, and may have refused the node: it
 * would hang on the tree alone, where no search comes by. So whoever was overtaken by an eighth of the graph looks again. Without other writers: never. */
static void keep_up(cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, uint32_t slot, uint32_t n_seen) {
    for (;;) {
        uint32_t n_slots = cmi_hnsw_n_slots(graph);
        if (n_slots - n_seen <= n_seen / 8 + graph->most_overtakers) return;
        n_seen = n_slots;
        link_again(graph, scratch, query, slot);
    }
}

static void publish(plat_a64_t *meta, uint64_t building) {
    /* [N3] release: vector, record, forward lists */
    plat_store_release(meta, cmi_meta_make(cmi_meta_generation(building), 0, cmi_meta_level(building), CMI_LIVE));
}

void cmi_hnsw_link(cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot) {
    uint32_t n_seen = cmi_hnsw_n_slots(graph);
    if (cmi_entry_load(graph) == CMI_NO_ENTRY && link_first(graph, slot)) return;

    uint64_t entry = cmi_entry_load(graph);
    plat_a64_t *meta = &cmi_hnsw_node(graph, slot)->meta;
    uint64_t building = plat_load_relaxed(meta); /* relaxed: BUILDING is private */
    uint32_t level = cmi_meta_level(building), top = CMI_MIN(level, cmi_entry_level(entry));
    cmi_query_t query = cmi_walking_query_of_slot(graph, scratch, CMI_FORM_QUERY, slot);

    cmi_found_t start = cmi_descend(graph, scratch, &query, cmi_entry_slot(entry), cmi_entry_level(entry), top);
    for (uint32_t l = top + 1; l-- > 0;) start = link_forward(graph, scratch, &query, slot, l, start);

    publish(meta, building);
    for (uint32_t l = top; l > 0; l--) append_upper(graph, scratch, slot, l);
    if (!append_base(graph, scratch, slot)) hang_by_force(graph, scratch, slot, cmi_entry_slot(entry));
    set_linked(graph, slot);
    raise_entry(graph, slot, level);
    keep_up(graph, scratch, &query, slot, n_seen);
}

/* ---- the steps, for nodes that are linked together (insert.h) --------------------------------------------------------------------------- */

cmi_found_t cmi_link_forward(cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, uint32_t slot, uint32_t level,
                             cmi_found_t start) {
    return link_forward(graph, scratch, query, slot, level, start);
}

void cmi_link_publish(cmi_hnsw_t *graph, uint32_t slot) {
    plat_a64_t *meta = &cmi_hnsw_node(graph, slot)->meta;
    publish(meta, plat_load_relaxed(meta)); /* relaxed: BUILDING is private */
}

void cmi_link_by_force(cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot, cmi_chosen_t chosen) {
    cmi_chosen_t own = scratch->chosen[0];
    scratch->chosen[0] = chosen;
    hang_by_force(graph, scratch, slot, cmi_entry_slot(cmi_entry_load(graph)));
    scratch->chosen[0] = own;
}

void cmi_link_finish(cmi_hnsw_t *graph, uint32_t slot) {
    set_linked(graph, slot);
    raise_entry(graph, slot, cmi_meta_level(cmi_hnsw_meta(graph, slot)));
}

void cmi_link_keep_up(cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot, uint32_t n_seen) {
    cmi_query_t query = cmi_walking_query_of_slot(graph, scratch, CMI_FORM_QUERY, slot);
    keep_up(graph, scratch, &query, slot, n_seen);
}
