/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * idmap.c - the id map alone, mostly one thread playing several: what two writers do one after the other at their slowest. (Removals among many threads
 * need an epoch: tests/concurrency/store.c.)
 *
 * Proves: keys are found, however many and whatever their hashes; removed entries go and come back; a tombstone is helped out of the way; the
 * born/scan rule; the end of entries; and that check() sees each kind of damage.
 */
#include "store/idmap.h"
#include "plat_thread.h"
#include "support/tap.h"
#include "support/vectors.h"

typedef struct fixture {
    cmi_blocks_t *blocks;
    cmi_idmap_t map;
} fixture_t;

static fixture_t open_map(uint32_t n_keys) {
    fixture_t f = {.blocks = cmi_blocks_open()};
    CHECK(cmi_idmap_open(&f.map, f.blocks, n_keys));
    f.map.seed = 42; /* in place of a random one: every run is the same */
    return f;
}

static void check_map(const fixture_t *f, uint32_t n_keys) {
    cm_error_t error = {CM_OK, ""};
    CHECK_MSG(cmi_idmap_check(&f->map, "test", 0, &error) == CM_OK, "%s", error.message);
    CHECK_EQ_U64(plat_load_relaxed((plat_a32_t *)&f->map.n_keys), n_keys);
}

static void close_map(fixture_t *f) {
    cmi_idmap_close(&f->map);
    cmi_blocks_close(f->blocks);
}

static cm_str_t number_key(char *out, uint32_t number) {
    return (cm_str_t){out, (size_t)snprintf(out, 16, "key %u", number)};
}

/* Obtains the key's entry, which must be new, and gives it a slot, as an insert does. */
static uint32_t add(fixture_t *f, cm_str_t key, uint32_t slot) {
    uint32_t entry = CMI_NO_ENTRY_INDEX;
    uint64_t value = 77, none = CMI_VALUE_NONE;
    bool made = false;
    CHECK_STATUS(cmi_idmap_obtain(&f->map, key, &entry, &value, &made), CM_OK);
    CHECK_MSG(made && value == CMI_VALUE_NONE, "\"%.*s\" was there", (int)key.len, key.data);
    cmi_idmap_set_born(&f->map, entry);
    CHECK(cmi_idmap_cas(&f->map, entry, &none, cmi_value_of(slot, 0)));
    return entry;
}

/* The first half of a removal: from here on the key is gone. */
static void bury(fixture_t *f, uint32_t entry) {
    uint64_t value = cmi_idmap_value(&f->map, entry);
    CHECK(cmi_value_is_slot(value));
    CHECK(cmi_idmap_cas(&f->map, entry, &value, CMI_VALUE_TOMB));
}

/* All of it, grace period included: nobody else looks. */
static void drop(fixture_t *f, uint32_t entry) {
    bury(f, entry);
    cmi_idmap_unlink(&f->map, entry);
    cmi_idmap_free(&f->map, entry);
}

/* The slot of a key, UINT32_MAX where it has none. */
static uint32_t slot_of(const fixture_t *f, cm_str_t key) {
    uint32_t entry = cmi_idmap_find(&f->map, key);
    if (entry == CMI_NO_ENTRY_INDEX) return UINT32_MAX;
    CHECK(cmi_str_compare(cmi_idmap_key(&f->map, entry), key) == 0);
    uint64_t value = cmi_idmap_value(&f->map, entry);
    return cmi_value_is_slot(value) ? cmi_value_slot(value) : UINT32_MAX;
}

/* ---- what a map does ------------------------------------------------------------------------------------------------------------- */

TEST(values_of_slots_are_neither_none_nor_tomb) {
    const uint32_t slots[] = {0, 1, (1u << 30) * 3 / 2 + 1024}, generations[] = {0, 1, UINT32_MAX};
    for (uint32_t s = 0; s < 3; s++)
        for (uint32_t g = 0; g < 3; g++) {
            uint64_t value = cmi_value_of(slots[s], generations[g]);
            CHECK(cmi_value_is_slot(value));
            CHECK_EQ_U64(cmi_value_slot(value), slots[s]);
        }
    CHECK(!cmi_value_is_slot(CMI_VALUE_NONE) && !cmi_value_is_slot(CMI_VALUE_TOMB));
}

