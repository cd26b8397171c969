/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pages_meanwhile.c - what another thread does in the middle of an allocation or a release of pages, at every atomic step of it.
 *
 * The storms of pages.c hardly ever get between two words of one claim. Here platform/wasm/pages.c is compiled into the test with a call in front of
 * every atomic access (PLAT_ATOMIC_STEP), and "the other thread" is a function that the call runs once, at a step of the test's choosing; each step in turn.
 *
 *     bits    ... 1 | 1 1 ... 1 1 | 1 ...        the free run: the last page of a word, a whole word, the first page of the next
 *
 * Proves: whatever happens in between, afterwards each page is the caller's, the other's or free, and none is two of these: a claim that fails half way gives
 * back what it had claimed, and nothing else. Does not prove: two others at once, and orders of memory.
 */
#define PLAT_ATOMIC_STEP
#define plat_pages_caps stepped_caps
#define plat_pages_alloc stepped_alloc
#define plat_pages_reserve stepped_reserve
#define plat_pages_free stepped_free
#define plat_pages_wish_huge stepped_wish_huge
#include "../../platform/wasm/pages.c"

#include "support/tap.h"

enum { N_RUN = 1 + BITS + 1, GAP = 5, N_SPARE = 3 * N_RUN, N_AREA = N_RUN + GAP + N_SPARE, MOST_HELD = 4 };

/* ---- the other thread -------------------------------------------------------------------------------------------------------------- */

static uint32_t n_steps, its_step; /* the other acts before the step of this number */
static void (*other)(void);

void plat_atomic_step(void) {
    if (other == NULL || n_steps++ != its_step) return;
    void (*act)(void) = other;
    other = NULL; /* its own steps are nobody's business */
    act();
}

typedef struct run {
    void *address;
    uint32_t n;
} run_t;

static run_t held[MOST_HELD]; /* by the other */
static uint32_t n_held;

static void other_takes(uint32_t n) {
    held[n_held++] = (run_t){stepped_alloc((size_t)n * PAGE_BYTES), n};
}

static void takes_the_first_page(void) {
    other_takes(1);
}

static void takes_the_whole_run(void) {
    other_takes(N_RUN);
}

static void takes_all_but_the_last_page(void) {
    other_takes(N_RUN - 1);
}

/* Takes two pages, in two words, and gives back the first: the start of the run is free, and the rest is not. */
static void takes_the_second_page(void) {
    other_takes(1);
    other_takes(1);
    stepped_free(held[0].address, PAGE_BYTES);
    held[0] = held[--n_held];
}

/* The same for the last word. */
static void takes_the_last_page(void) {
    other_takes(N_RUN - 1);
    other_takes(1);
    stepped_free(held[0].address, (N_RUN - 1) * (size_t)PAGE_BYTES);
    held[0] = held[--n_held];
}

static void takes_and_gives_back(void) {
    stepped_free(stepped_alloc(N_RUN * (size_t)PAGE_BYTES), N_RUN * (size_t)PAGE_BYTES);
}

typedef struct act {
    const char *name;
    void (*body)(void);
} act_t;

static const act_t acts[] = {{"takes the first page", takes_the_first_page},
                             {"takes the whole run", takes_the_whole_run},
                             {"takes all but the last", takes_all_but_the_last_page},
                             {"takes the second page", takes_the_second_page},
                             {"takes the last page", takes_the_last_page},
                             {"takes all and gives it back", takes_and_gives_back}};

/* ---- whose is each page ------------------------------------------------------------------------------------------------------------ */

static uint32_t
    area; /* the first page of the run; behind it a gap, and pages for whoever finds the run taken, so that nothing has to grow */

static void prepare(bool is_run_free) {
    for (uint32_t word = 0; word < N_WORDS; word++) free_pages[word] = 0;
    if (is_run_free) give(area, area + N_RUN);
    give(area + N_RUN + GAP, area + N_AREA);
    n_held = 0, n_steps = 0;
}

static bool is_in(run_t run, uint32_t page) {
    uint32_t first = (uint32_t)((uintptr_t)run.address / PAGE_BYTES);
    return run.address != NULL && page >= first && page < first + run.n;
}

/* Pages that do not have one owner: the caller, the other, or the map of what is free. Those of the gap have none. */
static uint32_t n_wrong(run_t mine) {
    uint32_t n = 0;
    for (uint32_t page = area; page < area + N_AREA; page++) {
        bool in_gap = page >= area + N_RUN && page < area + N_RUN + GAP;
        uint32_t n_owners = is_in(mine, page) + is_free(page);
        for (uint32_t i = 0; i < n_held; i++) n_owners += is_in(held[i], page);
        n += n_owners != (in_gap ? 0 : 1);
    }
    return n;
}

static bool is_zero_and_mark(run_t run) {
    bool zero = true;
    for (uint32_t i = 0; i < run.n; i++) {
        uint64_t *first = (uint64_t *)((uintptr_t)run.address + (uintptr_t)i * PAGE_BYTES), *last = first + PAGE_BYTES / sizeof *first - 1;
        zero = zero && *first == 0 && *last == 0;
        *first = *last = UINT64_MAX;
    }
    return zero;
}

/* ---- tests --------------------------------------------------------------------------------------------------------------------------- */

/* Each act before each step, until the operation has fewer. Returns how many steps that were. */
static uint32_t at_every_step(const act_t *act, run_t (*operation)(void)) {
    uint32_t n_elsewhere = 0;
    for (its_step = 0;; its_step++) {
        other = NULL;
        run_t mine = operation();
        bool acted = other == NULL;
        other = NULL;
        CHECK_MSG(n_wrong(mine) == 0, "%s before step %u: %u pages without one owner", act->name, its_step, n_wrong(mine));
        if (mine.address != NULL) CHECK_MSG(is_zero_and_mark(mine), "%s before step %u: pages that are not zero", act->name, its_step);
        n_elsewhere += mine.address != NULL && !is_in(mine, area);
        if (!acted) break;
    }
    printf("# the other %s before each of %u steps: %u times the pages came from elsewhere\n", act->name, its_step, n_elsewhere);
    return its_step;
}

static const act_t *acting;

static run_t allocate(void) {
    prepare(true);
    other = acting->body;
    return (run_t){stepped_alloc(N_RUN * (size_t)PAGE_BYTES), N_RUN};
}

static run_t release(void) {
    prepare(false);
    other = acting->body;
    stepped_free((void *)(area * (uintptr_t)PAGE_BYTES), N_RUN * (size_t)PAGE_BYTES);
    return (run_t){NULL, 0};
}

static void every_act_at_every_step_of(run_t (*operation)(void), uint32_t at_least) {
    for (uint32_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        acting = &acts[i];
        uint32_t n = at_every_step(acting, operation);
        CHECK_MSG(n >= at_least, "only %u steps", n);
    }
}

TEST(an_allocation_that_is_interrupted) {
    every_act_at_every_step_of(allocate, N_RUN + 6); /* a look at each page, and two accesses to each of three words */
}

TEST(a_release_that_is_interrupted) {
    every_act_at_every_step_of(release, 3);
}

int main(void) {
    uintptr_t grown = (uintptr_t)__builtin_wasm_memory_grow(0, 3 * BITS + N_AREA);
    area = (uint32_t)(grown / BITS * BITS + 2 * BITS - 1);
    printf("# the run: pages %u to %u, words %u to %u\n", area, area + N_RUN - 1, area / BITS, (area + N_RUN - 1) / BITS);
    RUN(an_allocation_that_is_interrupted);
    RUN(a_release_that_is_interrupted);
    return tap_done();
}
