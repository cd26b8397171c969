// SPDX-License-Identifier: MIT OR Apache-2.0
// load.cpp - saving and loading: our store (with ids, and with every checksum verified) beside the files of other libraries. The page cache is warm. What was
// loaded answers queries, and the recall beside the time is that of the loaded index.
#include "driver/workloads.h"

#include <sys/stat.h>
#include <unistd.h>

namespace {

bool is_store(const Kind &kind) {
    return kind.name == std::string("chronomind store");
}

// Our store, and those of the libraries (built for other workloads, too) that have a file.
std::vector<System *> with_files(Fleet &store, Fleet &libraries) {
    std::vector<System *> systems;
    for (Fleet *fleet : {&store, &libraries})
        for (System &system : fleet->systems)
            if (system.kind->load) systems.push_back(&system);
    return systems;
}

double file_size(const std::string &path) {
    struct stat status;
    return stat(path.c_str(), &status) == 0 ? double(status.st_size) : 0;
}

} // namespace

bool load_workload(World &world) {
    Rows rows(world.out, "load");
    const Data &data = world.all_words();
    Fleet store = build_fleet(data, is_store, 2, 10000);
    const std::vector<System *> systems = with_files(store, world.words_fleet());
    const Shape shape = {data.dimensions, data.n_base, 2};
    const int rounds = world.quick ? 1 : 5;
    const size_t n = systems.size();
    std::vector<std::vector<double>> saved(n), loaded(n);
    std::vector<double> bytes(n), recall(n);
    for (int round = 0; round <= rounds; round++) { // the first warms up
        for (size_t i = 0; i < n; i++) {
            size_t s = (i + size_t(round)) % n;
            std::string path = world.out + "/load-" + std::to_string(s) + ".index";
            Lap save = lap([&] { systems[s]->peer->save(path.c_str()); });
            System copy = {systems[s]->kind, nullptr, {}, {}, 0};
            Lap load = lap([&] { copy.peer = copy.kind->load(shape, path.c_str()); });
            bytes[s] = file_size(path);
            if (round == 0) recall[s] = measure_quality(copy, data, 80).recall;
            else saved[s].push_back(save.wall), loaded[s].push_back(load.wall);
            unlink(path.c_str());
        }
    }
    for (size_t s = 0; s < n; s++) {
        for (bool load : {false, true}) {
            Row row;
            row.data = data.name, row.system = systems[s]->kind->name, row.version = systems[s]->kind->version;
            row.parameter = load ? "load" : "save", row.unit = "s", row.rate = spread(load ? loaded[s] : saved[s]);
            row.bytes = bytes[s] / data.n_base;
            if (load) row.recall = recall[s];
            rows.add(row);
        }
    }
    return true;
}
