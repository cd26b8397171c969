/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* scratch.c - see scratch.h. */
#include "index/scratch.h"

#include "memory/carve.h"
#include "plat_pages.h"

#define HIDDEN_PER_POOL 4u /* a hidden heap four times the pool: enough to walk through a neighbourhood that is 80 % tombstones */
#define HIDDEN_AT_LEAST 1024u
#define LATER_PER_POOL 4u

static void lay_out(cmi_scratch_t *scratch, cmi_carver_t *carver, const cmi_hnsw_t *graph) {
    uint32_t cap0 = graph->cap0;
    scratch->pool.at = cmi_carve(carver, (uint64_t)scratch->pool.capacity * sizeof(cmi_found_t));
    scratch->hidden.at = cmi_carve(carver, (uint64_t)scratch->hidden.capacity * sizeof(cmi_found_t));
    scratch->later.at = cmi_carve(carver, (uint64_t)scratch->later.capacity * sizeof(cmi_found_t));
    scratch->fresh = cmi_carve(carver, cap0 * sizeof(uint32_t));
    scratch->fresh_distance = cmi_carve(carver, cap0 * sizeof(float));
    scratch->wanted = cmi_carve(carver, cap0 * sizeof(uint32_t));
    scratch->members = cmi_carve(carver, cap0 * sizeof(uint32_t));
    scratch->member_to_owner = cmi_carve(carver, cap0 * sizeof(float));
    scratch->member_to_new = cmi_carve(carver, cap0 * sizeof(float));
    for (uint32_t level = 0; level <= CMI_MAX_LEVEL; level++)
        scratch->chosen[level].at = cmi_carve(carver, graph->params.m * sizeof(cmi_found_t));
    for (uint32_t form = 0; form < CMI_N_FORMS; form++)
        scratch->form[form] = cmi_carve(carver, cmi_n_codes(graph->params.dimensions) * sizeof(float));
}

/* Untouched pages of the tags cost nothing where address space can be reserved. */
static uint8_t *open_seen(uint64_t bytes) {
    void *pages = plat_pages_caps()->can_reserve ? plat_pages_reserve((size_t)bytes) : NULL;
    return pages ? pages : plat_pages_alloc((size_t)bytes);
}

cmi_scratch_t *cmi_scratch_open(const cmi_hnsw_t *graph, uint32_t max_ef) {
    uint32_t capacity = graph->params.capacity;
    cmi_scratch_t plan = {.n_seen_slots = capacity, .walked = graph->walked};
    plan.pool.capacity = CMI_MIN(CMI_MAX(max_ef, graph->params.ef_construction), capacity);
    plan.hidden.capacity = CMI_MIN(CMI_MAX(HIDDEN_PER_POOL * plan.pool.capacity, HIDDEN_AT_LEAST), capacity);
    plan.later.capacity = CMI_MIN(LATER_PER_POOL * plan.pool.capacity, capacity);

    cmi_carver_t count = {NULL, 0};
    cmi_carve(&count, sizeof plan);
    lay_out(&plan, &count, graph);
    plan.bytes = count.used;
    plan.seen_bytes = ((uint64_t)capacity + 1) * sizeof(uint8_t);

    uint8_t *base = plat_pages_alloc((size_t)plan.bytes);
    if (!base) return NULL;
    plan.seen = open_seen(plan.seen_bytes);
    if (!plan.seen) {
        plat_pages_free(base, (size_t)plan.bytes);
        return NULL;
    }
    cmi_carver_t carver = {base, 0};
    cmi_scratch_t *scratch = cmi_carve(&carver, sizeof plan);
    lay_out(&plan, &carver, graph);
    *scratch = plan;
    return scratch;
}

void cmi_scratch_close(cmi_scratch_t *scratch) {
    if (!scratch) return;
    plat_pages_free(scratch->seen, (size_t)scratch->seen_bytes);
    plat_pages_free(scratch, (size_t)scratch->bytes);
}

uint64_t cmi_scratch_bytes(const cmi_scratch_t *scratch) {
    return scratch->bytes + scratch->seen_bytes;
}

uint64_t cmi_scratch_distances(const cmi_scratch_t *scratch) {
    return scratch->n_distances;
}

float cmi_scratch_horizon(const cmi_scratch_t *scratch) {
    return scratch->horizon;
}

cmi_found_t *cmi_scratch_results(cmi_scratch_t *scratch) {
    return scratch->pool.at;
}

uint32_t cmi_scratch_max_ef(const cmi_scratch_t *scratch) {
    return scratch->pool.capacity;
}

void cmi_hidden_push(cmi_hidden_t *hidden, float distance, uint32_t slot) {
    if (hidden->n == hidden->capacity) return;
    uint32_t i = hidden->n++;
    while (i > 0 && hidden->at[(i - 1) / 2].distance > distance) {
        hidden->at[i] = hidden->at[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    hidden->at[i] = (cmi_found_t){distance, slot};
}

cmi_found_t cmi_hidden_pop(cmi_hidden_t *hidden) {
    cmi_found_t top = hidden->at[0], last = hidden->at[--hidden->n];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= hidden->n) break;
        if (child + 1 < hidden->n && hidden->at[child + 1].distance < hidden->at[child].distance) child++;
        if (hidden->at[child].distance >= last.distance) break;
        hidden->at[i] = hidden->at[child];
        i = child;
    }
    hidden->at[i] = last;
    return top;
}
