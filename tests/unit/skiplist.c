/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * skiplist.c - the skip list alone: against a sorted array, its check against planted damage, and under threads with a real epoch.
 *
 * Under threads: a walk ascends and meets each node at most once; what is linked throughout is met by every walk, wherever it began; and in the end nothing removed is linked anywhere.
 * CM_TEST_LENGTH=full: ten times as many rounds.
 */
#include "store/skiplist.h"
#include "plat_epoch.h"
#include "plat_thread.h"
#include "support/tap.h"
#include "support/vectors.h"

static uint32_t rounds(uint32_t normal) {
    const char *length = getenv("CM_TEST_LENGTH");
    return length && strcmp(length, "full") == 0 ? 10 * normal : normal;
}

typedef struct fixture {
    cmi_blocks_t *blocks;
    cmi_skip_nodes_t nodes;
    cmi_skiplist_t list;
} fixture_t;

static void open_list(fixture_t *f, uint32_t n_nodes) {
    *f = (fixture_t){.blocks = cmi_blocks_open()};
    CHECK(cmi_skip_open(&f->nodes, f->blocks, n_nodes));
}

static void close_list(fixture_t *f) {
    cmi_skip_close(&f->nodes);
    cmi_blocks_close(f->blocks);
}

static uint32_t add(fixture_t *f, uint64_t key, uint32_t slot) {
    uint32_t node = CMI_NO_SKIP_NODE;
    CHECK_STATUS(cmi_skip_make(&f->nodes, key, slot, &node), CM_OK);
    cmi_skip_link(&f->nodes, &f->list, node);
    return node;
}

/* Grace period included: nobody else looks. */
static void drop(fixture_t *f, uint32_t node) {
    cmi_skip_unlink(&f->nodes, &f->list, node);
    cmi_skip_free(&f->nodes, node);
}

static uint64_t check_list(const fixture_t *f) {
    cm_error_t error = {CM_OK, ""};
    uint64_t n = UINT64_MAX;
    CHECK_MSG(cmi_skip_check(&f->nodes, &f->list, "test", 0, &n, &error) == CM_OK, "%s", error.message);
    return n;
}

static void must_be_named(const fixture_t *f, uint32_t n_half_removed, const char *words) {
    cm_error_t error = {CM_OK, ""};
    uint64_t n;
    CHECK_STATUS(cmi_skip_check(&f->nodes, &f->list, "test", n_half_removed, &n, &error), CM_E_INVARIANT);
    CHECK_MSG(strstr(error.message, words) && strstr(error.message, "test list"), "\"%s\" does not say \"%s\"", error.message, words);
}

/* ---- against a sorted array ---------------------------------------------------------------------------------------------------------- */

enum { MODEL = 600 };

typedef struct model {
    uint64_t key[MODEL];
    uint32_t slot[MODEL], node[MODEL], n; /* ascending by (key, slot, node) */
} model_t;

static bool model_before(const model_t *m, uint32_t i, uint64_t key, uint32_t slot, uint32_t node) {
    if (m->key[i] != key) return m->key[i] < key;
    if (m->slot[i] != slot) return m->slot[i] < slot;
    return m->node[i] < node;
}

static void model_add(model_t *m, uint64_t key, uint32_t slot, uint32_t node) {
    uint32_t i = m->n++;
    for (; i > 0 && !model_before(m, i - 1, key, slot, node); i--) {
        m->key[i] = m->key[i - 1], m->slot[i] = m->slot[i - 1], m->node[i] = m->node[i - 1];
    }
    m->key[i] = key, m->slot[i] = slot, m->node[i] = node;
}

static void model_drop(model_t *m, uint32_t i) {
    for (m->n--; i < m->n; i++) m->key[i] = m->key[i + 1], m->slot[i] = m->slot[i + 1], m->node[i] = m->node[i + 1];
}

static void compare(const fixture_t *f, const model_t *m, uint32_t seed) {
    uint32_t node = cmi_skip_first(&f->list), n_wrong = 0;
    for (uint32_t i = 0; i < m->n; i++, node = node ? cmi_skip_next(&f->nodes, node) : node) n_wrong += node != m->node[i];
    CHECK_MSG(n_wrong == 0 && node == CMI_NO_SKIP_NODE, "seed %u: %u of %u nodes are in the wrong place", seed, n_wrong, m->n);
    CHECK_EQ_U64(check_list(f), m->n);
}

