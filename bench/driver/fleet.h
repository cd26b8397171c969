// SPDX-License-Identifier: MIT OR Apache-2.0
// fleet.h - the systems of one comparison over one set of data, and what every workload does with them: build in alternating slices, measure recall, run
// queries.
#ifndef BENCH_DRIVER_FLEET_H
#define BENCH_DRIVER_FLEET_H

#include "driver/data.h"
#include "driver/measure.h"
#include "driver/rows.h"
#include "peers/peer.h"

struct System {
    const Kind *kind = nullptr;
    std::unique_ptr<Peer> peer;
    std::vector<Lap> slices;                      // of the build
    std::vector<std::vector<uint32_t>> insert_ns; // per thread; none where whole blocks are given
    uint64_t build_distances = 0;                 // computed by the build
};

struct Fleet {
    const Data *data;
    uint32_t threads; // that built it
    uint32_t slice;   // rows per slice
    std::vector<System> systems;
};

using Wanted = bool (*)(const Kind &);

// Vectors in fewer bits: compared with f32 in a workload of its own.
inline bool is_smaller(const Kind &kind) {
    return std::string(kind.name).rfind("chronomind bf16", 0) == 0 || std::string(kind.name).rfind("chronomind i8", 0) == 0;
}
inline bool is_library(const Kind &kind) {
    return !kind.baseline && !is_smaller(kind);
}
inline bool is_index(const Kind &kind) {
    return kind.name != std::string("chronomind store") && !is_smaller(kind);
}
inline bool is_ours_or_hnswlib(const Kind &kind) {
    return kind.name == std::string("chronomind") || kind.name == std::string("hnswlib");
}
inline bool is_mixing_index(const Kind &kind) {
    return is_index(kind) && kind.mixes;
}

// Only these systems, by name; empty: all. From the command line.
extern std::vector<std::string> only_systems;
bool is_chosen(const Kind &kind);

// Every system that is wanted, filled with the base of the data by that many threads. max_threads: most threads that will use it afterwards.
Fleet build_fleet(const Data &data, Wanted wanted, uint32_t threads, uint32_t slice, uint32_t max_threads = 2);

// The same for systems that are in the fleet already.
void fill_fleet(Fleet &fleet);

// From is always id `first` on; the ids are row numbers.
void insert_rows(System &system, const Data &data, uint32_t first, uint32_t n, uint32_t threads);

// All queries, split among threads; ids has kK per query.
void run_queries(System &system, const Data &data, uint32_t threads, std::vector<uint32_t> &ids);

struct Quality {
    double recall, distances; // distances per query
};
Quality measure_quality(System &system, const Data &data, uint32_t ef);

// The rate of one lap, by either clock; that of the processor counts each thread's time.
inline double rate_of(const Lap &lap, double n, uint32_t threads, bool cpu) {
    return n / (cpu ? lap.cpu / threads : lap.wall);
}

// Rows "vs=PEER": the first system's values over each other one's, round by round.
void add_ratios(Rows &rows, const Row &pattern, const std::vector<System> &systems, const std::vector<std::vector<double>> &values);

#endif
