/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* items.c - core/memory/items.c and arena.c: items are taken and given back by several threads; nobody ever holds the same one. [P1] [P2] [A1] */
#include "memory/items.h"
#include "model/model.h"

typedef struct item {
    plat_a32_t link;
    uint32_t owner;
} item_t;

static cmi_items_t items;

static void open_with(uint32_t n_free) {
    uint32_t index[4];
    memset(&items, 0, sizeof items); /* statics keep what the last shape left */
    MODEL_CHECK(cmi_items_open(&items, sizeof(item_t), 8));
    for (uint32_t i = 0; i < n_free; i++) MODEL_CHECK(cmi_items_take(&items, &index[i]) == CM_OK);
    for (uint32_t i = 0; i < n_free; i++) cmi_items_give(&items, index[i]);
}

static void open_fresh(void) {
    open_with(0);
}
static void open_1_free(void) {
    open_with(1);
}
static void open_2_free(void) {
    open_with(2);
}
static void open_3_free(void) {
    open_with(3);
}

/* Plain accesses: two holders of one item are a race, or see each other's mark. */
static uint32_t take_as(uint32_t self) {
    uint32_t index;
    MODEL_CHECK(cmi_items_take(&items, &index) == CM_OK);
    item_t *item = cmi_items_at(&items, index);
    item->owner = self;
    return index;
}
static void give_as(uint32_t self, uint32_t index) {
    MODEL_CHECK(((item_t *)cmi_items_at(&items, index))->owner == self);
    cmi_items_give(&items, index);
}

static void take_give_1(void) {
    give_as(1, take_as(1));
}
static void take_give_2(void) {
    give_as(2, take_as(2));
}
static void take_give_3(void) {
    give_as(3, take_as(3));
}
static void take_1(void) {
    take_as(1);
}
/* The ABA shape: both go, and come back in the order that makes the head look unchanged. */
static void take_two_give_two(void) {
    uint32_t first = take_as(2), second = take_as(2);
    give_as(2, second);
    give_as(2, first);
}
static void take_two_give_first(void) {
    uint32_t first = take_as(2);
    take_as(2);
    give_as(2, first);
}

/* Every index below the end has memory: what a scan relies on. */
static void scan(void) {
    uint32_t end = cmi_items_end(&items);
    for (uint32_t i = 1; i < end; i++) plat_load_relaxed(&((item_t *)cmi_items_at(&items, i))->link);
}

SHAPE(items, two_take_fresh_while_one_scans, open_fresh, NULL, take_give_1, take_give_2, scan)
SHAPE(items, three_take_and_give, open_2_free, NULL, take_give_1, take_give_2, take_give_3)
SHAPE(items, aba_of_the_head, open_3_free, NULL, take_1, take_two_give_two)
SHAPE(items, aba_while_one_stays_out, open_3_free, NULL, take_1, take_two_give_first, take_give_3)
SHAPE(items, one_free_for_three, open_1_free, NULL, take_give_1, take_give_2, take_give_3)