static void compare_seeks(const fixture_t *f, const model_t *m, uint32_t seed, uint64_t most) {
    for (uint32_t q = 0; q < 3 * m->n + 3; q++) {
        uint64_t key = q < m->n ? m->key[q] : q < 2 * m->n ? m->key[q - m->n] + 1 : q % 3 == 0 ? 0 : q % 3 == 1 ? most / 2 : UINT64_MAX;
        uint32_t i = 0, found = cmi_skip_seek(&f->nodes, &f->list, key);
        while (i < m->n && m->key[i] < key) i++;
        CHECK_MSG(found == (i < m->n ? m->node[i] : CMI_NO_SKIP_NODE), "seed %u: seek(%" PRIu64 ") gave node %u", seed, key, found);
    }
}

/* Few keys and slots, so that many are equal; or all of 64 bits. */
static void run_model(uint32_t seed) {
    static model_t m;
    static fixture_t f;
    rng_t rng = rng_seed(seed);
    uint64_t most = seed % 3 == 0 ? 5 : seed % 3 == 1 ? 1000 : UINT64_MAX;
    uint32_t n_slots = seed % 2 ? 3 : 1000;
    m.n = 0;
    open_list(&f, MODEL);
    for (uint32_t step = 0; step < 1500; step++) {
        bool grow = m.n == 0 || (m.n < MODEL && rng_below(&rng, 100) < (step / 300 % 2 ? 40 : 65));
        if (grow) {
            uint64_t key = most == UINT64_MAX ? (rng_below(&rng, 8) ? rng_next(&rng) : UINT64_MAX) : rng_next(&rng) % most;
            uint32_t slot = rng_below(&rng, n_slots);
            model_add(&m, key, slot, add(&f, key, slot));
        } else {
            uint32_t i = rng_below(&rng, m.n);
            drop(&f, m.node[i]);
            model_drop(&m, i);
        }
        if (step % 250 == 0) compare(&f, &m, seed), compare_seeks(&f, &m, seed, most);
    }
    compare(&f, &m, seed);
    compare_seeks(&f, &m, seed, most);
    while (m.n > 0) drop(&f, m.node[--m.n]);
    CHECK_EQ_U64(check_list(&f), 0);
    for (uint32_t level = 0; level < CMI_SKIP_LEVELS; level++) CHECK_EQ_U64(plat_load_relaxed(&f.list.head[level]), 0);
    CHECK_EQ_U64(cmi_blocks_bytes_used(f.blocks), 0);
    close_list(&f);
}

TEST(it_is_the_sorted_array) {
    for (uint32_t seed = 0; seed < rounds(60); seed++) run_model(seed);
}

TEST(an_empty_list_has_nothing) {
    fixture_t f;
    open_list(&f, 10);
    CHECK_EQ_U64(cmi_skip_first(&f.list), CMI_NO_SKIP_NODE);
    CHECK_EQ_U64(cmi_skip_seek(&f.nodes, &f.list, 0), CMI_NO_SKIP_NODE);
    CHECK_EQ_U64(check_list(&f), 0);
    close_list(&f);
}

TEST(appending_builds_what_linking_builds) {
    enum { N = 3000 };
    fixture_t linked, appended;
    cmi_skip_tail_t tail = {{0}};
    open_list(&linked, N), open_list(&appended, N);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t node;
        add(&linked, i / 3, i);
        CHECK_STATUS(cmi_skip_make(&appended.nodes, i / 3, i, &node), CM_OK);
        cmi_skip_append(&appended.nodes, &appended.list, &tail, node);
    }
    CHECK_EQ_U64(check_list(&appended), N);
    CHECK_EQ_U64(check_list(&linked), N);
    for (uint32_t level = 0; level < CMI_SKIP_LEVELS; level++)
        CHECK_EQ_U64(plat_load_relaxed(&appended.list.head[level]), plat_load_relaxed(&linked.list.head[level]));
    for (uint32_t key = 0; key < N; key++)
        CHECK_EQ_U64(cmi_skip_seek(&appended.nodes, &appended.list, key), cmi_skip_seek(&linked.nodes, &linked.list, key));
    close_list(&linked), close_list(&appended);
}

