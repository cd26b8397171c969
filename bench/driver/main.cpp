// SPDX-License-Identifier: MIT OR Apache-2.0
// main.cpp - the driver: our index and other libraries, the same data, the same process, alternating slices. bench/run.sh calls it.
//
// Usage: driver WORKLOAD... [--quick] [--gate] [--systems A,B] [--out FOLDER] [--words FOLDER]
// Each workload writes FOLDER/<workload>.csv and prints the same rows. Several workloads of one call share what they build.

#include <cstring>
#include <sstream>

#include "driver/workloads.h"

namespace {

struct Workload {
    const char *name;
    bool (*run)(World &);
};
constexpr Workload kWorkloads[] = {{"insert", insert_workload},
                                   {"bulk", bulk_workload},
                                   {"million", million_workload},
                                   {"search", search_workload},
                                   {"storage", storage_workload},
                                   {"load", load_workload},
                                   {"mixed", mixed_workload},
                                   {"readers-under-writes", readers_workload},
                                   {"memory", memory_workload}};

const Workload *find(const char *name) {
    for (const Workload &workload : kWorkloads)
        if (!std::strcmp(workload.name, name)) return &workload;
    return nullptr;
}

void choose_systems(const char *names) {
    std::stringstream list(names);
    for (std::string name; std::getline(list, name, ',');) only_systems.push_back(name);
}

int usage(const char *why) {
    std::fprintf(stderr,
                 "Error: %s\nHint: driver insert|bulk|million|search|storage|load|mixed|readers-under-writes|memory [--quick] [--gate] [--systems A,B] [--out "
                 "FOLDER] [--words FOLDER]\n",
                 why);
    return 2;
}

} // namespace

int main(int argc, char **argv) {
    World world;
    world.self = argv[0];
    std::vector<const Workload *> chosen;
    if (argc == 5 && !std::strcmp(argv[1], "memory-of")) { // from memory_workload()
        world.words = argv[4];
        return memory_of_one(world, argv[2], argv[3]);
    }
    if (argc == 2 && !std::strcmp(argv[1], "machine")) return std::puts(machine_line().c_str()) < 0;
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i], *value = i + 1 < argc ? argv[i + 1] : nullptr;
        if (!std::strcmp(argument, "--quick")) world.quick = true;
        else if (!std::strcmp(argument, "--gate")) world.gate = true;
        else if (!std::strcmp(argument, "--systems") && value) choose_systems(value), i++;
        else if (!std::strcmp(argument, "--out") && value) world.out = value, i++;
        else if (!std::strcmp(argument, "--words") && value) world.words = value, i++;
        else if (const Workload *workload = find(argument)) chosen.push_back(workload);
        else return usage((std::string("what is '") + argument + "'?").c_str());
    }
    if (chosen.empty()) return usage("no workload");
    machine_line();
    bool good = true;
    for (const Workload *workload : chosen) good &= workload->run(world);
    return good ? 0 : 1;
}