TEST(keys_are_found_by_their_bytes) {
    static char longest[CM_MAX_ID_BYTES];
    memset(longest, 'k', sizeof longest);
    const cm_str_t keys[] = {
        CM_STR("a"), CM_STR("b"), CM_STR("ab"), CM_STR("a\0"), CM_STR("\0"), {longest, sizeof longest}, {longest, sizeof longest - 1}};
    fixture_t f = open_map(100);
    for (uint32_t i = 0; i < 7; i++) CHECK_EQ_U64(slot_of(&f, keys[i]), UINT32_MAX);
    for (uint32_t i = 0; i < 7; i++) add(&f, keys[i], i);
    for (uint32_t i = 0; i < 7; i++) CHECK_EQ_U64(slot_of(&f, keys[i]), i);
    CHECK_EQ_U64(slot_of(&f, CM_STR("A")), UINT32_MAX);
    check_map(&f, 7);
    close_map(&f);
}

TEST(obtain_gives_an_existing_entry_and_its_value) {
    fixture_t f = open_map(100);
    uint32_t entry = add(&f, CM_STR("key"), 5), again;
    uint64_t value;
    bool made = true;
    CHECK_STATUS(cmi_idmap_obtain(&f.map, CM_STR("key"), &again, &value, &made), CM_OK);
    CHECK_EQ_U64(again, entry);
    CHECK_EQ_U64(value, cmi_value_of(5, 0));
    CHECK(!made);
    check_map(&f, 1);
    close_map(&f);
}

TEST(a_removed_key_is_gone_and_its_entry_comes_back) {
    fixture_t f = open_map(100);
    uint32_t entry = add(&f, CM_STR("key"), 5);
    uint64_t used = cmi_blocks_bytes_used(f.blocks);
    drop(&f, entry);
    CHECK_EQ_U64(slot_of(&f, CM_STR("key")), UINT32_MAX);
    check_map(&f, 0);
    CHECK_EQ_U64(add(&f, CM_STR("key"), 6), entry);
    CHECK_EQ_U64(cmi_blocks_bytes_used(f.blocks), used);
    CHECK_EQ_U64(slot_of(&f, CM_STR("key")), 6);
    check_map(&f, 1);
    close_map(&f);
}

/* Ten times as many removals as there are entries. */
TEST(churn_uses_up_nothing) {
    enum { KEYS = 50, ROUNDS = 10000 };
    fixture_t f = open_map(KEYS);
    uint32_t entry_of[KEYS] = {0};
    char text[16];
    rng_t rng = rng_seed(5);
    for (uint32_t i = 0, n = 0; i < ROUNDS; i++) {
        uint32_t at = rng_below(&rng, KEYS);
        if (entry_of[at]) {
            drop(&f, entry_of[at]);
            entry_of[at] = 0;
            n--;
        } else {
            entry_of[at] = add(&f, number_key(text, at), at);
            n++;
        }
        CHECK_EQ_U64(slot_of(&f, number_key(text, at)), entry_of[at] ? at : UINT32_MAX);
        if (i % 100 == 0) check_map(&f, n);
    }
    CHECK(cmi_idmap_end(&f.map) <= KEYS + 256 + 2);
    close_map(&f);
}