/* One in four on each further level, whatever the keys: consecutive times, equal ones, equal slots. */
TEST(levels_are_drawn_one_in_four) {
    enum { N = 40000 };
    for (uint32_t shape = 0; shape < 3; shape++) {
        fixture_t f;
        uint32_t n_at_least[CMI_SKIP_LEVELS + 1] = {0};
        open_list(&f, N);
        for (uint32_t i = 0; i < N; i++) {
            uint32_t node;
            CHECK_STATUS(cmi_skip_make(&f.nodes, shape == 0 ? i : shape == 1 ? 7 : (uint64_t)i << 40, shape == 2 ? 3 : i, &node), CM_OK);
            for (uint32_t level = 1; level <= cmi_skip_at(&f.nodes, node)->n_levels; level++) n_at_least[level]++;
        }
        for (uint32_t level = 2; level <= 5; level++) {
            double share = (double)n_at_least[level] / (double)n_at_least[level - 1];
            CHECK_MSG(share > 0.15 && share < 0.35, "shape %u: %g of the nodes of %u levels have one more", shape, share, level - 1);
        }
        close_list(&f);
    }
}

TEST(nodes_run_out_and_come_back) {
    fixture_t f;
    uint32_t nodes[100], more, n = 0;
    open_list(&f, 100);
    while (n < 100 && cmi_skip_make(&f.nodes, n, n, &nodes[n]) == CM_OK) n++;
    CHECK_EQ_U64(n, 100);
    uint64_t used = cmi_blocks_bytes_used(f.blocks);
    for (uint32_t i = 0; i < 1000; i++) CHECK_STATUS(cmi_skip_make(&f.nodes, i, i, &more), CM_E_INDEX_FULL);
    CHECK_EQ_U64(cmi_blocks_bytes_used(f.blocks), used); /* the upper links of those that were refused */
    while (n > 0) cmi_skip_free(&f.nodes, nodes[--n]);
    CHECK_EQ_U64(cmi_blocks_bytes_used(f.blocks), 0);
    CHECK_STATUS(cmi_skip_make(&f.nodes, 1, 1, &more), CM_OK);
    close_list(&f);
}

/* ---- half a removal: a writer at its slowest -------------------------------------------------------------------------------------------- */

static plat_a32_t *link_of(const fixture_t *f, uint32_t node, uint32_t level) {
    cmi_skip_node_t *at = cmi_skip_at(&f->nodes, node);
    return level == 0 ? &at->next : (plat_a32_t *)cmi_blocks_at(f->blocks, at->upper) + (level - 1);
}

/* A key whose node has this many levels. */
static uint32_t make_with_levels(fixture_t *f, uint64_t least_key, uint32_t n_levels, uint32_t *node) {
    for (uint64_t key = least_key;; key++) {
        CHECK_STATUS(cmi_skip_make(&f->nodes, key, 1, node), CM_OK);
        if (cmi_skip_at(&f->nodes, *node)->n_levels == n_levels) return (uint32_t)key;
        cmi_skip_free(&f->nodes, *node);
    }
}

/* Marked, not yet searched for; whoever comes by takes it out, and links behind it. */
TEST(what_is_marked_is_helped_out_of_the_way) {
    for (uint32_t n_levels = 1; n_levels <= 4; n_levels++) {
        fixture_t f;
        uint32_t node, before;
        open_list(&f, 5000);
        before = add(&f, 5, 0);
        uint32_t key = make_with_levels(&f, 1000, n_levels, &node);
        cmi_skip_link(&f.nodes, &f.list, node);
        for (uint32_t level = n_levels; level-- > 0;) plat_fetch_or_release(link_of(&f, node, level), 1u);
        CHECK(cmi_skip_removed(&f.nodes, node) && !cmi_skip_removed(&f.nodes, before));
        must_be_named(&f, 0, "is removed and still linked");
        uint32_t behind = add(&f, key, 2);
        CHECK_EQ_U64(check_list(&f), 2);
        CHECK_EQ_U64(cmi_skip_next(&f.nodes, before), behind);
        cmi_skip_unlink(&f.nodes, &f.list, node); /* the rest of the removal finds it done */
        CHECK_EQ_U64(check_list(&f), 2);
        close_list(&f);
    }
}

