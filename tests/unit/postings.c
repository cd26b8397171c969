/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * postings.c - rate classes, time keys, the runs of contexts, loading at once; and, under threads, that nobody meets a memory whose rate is below the lowest of its class.
 */
#include "store/postings.h"
#include "plat_thread.h"
#include "support/tap.h"
#include "support/vectors.h"

#include <float.h>
#include <math.h>

typedef struct fixture {
    cmi_blocks_t *blocks;
    cmi_postings_t postings;
} fixture_t;

static void open_postings(fixture_t *f, uint32_t n_slots) {
    memset(f, 0, sizeof *f);
    f->blocks = cmi_blocks_open();
    CHECK(cmi_postings_open(&f->postings, f->blocks, n_slots));
}

static void close_postings(fixture_t *f) {
    cmi_postings_close(&f->postings);
    cmi_blocks_close(f->blocks);
}

static uint64_t check_one(const fixture_t *f, const cmi_skiplist_t *list) {
    cm_error_t error = {CM_OK, ""};
    uint64_t n = 0;
    CHECK_MSG(cmi_skip_check(&f->postings.nodes, list, "test", 0, &n, &error) == CM_OK, "%s", error.message);
    return n;
}

/* ---- rate classes ------------------------------------------------------------------------------------------------------------------------- */

TEST(classes_rise_with_the_rate) {
    uint32_t last = 0;
    for (uint64_t bits = 1; bits < 0x7F800000u; bits += 997) { /* every positive float, nearly */
        uint32_t class = cmi_rate_class(cmi_bits_float((uint32_t)bits));
        CHECK_MSG(class >= last && class < CMI_RATE_CLASSES && class - last <= 1, "rate %g: class %u behind %u",
                  (double)cmi_bits_float((uint32_t)bits), class, last);
        last = class;
    }
    CHECK_EQ_U64(last, CMI_RATE_CLASSES - 1);
}

/* All rates of a class but the first and the last lie within a factor of 1.5: [2^n, 1.5 * 2^n) or [1.5 * 2^n, 2^(n+1)). */
TEST(classes_are_half_octaves) {
    for (int exponent = -22; exponent < 8; exponent++) {
        float low = ldexpf(1, exponent), middle = ldexpf(1.5f, exponent), high = ldexpf(1, exponent + 1);
        uint32_t class = cmi_rate_class(low);
        CHECK_EQ_U64(cmi_rate_class(nextafterf(middle, 0)), class);
        CHECK_EQ_U64(cmi_rate_class(middle), class + 1);
        CHECK_EQ_U64(cmi_rate_class(nextafterf(high, 0)), class + 1);
        CHECK_EQ_U64(cmi_rate_class(high), class + 2);
    }
}

TEST(extreme_rates_go_to_the_ends) {
    CHECK_EQ_U64(cmi_rate_class(FLT_TRUE_MIN), 0);
    CHECK_EQ_U64(cmi_rate_class(FLT_MIN), 0);
    CHECK_EQ_U64(cmi_rate_class(ldexpf(1, -23)), 0);
    CHECK_EQ_U64(cmi_rate_class(ldexpf(1, 9)), CMI_RATE_CLASSES - 1);
    CHECK_EQ_U64(cmi_rate_class(FLT_MAX), CMI_RATE_CLASSES - 1);
}

/* ---- time keys ------------------------------------------------------------------------------------------------------------------------------ */

TEST(time_keys_go_there_and_back_and_newer_comes_first) {
    const int64_t times[] = {
        INT64_MIN,     INT64_MIN + 1, -INT64_C(62135596800000), -1, 0, 1, INT64_C(1700000000000), INT64_C(1700000000001),
        INT64_MAX - 1, INT64_MAX};
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQ_U64(cmi_time_of_key(cmi_time_key(times[i])), times[i]);
        if (i > 0) CHECK(cmi_time_key(times[i]) < cmi_time_key(times[i - 1]));
    }
    rng_t rng = rng_seed(1);
    for (uint32_t i = 0; i < 10000; i++) {
        int64_t a = (int64_t)rng_next(&rng), b = (int64_t)rng_next(&rng);
        CHECK_EQ_U64(cmi_time_of_key(cmi_time_key(a)), a);
        CHECK((a > b) == (cmi_time_key(a) < cmi_time_key(b)));
    }
}

/* ---- contexts -------------------------------------------------------------------------------------------------------------------------------- */

enum { N = 900, CONTEXTS = 7 };

