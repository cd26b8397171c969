/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * reclaim.c - core/memory/reclaim.c over the real epoch, with all that a store retires: blocks, entries of the id map, nodes of the postings. Each is given back once, and only after
 * the sections that may have found it have ended, whoever runs the callback: reading it in a section is no use after free, using it again no race, and so is the bag
 * itself. [A.1] [A.2] [A.3] [B1] [P2] [M1] [K1]
 */
#include "memory/reclaim.h"
#include "model/model.h"
#include "store/idmap.h"
#include "store/skiplist.h"

enum { READER, RETIRER, HELPER, N_SLOTS };
enum { ENTRY = CMI_RETIRE_BLOCK + 1, NODE }; /* kinds */
#define BLOCK_BYTES 8u
#define MANY_OPERATIONS 1000u /* a bag that has waited for this long goes */

static plat_epoch_t *epoch;
static cmi_blocks_t *blocks;
static cmi_reclaimer_t reclaimer;
static cmi_retirer_t retirers[N_SLOTS];
static cmi_idmap_t map;
static cmi_skip_nodes_t nodes;
static cmi_skiplist_t list;
static plat_a32_t place;        /* a block, for whoever looks */
static plat_a32_t is_dead;      /* the retirer died */
static uint64_t n_bytes_before; /* of blocks, without bags */

static const cm_str_t GONE = {"gone", 4}, NEXT = {"next", 4};

static void free_handle(void *context, uint32_t kind, uint32_t handle) {
    (void)context;
    if (kind == ENTRY) cmi_idmap_free(&map, handle);
    else cmi_skip_free(&nodes, handle);
}

static void open_all(void) {
    memset(&nodes, 0, sizeof nodes);
    memset(&list, 0, sizeof list);
    memset(retirers, 0, sizeof retirers);
    plat_store_relaxed(&place, CMI_NO_BLOCK);
    plat_store_relaxed(&is_dead, 0);
    epoch = plat_epoch_open(N_SLOTS);
    blocks = cmi_blocks_open();
    MODEL_CHECK(epoch && blocks && cmi_idmap_open(&map, blocks, 100) && cmi_skip_open(&nodes, blocks, 100));
    reclaimer = (cmi_reclaimer_t){.epoch = epoch, .blocks = blocks, .free_handle = free_handle};
    for (uint32_t slot = 0; slot < N_SLOTS; slot++) {
        plat_epoch_attach(epoch, slot);
        retirers[slot] = (cmi_retirer_t){.reclaimer = &reclaimer, .epoch_slot = slot};
    }
}

static void collect(uint32_t slot, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) plat_epoch_collect(epoch, slot);
}

/* A write operation: room first, then the section. */
static void begin(uint32_t slot) {
    MODEL_CHECK(cmi_retirer_prepare(&retirers[slot]));
    plat_epoch_pin(epoch, slot);
}
static void end(uint32_t slot) {
    plat_epoch_unpin(epoch, slot);
}

/* Everybody leaves; nothing is left, and nothing was given back twice (freeing twice is found by itself). */
static void close_all(void) {
    for (uint32_t slot = 0; slot < N_SLOTS; slot++) {
        cmi_retirer_submit(&retirers[slot]);
        plat_epoch_detach(epoch, slot);
    }
    plat_epoch_close(epoch);
    MODEL_CHECK(plat_load_relaxed(&reclaimer.n_waiting) == 0);
    MODEL_CHECK(cmi_blocks_bytes_used(blocks) == n_bytes_before);
}

/* ---- blocks ----------------------------------------------------------------------------------------------------------------- */

static uint32_t make_block(uint32_t value) {
    uint32_t block = cmi_blocks_alloc(blocks, BLOCK_BYTES);
    MODEL_CHECK(block != CMI_NO_BLOCK);
    *(uint32_t *)cmi_blocks_at(blocks, block) = value;
    return block;
}
static void open_with_block(void) {
    open_all();
    plat_store_relaxed(&place, make_block(7));
    n_bytes_before = cmi_blocks_bytes_used(blocks);
}
static void look(uint32_t slot) {
    plat_epoch_pin(epoch, slot);
    uint32_t block = plat_load_acquire(&place);
    MODEL_CHECK(*(uint32_t *)cmi_blocks_at(blocks, block) >= 7);
    plat_epoch_unpin(epoch, slot);
}
static void replace_block(uint32_t slot, uint32_t value) {
    begin(slot);
    uint32_t old = plat_load_acquire(&place), fresh = make_block(value);
    while (!plat_cas_acq_rel(&place, &old, fresh)) {} /* retry: another thread replaced it */
    cmi_retire(&retirers[slot], CMI_RETIRE_BLOCK, old);
    end(slot);
}
static void use_a_block(void) {
    cmi_blocks_free(blocks, make_block(1));
}

