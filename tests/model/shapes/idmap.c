/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * idmap.c - core/store/idmap.c: one id has one entry at any moment; a word that was set is found, with what it stands for; a removed entry is out of the list when
 * its remover is done; a scan sees no id twice. [M1] [M2] [M3] [M6] [M7] [M8]
 *
 * What a slot stands for is data[slot], plain: reading it without the word's acquire is a race.
 */
#include "model/model.h"
#include "index/hnsw.h"
#include "store/idmap.h"

static cmi_blocks_t *blocks;
static cmi_idmap_t map;
static uint32_t data[8];
static uint32_t n_won;  /* set in finish */
static uint32_t won[4]; /* words: the checker tells four bytes apart, not one */

/* Two ids of one bucket, of 256 buckets and of 512, A before B in the list, and one whose bucket is the one that theirs was split from. */
static cm_str_t A, B, PARENT;

static void must(cm_status_t status) {
    MODEL_CHECK(status == CM_OK);
}

/* A memory of the id, as insert.c makes one: data first, then the word. False: another was first. */
static bool put(cm_str_t id, uint32_t slot) {
    uint32_t entry;
    uint64_t value;
    bool made;
    data[slot] = slot;
    must(cmi_idmap_obtain(&map, id, &entry, &value, &made));
    MODEL_CHECK(value != CMI_VALUE_TOMB);
    if (value != CMI_VALUE_NONE) return false;
    cmi_idmap_set_born(&map, entry);
    if (cmi_idmap_cas(&map, entry, &value, cmi_value_of(slot, 0))) return true;
    if (cmi_value_is_slot(value)) MODEL_CHECK(data[cmi_value_slot(value)] == cmi_value_slot(value)); /* what came first is complete */
    return false;
}

/* As remove.c. True: this thread ended it. The entry is not freed: that is the epoch's business. */
static bool take(cm_str_t id) {
    uint32_t entry = cmi_idmap_find(&map, id);
    if (entry == CMI_NO_ENTRY_INDEX) return false;
    uint64_t value = cmi_idmap_value(&map, entry);
    while (cmi_value_is_slot(value)) {
        if (!cmi_idmap_cas(&map, entry, &value, CMI_VALUE_TOMB)) continue;
        cmi_idmap_unlink(&map, entry);
        return true;
    }
    return false;
}

/* The slot of the id, CMI_NONE for none; what it stands for is complete. */
static uint32_t get(cm_str_t id) {
    uint32_t entry = cmi_idmap_find(&map, id);
    if (entry == CMI_NO_ENTRY_INDEX) return CMI_NONE;
    uint64_t value = cmi_idmap_value(&map, entry);
    if (!cmi_value_is_slot(value)) return CMI_NONE;
    MODEL_CHECK(data[cmi_value_slot(value)] == cmi_value_slot(value));
    return cmi_value_slot(value);
}

#define N_NAMES 4096u
static char names[N_NAMES][3];

static uint32_t hash_of_name(uint32_t i) {
    return (uint32_t)cmi_hash(names[i], 3, map.seed);
}
static cm_str_t name(uint32_t i) {
    return (cm_str_t){names[i], 3};
}
/* The order in the list is that of the reversed bits, beyond those of the bucket. */
static bool comes_before(uint32_t a, uint32_t b) {
    uint32_t x = hash_of_name(a), y = hash_of_name(b), lowest = (x ^ y) & -(x ^ y);
    return (y & lowest) != 0;
}
static uint32_t name_in_bucket(uint32_t bucket, uint32_t from) {
    while ((hash_of_name(from) & 511u) != bucket) from++;
    return from;
}

static void choose_ids(void) {
    for (uint32_t i = 0; i < N_NAMES; i++)
        names[i][0] = (char)('0' + i / 256), names[i][1] = (char)('0' + i / 16 % 16), names[i][2] = (char)('0' + i % 16);
    uint32_t bucket = 256 + 128 + 5, a = name_in_bucket(bucket, 0), b = name_in_bucket(bucket, a + 1);
    bool in_order = comes_before(a, b);
    A = name(in_order ? a : b);
    B = name(in_order ? b : a);
    PARENT = name(name_in_bucket(256 + 5, 0));
}