TEST(a_hundred_thousand_keys_grow_the_buckets) {
    enum { N = 100000 };
    fixture_t f = open_map(N);
    char text[16];
    uint64_t bytes_before = cmi_idmap_bytes(&f.map);
    uint32_t *entries = malloc(N * sizeof *entries), n_buckets = plat_load_relaxed(&f.map.n_buckets), n_growths = 0;
    for (uint32_t i = 0; i < N; i++) {
        entries[i] = add(&f, number_key(text, i), i);
        if (plat_load_relaxed(&f.map.n_buckets) == n_buckets) continue;
        n_buckets = plat_load_relaxed(&f.map.n_buckets); /* it has just doubled: all that were there before are still found */
        n_growths++;
        for (uint32_t j = 0; j <= i; j += 1 + i / 500) CHECK_EQ_U64(slot_of(&f, number_key(text, j)), j);
    }
    CHECK_MSG(n_buckets >= N / 4 && n_growths >= 7, "%u buckets after %u doublings", n_buckets, n_growths);
    check_map(&f, N);
    CHECK(cmi_idmap_bytes(&f.map) >= bytes_before + (uint64_t)N * sizeof(cmi_entry_t));
    for (uint32_t i = 0; i < N; i++) CHECK_EQ_U64(slot_of(&f, number_key(text, i)), i);
    for (uint32_t i = N; i < 2 * N; i++) CHECK_EQ_U64(slot_of(&f, number_key(text, i)), UINT32_MAX);
    for (uint32_t i = 0; i < N; i += 2) drop(&f, entries[i]);
    for (uint32_t i = 0; i < N; i++) CHECK_EQ_U64(slot_of(&f, number_key(text, i)), i % 2 ? i : UINT32_MAX);
    check_map(&f, N / 2);
    free(entries);
    close_map(&f);
}

/* ---- colliding hashes -------------------------------------------------------------------------------------------------------------- */

typedef struct hashed {
    uint32_t hash, number;
} hashed_t;

static int by_hash(const void *a, const void *b) {
    const hashed_t *x = a, *y = b;
    return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : (x->number > y->number) - (x->number < y->number);
}

/* Keys whose places in the list are the same (31 bits of the hash), by birthday: 400,000 keys have some 37 such pairs. */
TEST(keys_of_one_hash_live_side_by_side) {
    enum { N = 400000 };
    fixture_t f = open_map(1000);
    hashed_t *all = malloc(N * sizeof *all);
    char a[16], b[16];
    for (uint32_t i = 0; i < N; i++) {
        cm_str_t key = number_key(a, i);
        all[i] = (hashed_t){(uint32_t)cmi_hash(key.data, key.len, f.map.seed) & 0x7FFFFFFF, i};
    }
    qsort(all, N, sizeof *all, by_hash);
    uint32_t n_pairs = 0;
    for (uint32_t i = 1; i < N; i++) {
        if (all[i].hash != all[i - 1].hash) continue;
        cm_str_t first = number_key(a, all[i - 1].number), second = number_key(b, all[i].number);
        uint32_t entry = add(&f, first, 1);
        CHECK_EQ_U64(slot_of(&f, second), UINT32_MAX);
        uint32_t other = add(&f, second, 2);
        CHECK(entry != other && cmi_idmap_at(&f.map, entry)->order == cmi_idmap_at(&f.map, other)->order);
        check_map(&f, 2);
        bury(&f, entry);
        CHECK_EQ_U64(slot_of(&f, second), 2); /* past a tombstone of the same order */
        cmi_idmap_unlink(&f.map, entry);
        CHECK_EQ_U64(slot_of(&f, first), UINT32_MAX);
        CHECK_EQ_U64(slot_of(&f, second), 2);
        cmi_idmap_free(&f.map, entry);
        uint32_t again = add(&f, first, 3);
        CHECK_EQ_U64(slot_of(&f, first), 3);
        drop(&f, other);
        CHECK_EQ_U64(slot_of(&f, first), 3);
        drop(&f, again);
        check_map(&f, 0);
        n_pairs++;
    }
    CHECK_MSG(n_pairs > 10, "%u pairs", n_pairs);
    free(all);
    close_map(&f);
}

/* ---- two writers ------------------------------------------------------------------------------------------------------------------------ */