/* Members of a context are a run, in the order of slots; contexts beside it, the first and the last included, do not show. */
TEST(a_context_is_walked_in_the_order_of_slots) {
    fixture_t f;
    uint32_t node[N], n_left = N;
    bool there[N];
    open_postings(&f, N);
    CHECK_EQ_U64(cmi_postings_first_of(&f.postings, 1), CMI_NO_SKIP_NODE);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t slot = i * 331 % N; /* not in the order of slots */
        CHECK_STATUS(cmi_postings_add_context(&f.postings, 1 + slot % CONTEXTS * 2, slot, &node[slot]), CM_OK);
        there[slot] = true;
    }
    for (uint32_t pass = 0; pass < 3; pass++) {
        for (uint32_t context = 0; context < 2 * CONTEXTS + 2; context++) {
            uint32_t expected = 0;
            for (uint32_t at = cmi_postings_first_of(&f.postings, context); at != CMI_NO_SKIP_NODE;
                 at = cmi_postings_next_of(&f.postings, context, at)) {
                while (expected < N && (!there[expected] || 1 + expected % CONTEXTS * 2 != context)) expected++;
                CHECK_MSG(cmi_posting_slot(&f.postings, at) == expected, "context %u: slot %u, expected %u", context,
                          cmi_posting_slot(&f.postings, at), expected);
                expected++;
            }
            while (expected < N && (!there[expected] || 1 + expected % CONTEXTS * 2 != context)) expected++;
            CHECK_MSG(expected == N, "context %u: slot %u was not met", context, expected);
        }
        for (uint32_t slot = 0; slot < N; slot++)
            if (there[slot] && (pass == 0 ? slot % 5 < 3 : slot % CONTEXTS == 3)) { /* in the second pass a context loses everything */
                cmi_postings_drop_context(&f.postings, node[slot]);
                cmi_skip_free(&f.postings.nodes, node[slot]);
                there[slot] = false, n_left--;
            }
        CHECK_EQ_U64(check_one(&f, &f.postings.by_context), n_left);
    }
    close_postings(&f);
}

/* ---- times --------------------------------------------------------------------------------------------------------------------------------------- */

static float rate_of(uint32_t slot) {
    static const float rates[] = {0.1f, 0.12f, 1e-9f, 3e-9f, 500, 1e6f, 0.099f, 0.1f};
    return rates[slot % 8];
}
static int64_t time_of(uint32_t slot) {
    return INT64_C(1700000000000) - (int64_t)(slot * 7919 % 1000) * 1000;
}

static void check_times(const fixture_t *f, const bool *there) {
    uint64_t n = 0, n_there = 0;
    for (uint32_t class = 0; class < CMI_RATE_CLASSES; class ++) {
        n += check_one(f, &f->postings.by_time[class]);
        int64_t last = INT64_MAX;
        for (uint32_t node = cmi_skip_first(&f->postings.by_time[class]); node; node = cmi_skip_next(&f->postings.nodes, node)) {
            uint32_t slot = cmi_posting_slot(&f->postings, node);
            CHECK(there[slot] && cmi_rate_class(rate_of(slot)) == class && time_of(slot) <= last);
            CHECK(cmi_bits_float(plat_load_relaxed((plat_a32_t *)&f->postings.lowest_rate[class])) <= rate_of(slot));
            last = time_of(slot);
        }
    }
    for (uint32_t slot = 0; slot < N; slot++) n_there += there[slot];
    CHECK_EQ_U64(n, n_there);
}

TEST(times_are_newest_first_in_the_class_of_their_rate) {
    fixture_t f;
    uint32_t node[N];
    bool there[N];
    open_postings(&f, N);
    for (uint32_t slot = 0; slot < N; slot++) {
        CHECK_STATUS(cmi_postings_add_time(&f.postings, rate_of(slot), time_of(slot), slot, &node[slot]), CM_OK);
        there[slot] = true;
    }
    check_times(&f, there);
    for (uint32_t slot = 0; slot < N; slot += 3) {
        cmi_postings_drop_time(&f.postings, rate_of(slot), node[slot]);
        there[slot] = false;
    }
    check_times(&f, there);
    uint32_t class = cmi_rate_class(1e-9f); /* only falling: what it was is remembered */
    CHECK(class == 0 && cmi_bits_float(plat_load_relaxed(&f.postings.lowest_rate[class])) == 1e-9f);
    CHECK(cmi_bits_float(plat_load_relaxed(&f.postings.lowest_rate[cmi_rate_class(0.1f)])) == 0.099f);
    CHECK_EQ_U64(plat_load_relaxed(&f.postings.lowest_rate[20]), 0); /* never used */
    close_postings(&f);
}

