/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pages.c - the page allocator over memory.grow (platform/wasm/pages.c).
 *
 * Proves: pages are zeroed, fresh or used before; what is freed is used again, before memory grows and as one run with its neighbours; runs of every
 * length across the words of the bit map; agreement with a model; the end of memory; under threads no page has two owners, none is handed out before it is
 * zeroed, and none is lost. Does not prove the order [W1]: every atomic access of WebAssembly is sequentially consistent, whatever the source asks for.
 *
 * Pages that freed runs left behind stay free for the next test; each begins by taking all of them (take_leftovers), so that it knows what is free.
 */
#include "plat_atomic.h"
#include "plat_pages.h"
#include "plat_thread.h"
#include "support/tap.h"
#include "support/vectors.h"

#define PAGE 65536u
#define MAX_PAGES 65536u
#define SEED 20260401u

static uint32_t rounds(uint32_t n) {
    const char *length = getenv("CM_TEST_LENGTH");
    return length && strcmp(length, "full") == 0 ? 10 * n : n;
}

static uint32_t n_grown(void) {
    return (uint32_t)__builtin_wasm_memory_size(0);
}

static uint32_t page_of(const void *address) {
    return (uint32_t)((uintptr_t)address / PAGE);
}

static bool is_zero(const void *address, size_t n_bytes) {
    const uint64_t *words = address;
    for (size_t i = 0; i < n_bytes / sizeof *words; i++)
        if (words[i] != 0) return false;
    return true;
}

/* Takes single pages until memory has to grow for one: then nothing is free. Returns how many there were; the last one, fresh, is kept, too. */
static uint32_t take_leftovers(void) {
    uint32_t before = n_grown(), n = 0;
    while (plat_pages_alloc(1) != NULL && n_grown() == before) n++;
    return n;
}

/* n pages that nobody has had, in one run. */
static unsigned char *fresh(uint32_t n) {
    uint32_t before = n_grown();
    unsigned char *run = plat_pages_alloc((size_t)n * PAGE);
    CHECK(run != NULL && page_of(run) == before && n_grown() == before + n);
    return run;
}

/* ---- one thread ----------------------------------------------------------------------------------------------------------------- */

TEST(sizes_are_rounded_up_to_pages) {
    take_leftovers();
    const size_t sizes[] = {1, 64, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE};
    const uint32_t pages[] = {1, 1, 1, 1, 2, 3};
    for (int i = 0; i < 6; i++) {
        uint32_t before = n_grown();
        void *run = plat_pages_alloc(sizes[i]);
        CHECK_EQ_U64(n_grown() - before, pages[i]);
        CHECK_EQ_U64((uintptr_t)run % PAGE, 0);
        CHECK(is_zero(run, (size_t)pages[i] * PAGE));
        memset(run, 0xA5, sizes[i]);
        plat_pages_free(run, sizes[i]);
        CHECK_EQ_U64(take_leftovers(), pages[i]);
    }
    CHECK(plat_pages_alloc(0) == NULL);
    plat_pages_free(NULL, PAGE);
    CHECK_EQ_U64(take_leftovers(), 0);
}

TEST(what_was_freed_is_used_again_and_is_zero) {
    take_leftovers();
    unsigned char *run = fresh(5);
    for (int round = 0; round < 3; round++) {
        memset(run, 0xFF, 5 * PAGE);
        plat_pages_free(run, 5 * PAGE);
        uint32_t before = n_grown();
        CHECK(plat_pages_alloc(5 * PAGE) == run);
        CHECK_EQ_U64(n_grown(), before);
        CHECK(is_zero(run, 5 * PAGE));
    }
}

TEST(neighbours_are_one_run) {
    take_leftovers();
    unsigned char *run = fresh(7);
    plat_pages_free(run + 4 * PAGE, 3 * PAGE);
    plat_pages_free(run, 2 * PAGE);
    plat_pages_free(run + 2 * PAGE, 2 * PAGE);
    CHECK(plat_pages_alloc(7 * PAGE) == run);
    plat_pages_free(run, 7 * PAGE); /* and can be taken apart again */
    for (uint32_t i = 0; i < 7; i++) CHECK(plat_pages_alloc(PAGE) == run + i * PAGE);
}

