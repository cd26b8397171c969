/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * epoch.c - platform/epoch_own.c: nothing is given back while a section that may have found it is open [A.1], and what was done in the section happens before
 * the callback [A.2]. [E1] to [E7]. Reading a thing that was given back is a use after free, giving it back beside a reader a race: both are found.
 */
#include "model/model.h"
#include "plat_atomic.h"
#include "plat_epoch.h"

#include <string.h>

/* What is looked for, found, unlinked and given back. */
typedef struct thing {
    plat_epoch_node_t node; /* the epoch's, once it is retired */
    uint32_t value;
    uint32_t n_given_back;
} thing_t;

enum { READER, RETIRER, HELPER, N_SLOTS };

static plat_epoch_t *epoch;
static thing_t things[2];
static plat_aptr_t place[2];

static void open_epoch(void) {
    epoch = plat_epoch_open(N_SLOTS);
    for (uint32_t slot = 0; slot < N_SLOTS; slot++) plat_epoch_attach(epoch, slot);
    memset(things, 0, sizeof things);
    for (uint32_t i = 0; i < 2; i++) {
        things[i].value = 7;
        plat_store_relaxed(&place[i], &things[i]);
    }
}

static void give_back(plat_epoch_node_t *node) {
    thing_t *thing = (thing_t *)node;
    thing->n_given_back++;
    model_free(&thing->value, sizeof thing->value);
}

static void look(uint32_t slot, uint32_t i) {
    plat_epoch_pin(epoch, slot);
    const thing_t *thing = plat_load_acquire(&place[i]);
    if (thing) MODEL_CHECK(thing->value == 7);
    plat_epoch_unpin(epoch, slot);
}

static void take_away(uint32_t slot, uint32_t i) {
    plat_epoch_pin(epoch, slot);
    plat_store_release(&place[i], NULL);
    plat_epoch_retire(epoch, slot, &things[i].node, give_back);
    plat_epoch_unpin(epoch, slot);
}

static void collect(uint32_t slot, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) plat_epoch_collect(epoch, slot);
}

/* Whatever is left is given back once by closing, after everybody has left. */
static void close_epoch(void) {
    for (uint32_t slot = 0; slot < N_SLOTS; slot++) plat_epoch_detach(epoch, slot);
    plat_epoch_close(epoch);
    for (uint32_t i = 0; i < 2; i++) MODEL_CHECK(things[i].n_given_back == (plat_load_relaxed(&place[i]) ? 0 : 1));
}

static void read_once(void) {
    look(READER, 0);
}
static void read_twice(void) {
    look(READER, 0);
    look(READER, 0);
}
static void read_both(void) {
    look(READER, 1);
    look(READER, 0);
}
static void retire_collect_3(void) {
    take_away(RETIRER, 0);
    collect(RETIRER, 3);
}
static void retire_collect_2(void) {
    take_away(RETIRER, 0);
    collect(RETIRER, 2);
}
static void retire_collect_1(void) {
    take_away(RETIRER, 0);
    collect(RETIRER, 1);
}
static void help_1(void) {
    collect(HELPER, 1);
}
static void help_2(void) {
    collect(HELPER, 2);
}
static void retire_other(void) {
    take_away(HELPER, 1);
    collect(HELPER, 1);
}

SHAPE(epoch, reader_beside_collector, open_epoch, close_epoch, read_once, retire_collect_3)
SHAPE(epoch, reader_of_two_sections, open_epoch, close_epoch, read_twice, retire_collect_3)
SHAPE(epoch, another_thread_advances_once, open_epoch, close_epoch, read_once, retire_collect_2, help_1)
SHAPE(epoch, another_thread_advances_twice, open_epoch, close_epoch, read_once, retire_collect_1, help_2)
SHAPE(epoch, two_sections_while_another_advances, open_epoch, close_epoch, read_twice, retire_collect_2, help_1)
SHAPE(epoch, two_retirers, open_epoch, close_epoch, read_both, retire_collect_1, retire_other)

/* ---- leaving ---- */

static void close_after_detach(void) {
    plat_epoch_detach(epoch, READER);
    plat_epoch_detach(epoch, HELPER);
    plat_epoch_close(epoch);
    MODEL_CHECK(things[0].n_given_back == 1);
}
static void retire_and_leave(void) {
    take_away(RETIRER, 0);
    plat_epoch_detach(epoch, RETIRER);
}
SHAPE(epoch, orphans_are_adopted, open_epoch, close_after_detach, read_once, retire_and_leave, help_1)
SHAPE(epoch, orphans_are_adopted_and_wait, open_epoch, close_after_detach, read_once, retire_and_leave, help_2)

static void help_3(void) {
    collect(HELPER, 3);
}
SHAPE(epoch, orphans_are_given_back_by_who_adopts, open_epoch, close_after_detach, read_once, retire_and_leave, help_3)

/* A thread that died in its section: whoever learned of its death gives its record back. */
static plat_a32_t is_dead;

static void open_with_a_victim(void) {
    open_epoch();
    plat_store_relaxed(&is_dead, 0);
}
static void die_in_section(void) {
    plat_epoch_pin(epoch, READER);
    const thing_t *thing = plat_load_acquire(&place[0]);
    if (thing) MODEL_CHECK(thing->value == 7);
    plat_store_release(&is_dead, 1);
}
static void bury(void) {
    if (plat_load_acquire(&is_dead)) plat_epoch_abandon(epoch, READER);
    collect(HELPER, 1);
}
static void close_what_died(void) {
    plat_epoch_abandon(epoch, READER);
    plat_epoch_detach(epoch, RETIRER);
    plat_epoch_detach(epoch, HELPER);
    plat_epoch_close(epoch);
    MODEL_CHECK(things[0].n_given_back == 1);
}
SHAPE(epoch, the_dead_hold_nothing_back, open_with_a_victim, close_what_died, die_in_section, retire_collect_2, bury)

/* ---- tickets: [E7] ---- */

static void read_ticketed(void) {
    look(READER, 0);
}
static void free_by_ticket(void) {
    plat_store_release(&place[0], NULL);
    plat_epoch_ticket_t ticket = plat_epoch_ticket(epoch, RETIRER);
    for (uint32_t i = 0; i < 2; i++) {
        if (!plat_epoch_passed(epoch, RETIRER, ticket)) continue;
        model_free(&things[0].value, sizeof things[0].value);
        return;
    }
}
static void detach_all(void) {
    for (uint32_t slot = 0; slot < N_SLOTS; slot++) plat_epoch_detach(epoch, slot);
    plat_epoch_close(epoch);
}
SHAPE(epoch, ticket, open_epoch, detach_all, read_ticketed, free_by_ticket)
SHAPE(epoch, ticket_while_another_advances, open_epoch, detach_all, read_ticketed, free_by_ticket, help_1)
