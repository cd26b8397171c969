#define _GNU_SOURCE
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "bulk/round.h"

#include "bulk/owner.h"
#include "index/insert.h"
#include "index/links.h"
#include "index/search.h"

#include "plat_pages.h"

uint32_t t_share = 16, t_most = 8192, t_sort = 1, t_seed = 1, t_pairs = 1, t_keep = 3, t_ranks = 16, t_window = 32, t_tall = 8, t_passes = 4, t_ask = 8, t_order = 1; float t_efcut = 0, t_more = 0;
uint32_t t_forced; double t_time[8];
#include <time.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec; }

enum { LOCATE_AT_ONCE = 64, SEARCH_AT_ONCE = 64, OWNERS_AT_ONCE = 64 };

typedef struct placed {
    uint64_t key;
    uint32_t newcomer;
} placed_t;

struct cmi_round {
    cmi_hnsw_t *graph;
    cmi_hands_t hands;
    uint32_t most, n, m;
    uint64_t entry;
    uint32_t *slots;
    placed_t *order, *spare;
    cmi_found_t *start;  /* by newcomer */
    cmi_found_t *chosen, *chosen2; /* m by newcomer */
    uint32_t ef, choose, *given, *tall, *where, *tree; uint32_t *first_open, *n_first, *index; uint8_t *late; bool is_late, at_tree;
    uint32_t *n_chosen;
    uint8_t *hung;
    uint32_t *mark;  /* by slot: group + 1 */
    uint32_t *group; /* by place in chosen */
    uint32_t *owner; /* by group */
    uint32_t *first; /* by group: into takes */
    uint32_t *takes; /* places in chosen, by group */
    uint32_t n_groups;
    uint64_t bytes, mark_bytes;
};

uint32_t cmi_round_limit(const cmi_hnsw_t *graph) {
    return CMI_MIN(cmi_hnsw_n_slots(graph) / t_share, t_most);
}

static uint32_t chosen_of(const cmi_round_t *round, uint32_t newcomer, cmi_found_t **out) {
    *out = round->chosen + (size_t)newcomer * round->m;
    return round->n_chosen[newcomer];
}

/* ---- phase 1 */
static void locate(void *job, void *hand, uint32_t piece) {
    cmi_round_t *round = job;
    cmi_hnsw_t *graph = round->graph;
    cmi_scratch_t *scratch = round->hands.begin(hand);
    uint32_t entry = cmi_entry_slot(round->entry), top = cmi_entry_level(round->entry);
    for (uint32_t i = piece * LOCATE_AT_ONCE; i < CMI_MIN((piece + 1) * LOCATE_AT_ONCE, round->n); i++) {
        cmi_query_t query = cmi_query_of_row(graph, cmi_hnsw_row(graph, round->slots[i]));
        uint64_t key = 0;
        uint32_t from = entry, level = top;
        cmi_found_t at = {0, entry};
        for (uint32_t stop = CMI_MIN(top, 2u);; stop--) {
            at = cmi_descend(graph, scratch, &query, from, level, stop);
            key = key << 21 | (at.slot & 0x1FFFFFu);
            from = at.slot, level = stop;
            if (stop == 0) break;
        }
        round->start[i] = at;
        round->order[i] = (placed_t){t_sort ? key : i, i};
    }
    round->hands.end(hand);
}

static void sort(cmi_round_t *round) {
    for (uint32_t shift = 0; shift < 64; shift += 8) {
        uint32_t count[257] = {0};
        for (uint32_t i = 0; i < round->n; i++) count[(round->order[i].key >> shift & 0xFF) + 1]++;
        if (count[(round->order[0].key >> shift & 0xFF) + 1] == round->n) continue;
        for (uint32_t b = 0; b < 256; b++) count[b + 1] += count[b];
        for (uint32_t i = 0; i < round->n; i++) round->spare[count[round->order[i].key >> shift & 0xFF]++] = round->order[i];
        placed_t *swap = round->order;
        round->order = round->spare, round->spare = swap;
    }
}

