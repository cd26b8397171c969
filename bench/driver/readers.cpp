// SPDX-License-Identifier: MIT OR Apache-2.0
// readers.cpp - what reads feel of writes: readers alone, then beside as many writers; 256 dimensions, 20,000 vectors to begin with, queries and writes out of
// one subspace. Each round begins with fresh indexes, so that a system that writes faster does not search a larger index in the next one.
#include "driver/workloads.h"

namespace {

constexpr uint32_t kEf = 50;

struct Phase {
    uint64_t n_reads = 0, n_writes = 0;
    double seconds = 0, read_cpu = 0, write_cpu = 0; // processor time of all readers, of all writers
    std::vector<uint32_t> read_ns;
};

// Threads 0 .. n_readers-1 read, the others write, for that long. An operation that was begun is waited for and counted.
Phase run(System &system, const Data &data, uint32_t n_readers, uint32_t n_writers, double seconds, std::atomic<uint32_t> &next_row) {
    const bool raw = system.kind->takes_raw;
    const uint32_t end_row = data.n_base + data.n_extra;
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> n_writes{0};
    std::vector<std::vector<uint32_t>> ns(n_readers);
    std::vector<double> cpu(n_readers + n_writers);
    auto read = [&](uint32_t thread) {
        uint32_t ids[kK], query = thread * 331;
        while (!stop.load(std::memory_order_relaxed)) {
            uint64_t start = now_ns();
            system.peer->search(thread, data.query(query++ % data.n_queries, raw), kK, ids);
            ns[thread].push_back(clamp_ns(now_ns() - start));
        }
    };
    auto write = [&](uint32_t thread) {
        while (!stop.load(std::memory_order_relaxed)) {
            uint32_t row = next_row.fetch_add(1, std::memory_order_relaxed);
            if (row >= end_row) return;
            system.peer->insert(thread, data.row(row, raw), row);
            n_writes.fetch_add(1, std::memory_order_relaxed);
        }
    };
    std::vector<std::thread> threads;
    double start = clock_seconds(CLOCK_MONOTONIC);
    for (uint32_t t = 0; t < n_readers + n_writers; t++)
        threads.emplace_back([&, t] {
            t < n_readers ? read(t) : write(t);
            cpu[t] = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
        });
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    stop.store(true, std::memory_order_relaxed);
    for (std::thread &thread : threads) thread.join();
    Phase phase;
    phase.seconds = clock_seconds(CLOCK_MONOTONIC) - start;
    phase.n_writes = n_writes.load();
    for (uint32_t t = 0; t < n_readers + n_writers; t++) (t < n_readers ? phase.read_cpu : phase.write_cpu) += cpu[t];
    for (const auto &of_thread : ns)
        phase.n_reads += of_thread.size(), phase.read_ns.insert(phase.read_ns.end(), of_thread.begin(), of_thread.end());
    return phase;
}

// All rounds of one system, by the wall clock and by processor time.
struct Result {
    double recall = 0;
    std::vector<double> reads[2][2], writes[2]; // /s; [beside writers][by processor time]
    std::vector<uint32_t> ns[2];
};

void add(Result &result, const Phase &phase, uint32_t n_pairs, bool written) {
    result.reads[written][0].push_back(double(phase.n_reads) / phase.seconds);
    result.reads[written][1].push_back(double(phase.n_reads) * n_pairs / phase.read_cpu);
    result.ns[written].insert(result.ns[written].end(), phase.read_ns.begin(), phase.read_ns.end());
    if (!written) return;
    result.writes[0].push_back(double(phase.n_writes) / phase.seconds);
    result.writes[1].push_back(double(phase.n_writes) * n_pairs / phase.write_cpu);
}

Row row_of(const Data &data, const Kind &kind, uint32_t n_pairs, const char *parameter, const char *unit, bool cpu) {
    Row row;
    row.data = data.name, row.system = kind.name, row.version = kind.version, row.threads = 2 * n_pairs;
    row.parameter = std::to_string(n_pairs) + "+" + std::to_string(n_pairs) + " " + parameter, row.unit = unit,
    row.clock = cpu ? "cpu" : "wall";
    return row;
}

void report(Rows &rows, const Data &data, const std::vector<System> &systems, const std::vector<Result> &results, uint32_t n_pairs,
            bool cpu) {
    std::vector<std::vector<double>> reads, writes;
    for (size_t s = 0; s < systems.size(); s++) {
        for (bool written : {false, true}) {
            Row row = row_of(data, *systems[s].kind, n_pairs, written ? "written" : "idle", "reads/s", cpu);
            if (!written) row.threads = n_pairs;
            row.rate = spread(results[s].reads[written][cpu]), row.recall = results[s].recall;
            if (!cpu) row.latency = percentiles(results[s].ns[written]);
            rows.add(row);
        }
        Row row = row_of(data, *systems[s].kind, n_pairs, "written", "writes/s", cpu);
        row.rate = spread(results[s].writes[cpu]);
        rows.add(row);
        reads.push_back(results[s].reads[1][cpu]), writes.push_back(results[s].writes[cpu]);
    }
    add_ratios(rows, row_of(data, *systems[0].kind, n_pairs, "written reads", "", cpu), systems, reads);
    add_ratios(rows, row_of(data, *systems[0].kind, n_pairs, "written writes", "", cpu), systems, writes);
}

} // namespace

bool readers_workload(World &world) {
    Rows rows(world.out, "readers-under-writes");
    const Data data = world.quick ? subspace_data(256, 2000, 20000, 200) : subspace_data(256, 20000, 60000, 1000);
    const int rounds = world.quick ? 1 : 5;
    const double seconds = world.quick ? .3 : 2;
    for (uint32_t n_pairs : {1u, 2u}) {
        std::vector<Result> results;
        Fleet fleet;
        for (int round = 0; round < rounds; round++) {
            fleet = build_fleet(data, is_mixing_index, 2, 2000, 2 * n_pairs);
            results.resize(fleet.systems.size());
            for (size_t i = 0; i < fleet.systems.size(); i++) {
                size_t s = (i + size_t(round)) % fleet.systems.size();
                results[s].recall = measure_quality(fleet.systems[s], data, kEf).recall; // the warm-up, too
                std::atomic<uint32_t> next_row{data.n_base};
                add(results[s], run(fleet.systems[s], data, n_pairs, 0, seconds / 2, next_row), n_pairs, false);
                add(results[s], run(fleet.systems[s], data, n_pairs, n_pairs, seconds, next_row), n_pairs, true);
            }
        }
        for (bool cpu : {false, true}) report(rows, data, fleet.systems, results, n_pairs, cpu);
    }
    return true;
}
