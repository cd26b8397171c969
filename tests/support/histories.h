/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * histories.h - random histories for the checker of history.h, run against a store. What runs them side by side (threads, or fibers that take turns) is up to the test:
 *
 *     histories_t all = histories_begin(...)
 *     histories_draw(&all, ...)                        who will do what
 *     histories_run(&all, thread, w)                   on each of the threads: its operations, one after the other
 *     histories_judge(&all)                            by one of them: checked, counted, shown if wrong; the store is emptied
 *
 * Everything about a memory follows from which operation inserted it: vector, context and text name it, so that one that is not whole is seen to be written by nobody.
 */
#ifndef TEST_HISTORIES_H
#define TEST_HISTORIES_H

#include "support/history.h"
#include "support/snapshot.h"
#include "support/vectors.h"

#include "plat_atomic.h"
#include "store/store.h"

enum { HISTORIES_DIM = 4, HISTORIES_BUFFER = 4096, HISTORIES_MOST_THREADS = 6 };

typedef struct histories {
    cm_store_t *store;
    cm_thread_t *judge; /* empties the store */
    rng_t rng;
    uint64_t seed;
    plat_a64_t moment;   /* begins and ends are drawn from here */
    plat_a32_t n_failed; /* operations that returned what they never may */
    uint32_t number;     /* of this history: no two have memories in common */
    history_t now;
    history_checker_t checker;
    uint64_t n_histories, n_wrong, n_operations, n_overlapping, n_overlaps;
    uint64_t n_found[2]; /* operations that found nothing, something */
} histories_t;

/* ---- drawing ------------------------------------------------------------------------------------------------------------------------ */

/* Half of the histories are of three kinds of operations only: so few that they meet in each other's middle. */
typedef struct histories_mix {
    bool everything;
    history_kind_t a, b;
} histories_mix_t;

static inline history_kind_t histories_draw_kind(rng_t *rng, const histories_mix_t *mix) {
    static const uint8_t upto[] = {30, 48, 56, 68, 78, 90, 100}; /* insert, remove, contains, get, access, update, search */
    uint32_t dice = rng_below(rng, 100), kind = 0;
    if (!mix->everything) return dice < 20 ? HISTORY_INSERT : dice < 60 ? mix->a : mix->b;
    while (dice >= upto[kind]) kind++;
    return (history_kind_t)kind;
}

static inline void histories_draw_operation(histories_t *all, const histories_mix_t *mix, history_operation_t *o) {
    o->kind = histories_draw_kind(&all->rng, mix), o->id = (uint16_t)rng_below(&all->rng, all->now.n_ids);
    o->choice = (uint32_t)rng_next(&all->rng);
    o->sets_importance = o->kind == HISTORY_UPDATE && o->choice % 3 != 1, o->sets_text = o->kind == HISTORY_UPDATE && o->choice % 3 != 0;
    o->exhaustive = o->kind == HISTORY_SEARCH && o->choice % 4 != 3;
}

static inline void histories_draw(histories_t *all, uint32_t n_threads) {
    history_t *h = &all->now;
    uint32_t n_each = 3 + rng_below(&all->rng, 5);
    histories_mix_t mix = {rng_below(&all->rng, 2), (history_kind_t)rng_below(&all->rng, 7), (history_kind_t)rng_below(&all->rng, 7)};
    *h = (history_t){.n_threads = n_threads, .n_ids = 1 + (mix.everything ? rng_below(&all->rng, 3) : 0)};
    plat_store_relaxed(&all->moment, 1);
    all->number++;
    for (; h->n < n_each * n_threads; h->n++) {
        h->at[h->n].thread = (uint16_t)(h->n % n_threads);
        histories_draw_operation(all, &mix, &h->at[h->n]);
    }
}

/* ---- memories -------------------------------------------------------------------------------------------------------------------------- */

typedef struct histories_text {
    char id[16], context[16], text[32];
} histories_text_t;

/* What operation `number` of this history inserts or updates; unlike that of any other history. */
static inline uint32_t histories_mark(const histories_t *all, uint32_t number) {
    return all->number * HISTORY_MOST + number;
}

static inline float histories_importance(uint32_t number) {
    return (float)(number + 1) / 128;
}

static inline cm_str_t histories_id(histories_text_t *text, uint32_t id) {
    return (cm_str_t){text->id, (size_t)snprintf(text->id, sizeof text->id, "i%u", id)};
}

static inline cm_str_t histories_text(histories_text_t *text, uint32_t id, uint32_t mark) {
    return (cm_str_t){text->text, (size_t)snprintf(text->text, sizeof text->text, "i%u of %u", id, mark)};
}

static inline cm_str_t histories_context(histories_text_t *text, uint32_t mark) {
    return (cm_str_t){text->context, (size_t)snprintf(text->context, sizeof text->context, "c%u", mark % 3)};
}

