/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* items.c - the pool of items: each is handed out once, what is given comes back, the end is said; under threads, flat and in chunks. CM_TEST_LENGTH=full: ten times as long. */
#include "memory/items.h"
#include "plat_thread.h"
#include "support/tap.h"
#include "support/vectors.h"

#include <sys/resource.h>

static uint32_t rounds(uint32_t normal) {
    const char *length = getenv("CM_TEST_LENGTH");
    return length && strcmp(length, "full") == 0 ? 10 * normal : normal;
}

typedef struct item {
    plat_a32_t link;
    uint32_t owner;
    uint64_t canary;
} item_t;

static item_t *at(const cmi_items_t *items, uint32_t index) {
    return cmi_items_at(items, index);
}

TEST(indices_begin_at_one_and_end_at_the_capacity) {
    cmi_items_t items = {0};
    uint32_t index = 77;
    CHECK(cmi_items_open(&items, sizeof(item_t), 6));
    CHECK_EQ_U64(cmi_items_end(&items), 1);
    for (uint32_t i = 1; i < 6; i++) {
        CHECK_STATUS(cmi_items_take(&items, &index), CM_OK);
        CHECK_EQ_U64(index, i);
        CHECK_EQ_U64(at(&items, index)->canary, 0); /* never used: zero */
        CHECK_EQ_U64(cmi_items_end(&items), i + 1);
    }
    for (uint32_t i = 0; i < 3; i++) CHECK_STATUS(cmi_items_take(&items, &index), CM_E_INDEX_FULL);
    CHECK_EQ_U64(cmi_items_end(&items), 6);
    cmi_items_give(&items, 3);
    CHECK_STATUS(cmi_items_take(&items, &index), CM_OK);
    CHECK_EQ_U64(index, 3);
    CHECK_STATUS(cmi_items_take(&items, &index), CM_E_INDEX_FULL);
    cmi_items_close(&items);
}

TEST(what_is_given_comes_back_last_in_first_out) {
    cmi_items_t items = {0};
    uint32_t index;
    CHECK(cmi_items_open(&items, sizeof(item_t), 200));
    for (uint32_t i = 1; i <= 100; i++) CHECK_STATUS(cmi_items_take(&items, &index), CM_OK);
    for (uint32_t i = 1; i <= 100; i += 3) cmi_items_give(&items, i);
    for (uint32_t i = 100; i >= 1; i -= 3) {
        CHECK_STATUS(cmi_items_take(&items, &index), CM_OK);
        CHECK_EQ_U64(index, i);
        if (i < 4) break;
    }
    CHECK_STATUS(cmi_items_take(&items, &index), CM_OK);
    CHECK_EQ_U64(index, 101);
    CHECK_MSG(cmi_items_bytes(&items) >= 101 * sizeof(item_t), "%u bytes", (unsigned)cmi_items_bytes(&items));
    cmi_items_close(&items);
}

/* A take that read the head, and slept while it was taken and given again, must fail: the head is never the same twice. */
TEST(a_head_is_never_the_same_twice) {
    cmi_items_t items = {0};
    uint32_t a, b;
    CHECK(cmi_items_open(&items, sizeof(item_t), 200));
    CHECK_STATUS(cmi_items_take(&items, &a), CM_OK);
    CHECK_STATUS(cmi_items_take(&items, &b), CM_OK);
    cmi_items_give(&items, b);
    cmi_items_give(&items, a);
    uint64_t head = plat_load_relaxed(&items.free_head); /* the sleeper's: a, and b below it */
    CHECK_STATUS(cmi_items_take(&items, &a), CM_OK);
    CHECK_STATUS(cmi_items_take(&items, &b), CM_OK);
    cmi_items_give(&items, a); /* b is in use */
    CHECK_EQ_U64((uint32_t)plat_load_relaxed(&items.free_head), (uint32_t)head);
    CHECK(plat_load_relaxed(&items.free_head) != head);
    cmi_items_close(&items);
}

/* ---- threads ----------------------------------------------------------------------------------------------------------------------------- */

enum { N_THREADS = 4, HELD = 10, CAPACITY = N_THREADS * HELD / 2 + 2 }; /* sometimes there is none */

