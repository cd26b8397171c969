/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * recency.c - the stream of memories, least recency first: its bound never falls, no memory below the bound is left, each memory comes once; for one rate and mixed ones, extreme
 * times and rates, after updates and removals.
 */
#include "store/recency.h"
#include "store/record.h"
#include "store/score.h"
#include "support/snapshot.h"
#include "support/vectors.h"

#include <float.h>

enum { DIM = 2, N = 700, HOUR_MS = 3600000 };

typedef struct shape {
    const char *name;
    float (*rate)(rng_t *);
    int64_t (*time)(rng_t *);
} shape_t;

static float one_rate(rng_t *rng) {
    (void)rng;
    return 0; /* the store's */
}
static float mixed_rates(rng_t *rng) {
    return rng_below(rng, 3) == 0 ? 0 : 0.001f * (float)(1 + rng_below(rng, 500));
}
static float rates_of_one_class(rng_t *rng) {
    return 0.125f + 0.0001f * (float)rng_below(rng, 600); /* up to 0.1849: one half octave */
}
static float extreme_rates(rng_t *rng) {
    static const float rates[] = {0, FLT_TRUE_MIN, FLT_MIN, 1e-20f, 1e-6f, 0.1f, 100, 511, 512, 1e20f, FLT_MAX};
    return rates[rng_below(rng, 11)];
}
static int64_t month(rng_t *rng) {
    return NOW_MS - (int64_t)(rng_next(rng) % (720ull * HOUR_MS));
}
static int64_t hours_and_ties(rng_t *rng) {
    return NOW_MS - (int64_t)rng_below(rng, 40) * HOUR_MS;
}
static int64_t half_in_the_future(rng_t *rng) {
    return NOW_MS + (int64_t)rng_below(rng, 2000) * HOUR_MS - 1000ll * HOUR_MS;
}
static int64_t extreme_times(rng_t *rng) {
    static const int64_t times[] = {INT64_MIN + 1, INT64_MIN / 2, -1, 0, 1, NOW_MS - 1, NOW_MS, NOW_MS + 1, INT64_MAX - 1, INT64_MAX};
    return rng_below(rng, 3) ? times[rng_below(rng, 10)] : (int64_t)rng_next(rng);
}

static cm_str_t id_of(char *out, uint32_t number) {
    return numbered_id(out, 16, "m", number);
}

static void insert(fixture_t *f, uint32_t number, float rate, int64_t created_ms) {
    char id[16];
    float vector[DIM] = {(float)number, 1};
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = id_of(id, number), memory.vector = vector, memory.dimensions = DIM;
    memory.decay_rate = rate, memory.created_ms = created_ms == INT64_MIN ? created_ms + 1 : created_ms;
    CHECK_STATUS(cm_insert(f->thread, &memory), CM_OK);
}

static fixture_t open_shape(const shape_t *shape, uint32_t seed) {
    cm_config_t config = small_config(DIM);
    fixture_t f = fixture_open(&config);
    rng_t rng = rng_seed(seed);
    char id[16];
    for (uint32_t i = 0; i < N; i++) insert(&f, i, shape->rate(&rng), shape->time(&rng));
    for (uint32_t i = 0; i < N; i += 7) insert(&f, i, shape->rate(&rng), shape->time(&rng)); /* replaced */
    for (uint32_t i = 3; i < N; i += 5) CHECK_STATUS(cm_remove(f.thread, id_of(id, i)), CM_OK);
    for (uint32_t i = 1; i < N; i += 4) {
        cm_update_t update = CM_UPDATE_INIT;
        update.fields = CM_UPDATE_DECAY_RATE, update.decay_rate = shape->rate(&rng);
        cm_status_t status = cm_update(f.thread, id_of(id, i), &update);
        CHECK(status == CM_OK || status == CM_E_NOT_FOUND);
    }
    CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
    return f;
}

static double recency_of(const fixture_t *f, uint32_t slot, int64_t now_ms) {
    const cmi_record_t *record = cmi_record_at(f->store, slot);
    return cmi_recency(record->created_ms, now_ms, cmi_rate_in_force(f->store, cmi_record_given_rate(record)));
}

