/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * check.c - everything that can be checked of a store, the first violated invariant by name. Conclusive while nobody writes.
 *
 *   graph      cmi_hnsw_check()
 *   maps       cmi_idmap_check(), of ids and of contexts
 *   memories   what the id map names is a LIVE node, whose record names the entry back and holds attributes within their rules
 *   counts     memories, memories of each context, and LIVE nodes that are no memory: all as counted, but for what threads that died inside an
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
} checker_t;

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

static cm_status_t check_attributes(const checker_t *c, uint32_t slot) {
    cmi_memory_view_t view;
    cm_error_t why = {CM_OK, ""};
    cmi_store_view(c->store, slot, &view);
    cmi_relationships_t list = {view.n_relationships, view.relationships_bytes, view.relationships};
    cm_status_t status = cmi_check_id(view.id, "id", &why);
    if (status == CM_OK) status = cmi_check_vector(view.vector, c->store->config.dimensions, c->store->config.dimensions, &why);
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
    if (status == CM_OK) status = cmi_idmap_check(&store->ids, "id", c->error);
    if (status == CM_OK) status = cmi_idmap_check(&store->contexts, "context", c->error);
    uint32_t end = cmi_idmap_end(&store->ids);
    for (uint32_t entry = 1; entry < end && status == CM_OK; entry++) status = check_memory(c, entry);
    return status == CM_OK ? check_counts(c, report) : status;
}

cm_status_t cmi_store_check(cm_thread_t *thread, cm_check_report_t *report, cm_error_t *error) {
    cm_store_t *store = thread->store;
    checker_t c = {.store = store, .error = error, .n_contexts = cmi_idmap_end(&store->contexts)};
    c.slack = plat_load_relaxed(&store->n_abandoned); /* relaxed: a count */
    size_t bytes = c.n_contexts * sizeof *c.per_context;
    c.per_context = plat_pages_alloc(bytes);
    if (!c.per_context) return cmi_no_memory(error, "check()");
    cmi_thread_pin(thread);
    cm_status_t status = run(&c, report);
    cmi_thread_unpin(thread);
    plat_pages_free(c.per_context, bytes);
    return status;
}
