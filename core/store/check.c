/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * check.c - everything that can be checked of a store, the first violated invariant by name. Conclusive while nobody writes.
 *
 *   graph      cmi_hnsw_check()
 *   maps       cmi_idmap_check(), of ids and of contexts
 *   postings   cmi_skip_check() of the context list and of the time lists
 *   memories   what the id map names is a LIVE node, whose record names the entry back, is not sealed, and holds attributes within their rules; the two nodes of the postings that it
 *              names are in the lists where its context and its rate belong, under their keys; no rate is below the lowest of its class
 *   counts     memories, memories of each context, LIVE nodes and nodes of the postings that are of no memory: all as counted, but for what threads that died inside an
 *              operation left behind: at most one of each for every one of them
 */
#include "store/attributes.h"
#include "store/contexts.h"
#include "store/relationships.h"
#include "store/store_impl.h"

#include "plat_pages.h"

typedef struct checker {
    const cm_store_t *store;
    cm_error_t *error;
    uint32_t *per_context; /* memories found, by entry of the label */
    uint32_t n_contexts;   /* end of the context entries */
    uint64_t n_memories;
    uint32_t slack; /* what dead threads may account for */
    uint8_t *list;  /* by node of the postings: where it was met. 0: nowhere */
    uint32_t n_nodes;
    uint64_t n_in_contexts, n_in_times;
} checker_t;

#define CONTEXT_LIST 1u /* in `list`: and from here on the time lists, by class */

/* ---- postings ------------------------------------------------------------------------------------------------------------------- */

static cm_status_t walk_list(const checker_t *c, const cmi_skiplist_t *list, uint32_t number, const char *name, uint64_t *n) {
    const cmi_skip_nodes_t *nodes = &c->store->postings.nodes;
    uint64_t n_here = 0;
    cm_status_t status = cmi_skip_check(nodes, list, name, c->slack, &n_here, c->error);
    if (status != CM_OK) return status;
    for (uint32_t node = cmi_skip_first(list); node != CMI_NO_SKIP_NODE; node = cmi_skip_next(nodes, node)) c->list[node] = (uint8_t)number;
    *n += n_here;
    return CM_OK;
}

static cm_status_t walk_postings(checker_t *c) {
    const cmi_postings_t *postings = &c->store->postings;
    cm_status_t status = walk_list(c, &postings->by_context, CONTEXT_LIST, "context", &c->n_in_contexts);
    for (uint32_t class = 0; class < CMI_RATE_CLASSES && status == CM_OK; class ++) {
        char name[32];
        cmi_format(name, sizeof name, "time class %u", class);
        status = walk_list(c, &postings->by_time[class], CONTEXT_LIST + 1 + class, name, &c->n_in_times);
    }
    return status;
}

/* The node that a word of a record names is in the list, and is the one of this slot under this key. */
static cm_status_t check_posting(const checker_t *c, uint32_t slot, const char *word, uint64_t pair, uint32_t number, uint64_t key) {
    uint32_t node = cmi_pair_node(pair);
    if (pair & CMI_SEALED) return cmi_fail(c->error, CM_E_INVARIANT, "the memory in slot %u: \"%s\" is sealed", slot, word);
    if (node == CMI_NO_SKIP_NODE || node >= c->n_nodes || c->list[node] != number)
        return cmi_fail(c->error, CM_E_INVARIANT, "the memory in slot %u: \"%s\" names node %u, which is not in its list", slot, word,
                        node);
    const cmi_skip_node_t *at = cmi_skip_at(&c->store->postings.nodes, node);
    if (at->slot != slot)
        return cmi_fail(c->error, CM_E_INVARIANT, "the memory in slot %u: \"%s\" names node %u, which is of slot %u", slot, word, node,
                        at->slot);
    if (at->key != key)
        return cmi_fail(c->error, CM_E_INVARIANT, "the memory in slot %u: \"%s\" names node %u, whose key is %U and not %U", slot, word,
                        node, at->key, key);
    if (cmi_skip_removed(&c->store->postings.nodes, node))
        return cmi_fail(c->error, CM_E_INVARIANT, "the memory in slot %u: \"%s\" names node %u, which is removed", slot, word, node);
    return CM_OK;
}

