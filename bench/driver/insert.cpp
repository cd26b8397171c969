// SPDX-License-Identifier: MIT OR Apache-2.0
// insert.cpp - inserts/s of one thread and of two: the whole build, and around 100,000 and at the end; how long single inserts take.
#include "driver/workloads.h"

namespace {

Percentiles insert_latency(const System &system) {
    std::vector<uint32_t> all;
    for (const std::vector<uint32_t> &thread : system.insert_ns) all.insert(all.end(), thread.begin(), thread.end());
    return percentiles(std::move(all));
}

// Of slices [from, to) of a build by one thread; none where whole blocks were given.
Percentiles latency_of(const Fleet &fleet, const System &system, size_t from, size_t to) {
    if (system.insert_ns.empty()) return {};
    const std::vector<uint32_t> &all = system.insert_ns[0];
    auto at = [&](size_t slice) { return all.begin() + ptrdiff_t(std::min<size_t>(slice * fleet.slice, all.size())); };
    return percentiles({at(from), at(to)});
}

// Slices [from, to) of a build as one lap.
Lap sum(const System &system, size_t from, size_t to) {
    Lap total;
    for (size_t i = from; i < to; i++) total.wall += system.slices[i].wall, total.cpu += system.slices[i].cpu;
    return total;
}

Row row_of(const Fleet &fleet, const System &system, const char *parameter, bool cpu) {
    Row row;
    row.data = fleet.data->name, row.system = system.kind->name, row.version = system.kind->version, row.threads = fleet.threads;
    row.parameter = parameter, row.unit = "inserts/s", row.clock = cpu ? "cpu" : "wall";
    return row;
}

// Rates of each round's slice; one round is one slice of the build.
void report_window(Rows &rows, const Fleet &fleet, const char *parameter, size_t from, size_t to) {
    const double n_rows = double(std::min<size_t>(to * fleet.slice, fleet.data->n_base) - from * fleet.slice);
    for (bool cpu : {false, true}) {
        std::vector<std::vector<double>> by_slice;
        for (const System &system : fleet.systems) {
            std::vector<double> rates;
            for (size_t i = from; i < to; i++) {
                double n = double(std::min<size_t>((i + 1) * fleet.slice, fleet.data->n_base) - i * fleet.slice);
                rates.push_back(rate_of(system.slices[i], n, fleet.threads, cpu));
            }
            Row row = row_of(fleet, system, parameter, cpu);
            row.rate = spread(rates);
            row.rate.median = rate_of(sum(system, from, to), n_rows, fleet.threads,
                                      cpu); // all of the window; the spread is that of its slices
            row.rate.n = 1;
            if (!cpu && from == 0) row.latency = insert_latency(system);
            if (from == 0 && system.kind->takes_raw)
                row.distances = double(system.build_distances) / fleet.data->n_base; // usearch counts those of searches only
            if (!cpu && from > 0 && fleet.threads == 1) row.latency = latency_of(fleet, system, from, to);
            rows.add(row);
            by_slice.push_back(rates);
        }
        Row pattern = row_of(fleet, fleet.systems[0], parameter, cpu);
        add_ratios(rows, pattern, fleet.systems, by_slice);
    }
}

void report_unreachable(Rows &rows, Fleet &fleet) {
    Row row = row_of(fleet, fleet.systems[0], "unreachable", false);
    row.unit = "nodes";
    row.rate = {double(fleet.systems[0].peer->unreachable()), 0, 0, 1};
    row.rate.min = row.rate.max = row.rate.median;
    rows.add(row);
}

// The whole build, around 100,000, and the last 40,000.
void report_build(Rows &rows, Fleet &fleet, const char *last) {
    size_t n = fleet.systems[0].slices.size();
    report_window(rows, fleet, "all", 0, n);
    if (n > 20) {
        report_window(rows, fleet, "at=100k", 8, 12);
        report_window(rows, fleet, last, n - 4, n);
    }
    report_unreachable(rows, fleet);
}

// The slice whose slowest inserts were slowest: a step that hides in the whole shows here.
void report_worst_slice(Rows &rows, const Fleet &fleet) {
    for (const System &system : fleet.systems) {
        Row row = row_of(fleet, system, "p99.9 of a slice", false);
        std::vector<double> of_slices;
        for (size_t i = 0; i < system.slices.size(); i++) of_slices.push_back(latency_of(fleet, system, i, i + 1).p999);
        row.unit = "us", row.rate = spread(of_slices);
        rows.add(row);
    }
}

void report_recall(Rows &rows, Fleet &fleet, uint32_t ef) {
    for (System &system : fleet.systems) {
        Quality quality = measure_quality(system, *fleet.data, ef);
        Row row = row_of(fleet, system, "recall ef=200", false);
        row.unit = "", row.recall = quality.recall, row.distances = quality.distances;
        rows.add(row);
    }
}

// 10,000 take seconds only, so there are several builds, of which the first is the warm-up.
void embeddings(World &world, Rows &rows, uint32_t threads) {
    const Data &data = world.embeddings();
    const int rounds = world.quick ? 2 : 4;
    std::vector<std::vector<double>> wall, cpu;
    std::vector<std::vector<uint32_t>> ns;
    Fleet fleet;
    for (int round = 0; round < rounds; round++) {
        fleet = build_fleet(data, is_index, threads, 500);
        const size_t n_systems = fleet.systems.size();
        wall.resize(n_systems), cpu.resize(n_systems), ns.resize(n_systems);
        for (size_t i = 0; round > 0 && i < n_systems; i++) {
            Lap total = sum(fleet.systems[i], 0, fleet.systems[i].slices.size());
            wall[i].push_back(rate_of(total, data.n_base, threads, false));
            cpu[i].push_back(rate_of(total, data.n_base, threads, true));
            for (const auto &thread : fleet.systems[i].insert_ns) ns[i].insert(ns[i].end(), thread.begin(), thread.end());
        }
    }
    for (bool by_cpu : {false, true}) {
        for (size_t i = 0; i < fleet.systems.size(); i++) {
            Row row = row_of(fleet, fleet.systems[i], "all", by_cpu);
            row.rate = spread(by_cpu ? cpu[i] : wall[i]);
            if (!by_cpu) row.latency = percentiles(ns[i]);
            rows.add(row);
        }
        add_ratios(rows, row_of(fleet, fleet.systems[0], "all", by_cpu), fleet.systems, by_cpu ? cpu : wall);
    }
}

} // namespace

bool insert_workload(World &world) {
    Rows rows(world.out, "insert");
    report_build(rows, world.words_fleet(), "at=340k");
    Fleet by_two = build_fleet(world.all_words(), is_library, 2, world.words_fleet().slice);
    report_build(rows, by_two, "at=340k");
    for (uint32_t threads : {1u, 2u}) embeddings(world, rows, threads);
    return true;
}

bool million_workload(World &world) {
    Rows rows(world.out, "million");
    Data data = world.quick ? crowded_words_data(world.words.c_str(), 10000, 6000) : crowded_words_data(world.words.c_str(), 1000000, 0);
    Fleet fleet = build_fleet(data, is_ours_or_hnswlib, 1, world.quick ? 400 : 10000);
    report_build(rows, fleet, "at=1M");
    report_worst_slice(rows, fleet);
    report_recall(rows, fleet, 200);
    return true;
}
