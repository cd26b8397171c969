/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * history.c - the checker of histories (support/history.h): hand-made histories that are right and, each differing from one of these in one point, wrong ones; and small random ones,
 * on which it must agree with trying every order.
 */
#include "support/history.h"
#include "support/tap.h"
#include "support/vectors.h"

static history_t h;
static history_checker_t checker;

static void begin(void) {
    h = (history_t){.n_ids = 2, .n_threads = 4};
}

/* Threads do not matter to the checker; operations overlap as their moments say. */
static history_operation_t *add(history_kind_t kind, uint64_t from, uint64_t to, bool found) {
    history_operation_t *o = &h.at[h.n];
    *o = (history_operation_t){.kind = kind, .thread = (uint16_t)h.n, .begin = from, .end = to, .found = found};
    h.n++;
    return o;
}

static void insert(uint64_t from, uint64_t to) {
    add(HISTORY_INSERT, from, to, true);
}

static void see(history_operation_t *o, uint16_t version, uint16_t importance, uint16_t text, uint32_t n_accesses) {
    o->seen[o->n_seen++] = (history_memory_t){0, version, importance, text, n_accesses};
}

/* As the insert left it. */
static void get(uint64_t from, uint64_t to, uint16_t version) {
    see(add(HISTORY_GET, from, to, true), version, version, version, 0);
}

static void get_updated(uint64_t from, uint64_t to, uint16_t version, uint16_t importance) {
    see(add(HISTORY_GET, from, to, true), version, importance, version, 0);
}

static void access_to(uint64_t from, uint64_t to, uint16_t version, uint32_t n_accesses) {
    see(add(HISTORY_ACCESS, from, to, true), version, version, version, n_accesses);
}

static void update(uint64_t from, uint64_t to, bool found) {
    add(HISTORY_UPDATE, from, to, found)->sets_importance = true;
}

static history_operation_t *search(uint64_t from, uint64_t to) {
    history_operation_t *o = add(HISTORY_SEARCH, from, to, false);
    o->exhaustive = true;
    return o;
}

static void expect(bool right, int line) {
    CHECK_MSG(history_check(&checker, &h) == right, "line %d: the history is %s, called %s %s", line, right ? "right" : "wrong",
              right ? "wrong:" : "right", checker.what);
}

#define RIGHT() expect(true, __LINE__)
#define WRONG() expect(false, __LINE__)

/* ---- existence ---------------------------------------------------------------------------------------------------------------------- */

TEST(one_after_the_other) {
    begin(), RIGHT(); /* nothing at all */
    begin(), add(HISTORY_CONTAINS, 1, 2, false), insert(3, 4), get(5, 6, 1), add(HISTORY_REMOVE, 7, 8, true),
        add(HISTORY_GET, 9, 10, false), RIGHT();
    begin(), add(HISTORY_CONTAINS, 1, 2, true), insert(3, 4), WRONG();
    begin(), insert(1, 2), add(HISTORY_CONTAINS, 3, 4, false), WRONG();
    begin(), insert(1, 2), add(HISTORY_REMOVE, 3, 4, true), add(HISTORY_CONTAINS, 5, 6, true), WRONG();
    begin(), add(HISTORY_REMOVE, 1, 2, true), WRONG();
    begin(), insert(1, 2), add(HISTORY_REMOVE, 3, 4, false), WRONG();
    begin(), add(HISTORY_UPDATE, 1, 2, true), WRONG();
}

TEST(overlapping_operations_may_come_in_any_order) {
    begin(), insert(1, 10), add(HISTORY_CONTAINS, 2, 3, true), RIGHT();
    begin(), insert(1, 10), add(HISTORY_CONTAINS, 2, 3, false), RIGHT();
    begin(), insert(1, 10), add(HISTORY_CONTAINS, 2, 3, false), add(HISTORY_CONTAINS, 4, 5, true), RIGHT();
    begin(), insert(1, 10), add(HISTORY_CONTAINS, 2, 3, true), add(HISTORY_CONTAINS, 4, 5, false), WRONG(); /* it came and went */
    begin(), insert(1, 10), add(HISTORY_CONTAINS, 2, 5, true), add(HISTORY_CONTAINS, 4, 6, false), RIGHT();
}

