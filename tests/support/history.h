/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * history.h - were the operations of several threads linearizable, id by id? A checker after Wing and Gong (1993), with Lowe's memory of configurations (2017).
 *
 * A history is a list of operations with the moments at which each began and ended, and what it returned. It is right if every operation can be given one moment between
 * its begin and end so that, one after the other, a map from id to memory would have answered the same. Memories carry three things beside their version: importance and text, which
 * updates write, and a count of accesses. The library promises that each changes atomically, not all together; so each is an ASPECT that is checked on its own, together with which
 * version is there.
 *
 * What the header of the library allows, and nothing else, is allowed here:
 *   - an update whose memory is replaced or removed meanwhile may have changed the old one before it changes the new one, or fails: a "stray" write;
 *   - a search may miss what is inserted or replaced while it runs. What it does hit must be there at some moment, whole and once.
 *
 * Operations are named by their place in the list; a version is the place of its insert, an importance or text that of whoever wrote it. So no two writes look alike.
 */
#ifndef TEST_HISTORY_H
#define TEST_HISTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { HISTORY_MOST = 64, HISTORY_MOST_HITS = 8, HISTORY_NOBODY = 0xFFFF };

typedef enum history_kind {
    HISTORY_INSERT,
    HISTORY_REMOVE,
    HISTORY_CONTAINS,
    HISTORY_GET,
    HISTORY_ACCESS,
    HISTORY_UPDATE,
    HISTORY_SEARCH
} history_kind_t;

/* What an operation saw. HISTORY_NOBODY: no operation can have written that. */
typedef struct history_memory {
    uint16_t id, version, importance, text;
    uint32_t n_accesses;
} history_memory_t;

typedef struct history_operation {
    history_kind_t kind;
    uint16_t thread, id;
    uint64_t begin, end;  /* different for all */
    bool found;           /* remove, contains, get, access, update: there was one */
    bool sets_importance; /* update */
    bool sets_text;       /* update */
    bool exhaustive;      /* search: asked for more than there are ids */
    uint32_t choice;      /* for whoever runs it */
    uint32_t n_seen;      /* get, access: 1 where found; search: hits */
    history_memory_t seen[HISTORY_MOST_HITS];
} history_operation_t;

typedef struct history {
    uint32_t n, n_ids, n_threads;
    history_operation_t at[HISTORY_MOST];
} history_t;

/* ---- showing ------------------------------------------------------------------------------------------------------------------ */

static inline void history_print_seen(const history_operation_t *operation) {
    for (uint32_t i = 0; i < operation->n_seen; i++) {
        const history_memory_t *m = &operation->seen[i];
        printf("%s i%u of #%u, importance of #%u, text of #%u, %u accesses", i ? ";" : " ->", m->id, m->version, m->importance, m->text,
               m->n_accesses);
    }
    if (operation->kind == HISTORY_SEARCH && operation->n_seen == 0) printf(" -> nothing");
}

/* In the order of their begins. */
static inline void history_print(const history_t *h) {
    static const char *const names[] = {"insert", "remove", "contains", "get", "access", "update", "search"};
    uint64_t after = 0;
    printf("#   %u threads, %u ids; #number thread [begin, end]\n", h->n_threads, h->n_ids);
    for (uint32_t n = 0; n < h->n; n++) {
        const history_operation_t *o = NULL;
        for (uint32_t i = 0; i < h->n; i++)
            if ((n == 0 || h->at[i].begin > after) && (!o || h->at[i].begin < o->begin)) o = &h->at[i];
        if (!o) break;
        after = o->begin;
        printf("#   #%-2u thread %u [%llu, %llu] %s", (unsigned)(o - h->at), o->thread, (unsigned long long)o->begin,
               (unsigned long long)o->end, names[o->kind]);
        if (o->kind != HISTORY_SEARCH) printf(" i%u", o->id);
        else printf(o->exhaustive ? " for all" : " for some");
        if (o->kind == HISTORY_UPDATE) printf("%s%s", o->sets_importance ? " importance" : "", o->sets_text ? " text" : "");
        if (o->kind != HISTORY_SEARCH && o->kind != HISTORY_INSERT) printf(o->found ? " -> there" : " -> not there");
        history_print_seen(o);
        printf("\n");
    }
}

