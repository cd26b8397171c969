/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* round.c - see round.h: the phases, where newcomers belong, and what they find. */
#include "bulk/round_impl.h"
#include "index/insert.h"
#include "index/links.h"
#include "index/search.h"

#include "memory/carve.h"
#include "plat_pages.h"

#define FLAT_SHARE 2u /* a part has at most one node for so many that are linked */
#define TALL_SHARE 8u /* of those on the upper levels: there newcomers do not meet */
#define PARTS_AT_LEAST 8u
#define PART_LEAST 16u /* fewer are linked one by one */

/* Measured with 340,479 words, codes, ef_construction 100, m 16, as recall@10 at ef 40, 80 and 400 (single inserts .8330 .8981 .9791):
 * candidates  48 instead of all of them: .8286 .8927 .9747 instead of .8318 .8955 .9779
 * neighbours  one more than m: .8377 .8992 .9779; what codes cost at small ef comes back
 * ef          a tenth less instead of a twentieth: .8366 .8967 .9765. A twentieth less is nothing, for newcomers also find each other */
#define KEPT_AT_MOST 128u /* candidates of a newcomer: memory */
#define NEIGHBORS_MORE 1u
#define EF_LESS 20u /* one of so many */

static uint32_t level_of(const cmi_hnsw_t *graph, uint32_t slot) {
    return cmi_meta_level(plat_load_relaxed(&cmi_hnsw_node(graph, slot)->meta)); /* relaxed: BUILDING, known to this job alone */
}

/* ---- codes ------------------------------------------------------------------------------------------------------------------------- */

static void code_given(void *job, void *hand, uint32_t piece) {
    cmi_round_t *round = job;
    cmi_scratch_t *scratch = cmi_round_begin(round, hand);
    uint32_t from = piece * CMI_PIECE, to = CMI_MIN(from + CMI_PIECE, round->n);
    for (uint32_t i = from; i < to; i++) cmi_coded_write(&round->coded, round->given[i], scratch->form[CMI_FORM_QUERY]);
    cmi_round_end(round, hand);
}

static void code_others(void *job, void *hand, uint32_t piece) {
    cmi_round_t *round = job;
    cmi_scratch_t *scratch = cmi_round_begin(round, hand);
    uint32_t from = round->coded.n_done + piece * CMI_PIECE, to = CMI_MIN(from + CMI_PIECE, round->coded_end);
    for (uint32_t slot = from; slot < to; slot++) cmi_coded_catch_up(&round->coded, slot, scratch->form[CMI_FORM_QUERY]);
    cmi_round_end(round, hand);
}

/* What others have inserted since the last part, and before the batch. */
static void catch_up(cmi_round_t *round, cmi_team_t *team, void *hand) {
    if (round->walked != &round->coded.rows) return;
    uint32_t done = cmi_coded_look(&round->coded, &round->coded_end);
    if (round->coded.n_done == round->coded_end) return;
    cmi_team_run(team, hand, code_others, round, cmi_round_pieces(round->coded_end - round->coded.n_done));
    round->coded.n_done = done;
}

static void code_round(cmi_round_t *round, cmi_team_t *team, void *hand, uint32_t n) {
    if (round->walked != &round->coded.rows) return;
    round->n = n;
    cmi_team_run(team, hand, code_given, round, cmi_round_pieces(n));
    catch_up(round, team, hand);
}

/* ---- locate ------------------------------------------------------------------------------------------------------------------------- */

/* The nearest nodes of the levels 3, 2 and 1: who has the same ones has many neighbours in common. */
static void locate(cmi_round_t *round, cmi_scratch_t *scratch, uint32_t newcomer) {
    const cmi_hnsw_t *graph = round->graph;
    cmi_query_t query = cmi_walking_query_of_slot(graph, scratch, CMI_FORM_QUERY, round->slots[newcomer]);
    uint32_t from = cmi_entry_slot(round->entry), level = cmi_entry_level(round->entry), to = CMI_MIN(level, 2u);
    cmi_found_t at;
    uint64_t key = 0;
    for (;; to--) {
        at = cmi_descend(graph, scratch, &query, from, level, to);
        key = key << 21 | (at.slot & 0x1FFFFFu);
        from = at.slot, level = to;
        if (to == 0) break;
    }
    round->nearest[newcomer] = at;
    round->order[newcomer] = (cmi_located_t){key, newcomer};
}