static cm_status_t check_postings(const checker_t *c, uint32_t slot) {
    const cmi_record_t *record = cmi_record_at(c->store, slot);
    uint64_t placed = cmi_record_pair(&record->placed), timed = cmi_record_pair(&record->timed);
    float rate = cmi_rate_in_force(c->store, cmi_bits_float(cmi_pair_attribute(timed)));
    uint32_t class = cmi_rate_class(rate);
    uint32_t lowest = plat_load_relaxed((plat_a32_t *)&c->store->postings.lowest_rate[class]); /* relaxed: nobody writes */
    cm_status_t status = check_posting(c, slot, "placed", placed, CONTEXT_LIST, cmi_pair_attribute(placed));
    if (status == CM_OK) status = check_posting(c, slot, "timed", timed, CONTEXT_LIST + 1 + class, cmi_time_key(record->created_ms));
    if (status != CM_OK) return status;
    if (lowest == 0 || cmi_bits_float(lowest) > rate)
        return cmi_fail(c->error, CM_E_INVARIANT, "the memory in slot %u fades at %g per hour, below the lowest of rate class %u: %g", slot,
                        (double)rate, class, (double)cmi_bits_float(lowest));
    return CM_OK;
}

/* ---- memories ------------------------------------------------------------------------------------------------------------------- */

static cm_status_t check_node(const checker_t *c, uint32_t slot, uint32_t entry) {
    const cm_store_t *store = c->store;
    if (slot >= cmi_hnsw_n_slots(&store->graph))
        return cmi_fail(c->error, CM_E_INVARIANT, "id entry %u names slot %u, which does not exist", entry, slot);
    uint64_t meta = cmi_hnsw_meta(&store->graph, slot);
    uint32_t state = (uint32_t)cmi_meta_state(meta);
    if (state != CMI_LIVE) return cmi_fail(c->error, CM_E_INVARIANT, "id entry %u names slot %u, which is in state %u", entry, slot, state);
    if (!(cmi_meta_flags(meta) & CMI_FLAG_LINKED))
        return cmi_fail(c->error, CM_E_INVARIANT, "id entry %u names slot %u, which is not linked", entry, slot);
    uint32_t back = cmi_record_entry(cmi_record_at(store, slot));
    if (back != entry)
        return cmi_fail(c->error, CM_E_INVARIANT, "id entry %u names slot %u, whose record names entry %u", entry, slot, back);
    if (!cmi_store_current(store, slot))
        return cmi_fail(c->error, CM_E_INVARIANT, "id entry %u names another generation of slot %u", entry, slot);
    return CM_OK;
}

static cm_status_t check_context(checker_t *c, uint32_t slot) {
    uint32_t context = cmi_record_context(cmi_record_at(c->store, slot));
    if (context == CMI_NO_ENTRY_INDEX || context >= c->n_contexts || cmi_context_count(c->store, context) == 0)
        return cmi_fail(c->error, CM_E_INVARIANT, "the memory in slot %u has context entry %u, which counts no memory", slot, context);
    c->per_context[context]++;
    return CM_OK;
}

/* Words that name a block are sealed when their memory is taken out. */
static cm_status_t check_blocks(const checker_t *c, uint32_t slot) {
    const cmi_record_t *record = cmi_record_at(c->store, slot);
    const char *sealed = NULL;
    /* relaxed, both: we look at the bit */
    if (plat_load_relaxed((plat_a32_t *)&record->relationships) & CMI_SEALED) sealed = "relationships";
    if (plat_load_relaxed((plat_a32_t *)&record->payload) & CMI_SEALED) sealed = "payload";
    return sealed ? cmi_fail(c->error, CM_E_INVARIANT, "the memory in slot %u: \"%s\" is sealed", slot, sealed) : CM_OK;
}

static cm_status_t check_attributes(const checker_t *c, uint32_t slot) {
    cmi_memory_view_t view;
    cm_error_t why = {CM_OK, ""};
    uint32_t bad;
    cmi_store_view(c->store, slot, &view);
    cmi_relationships_t list = {view.n_relationships, view.relationships_bytes, view.relationships};
    cm_status_t status = cmi_check_id(view.id, "id", &why);
    if (status == CM_OK && !cmi_row_is_finite(&c->store->graph.full, view.row, &bad))
        status = cmi_fail(&why, CM_E_NOT_FINITE, "vector[%u] is not finite", bad);
    if (status == CM_OK) status = cmi_check_context(view.context, &why);
    if (status == CM_OK) status = cmi_check_numbers(view.importance, view.decay_rate, &why);
    if (status == CM_OK) status = cmi_check_payload(view.text, view.metadata, &why);
    if (status == CM_OK) status = cmi_relationships_check(list, c->store->config.max_relationships, &why);
    return status == CM_OK ? CM_OK : cmi_fail(c->error, CM_E_INVARIANT, "the memory in slot %u: %s", slot, why.message);
}