TEST(one_memory_is_removed_once) {
    begin(), insert(1, 2), add(HISTORY_REMOVE, 3, 6, true), add(HISTORY_REMOVE, 4, 5, false), RIGHT();
    begin(), insert(1, 2), add(HISTORY_REMOVE, 3, 6, true), add(HISTORY_REMOVE, 4, 5, true), WRONG();
    begin(), insert(1, 2), add(HISTORY_REMOVE, 3, 6, true), add(HISTORY_REMOVE, 4, 7, true), insert(5, 8), RIGHT(); /* between the two */
    begin(), insert(1, 2), insert(3, 4), add(HISTORY_REMOVE, 5, 7, true), add(HISTORY_REMOVE, 6, 8, true),
        WRONG(); /* replaced: one memory */
}

TEST(what_was_replaced_is_not_seen_again) {
    begin(), insert(1, 2), insert(3, 4), get(5, 6, 1), RIGHT();
    begin(), insert(1, 2), insert(3, 4), get(5, 6, 0), WRONG();
    begin(), insert(1, 2), insert(3, 6), get(4, 5, 0), get(7, 8, 1), RIGHT();
    begin(), insert(1, 2), insert(3, 8), get(4, 5, 1), get(6, 7, 0), WRONG();                    /* new, then old */
    begin(), insert(1, 4), insert(2, 5), get(6, 7, 0), get(8, 9, 1), WRONG();                    /* whichever came second */
    begin(), insert(1, 2), insert(3, 4), add(HISTORY_REMOVE, 5, 6, true), get(7, 8, 1), WRONG(); /* removed, and seen */
    begin(), insert(1, 2), insert(3, 4), add(HISTORY_REMOVE, 5, 6, true), access_to(7, 8, 1, 1), WRONG();
}

TEST(nothing_is_seen_that_nobody_wrote) {
    begin(), insert(1, 2), get(3, 4, HISTORY_NOBODY), WRONG();
    begin(), insert(1, 2), get_updated(3, 4, 0, HISTORY_NOBODY), WRONG();
    begin(), insert(1, 2), see(add(HISTORY_GET, 3, 4, true), 0, 0, HISTORY_NOBODY, 0), WRONG();
    begin(), insert(1, 2), get(3, 4, 1), WRONG(); /* number 1 is the get itself */
    begin(), add(HISTORY_REMOVE, 1, 2, false), insert(3, 4), get(5, 6, 0), WRONG();
}

TEST(ids_are_apart) {
    begin(), insert(1, 2), insert(3, 4), h.at[1].id = 1, get(5, 6, 0), RIGHT();
    begin(), insert(1, 2), insert(3, 4), h.at[1].id = 1, get(5, 6, 1), WRONG(); /* of id 1 */
}

/* ---- values -------------------------------------------------------------------------------------------------------------------------- */

TEST(no_update_is_lost) {
    begin(), insert(1, 2), update(3, 4, true), get_updated(5, 6, 0, 1), RIGHT();
    begin(), insert(1, 2), update(3, 4, true), get_updated(5, 6, 0, 0), WRONG();
    begin(), insert(1, 2), update(3, 8, true), get_updated(4, 5, 0, 0), get_updated(6, 7, 0, 1), RIGHT();
    begin(), insert(1, 2), update(3, 8, true), get_updated(4, 5, 0, 1), get_updated(6, 7, 0, 0), WRONG();
    begin(), insert(1, 2), update(3, 6, true), update(4, 5, true), get_updated(7, 8, 0, 1), RIGHT();
    begin(), insert(1, 2), update(3, 6, true), update(4, 5, true), get_updated(7, 8, 0, 0), WRONG();
    begin(), insert(1, 2), update(3, 4, true), insert(5, 6), get_updated(7, 8, 2, 1),
        WRONG(); /* replaced after it: gone with the old one */
    begin(), insert(1, 2), update(3, 4, true), h.at[1].sets_importance = false, h.at[1].sets_text = true;
    get_updated(5, 6, 0, 0), WRONG(); /* the text */
}