/*
 * A removed node that one level has lost and another has not. A helper takes it out where it comes by; a level above its way stays as it is until the remover's own search gets there. Its links
 * below are frozen, so that a walk which goes down through it misses what was linked behind it since.
 */
TEST(no_walk_goes_down_through_a_removed_node) {
    for (uint32_t n_levels = 2; n_levels <= 4; n_levels++) {
        fixture_t f;
        uint32_t node;
        open_list(&f, 5000);
        uint32_t first = add(&f, 5, 0), last = add(&f, 1u << 30, 0);
        uint32_t key = make_with_levels(&f, 1000, n_levels, &node);
        cmi_skip_link(&f.nodes, &f.list, node);
        for (uint32_t level = n_levels; level-- > 0;) plat_fetch_or_release(link_of(&f, node, level), 1u);
        for (uint32_t level = 0; level + 1 < n_levels; level++) { /* the helper, below the top */
            plat_a32_t *word = level == 0 || cmi_skip_at(&f.nodes, first)->n_levels > level ? link_of(&f, first, level)
                                                                                            : &f.list.head[level];
            CHECK_EQ_U64(plat_load_relaxed(word), node << 1);
            plat_store_relaxed(word, plat_load_relaxed(link_of(&f, node, level)) & ~1u);
        }
        uint32_t linked; /* by a thread that had gone past the top level already */
        CHECK_STATUS(cmi_skip_make(&f.nodes, key + 1, 9, &linked), CM_OK);
        plat_store_relaxed(link_of(&f, linked, 0), last << 1);
        plat_store_relaxed(link_of(&f, first, 0), linked << 1);
        CHECK_MSG(cmi_skip_seek(&f.nodes, &f.list, key + 1) == linked, "%u levels: the walk missed a node that is linked", n_levels);
        close_list(&f);
    }
}

/* ---- what check() sees ---------------------------------------------------------------------------------------------------------------------- */

TEST(check_names_the_damage) {
    fixture_t f;
    uint32_t node;
    open_list(&f, 5000);
    uint32_t a, b, c = CMI_NO_SKIP_NODE;
    make_with_levels(&f, 10, 1, &a), cmi_skip_link(&f.nodes, &f.list, a);
    uint64_t key = make_with_levels(&f, 100, 1, &b);
    cmi_skip_link(&f.nodes, &f.list, b);
    for (uint32_t slot = 2; !c || cmi_skip_at(&f.nodes, c)->n_levels > 1; slot++)
        CHECK_STATUS(cmi_skip_make(&f.nodes, key, slot, &c), CM_OK);
    cmi_skip_link(&f.nodes, &f.list, c);
    make_with_levels(&f, 1000, 3, &node);
    cmi_skip_link(&f.nodes, &f.list, node);
    CHECK_EQ_U64(check_list(&f), 4);

    uint64_t its_key = cmi_skip_at(&f.nodes, a)->key;
    cmi_skip_at(&f.nodes, a)->key = key + 1;
    must_be_named(&f, 0, "not in order");
    cmi_skip_at(&f.nodes, a)->key = its_key;
    cmi_skip_at(&f.nodes, b)->slot = 3;
    must_be_named(&f, 0, "not in order");
    cmi_skip_at(&f.nodes, b)->slot = 1;

    uint32_t link = plat_load_relaxed(link_of(&f, c, 0));
    plat_store_relaxed(link_of(&f, c, 0), link | 1);
    must_be_named(&f, 0, "is removed and still linked");
    CHECK_STATUS(cmi_skip_check(&f.nodes, &f.list, "test", 1, &(uint64_t){0}, &(cm_error_t){0}),
                 CM_OK); /* one dead thread may have left it */
    plat_store_relaxed(link_of(&f, c, 0), 4999u << 1);
    must_be_named(&f, 0, "is linked, but there are");
    plat_store_relaxed(link_of(&f, c, 0), link);

    cmi_skip_at(&f.nodes, node)->n_levels = 2;
    must_be_named(&f, 0, "has 2 levels");
    cmi_skip_at(&f.nodes, node)->n_levels = 3;
    plat_store_relaxed(link_of(&f, c, 0), 0u); /* off level 0, on the levels above */
    must_be_named(&f, 0, "is missing, but not on the level above");
    CHECK_STATUS(cmi_skip_check(&f.nodes, &f.list, "test", 1, &(uint64_t){0}, &(cm_error_t){0}), CM_OK); /* a dead remover */
    plat_store_relaxed(link_of(&f, c, 0), link);

    plat_store_relaxed(&f.list.head[1], node << 1);
    plat_store_relaxed(link_of(&f, node, 0), a << 1); /* a circle */
    must_be_named(&f, 0, "not in order");
    plat_store_relaxed(link_of(&f, node, 0), 0u);
    CHECK_EQ_U64(check_list(&f), 4);
    close_list(&f);
}

