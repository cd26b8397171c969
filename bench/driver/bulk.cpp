// SPDX-License-Identifier: MIT OR Apache-2.0
// bulk.cpp - cm_insert_batch() beside as many threads of single inserts: slices in turn, and what the two graphs find at equal ef.
#include "driver/workloads.h"

namespace {

constexpr uint32_t kEfs[] = {40, 80, 200, 400};

// One value per build.
struct Results {
    std::vector<std::vector<double>> wall, cpu; // rates, by system
    std::vector<std::vector<double>> recall[std::size(kEfs)], distances[std::size(kEfs)];
};

const std::vector<Kind> &pair() {
    static const std::vector<Kind> kinds = [] {
        Kind single = store_kind();
        single.name = "single inserts";
        return std::vector<Kind>{batch_kind(), single};
    }();
    return kinds;
}

Fleet build_pair(const Data &data, uint32_t threads, uint32_t slice) {
    Fleet fleet = {&data, threads, slice, {}};
    for (const Kind &kind : pair()) fleet.systems.push_back({&kind, kind.make({data.dimensions, data.n_base, threads}), {}, {}, 0});
    fill_fleet(fleet);
    return fleet;
}

void add(std::vector<std::vector<double>> &values, size_t system, double value) {
    values.resize(pair().size());
    values[system].push_back(value);
}

void measure(Results &results, Fleet &fleet) {
    for (size_t i = 0; i < fleet.systems.size(); i++) {
        Lap total;
        for (const Lap &lap : fleet.systems[i].slices) total.wall += lap.wall, total.cpu += lap.cpu;
        add(results.wall, i, rate_of(total, fleet.data->n_base, fleet.threads, false));
        add(results.cpu, i, rate_of(total, fleet.data->n_base, fleet.threads, true));
        for (size_t e = 0; e < std::size(kEfs); e++) {
            Quality quality = measure_quality(fleet.systems[i], *fleet.data, kEfs[e]);
            add(results.recall[e], i, quality.recall);
            add(results.distances[e], i, quality.distances);
        }
    }
}

Row row_of(const Fleet &fleet, size_t system, const std::string &parameter, const char *unit) {
    Row row;
    row.data = fleet.data->name, row.system = pair()[system].name, row.version = pair()[system].version, row.threads = fleet.threads;
    row.parameter = parameter, row.unit = unit;
    return row;
}

void report_rates(Rows &rows, const Fleet &fleet, const std::vector<std::vector<double>> &rates, const char *clock) {
    for (size_t i = 0; i < rates.size(); i++) {
        Row row = row_of(fleet, i, "all", "inserts/s");
        row.clock = clock, row.rate = spread(rates[i]);
        rows.add(row);
    }
    Row pattern = row_of(fleet, 0, "all", "ratio");
    pattern.clock = clock;
    add_ratios(rows, pattern, fleet.systems, rates);
}

void report_recall(Rows &rows, const Fleet &fleet, const Results &results) {
    for (size_t e = 0; e < std::size(kEfs); e++)
        for (size_t i = 0; i < pair().size(); i++) {
            Row row = row_of(fleet, i, "ef=" + std::to_string(kEfs[e]), "recall");
            row.rate = spread(results.recall[e][i]), row.recall = row.rate.median, row.distances = spread(results.distances[e][i]).median;
            rows.add(row);
        }
}

// Several builds, for graphs of single inserts by several threads differ from one to the next.
void compare(Rows &rows, const Data &data, int n_builds, uint32_t threads, uint32_t slice) {
    Results results;
    Fleet fleet;
    for (int build = 0; build < n_builds; build++) {
        fleet = Fleet(); // before the next is made
        fleet = build_pair(data, threads, slice);
        measure(results, fleet);
    }
    report_rates(rows, fleet, results.wall, "wall");
    report_rates(rows, fleet, results.cpu, "cpu");
    report_recall(rows, fleet, results);
}

} // namespace

bool bulk_workload(World &world) {
    Rows rows(world.out, "bulk");
    const uint32_t threads = std::max(2u, std::thread::hardware_concurrency());
    compare(rows, world.all_words(), world.quick ? 1 : 3, threads, world.quick ? 3000 : 65536);
    compare(rows, world.embeddings(), world.quick ? 1 : 5, threads, world.embeddings().n_base);
    return true;
}