/* ---- one id, one aspect ---------------------------------------------------------------------------------------------------------- */

typedef enum history_aspect { HISTORY_EXISTENCE, HISTORY_IMPORTANCE, HISTORY_TEXT, HISTORY_COUNT, HISTORY_N_ASPECTS } history_aspect_t;

typedef enum history_step {
    HISTORY_READS_NONE,  /* needs that there is none */
    HISTORY_READS_ANY,   /* needs that there is one */
    HISTORY_READS_THIS,  /* this version with this value */
    HISTORY_PUTS,        /* this version, this value: whatever there is */
    HISTORY_TAKES,       /* needs that there is one; then there is none */
    HISTORY_WRITES,      /* needs that there is one; this value. Strays */
    HISTORY_WRITES_NONE, /* needs that there is none, but may have strayed before */
    HISTORY_COUNTS       /* this version with this value less one; this value */
} history_step_t;

typedef struct history_event {
    history_step_t step;
    uint16_t operation, version;
    uint32_t value;
    uint64_t begin, end;
} history_event_t;

/* Where an exploration is: what has been given its moment, and what there is. */
typedef struct history_state {
    uint64_t done;    /* events */
    uint64_t strayed; /* updates that wrote to the version that is there, and may not end before it is gone */
    uint32_t version; /* HISTORY_NOBODY: none is there */
    uint32_t value;
} history_state_t;

enum { HISTORY_MEMORY = 1 << 14 }; /* states; a power of two */

typedef struct history_checker {
    history_event_t events[HISTORY_MOST];
    uint32_t n_events;
    uint32_t round; /* what `memory` holds of other rounds is nothing */
    uint32_t n_states;
    uint32_t in_round[HISTORY_MEMORY];
    history_state_t memory[HISTORY_MEMORY];
    uint64_t n_all_states; /* ever */
    char what[200];        /* is wrong */
} history_checker_t;

static inline uint32_t history_value(const history_memory_t *m, history_aspect_t aspect) {
    return aspect == HISTORY_IMPORTANCE ? m->importance : aspect == HISTORY_TEXT ? m->text : aspect == HISTORY_COUNT ? m->n_accesses : 0;
}

static inline bool history_sets(const history_operation_t *o, history_aspect_t aspect) {
    return (aspect == HISTORY_IMPORTANCE && o->sets_importance) || (aspect == HISTORY_TEXT && o->sets_text);
}

static inline bool history_overlap(const history_operation_t *a, const history_operation_t *b) {
    return a->begin < b->end && b->begin < a->end;
}

/* An insert of this id that a search may have missed, or missed the predecessor of. */
static inline bool history_excused(const history_t *h, const history_operation_t *search, uint32_t id) {
    for (uint32_t i = 0; i < h->n; i++)
        if (h->at[i].kind == HISTORY_INSERT && h->at[i].id == id && history_overlap(&h->at[i], search)) return true;
    return false;
}

static inline void history_see(history_event_t *event, const history_memory_t *m, history_aspect_t aspect) {
    event->step = HISTORY_READS_THIS, event->version = m->version, event->value = history_value(m, aspect);
}

/* False where the search says nothing about this id. */
static inline bool history_search_event(const history_t *h, const history_operation_t *o, uint32_t id, history_aspect_t aspect,
                                        history_event_t *event) {
    for (uint32_t i = 0; i < o->n_seen; i++)
        if (o->seen[i].id == id) {
            history_see(event, &o->seen[i], aspect);
            return true;
        }
    event->step = HISTORY_READS_NONE;
    return o->exhaustive && !history_excused(h, o, id);
}

