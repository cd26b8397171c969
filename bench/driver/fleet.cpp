// SPDX-License-Identifier: MIT OR Apache-2.0
#include "driver/fleet.h"

std::vector<std::string> only_systems;

bool is_chosen(const Kind &kind) {
    return only_systems.empty() || std::find(only_systems.begin(), only_systems.end(), kind.name) != only_systems.end();
}

void insert_rows(System &system, const Data &data, uint32_t first, uint32_t n, uint32_t threads) {
    const bool raw = system.kind->takes_raw;
    if (system.peer->insert_block(threads, data.row(first, raw), first, n)) return;
    system.insert_ns.resize(threads);
    std::atomic<uint32_t> next{first};
    parallel(threads, [&](uint32_t thread) {
        for (uint32_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < first + n;) {
            uint64_t start = now_ns();
            system.peer->insert(thread, data.row(i, raw), i);
            system.insert_ns[thread].push_back(clamp_ns(now_ns() - start));
        }
    });
}

Fleet build_fleet(const Data &data, Wanted wanted, uint32_t threads, uint32_t slice, uint32_t max_threads) {
    Fleet fleet = {&data, threads, slice, {}};
    Shape shape = {data.dimensions, data.n_base + data.n_extra, std::max(threads, max_threads)};
    for (const Kind &kind : kinds())
        if (wanted(kind) && is_chosen(kind)) fleet.systems.push_back({&kind, kind.make(shape), {}, {}, 0});
    fill_fleet(fleet);
    return fleet;
}

void fill_fleet(Fleet &fleet) {
    const Data &data = *fleet.data;
    for (uint32_t from = 0, turn = 0; from < data.n_base; from += fleet.slice, turn++) {
        uint32_t n = std::min(fleet.slice, data.n_base - from);
        for (size_t i = 0; i < fleet.systems.size(); i++) {
            System &system = fleet.systems[(i + turn) % fleet.systems.size()];
            system.slices.push_back(lap([&] { insert_rows(system, data, from, n, fleet.threads); }));
        }
    }
    for (System &system : fleet.systems)
        for (uint32_t t = 0; t < fleet.threads; t++) system.build_distances += system.peer->distances(t);
}

void run_queries(System &system, const Data &data, uint32_t threads, std::vector<uint32_t> &ids) {
    const bool raw = system.kind->takes_raw;
    parallel(threads, [&](uint32_t thread) {
        uint32_t from = data.n_queries * thread / threads, to = data.n_queries * (thread + 1) / threads;
        if (system.peer->search_block(data.query(from, raw), to - from, kK, &ids[size_t(from) * kK])) return;
        for (uint32_t q = from; q < to; q++) system.peer->search(thread, data.query(q, raw), kK, &ids[size_t(q) * kK]);
    });
}

Quality measure_quality(System &system, const Data &data, uint32_t ef) {
    std::vector<uint32_t> ids(size_t(data.n_queries) * kK);
    system.peer->set_ef(ef);
    uint64_t before = system.peer->distances(0);
    run_queries(system, data, 1, ids);
    uint64_t n_distances = system.peer->distances(0) - before;
    size_t found = 0;
    for (uint32_t q = 0; q < data.n_queries; q++) {
        const uint32_t *mine = &ids[q * kK], *truth = &data.truth[q * kK];
        for (uint32_t i = 0; i < kK; i++) found += std::find(mine, mine + kK, truth[i]) != mine + kK;
    }
    return {double(found) / double(data.truth.size()), double(n_distances) / data.n_queries};
}

void add_ratios(Rows &rows, const Row &pattern, const std::vector<System> &systems, const std::vector<std::vector<double>> &values) {
    for (size_t i = 1; i < systems.size(); i++) {
        std::vector<double> ratios;
        for (size_t r = 0; r < std::min(values[0].size(), values[i].size()); r++)
            if (values[i][r] > 0 && values[0][r] > 0) ratios.push_back(values[0][r] / values[i][r]);
        if (ratios.empty()) continue;
        Row row = pattern;
        row.system = systems[0].kind->name, row.version = systems[0].kind->version, row.unit = "ratio", row.recall = -1,
        row.rate = spread(ratios);
        row.parameter += std::string(" vs=") + systems[i].kind->name;
        rows.add(row);
    }
}