static void look_once(void) {
    look(READER);
}
static void replace_and_use_again(void) {
    replace_block(RETIRER, 8);
    cmi_retirer_submit(&retirers[RETIRER]);
    collect(RETIRER, 2);
    use_a_block();
}
static void help_and_use_again(void) {
    collect(HELPER, 2);
    use_a_block();
}
static void replace_and_leave(void) {
    replace_block(RETIRER, 8);
    cmi_retirer_submit(&retirers[RETIRER]);
    plat_epoch_detach(epoch, RETIRER);
}
static void replace_too(void) {
    replace_block(HELPER, 9);
    cmi_retirer_submit(&retirers[HELPER]);
}
SHAPE(reclaim, a_block_is_used_again, open_with_block, close_all, look_once, replace_and_use_again)
SHAPE(reclaim, two_replace_one_block, open_with_block, close_all, replace_too, replace_and_use_again)
LONG_SHAPE(reclaim, two_replace_one_block_under_a_reader, 20000, open_with_block, close_all, look_once, replace_too, replace_and_use_again)
LONG_SHAPE(reclaim, a_bag_is_emptied_by_another_thread, 30000, open_with_block, close_all, look_once, replace_and_leave, help_and_use_again)

/* A bag that is due goes when the next operation prepares; the next one begins another. */
static void replace_twice(void) {
    replace_block(RETIRER, 8);
    retirers[RETIRER].n_operations = MANY_OPERATIONS;
    replace_block(RETIRER, 9);
    cmi_retirer_submit(&retirers[RETIRER]);
    collect(RETIRER, 2);
    use_a_block();
}
SHAPE(reclaim, a_bag_that_is_due_goes, open_with_block, close_all, look_once, replace_twice)

/* ---- the dead: their bag is handed over by whoever buries them, as thread.c does ---------------------------------------------- */

static void replace_and_die(void) {
    begin(RETIRER);
    uint32_t old = plat_load_acquire(&place);
    plat_store_release(&place, make_block(8));
    cmi_retire(&retirers[RETIRER], CMI_RETIRE_BLOCK, old);
    plat_store_release(&is_dead, 1);
}
static void bury(void) {
    if (!plat_load_acquire(&is_dead)) return;
    plat_epoch_abandon(epoch, RETIRER);
    cmi_retirer_submit(&retirers[RETIRER]);
    plat_epoch_detach(epoch, RETIRER);
    collect(HELPER, 2);
    use_a_block();
}
static void bury_and_close(void) {
    if (plat_load_relaxed(&retirers[RETIRER].bag) != CMI_NO_BLOCK) plat_epoch_abandon(epoch, RETIRER);
    close_all();
}
SHAPE(reclaim, the_bag_of_the_dead_is_handed_over, open_with_block, bury_and_close, replace_and_die, bury, look_once)

/* ---- entries of the id map -------------------------------------------------------------------------------------------------- */

static uint32_t put(cm_str_t id) {
    uint32_t entry;
    uint64_t value;
    bool made;
    MODEL_CHECK(cmi_idmap_obtain(&map, id, &entry, &value, &made) == CM_OK);
    cmi_idmap_set_born(&map, entry);
    MODEL_CHECK(cmi_idmap_cas(&map, entry, &value, cmi_value_of(1, 0)));
    return entry;
}
static uint32_t take(cm_str_t id) {
    uint32_t entry = cmi_idmap_find(&map, id);
    uint64_t value = cmi_idmap_value(&map, entry);
    MODEL_CHECK(cmi_idmap_cas(&map, entry, &value, CMI_VALUE_TOMB));
    cmi_idmap_unlink(&map, entry);
    return entry;
}

