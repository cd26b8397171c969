/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* reclaim.c - see reclaim.h. */
#include "memory/reclaim.h"

/* A bag goes when it is full, or when it has waited for this long, so that a thread which seldom retires keeps little. */
#define BAG_ITEMS 60u
#define BAG_OPERATIONS 256u
#define BAG_BYTES (256u << 10)

typedef struct item {
    uint32_t kind, handle;
} item_t;

/* Written by one thread until it is submitted, then read by the one that runs its callback: the epoch orders the two [A.3]. */
typedef struct bag {
    plat_epoch_node_t node;
    cmi_reclaimer_t *reclaimer;
    uint32_t handle; /* its own */
    uint32_t n;
    item_t items[BAG_ITEMS];
} bag_t;

static bag_t *bag_of(const cmi_retirer_t *retirer) {
    uint32_t handle = plat_load_relaxed((plat_a32_t *)&retirer->bag); /* relaxed: our own */
    return handle == CMI_NO_BLOCK ? NULL : cmi_blocks_at(retirer->reclaimer->blocks, handle);
}

static void free_bag(plat_epoch_node_t *node) {
    bag_t *bag = (bag_t *)node;
    cmi_reclaimer_t *reclaimer = bag->reclaimer;
    for (uint32_t i = 0; i < bag->n; i++) {
        if (bag->items[i].kind == CMI_RETIRE_BLOCK) cmi_blocks_free(reclaimer->blocks, bag->items[i].handle);
        else reclaimer->free_handle(reclaimer->context, bag->items[i].kind, bag->items[i].handle);
    }
    plat_fetch_sub_relaxed(&reclaimer->n_waiting, (uint64_t)bag->n); /* relaxed: statistics */
    cmi_blocks_free(reclaimer->blocks, bag->handle);
}

void cmi_retirer_submit(cmi_retirer_t *retirer) {
    bag_t *bag = bag_of(retirer);
    if (!bag) return;
    /* First let go, then retire: a thread that dies between the two loses a bag; the other way round its heir would retire it twice. */
    plat_store_relaxed(&retirer->bag, CMI_NO_BLOCK); /* relaxed: our own */
    if (bag->n > 0) plat_epoch_retire(retirer->reclaimer->epoch, retirer->epoch_slot, &bag->node, free_bag);
    else cmi_blocks_free(retirer->reclaimer->blocks, bag->handle);
}

static bool begin_bag(cmi_retirer_t *retirer) {
    cmi_blocks_t *blocks = retirer->reclaimer->blocks;
    uint32_t handle = cmi_blocks_alloc(blocks, sizeof(bag_t));
    if (handle == CMI_NO_BLOCK) return false;
    bag_t *bag = cmi_blocks_at(blocks, handle);
    bag->reclaimer = retirer->reclaimer;
    bag->handle = handle;
    bag->n = 0;
    retirer->n_operations = 0;
    retirer->n_bytes = 0;
    plat_store_relaxed(&retirer->bag, handle); /* relaxed: our own */
    return true;
}

static bool is_due(const cmi_retirer_t *retirer, const bag_t *bag) {
    if (bag->n == 0) return false;
    return bag->n + CMI_RETIRE_AT_MOST > BAG_ITEMS || retirer->n_operations >= BAG_OPERATIONS || retirer->n_bytes >= BAG_BYTES;
}

bool cmi_retirer_prepare(cmi_retirer_t *retirer) {
    const bag_t *bag = bag_of(retirer);
    if (bag && is_due(retirer, bag)) cmi_retirer_submit(retirer), bag = NULL;
    if (!bag && !begin_bag(retirer)) return false;
    retirer->n_operations++;
    return true;
}

void cmi_retire(cmi_retirer_t *retirer, uint32_t kind, uint32_t handle) {
    bag_t *bag = bag_of(retirer);
    if (kind == CMI_RETIRE_BLOCK) retirer->n_bytes += cmi_blocks_len(retirer->reclaimer->blocks, handle);
    bag->items[bag->n] = (item_t){kind, handle};
    bag->n++;                                                  /* after the item, for whoever submits the bag of a dead thread */
    plat_fetch_add_relaxed(&retirer->reclaimer->n_waiting, 1); /* relaxed: statistics */
}
