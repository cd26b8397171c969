/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* skiplist.c - see skiplist.h. Node 0 stands for the head of the list wherever a predecessor is meant, and for the end wherever a successor is. */
#include "store/skiplist.h"

#define MARK 1u

static bool is_marked(uint32_t link) {
    return (link & MARK) != 0;
}
static uint32_t index_of(uint32_t link) {
    return link >> 1;
}
static uint32_t link_to(uint32_t node) {
    return node << 1;
}

/* The link word of a node, or of the head, on a level that it has. */
static plat_a32_t *word_of(const cmi_skip_nodes_t *nodes, cmi_skiplist_t *list, uint32_t node, uint32_t level) {
    if (node == CMI_NO_SKIP_NODE) return &list->head[level];
    cmi_skip_node_t *at = cmi_skip_at(nodes, node);
    if (level == 0) return &at->next;
    return (plat_a32_t *)cmi_blocks_at(nodes->blocks, at->upper) + (level - 1);
}

/* Nodes of one slot under one key exist side by side while its attributes are being changed: hence the index. */
static bool comes_before(const cmi_skip_nodes_t *nodes, uint32_t a, uint32_t b) {
    const cmi_skip_node_t *left = cmi_skip_at(nodes, a), *right = cmi_skip_at(nodes, b);
    if (left->key != right->key) return left->key < right->key;
    if (left->slot != right->slot) return left->slot < right->slot;
    return a < b;
}

/* ---- nodes ---------------------------------------------------------------------------------------------------------------------- */

bool cmi_skip_open(cmi_skip_nodes_t *nodes, cmi_blocks_t *blocks, uint32_t n) {
    nodes->blocks = blocks;
    return cmi_items_open(&nodes->items, sizeof(cmi_skip_node_t), CMI_MIN(n, CMI_MOST_SKIP_NODES) + 1);
}

void cmi_skip_close(cmi_skip_nodes_t *nodes) {
    cmi_items_close(&nodes->items);
}

/* One in four reaches the next level. From slot and key alone, so that the same operations build the same list everywhere. */
static uint32_t draw_levels(uint64_t key, uint32_t slot) {
    uint64_t draw = cmi_mix(cmi_mix(key) + slot);
    uint32_t n_levels = 1;
    for (; n_levels < CMI_SKIP_LEVELS && (draw & 3) == 0; draw >>= 2) n_levels++;
    return n_levels;
}

cm_status_t cmi_skip_make(cmi_skip_nodes_t *nodes, uint64_t key, uint32_t slot, uint32_t *node) {
    uint32_t n_levels = draw_levels(key, slot), upper = CMI_NO_BLOCK;
    if (n_levels > 1) {
        upper = cmi_blocks_alloc(nodes->blocks, (n_levels - 1) * (uint32_t)sizeof(plat_a32_t));
        if (upper == CMI_NO_BLOCK) return CM_E_NO_MEMORY;
    }
    cm_status_t status = cmi_items_take(&nodes->items, node);
    if (status != CM_OK) {
        if (upper != CMI_NO_BLOCK) cmi_blocks_free(nodes->blocks, upper);
        return status;
    }
    cmi_skip_node_t *at = cmi_skip_at(nodes, *node);
    at->upper = upper;
    at->n_levels = n_levels;
    at->slot = slot;
    at->key = key;
    return CM_OK;
}

void cmi_skip_free(cmi_skip_nodes_t *nodes, uint32_t node) {
    uint32_t upper = cmi_skip_at(nodes, node)->upper;
    if (upper != CMI_NO_BLOCK) cmi_blocks_free(nodes->blocks, upper);
    cmi_items_give(&nodes->items, node);
}

/* ---- searching ------------------------------------------------------------------------------------------------------------------ */

/* Between which nodes a node is or belongs, on every level. */
typedef struct position {
    uint32_t before[CMI_SKIP_LEVELS], behind[CMI_SKIP_LEVELS];
} position_t;