/* The remover stands still after its CAS. */
TEST(a_writer_helps_a_tombstone_out_of_the_way) {
    fixture_t f = open_map(100);
    uint32_t old = add(&f, CM_STR("key"), 1);
    bury(&f, old);
    CHECK_EQ_U64(slot_of(&f, CM_STR("key")), UINT32_MAX);
    uint32_t fresh = add(&f, CM_STR("key"), 2);
    CHECK(fresh != old);
    CHECK_EQ_U64(slot_of(&f, CM_STR("key")), 2);
    CHECK_EQ_U64(cmi_idmap_value(&f.map, old), CMI_VALUE_TOMB);
    cmi_idmap_unlink(&f.map, old); /* it wakes up */
    CHECK_EQ_U64(slot_of(&f, CM_STR("key")), 2);
    cmi_idmap_free(&f.map, old);
    check_map(&f, 1);
    drop(&f, fresh);
    check_map(&f, 0);
    close_map(&f);
}

/* Both have the entry before either gives it a slot; one gives up. */
TEST(two_writers_may_share_a_fresh_entry) {
    fixture_t f = open_map(100);
    uint32_t a, b;
    uint64_t value;
    bool made_a, made_b;
    CHECK_STATUS(cmi_idmap_obtain(&f.map, CM_STR("key"), &a, &value, &made_a), CM_OK);
    CHECK_STATUS(cmi_idmap_obtain(&f.map, CM_STR("key"), &b, &value, &made_b), CM_OK);
    CHECK(a == b && made_a && !made_b && value == CMI_VALUE_NONE);
    uint64_t none = CMI_VALUE_NONE;
    CHECK(cmi_idmap_cas(&f.map, b, &none, cmi_value_of(9, 1)));
    none = CMI_VALUE_NONE;
    CHECK(!cmi_idmap_cas(&f.map, a, &none, CMI_VALUE_TOMB));
    CHECK_EQ_U64(none, cmi_value_of(9, 1));
    CHECK_EQ_U64(slot_of(&f, CM_STR("key")), 9);
    check_map(&f, 1);
    close_map(&f);
}

/* ---- many writers, and nobody who removes (so that no epoch is needed) ------------------------------------------------------------------------- */

enum { N_THREADS = 4, N_RACED = 60000 };

typedef struct racer {
    cmi_idmap_t *map;
    plat_a32_t *n_ready;
    uint32_t *entries; /* N_RACED: what this thread was given */
    uint32_t n_made, n_bad;
    plat_thread_t *thread;
} racer_t;

/* All obtain the same keys in the same order: each key is fought for, and the losers' entries go back to the free stack at once. */
static void obtain_all(void *argument) {
    racer_t *racer = argument;
    char text[16];
    plat_fetch_add_relaxed(racer->n_ready, 1);
    while (plat_load_relaxed(racer->n_ready) < N_THREADS) {} /* bounded: the others are on their way */
    for (uint32_t i = 0; i < N_RACED; i++) {
        uint64_t value;
        bool made;
        racer->n_bad += cmi_idmap_obtain(racer->map, number_key(text, i), &racer->entries[i], &value, &made) != CM_OK;
        racer->n_bad += cmi_idmap_find(racer->map, number_key(text, i)) != racer->entries[i];
        racer->n_made += made;
    }
}