static void open_map(void) {
    blocks = cmi_blocks_open();
    memset(won, 0, sizeof won);
    memset(data, 0, sizeof data);
    MODEL_CHECK(blocks && cmi_idmap_open(&map, blocks, 1000));
    choose_ids();
}
/* The bucket of the id has its dummy: the shapes are smaller. */
static void open_bucket_of(cm_str_t id) {
    MODEL_CHECK(put(id, 0) && take(id));
}
static void open_parent_only(void) {
    open_map();
    open_bucket_of(PARENT);
}
static void open_empty(void) {
    open_map();
    open_bucket_of(A);
}
static void open_with_a(void) {
    open_map();
    MODEL_CHECK(put(A, 0));
}
static void open_with_both(void) {
    open_with_a();
    MODEL_CHECK(put(B, 1));
}

static void check_map(void) {
    cm_error_t error;
    MODEL_CHECK(cmi_idmap_check(&map, "id", 0, &error) == CM_OK);
    n_won = won[1] + won[2];
}
static void one_put(void) {
    check_map();
    MODEL_CHECK(n_won == 1 && get(A) == (won[1] ? 1 : 2));
}

static void put_1(void) {
    won[1] = put(A, 1);
}
static void put_2(void) {
    won[2] = put(A, 2);
}
static void put_b(void) {
    MODEL_CHECK(put(B, 3));
}
static void get_twice(void) {
    uint32_t first = get(A), second = get(A);
    MODEL_CHECK(first == CMI_NONE || first == second); /* nobody removes it */
}
static void get_a(void) {
    get(A);
}
static void get_b_always(void) {
    MODEL_CHECK(get(B) == 1);
}
static void take_a(void) {
    won[3] = take(A);
}
static void take_a_too(void) {
    won[2] = take(A);
}

SHAPE(idmap, two_put_one_id, open_empty, one_put, put_1, put_2)
SHAPE(idmap, two_put_one_id_while_one_reads, open_empty, one_put, put_1, put_2, get_twice)
SHAPE(idmap, two_put_into_a_bucket_without_dummy, open_parent_only, one_put, put_1, put_2)

/* The bucket of A is split from that of another id: its dummy is linked right behind an entry that is being removed. */
static void open_with_parent_only(void) {
    open_map();
    MODEL_CHECK(put(PARENT, 4));
}
static void take_parent(void) {
    won[3] = take(PARENT);
}
static void parent_gone(void) {
    check_map();
    MODEL_CHECK(won[3] && get(A) == 1 && get(PARENT) == CMI_NONE);
}
SHAPE(idmap, bucket_is_opened_behind_one_that_is_removed, open_with_parent_only, parent_gone, take_parent, put_1)
SHAPE(idmap, bucket_is_opened_under_a_reader, open_parent_only, check_map, put_1, get_twice)

/* No bucket between the first and the id's own has its dummy. */
static void open_nothing(void) {
    open_map();
}
SHAPE(idmap, buckets_are_opened_one_after_the_other, open_nothing, check_map, put_1, get_twice)

/* A remover that died before it marked the entry: whoever wants the id does it. */
static void open_with_a_tombstone(void) {
    open_with_a();
    uint32_t entry = cmi_idmap_find(&map, A);
    uint64_t value = cmi_idmap_value(&map, entry);
    MODEL_CHECK(cmi_idmap_cas(&map, entry, &value, CMI_VALUE_TOMB));
    plat_fetch_sub_relaxed(&map.n_keys, 1); /* as if it had been counted down: check() allows for the dead elsewhere */
}
SHAPE(idmap, a_tombstone_of_the_dead_is_replaced, open_with_a_tombstone, one_put, put_1, put_2)
LONG_SHAPE(idmap, a_tombstone_of_the_dead_is_replaced_under_a_reader, 20000, open_with_a_tombstone, one_put, put_1, put_2, get_a)

static void both_there(void) {
    check_map();
    MODEL_CHECK(get(A) == 1 && get(B) == 3);
}
SHAPE(idmap, two_ids_are_put, open_empty, both_there, put_1, put_b)

static void gone(void) {
    check_map();
    MODEL_CHECK(get(A) == CMI_NONE && won[2] + won[3] == 1);
}
SHAPE(idmap, two_take_one_id, open_with_a, gone, take_a, take_a_too)
SHAPE(idmap, taken_while_read, open_with_a, gone, take_a, take_a_too, get_a)

/* Its neighbours are found whatever happens to it. */
SHAPE(idmap, neighbours_of_the_removed_are_found, open_with_both, check_map, take_a, get_b_always)