/* Goes along one level from `before` to where `node` belongs, taking out every marked node on the way. False when a link changed under it. */
static bool seek_level(cmi_skip_nodes_t *nodes, cmi_skiplist_t *list, uint32_t node, uint32_t level, uint32_t *before, uint32_t *behind) {
    uint32_t link = plat_load_acquire(word_of(nodes, list, *before, level)); /* [K1] acquire: the node behind */
    if (is_marked(link)) return false;                                       /* `before` came from the level above, and is being removed */
    for (uint32_t at = index_of(link);; at = index_of(link)) {
        *behind = at;
        if (at == CMI_NO_SKIP_NODE) return true;
        link = plat_load_acquire(word_of(nodes, list, at, level)); /* [K1] */
        if (is_marked(link)) {
            uint32_t expected = link_to(at);
            /* [K1] release: hands on the node behind. acquire: as in link_level(). It fails when `before` got another successor, or was marked itself */
            if (!plat_cas_acq_rel(word_of(nodes, list, *before, level), &expected, link & ~MARK)) return false;
            continue;
        }
        if (!comes_before(nodes, at, node)) return true;
        *before = at;
    }
}

static bool try_seek(cmi_skip_nodes_t *nodes, cmi_skiplist_t *list, uint32_t node, position_t *out) {
    uint32_t before = CMI_NO_SKIP_NODE;
    for (uint32_t level = CMI_SKIP_LEVELS; level-- > 0;) {
        if (!seek_level(nodes, list, node, level, &before, &out->behind[level])) return false;
        out->before[level] = before;
    }
    return true;
}

/* Lock-free: every further try means that another thread linked, marked or unlinked a node here. */
static void seek(cmi_skip_nodes_t *nodes, cmi_skiplist_t *list, uint32_t node, position_t *out) {
    while (!try_seek(nodes, list, node, out)) {}
}

/* ---- writers -------------------------------------------------------------------------------------------------------------------- */

static bool link_level(cmi_skip_nodes_t *nodes, cmi_skiplist_t *list, uint32_t node, uint32_t level, const position_t *position) {
    uint32_t expected = link_to(position->behind[level]);
    plat_store_relaxed(word_of(nodes, list, node, level), expected); /* relaxed: published by the CAS */
    /* [K1] release: the node before the link to it. acquire: since we read it the link may have changed and changed back, for a node that came and went; whoever sees ours must not come
     * to that one on a level above */
    return plat_cas_acq_rel(word_of(nodes, list, position->before[level], level), &expected, link_to(node));
}

/* Level 0 makes it a member; the levels above are shortcuts. Until this returns nobody may remove it, so its own links are never marked here. */
void cmi_skip_link(cmi_skip_nodes_t *nodes, cmi_skiplist_t *list, uint32_t node) {
    uint32_t n_levels = cmi_skip_at(nodes, node)->n_levels;
    position_t position;
    seek(nodes, list, node, &position);
    for (uint32_t level = 0; level < n_levels;) {
        if (link_level(nodes, list, node, level, &position)) level++;
        else seek(nodes, list, node, &position); /* retry: another thread changed the link there */
    }
}

/* From the top, so that what is marked on a level is marked above, too. Why the node is out of every level after the search: it was in them when the search began, every node that
 * the search stands on was unmarked when it got there, so a path of links led from there to our node until somebody took it out; and the search takes out what is marked. */
void cmi_skip_unlink(cmi_skip_nodes_t *nodes, cmi_skiplist_t *list, uint32_t node) {
    for (uint32_t level = cmi_skip_at(nodes, node)->n_levels; level-- > 0;)
        plat_fetch_or_release(word_of(nodes, list, node, level), MARK); /* [K1] release: part of the chain of writes to this word */
    position_t position;
    seek(nodes, list, node, &position);
}

void cmi_skip_append(cmi_skip_nodes_t *nodes, cmi_skiplist_t *list, cmi_skip_tail_t *tail, uint32_t node) {
    for (uint32_t level = 0; level < cmi_skip_at(nodes, node)->n_levels; level++) { /* relaxed: nobody shares the list yet */
        plat_store_relaxed(word_of(nodes, list, node, level), link_to(CMI_NO_SKIP_NODE));
        plat_store_relaxed(word_of(nodes, list, tail->last[level], level), link_to(node));
        tail->last[level] = node;
    }
}

/* ---- readers -------------------------------------------------------------------------------------------------------------------- */