TEST(a_hole_that_is_too_small_is_left_alone) {
    take_leftovers();
    unsigned char *run = fresh(9);
    plat_pages_free(run, 2 * PAGE);
    plat_pages_free(run + 3 * PAGE, 4 * PAGE);
    CHECK(plat_pages_alloc(4 * PAGE) == run + 3 * PAGE);
    uint32_t before = n_grown();
    CHECK(plat_pages_alloc(3 * PAGE) != NULL && n_grown() == before + 3);
    CHECK_EQ_U64(take_leftovers(), 2);
}

/* A run of n pages between two that are in use, wherever the borders of the bit map's words are. */
TEST(runs_of_every_length_across_words) {
    take_leftovers();
    enum { MOST = 200 };
    unsigned char *area = fresh(MOST + 66);
    for (uint32_t n = 1; n <= MOST; n++) {
        unsigned char *run = area + (size_t)(1 + n % 64) * PAGE;
        plat_pages_free(run, (size_t)n * PAGE);
        uint32_t before = n_grown();
        CHECK(plat_pages_alloc((size_t)n * PAGE) == run);
        CHECK_EQ_U64(n_grown(), before);
    }
    CHECK_EQ_U64(take_leftovers(), 0);
}

TEST(nothing_can_be_reserved_or_released) {
    CHECK(!plat_pages_caps()->can_reserve && !plat_pages_caps()->can_release);
    CHECK_EQ_U64(plat_pages_caps()->page_bytes, PAGE);
    CHECK(plat_pages_reserve(1u << 20) == NULL);
}

/* ---- against a model ---------------------------------------------------------------------------------------------------------------- */

typedef struct run {
    unsigned char *address;
    uint32_t n;
} run_t;

/* Whether the model has n free pages in a row. */
static bool model_has(const bool *used, uint32_t n_pages, uint32_t n) {
    for (uint32_t page = 0, free_run = 0; page < n_pages; page++) {
        free_run = used[page] ? 0 : free_run + 1;
        if (free_run == n) return true;
    }
    return false;
}

TEST(random_runs_agree_with_a_model) {
    enum { HELD = 24, MOST = 90 };
    static bool used[MAX_PAGES];
    run_t held[HELD] = {{NULL, 0}};
    rng_t rng = rng_seed(SEED);
    take_leftovers();
    uint32_t first = n_grown(), n_reused = 0;
    for (uint32_t step = 0; step < rounds(1500); step++) {
        run_t *run = &held[rng_below(&rng, HELD)];
        if (run->address) {
            for (uint32_t i = 0; i < run->n; i++) used[page_of(run->address) + i - first] = false;
            plat_pages_free(run->address, (size_t)run->n * PAGE);
            run->address = NULL;
            continue;
        }
        run->n = 1 + rng_below(&rng, rng_below(&rng, 4) == 0 ? MOST : 4);
        uint32_t before = n_grown();
        bool reused = model_has(used, before - first, run->n);
        run->address = plat_pages_alloc((size_t)run->n * PAGE);
        uint32_t page = page_of(run->address);
        CHECK_EQ_U64(n_grown() - before, reused ? 0 : run->n); /* grows when it must, and then only */
        CHECK(page >= first && page + run->n <= n_grown());
        for (uint32_t i = 0; i < run->n; i++) {
            uint64_t *words = (uint64_t *)(run->address + (size_t)i * PAGE);
            CHECK(!used[page + i - first] && words[0] == 0 && words[PAGE / 16] == 0 && words[PAGE / 8 - 1] == 0);
            used[page + i - first] = true;
            words[0] = words[PAGE / 16] = words[PAGE / 8 - 1] = UINT64_MAX;
        }
        n_reused += reused;
    }
    printf("# %u runs were used again, %u pages grown\n", n_reused, n_grown() - first);
    CHECK(n_reused > 100);
    for (int i = 0; i < HELD; i++)
        if (held[i].address) plat_pages_free(held[i].address, (size_t)held[i].n * PAGE);
    uint32_t n = n_grown() - first;
    CHECK_EQ_U64(take_leftovers(), n);
}