TEST(a_key_that_many_obtain_has_one_entry) {
    for (uint32_t round = 0; round < 5; round++) {
        fixture_t f = open_map(N_RACED + N_THREADS);
        racer_t racers[N_THREADS];
        plat_a32_t n_ready = 0;
        uint32_t n_made = 0;
        for (uint32_t t = 0; t < N_THREADS; t++) {
            racers[t] = (racer_t){.map = &f.map, .n_ready = &n_ready, .entries = malloc(N_RACED * sizeof(uint32_t))};
            racers[t].thread = plat_thread_spawn(obtain_all, &racers[t]);
        }
        for (uint32_t t = 0; t < N_THREADS; t++) {
            plat_thread_join(racers[t].thread);
            CHECK_EQ_U64(racers[t].n_bad, 0);
            n_made += racers[t].n_made;
        }
        CHECK_EQ_U64(n_made, N_RACED);
        check_map(&f, N_RACED);
        uint32_t n_different = 0;
        for (uint32_t t = 1; t < N_THREADS; t++)
            for (uint32_t i = 0; i < N_RACED; i++) n_different += racers[t].entries[i] != racers[0].entries[i];
        CHECK_EQ_U64(n_different, 0);
        for (uint32_t t = 0; t < N_THREADS; t++) free(racers[t].entries);
        close_map(&f);
    }
}

/* ---- scans ---------------------------------------------------------------------------------------------------------------------------------- */

static uint32_t times_seen(const fixture_t *f, uint32_t scan, const char *key) {
    uint32_t n = 0, end = cmi_idmap_end(&f->map);
    for (uint32_t entry = 1; entry < end; entry++) {
        if (!cmi_value_is_slot(cmi_idmap_value(&f->map, entry)) || !cmi_idmap_born_before(&f->map, entry, scan)) continue;
        n += cmi_str_compare(cmi_idmap_key(&f->map, entry), (cm_str_t){key, strlen(key)}) == 0;
    }
    return n;
}

TEST(a_scan_sees_what_was_born_before_it_and_nothing_else) {
    fixture_t f = open_map(100);
    add(&f, CM_STR("before"), 1);
    uint32_t first = cmi_idmap_begin_scan(&f.map);
    uint32_t between = add(&f, CM_STR("between"), 2);
    uint32_t second = cmi_idmap_begin_scan(&f.map);
    CHECK(first != 0 && first != second);
    CHECK_EQ_U64(times_seen(&f, first, "before"), 1);
    CHECK_EQ_U64(times_seen(&f, first, "between"), 0);
    CHECK_EQ_U64(times_seen(&f, second, "before"), 1);
    CHECK_EQ_U64(times_seen(&f, second, "between"), 1);

    /* Removed and added again during the second scan: an entry of its own, and not seen a second time. */
    bury(&f, between);
    uint32_t again = add(&f, CM_STR("between"), 3);
    CHECK(again != between);
    CHECK_EQ_U64(times_seen(&f, second, "between"), 0);
    CHECK_EQ_U64(times_seen(&f, cmi_idmap_begin_scan(&f.map), "between"), 1);
    cmi_idmap_unlink(&f.map, between);
    cmi_idmap_free(&f.map, between);

    /* An entry that is used again is born again. */
    drop(&f, again);
    uint32_t third = cmi_idmap_begin_scan(&f.map);
    CHECK_EQ_U64(add(&f, CM_STR("between"), 4), again);
    CHECK_EQ_U64(times_seen(&f, third, "between"), 0);
    CHECK_EQ_U64(times_seen(&f, cmi_idmap_begin_scan(&f.map), "between"), 1);
    close_map(&f);
}

/* The writer that asks first decides, so that a scan cannot lose an entry that it has seen. */
TEST(an_entry_is_born_once) {
    fixture_t f = open_map(100);
    uint32_t entry;
    uint64_t value, none = CMI_VALUE_NONE;
    bool made;
    CHECK_STATUS(cmi_idmap_obtain(&f.map, CM_STR("key"), &entry, &value, &made), CM_OK);
    cmi_idmap_set_born(&f.map, entry);
    uint32_t scan = cmi_idmap_begin_scan(&f.map);
    cmi_idmap_set_born(&f.map, entry); /* another writer, later */
    CHECK(cmi_idmap_cas(&f.map, entry, &none, cmi_value_of(1, 0)));
    CHECK_EQ_U64(times_seen(&f, scan, "key"), 1);
    close_map(&f);
}

/* ---- the end of entries --------------------------------------------------------------------------------------------------------------------- */

