/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * insert_batch.c - bulk loads beside everything else: two batches at a time, single inserts of the same and of other ids, removals, searches. It ends in check(), and without a leak.
 */
#include "support/crowd.h"

enum { DIM = 8, PER_BATCH = 3000 / CROWD_ONE_IN, BATCHES = 3, IDS = 2 * PER_BATCH };

static cm_memory_t numbered(worker_t *w, uint32_t number, char *id, float *vector) {
    cm_memory_t memory = CM_MEMORY_INIT;
    for (uint32_t i = 0; i < DIM; i++) vector[i] = rng_float(&w->rng) - 0.5f;
    memory.id = (cm_str_t){id, (size_t)snprintf(id, 16, "id-%u", number)};
    memory.vector = vector, memory.dimensions = DIM;
    return memory;
}

static void load(worker_t *w) {
    cm_memory_t *memories = malloc(PER_BATCH * sizeof *memories);
    float *vectors = malloc(PER_BATCH * DIM * sizeof *vectors);
    char(*ids)[16] = malloc(PER_BATCH * sizeof *ids);
    cm_batch_t options = CM_BATCH_INIT;
    options.threads = 3;
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        size_t n_done = 0;
        for (uint32_t i = 0; i < PER_BATCH; i++) memories[i] = numbered(w, (i * 7 + batch + w->name) % IDS, ids[i], vectors + i * DIM);
        cm_status_t status = cm_insert_batch(w->thread, memories, PER_BATCH, &options, &n_done);
        EXPECT(w, status == CM_OK && n_done == PER_BATCH, "batch: %s", cm_message(w->thread));
    }
    free(memories), free(vectors), free(ids);
}

static void edit(worker_t *w) {
    float vector[DIM];
    char id[16];
    for (uint32_t i = 0; i < PER_BATCH; i++) {
        cm_memory_t memory = numbered(w, rng_below(&w->rng, IDS), id, vector);
        if (i % 3 == 0) {
            cm_status_t status = cm_remove(w->thread, memory.id);
            EXPECT(w, status == CM_OK || status == CM_E_NOT_FOUND, "remove: %s", cm_message(w->thread));
        } else EXPECT(w, cm_insert(w->thread, &memory) == CM_OK, "insert: %s", cm_message(w->thread));
    }
}

static void search(worker_t *w) {
    float vector[DIM];
    char id[16];
    for (uint32_t i = 0; i < PER_BATCH; i++) {
        cm_hit_t hits[10];
        size_t n = 0;
        numbered(w, 0, id, vector);
        EXPECT(w, cm_search(w->thread, vector, DIM, NULL, hits, &n) == CM_OK, "search: %s", cm_message(w->thread));
        for (size_t k = 1; k < n; k++) EXPECT(w, hits[k].slot != hits[k - 1].slot, "a slot twice");
    }
}

static void (*body_of(uint32_t worker))(worker_t *) {
    return worker < 2 ? load : worker % 2 ? edit : search;
}

static void run_crowd(cm_vectors_t vectors) {
    cm_config_t config = small_config(DIM);
    config.max_memories = 40000, config.max_threads = 16, config.vectors = vectors;
    fixture_t f = fixture_open(&config);
    crowd_t crowd = {.store = f.store};
    uint64_t n_refused;
    crowd_run(&crowd, 3, 6, body_of, &n_refused);
    crowd_close_without_leak(&f);
}

TEST(batches_beside_readers_and_writers) {
    run_crowd(CM_VECTORS_F32);
    run_crowd(CM_VECTORS_BF16);
    run_crowd(CM_VECTORS_I8);
}

/* ---- what batch and single inserts know of each other ------------------------------------------------------------------------------------- */

enum { KNOWN = 4 * PER_BATCH };

static float known[KNOWN][DIM]; /* written before the crowd starts */
static char known_ids[KNOWN][16];

static cm_memory_t known_memory(uint32_t i) {
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = (cm_str_t){known_ids[i], (size_t)snprintf(known_ids[i], sizeof known_ids[i], "id-%u", i)};
    memory.vector = known[i], memory.dimensions = DIM;
    return memory;
}

/* Even ones by batch, odd ones singly. */
static void load_even(worker_t *w) {
    cm_memory_t *memories = malloc(KNOWN / 2 * sizeof *memories);
    for (uint32_t i = 0; i < KNOWN / 2; i++) memories[i] = known_memory(2 * i);
    EXPECT(w, cm_insert_batch(w->thread, memories, KNOWN / 2, NULL, NULL) == CM_OK, "batch: %s", cm_message(w->thread));
    free(memories);
}

static void insert_odd(worker_t *w) {
    for (uint32_t i = 1; i < KNOWN; i += 2) {
        cm_memory_t memory = known_memory(i);
        EXPECT(w, cm_insert(w->thread, &memory) == CM_OK, "insert: %s", cm_message(w->thread));
    }
}

static void (*load_or_insert(uint32_t worker))(worker_t *) {
    return worker == 0 ? load_even : insert_odd;
}

/* Those that do not find themselves. */
static uint32_t n_lost(fixture_t *f, uint32_t first) {
    uint32_t n = 0;
    for (uint32_t i = first; i < KNOWN; i += 2) {
        cm_hit_t hit;
        size_t n_hits = 0;
        cm_search_t search = CM_SEARCH_INIT;
        search.k = 1, search.ef = 32, search.temporal_weight = 0, search.mode = CM_SEARCH_RERANK;
        CHECK_STATUS(cm_search(f->thread, known[i], DIM, &search, &hit, &n_hits), CM_OK);
        n += n_hits != 1 || hit.distance > 1e-6f;
    }
    return n;
}

TEST(a_batch_and_single_inserts_find_each_other) {
    cm_config_t config = small_config(DIM);
    config.max_memories = KNOWN, config.m = 8, config.ef_construction = 40, config.max_threads = 16;
    fixture_t f = fixture_open(&config);
    rng_t rng = rng_seed(77);
    for (uint32_t i = 0; i < KNOWN * DIM; i++) known[i / DIM][i % DIM] = rng_float(&rng);
    crowd_t crowd = {.store = f.store};
    uint64_t n_refused;
    crowd_run(&crowd, 3, 2, load_or_insert, &n_refused);
    uint32_t n_even = n_lost(&f, 0), n_odd = n_lost(&f, 1);
    printf("# of %u by batch %u do not find themselves, of as many inserted singly %u\n", KNOWN / 2, n_even, n_odd);
    CHECK_MSG(n_even <= KNOWN / 200 && n_odd <= KNOWN / 200, "%u and %u of %u", n_even, n_odd, KNOWN / 2);
    crowd_close_without_leak(&f);
}

int main(void) {
    RUN(batches_beside_readers_and_writers);
    RUN(a_batch_and_single_inserts_find_each_other);
    return tap_done();
}