/* ---- phase 2 */
static void search_one(cmi_round_t *round, cmi_scratch_t *scratch, uint32_t i, cmi_found_t *last, bool has_last) {
    cmi_hnsw_t *graph = round->graph;
    uint32_t slot = round->slots[i], entry_level = cmi_entry_level(round->entry);
    uint32_t level = cmi_meta_level(plat_load_relaxed(&cmi_hnsw_node(graph, slot)->meta)), top = CMI_MIN(level, entry_level);
    cmi_query_t query = cmi_query_of_row(graph, cmi_hnsw_row(graph, slot));
    cmi_found_t start = round->start[i];
    if (top > 0) {
        start = cmi_descend(graph, scratch, &query, cmi_entry_slot(round->entry), entry_level, top);
        for (uint32_t l = top; l > 0; l--) start = cmi_link_forward(graph, scratch, &query, slot, l, start);
    }
    if (t_seed && has_last) {
        cmi_found_t near = {cmi_distance(graph, &query, cmi_hnsw_row(graph, last->slot)), last->slot};
        scratch->n_distances++;
        if (near.distance < start.distance) start = near;
    }
    cmi_accept_t accept = {NULL, NULL, false};
    cmi_search_level(graph, scratch, &query, start, 0, round->ef, &accept);
    if (scratch->pool.n == 0) {
        accept.dead_too = true;
        cmi_search_level(graph, scratch, &query, start, 0, round->ef, &accept);
    }
    *last = scratch->pool.n > 0 ? scratch->pool.at[0] : start;
    round->start[i] = *last;
    cmi_chosen_t chosen = {round->chosen + (size_t)i * round->m, 0};
    cmi_link_choose(graph, scratch, graph->params.m, &chosen);
    round->n_chosen[i] = chosen.n;
    round->n_first[i] = chosen.n;
}

static void search(void *job, void *hand, uint32_t piece) {
    cmi_round_t *round = job;
    cmi_scratch_t *scratch = round->hands.begin(hand);
    cmi_found_t last = {0, 0};
    uint32_t from = piece * SEARCH_AT_ONCE;
    for (uint32_t p = from; p < CMI_MIN(from + SEARCH_AT_ONCE, round->n); p++)
        search_one(round, scratch, round->order[p].newcomer, &last, p > from);
    round->hands.end(hand);
}

/* ---- grouping */
static void group(cmi_round_t *round) {
    uint32_t m = round->m;
    round->n_groups = 0;
    for (uint32_t p = 0; p < round->n; p++) {
        cmi_found_t *chosen;
        uint32_t i = round->order[p].newcomer, n = chosen_of(round, i, &chosen);
        for (uint32_t r = 0; r < n; r++) {
            uint32_t *mark = &round->mark[chosen[r].slot];
            if (*mark == 0) {
                round->owner[round->n_groups] = chosen[r].slot;
                round->first[round->n_groups++] = 0;
                *mark = round->n_groups;
            }
            round->first[*mark - 1]++;
            round->group[i * m + r] = *mark - 1;
        }
    }
    uint32_t sum = 0;
    for (uint32_t g = 0; g < round->n_groups; g++) {
        uint32_t n = round->first[g];
        round->first[g] = sum;
        sum += n;
        round->mark[round->owner[g]] = 0;
        round->late[g] = !cmi_linked(round->graph, round->owner[g]);
    }
    for (uint32_t p = 0; p < round->n; p++) {
        uint32_t i = round->order[p].newcomer;
        for (uint32_t r = 0; r < round->n_chosen[i]; r++) {
            uint32_t at = round->first[round->group[i * m + r]]++;
            round->takes[at] = i * m + r;
            round->where[i * m + r] = at;
        }
    }
    for (uint32_t g = round->n_groups; g > 0; g--) round->first[g] = round->first[g - 1];
    round->first[0] = 0;
}

/* ---- phase 3 */
static void consider(cmi_round_t *round, cmi_scratch_t *scratch, const cmi_query_t *query, uint32_t n) {
    cmi_distances(round->graph, scratch, query, scratch->fresh, n, scratch->fresh_distance);
    cmi_pool_t *pool = &scratch->pool;
    uint32_t limit = CMI_MIN(t_keep * round->graph->params.m, pool->capacity);
    for (uint32_t k = 0; k < n; k++)
        if (pool->n < limit || scratch->fresh_distance[k] < pool->at[limit - 1].distance)
            cmi_pool_insert(pool, limit, scratch->fresh_distance[k], scratch->fresh[k]);
}