TEST(a_full_map_says_so_and_goes_on) {
    enum { N = 64 };
    fixture_t f = open_map(N);
    char text[16];
    uint32_t entry, n = 0, entries[1000];
    uint64_t value;
    bool made;
    while (n < 1000 && cmi_idmap_obtain(&f.map, number_key(text, n), &entry, &value, &made) == CM_OK) {
        uint64_t none = CMI_VALUE_NONE;
        CHECK(made && cmi_idmap_cas(&f.map, entry, &none, cmi_value_of(n, 0)));
        entries[n++] = entry;
    }
    CHECK_MSG(n >= N && n < 1000, "%u keys", n);
    uint64_t used = cmi_blocks_bytes_used(f.blocks);
    CHECK_STATUS(cmi_idmap_obtain(&f.map, CM_STR("one too many"), &entry, &value, &made), CM_E_INDEX_FULL);
    CHECK_EQ_U64(cmi_blocks_bytes_used(f.blocks), used); /* its key was given back */
    CHECK_EQ_U64(slot_of(&f, CM_STR("one too many")), UINT32_MAX);
    CHECK_STATUS(cmi_idmap_obtain(&f.map, number_key(text, 7), &entry, &value, &made), CM_OK);
    CHECK(!made);
    check_map(&f, n);
    drop(&f, entries[3]);
    CHECK_EQ_U64(add(&f, number_key(text, 3), 3), entries[3]);
    for (uint32_t i = 0; i < n; i++) CHECK_EQ_U64(slot_of(&f, number_key(text, i)), i);
    check_map(&f, n);
    close_map(&f);
}

/* ---- check() ------------------------------------------------------------------------------------------------------------------------------------ */

enum { N_FILLED = 200 }; /* enough for keys that follow each other with no dummy between */

static fixture_t open_filled(uint32_t *entries) {
    fixture_t f = open_map(1000);
    char text[16];
    for (uint32_t i = 0; i < N_FILLED; i++) entries[i] = add(&f, number_key(text, i), i);
    check_map(&f, N_FILLED);
    return f;
}

/* Each damage is done, seen and undone. */
static void expect_damage(fixture_t *f, const char *words) {
    cm_error_t error = {CM_OK, ""};
    CHECK_MSG(cmi_idmap_check(&f->map, "test", 0, &error) == CM_E_INVARIANT, "not seen: %s", words);
    CHECK_MSG(strstr(error.message, words) && strstr(error.message, "test"), "\"%s\" does not say \"%s\"", error.message, words);
}

/* An entry that is followed by another key, and that one. */
static uint32_t entry_before_a_key(const fixture_t *f, const uint32_t *entries, uint32_t *next) {
    for (uint32_t i = 0; i < N_FILLED; i++) {
        *next = plat_load_relaxed(&cmi_idmap_at(&f->map, entries[i])->next) >> 1;
        if (*next != CMI_NO_ENTRY_INDEX && cmi_idmap_at(&f->map, *next)->key != CMI_NO_BLOCK) return entries[i];
    }
    CHECK(false);
    return entries[0];
}

TEST(check_sees_damage_to_entries) {
    uint32_t entries[N_FILLED], behind;
    fixture_t f = open_filled(entries);
    cmi_entry_t *entry = cmi_idmap_at(&f.map, entries[7]);
    uint32_t order = entry->order, key = entry->key;
    entry->order ^= 2;
    expect_damage(&f, "not where its hash belongs");
    entry->order = order ^ 1;
    expect_damage(&f, "a dummy with a key");
    entry->order = order;
    entry->key = CMI_NO_BLOCK;
    expect_damage(&f, "a dummy with a key");
    entry->key = key;

    cmi_entry_t *before = cmi_idmap_at(&f.map, entry_before_a_key(&f, entries, &behind));
    order = before->order;
    before->order = cmi_idmap_at(&f.map, behind)->order + 2;
    expect_damage(&f, "test entry");
    before->order = order;
    char *bytes = (char *)cmi_idmap_key(&f.map, entries[3]).data;
    bytes[0] ^= 1;
    expect_damage(&f, "not where its hash belongs");
    bytes[0] ^= 1;
    check_map(&f, N_FILLED);
    close_map(&f);
}