static inline uint16_t histories_number(const histories_t *all, uint32_t mark) {
    return mark / HISTORY_MOST == all->number && mark % HISTORY_MOST < all->now.n ? (uint16_t)(mark % HISTORY_MOST) : HISTORY_NOBODY;
}

/* Which operation inserted what was seen; nobody, unless all of it is of one. */
static inline uint16_t histories_version(const histories_t *all, uint32_t id, cm_str_t context, const float *vector, int64_t created_ms) {
    histories_text_t text;
    float expected[HISTORIES_DIM];
    uint32_t mark = (uint32_t)(NOW_MS - created_ms);
    vector_of(id, mark, HISTORIES_DIM, expected);
    bool whole = same_str(context, histories_context(&text, mark)) && memcmp(vector, expected, sizeof expected) == 0;
    return whole ? histories_number(all, mark) : HISTORY_NOBODY;
}

static inline uint16_t histories_text_of(const histories_t *all, uint32_t id, cm_str_t seen) {
    histories_text_t text;
    for (uint32_t number = 0; number < all->now.n; number++)
        if (same_str(seen, histories_text(&text, id, histories_mark(all, number)))) return (uint16_t)number;
    return HISTORY_NOBODY;
}

static inline uint16_t histories_importance_of(const histories_t *all, float seen) {
    uint32_t number = (uint32_t)(seen * 128) - 1;
    return number < all->now.n && histories_importance(number) == seen ? (uint16_t)number : HISTORY_NOBODY;
}

static inline uint16_t histories_id_of(cm_str_t id) {
    return id.len == 2 && id.data[0] == 'i' ? (uint16_t)(id.data[1] - '0') : HISTORY_NOBODY;
}

/* ---- operations ------------------------------------------------------------------------------------------------------------------------ */

static inline void histories_fail(histories_t *all, const char *what, cm_status_t status) {
    if (plat_fetch_add_relaxed(&all->n_failed, 1) == 0) printf("# history %u: %s returned %d\n", all->number, what, (int)status);
}

/* True where there was one. */
static inline bool histories_found(histories_t *all, const char *what, cm_status_t status) {
    if (status != CM_OK && status != CM_E_NOT_FOUND) histories_fail(all, what, status);
    return status == CM_OK;
}

static inline void histories_insert(histories_t *all, cm_thread_t *thread, uint32_t number, uint32_t id) {
    histories_text_t text;
    float vector[HISTORIES_DIM];
    uint32_t mark = histories_mark(all, number);
    cm_memory_t memory = CM_MEMORY_INIT;
    vector_of(id, mark, HISTORIES_DIM, vector);
    memory.id = histories_id(&text, id), memory.vector = vector, memory.dimensions = HISTORIES_DIM;
    memory.context = histories_context(&text, mark), memory.text = histories_text(&text, id, mark);
    memory.importance = histories_importance(number), memory.created_ms = NOW_MS - (int64_t)mark;
    cm_status_t status = cm_insert(thread, &memory);
    if (status != CM_OK) histories_fail(all, "insert", status);
}

static inline bool histories_update(histories_t *all, cm_thread_t *thread, uint32_t number, const history_operation_t *o) {
    histories_text_t text;
    cm_update_t update = CM_UPDATE_INIT;
    if (o->sets_importance) update.fields |= CM_UPDATE_IMPORTANCE, update.importance = histories_importance(number);
    if (o->sets_text) update.fields |= CM_UPDATE_TEXT, update.text = histories_text(&text, o->id, histories_mark(all, number));
    if (o->choice >> 8 & 1)
        update.fields |= CM_UPDATE_DECAY_RATE, update.decay_rate = (float)(o->choice >> 9 & 7) / 8; /* nobody looks, but it moves */
    return histories_found(all, "update", cm_update(thread, histories_id(&text, o->id), &update));
}

static inline bool histories_look(histories_t *all, cm_thread_t *thread, history_operation_t *o) {
    histories_text_t text;
    uint64_t buffer[HISTORIES_BUFFER / sizeof(uint64_t)];
    cm_memory_t m;
    cm_str_t id = histories_id(&text, o->id);
    cm_status_t status = o->kind == HISTORY_GET ? cm_get(thread, id, &m, buffer, sizeof buffer, NULL)
                                                : cm_access(thread, id, NOW_MS, &m, buffer, sizeof buffer, NULL);
    if (!histories_found(all, o->kind == HISTORY_GET ? "get" : "access", status)) return false;
    o->n_seen = 1;
    o->seen[0] = (history_memory_t){histories_id_of(m.id), histories_version(all, o->id, m.context, m.vector, m.created_ms),
                                    histories_importance_of(all, m.importance), histories_text_of(all, o->id, m.text), m.access_count};
    return true;
}

