/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * check.c - walks the whole graph and names the first violated invariant. Conclusive while nobody writes.
 *
 *   lists      every id below n_slots, in a state that may be linked to, of a level that the list's level allows; no self-loop, no duplicate
 *   entry      exists where there are nodes; its level is its node's level; no LINKED node is higher
 *   tree       one root; each other LINKED node in its parent's list and its parent in its own; no cycles
 *   reach      every LIVE node on a path of links from the entry point, but for at most most_unlinked that are not LINKED: their inserters died on the way
 */
#include "index/links.h"
#include "index/search.h"

#include "plat_pages.h"

typedef struct checker {
    const cmi_hnsw_t *graph;
    cm_check_report_t *report;
    cm_error_t *error;
    uint32_t n_slots;
    uint32_t n_unlinked; /* LIVE nodes that are not LINKED */
    uint32_t *queue;     /* n_slots: breadth-first queue, then the path of the tree walk */
    uint8_t *mark;       /* n_slots */
} checker_t;

static bool in_graph(uint64_t meta) {
    return cmi_meta_state(meta) == CMI_LIVE || cmi_meta_state(meta) == CMI_DEAD;
}

static bool list_holds(const cmi_hnsw_t *graph, uint32_t owner, uint32_t slot) {
    cmi_list_t list = cmi_list_of(graph, owner, 0);
    for (uint32_t i = 0; i < list.cap; i++)
        if (cmi_list_read(&list, i) == slot) return true;
    return false;
}

static cm_status_t check_link(const checker_t *c, uint32_t slot, uint32_t level, const cmi_list_t *list, uint32_t place) {
    uint32_t id = cmi_list_read(list, place);
    if (id >= c->n_slots)
        return cmi_fail(c->error, CM_E_INVARIANT, "node %u, level %u: link to %u, but there are %u slots", slot, level, id, c->n_slots);
    if (id == slot) return cmi_fail(c->error, CM_E_INVARIANT, "node %u, level %u: link to itself", slot, level);
    uint64_t meta = cmi_hnsw_meta(c->graph, id);
    if (!in_graph(meta))
        return cmi_fail(c->error, CM_E_INVARIANT, "node %u, level %u: link to %u, which is in state %u", slot, level, id,
                        (uint32_t)cmi_meta_state(meta));
    if (cmi_meta_level(meta) < level)
        return cmi_fail(c->error, CM_E_INVARIANT, "node %u, level %u: link to %u of level %u", slot, level, id, cmi_meta_level(meta));
    for (uint32_t before = 0; before < place; before++)
        if (cmi_list_read(list, before) == id)
            return cmi_fail(c->error, CM_E_INVARIANT, "node %u, level %u: %u is linked twice", slot, level, id);
    return CM_OK;
}

static cm_status_t check_lists(checker_t *c, uint32_t slot, uint64_t meta) {
    for (uint32_t level = 0; level <= cmi_meta_level(meta); level++) {
        cmi_list_t list = cmi_list_of(c->graph, slot, level);
        for (uint32_t i = 0; i < list.cap; i++) {
            if (cmi_list_read(&list, i) == CMI_NONE) continue;
            cm_status_t status = check_link(c, slot, level, &list, i);
            if (status != CM_OK) return status;
            c->report->n_links++;
        }
    }
    return CM_OK;
}

static cm_status_t check_nodes(checker_t *c) {
    for (uint32_t slot = 0; slot < c->n_slots; slot++) {
        uint64_t meta = cmi_hnsw_meta(c->graph, slot);
        if (cmi_meta_level(meta) > CMI_MAX_LEVEL)
            return cmi_fail(c->error, CM_E_INVARIANT, "node %u: level %u", slot, cmi_meta_level(meta));
        if (!in_graph(meta)) continue;
        if (cmi_meta_state(meta) == CMI_LIVE) {
            c->report->n_live++;
            c->n_unlinked += !cmi_linked(c->graph, slot);
        } else {
            c->report->n_dead++;
        }
        cm_status_t status = check_lists(c, slot, meta);
        if (status != CM_OK) return status;
    }
    return CM_OK;
}

static cm_status_t check_entry(checker_t *c) {
    uint64_t entry = cmi_entry_load(c->graph);
    if (entry == CMI_NO_ENTRY)
        return c->report->n_live == 0 ? CM_OK : cmi_fail(c->error, CM_E_INVARIANT, "no entry point, but %U live nodes", c->report->n_live);
    uint32_t slot = cmi_entry_slot(entry), level = cmi_entry_level(entry);
    c->report->top_level = level;
    if (slot >= c->n_slots || !in_graph(cmi_hnsw_meta(c->graph, slot)))
        return cmi_fail(c->error, CM_E_INVARIANT, "the entry point %u is no node", slot);
    if (cmi_meta_level(cmi_hnsw_meta(c->graph, slot)) != level)
        return cmi_fail(c->error, CM_E_INVARIANT, "the entry point %u has level %u, its node %u", slot, level,
                        cmi_meta_level(cmi_hnsw_meta(c->graph, slot)));
    for (uint32_t s = 0; s < c->n_slots; s++) {
        uint64_t meta = cmi_hnsw_meta(c->graph, s);
        if (in_graph(meta) && cmi_linked(c->graph, s) && cmi_meta_level(meta) > level)
            return cmi_fail(c->error, CM_E_INVARIANT, "node %u has level %u, above the entry point's %u", s, cmi_meta_level(meta), level);
    }
    return CM_OK;
}