typedef struct worker {
    cmi_items_t *items;
    uint32_t name, steps, n_bad, n_full;
    plat_thread_t *thread;
} worker_t;

static plat_a32_t owner_of[CAPACITY + 1];

static void take_and_give(void *argument) {
    worker_t *w = argument;
    rng_t rng = rng_seed(w->name);
    uint32_t held[HELD] = {0};
    for (uint32_t step = 0; step < w->steps + HELD; step++) {
        uint32_t i = step < w->steps ? rng_below(&rng, HELD) : step - w->steps;
        if (held[i] != CMI_NO_ITEM) {
            uint32_t expected = w->name;
            w->n_bad += at(w->items, held[i])->owner != w->name || at(w->items, held[i])->canary != ((uint64_t)w->name << 32 | held[i]);
            w->n_bad += !plat_cas_relaxed(&owner_of[held[i]], &expected, 0u);
            cmi_items_give(w->items, held[i]);
            held[i] = CMI_NO_ITEM;
        } else if (step < w->steps) {
            cm_status_t status = cmi_items_take(w->items, &held[i]);
            if (status != CM_OK) {
                w->n_full++, w->n_bad += status != CM_E_INDEX_FULL, held[i] = CMI_NO_ITEM;
                continue;
            }
            uint32_t expected = 0;
            w->n_bad += held[i] == 0 || held[i] > CAPACITY || !plat_cas_relaxed(&owner_of[held[i]], &expected, w->name);
            at(w->items, held[i])->owner = w->name, at(w->items, held[i])->canary = (uint64_t)w->name << 32 | held[i];
            plat_store_relaxed(&at(w->items, held[i])->link, 0xFFFFFFFFu); /* the owner's word, too */
        }
    }
}

static void limit_address_space(bool limited) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = limited ? 1 : limit.rlim_max; /* nothing can be reserved */
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMITS_WORK 0
#elif defined(__has_feature)
#define LIMITS_WORK !(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer))
#else
#define LIMITS_WORK 1
#endif

static void no_item_is_handed_out_twice(bool chunked) {
    cmi_items_t items = {0};
    worker_t workers[N_THREADS];
    uint32_t n_full = 0;
    if (chunked && !LIMITS_WORK) {
        printf("# a sanitizer needs the address space: not in chunks\n");
        return;
    }
    if (chunked) limit_address_space(true);
    CHECK(cmi_items_open(&items, sizeof(item_t), CAPACITY + 1));
    if (chunked) limit_address_space(false);
    CHECK_EQ_U64(items.arena.flat == NULL, chunked);
    for (uint32_t i = 0; i < N_THREADS; i++) {
        workers[i] = (worker_t){.items = &items, .name = i + 1, .steps = rounds(1000000)};
        workers[i].thread = plat_thread_spawn(take_and_give, &workers[i]);
    }
    for (uint32_t i = 0; i < N_THREADS; i++) {
        plat_thread_join(workers[i].thread);
        n_full += workers[i].n_full;
        CHECK_MSG(workers[i].n_bad == 0, "thread %u: %u times wrong", i, workers[i].n_bad);
    }
    for (uint32_t i = 0; i <= CAPACITY; i++) CHECK(plat_load_relaxed(&owner_of[i]) == 0);
    uint32_t n = 0, index;
    while (n <= CAPACITY && cmi_items_take(&items, &index) == CM_OK) n++;
    CHECK_EQ_U64(n, CAPACITY); /* none was lost */
    printf("# %u refusals\n", n_full);
    cmi_items_close(&items);
}

TEST(no_item_is_handed_out_twice_flat) {
    no_item_is_handed_out_twice(false);
}
TEST(no_item_is_handed_out_twice_chunked) {
    no_item_is_handed_out_twice(true);
}

int main(void) {
    RUN(indices_begin_at_one_and_end_at_the_capacity);
    RUN(what_is_given_comes_back_last_in_first_out);
    RUN(a_head_is_never_the_same_twice);
    RUN(no_item_is_handed_out_twice_flat);
    RUN(no_item_is_handed_out_twice_chunked);
    return tap_done();
}