/* False where the operation has nothing to do with this id. */
static inline bool history_event_of(const history_t *h, uint32_t number, uint32_t id, history_aspect_t aspect, history_event_t *event) {
    const history_operation_t *o = &h->at[number];
    *event = (history_event_t){.operation = (uint16_t)number, .begin = o->begin, .end = o->end};
    if (o->kind == HISTORY_SEARCH) return history_search_event(h, o, id, aspect, event);
    if (o->id != id) return false;
    event->step = o->found ? HISTORY_READS_ANY : HISTORY_READS_NONE;
    if (o->kind == HISTORY_INSERT) {
        event->step = HISTORY_PUTS, event->version = (uint16_t)number;
        event->value = aspect == HISTORY_IMPORTANCE || aspect == HISTORY_TEXT ? number : 0;
    } else if (o->kind == HISTORY_UPDATE && history_sets(o, aspect)) {
        event->step = o->found ? HISTORY_WRITES : HISTORY_WRITES_NONE, event->value = number;
    } else if (o->kind == HISTORY_REMOVE && o->found) event->step = HISTORY_TAKES;
    else if (o->n_seen > 0) history_see(event, &o->seen[0], aspect);
    if (o->kind == HISTORY_ACCESS && o->n_seen > 0 && aspect == HISTORY_COUNT) event->step = HISTORY_COUNTS;
    return true;
}

static inline bool history_may(const history_event_t *e, const history_state_t *s) {
    bool there = s->version != HISTORY_NOBODY;
    switch (e->step) {
    case HISTORY_READS_NONE:
    case HISTORY_WRITES_NONE: return !there;
    case HISTORY_READS_ANY:
    case HISTORY_TAKES:
    case HISTORY_WRITES: return there;
    case HISTORY_READS_THIS: return s->version == e->version && s->value == e->value;
    case HISTORY_COUNTS: return s->version == e->version && s->value + 1 == e->value;
    case HISTORY_PUTS: return true;
    }
    return false;
}

static inline history_state_t history_after(const history_event_t *e, uint64_t bit, history_state_t s) {
    s.done |= bit;
    if (e->step == HISTORY_PUTS) s.version = e->version, s.strayed = 0;
    if (e->step == HISTORY_TAKES) s.version = HISTORY_NOBODY, s.strayed = 0, s.value = 0;
    if (e->step == HISTORY_PUTS || e->step == HISTORY_WRITES || e->step == HISTORY_COUNTS) s.value = e->value;
    return s;
}

static inline bool history_only_reads(const history_event_t *e) {
    return e->step <= HISTORY_READS_THIS;
}

/* The earliest end of what has no moment yet: only what began before it may be next. */
static inline uint64_t history_deadline(const history_checker_t *c, uint64_t done) {
    uint64_t earliest = UINT64_MAX;
    for (uint32_t i = 0; i < c->n_events; i++)
        if (!(done >> i & 1) && c->events[i].end < earliest) earliest = c->events[i].end;
    return earliest;
}

/* A read that fits now can have its moment now: whatever comes later does not need it. */
static inline void history_read_on(const history_checker_t *c, history_state_t *s) {
    for (bool more = true; more;) {
        uint64_t deadline = history_deadline(c, s->done);
        more = false;
        for (uint32_t i = 0; i < c->n_events; i++) {
            const history_event_t *e = &c->events[i];
            if (s->done >> i & 1 || e->begin > deadline || !history_only_reads(e) || !history_may(e, s)) continue;
            s->done |= 1ull << i, more = true;
        }
    }
}

/* True the first time. A full memory says "seen" of everything: the history is then called wrong, and `n_states` tells why. */
static inline bool history_is_new(history_checker_t *c, const history_state_t *s) {
    uint64_t hash = (s->done * 0x9E3779B97F4A7C15u ^ s->strayed * 0xC2B2AE3D27D4EB4Fu) +
                    ((uint64_t)s->version << 32 | s->value) * 0xD6E8FEB86659FD93u;
    uint32_t at = (uint32_t)(hash >> 40) % HISTORY_MEMORY;
    for (; c->in_round[at] == c->round; at = (at + 1) % HISTORY_MEMORY) {
        const history_state_t *m = &c->memory[at];
        if (m->done == s->done && m->strayed == s->strayed && m->version == s->version && m->value == s->value) return false;
    }
    if (c->n_states >= HISTORY_MEMORY / 2) return false;
    c->in_round[at] = c->round, c->memory[at] = *s;
    c->n_states++, c->n_all_states++;
    return true;
}