/* ---- threads ---------------------------------------------------------------------------------------------------------------------------------- */

enum { MOST_THREADS = 4, STAY = 40, NODES = 60000 };

typedef struct shared {
    fixture_t f;
    plat_epoch_t *epoch;
    plat_a32_t n_ready, n_writing;
    uint32_t n_threads,
        stay[STAY]; /* nodes that are there throughout, at the keys 2, 4, 6 ...; the others come and go between and beside them */
} shared_t;

/* A node on its way to being freed. */
typedef struct retired {
    plat_epoch_node_t node;
    cmi_skip_nodes_t *nodes;
    cmi_blocks_t *blocks;
    uint32_t index, handle;
} retired_t;

static void free_retired(plat_epoch_node_t *node) {
    retired_t *retired = (retired_t *)node;
    cmi_skip_free(retired->nodes, retired->index);
    cmi_blocks_free(retired->blocks, retired->handle);
}

typedef struct worker {
    shared_t *shared;
    uint32_t name, steps, n_bad;
    uint64_t n_met;
    rng_t rng;
    char first[160];
    plat_thread_t *handle;
    void (*body)(struct worker *);
} worker_t;

#define EXPECT(worker, condition, ...)                                                                             \
    do {                                                                                                           \
        if (!(condition) && (worker)->n_bad++ == 0) snprintf((worker)->first, sizeof(worker)->first, __VA_ARGS__); \
    } while (0)

static void retire(worker_t *w, uint32_t index) {
    fixture_t *f = &w->shared->f;
    uint32_t handle = cmi_blocks_alloc(f->blocks, sizeof(retired_t));
    retired_t *retired = cmi_blocks_at(f->blocks, handle);
    *retired = (retired_t){.nodes = &f->nodes, .blocks = f->blocks, .index = index, .handle = handle};
    plat_epoch_retire(w->shared->epoch, w->name, &retired->node, free_retired);
}

static void run_worker(void *argument) {
    worker_t *w = argument;
    EXPECT(w, plat_epoch_attach(w->shared->epoch, w->name), "attach");
    plat_fetch_add_relaxed(&w->shared->n_ready, 1);
    while (plat_load_relaxed(&w->shared->n_ready) < w->shared->n_threads) {} /* bounded: the others are on their way */
    w->body(w);
    plat_epoch_detach(w->shared->epoch, w->name);
}

static void run_all(shared_t *shared, uint32_t seed, uint32_t n, uint32_t n_writers, uint32_t steps, void (*const bodies[])(worker_t *)) {
    static worker_t workers[MOST_THREADS];
    uint64_t n_met = 0;
    shared->n_threads = n;
    plat_store_relaxed(&shared->n_ready, 0u);
    plat_store_relaxed(&shared->n_writing, n_writers);
    for (uint32_t i = 0; i < n; i++) {
        workers[i] = (worker_t){.shared = shared, .name = i, .steps = steps, .rng = rng_seed(seed * 31 + i), .body = bodies[i]};
        workers[i].handle = plat_thread_spawn(run_worker, &workers[i]);
    }
    for (uint32_t i = 0; i < n; i++) {
        plat_thread_join(workers[i].handle);
        n_met += workers[i].n_met;
        CHECK_MSG(workers[i].n_bad == 0, "seed %u, thread %u: %u times wrong, first: %s", seed, i, workers[i].n_bad, workers[i].first);
    }
    (void)n_met;
}

static void open_shared(shared_t *shared) {
    memset(shared, 0, sizeof *shared);
    open_list(&shared->f, NODES);
    shared->epoch = plat_epoch_open(MOST_THREADS);
    for (uint32_t i = 0; i < STAY; i++) shared->stay[i] = add(&shared->f, 2 * (i + 1), 1000);
}