/* ---- threads -------------------------------------------------------------------------------------------------------------------------- */

enum { N_THREADS = 4 };

static plat_a32_t owner_of[MAX_PAGES]; /* the name of the thread that has a page; 0: none has */

typedef struct storm {
    uint32_t name, n_held, most_pages, n_rounds;
    bool short_stay; /* looks at and writes the first word of each page only, so that most of the time is spent in the allocator */
    uint32_t n_double, n_dirty, n_overwritten, n_refused;
    plat_thread_t *thread;
} storm_t;

/* The bytes of a page that a storm looks at. */
static size_t looked_at(const storm_t *storm) {
    return storm->short_stay ? 8 : PAGE;
}

/* Registers every page of a new run and writes the owner's name all over it. relaxed: each word is judged by itself */
static void move_in(storm_t *storm, run_t *run) {
    for (uint32_t i = 0; i < run->n; i++) {
        uint32_t nobody = 0;
        storm->n_double += !plat_cas_relaxed(&owner_of[page_of(run->address) + i], &nobody, storm->name);
        storm->n_dirty += !is_zero(run->address + (size_t)i * PAGE, looked_at(storm));
        memset(run->address + (size_t)i * PAGE, (int)storm->name, looked_at(storm));
    }
}

static void move_out(storm_t *storm, run_t *run) {
    for (uint32_t i = 0; i < run->n; i++) {
        uint32_t me = storm->name;
        for (size_t at = 0; at < looked_at(storm); at += 512)
            storm->n_overwritten += run->address[(size_t)i * PAGE + at] != (unsigned char)me;
        storm->n_double += !plat_cas_relaxed(&owner_of[page_of(run->address) + i], &me, 0u);
    }
    plat_pages_free(run->address, (size_t)run->n * PAGE);
    run->address = NULL;
}

static void take_and_free(void *argument) {
    storm_t *storm = argument;
    run_t held[16] = {{NULL, 0}};
    rng_t rng = rng_seed(SEED + storm->name);
    for (uint32_t round = 0; round < storm->n_rounds; round++) {
        run_t *run = &held[rng_below(&rng, storm->n_held)];
        if (run->address) {
            move_out(storm, run);
            continue;
        }
        run->n = 1 + rng_below(&rng, storm->most_pages);
        run->address = plat_pages_alloc((size_t)run->n * PAGE);
        if (run->address) move_in(storm, run);
        else storm->n_refused++;
    }
    for (uint32_t i = 0; i < storm->n_held; i++)
        if (held[i].address) move_out(storm, &held[i]);
}

/* Four threads at once, over n_free pages and what they grow; then all of these are free, once. */
static void run_storm(storm_t storm, uint32_t n_free) {
    storm_t storms[N_THREADS];
    uint32_t first = n_grown();
    for (uint32_t t = 0; t < N_THREADS; t++) {
        storms[t] = storm;
        storms[t].name = t + 1;
        storms[t].thread = plat_thread_spawn(take_and_free, &storms[t]);
        CHECK(storms[t].thread != NULL);
    }
    for (uint32_t t = 0; t < N_THREADS; t++) {
        plat_thread_join(storms[t].thread);
        CHECK_EQ_U64(storms[t].n_double, 0);
        CHECK_EQ_U64(storms[t].n_dirty, 0);
        CHECK_EQ_U64(storms[t].n_overwritten, 0);
        CHECK_EQ_U64(storms[t].n_refused, 0);
    }
    uint32_t n = n_grown() - first;
    printf("# %u takes and frees of 1 to %u pages, %u pages grown\n", N_THREADS * storm.n_rounds, storm.most_pages, n);
    CHECK(n <= 2 * N_THREADS * storm.n_held * storm.most_pages); /* used again, not grown for ever */
    CHECK_EQ_U64(take_leftovers(), n + n_free);                  /* none is lost, none is free twice */
}