/* Goes down only through nodes that are not removed: one that is may be out of a level below already, and what was linked there since is not behind its frozen link. */
uint32_t cmi_skip_seek(const cmi_skip_nodes_t *nodes, const cmi_skiplist_t *list, uint64_t key) {
    uint32_t before = CMI_NO_SKIP_NODE, at = CMI_NO_SKIP_NODE;
    for (uint32_t level = CMI_SKIP_LEVELS; level-- > 0;)
        for (uint32_t from = before;; from = at) {
            at = index_of(plat_load_acquire(word_of(nodes, (cmi_skiplist_t *)list, from, level))); /* [K1] */
            if (at == CMI_NO_SKIP_NODE || cmi_skip_at(nodes, at)->key >= key) break;
            if (!cmi_skip_removed(nodes, at)) before = at;
        }
    return at;
}

/* ---- check ---------------------------------------------------------------------------------------------------------------------- */

/* What is checked, and what dead threads may have left behind: nodes that are marked and not taken out, of one level only perhaps. */
typedef struct checker {
    const cmi_skip_nodes_t *nodes;
    cmi_skiplist_t *list;
    const char *name;
    uint64_t most_half_removed;
    cm_error_t *error;
} checker_t;

static cm_status_t check_node(const checker_t *c, uint32_t level, uint32_t last, uint32_t node) {
    uint32_t end = cmi_items_end(&c->nodes->items);
    if (node >= end)
        return cmi_fail(c->error, CM_E_INVARIANT, "%s list, level %u: node %u is linked, but there are %u", c->name, level, node, end);
    uint32_t n_levels = cmi_skip_at(c->nodes, node)->n_levels;
    if (n_levels <= level || n_levels > CMI_SKIP_LEVELS)
        return cmi_fail(c->error, CM_E_INVARIANT, "%s list, level %u: node %u has %u levels", c->name, level, node, n_levels);
    if (last != CMI_NO_SKIP_NODE && !comes_before(c->nodes, last, node))
        return cmi_fail(c->error, CM_E_INVARIANT, "%s list, level %u: node %u is not in order behind %u", c->name, level, node, last);
    return CM_OK;
}

/* The first node of a level, or the one behind a node. */
static uint32_t next_on(const checker_t *c, uint32_t node, uint32_t level) {
    return index_of(plat_load_acquire(word_of(c->nodes, c->list, node, level))); /* [K1] */
}

/* Along a level, and along the one above it, whose nodes must come here, too. */
static cm_status_t check_level(const checker_t *c, uint32_t level, uint64_t *n_nodes) {
    bool top = level + 1 == CMI_SKIP_LEVELS;
    uint32_t last = CMI_NO_SKIP_NODE, node = next_on(c, last, level), above = top ? CMI_NO_SKIP_NODE : next_on(c, last, level + 1);
    uint64_t n_marked = 0, n_missing = 0;
    for (*n_nodes = 0; node != CMI_NO_SKIP_NODE || above != CMI_NO_SKIP_NODE;) {
        cm_status_t status = node == CMI_NO_SKIP_NODE ? CM_OK : check_node(c, level, last, node);
        if (status != CM_OK) return status;
        if (above != CMI_NO_SKIP_NODE && (node == CMI_NO_SKIP_NODE || comes_before(c->nodes, above, node))) {
            if (++n_missing > c->most_half_removed)
                return cmi_fail(c->error, CM_E_INVARIANT, "%s list, level %u: node %u is missing, but not on the level above", c->name,
                                level, above);
            above = next_on(c, above, level + 1);
            continue;
        }
        if (is_marked(plat_load_acquire(word_of(c->nodes, c->list, node, level))) && ++n_marked > c->most_half_removed) /* [K1] */
            return cmi_fail(c->error, CM_E_INVARIANT, "%s list, level %u: node %u is removed and still linked", c->name, level, node);
        if (node == above) above = next_on(c, above, level + 1);
        last = node, node = next_on(c, node, level), ++*n_nodes;
    }
    return CM_OK;
}

/* Every node of level 0 is on all its levels, unless its inserter died: then on fewer. */
cm_status_t cmi_skip_check(const cmi_skip_nodes_t *nodes, const cmi_skiplist_t *list, const char *name, uint32_t most_half_removed,
                           uint64_t *n_nodes, cm_error_t *error) {
    checker_t c = {nodes, (cmi_skiplist_t *)list, name, most_half_removed, error};
    cm_status_t status = CM_OK;
    for (uint32_t level = CMI_SKIP_LEVELS; level-- > 0 && status == CM_OK;) status = check_level(&c, level, n_nodes);
    return status;
}