static void locate_some(void *job, void *hand, uint32_t piece) {
    cmi_round_t *round = job;
    cmi_scratch_t *scratch = cmi_round_begin(round, hand);
    uint32_t from = piece * CMI_PIECE, to = CMI_MIN(from + CMI_PIECE, round->n);
    for (uint32_t i = from; i < to; i++) locate(round, scratch, i);
    cmi_round_end(round, hand);
}

/* By bytes of the key, the lowest first. */
static void sort(cmi_round_t *round) {
    for (uint32_t shift = 0; shift < 64; shift += 8) {
        uint32_t count[257] = {0};
        for (uint32_t i = 0; i < round->n; i++) count[(round->order[i].key >> shift & 0xFFu) + 1]++;
        for (uint32_t byte = 0; byte < 256; byte++) count[byte + 1] += count[byte];
        for (uint32_t i = 0; i < round->n; i++) round->spare[count[round->order[i].key >> shift & 0xFFu]++] = round->order[i];
        cmi_located_t *sorted = round->spare;
        round->spare = round->order, round->order = sorted;
    }
}

/* ---- search ---------------------------------------------------------------------------------------------------------------------------- */

/* Upper levels of a tall node, as an insert would do; returns where level 0 starts. */
static cmi_found_t search_upper(const cmi_round_t *round, cmi_scratch_t *scratch, const cmi_query_t *query, uint32_t newcomer) {
    uint32_t slot = round->slots[newcomer], entry_level = cmi_entry_level(round->entry);
    uint32_t top = CMI_MIN(level_of(round->graph, slot), entry_level);
    if (top == 0) return round->nearest[newcomer];
    cmi_found_t start = cmi_descend(round->graph, scratch, query, cmi_entry_slot(round->entry), entry_level, top);
    for (uint32_t level = top; level > 0; level--) start = cmi_link_forward(round->graph, scratch, query, slot, level, start);
    return start;
}

/* Candidates; the m nearest of them say whom the newcomer meets. */
static void keep_found(cmi_round_t *round, const cmi_pool_t *pool, uint32_t newcomer) {
    uint32_t n = CMI_MIN(pool->n, round->n_kept), n_chosen = CMI_MIN(n, round->graph->params.m);
    memcpy(round->found + (size_t)newcomer * round->n_kept, pool->at, n * sizeof *pool->at);
    memcpy(round->chosen + (size_t)newcomer * round->row, pool->at, n_chosen * sizeof *pool->at);
    round->n_found[newcomer] = n, round->n_chosen[newcomer] = n_chosen;
}

static void search(cmi_round_t *round, cmi_scratch_t *scratch, uint32_t newcomer, const cmi_found_t *predecessor) {
    cmi_hnsw_t *graph = round->graph;
    cmi_query_t query = cmi_walking_query_of_slot(graph, scratch, CMI_FORM_QUERY, round->slots[newcomer]);
    cmi_found_t start = search_upper(round, scratch, &query, newcomer);
    cmi_accept_t accept = {NULL, NULL, false};
    cmi_beam_t beam = cmi_beam_of(round->ef);
    if (predecessor) { /* what the one before found may be nearer, and is at hand */
        float distance = cmi_distance(graph, &query, predecessor->slot);
        scratch->n_distances++;
        if (distance < start.distance) start = (cmi_found_t){distance, predecessor->slot};
    }
    cmi_search_level(graph, scratch, &query, start, 0, &beam, &accept);
    if (scratch->pool.n == 0) { /* everything near is a tombstone: they must carry the new node */
        accept.dead_too = true;
        cmi_search_level(graph, scratch, &query, start, 0, &beam, &accept);
    }
    round->nearest[newcomer] = scratch->pool.n > 0 ? scratch->pool.at[0] : start;
    keep_found(round, &scratch->pool, newcomer);
}