/* Pinned, so that the memories of hits can be looked at in place. */
static inline void histories_search(histories_t *all, cm_thread_t *thread, history_operation_t *o) {
    cm_search_t options = CM_SEARCH_INIT;
    cm_hit_t hits[HISTORY_MOST_HITS];
    float query[HISTORIES_DIM];
    size_t n = 0;
    vector_of(o->choice >> 4 & 15, 0, HISTORIES_DIM, query);
    options.k = o->exhaustive ? HISTORY_MOST_HITS : 1 + (o->choice >> 8) % 2;
    options.mode = (cm_search_mode_t)((o->choice >> 10) % 3), options.temporal_weight = (float)((o->choice >> 12) % 3) / 2;
    options.now_ms = NOW_MS;
    cmi_thread_pin(thread);
    cm_status_t status = cm_search(thread, query, HISTORIES_DIM, &options, hits, &n);
    if (status != CM_OK) histories_fail(all, "search", status);
    for (size_t i = 0; i < n; i++) {
        cmi_memory_view_t view;
        cmi_store_view(all->store, hits[i].slot, &view);
        uint16_t id = histories_id_of(view.id);
        o->seen[o->n_seen++] = (history_memory_t){id, histories_version(all, id, view.context, view.row, view.created_ms),
                                                  histories_importance_of(all, view.importance), histories_text_of(all, id, view.text),
                                                  view.access_count};
    }
    cmi_thread_unpin(thread);
}

static inline void histories_do(histories_t *all, cm_thread_t *thread, uint32_t number) {
    history_operation_t *o = &all->now.at[number];
    histories_text_t text;
    o->begin = plat_fetch_add_acq_rel(&all->moment, 1);
    switch (o->kind) {
    case HISTORY_INSERT: histories_insert(all, thread, number, o->id), o->found = true; break;
    case HISTORY_REMOVE: o->found = histories_found(all, "remove", cm_remove(thread, histories_id(&text, o->id))); break;
    case HISTORY_CONTAINS: o->found = cm_contains(thread, histories_id(&text, o->id)); break;
    case HISTORY_GET:
    case HISTORY_ACCESS: o->found = histories_look(all, thread, o); break;
    case HISTORY_UPDATE: o->found = histories_update(all, thread, number, o); break;
    case HISTORY_SEARCH: histories_search(all, thread, o), o->found = o->n_seen > 0; break;
    }
    o->end = plat_fetch_add_acq_rel(&all->moment, 1);
}

static inline void histories_run(histories_t *all, cm_thread_t *thread, uint32_t name) {
    for (uint32_t i = 0; i < all->now.n; i++)
        if (all->now.at[i].thread == name) histories_do(all, thread, i);
}

/* ---- judging --------------------------------------------------------------------------------------------------------------------------- */

static inline void histories_empty(histories_t *all) {
    histories_text_t text;
    for (uint32_t id = 0; id < all->now.n_ids; id++) (void)cm_remove(all->judge, histories_id(&text, id));
    if (cm_len(all->store) != 0) histories_fail(all, "emptying", (cm_status_t)cm_len(all->store));
}

static inline void histories_judge(histories_t *all) {
    const history_t *h = &all->now;
    uint32_t n_overlaps = history_n_overlaps(h);
    all->n_histories++, all->n_operations += h->n, all->n_overlaps += n_overlaps, all->n_overlapping += n_overlaps > 0;
    for (uint32_t i = 0; i < h->n; i++) all->n_found[h->at[i].found]++;
    if (!history_check(&all->checker, h) && all->n_wrong++ == 0) {
        printf("# seed %llu, history %u is wrong: %s\n", (unsigned long long)all->seed, all->number, all->checker.what);
        history_print(h);
    }
    histories_empty(all);
}

/* `all` is large, and zero. */
static inline void histories_begin(histories_t *all, uint64_t seed) {
    all->seed = seed, all->rng = rng_seed(seed);
}

static inline void histories_report(const histories_t *all, const char *how) {
    printf("# seed %llu: %llu histories of %s, %llu operations (%llu found something), %llu histories overlapped (%.1f %%), %llu overlaps, "
           "%llu states explored, %llu histories wrong\n",
           (unsigned long long)all->seed, (unsigned long long)all->n_histories, how, (unsigned long long)all->n_operations,
           (unsigned long long)all->n_found[1], (unsigned long long)all->n_overlapping,
           100.0 * (double)all->n_overlapping / (double)all->n_histories, (unsigned long long)all->n_overlaps,
           (unsigned long long)all->checker.n_all_states, (unsigned long long)all->n_wrong);
    CHECK_EQ_U64(all->n_wrong, 0);
    CHECK_EQ_U64(all->n_failed, 0);
}

#endif