/* ---- moves --------------------------------------------------------------------------------------------------------------------------------------- */

TEST(the_last_moves_are_remembered) {
    fixture_t f;
    open_postings(&f, N);
    CHECK_EQ_U64(cmi_postings_n_moves(&f.postings), 0);
    CHECK_EQ_U64(cmi_postings_move(&f.postings, 0), CMI_MOVE_TO_COME);
    for (uint32_t i = 0; i < 3 * CMI_MOVES; i++) {
        cmi_postings_note_move(&f.postings, i % N);
        CHECK_EQ_U64(cmi_postings_n_moves(&f.postings), i + 1);
        CHECK_EQ_U64(cmi_postings_move(&f.postings, i), i % N);
        CHECK_EQ_U64(cmi_postings_move(&f.postings, i + 1), CMI_MOVE_TO_COME);
        if (i + 1 >= CMI_MOVES) CHECK_EQ_U64(cmi_postings_move(&f.postings, i + 1 - CMI_MOVES), (i + 1 - CMI_MOVES) % N);
        if (i + 1 > CMI_MOVES) CHECK_EQ_U64(cmi_postings_move(&f.postings, i - CMI_MOVES), CMI_MOVE_FORGOTTEN);
    }
    close_postings(&f);
}

/* A walk stands before a slot whose node is replaced by another under the same key, with a smaller index: one of the two is met, wherever the walk stood. */
TEST(a_walk_never_misses_a_slot_that_moves_within_its_run) {
    for (uint32_t stands = 0; stands < 3; stands++) {
        fixture_t f;
        uint32_t first, old, spare, fresh;
        open_postings(&f, N);
        CHECK_STATUS(cmi_skip_make(&f.postings.nodes, 3, 5, &spare), CM_OK);
        CHECK_STATUS(cmi_postings_add_context(&f.postings, 3, 4, &first), CM_OK);
        CHECK_STATUS(cmi_postings_add_context(&f.postings, 3, 5, &old), CM_OK);
        cmi_skip_free(&f.postings.nodes, spare);
        uint32_t at = cmi_postings_first_of(&f.postings, 3), link = cmi_skip_next(&f.postings.nodes, at), n_met = 0;
        CHECK(at == first && link == old);
        if (stands == 1) at = link; /* at the old one already */
        CHECK_STATUS(cmi_postings_add_context(&f.postings, 3, 5, &fresh), CM_OK);
        CHECK(fresh < old);
        if (stands == 2) at = cmi_postings_next_of(&f.postings, 3, at); /* between the two steps of the update */
        cmi_postings_drop_context(&f.postings, old);
        for (; at != CMI_NO_SKIP_NODE; at = cmi_postings_next_of(&f.postings, 3, at)) n_met += cmi_posting_slot(&f.postings, at) == 5;
        CHECK_MSG(n_met >= 1, "a walk that stood at place %u missed the slot", stands);
        close_postings(&f);
    }
}

/* ---- loading ------------------------------------------------------------------------------------------------------------------------------------- */

TEST(loading_at_once_builds_the_same_lists) {
    fixture_t linked, loaded;
    open_postings(&linked, N), open_postings(&loaded, N);
    cmi_postings_begin_loading(&loaded.postings);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t slot = i * 331 % N, a, b;
        for (uint32_t which = 0; which < 2; which++) {
            cmi_postings_t *postings = which ? &loaded.postings : &linked.postings;
            CHECK_STATUS(cmi_postings_add_context(postings, 1 + slot % CONTEXTS, slot, which ? &a : &b), CM_OK);
            CHECK_STATUS(cmi_postings_add_time(postings, rate_of(slot), time_of(slot), slot, which ? &a : &b), CM_OK);
        }
        CHECK_EQ_U64(a, b);
    }
    CHECK(cmi_postings_end_loading(&loaded.postings));
    for (uint32_t list = 0; list <= CMI_RATE_CLASSES; list++) {
        const cmi_skiplist_t *a = list ? &linked.postings.by_time[list - 1] : &linked.postings.by_context;
        const cmi_skiplist_t *b = list ? &loaded.postings.by_time[list - 1] : &loaded.postings.by_context;
        CHECK_EQ_U64(check_one(&linked, a), check_one(&loaded, b));
        uint32_t x = cmi_skip_first(a), y = cmi_skip_first(b);
        for (; x && x == y; x = cmi_skip_next(&linked.postings.nodes, x)) y = cmi_skip_next(&loaded.postings.nodes, y);
        CHECK_EQ_U64(x, y);
        for (uint32_t level = 0; level < CMI_SKIP_LEVELS; level++)
            CHECK_EQ_U64(plat_load_relaxed((plat_a32_t *)&a->head[level]), plat_load_relaxed((plat_a32_t *)&b->head[level]));
    }
    uint32_t node; /* afterwards it is as any other */
    CHECK_STATUS(cmi_postings_add_context(&loaded.postings, 3, N, &node), CM_OK);
    CHECK_EQ_U64(check_one(&loaded, &loaded.postings.by_context), N + 1);
    cmi_postings_drop_context(&loaded.postings, node);
    CHECK_EQ_U64(check_one(&loaded, &loaded.postings.by_context), N);
    close_postings(&linked), close_postings(&loaded);
}