static uint32_t memories(const fixture_t *f, bool *left) {
    uint32_t n = 0;
    for (uint32_t slot = 0; slot < cmi_hnsw_n_slots(&f->store->graph); slot++) {
        left[slot] = cmi_meta_state(cmi_hnsw_meta(&f->store->graph, slot)) == CMI_LIVE && cmi_store_current(f->store, slot);
        n += left[slot];
    }
    return n;
}

/* The promise: nothing that was not taken yet is below the bound. */
static void check_bound(const fixture_t *f, const bool *left, int64_t now_ms, double bound, const char *name) {
    uint32_t n_below = 0;
    for (uint32_t slot = 0; slot < cmi_hnsw_n_slots(&f->store->graph); slot++) n_below += left[slot] && recency_of(f, slot, now_ms) < bound;
    CHECK_MSG(n_below == 0, "%s: %u memories below the bound %g were not taken yet", name, n_below, bound);
}

static void drain(const fixture_t *f, int64_t now_ms, uint32_t most, const char *name) {
    static bool left[4 * N];
    uint32_t slots[64], n_memories = memories(f, left), n_taken = 0, n;
    cmi_recency_t stream;
    cmi_thread_pin(f->thread);
    cmi_recency_begin(&stream, f->store, now_ms);
    double bound = cmi_recency_bound(&stream);
    CHECK(bound >= 0 || n_memories == 0);
    check_bound(f, left, now_ms, bound, name);
    while ((n = cmi_recency_take(&stream, slots, most)) > 0) {
        for (uint32_t i = 0; i < n; i++) {
            CHECK_MSG(left[slots[i]], "%s: slot %u came twice, or is no memory", name, slots[i]);
            left[slots[i]] = false;
        }
        n_taken += n;
        double next = cmi_recency_bound(&stream);
        CHECK_MSG(next >= bound, "%s: the bound fell from %g to %g", name, bound, next);
        CHECK(next <= 1 || (next == __builtin_inf() && cmi_recency_exhausted(&stream)));
        check_bound(f, left, now_ms, bound = next, name);
        CHECK(n == most || cmi_recency_exhausted(&stream));
    }
    CHECK_MSG(n_taken == n_memories, "%s: %u of %u memories came", name, n_taken, n_memories);
    CHECK(cmi_recency_exhausted(&stream) && cmi_recency_bound(&stream) == __builtin_inf());
    CHECK_EQ_U64(cmi_recency_take(&stream, slots, 64), 0);
    cmi_thread_unpin(f->thread);
}

static void drain_shape(const shape_t *shape) {
    static const int64_t nows[] = {NOW_MS, NOW_MS + 1, NOW_MS - 20ll * HOUR_MS, NOW_MS + 100000ll * HOUR_MS, 0, INT64_MIN + 1, INT64_MAX};
    for (uint32_t seed = 0; seed < 4; seed++) {
        fixture_t f = open_shape(shape, seed);
        for (uint32_t n = 0; n < 7; n++)
            for (uint32_t most = 1; most <= 64; most *= 8) drain(&f, nows[n], most, shape->name);
        fixture_close(&f);
    }
}

TEST(the_bound_holds_for_one_rate) {
    drain_shape(&(shape_t){"one rate", one_rate, month});
    drain_shape(&(shape_t){"one rate, ties", one_rate, hours_and_ties});
}
TEST(the_bound_holds_for_mixed_rates) {
    drain_shape(&(shape_t){"mixed rates", mixed_rates, month});
    drain_shape(&(shape_t){"mixed rates, ties", mixed_rates, hours_and_ties});
    drain_shape(&(shape_t){"one class", rates_of_one_class, month});
}
TEST(the_bound_holds_for_times_in_the_future) {
    drain_shape(&(shape_t){"future", mixed_rates, half_in_the_future});
}
TEST(the_bound_holds_for_extremes) {
    drain_shape(&(shape_t){"extreme rates", extreme_rates, month});
    drain_shape(&(shape_t){"extreme times", mixed_rates, extreme_times});
    drain_shape(&(shape_t){"both", extreme_rates, extreme_times});
}