static void meet(cmi_round_t *round, cmi_scratch_t *scratch, uint32_t i, const cmi_query_t *query) {
    uint32_t n = 0, slot = round->slots[i], m = round->m;
    scratch->pool.n = round->n_first[i];
    memcpy(scratch->pool.at, round->chosen + (size_t)i * m, round->n_first[i] * sizeof(cmi_found_t));
    /* chosen is: the diverse ones, then the nearest of the others; each part sorted */
    for (uint32_t k = 1; k < scratch->pool.n; k++) {
        cmi_found_t f = scratch->pool.at[k];
        uint32_t j = k;
        for (; j > 0 && scratch->pool.at[j - 1].distance > f.distance; j--) scratch->pool.at[j] = scratch->pool.at[j - 1];
        scratch->pool.at[j] = f;
    }
    cmi_seen_clear(scratch);
    cmi_seen_add(scratch, slot);
    for (uint32_t k = 0; k < scratch->pool.n; k++) cmi_seen_add(scratch, scratch->pool.at[k].slot);
    for (uint32_t r = 0; r < CMI_MIN(round->n_first[i], t_ranks); r++) {
        uint32_t g = round->group[i * m + r], at = round->where[i * m + r];
        uint32_t from = round->first[g], to = round->first[g + 1];
        if (at - from > t_window) from = at - t_window;
        if (to - at > t_window) to = at + t_window;
        for (uint32_t k = from; k < to; k++) {
            uint32_t other = round->slots[round->takes[k] / m];
            if (!cmi_seen_add(scratch, other)) continue;
            scratch->fresh[n++] = other;
            if (n == round->graph->cap0) {
                consider(round, scratch, query, n);
                n = 0;
            }
        }
    }
    consider(round, scratch, query, n);
    /* what the nearest of them have found */
    uint32_t near[64], n_near = 0;
    for (uint32_t k = 0; k < scratch->pool.n && n_near < t_ask; k++) {
        uint32_t other = scratch->pool.at[k].slot;
        if (round->index[other]) near[n_near++] = round->index[other] - 1;
    }
    n = 0;
    for (uint32_t k = 0; k < n_near; k++) {
        cmi_found_t *theirs;
        uint32_t n_theirs = chosen_of(round, near[k], &theirs);
        n_theirs = round->n_first[near[k]];
        for (uint32_t r = 0; r < n_theirs; r++) {
            if (!cmi_seen_add(scratch, theirs[r].slot)) continue;
            scratch->fresh[n++] = theirs[r].slot;
            if (n == round->graph->cap0) {
                consider(round, scratch, query, n);
                n = 0;
            }
        }
    }
    consider(round, scratch, query, n);
}

static void settle(cmi_round_t *round, cmi_scratch_t *scratch, uint32_t i) {
    cmi_hnsw_t *graph = round->graph;
    uint32_t slot = round->slots[i];
    cmi_query_t query = cmi_query_of_row(graph, cmi_hnsw_row(graph, slot));
    cmi_found_t *chosen = round->chosen2 + (size_t)i * round->m;
    if (t_pairs) {
        meet(round, scratch, i, &query);
        cmi_chosen_t into = {chosen, 0};
        cmi_link_choose(graph, scratch, round->choose, &into);
        round->n_chosen[i] = into.n;
    } else memcpy(chosen, round->chosen + (size_t)i * round->m, round->n_chosen[i] * sizeof(cmi_found_t));
    uint32_t n = round->n_chosen[i], r = 0;
    while (r < n && !cmi_linked(graph, chosen[r].slot)) r++;
    if (r == n && n > 0) chosen[--r] = round->start[i];
    round->tree[i] = r;
    cmi_links_fill(graph, slot, 0, chosen, n);
    cmi_link_publish(graph, slot);
}

static void settle_some(void *job, void *hand, uint32_t piece) {
    cmi_round_t *round = job;
    cmi_scratch_t *scratch = round->hands.begin(hand);
    uint32_t from = piece * SEARCH_AT_ONCE;
    for (uint32_t p = from; p < CMI_MIN(from + SEARCH_AT_ONCE, round->n); p++) settle(round, scratch, round->order[p].newcomer);
    round->hands.end(hand);
}