static inline bool history_explore(history_checker_t *c, history_state_t s) {
    history_read_on(c, &s);
    if (s.done == (c->n_events == 64 ? UINT64_MAX : (1ull << c->n_events) - 1)) return true;
    if (!history_is_new(c, &s)) return false;
    uint64_t deadline = history_deadline(c, s.done);
    for (uint32_t i = 0; i < c->n_events; i++) {
        const history_event_t *e = &c->events[i];
        uint64_t bit = 1ull << i;
        if (s.done & bit || e->begin > deadline || history_only_reads(e)) continue;
        bool writes = e->step == HISTORY_WRITES || e->step == HISTORY_WRITES_NONE;
        if (!(s.strayed & bit) && history_may(e, &s) && history_explore(c, history_after(e, bit, s))) return true;
        if (!writes || s.strayed & bit || s.version == HISTORY_NOBODY) continue;
        history_state_t stray = s;
        stray.strayed |= bit, stray.value = e->value;
        if (history_explore(c, stray)) return true;
    }
    return false;
}

static inline bool history_check_aspect(history_checker_t *c, const history_t *h, uint32_t id, history_aspect_t aspect) {
    static const char *const names[] = {"existence and version", "importance", "text", "count of accesses"};
    c->n_events = 0, c->n_states = 0, c->round++;
    for (uint32_t i = 0; i < h->n; i++) c->n_events += history_event_of(h, i, id, aspect, &c->events[c->n_events]);
    history_state_t nothing = {0, 0, HISTORY_NOBODY, 0};
    if (history_explore(c, nothing)) return true;
    snprintf(c->what, sizeof c->what, "i%u, %s: %s (%u states)", id, names[aspect],
             c->n_states >= HISTORY_MEMORY / 2 ? "too much to decide" : "no order of these operations gives what they returned",
             c->n_states);
    return false;
}

/* ---- what needs no order ------------------------------------------------------------------------------------------------------------- */

static inline bool history_can_be(const history_t *h, const history_memory_t *m) {
    return m->id < h->n_ids && m->version < h->n && m->importance < h->n && m->text < h->n;
}

static inline bool history_check_seen(history_checker_t *c, const history_t *h, uint32_t number) {
    const history_operation_t *o = &h->at[number];
    for (uint32_t i = 0; i < o->n_seen; i++) {
        if (!history_can_be(h, &o->seen[i])) {
            snprintf(c->what, sizeof c->what, "#%u saw what nobody had written", number);
            return false;
        }
        for (uint32_t j = 0; j < i; j++)
            if (o->seen[i].id == o->seen[j].id) {
                snprintf(c->what, sizeof c->what, "#%u has two hits of i%u", number, o->seen[i].id);
                return false;
            }
    }
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------------ */

/* A history begins with no id there. `checker` is zero at first and may be used again; what is wrong is in checker->what. */
static inline bool history_check(history_checker_t *c, const history_t *h) {
    c->what[0] = 0;
    for (uint32_t i = 0; i < h->n; i++)
        if (!history_check_seen(c, h, i)) return false;
    for (uint32_t id = 0; id < h->n_ids; id++)
        for (uint32_t aspect = 0; aspect < HISTORY_N_ASPECTS; aspect++)
            if (!history_check_aspect(c, h, id, (history_aspect_t)aspect)) return false;
    return true;
}

static inline bool history_changes(const history_operation_t *o) {
    return o->kind == HISTORY_INSERT || o->kind == HISTORY_REMOVE || o->kind == HISTORY_UPDATE || o->kind == HISTORY_ACCESS;
}

/* Pairs of operations of two threads that had to do with one id at one time, at least one of them changing it: without such a history shows nothing. */
static inline uint32_t history_n_overlaps(const history_t *h) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->n; i++)
        for (uint32_t j = 0; j < i; j++) {
            const history_operation_t *a = &h->at[i], *b = &h->at[j];
            bool same_id = a->id == b->id || a->kind == HISTORY_SEARCH || b->kind == HISTORY_SEARCH;
            n += a->thread != b->thread && same_id && (history_changes(a) || history_changes(b)) && history_overlap(a, b);
        }
    return n;
}

#endif