static void search_some(void *job, void *hand, uint32_t piece) {
    cmi_round_t *round = job;
    cmi_scratch_t *scratch = cmi_round_begin(round, hand);
    uint32_t from = piece * CMI_PIECE, to = CMI_MIN(from + CMI_PIECE, round->n);
    for (uint32_t i = from; i < to; i++)
        search(round, scratch, round->order[i].newcomer, i > from ? &round->nearest[round->order[i - 1].newcomer] : NULL);
    cmi_round_end(round, hand);
}

/* In order, so that what is learned does not depend on threads either. */
static void learn(cmi_round_t *round) {
    for (uint32_t i = 0; i < round->n; i++) cmi_beam_learn(round->graph, round->found + (size_t)i * round->n_kept, round->n_found[i]);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------------------------- */

/* A round's nodes find a share n / (n + n_graph) of their neighbours among themselves, so the graph is searched for fewer. Links among them are chosen by both ends, where an insert's
 * neighbours add a backlink each: so that lists get as full, more are chosen. */
static void plan(cmi_round_t *round, uint32_t n_graph) {
    const cmi_hnsw_params_t *params = &round->graph->params;
    uint64_t n = round->n, all = n + n_graph;
    uint32_t fewer = (uint32_t)(params->ef_construction * n / (2 * all)), more = (uint32_t)(params->m * n / (2 * all));
    round->ef = CMI_MAX(params->ef_construction - fewer - params->ef_construction / EF_LESS, params->m);
    round->n_neighbors = CMI_MIN(params->m + more + NEIGHBORS_MORE, round->row);
}

static void link_some(cmi_round_t *round, cmi_team_t *team, void *hand, uint32_t *slots, uint32_t n) {
    cmi_hnsw_t *graph = round->graph;
    uint32_t n_seen = cmi_hnsw_n_slots(graph);
    catch_up(round, team, hand);
    round->slots = slots, round->n = n;
    round->entry = cmi_entry_load(graph);
    plan(round, n_seen - n);
    cmi_team_run(team, hand, locate_some, round, cmi_round_pieces(n));
    sort(round);
    cmi_team_run(team, hand, search_some, round, cmi_round_pieces(n));
    learn(round);
    cmi_round_group(round);
    cmi_team_run(team, hand, cmi_round_settle, round, cmi_round_pieces(n));
    cmi_round_group(round);
    cmi_round_link_back(round, team, hand);
    cmi_scratch_t *scratch = cmi_round_begin(round, hand);
    for (uint32_t i = 0; i < n; i++) cmi_link_keep_up(graph, scratch, slots[i], n_seen);
    cmi_round_end(round, hand);
}

static void link_one(cmi_round_t *round, void *hand, uint32_t slot) {
    cmi_scratch_t *scratch = cmi_round_begin(round, hand);
    cmi_hnsw_link(round->graph, scratch, slot);
    cmi_round_end(round, hand);
}

/* Into an order that has nothing to do with that in which they were given: neighbours often come one after the other, and a part would hold them all. */
static void shuffle(cmi_round_t *round, uint32_t *slots, uint32_t n) {
    round->n = n;
    for (uint32_t i = 0; i < n; i++) round->order[i] = (cmi_located_t){cmi_mix(slots[i]), slots[i]};
    sort(round);
    for (uint32_t i = 0; i < n; i++) slots[i] = round->order[i].newcomer;
}

static uint32_t largest_part(uint32_t n) {
    return CMI_MAX(n / PARTS_AT_LEAST, PART_LEAST);
}

/* Part by part, each at most one node for `share` of the n_graph that are there, and PARTS_AT_LEAST of them: what lies together is then spread over several. */
static void link_parts(cmi_round_t *round, cmi_team_t *team, void *hand, uint32_t *slots, uint32_t n, uint32_t n_graph, uint32_t share) {
    uint32_t largest = largest_part(n);
    shuffle(round, slots, n);
    for (uint32_t i = 0, some; i < n; i += some) {
        some = CMI_MIN(CMI_MIN((n_graph + i) / share, largest), n - i);
        if (some >= PART_LEAST) link_some(round, team, hand, slots + i, some);
        else link_one(round, hand, slots[i]), some = 1;
    }
}

/* Into `tall`; the others stay. Returns how many are tall. */
static uint32_t take_out_tall(cmi_round_t *round, uint32_t n) {
    uint32_t n_tall = 0, n_flat = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t slot = round->given[i];
        if (level_of(round->graph, slot) > 0) round->tall[n_tall++] = slot;
        else round->given[n_flat++] = slot;
    }
    return n_tall;
}