/* ---- phase 4 */
static void take_upper(cmi_round_t *round, cmi_scratch_t *scratch) {
    cmi_hnsw_t *graph = round->graph;
    for (uint32_t i = 0; i < round->n; i++) {
        uint32_t slot = round->slots[i], level = cmi_meta_level(cmi_hnsw_meta(graph, slot));
        cmi_query_t query = cmi_query_of_row(graph, cmi_hnsw_row(graph, slot));
        for (uint32_t l = CMI_MIN(level, cmi_entry_level(round->entry)); l > 0; l--) {
            cmi_list_t list = cmi_list_of(graph, slot, l);
            uint32_t n = 0, owners[CM_MAX_M];
            float distance[CM_MAX_M];
            for (uint32_t k = 0; k < list.cap; k++) {
                owners[n] = cmi_list_read(&list, k);
                n += owners[n] != CMI_NONE;
            }
            cmi_distances(graph, scratch, &query, owners, n, distance);
            for (uint32_t k = 0; k < n; k++) cmi_links_append(graph, scratch, owners[k], l, slot, distance[k], CMI_APPEND_IF_BETTER);
        }
    }
}

static bool comes_first(const cmi_round_t *round, uint32_t a, uint32_t b) {
    float x = round->chosen[a].distance, y = round->chosen[b].distance;
    if (t_order == 0 && x != y) return x < y;
    return round->slots[a / round->m] < round->slots[b / round->m];
}

static void sort_takes(const cmi_round_t *round, uint32_t *takes, uint32_t n) {
    for (uint32_t gap = n / 2; gap > 0; gap /= 2)
        for (uint32_t i = gap; i < n; i++) {
            uint32_t take = takes[i], j = i;
            for (; j >= gap && comes_first(round, take, takes[j - gap]); j -= gap) takes[j] = takes[j - gap];
            takes[j] = take;
        }
}

/* Takes that are about the tree, when the round is at the tree; the others after that. */
static bool is_wanted(const cmi_round_t *round, uint32_t take) {
    uint32_t i = take / round->m, r = take % round->m;
    if (round->at_tree) return !round->hung[i] && r == round->tree[i];
    return r >= round->first_open[i] && !(round->hung[i] && r == round->tree[i]) ;
}

static void take_group(cmi_round_t *round, cmi_scratch_t *scratch, uint32_t g) {
    cmi_hnsw_t *graph = round->graph;
    uint32_t owner = round->owner[g], *takes = round->takes + round->first[g], n = round->first[g + 1] - round->first[g], k = 0;
    while (k < n && !is_wanted(round, takes[k])) k++;
    if (k == n) return;
    if (n > 1) sort_takes(round, takes, n);
    cmi_owner_t list = cmi_owner_of(graph, scratch, owner);
    for (k = 0; k < n; k++) {
        if (!is_wanted(round, takes[k])) continue;
        uint32_t i = takes[k] / round->m, slot = round->slots[i];
        cmi_found_t *chosen = &round->chosen[takes[k]];
        if (round->at_tree) plat_store_relaxed(&cmi_hnsw_node(graph, slot)->parent, owner);
        bool taken = cmi_owner_take(&list, slot, chosen->distance, CMI_APPEND_IF_BETTER);
        if (round->at_tree) round->hung[i] = taken;
        else if (taken) chosen->slot |= CMI_PLAIN;
    }
}

/* The next LINKED neighbour of each that nobody took yet; returns how many there are. */
static uint32_t next_parents(cmi_round_t *round) {
    uint32_t n_left = 0;
    for (uint32_t i = 0; i < round->n; i++) {
        if (round->hung[i]) continue;
        cmi_found_t *chosen;
        uint32_t n = chosen_of(round, i, &chosen), r = round->tree[i] + 1;
        while (r < n && round->late[round->group[i * round->m + r]]) r++;
        round->tree[i] = CMI_MIN(r, n);
        n_left += r < n;
    }
    return n_left;
}

static void prefetch_group(const cmi_round_t *round, uint32_t g, bool rows) {
    const cmi_hnsw_t *graph = round->graph;
    uint32_t owner = round->owner[g];
    cmi_list_t list = cmi_list_of(graph, owner, 0);
    if (!rows) {
        plat_prefetch(list.place), plat_prefetch((char *)list.place + 64);
        plat_prefetch(cmi_hnsw_node(graph, owner));
        cmi_prefetch_row(graph, owner);
        return;
    }
    for (uint32_t i = 0; i < list.cap; i++) {
        uint32_t id = cmi_list_read(&list, i);
        if (id != CMI_NONE) cmi_prefetch_row(graph, id);
    }
}