static void taken_or_put(void) {
    check_map();
    MODEL_CHECK(won[3]);
    MODEL_CHECK(won[1] ? get(A) == 1 : get(A) == CMI_NONE);
}
SHAPE(idmap, put_while_taken, open_with_a, taken_or_put, take_a, put_1)
SHAPE(idmap, put_while_taken_and_read, open_with_a, taken_or_put, take_a, put_1, get_a)

/* After its remover is done, no walk finds the entry: putting it again makes a fresh one. */
static void take_then_put(void) {
    MODEL_CHECK(take(A));
    MODEL_CHECK(put(A, 1));
}
static void put_again(void) {
    check_map();
    MODEL_CHECK(get(A) == 1);
}
static void insert_before(void) {
    MODEL_CHECK(put(B, 3));
}
SHAPE(idmap, taken_and_put_again_beside_a_neighbour, open_with_a, put_again, take_then_put, insert_before)

/* ---- removed entries are used again after a grace period: the plain parts of an entry ---- */

static plat_a32_t left; /* the reader has left: the grace period */

static void open_for_reuse(void) {
    open_with_a();
    plat_store_relaxed(&left, 0);
}
static void read_and_leave(void) {
    get(A);
    plat_store_release(&left, 1);
}
static void take_and_free(void) {
    uint32_t entry = cmi_idmap_find(&map, A);
    MODEL_CHECK(take(A));
    if (!plat_load_acquire(&left)) return;
    cmi_idmap_free(&map, entry);
    MODEL_CHECK(put(B, 3));
}
SHAPE(idmap, entry_used_again_after_a_grace_period, open_for_reuse, check_map, read_and_leave, take_and_free)

/* ---- scans ---- */

static void scan(void) {
    uint32_t number = cmi_idmap_begin_scan(&map), n_seen = 0;
    for (uint32_t i = 1; i < cmi_idmap_end(&map); i++) {
        uint64_t value = cmi_idmap_value(&map, i);
        if (!cmi_value_is_slot(value) || !cmi_idmap_born_before(&map, i, number)) continue;
        if (cmi_str_compare(cmi_idmap_key(&map, i), A) == 0) n_seen++;
    }
    MODEL_CHECK(n_seen <= 1);
}
static void take_a_only(void) {
    take(A);
}
static void put_1_retrying(void) {
    if (!put(A, 1)) put(A, 1);
}
SHAPE(idmap, a_scan_sees_no_id_twice, open_with_a, check_map, scan, take_then_put)
SHAPE(idmap, a_scan_sees_no_id_twice_when_others_put_it, open_with_a, check_map, scan, take_a_only, put_1_retrying)
LONG_SHAPE(idmap, a_scan_sees_no_id_twice_when_two_put_it, 20000, open_with_a_tombstone, one_put, scan, put_1, put_2)

/* The other thread's entry may come and go unseen by who links the next one: only its place in the list was changed, and changed back. */
static void put_then_take(void) {
    if (put(A, 2)) take(A);
}
LONG_SHAPE(idmap, a_scan_sees_no_id_twice_when_one_came_and_went, 10000, open_empty, check_map, put_1, scan, put_then_take)

/* ---- growth ---- */

static void open_about_to_grow(void) {
    open_map();
    for (uint32_t i = 0, n = 0; n < 512; i++) { /* two keys for each of the 256 buckets there are at first */
        uint32_t entry;
        uint64_t value;
        bool made;
        if (cmi_str_compare(name(i), A) == 0 || cmi_str_compare(name(i), B) == 0) continue;
        must(cmi_idmap_obtain(&map, name(i), &entry, &value, &made));
        n++;
    }
    map.max_buckets = 512;
    map.buckets.chunk_shift = 8; /* the new buckets lie in a chunk of their own */
}
static void grow_2(void) {
    put(A, 2);
    put(B, 3);
}
static void open_about_to_grow_with_b(void) {
    open_about_to_grow();
    map.max_buckets = 256; /* not yet */
    MODEL_CHECK(put(B, 1));
    map.max_buckets = 512;
}
static void find_through_new_buckets(void) {
    get(A);
    get(B);
}
SHAPE(idmap, buckets_double_under_a_writer, open_about_to_grow, both_there, put_1, put_b)
SHAPE(idmap, what_was_there_is_found_through_new_buckets, open_about_to_grow_with_b, check_map, grow_2, get_b_always)
SHAPE(idmap, buckets_double_under_a_reader, open_about_to_grow, check_map, grow_2, find_through_new_buckets)