void cmi_round_link(cmi_round_t *round, cmi_team_t *team, void *hand, uint32_t n) {
    code_round(round, team, hand, n);
    uint32_t n_graph = cmi_hnsw_n_slots(round->graph) - n, n_tall = take_out_tall(round, n);
    link_parts(round, team, hand, round->tall, n_tall, n_graph / round->graph->params.m, TALL_SHARE);
    link_parts(round, team, hand, round->given, n - n_tall, n_graph + n_tall, FLAT_SHARE);
}

uint32_t *cmi_round_slots(cmi_round_t *round) {
    return round->given;
}

/* ---- memory -------------------------------------------------------------------------------------------------------------------------------- */

/* With base NULL it only counts. */
static uint64_t lay_out(cmi_round_t *round, uint8_t *base) {
    cmi_carver_t carver = {base, 0};
    uint64_t most = round->most, at_once = round->most_at_once, n_choices = at_once * round->row;
    cmi_carve(&carver, sizeof *round);
    round->given = cmi_carve(&carver, most * sizeof(uint32_t));
    round->tall = cmi_carve(&carver, most * sizeof(uint32_t));
    round->order = cmi_carve(&carver, most * sizeof(cmi_located_t));
    round->spare = cmi_carve(&carver, most * sizeof(cmi_located_t));
    round->nearest = cmi_carve(&carver, at_once * sizeof(cmi_found_t));
    round->n_found = cmi_carve(&carver, at_once * sizeof(uint32_t));
    round->n_chosen = cmi_carve(&carver, at_once * sizeof(uint32_t));
    round->parent = cmi_carve(&carver, at_once * sizeof(uint32_t));
    round->hung = cmi_carve(&carver, at_once);
    round->found = cmi_carve(&carver, at_once * round->n_kept * sizeof(cmi_found_t));
    round->chosen = cmi_carve(&carver, n_choices * sizeof(cmi_found_t));
    round->owner_at = cmi_carve(&carver, n_choices * sizeof(uint32_t));
    round->place = cmi_carve(&carver, n_choices * sizeof(uint32_t));
    round->choices = cmi_carve(&carver, n_choices * sizeof(uint32_t));
    round->owners = cmi_carve(&carver, n_choices * sizeof(uint32_t));
    round->first = cmi_carve(&carver, (n_choices + 1) * sizeof(uint32_t));
    round->late = cmi_carve(&carver, n_choices);
    return carver.used;
}

cmi_round_t *cmi_round_open(cmi_hnsw_t *graph, const cmi_hands_t *hands, uint32_t most, size_t n) {
    cmi_round_t round = {.graph = graph, .hands = *hands, .walked = graph->walked, .most = CMI_MIN(most, CMI_ROUND_MOST)};
    round.most_at_once = largest_part(round.most);
    round.n_kept = CMI_MIN(graph->params.ef_construction, KEPT_AT_MOST);
    round.row = graph->params.m + graph->params.m / 4;
    round.bytes = lay_out(&round, NULL);
    round.mark_bytes = (uint64_t)graph->params.capacity * sizeof(uint32_t);
    uint8_t *base = plat_pages_alloc((size_t)round.bytes);
    if (!base) return NULL;
    round.mark = plat_pages_alloc((size_t)round.mark_bytes);
    if (!round.mark) {
        plat_pages_free(base, (size_t)round.bytes);
        return NULL;
    }
    lay_out(&round, base);
    memcpy(base, &round, sizeof round);
    cmi_round_t *made = (cmi_round_t *)(void *)base;
    if (cmi_coded_pays(graph, n) && cmi_coded_open(&made->coded, graph)) made->walked = &made->coded.rows;
    return made;
}

void cmi_round_close(cmi_round_t *round) {
    if (!round) return;
    cmi_coded_close(&round->coded);
    plat_pages_free(round->mark, (size_t)round->mark_bytes);
    plat_pages_free(round, (size_t)round->bytes);
}