static void take(void *job, void *hand, uint32_t piece) {
    cmi_round_t *round = job;
    cmi_scratch_t *scratch = round->hands.begin(hand);
    if (piece == 0) {
        if (!round->is_late && !round->at_tree) take_upper(round, scratch);
    } else {
        uint32_t from = (piece - 1) * OWNERS_AT_ONCE, to = CMI_MIN(from + OWNERS_AT_ONCE, round->n_groups);
        for (uint32_t g = from; g < to; g++) {
            if (round->late[g] != round->is_late) continue;
            if (g + 2 < to) prefetch_group(round, g + 2, false);
            if (g + 1 < to) prefetch_group(round, g + 1, true);
            take_group(round, scratch, g);
        }
    }
    round->hands.end(hand);
}

/* ---- the end */
static void finish(cmi_round_t *round, cmi_scratch_t *scratch) {
    cmi_hnsw_t *graph = round->graph;
    for (uint32_t i = 0; i < round->n; i++) {
        if (!round->hung[i]) {
            cmi_found_t *chosen;
            scratch->chosen[0].n = CMI_MIN(chosen_of(round, i, &chosen), graph->params.m);
            memcpy(scratch->chosen[0].at, chosen, scratch->chosen[0].n * sizeof *chosen);
            cmi_link_by_force(round->graph, scratch, round->slots[i]);
            t_forced++;
        }
        cmi_link_finish(round->graph, round->slots[i]);
    }
}

static uint32_t pieces(uint32_t n, uint32_t at_once) {
    return (n + at_once - 1) / at_once;
}

static void link_some(cmi_round_t *round, cmi_team_t *team, void *hand, uint32_t *slots, uint32_t n) {
    round->n = n;
    round->slots = slots;
    round->entry = cmi_entry_load(round->graph);
    uint32_t n_graph = CMI_MAX(cmi_hnsw_n_slots(round->graph) - n, 1u), n_seen = cmi_hnsw_n_slots(round->graph);
    uint32_t ef = round->graph->params.ef_construction;
    round->ef = CMI_MAX((uint32_t)((float)ef * (1 - t_efcut * (float)n / (float)(n + n_graph))), round->graph->params.m);
    round->choose = round->graph->params.m + (uint32_t)(t_more * (float)round->graph->params.m * (float)n / (float)(n + n_graph));
    memset(round->hung, 0, n);
    for (uint32_t i = 0; i < n; i++) round->index[slots[i]] = i + 1;
    double t[8];
    t[0] = now();
    cmi_team_run(team, hand, locate, round, pieces(n, LOCATE_AT_ONCE));
    t[1] = now();
    sort(round);
    cmi_team_run(team, hand, search, round, pieces(n, SEARCH_AT_ONCE));
    t[2] = now();
    if (t_pairs) group(round);
    t[3] = now();
    cmi_team_run(team, hand, settle_some, round, pieces(n, SEARCH_AT_ONCE));
    cmi_found_t *swap = round->chosen;
    round->chosen = round->chosen2, round->chosen2 = swap;
    t[4] = now();
    group(round);
    round->is_late = false;
    round->at_tree = true;
    memset(round->first_open, 0, n * sizeof(uint32_t));
    for (uint32_t k = 0; k < t_passes; k++) {
        cmi_team_run(team, hand, take, round, 1 + pieces(round->n_groups, OWNERS_AT_ONCE));
        if (next_parents(round) == 0) break;
    }
    round->at_tree = false;
    cmi_team_run(team, hand, take, round, 1 + pieces(round->n_groups, OWNERS_AT_ONCE));
    t[5] = now();
    cmi_scratch_t *scratch = round->hands.begin(hand);
    finish(round, scratch);
    round->hands.end(hand);
    t[6] = now();
    for (uint32_t i = 0; i < n; i++) round->index[slots[i]] = 0;
    round->is_late = true;
    if (t_pairs) cmi_team_run(team, hand, take, round, 1 + pieces(round->n_groups, OWNERS_AT_ONCE));
    round->hands.begin(hand);
    for (uint32_t i = 0; i < n; i++) cmi_link_keep_up(round->graph, scratch, round->slots[i], n_seen);
    round->hands.end(hand);
    t[7] = now();
    for (int i = 0; i < 7; i++) t_time[i] += t[i + 1] - t[i];
}