TEST(an_update_beside_a_replacement_may_reach_both) {
    begin(), insert(1, 2), update(3, 10, true), insert(4, 9), get_updated(5, 6, 0, 1), get_updated(11, 12, 2, 1), RIGHT();
    begin(), insert(1, 2), update(3, 10, true), insert(4, 9), get_updated(5, 6, 0, 1), get_updated(11, 12, 2, 2), RIGHT(); /* before it */
    begin(), insert(1, 2), update(3, 10, true), insert(4, 9), get_updated(11, 12, 2, 1), RIGHT();
    begin(), insert(1, 2), update(3, 10, true), add(HISTORY_REMOVE, 4, 9, false), get_updated(5, 6, 0, 1), WRONG(); /* it was there */
    /* Both by one update, seen in the wrong order: the new one as inserted after the update had ended. */
    begin(), insert(1, 2), insert(3, 4), update(5, 6, true), get_updated(7, 8, 1, 1), WRONG();
    /* A stray write to what stays is none. */
    begin(), insert(1, 2), update(3, 12, true), get_updated(4, 5, 0, 1), update(6, 7, true), get_updated(8, 9, 0, 1), WRONG();
}

TEST(an_update_that_fails_reached_at_most_what_is_gone) {
    begin(), insert(1, 2), update(3, 10, false), add(HISTORY_REMOVE, 4, 9, true), get_updated(5, 6, 0, 1), RIGHT();
    begin(), insert(1, 2), update(3, 10, false), get_updated(5, 6, 0, 1), WRONG();
    begin(), insert(1, 2), update(3, 4, false), add(HISTORY_REMOVE, 5, 6, true), WRONG();
}

TEST(every_access_counts_once) {
    begin(), insert(1, 2), access_to(3, 6, 0, 2), access_to(4, 5, 0, 1), RIGHT();
    begin(), insert(1, 2), access_to(3, 6, 0, 1), access_to(4, 5, 0, 1), WRONG();
    begin(), insert(1, 2), access_to(3, 4, 0, 2), access_to(5, 6, 0, 1), WRONG();
    begin(), insert(1, 2), access_to(3, 4, 0, 1), get(5, 6, 0), WRONG();
    begin(), insert(1, 2), access_to(3, 4, 0, 1), insert(5, 6), access_to(7, 8, 2, 1), RIGHT();
    begin(), insert(1, 2), access_to(3, 4, 0, 1), insert(5, 6), access_to(7, 8, 2, 2), WRONG();
}

/* ---- searches ------------------------------------------------------------------------------------------------------------------------ */

TEST(a_search_hits_what_is_there) {
    begin(), insert(1, 2), see(search(3, 4), 0, 0, 0, 0), RIGHT();
    begin(), insert(1, 2), search(3, 4), WRONG();                                                   /* it was there throughout */
    begin(), insert(1, 2), search(3, 4)->exhaustive = false, RIGHT();                               /* others were nearer */
    begin(), see(search(1, 2), 1, 1, 1, 0), insert(3, 4), WRONG();                                  /* before its insert began */
    begin(), insert(1, 2), add(HISTORY_REMOVE, 3, 4, true), see(search(5, 6), 0, 0, 0, 0), WRONG(); /* after its removal had returned */
    begin(), insert(1, 2), insert(3, 4), see(search(5, 6), 0, 0, 0, 0), WRONG();                    /* after it had been replaced */
    begin(), insert(1, 2), insert(4, 5), search(3, 6), RIGHT();                                     /* replaced under it */
    begin(), insert(1, 2), add(HISTORY_REMOVE, 4, 5, true), search(3, 6), RIGHT();
    begin(), insert(1, 2), add(HISTORY_ACCESS, 4, 5, true)->n_seen = 0, search(3, 6), WRONG(); /* an access excuses nothing */
}

