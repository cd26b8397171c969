/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * meanwhile.c - what others do in the middle of a search, at a moment of the test's choosing: the predicate does it, through another thread of the store.
 */
#include "support/snapshot.h"
#include "support/strings.h"
#include "support/vectors.h"

#define HOUR_MS INT64_C(3600000)

enum { DIM = 2, K = 120 };

typedef struct meddler {
    fixture_t *f;
    cm_thread_t *other;
    uint32_t n_calls, at_call, n_done;
    void (*act)(struct meddler *, const cm_candidate_t *);
    char last[32]; /* the id that was let pass before this one */
} meddler_t;

static bool meddle(void *context, const cm_candidate_t *candidate) {
    meddler_t *m = context;
    if (++m->n_calls >= m->at_call) m->act(m, candidate);
    snprintf(m->last, sizeof m->last, "%.*s", (int)candidate->id.len, candidate->id.data);
    return true;
}

static cm_status_t put(cm_thread_t *thread, const char *word, uint32_t number, float rate, int64_t age_ms) {
    char id[32];
    float vector[DIM] = {1, (float)number / 100};
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = (cm_str_t){id, (size_t)snprintf(id, sizeof id, "%s-%u", word, number)};
    memory.vector = vector, memory.dimensions = DIM;
    memory.decay_rate = rate, memory.created_ms = NOW_MS - age_ms;
    return cm_insert(thread, &memory);
}

static fixture_t open_with(meddler_t *m, uint32_t at_call, void (*act)(meddler_t *, const cm_candidate_t *)) {
    cm_config_t config = small_config(DIM);
    config.max_memories = 6000;
    fixture_t f = fixture_open(&config);
    *m = (meddler_t){.at_call = at_call, .act = act};
    CHECK_STATUS(cm_attach(f.store, &m->other), CM_OK);
    return f;
}

static void close_checked(fixture_t *f, meddler_t *m) {
    CHECK_MSG(cm_check(f->thread, NULL) == CM_OK, "%s", cm_message(f->thread));
    cm_detach(m->other);
    fixture_close(f);
}

static uint32_t place_of(fixture_t *f, const char *id, const cm_hit_t *hits, size_t n) {
    for (uint32_t i = 0; i < n; i++) {
        cm_memory_t memory;
        if (cm_get_hit(f->thread, hits[i].slot, hits[i].generation, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL) != CM_OK) continue;
        if (same_str(memory.id, str(id))) return i;
    }
    return UINT32_MAX;
}

/* ---- the recency index ------------------------------------------------------------------------------------------------------------------------------ */

static void slow_down(meddler_t *m, const cm_candidate_t *candidate) {
    (void)candidate;
    if (m->n_done++ > 0) return;
    cm_update_t update = CM_UPDATE_INIT;
    update.fields = CM_UPDATE_DECAY_RATE, update.decay_rate = 0.001f;
    CHECK_STATUS(cm_update(m->other, CM_STR("mover-0"), &update), CM_OK);
}

static fixture_t open_two_classes(meddler_t *m, void (*act)(meddler_t *, const cm_candidate_t *)) {
    fixture_t f = open_with(m, 64 + 20, act); /* behind the sample, in the first block */
    for (uint32_t i = 0; i < 100; i++) CHECK_STATUS(put(f.thread, "slow", i, 0.001f, 10 * HOUR_MS + i * HOUR_MS / 10), CM_OK);
    for (uint32_t i = 0; i < 4000; i++) CHECK_STATUS(put(f.thread, "crowd", i, 0.1f, 500 * HOUR_MS + i * 1000), CM_OK);
    CHECK_STATUS(put(f.thread, "first", 0, 0.1f, HOUR_MS / 2), CM_OK); /* of its class: on it the stream stands from the beginning */
    CHECK_STATUS(put(f.thread, "mover", 0, 0.1f, HOUR_MS), CM_OK);
    return f;
}

/* The stream has passed the place in the class of the slow where the memory comes, and has not come to the one in its own class that it leaves. */
TEST(a_memory_that_moves_past_the_stream_is_found) {
    meddler_t m;
    fixture_t f = open_two_classes(&m, slow_down);
    float query[DIM] = {1, 0};
    cm_hit_t hits[K];
    size_t n;
    cm_search_report_t report;
    cm_search_t options = CM_SEARCH_INIT;
    options.k = K, options.temporal_weight = 1, options.now_ms = NOW_MS, options.filter = meddle, options.filter_context = &m;
    CHECK_STATUS(cm_search(f.thread, query, DIM, &options, hits, &n), CM_OK);
    cm_last_search(f.thread, &report);
    CHECK_EQ_U64(n, K);
    CHECK(m.n_done > 0 && report.strategy == CM_STRATEGY_STREAMS);
    CHECK_EQ_U64(place_of(&f, "mover-0", hits, n), 0); /* with its new rate the freshest of all */
    close_checked(&f, &m);
}

