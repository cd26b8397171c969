/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* duplicates.c - see duplicates.h. */
#include "store/duplicates.h"

#include "index/range.h"
#include "plat_pages.h"

/* With 1 nothing was missed of 2,600 planted and 4,000 looser duplicates among word vectors; one more costs a list each. Near others, 2 missed one of 8 million pairs that were replaced all
 * the time, behind a tombstone, and 3 of 4,500 loose ones; 8 cost a quarter more time. */
#define PATIENCE 2u
#define PATIENCE_NEAR 8u
#define CHUNK 64u

/* Where a walk meets more than an eighth of the members, comparing with all of them costs no more. */
#define CROWD_SHARE 8u
#define CROWD_AT_LEAST 1024u

static size_t found_bytes(const cmi_duplicates_t *d) {
    return (size_t)d->members->n_slots * sizeof *d->found + 1;
}

bool cmi_duplicates_open(cmi_duplicates_t *d, cm_thread_t *thread, const cmi_members_t *members, float threshold) {
    *d = (cmi_duplicates_t){.thread = thread, .members = members, .radius = 1.0 - (double)threshold};
    d->found = plat_pages_alloc(found_bytes(d));
    return d->found != NULL;
}

void cmi_duplicates_close(cmi_duplicates_t *d) {
    if (d->found) plat_pages_free(d->found, found_bytes(d));
}

/* Vectors so long that their dot product may overflow, or so short that the product of their inverse norms does, look alike in single precision. A hit that is not quite as close does no harm; a
 * memory that is gone does. */
static bool confirm(const cmi_duplicates_t *d, const cmi_member_t *a, const cmi_member_t *b) {
    float inverse = a->inverse_norm * b->inverse_norm;
    if (inverse > 1e-37f && inverse < 1e30f) return true;
    const cmi_rows_t *rows = &d->thread->store->graph.full;
    const void *row_a = cmi_row_at(rows, a->slot), *row_b = cmi_row_at(rows, b->slot);
    double xy = 0, xx = 0, yy = 0;
    for (uint32_t i = 0; i < rows->n; i++) {
        double x = (double)cmi_row_element(rows, row_a, i), y = (double)cmi_row_element(rows, row_b, i);
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    return 1.0 - xy / (__builtin_sqrt(xx) * __builtin_sqrt(yy)) < d->radius;
}

/* ---- by the graph ------------------------------------------------------------------------------------------------------------------ */

/* The member itself, or who absorbed it; CMI_NONE where that is nobody, or i. */
static uint32_t standing_for(const cmi_members_t *members, uint32_t j, uint32_t i) {
    while (j != CMI_NONE && members->at[j].absorbed) j = members->at[j].absorber;
    return j == i ? CMI_NONE : j;
}

static bool similar(const cmi_duplicates_t *d, uint32_t i, uint32_t j) {
    const cmi_hnsw_t *graph = &d->thread->store->graph;
    cmi_query_t query = cmi_query_of_slot(graph, d->thread->scratch, CMI_FORM_QUERY, d->members->at[i].slot);
    d->thread->scratch->n_distances++;
    return (double)cmi_distance(graph, &query, d->members->at[j].slot) < d->radius && confirm(d, &d->members->at[i], &d->members->at[j]);
}

/* CMI_NONE: too many. */
static uint32_t walk(const cmi_duplicates_t *d, uint32_t i) {
    const cmi_members_t *members = d->members;
    cmi_range_t range = {.graph = &d->thread->store->graph,
                         .scratch = d->thread->scratch,
                         .radius = d->radius,
                         .patience = PATIENCE,
                         .patience_near = PATIENCE_NEAR,
                         .n_slots = members->n_slots,
                         .found = d->found,
                         .capacity = CMI_MIN(members->n_slots, members->n / CROWD_SHARE + CROWD_AT_LEAST)};
    uint32_t n_within = cmi_range_walk(&range, members->at[i].slot), n = 0, last = CMI_NONE;
    if (n_within == CMI_NONE) return CMI_NONE;
    for (uint32_t at = 0; at < n_within; at++) {
        uint32_t met = members->place[d->found[at]], j = met == CMI_NONE ? CMI_NONE : standing_for(members, met, i);
        if (j == CMI_NONE || j == last) continue; /* neighbours mostly have the same absorber */
        last = j;
        if (j == met ? confirm(d, &members->at[i], &members->at[j]) : similar(d, i, j)) d->found[n++] = j; /* behind `at`, which was read */
    }
    return n;
}

/* ---- by comparing with all ------------------------------------------------------------------------------------------------------------ */

typedef struct chunk {
    uint32_t member[CHUNK];
    const void *row[CHUNK];
    float dot[CHUNK];
    uint32_t n;
} chunk_t;

/* The next members that matter, from `from` on; returns where it stopped. */
static uint32_t gather(const cmi_duplicates_t *d, uint32_t i, uint32_t from, chunk_t *chunk) {
    const cmi_members_t *members = d->members;
    const cmi_rows_t *rows = &d->thread->store->graph.full;
    chunk->n = 0;
    for (; from < members->n && chunk->n < CHUNK; from++) {
        const cmi_member_t *member = &members->at[from];
        if (from == i || member->absorbed || member->inverse_norm == 0) continue;
        cmi_prefetch_row(rows, member->slot, cmi_way_of(d->thread->scratch));
        chunk->member[chunk->n] = from;
        chunk->row[chunk->n++] = cmi_row_at(rows, member->slot);
    }
    return from;
}

static void multiply(const cmi_duplicates_t *d, uint32_t i, chunk_t *chunk) {
    const cmi_hnsw_t *graph = &d->thread->store->graph;
    cmi_query_t query = cmi_query_of_slot(graph, d->thread->scratch, CMI_FORM_QUERY, d->members->at[i].slot);
    const cmi_rows_t *rows = query.rows;
    uint32_t at = 0;
    for (; at + 4 <= chunk->n; at += 4) rows->dot.four(query.form, &chunk->row[at], rows->n, &chunk->dot[at]);
    for (; at < chunk->n; at++) chunk->dot[at] = rows->dot.one(query.form, chunk->row[at], rows->n);
    d->thread->scratch->n_distances += chunk->n;
}

/* As cmi_metric_finish() has it for the cosine metric: a NaN is not similar. */
static bool is_within(const cmi_duplicates_t *d, const cmi_member_t *a, const cmi_member_t *b, float dot) {
    float distance = 1.0f - dot * (a->inverse_norm * b->inverse_norm);
    return (double)distance < d->radius && confirm(d, a, b);
}

/* Members before i matter where a walk of theirs may have missed it. */
static uint32_t scan(const cmi_duplicates_t *d, uint32_t i, uint32_t from) {
    const cmi_member_t *at = d->members->at;
    chunk_t chunk;
    uint32_t n = 0;
    while (from < d->members->n) {
        from = gather(d, i, from, &chunk);
        multiply(d, i, &chunk);
        for (uint32_t c = 0; c < chunk.n; c++)
            if (is_within(d, &at[i], &at[chunk.member[c]], chunk.dot[c])) d->found[n++] = chunk.member[c];
    }
    return n;
}

uint32_t cmi_duplicates_of(const cmi_duplicates_t *d, uint32_t i) {
    if (d->members->at[i].inverse_norm == 0) return 0;
    if (d->thread->store->config.metric != CM_METRIC_COSINE) return scan(d, i, i + 1);
    uint32_t n = walk(d, i);
    return n == CMI_NONE ? scan(d, i, 0) : n;
}