TEST(check_sees_damage_to_the_list) {
    uint32_t entries[N_FILLED], behind;
    fixture_t f = open_filled(entries);
    cmi_entry_t *before = cmi_idmap_at(&f.map, entry_before_a_key(&f, entries, &behind));
    uint32_t next = plat_load_relaxed(&before->next);
    plat_store_relaxed(&before->next, next | 1);
    expect_damage(&f, "marked and still linked");
    plat_store_relaxed(&before->next, plat_load_relaxed(&cmi_idmap_at(&f.map, behind)->next));
    expect_damage(&f, "are counted"); /* one entry left out */
    plat_store_relaxed(&before->next, 1u << 1);
    expect_damage(&f, "breaks the split order"); /* back to the head of the list */
    plat_store_relaxed(&before->next, cmi_idmap_end(&f.map) << 1);
    expect_damage(&f, "is linked, but there are");
    plat_store_relaxed(&before->next, next);
    plat_store_relaxed(&f.map.n_keys, N_FILLED + 1);
    expect_damage(&f, "are counted");
    plat_store_relaxed(&f.map.n_keys, N_FILLED);
    check_map(&f, N_FILLED);
    close_map(&f);
}

/* Two keys of the same order: the one rule about order that a cycle of them does not break. */
TEST(check_sees_a_cycle) {
    uint32_t entries[N_FILLED];
    fixture_t f = open_filled(entries);
    cmi_entry_t *entry = cmi_idmap_at(&f.map, entries[11]);
    uint32_t next = plat_load_relaxed(&entry->next);
    plat_store_relaxed(&entry->next, entries[11] << 1);
    expect_damage(&f, "cycle");
    plat_store_relaxed(&entry->next, next);
    check_map(&f, N_FILLED);
    close_map(&f);
}

TEST(check_sees_damage_to_buckets) {
    uint32_t entries[N_FILLED], n_tried = 0;
    fixture_t f = open_filled(entries);
    for (uint32_t bucket = 0; bucket < plat_load_relaxed(&f.map.n_buckets); bucket++) {
        plat_a32_t *place = (plat_a32_t *)cmi_arena_at(&f.map.buckets, bucket);
        uint32_t dummy = plat_load_relaxed(place);
        if (dummy == CMI_NO_ENTRY_INDEX) continue;
        plat_store_relaxed(place, entries[5]);
        expect_damage(&f, "is not its dummy");
        plat_store_relaxed(place, dummy);
        n_tried++;
    }
    CHECK_MSG(n_tried > 3, "%u buckets are open", n_tried);
    check_map(&f, N_FILLED);
    close_map(&f);
}

int main(void) {
    RUN(values_of_slots_are_neither_none_nor_tomb);
    RUN(keys_are_found_by_their_bytes);
    RUN(obtain_gives_an_existing_entry_and_its_value);
    RUN(a_removed_key_is_gone_and_its_entry_comes_back);
    RUN(churn_uses_up_nothing);
    RUN(a_hundred_thousand_keys_grow_the_buckets);
    RUN(keys_of_one_hash_live_side_by_side);
    RUN(a_writer_helps_a_tombstone_out_of_the_way);
    RUN(two_writers_may_share_a_fresh_entry);
    RUN(a_key_that_many_obtain_has_one_entry);
    RUN(a_scan_sees_what_was_born_before_it_and_nothing_else);
    RUN(an_entry_is_born_once);
    RUN(a_full_map_says_so_and_goes_on);
    RUN(check_sees_damage_to_entries);
    RUN(check_sees_damage_to_the_list);
    RUN(check_sees_a_cycle);
    RUN(check_sees_damage_to_buckets);
    return tap_done();
}