/* Only what stays is there, and once the epoch has run its callbacks every block has come back. */
static void close_shared(shared_t *shared) {
    CHECK_EQ_U64(check_list(&shared->f), STAY);
    uint32_t node = cmi_skip_first(&shared->f.list);
    for (uint32_t i = 0; i < STAY; i++, node = node ? cmi_skip_next(&shared->f.nodes, node) : 0) CHECK_EQ_U64(node, shared->stay[i]);
    for (uint32_t i = 0; i < STAY; i++) drop(&shared->f, shared->stay[i]);
    plat_epoch_close(shared->epoch);
    CHECK_EQ_U64(cmi_blocks_bytes_used(shared->f.blocks), 0);
    close_list(&shared->f);
}

/* Holds up to a dozen nodes, at keys between and equal to those that stay. */
static void write(worker_t *w) {
    fixture_t *f = &w->shared->f;
    uint32_t held[12], n = 0;
    for (uint32_t step = 0; step < w->steps || n > 0; step++) {
        bool grow = step < w->steps && n < 12 && (n == 0 || rng_below(&w->rng, 2));
        plat_epoch_pin(w->shared->epoch, w->name);
        if (grow) {
            cm_status_t status = cmi_skip_make(&f->nodes, rng_below(&w->rng, 2 * STAY + 3), w->name, &held[n]);
            EXPECT(w, status == CM_OK || status == CM_E_INDEX_FULL, "make: %d", (int)status);
            if (status == CM_OK) cmi_skip_link(&f->nodes, &f->list, held[n++]);
        } else if (n > 0) {
            uint32_t i = rng_below(&w->rng, n);
            cmi_skip_unlink(&f->nodes, &f->list, held[i]);
            retire(w, held[i]);
            held[i] = held[--n];
        }
        plat_epoch_unpin(w->shared->epoch, w->name);
    }
    plat_fetch_sub_relaxed(&w->shared->n_writing, 1);
}

static bool ascends(const fixture_t *f, uint32_t a, uint32_t b) {
    const cmi_skip_node_t *left = cmi_skip_at(&f->nodes, a), *right = cmi_skip_at(&f->nodes, b);
    if (left->key != right->key) return left->key < right->key;
    return left->slot != right->slot ? left->slot < right->slot : a < b;
}

/* From a key on: everything that stays comes, in order. */
static void walk_from(worker_t *w, uint64_t key) {
    shared_t *shared = w->shared;
    fixture_t *f = &shared->f;
    uint32_t last = CMI_NO_SKIP_NODE, next_stay = key <= 2 ? 0 : (uint32_t)((key + 1) / 2 - 1);
    plat_epoch_pin(shared->epoch, w->name);
    uint32_t node = key == 0 ? cmi_skip_first(&f->list) : cmi_skip_seek(&f->nodes, &f->list, key);
    for (; node != CMI_NO_SKIP_NODE; last = node, node = cmi_skip_next(&f->nodes, node)) {
        EXPECT(w, cmi_skip_at(&f->nodes, node)->key >= key, "from %u: key %u", (unsigned)key, (unsigned)cmi_skip_at(&f->nodes, node)->key);
        EXPECT(w, last == CMI_NO_SKIP_NODE || ascends(f, last, node), "from %u: node %u behind node %u", (unsigned)key, node, last);
        if (next_stay < STAY && node == shared->stay[next_stay]) {
            EXPECT(w, !cmi_skip_removed(&f->nodes, node), "node %u seems removed", node);
            next_stay++;
        }
        w->n_met++;
    }
    EXPECT(w, next_stay == STAY, "from %u: the walk missed the node at key %u", (unsigned)key, 2 * (next_stay + 1));
    plat_epoch_unpin(shared->epoch, w->name);
}

static void walk(worker_t *w) {
    do {
        for (uint32_t i = 0; i < 20; i++) walk_from(w, i % 4 == 0 ? 0 : rng_below(&w->rng, 2 * STAY));
    } while (plat_load_relaxed(&w->shared->n_writing) > 0);
}

TEST(walks_ascend_and_miss_nothing_that_stays) {
    static shared_t shared;
    for (uint32_t round = 0; round < rounds(3); round++) {
        open_shared(&shared);
        run_all(&shared, round, 4, 3, 12000, (void (*const[])(worker_t *)){write, write, write, walk});
        close_shared(&shared);
    }
    for (uint32_t round = 0; round < rounds(2); round++) {
        open_shared(&shared);
        run_all(&shared, round, 4, 2, 12000, (void (*const[])(worker_t *)){write, write, walk, walk});
        close_shared(&shared);
    }
}

