/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* stream.c - see stream.h. */
#include "index/stream.h"

#include "index/frontier.h"

static void begin(cmi_stream_t *stream, cmi_found_t start) {
    cmi_scratch_t *scratch = stream->scratch;
    stream->ef = 0;
    stream->n_slots = cmi_hnsw_n_slots(stream->graph);
    scratch->pool.n = scratch->hidden.n = scratch->later.n = 0;
    cmi_seen_clear(scratch);
    cmi_seen_add(scratch, start.slot);
    stream->visit(stream->visit_context, &start.slot, &start.distance, 1);
    cmi_hidden_push(&scratch->later, start.distance, start.slot);
}

bool cmi_stream_begin(cmi_stream_t *stream) {
    uint64_t entry = cmi_entry_load(stream->graph);
    if (entry == CMI_NO_ENTRY) return false;
    begin(stream, cmi_descend(stream->graph, stream->scratch, &stream->query, cmi_entry_slot(entry), cmi_entry_level(entry), 0));
    return true;
}

void cmi_stream_begin_at(cmi_stream_t *stream, uint32_t slot) {
    cmi_found_t start = {cmi_distance(stream->graph, &stream->query, slot), slot};
    stream->scratch->n_distances++;
    begin(stream, start);
}

/* What was put off and now has a place. */
static void take_up(cmi_stream_t *stream, cmi_frontier_t *frontier) {
    cmi_hidden_t *later = &stream->scratch->later;
    while (later->n > 0 && cmi_useful(frontier, later->at[0].distance)) {
        cmi_found_t found = cmi_hidden_pop(later);
        if (found.slot & CMI_CHECKED) cmi_take_in(frontier, found.distance, found.slot);
        else cmi_consider(stream->graph, stream->scratch, frontier, &stream->accept, found.distance, found.slot);
    }
}

void cmi_stream_widen(cmi_stream_t *stream, uint32_t ef) {
    cmi_scratch_t *scratch = stream->scratch;
    cmi_frontier_t frontier = cmi_frontier_of(scratch, &scratch->later, cmi_beam_of(ef));
    cmi_walk_t walk = {&stream->query, &stream->accept, 0, stream->n_slots, stream->visit, stream->visit_context};
    stream->ef = ef;
    cmi_look_no_farther(&frontier);
    take_up(stream, &frontier);
    cmi_walk(stream->graph, scratch, &frontier, &walk);
}