TEST(a_search_has_one_hit_of_an_id) {
    begin(), insert(1, 2), insert(3, 6);
    history_operation_t *twice = search(4, 5);
    see(twice, 0, 0, 0, 0), see(twice, 1, 1, 1, 0), WRONG();
    twice->n_seen = 1, RIGHT();
}

/* ---- against every order ---------------------------------------------------------------------------------------------------------------- */

enum { SMALL = 6 };

/* Replays one order of all operations; false where one of them would have answered otherwise, as far as this aspect goes. */
static bool replay(const uint32_t *order, history_aspect_t aspect) {
    history_memory_t now = {.version = HISTORY_NOBODY};
    for (uint32_t i = 0; i < h.n; i++) {
        const history_operation_t *o = &h.at[order[i]];
        bool there = now.version != HISTORY_NOBODY;
        if (o->kind == HISTORY_INSERT) now = (history_memory_t){0, (uint16_t)order[i], (uint16_t)order[i], (uint16_t)order[i], 0};
        else if (o->found != there) return false;
        else if (o->kind == HISTORY_REMOVE) now.version = HISTORY_NOBODY;
        else if (there && o->kind == HISTORY_ACCESS) now.n_accesses++;
        else if (there && o->kind == HISTORY_UPDATE) now.importance = (uint16_t)order[i];
        if (o->n_seen == 0) continue;
        if (o->seen[0].version != now.version || history_value(&o->seen[0], aspect) != history_value(&now, aspect)) return false;
    }
    return true;
}

/* Extends an order by everything that may be next. */
static bool some_order(uint32_t *order, uint32_t n, uint32_t used, history_aspect_t aspect) {
    if (n == h.n) return replay(order, aspect);
    for (uint32_t i = 0; i < h.n; i++) {
        bool may = !(used >> i & 1);
        for (uint32_t j = 0; j < h.n && may; j++) may = j == i || used >> j & 1 || h.at[j].end > h.at[i].begin;
        order[n] = i;
        if (may && some_order(order, n + 1, used | 1u << i, aspect)) return true;
    }
    return false;
}

static bool right_by_every_order(void) {
    uint32_t order[SMALL];
    for (uint32_t aspect = 0; aspect < HISTORY_N_ASPECTS; aspect++)
        if (!some_order(order, 0, 0, (history_aspect_t)aspect)) return false;
    return true;
}

static uint64_t a_free_moment(rng_t *rng, uint32_t *taken) {
    uint32_t moment;
    do moment = rng_below(rng, 2 * SMALL);
    while (*taken >> moment & 1);
    *taken |= 1u << moment;
    return 1 + moment;
}

/* Results that may well fit. Updates come without further inserts and removals: they cannot stray then. */
static void random_history(rng_t *rng, bool updates) {
    uint32_t n = 3 + rng_below(rng, SMALL - 2), taken = 0;
    begin();
    for (uint32_t i = 0; i < n; i++) {
        static const history_kind_t kinds[] = {HISTORY_REMOVE, HISTORY_CONTAINS, HISTORY_GET, HISTORY_ACCESS, HISTORY_INSERT};
        history_kind_t kind = i == 0 ? HISTORY_INSERT : kinds[rng_below(rng, 5)];
        if (updates && i > 0) kind = rng_below(rng, 2) ? HISTORY_UPDATE : HISTORY_GET;
        uint64_t a = a_free_moment(rng, &taken), b = a_free_moment(rng, &taken);
        history_operation_t *o = add(kind, a < b ? a : b, a < b ? b : a, kind == HISTORY_INSERT || rng_below(rng, 4) > 0);
        o->sets_importance = kind == HISTORY_UPDATE;
    }
    for (uint32_t i = 0; i < n; i++) {
        history_operation_t *o = &h.at[i];
        if (!o->found || (o->kind != HISTORY_GET && o->kind != HISTORY_ACCESS)) continue;
        uint16_t version = 0;
        for (uint32_t j = 0; j < n; j++)
            if (h.at[j].kind == HISTORY_INSERT && rng_below(rng, 2)) version = (uint16_t)j;
        uint16_t importance = updates ? (uint16_t)rng_below(rng, n) : version;
        see(o, version, importance, version, updates ? 0 : o->kind == HISTORY_ACCESS ? 1 + rng_below(rng, 2) : rng_below(rng, 2));
    }
}

