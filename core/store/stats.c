/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* stats.c - the store in numbers: one scan over the memories, one over the contexts, and what the parts say of their memory. Wait-free. */
#include "store/contexts.h"
#include "store/operations.h"

typedef struct sums {
    const cm_store_t *store;
    uint64_t n_memories;
    double importance;
} sums_t;

static void add(void *context, uint32_t slot) {
    sums_t *sums = context;
    sums->n_memories++;
    /* relaxed: an independent number */
    sums->importance += (double)cmi_bits_float(plat_load_relaxed(&cmi_record_at(sums->store, slot)->importance));
}

static uint64_t count_contexts(const cm_store_t *store) {
    uint64_t n = 0;
    uint32_t end = cmi_idmap_end(&store->contexts);
    for (uint32_t entry = 1; entry < end; entry++) n += cmi_context_count(store, entry) > 0;
    return n;
}

static void measure(const cm_store_t *store, cm_stats_t *out) {
    uint64_t records = cmi_arena_bytes(&store->records, (uint32_t)out->n_slots_used);
    out->bytes_vectors = cmi_hnsw_vector_bytes(&store->graph);
    out->bytes_index = cmi_hnsw_index_bytes(&store->graph);
    out->bytes_records = records + cmi_idmap_bytes(&store->ids) + cmi_idmap_bytes(&store->contexts) +
                         cmi_items_bytes(&store->postings.nodes.items);
    out->bytes_blocks = cmi_blocks_bytes_used(store->blocks);
    out->bytes_spilled = cmi_hnsw_spilled_bytes(&store->graph);
    out->bytes_reserved = out->bytes_vectors - out->bytes_spilled + out->bytes_index + out->bytes_records +
                          cmi_blocks_bytes_reserved(store->blocks) + sizeof *store +
                          plat_load_relaxed((plat_a64_t *)&store->thread_bytes); /* relaxed, here and below: statistics */
    out->n_retired = plat_load_relaxed((plat_a64_t *)&store->reclaimer.n_waiting);
}

void cmi_store_stats(cm_thread_t *thread, cm_stats_t *out) {
    cm_store_t *store = thread->store;
    sums_t sums = {store, 0, 0};
    cmi_thread_pin(thread);
    cmi_store_each(store, add, &sums);
    *out = (cm_stats_t){
        .n_memories = sums.n_memories,
        .n_components = sums.n_memories * store->config.dimensions,
        .max_memories = store->config.max_memories,
        .n_contexts = count_contexts(store),
        .average_importance = sums.n_memories ? sums.importance / (double)sums.n_memories : 0,
        .n_slots_used = cmi_hnsw_n_slots(&store->graph),
        .n_slots = store->n_slots,
    };
    measure(store, out);
    cmi_thread_unpin(thread);
}
