/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * summary.c - a context in numbers: one walk over its postings. Sums are in double and in the order of slots, so that they are the same bits on every target.
 *
 * READERS  wait-free: each node of the postings once.
 */
#include "plat_pages.h"
#include "store/attributes.h"
#include "store/operations.h"
#include "store/store_impl.h"

typedef struct summer {
    const cm_store_t *store;
    uint64_t n;
    double importance;
    double *sums; /* per dimension; NULL: not wanted */
} summer_t;

static void add(summer_t *summer, uint32_t slot) {
    const cmi_rows_t *rows = &summer->store->graph.full;
    const void *row = cmi_row_at(rows, slot);
    uint32_t importance = plat_load_relaxed(&cmi_record_at(summer->store, slot)->importance); /* relaxed: an independent number */
    summer->n++;
    summer->importance += (double)cmi_bits_float(importance);
    for (uint32_t i = 0; summer->sums && i < summer->store->config.dimensions; i++)
        summer->sums[i] += (double)cmi_row_element(rows, row, i);
}

/* A memory that was moved to another context meanwhile may still have its node here; one that was moved here, two. */
static void add_all(summer_t *summer, uint32_t context) {
    const cmi_postings_t *postings = &summer->store->postings;
    uint32_t last = CMI_NONE;
    for (uint32_t node = cmi_postings_first_of(postings, context); node != CMI_NO_SKIP_NODE;
         node = cmi_postings_next_of(postings, context, node)) {
        uint32_t slot = cmi_posting_slot(postings, node);
        bool member = slot != last && cmi_store_current(summer->store, slot) &&
                      cmi_record_context(cmi_record_at(summer->store, slot)) == context;
        last = slot;
        if (member) add(summer, slot);
    }
}

static void finish(const summer_t *summer, cm_context_summary_t *out, float *mean) {
    double n = summer->n ? (double)summer->n : 1;
    *out = (cm_context_summary_t){summer->n, summer->importance / n};
    for (uint32_t i = 0; mean && i < summer->store->config.dimensions; i++) mean[i] = (float)(summer->sums[i] / n);
}

static cm_status_t check(cm_thread_t *thread, cm_str_t context, const float *mean, uint32_t dimensions) {
    uint32_t expected = thread->store->config.dimensions;
    if (mean && dimensions != expected)
        return cmi_fail(&thread->error, CM_E_DIMENSION, "mean has room for %u dimensions: this store's vectors have %u", dimensions,
                        expected);
    return cmi_check_context(context, &thread->error);
}

cm_status_t cmi_store_context_summary(cm_thread_t *thread, cm_str_t context, cm_context_summary_t *out, float *mean, uint32_t dimensions) {
    summer_t summer = {.store = thread->store};
    size_t bytes = (size_t)thread->store->config.dimensions * sizeof *summer.sums;
    *out = (cm_context_summary_t){0, 0};
    cm_status_t status = check(thread, context, mean, dimensions);
    if (status != CM_OK) return status;
    if (mean && !(summer.sums = plat_pages_alloc(bytes))) return cmi_no_memory(&thread->error, "a context summary");
    cmi_thread_pin(thread);
    uint32_t entry = cmi_idmap_find(&thread->store->contexts, context);
    if (entry != CMI_NO_ENTRY_INDEX) add_all(&summer, entry);
    cmi_thread_unpin(thread);
    finish(&summer, out, mean);
    if (mean) plat_pages_free(summer.sums, bytes);
    return CM_OK;
}