static cm_status_t check_memory(checker_t *c, uint32_t entry) {
    uint64_t value = cmi_idmap_value(&c->store->ids, entry);
    if (!cmi_value_is_slot(value)) return CM_OK;
    uint32_t slot = cmi_value_slot(value);
    c->n_memories++;
    cm_status_t status = check_node(c, slot, entry);
    if (status == CM_OK) status = check_context(c, slot);
    if (status == CM_OK) status = check_postings(c, slot);
    if (status == CM_OK) status = check_blocks(c, slot);
    if (status == CM_OK) status = check_attributes(c, slot);
    return status;
}

/* A count may be too high by what dead threads left behind, never too low. */
static bool tallies(const checker_t *c, uint64_t counted, uint64_t found) {
    return counted >= found && counted - found <= c->slack;
}

static cm_status_t check_counts(const checker_t *c, const cm_check_report_t *report) {
    uint64_t counted = cm_len(c->store);
    if (!tallies(c, counted, c->n_memories))
        return cmi_fail(c->error, CM_E_INVARIANT, "%U memories are counted, %U exist", counted, c->n_memories);
    if (!tallies(c, report->n_live, c->n_memories))
        return cmi_fail(c->error, CM_E_INVARIANT, "%U nodes are live, but %U memories exist", report->n_live, c->n_memories);
    if (!tallies(c, c->n_in_contexts, c->n_memories) || !tallies(c, c->n_in_times, c->n_memories))
        return cmi_fail(c->error, CM_E_INVARIANT, "the context list has %U nodes, the time lists have %U, but %U memories exist",
                        c->n_in_contexts, c->n_in_times, c->n_memories);
    for (uint32_t context = 1; context < c->n_contexts; context++) {
        uint64_t count = cmi_context_count(c->store, context);
        if (!tallies(c, count, c->per_context[context]))
            return cmi_fail(c->error, CM_E_INVARIANT, "context entry %u counts %U memories, %u have it", context, count,
                            c->per_context[context]);
    }
    return CM_OK;
}

static cm_status_t run(checker_t *c, cm_check_report_t *report) {
    const cm_store_t *store = c->store;
    cm_status_t status = cmi_hnsw_check(&store->graph, c->slack, report, c->error);
    if (status == CM_OK) status = cmi_idmap_check(&store->ids, "id", (uint32_t)c->slack, c->error);
    if (status == CM_OK) status = cmi_idmap_check(&store->contexts, "context", (uint32_t)c->slack, c->error);
    if (status == CM_OK) status = walk_postings(c);
    uint32_t end = cmi_idmap_end(&store->ids);
    for (uint32_t entry = 1; entry < end && status == CM_OK; entry++) status = check_memory(c, entry);
    return status == CM_OK ? check_counts(c, report) : status;
}

cm_status_t cmi_store_check(cm_thread_t *thread, cm_check_report_t *report, cm_error_t *error) {
    cm_store_t *store = thread->store;
    checker_t c = {.store = store, .error = error, .n_contexts = cmi_idmap_end(&store->contexts)};
    c.slack = plat_load_relaxed(&store->n_abandoned); /* relaxed: a count */
    c.n_nodes = cmi_items_end(&store->postings.nodes.items);
    size_t context_bytes = c.n_contexts * sizeof *c.per_context, bytes = context_bytes + c.n_nodes;
    c.per_context = plat_pages_alloc(bytes);
    if (!c.per_context) return cmi_no_memory(error, "check()");
    c.list = (uint8_t *)c.per_context + context_bytes;
    cmi_thread_pin(thread);
    cm_status_t status = run(&c, report);
    cmi_thread_unpin(thread);
    plat_pages_free(c.per_context, bytes);
    return status;
}