/* Neighbours in one gap: marks, helping and restarts all the time. */
static void write_in_one_gap(worker_t *w) {
    fixture_t *f = &w->shared->f;
    for (uint32_t step = 0; step < w->steps; step++) {
        uint32_t node;
        plat_epoch_pin(w->shared->epoch, w->name);
        if (cmi_skip_make(&f->nodes, 41, rng_below(&w->rng, 3), &node) == CM_OK) {
            cmi_skip_link(&f->nodes, &f->list, node);
            EXPECT(w, !cmi_skip_removed(&f->nodes, node), "my node seems removed");
            cmi_skip_unlink(&f->nodes, &f->list, node);
            for (uint32_t at = cmi_skip_seek(&f->nodes, &f->list, 41); at != CMI_NO_SKIP_NODE; at = cmi_skip_next(&f->nodes, at))
                EXPECT(w, at != node, "node %u is unlinked, and a walk that began later meets it", node);
            retire(w, node);
        }
        plat_epoch_unpin(w->shared->epoch, w->name);
    }
}

TEST(what_was_unlinked_is_met_no_more) {
    static shared_t shared;
    for (uint32_t round = 0; round < rounds(3); round++) {
        open_shared(&shared);
        run_all(&shared, round, 4, 4, 8000,
                (void (*const[])(worker_t *)){write_in_one_gap, write_in_one_gap, write_in_one_gap, write_in_one_gap});
        close_shared(&shared);
    }
}

/* One thread finds each node that it linked itself, while others come and go right before it, on many levels. */
static void link_and_find(worker_t *w) {
    fixture_t *f = &w->shared->f;
    for (uint32_t step = 0; step < w->steps; step++) {
        uint32_t node;
        plat_epoch_pin(w->shared->epoch, w->name);
        if (cmi_skip_make(&f->nodes, 61, step % 64, &node) == CM_OK) {
            cmi_skip_link(&f->nodes, &f->list, node);
            uint32_t found = cmi_skip_seek(&f->nodes, &f->list, 61);
            EXPECT(w, found == node, "step %u: linked node %u, found %u", step, node, found);
            cmi_skip_unlink(&f->nodes, &f->list, node);
            retire(w, node);
        }
        plat_epoch_unpin(w->shared->epoch, w->name);
    }
    plat_fetch_sub_relaxed(&w->shared->n_writing, 1);
}

static void come_and_go(worker_t *w) {
    fixture_t *f = &w->shared->f;
    for (uint32_t i = 0; plat_load_relaxed(&w->shared->n_writing) > 0; i++) {
        uint32_t node;
        plat_epoch_pin(w->shared->epoch, w->name);
        if (cmi_skip_make(&f->nodes, 60, 2000 + i, &node) == CM_OK) {
            if (cmi_skip_at(&f->nodes, node)->n_levels < 3) cmi_skip_free(&f->nodes, node);
            else {
                cmi_skip_link(&f->nodes, &f->list, node);
                cmi_skip_unlink(&f->nodes, &f->list, node);
                retire(w, node);
            }
        }
        plat_epoch_unpin(w->shared->epoch, w->name);
    }
}

TEST(what_a_thread_linked_it_finds) {
    static shared_t shared;
    for (uint32_t round = 0; round < rounds(2); round++) {
        open_shared(&shared);
        run_all(&shared, round, 3, 1, 60000, (void (*const[])(worker_t *)){link_and_find, come_and_go, come_and_go});
        close_shared(&shared);
    }
}

int main(void) {
    RUN(it_is_the_sorted_array);
    RUN(an_empty_list_has_nothing);
    RUN(appending_builds_what_linking_builds);
    RUN(levels_are_drawn_one_in_four);
    RUN(nodes_run_out_and_come_back);
    RUN(what_is_marked_is_helped_out_of_the_way);
    RUN(no_walk_goes_down_through_a_removed_node);
    RUN(check_names_the_damage);
    RUN(walks_ascend_and_miss_nothing_that_stays);
    RUN(what_was_unlinked_is_met_no_more);
    RUN(what_a_thread_linked_it_finds);
    return tap_done();
}