enum { UNSEEN = 0, ON_PATH = 1, ROOTED = 2 };

/* Follows parents from `slot` up to something rooted. */
static cm_status_t check_tree_path(checker_t *c, uint32_t slot) {
    uint32_t n = 0;
    while (slot != CMI_NONE && c->mark[slot] != ROOTED) {
        if (c->mark[slot] == ON_PATH) return cmi_fail(c->error, CM_E_INVARIANT, "node %u is its own ancestor", slot);
        c->mark[slot] = ON_PATH;
        c->queue[n++] = slot;
        uint32_t parent = plat_load_relaxed(&cmi_hnsw_node(c->graph, slot)->parent); /* relaxed: under [N4] */
        if (parent == CMI_NONE) break;
        if (parent >= c->n_slots || !in_graph(cmi_hnsw_meta(c->graph, parent)))
            return cmi_fail(c->error, CM_E_INVARIANT, "node %u: its parent %u is no node", slot, parent);
        if (!list_holds(c->graph, parent, slot))
            return cmi_fail(c->error, CM_E_INVARIANT, "node %u is missing in the list of its parent %u", slot, parent);
        if (cmi_linked(c->graph, slot) && !list_holds(c->graph, slot, parent))
            return cmi_fail(c->error, CM_E_INVARIANT, "node %u does not link to its parent %u", slot, parent);
        slot = parent;
    }
    while (n > 0) c->mark[c->queue[--n]] = ROOTED;
    return CM_OK;
}

static cm_status_t check_tree(checker_t *c) {
    uint32_t root = CMI_NONE;
    memset(c->mark, UNSEEN, c->n_slots);
    for (uint32_t slot = 0; slot < c->n_slots; slot++) {
        if (!in_graph(cmi_hnsw_meta(c->graph, slot)) || !cmi_linked(c->graph, slot)) continue;
        if (plat_load_relaxed(&cmi_hnsw_node(c->graph, slot)->parent) == CMI_NONE) { /* relaxed: under [N4] */
            if (root != CMI_NONE) return cmi_fail(c->error, CM_E_INVARIANT, "nodes %u and %u are both without a parent", root, slot);
            root = slot;
        }
        cm_status_t status = check_tree_path(c, slot);
        if (status != CM_OK) return status;
    }
    return CM_OK;
}

static uint32_t enqueue_list(checker_t *c, uint32_t slot, uint32_t level, uint32_t n) {
    cmi_list_t list = cmi_list_of(c->graph, slot, level);
    for (uint32_t i = 0; i < list.cap; i++) {
        uint32_t id = cmi_list_read(&list, i);
        if (id == CMI_NONE || c->mark[id]) continue;
        c->mark[id] = 1;
        c->queue[n++] = id;
    }
    return n;
}

static cm_status_t check_reach(checker_t *c) {
    uint64_t entry = cmi_entry_load(c->graph);
    uint32_t n = 0;
    memset(c->mark, 0, c->n_slots);
    if (entry != CMI_NO_ENTRY) {
        c->queue[n++] = cmi_entry_slot(entry);
        c->mark[cmi_entry_slot(entry)] = 1;
    }
    for (uint32_t head = 0; head < n; head++)
        for (uint32_t level = 0; level <= cmi_meta_level(cmi_hnsw_meta(c->graph, c->queue[head])); level++)
            n = enqueue_list(c, c->queue[head], level, n);
    uint32_t first = CMI_NONE;
    for (uint32_t slot = c->n_slots; slot-- > 0;) {
        if (c->mark[slot] || cmi_meta_state(cmi_hnsw_meta(c->graph, slot)) != CMI_LIVE || !cmi_linked(c->graph, slot)) continue;
        c->report->n_unreachable++;
        first = slot;
    }
    if (first == CMI_NONE) return CM_OK;
    return cmi_fail(c->error, CM_E_INVARIANT, "%U live nodes are unreachable from the entry point, the first is %u",
                    c->report->n_unreachable, first);
}

static cm_status_t run(checker_t *c, uint32_t most_unlinked) {
    cm_status_t status = check_nodes(c);
    if (status == CM_OK && c->n_unlinked > most_unlinked)
        status = cmi_fail(c->error, CM_E_INVARIANT, "%u live nodes are not linked: at most %u inserts were left unfinished", c->n_unlinked,
                          most_unlinked);
    if (status == CM_OK) status = check_entry(c);
    if (status == CM_OK) status = check_tree(c);
    if (status == CM_OK) status = check_reach(c);
    return status;
}

cm_status_t cmi_hnsw_check(const cmi_hnsw_t *graph, uint32_t most_unlinked, cm_check_report_t *report, cm_error_t *error) {
    memset(report, 0, sizeof *report);
    uint32_t n_slots = cmi_hnsw_n_slots(graph);
    if (n_slots == 0) return CM_OK;
    uint64_t bytes = (uint64_t)n_slots * (sizeof(uint32_t) + 1);
    uint8_t *pages = plat_pages_alloc((size_t)bytes);
    if (!pages) return cmi_fail(error, CM_E_NO_MEMORY, "check: the machine gave no %U bytes of scratch memory", bytes);
    checker_t checker = {graph, report, error, n_slots, 0, (uint32_t *)pages, pages + (size_t)n_slots * sizeof(uint32_t)};
    cm_status_t status = run(&checker, most_unlinked);
    plat_pages_free(pages, (size_t)bytes);
    return status;
}
