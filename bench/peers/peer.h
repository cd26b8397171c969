// SPDX-License-Identifier: MIT OR Apache-2.0
// peer.h - what the driver asks of an index, ours or another's. One file per library implements it; peers.cpp lists them.
#ifndef BENCH_PEERS_PEER_H
#define BENCH_PEERS_PEER_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

constexpr uint32_t kNoId = UINT32_MAX;

// The same for every index of a comparison.
struct Shape {
    uint32_t dimensions;
    uint32_t capacity; // vectors that may be inserted
    uint32_t threads;  // most threads at once
    uint32_t m = 16, ef_construction = 100;
};

// An index by cosine. Threads are numbered from 0; each number is used by one thread at a time.
class Peer {
  public:
    virtual ~Peer() = default;
    virtual void insert(uint32_t thread, const float *vector, uint32_t id) = 0;
    // The k nearest by the ef that was set; ids has room for k, missing ones are kNoId.
    virtual void search(uint32_t thread, const float *query, uint32_t k, uint32_t *ids) = 0;
    virtual void set_ef(uint32_t ef) = 0;

    // Whole blocks, for libraries that are meant to be given blocks. True: done.
    virtual bool insert_block(uint32_t, const float *, uint32_t, uint32_t) {
        return false;
    } // threads, rows, id of the first, how many
    virtual bool search_block(const float *, uint32_t, uint32_t, uint32_t *) {
        return false;
    } // queries, how many, k, ids

    virtual uint64_t distances(uint32_t) {
        return 0;
    } // computed by that thread so far; 0: not counted
    virtual uint64_t bytes() {
        return 0;
    } // of the whole index by its own account; 0: no account
    virtual uint64_t unreachable() {
        return 0;
    } // nodes that no search can find
    virtual bool save(const char *) {
        return false;
    }
};

struct Kind {
    const char *name;
    std::string version;
    bool takes_raw; // vectors as they are; the others get unit vectors, because their cosine is an inner product
    bool mixes;     // inserts beside searches, one vector at a time
    bool baseline;  // our own, to compare with
    std::unique_ptr<Peer> (*make)(const Shape &);
    std::unique_ptr<Peer> (*load)(const Shape &, const char *path); // NULL: cannot
};

// Those that were compiled in, ours first. Says on stderr, once, which are not and how to get them.
const std::vector<Kind> &kinds();

Kind lockfree_kind(), bf16_kind(), i8_kind(), i8_file_kind(), rwlock_kind(), sharded_kind(), store_kind();
Kind batch_kind(); // the store, filled by cm_insert_batch(): for a workload of its own, not among kinds()
Kind hnswlib_kind(), usearch_kind(), faiss_kind();

[[noreturn]] inline void die(const char *what, const char *why) {
    std::fprintf(stderr, "Error: %s: %s\n", what, why);
    std::exit(1);
}

#endif