void cmi_round_link(cmi_round_t *round, cmi_team_t *team, void *hand, uint32_t n) {
    cmi_hnsw_t *graph = round->graph;
    uint32_t n_tall = 0, n_flat = 0, n_before = cmi_hnsw_n_slots(graph) - n;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t slot = round->given[i];
        if (cmi_meta_level(plat_load_relaxed(&cmi_hnsw_node(graph, slot)->meta)) > 0) round->tall[n_tall++] = slot;
        else round->given[n_flat++] = slot;
    }
    for (uint32_t i = 0; i < n_tall;) {
        uint32_t some = CMI_MIN((n_before + i * graph->params.m) / (graph->params.m * t_tall), n_tall - i);
        if (some < 16) {
            cmi_scratch_t *scratch = round->hands.begin(hand);
            cmi_hnsw_link(graph, scratch, round->tall[i++]);
            round->hands.end(hand);
            continue;
        }
        link_some(round, team, hand, round->tall + i, some);
        i += some;
    }
    if (n_flat) link_some(round, team, hand, round->given, n_flat);
}

uint32_t *cmi_round_slots(cmi_round_t *round) {
    return round->given;
}

/* ---- memory */
static void *carve(uint8_t *base, uint64_t *used, uint64_t bytes) {
    uint64_t at = *used;
    *used = (at + bytes + 63u) & ~(uint64_t)63u;
    return base ? base + at : NULL;
}

static uint64_t lay_out(cmi_round_t *round, uint8_t *base) {
    uint64_t used = 0, most = round->most, links = most * round->m;
    carve(base, &used, sizeof *round);
    round->given = carve(base, &used, most * sizeof(uint32_t));
    round->tall = carve(base, &used, most * sizeof(uint32_t));
    round->first_open = carve(base, &used, most * sizeof(uint32_t));
    round->n_first = carve(base, &used, most * sizeof(uint32_t));
    round->index = carve(base, &used, round->graph->params.capacity * sizeof(uint32_t));
    round->tree = carve(base, &used, most * sizeof(uint32_t));
    round->where = carve(base, &used, links * sizeof(uint32_t));
    round->late = carve(base, &used, links);
    round->chosen2 = carve(base, &used, links * sizeof(cmi_found_t));
    round->order = carve(base, &used, most * sizeof(placed_t));
    round->spare = carve(base, &used, most * sizeof(placed_t));
    round->start = carve(base, &used, most * sizeof(cmi_found_t));
    round->chosen = carve(base, &used, links * sizeof(cmi_found_t));
    round->n_chosen = carve(base, &used, most * sizeof(uint32_t));
    round->hung = carve(base, &used, most);
    round->group = carve(base, &used, links * sizeof(uint32_t));
    round->owner = carve(base, &used, links * sizeof(uint32_t));
    round->first = carve(base, &used, (links + 1) * sizeof(uint32_t));
    round->takes = carve(base, &used, links * sizeof(uint32_t));
    return used;
}

cmi_round_t *cmi_round_open(cmi_hnsw_t *graph, const cmi_hands_t *hands, uint32_t most) {
    cmi_round_t plan = {.graph = graph, .hands = *hands, .most = most, .m = graph->params.m * 2};
    plan.bytes = lay_out(&plan, NULL);
    plan.mark_bytes = (uint64_t)graph->params.capacity * sizeof(uint32_t);
    uint8_t *base = plat_pages_alloc((size_t)plan.bytes);
    if (!base) return NULL;
    plan.mark = plat_pages_alloc((size_t)plan.mark_bytes);
    if (!plan.mark) {
        plat_pages_free(base, (size_t)plan.bytes);
        return NULL;
    }
    lay_out(&plan, base);
    *(cmi_round_t *)base = plan;
    return (cmi_round_t *)base;
}

void cmi_round_close(cmi_round_t *round) {
    if (!round) return;
    plat_pages_free(round->mark, (size_t)round->mark_bytes);
    plat_pages_free(round, (size_t)round->bytes);
}
