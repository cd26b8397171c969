// SPDX-License-Identifier: MIT OR Apache-2.0
// search.cpp - recall against queries/s: several ef, rounds of 1,000 queries of each system in turn; then the rate at the same recall, between two ef.
#include "driver/workloads.h"

#include <cmath>

namespace {

struct Point {
    uint32_t ef;
    Quality quality;
    std::vector<double> wall, cpu; // queries/s of each round
};
using Curve = std::vector<Point>; // of one system, by rising ef

// What recall on all words must be; it does not depend on the machine.
struct Gate {
    uint32_t ef;
    double recall;
};
constexpr Gate kGates[] = {{10, .62}, {40, .83}, {80, .895}, {200, .945}, {400, .97}};
constexpr uint32_t kGatedSize = 340479;

Row row_of(const Data &data, const System &system, uint32_t threads, const std::string &parameter, bool cpu) {
    Row row;
    row.data = data.name, row.system = system.kind->name, row.version = system.kind->version, row.threads = threads;
    row.parameter = parameter, row.unit = "queries/s", row.clock = cpu ? "cpu" : "wall";
    return row;
}

std::vector<Curve> measure(Fleet &fleet, uint32_t threads, const std::vector<uint32_t> &efs, int rounds) {
    const Data &data = *fleet.data;
    std::vector<Curve> curves(fleet.systems.size());
    std::vector<uint32_t> ids(size_t(data.n_queries) * kK);
    for (size_t s = 0; s < curves.size(); s++)
        for (uint32_t ef : efs) curves[s].push_back({ef, measure_quality(fleet.systems[s], data, ef), {}, {}}); // the warm-up, too
    for (int round = 0; round < rounds; round++) {
        for (size_t e = 0; e < efs.size(); e++) {
            for (size_t i = 0; i < curves.size(); i++) {
                size_t s = (i + size_t(round)) % curves.size();
                fleet.systems[s].peer->set_ef(efs[e]);
                Lap took = lap([&] { run_queries(fleet.systems[s], data, threads, ids); });
                curves[s][e].wall.push_back(rate_of(took, data.n_queries, threads, false));
                curves[s][e].cpu.push_back(rate_of(took, data.n_queries, threads, true));
            }
        }
    }
    return curves;
}

// Between the two points of the curve whose recalls enclose the one asked for: straight in log(1 - recall) and log(value). 0: the curve does not reach it.
template <typename Value> double value_at(const Curve &curve, double recall, Value value) {
    for (size_t i = 1; i < curve.size(); i++) {
        double low = curve[i - 1].quality.recall, high = curve[i].quality.recall;
        if (recall < low || recall > high || low == high || high >= 1 || value(curve[i]) <= 0) continue;
        double share = (std::log(1 - recall) - std::log(1 - low)) / (std::log(1 - high) - std::log(1 - low));
        return std::exp(std::log(value(curve[i - 1])) * (1 - share) + std::log(value(curve[i])) * share);
    }
    return 0;
}

void report_points(Rows &rows, const Fleet &fleet, const std::vector<Curve> &curves, uint32_t threads, bool cpu, bool with_ratios) {
    for (size_t e = 0; e < curves[0].size(); e++) {
        std::string parameter = "ef=" + std::to_string(curves[0][e].ef);
        std::vector<std::vector<double>> rates;
        for (size_t s = 0; s < curves.size(); s++) {
            const Point &point = curves[s][e];
            rates.push_back(cpu ? point.cpu : point.wall);
            Row row = row_of(*fleet.data, fleet.systems[s], threads, parameter, cpu);
            row.rate = spread(rates.back()), row.recall = point.quality.recall, row.distances = point.quality.distances;
            rows.add(row);
        }
        if (with_ratios) add_ratios(rows, row_of(*fleet.data, fleet.systems[0], threads, parameter, cpu), fleet.systems, rates);
    }
}

void report_at_recall(Rows &rows, const Fleet &fleet, const std::vector<Curve> &curves, uint32_t threads, double recall, bool cpu) {
    char parameter[32];
    std::snprintf(parameter, sizeof parameter, "recall=%.3f", recall);
    const size_t rounds = curves[0][0].wall.size();
    std::vector<std::vector<double>> rates;
    for (size_t s = 0; s < curves.size(); s++) {
        rates.emplace_back();
        for (size_t r = 0; r < rounds; r++)
            rates[s].push_back(value_at(curves[s], recall, [&](const Point &p) { return cpu ? p.cpu[r] : p.wall[r]; }));
        if (rates[s][0] <= 0) continue;
        Row row = row_of(*fleet.data, fleet.systems[s], threads, parameter, cpu);
        row.rate = spread(rates[s]), row.recall = recall;
        row.distances = value_at(curves[s], recall, [](const Point &p) { return p.quality.distances; });
        rows.add(row);
    }
    add_ratios(rows, row_of(*fleet.data, fleet.systems[0], threads, parameter, cpu), fleet.systems, rates);
}

bool passes_gates(const Data &data, const Curve &curve) {
    bool good = true;
    for (const Gate &gate : kGates)
        for (const Point &point : curve)
            if (data.n_base == kGatedSize && point.ef == gate.ef && point.quality.recall < gate.recall) {
                std::printf("recall at ef %u is %.4f: below %.3f\n", gate.ef, point.quality.recall, gate.recall);
                good = false;
            }
    return good;
}

bool words(World &world, Rows &rows) {
    Fleet &fleet = world.words_fleet();
    bool good = true;
    for (uint32_t threads : {1u, 2u}) {
        std::vector<uint32_t> efs = {10, 40, 80, 120, 200, 300, 400, 800};
        if (threads == 2) efs = {40, 80, 200, 400, 800};
        std::vector<Curve> curves = measure(fleet, threads, efs, world.quick ? 2 : threads == 1 ? 5 : 3);
        for (bool cpu : {false, true}) {
            report_points(rows, fleet, curves, threads, cpu, false);
            for (double recall : {.90, .95, .975}) report_at_recall(rows, fleet, curves, threads, recall, cpu);
        }
        if (threads == 1) good = passes_gates(*fleet.data, curves[0]);
    }
    uint64_t unreachable = fleet.systems[0].peer->unreachable();
    std::printf("nodes that no search can find: %llu\n", static_cast<unsigned long long>(unreachable));
    return good && unreachable == 0;
}

void embeddings(World &world, Rows &rows) {
    Fleet fleet = build_fleet(world.embeddings(), is_index, 1, 500);
    for (uint32_t threads : {1u, 2u}) {
        std::vector<Curve> curves = measure(fleet, threads, {20, 50, 100}, world.quick ? 2 : 5);
        for (bool cpu : {false, true}) report_points(rows, fleet, curves, threads, cpu, true);
    }
}

bool is_of_storage(const Kind &kind) {
    return is_ours_or_hnswlib(kind) || is_smaller(kind);
}

// f32 beside bf16, i8 and hnswlib: curves, rates at equal recall, and inserts of the build.
void storage_of(World &world, Rows &rows, const Data &data, const std::vector<uint32_t> &efs, const std::vector<double> &recalls) {
    Fleet fleet = build_fleet(data, is_of_storage, 1, world.quick ? 500 : data.n_base / 20 + 1);
    for (const System &system : fleet.systems) {
        std::vector<double> rates;
        for (size_t i = 1; i < system.slices.size(); i++) rates.push_back(rate_of(system.slices[i], fleet.slice, 1, true));
        if (rates.size() > 1) rates.pop_back(); // the last slice may be short
        Row row = row_of(data, system, 1, "inserts", true);
        row.unit = "inserts/s", row.rate = spread(rates), row.distances = double(system.build_distances) / data.n_base;
        row.bytes = double(system.peer->bytes()) / data.n_base;
        rows.add(row);
    }
    std::vector<Curve> curves = measure(fleet, 1, efs, world.quick ? 2 : 5);
    for (bool cpu : {false, true}) {
        report_points(rows, fleet, curves, 1, cpu, true);
        for (double recall : recalls) report_at_recall(rows, fleet, curves, 1, recall, cpu);
    }
}

} // namespace

bool storage_workload(World &world) {
    Rows rows(world.out, "storage");
    storage_of(world, rows, world.all_words(), {40, 60, 80, 120, 160, 200, 240, 300}, {.90, .95});
    storage_of(world, rows, world.embeddings(), {10, 20, 30, 50, 100}, {.95, .99});
    for (const Kind &kind : kinds())
        if (is_of_storage(kind) && is_chosen(kind)) add_memory(world, rows, kind, "embeddings", false);
    return true;
}

bool search_workload(World &world) {
    Rows rows(world.out, "search");
    bool good = words(world, rows);
    if (!world.gate) embeddings(world, rows);
    return good || !world.gate;
}