TEST(it_agrees_with_trying_every_order) {
    uint32_t n_right = 0, n_differ = 0, n = 200000;
    rng_t rng = rng_seed(1993);
    for (uint32_t i = 0; i < n; i++) {
        random_history(&rng, i % 3 == 2);
        bool expected = right_by_every_order(), said = history_check(&checker, &h);
        n_right += expected;
        if (said == expected) continue;
        if (n_differ++ == 0) {
            printf("# random history %u: %s by every order, %s by the checker: %s\n", i, expected ? "right" : "wrong",
                   said ? "right" : "wrong", checker.what);
            history_print(&h);
        }
    }
    printf("# seed 1993: %u histories, %u right, %u judged differently\n", n, n_right, n_differ);
    CHECK_EQ_U64(n_differ, 0);
    CHECK(n_right > n / 20 && n_right < n - n / 20);
}

/* Many at one time, and only a few of their orders explain the reads that come after. */
TEST(wide_histories_are_decided) {
    enum { WIDE = 9 };
    uint64_t before = checker.n_all_states;
    begin();
    for (uint32_t i = 0; i < WIDE; i++) insert(1 + i, 100 + i);
    for (uint32_t i = 0; i < WIDE; i++) get(20 + i, 120 + i, (uint16_t)i);
    get(130, 140, 5), add(HISTORY_REMOVE, 150, 160, true), RIGHT();
    h.at[2 * WIDE + 1].found = false, WRONG();
    CHECK_MSG(!strstr(checker.what, "too much"), "%s", checker.what);
    printf("# %u operations at one time: %llu states\n", 2 * WIDE, (unsigned long long)(checker.n_all_states - before));
}

TEST(overlaps_are_counted) {
    begin(), insert(1, 2), insert(3, 4);
    CHECK_EQ_U64(history_n_overlaps(&h), 0);
    begin(), insert(1, 3), insert(2, 4);
    CHECK_EQ_U64(history_n_overlaps(&h), 1);
    h.at[1].id = 1;
    CHECK_EQ_U64(history_n_overlaps(&h), 0);
    begin(), add(HISTORY_CONTAINS, 1, 3, false), add(HISTORY_CONTAINS, 2, 4, false);
    CHECK_EQ_U64(history_n_overlaps(&h), 0);
}

int main(void) {
    RUN(one_after_the_other);
    RUN(overlapping_operations_may_come_in_any_order);
    RUN(one_memory_is_removed_once);
    RUN(what_was_replaced_is_not_seen_again);
    RUN(nothing_is_seen_that_nobody_wrote);
    RUN(ids_are_apart);
    RUN(no_update_is_lost);
    RUN(an_update_beside_a_replacement_may_reach_both);
    RUN(an_update_that_fails_reached_at_most_what_is_gone);
    RUN(every_access_counts_once);
    RUN(a_search_hits_what_is_there);
    RUN(a_search_has_one_hit_of_an_id);
    RUN(it_agrees_with_trying_every_order);
    RUN(wide_histories_are_decided);
    RUN(overlaps_are_counted);
    return tap_done();
}