TEST(storms_over_single_pages) {
    take_leftovers();
    run_storm((storm_t){.n_held = 4, .most_pages = 1, .n_rounds = rounds(15000)}, 0);
}

TEST(storms_over_short_runs) {
    take_leftovers();
    run_storm((storm_t){.n_held = 4, .most_pages = 5, .n_rounds = rounds(6000)}, 0);
}

TEST(storms_over_runs_longer_than_a_word) {
    take_leftovers();
    run_storm((storm_t){.n_held = 3, .most_pages = 100, .n_rounds = rounds(400)}, 0);
}

/* The first free run is two pages in two words of the bit map, and everybody wants both of them or one: many claims fail half way, and what was
 * claimed must go back, that and no more. */
TEST(storms_over_the_border_of_two_words) {
    take_leftovers();
    unsigned char *area = fresh(128);
    plat_pages_free(area + (size_t)(63 - page_of(area) % 64) * PAGE, 2 * PAGE);
    run_storm((storm_t){.n_held = 1, .most_pages = 2, .n_rounds = rounds(60000), .short_stay = true}, 2);
}

/* ---- the end, last: it leaves no memory to grow -------------------------------------------------------------------------------------- */

/* Nothing is touched, so that this costs address space alone. Whatever ends at 4 GiB ends at address 0: code that compares with such an end is wrong. */
TEST(the_end_of_memory_is_said_and_survived) {
    enum { BIG = 256, MOST = 256 };
    static unsigned char *big[MOST];
    uint32_t n = 0, n_single = 0, n_left;
    CHECK(plat_pages_alloc(SIZE_MAX) == NULL);
    while (n < MOST && (big[n] = plat_pages_alloc((size_t)BIG * PAGE)) != NULL) n++;
    CHECK_MSG(n >= 8 && n < MOST, "%u runs of 16 MiB", n);
    n_left = MAX_PAGES - n_grown();
    CHECK(plat_pages_alloc(n_left * PAGE) == NULL); /* to the very end: refused, and nothing lost by it */
    for (unsigned char *page; n_single < MAX_PAGES && (page = plat_pages_alloc(PAGE)) != NULL; n_single++)
        CHECK(page_of(page) < MAX_PAGES - 1);
    printf("# %u of %u pages, %u of the last %u one by one\n", n_grown(), MAX_PAGES, n_single, n_left);
    if (n_grown() == MAX_PAGES) CHECK_EQ_U64(n_single, n_left - 1); /* a small machine may have refused before */
    plat_pages_free(big[n / 2], 3 * PAGE);
    CHECK(plat_pages_alloc(4 * PAGE) == NULL);
    unsigned char *again = plat_pages_alloc(3 * PAGE);
    CHECK(again == big[n / 2] && is_zero(again, 3 * PAGE));
    CHECK(plat_pages_alloc(1) == NULL);
}

int main(void) {
    printf("# seed %u\n", SEED);
    RUN(sizes_are_rounded_up_to_pages);
    RUN(what_was_freed_is_used_again_and_is_zero);
    RUN(neighbours_are_one_run);
    RUN(a_hole_that_is_too_small_is_left_alone);
    RUN(runs_of_every_length_across_words);
    RUN(nothing_can_be_reserved_or_released);
    RUN(random_runs_agree_with_a_model);
    RUN(storms_over_single_pages);
    RUN(storms_over_short_runs);
    RUN(storms_over_runs_longer_than_a_word);
    RUN(storms_over_the_border_of_two_words);
    RUN(the_end_of_memory_is_said_and_survived);
    return tap_done();
}
