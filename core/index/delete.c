/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * delete.c - removal by tombstone: one CAS. The node keeps its lists and goes on carrying traffic; it is in no result from now on, except those of searches
 * that tested its state before. Online vacuum will unlink it and reuse its slot.
 */
#include "index/hnsw.h"

bool cmi_hnsw_kill(cmi_hnsw_t *graph, uint32_t slot) {
    plat_a64_t *word = &cmi_hnsw_node(graph, slot)->meta;
    /* relaxed, both: we look at the word alone, and an RMW hands on what LIVE [N3] and LINKED [N4] released */
    uint64_t meta = plat_load_relaxed(word);
    while (cmi_meta_state(meta) == CMI_LIVE)
        if (plat_cas_relaxed(word, &meta, (meta & ~(uint64_t)0xFF) | CMI_DEAD)) return true; /* retry: another flag was set */
    return false;
}
