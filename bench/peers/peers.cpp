// SPDX-License-Identifier: MIT OR Apache-2.0
// peers.cpp - the table of what can be compared. Which libraries were found is decided by CMake (bench/bench.cmake).
#include "peers/peer.h"

[[maybe_unused]] static void missing(const char *name, const char *how) {
    std::fprintf(stderr, "%s is left out: %s\n", name, how);
}

static std::vector<Kind> all() {
    std::vector<Kind> kinds = {lockfree_kind()};
#ifdef PEER_HNSWLIB
    kinds.push_back(hnswlib_kind());
#else
    missing("hnswlib", "apt-get install libhnswlib-dev, then build again");
#endif
#ifdef PEER_USEARCH
    kinds.push_back(usearch_kind());
#else
    missing("usearch", "bash bench/peers/fetch.sh (its headers, out of the npm package), then build again");
#endif
#ifdef PEER_FAISS
    kinds.push_back(faiss_kind());
#else
    missing("FAISS", "apt-get install libfaiss-dev, then build again");
#endif
    kinds.push_back(rwlock_kind());
    kinds.push_back(sharded_kind());
    kinds.push_back(store_kind());
    kinds.push_back(bf16_kind());
    kinds.push_back(i8_kind());
    kinds.push_back(i8_file_kind());
    return kinds;
}

const std::vector<Kind> &kinds() {
    static const std::vector<Kind> table = all();
    return table;
}
