// SPDX-License-Identifier: MIT OR Apache-2.0
// mixed.cpp - nine searches (k 10, ef 50) to one insert, by one thread and by two.
#include "driver/workloads.h"

namespace {

constexpr uint32_t kEf = 50;

struct Turn {
    System *system;
    std::atomic<uint32_t> *next_row; // to insert
    uint32_t thread, n_operations;
};

void run(const Data &data, Turn turn) {
    const bool raw = turn.system->kind->takes_raw;
    uint32_t ids[kK], query = turn.thread * 331;
    for (uint32_t i = 0; i < turn.n_operations; i++) {
        if (i % 10 == 9) {
            uint32_t row = turn.next_row->fetch_add(1, std::memory_order_relaxed);
            turn.system->peer->insert(turn.thread, data.row(row, raw), row);
        } else {
            turn.system->peer->search(turn.thread, data.query(query++ % data.n_queries, raw), kK, ids);
        }
    }
}

Row row_of(const Fleet &fleet, const System &system, uint32_t threads, bool cpu) {
    Row row;
    row.data = fleet.data->name, row.system = system.kind->name, row.version = system.kind->version, row.threads = threads;
    row.parameter = "90/10 ef=50", row.unit = "operations/s", row.clock = cpu ? "cpu" : "wall";
    return row;
}

void measure(World &world, Rows &rows, uint32_t threads) {
    const Data &data = world.embeddings();
    const int rounds = world.quick ? 2 : 7; // and the warm-up
    const uint32_t n_operations = world.quick ? 1000 : 5000;
    Fleet fleet = build_fleet(data, is_mixing_index, threads, 500);
    std::vector<std::vector<double>> wall(fleet.systems.size()), cpu(fleet.systems.size());
    std::vector<double> recall;
    for (System &system : fleet.systems) recall.push_back(measure_quality(system, data, kEf).recall);
    std::vector<std::atomic<uint32_t>> next_row(fleet.systems.size());
    for (std::atomic<uint32_t> &next : next_row) next = data.n_base;
    for (int round = 0; round <= rounds; round++) {
        for (size_t i = 0; i < fleet.systems.size(); i++) {
            size_t s = (i + size_t(round)) % fleet.systems.size();
            Lap took = lap([&] {
                parallel(threads, [&](uint32_t thread) { run(data, {&fleet.systems[s], &next_row[s], thread, n_operations / threads}); });
            });
            if (round == 0) continue;
            wall[s].push_back(rate_of(took, n_operations, threads, false));
            cpu[s].push_back(rate_of(took, n_operations, threads, true));
        }
    }
    for (bool by_cpu : {false, true}) {
        for (size_t s = 0; s < fleet.systems.size(); s++) {
            Row row = row_of(fleet, fleet.systems[s], threads, by_cpu);
            row.rate = spread(by_cpu ? cpu[s] : wall[s]), row.recall = recall[s];
            rows.add(row);
        }
        add_ratios(rows, row_of(fleet, fleet.systems[0], threads, by_cpu), fleet.systems, by_cpu ? cpu : wall);
    }
}

} // namespace

bool mixed_workload(World &world) {
    Rows rows(world.out, "mixed");
    for (uint32_t threads : {1u, 2u}) measure(world, rows, threads);
    return true;
}
