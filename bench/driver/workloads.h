// SPDX-License-Identifier: MIT OR Apache-2.0
// workloads.h - one function per workload, and what they share: data and indexes that were made once.
#ifndef BENCH_DRIVER_WORKLOADS_H
#define BENCH_DRIVER_WORKLOADS_H

#include "driver/fleet.h"

struct World {
    std::string out = "build/bench", words = "build/demo", self;
    bool quick = false; // small sizes: do the programs run? The figures mean nothing
    bool gate = false;  // exit with 1 when recall on all words is below what is known

    const Data &all_words();
    const Data &embeddings(); // 10,000 x 768, with vectors to insert later
    Fleet &words_fleet();     // all_words(), built by one thread

  private:
    std::unique_ptr<Data> all_words_, embeddings_;
    std::unique_ptr<Fleet> words_fleet_;
};

// True: nothing to complain about.
bool insert_workload(World &world);
bool bulk_workload(World &world);
bool million_workload(World &world);
bool search_workload(World &world);
bool storage_workload(World &world);
bool mixed_workload(World &world);
bool readers_workload(World &world);
bool load_workload(World &world);
bool memory_workload(World &world);

// What memory_workload() runs in a fresh process per system.
int memory_of_one(World &world, const std::string &system, const std::string &data);

// Runs it and adds the row: bytes per vector, with the vector or over it. data: "words" or "embeddings".
void add_memory(const World &world, Rows &rows, const Kind &kind, const std::string &data, bool over_the_vector);

#endif
