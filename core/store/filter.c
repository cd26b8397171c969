/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* filter.c - see filter.h. */
#include "store/filter.h"

#include "store/contexts.h"

#define SAMPLES 64u

bool cmi_filter_attributes(const cmi_filter_t *filter, uint32_t slot) {
    const cmi_record_t *record = cmi_record_at(filter->store, slot);
    if (filter->context != CMI_NO_ENTRY_INDEX && cmi_record_context(record) != filter->context) return false;
    if (!filter->by_attributes) return true;
    float importance = cmi_bits_float(plat_load_relaxed((plat_a32_t *)&record->importance)); /* relaxed: an independent number */
    return importance >= filter->min_importance && importance <= filter->max_importance && record->created_ms >= filter->after_ms &&
           (record->created_ms < filter->before_ms || filter->before_ms == INT64_MAX);
}

static bool ask(const cmi_filter_t *filter, uint32_t slot) {
    cmi_memory_view_t view;
    if (!cmi_store_current(filter->store, slot)) return false; /* its blocks may be anybody's */
    cmi_store_view(filter->store, slot, &view);
    cm_candidate_t candidate = {.slot = slot,
                                .generation = cmi_meta_generation(cmi_hnsw_meta(&filter->store->graph, slot)),
                                .id = view.id,
                                .context = view.context,
                                .text = view.text,
                                .metadata = view.metadata,
                                .importance = view.importance,
                                .access_count = view.access_count,
                                .created_ms = view.created_ms,
                                .accessed_ms = view.accessed_ms};
    filter->thread->in_callback = true;
    bool passes = filter->predicate(filter->predicate_context, &candidate);
    filter->thread->in_callback = false;
    return passes;
}

bool cmi_filter_passes(const cmi_filter_t *filter, uint32_t slot) {
    return cmi_filter_attributes(filter, slot) && (!filter->predicate || ask(filter, slot));
}

/* Slots drawn without regard to when they were inserted; the same ones for the same store, so that a search repeated gives the same answer. */
static uint64_t sample(const cmi_filter_t *filter) {
    uint32_t n_slots = cmi_hnsw_n_slots(&filter->store->graph), n_memories = 0, n_passed = 0;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint32_t slot = (uint32_t)(cmi_mix(i + 1) % n_slots);
        if (cmi_meta_state(cmi_hnsw_meta(&filter->store->graph, slot)) != CMI_LIVE) continue;
        n_memories++;
        n_passed += cmi_filter_passes(filter, slot);
    }
    return n_memories == 0 ? 0 : cm_len(filter->store) * n_passed / n_memories;
}

uint64_t cmi_filter_estimate(const cmi_filter_t *filter) {
    if (cmi_filter_is_open(filter)) return cm_len(filter->store);
    if (!filter->by_attributes && !filter->predicate) return cmi_context_count(filter->store, filter->context);
    if (cmi_hnsw_n_slots(&filter->store->graph) == 0) return 0;
    return sample(filter);
}