/* The bucket of what comes next has its dummy: the shapes are smaller. */
static void open_with_entry(void) {
    open_all();
    put(NEXT);
    cmi_idmap_free(&map, take(NEXT));
    put(GONE);
    n_bytes_before = cmi_blocks_bytes_used(blocks); /* as many when another id has taken its place */
}
static bool is(uint32_t entry, cm_str_t id) {
    return cmi_str_compare(cmi_idmap_key(&map, entry), id) == 0;
}
static void find_gone(void) {
    plat_epoch_pin(epoch, READER);
    uint32_t entry = cmi_idmap_find(&map, GONE);
    if (entry != CMI_NO_ENTRY_INDEX) MODEL_CHECK(is(entry, GONE));
    plat_epoch_unpin(epoch, READER);
}
static void scan_ids(void) {
    plat_epoch_pin(epoch, READER);
    uint32_t number = cmi_idmap_begin_scan(&map);
    for (uint32_t i = 1, end = cmi_idmap_end(&map); i < end; i++)
        if (cmi_value_is_slot(cmi_idmap_value(&map, i)) && cmi_idmap_born_before(&map, i, number)) MODEL_CHECK(is(i, GONE) || is(i, NEXT));
    plat_epoch_unpin(epoch, READER);
}
static void take_and_put_next(void) {
    begin(RETIRER);
    cmi_retire(&retirers[RETIRER], ENTRY, take(GONE));
    end(RETIRER);
    cmi_retirer_submit(&retirers[RETIRER]);
    collect(RETIRER, 2);
    plat_epoch_pin(epoch, RETIRER);
    put(NEXT);
    plat_epoch_unpin(epoch, RETIRER);
}
static void next_is_there(void) {
    cm_error_t error;
    MODEL_CHECK(cmi_idmap_check(&map, "id", 0, &error) == CM_OK);
    MODEL_CHECK(cmi_idmap_find(&map, GONE) == CMI_NO_ENTRY_INDEX && is(cmi_idmap_find(&map, NEXT), NEXT));
    close_all();
}
SHAPE(reclaim, an_entry_is_used_again_under_a_reader, open_with_entry, next_is_there, find_gone, take_and_put_next)
SHAPE(reclaim, an_entry_is_used_again_under_a_scan, open_with_entry, next_is_there, scan_ids, take_and_put_next)

/* ---- nodes of the postings --------------------------------------------------------------------------------------------------- */

static uint32_t first_node, last_node;

/* A slot with which the node is on two levels. */
static uint32_t make_tall(uint64_t key) {
    for (uint32_t slot = 0;; slot++) {
        uint32_t node;
        MODEL_CHECK(cmi_skip_make(&nodes, key, slot, &node) == CM_OK);
        if (cmi_skip_at(&nodes, node)->n_levels == 2) return node;
        cmi_skip_free(&nodes, node);
    }
}
static void open_with_nodes(void) {
    open_all();
    first_node = make_tall(10);
    last_node = make_tall(40);
    cmi_skip_link(&nodes, &list, first_node);
    cmi_skip_link(&nodes, &list, last_node);
    n_bytes_before = cmi_blocks_bytes_used(blocks);
}
static void walk(void) {
    uint64_t last = 0;
    plat_epoch_pin(epoch, READER);
    for (uint32_t at = cmi_skip_seek(&nodes, &list, 5); at != CMI_NO_SKIP_NODE; at = cmi_skip_next(&nodes, at)) {
        MODEL_CHECK(cmi_skip_at(&nodes, at)->key > last);
        last = cmi_skip_at(&nodes, at)->key;
    }
    MODEL_CHECK(last == 40);
    plat_epoch_unpin(epoch, READER);
}
static void unlink_and_link_again(void) {
    begin(RETIRER);
    cmi_skip_unlink(&nodes, &list, first_node);
    cmi_retire(&retirers[RETIRER], NODE, first_node);
    end(RETIRER);
    cmi_retirer_submit(&retirers[RETIRER]);
    collect(RETIRER, 2);
    plat_epoch_pin(epoch, RETIRER);
    cmi_skip_link(&nodes, &list, make_tall(20));
    plat_epoch_unpin(epoch, RETIRER);
}
static void two_nodes(void) {
    cm_error_t error;
    uint64_t n;
    MODEL_CHECK(cmi_skip_check(&nodes, &list, "a", 0, &n, &error) == CM_OK && n == 2);
    close_all();
}
SHAPE(reclaim, a_node_is_used_again_under_a_walk, open_with_nodes, two_nodes, walk, unlink_and_link_again)
