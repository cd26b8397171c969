// SPDX-License-Identifier: MIT OR Apache-2.0
// memory.cpp - bytes per vector. Each system is built in a process of its own, and what is counted is by how much its memory grew that is resident and no page of a file, which the
// machine takes back when it needs it.
#include "driver/workloads.h"

#include <malloc.h>
#include <unistd.h>

namespace {

double resident_bytes() {
    std::FILE *file = std::fopen("/proc/self/statm", "r");
    long size = 0, resident = 0, of_files = 0;
    if (!file || std::fscanf(file, "%ld %ld %ld", &size, &resident, &of_files) != 3) die("/proc/self/statm", "cannot read");
    std::fclose(file);
    return double(resident - of_files) * double(sysconf(_SC_PAGESIZE));
}

Data data_named(const World &world, const std::string &name) {
    if (name == "words") return words_data(world.words.c_str(), 101000, false);
    if (name == "words-quick") return words_data(world.words.c_str(), 3000, false);
    return subspace_data(768, name == "embeddings" ? 10000 : 1000, 0, 0, false);
}

} // namespace

// Prints: rows, name of the data, bytes per vector that memory grew by, bytes per vector by the index's own account.
int memory_of_one(World &world, const std::string &name, const std::string &data_name) {
    const Data data = data_named(world, data_name);
    for (const Kind &kind : kinds()) {
        if (kind.name != name) continue;
        malloc_trim(0);
        double before = resident_bytes();
        System system = {&kind, kind.make({data.dimensions, data.n_base, 1}), {}, {}, 0};
        if (!system.peer->insert_block(1, data.row(0, kind.takes_raw), 0, data.n_base))
            for (uint32_t i = 0; i < data.n_base; i++) system.peer->insert(0, data.row(i, kind.takes_raw), i);
        malloc_trim(0);
        double grew = resident_bytes() - before;
        std::printf("%.1f %.1f %u %s\n", grew / data.n_base, double(system.peer->bytes()) / data.n_base, data.dimensions,
                    data.name.c_str());
        return 0;
    }
    return 1;
}

void add_memory(const World &world, Rows &rows, const Kind &kind, const std::string &data, bool over_the_vector) {
    std::string command = "'" + world.self + "' memory-of '" + kind.name + "' " + data + (world.quick ? "-quick" : "") + " '" +
                          world.words + "' 2>/dev/null";
    std::FILE *child = popen(command.c_str(), "r");
    double grew = 0, own = 0;
    unsigned dimensions = 0;
    char text[128] = "";
    if (!child || std::fscanf(child, "%lf %lf %u %127[^\n]", &grew, &own, &dimensions, text) != 4) die(command.c_str(), "failed");
    pclose(child);
    Row row;
    row.data = text, row.system = kind.name, row.version = kind.version, row.unit = "bytes";
    row.parameter = over_the_vector ? "over the vector" : "resident";
    if (over_the_vector) grew -= 4.0 * dimensions;
    row.rate = {grew, grew, grew, 1};
    row.bytes = own; // by its own account, vector included
    rows.add(row);
}

bool memory_workload(World &world) {
    Rows rows(world.out, "memory");
    for (const char *data : {"words", "embeddings"})
        for (const Kind &kind : kinds()) // those in fewer bits stand in the workload `storage`
            if (!is_smaller(kind) && is_chosen(kind)) add_memory(world, rows, kind, data, true);
    return true;
}