TEST(loading_nothing_is_fine) {
    fixture_t f;
    open_postings(&f, N);
    cmi_postings_begin_loading(&f.postings);
    CHECK(cmi_postings_end_loading(&f.postings));
    CHECK_EQ_U64(check_one(&f, &f.postings.by_context), 0);
    close_postings(&f);
}

/* A link is an index and one bit more, and a record's word has the seal above the index. */
TEST(the_largest_store_has_nodes_whose_links_fit) {
    fixture_t f;
    open_postings(&f, (1u << 30) + (1u << 29) + 1024); /* slots of CM_MAX_MEMORIES */
    CHECK_MSG(f.postings.nodes.items.arena.capacity <= 1u << 31, "%u nodes", f.postings.nodes.items.arena.capacity);
    close_postings(&f);
}

/* ---- threads -------------------------------------------------------------------------------------------------------------------------------------- */

enum { FALLS = 6000 };

typedef struct shared {
    fixture_t f;
    plat_a32_t done;
    uint32_t n_bad, n_met;
} shared_t;

/* Rates of one class, each lower than those before; newer each time, so that the newcomer is the first of its list. */
static float falling(uint32_t i) {
    return cmi_bits_float(cmi_float_bits(0.12f) - i);
}

static void add_slower_and_slower(void *argument) {
    shared_t *shared = argument;
    for (uint32_t i = 0; i < FALLS; i++) {
        uint32_t node;
        if (cmi_postings_add_time(&shared->f.postings, falling(i), i, i, &node) != CM_OK) shared->n_bad++;
    }
    plat_store_release(&shared->done, 1u);
}

/* What is met first, and then asked for the bound, is not below it. */
static void meet(shared_t *shared) {
    const cmi_postings_t *postings = &shared->f.postings;
    uint32_t class = cmi_rate_class(0.12f);
    do {
        uint32_t node = cmi_skip_first(&postings->by_time[class]);
        if (node == CMI_NO_SKIP_NODE) continue;
        float lowest = cmi_bits_float(plat_load_acquire((plat_a32_t *)&postings->lowest_rate[class]));
        shared->n_bad += !(lowest > 0) || falling(cmi_posting_slot(postings, node)) < lowest;
        shared->n_met++;
    } while (!plat_load_acquire(&shared->done));
}

TEST(nobody_meets_a_rate_below_the_lowest) {
    static shared_t shared;
    for (uint32_t round = 0; round < 20; round++) {
        memset(&shared, 0, sizeof shared);
        open_postings(&shared.f, 2 * FALLS);
        plat_thread_t *writer = plat_thread_spawn(add_slower_and_slower, &shared);
        meet(&shared);
        plat_thread_join(writer);
        CHECK_MSG(shared.n_bad == 0, "round %u: %u times in %u", round, shared.n_bad, shared.n_met);
        close_postings(&shared.f);
    }
}

int main(void) {
    RUN(classes_rise_with_the_rate);
    RUN(classes_are_half_octaves);
    RUN(extreme_rates_go_to_the_ends);
    RUN(time_keys_go_there_and_back_and_newer_comes_first);
    RUN(a_context_is_walked_in_the_order_of_slots);
    RUN(times_are_newest_first_in_the_class_of_their_rate);
    RUN(the_last_moves_are_remembered);
    RUN(a_walk_never_misses_a_slot_that_moves_within_its_run);
    RUN(loading_at_once_builds_the_same_lists);
    RUN(loading_nothing_is_fine);
    RUN(the_largest_store_has_nodes_whose_links_fit);
    RUN(nobody_meets_a_rate_below_the_lowest);
    return tap_done();
}