/* More than are remembered: the search begins again, or says that it cannot be sure. */
static void move_many(meddler_t *m, const cm_candidate_t *candidate) {
    if (m->n_done > 0) return;
    slow_down(m, candidate);
    for (uint32_t i = 0; i < 3000; i++) {
        char id[32];
        cm_update_t update = CM_UPDATE_INIT;
        update.fields = CM_UPDATE_DECAY_RATE, update.decay_rate = i % 2 ? 0.1f : 0.11f;
        CHECK_STATUS(cm_update(m->other, (cm_str_t){id, (size_t)snprintf(id, sizeof id, "crowd-%u", i % 1600)}, &update), CM_OK);
    }
}

TEST(more_moves_than_are_remembered_are_no_secret) {
    for (uint32_t budget = 0; budget <= 1000; budget += 1000) {
        meddler_t m;
        fixture_t f = open_two_classes(&m, move_many);
        float query[DIM] = {1, 0};
        cm_hit_t hits[K];
        size_t n;
        cm_search_report_t report;
        cm_search_t options = CM_SEARCH_INIT;
        options.k = K, options.temporal_weight = 1, options.now_ms = NOW_MS, options.filter = meddle, options.filter_context = &m,
        options.budget = budget;
        CHECK_STATUS(cm_search(f.thread, query, DIM, &options, hits, &n), CM_OK);
        cm_last_search(f.thread, &report);
        if (budget == 0) CHECK_EQ_U64(place_of(&f, "mover-0", hits, n), 0);
        else
            CHECK_MSG(place_of(&f, "mover-0", hits, n) == 0 || (double)hits[n - 1].score - report.bound <= 0.0011, "bound %g",
                      report.bound);
        close_checked(&f, &m);
    }
}

/* ---- hits that cease to exist ---------------------------------------------------------------------------------------------------------------------------- */

/* Whatever was let pass before is replaced by itself, three times in all. */
static void replace_last(meddler_t *m, const cm_candidate_t *candidate) {
    uint32_t number = 0;
    if (m->n_done >= 3 || sscanf(m->last, "memory-%u", &number) != 1 || same_str(candidate->id, str(m->last))) return;
    m->n_done++;
    CHECK_STATUS(put(m->other, "memory", number, 0.1f, HOUR_MS), CM_OK);
}

static void remove_last(meddler_t *m, const cm_candidate_t *candidate) {
    if (m->n_done >= 3 || m->last[0] == 0 || same_str(candidate->id, str(m->last))) return;
    m->n_done += cm_remove(m->other, str(m->last)) == CM_OK;
}

/* k pass throughout: k are found, none twice, none that is gone; in a store that is scanned, and in one that is not. */
static void lose_hits(void (*act)(meddler_t *, const cm_candidate_t *), uint32_t n_memories, cm_search_mode_t mode, float weight) {
    meddler_t m;
    fixture_t f = open_with(&m, n_memories > 1000 && mode == CM_SEARCH_BEST ? 66 : 1, act); /* behind the sample */
    for (uint32_t i = 0; i < n_memories; i++) CHECK_STATUS(put(f.thread, "memory", i, 0.1f, HOUR_MS + i), CM_OK);
    float query[DIM] = {1, (float)n_memories / 100};
    cm_hit_t hits[10];
    size_t n;
    cm_search_t options = CM_SEARCH_INIT;
    options.mode = mode, options.temporal_weight = weight, options.now_ms = NOW_MS, options.filter = meddle, options.filter_context = &m;
    CHECK_STATUS(cm_search(f.thread, query, DIM, &options, hits, &n), CM_OK);
    CHECK_MSG(m.n_done == 3, "%u memories, mode %d, weight %g: %u changes", n_memories, (int)mode, (double)weight, m.n_done);
    CHECK_MSG(n == 10, "%u memories, mode %d, weight %g: %zu hits", n_memories, (int)mode, (double)weight, n);
    for (size_t i = 0; i < n; i++) {
        cm_memory_t memory;
        CHECK_STATUS(cm_get_hit(f.thread, hits[i].slot, hits[i].generation, &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
        for (size_t j = 0; j < i; j++) CHECK(hits[j].slot != hits[i].slot);
    }
    close_checked(&f, &m);
}

TEST(hits_lost_to_others_are_made_up_for) {
    for (uint32_t remove = 0; remove < 2; remove++)
        for (cm_search_mode_t mode = CM_SEARCH_BEST; mode <= CM_SEARCH_EXACT; mode++)
            for (uint32_t w = 0; w < 3; w++)
                for (uint32_t n = 60; n <= 1500; n += 1440) lose_hits(remove ? remove_last : replace_last, n, mode, (float)w / 2);
}

int main(void) {
    RUN(a_memory_that_moves_past_the_stream_is_found);
    RUN(more_moves_than_are_remembered_are_no_secret);
    RUN(hits_lost_to_others_are_made_up_for);
    return tap_done();
}