/* With one rate the order is that of age, so that the bound is the recency of the next. */
TEST(one_rate_comes_newest_first) {
    cm_config_t config = small_config(DIM);
    fixture_t f = fixture_open(&config);
    rng_t rng = rng_seed(3);
    for (uint32_t i = 0; i < N; i++) insert(&f, i, 0, month(&rng));
    cmi_recency_t stream;
    uint32_t slot;
    int64_t last = INT64_MAX;
    cmi_recency_begin(&stream, f.store, NOW_MS);
    for (uint32_t i = 0; i < N; i++) {
        double bound = cmi_recency_bound(&stream);
        CHECK_EQ_U64(cmi_recency_take(&stream, &slot, 1), 1);
        int64_t created_ms = cmi_record_at(f.store, slot)->created_ms;
        CHECK(created_ms <= last && bound == recency_of(&f, slot, NOW_MS));
        last = created_ms;
    }
    fixture_close(&f);
}

/* A bound is of use only if it rises: half of the memories taken, it is near the median. */
TEST(the_bound_rises_with_what_was_taken) {
    static const shape_t shapes[] = {{"one", one_rate, month}, {"mixed", mixed_rates, month}, {"class", rates_of_one_class, month}};
    for (uint32_t s = 0; s < 3; s++) {
        fixture_t f = open_shape(&shapes[s], 5);
        static bool left[4 * N];
        uint32_t n_memories = memories(&f, left), n_taken_above = 0;
        uint32_t slots[N];
        cmi_recency_t stream;
        cmi_recency_begin(&stream, f.store, NOW_MS);
        uint32_t n = cmi_recency_take(&stream, slots, n_memories / 2);
        double bound = cmi_recency_bound(&stream);
        for (uint32_t i = 0; i < n; i++) n_taken_above += recency_of(&f, slots[i], NOW_MS) > bound;
        CHECK_MSG(n_taken_above <= n_memories / 4, "%s: %u of %u taken are above the bound %g", shapes[s].name, n_taken_above, n, bound);
        fixture_close(&f);
    }
}

TEST(an_empty_store_has_no_stream) {
    cm_config_t config = small_config(DIM);
    fixture_t f = fixture_open(&config);
    char id[16];
    for (uint32_t pass = 0; pass < 2; pass++) {
        drain(&f, NOW_MS, 8, "empty");
        insert(&f, 1, 0.5f, NOW_MS);
        CHECK_STATUS(cm_remove(f.thread, id_of(id, 1)), CM_OK); /* a class that was used */
    }
    fixture_close(&f);
}

/* Nodes that are on their way out are passed over, wherever the stream stands. */
TEST(a_removed_node_is_passed_over) {
    cm_config_t config = small_config(DIM);
    fixture_t f = fixture_open(&config);
    char id[16];
    uint32_t slots[8];
    for (uint32_t i = 0; i < 6; i++) insert(&f, i, 0, NOW_MS - i);
    cmi_recency_t stream;
    cmi_thread_pin(f.thread);
    cmi_recency_begin(&stream, f.store, NOW_MS);
    CHECK_EQ_U64(cmi_recency_take(&stream, slots, 2), 2);
    CHECK_STATUS(cm_remove(f.thread, id_of(id, 3)), CM_OK); /* the one after the next */
    CHECK_STATUS(cm_remove(f.thread, id_of(id, 5)), CM_OK); /* the last */
    CHECK_EQ_U64(cmi_recency_take(&stream, slots + 2, 6), 2);
    CHECK(slots[0] == 0 && slots[1] == 1 && slots[2] == 2 && slots[3] == 4);
    cmi_thread_unpin(f.thread);
    fixture_close(&f);
}

int main(void) {
    RUN(the_bound_holds_for_one_rate);
    RUN(the_bound_holds_for_mixed_rates);
    RUN(the_bound_holds_for_times_in_the_future);
    RUN(the_bound_holds_for_extremes);
    RUN(one_rate_comes_newest_first);
    RUN(the_bound_rises_with_what_was_taken);
    RUN(an_empty_store_has_no_stream);
    RUN(a_removed_node_is_passed_over);
    return tap_done();
}
