// SPDX-License-Identifier: MIT OR Apache-2.0
// measure.h - time, threads, medians, percentiles.
#ifndef BENCH_DRIVER_MEASURE_H
#define BENCH_DRIVER_MEASURE_H

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <ctime>
#include <thread>
#include <vector>

inline double clock_seconds(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

inline uint64_t now_ns() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return uint64_t(t.tv_sec) * 1000000000u + uint64_t(t.tv_nsec);
}

// Wall time, and the processor time of the whole process: what other programs on the machine take does not count in it.
struct Lap {
    double wall = 0, cpu = 0;
};

template <typename Work> Lap lap(Work work) {
    double wall = clock_seconds(CLOCK_MONOTONIC), cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    work();
    return {clock_seconds(CLOCK_MONOTONIC) - wall, clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu};
}

// work(thread) on that many threads; one runs on the caller.
template <typename Work> void parallel(uint32_t threads, Work work) {
    std::vector<std::thread> others;
    for (uint32_t t = 1; t < threads; t++) others.emplace_back(work, t);
    work(0u);
    for (std::thread &other : others) other.join();
}

struct Spread {
    double median = 0, min = 0, max = 0;
    size_t n = 0;
};

inline Spread spread(std::vector<double> values) {
    if (values.empty()) return {};
    std::sort(values.begin(), values.end());
    return {values[values.size() / 2], values.front(), values.back(), values.size()};
}

struct Percentiles {
    double p50 = 0, p99 = 0, p999 = 0; // microseconds
};

inline Percentiles percentiles(std::vector<uint32_t> ns) {
    if (ns.empty()) return {};
    std::sort(ns.begin(), ns.end());
    auto at = [&](double share) { return double(ns[std::min(ns.size() - 1, size_t(double(ns.size()) * share))]) / 1000; };
    return {at(.5), at(.99), at(.999)};
}

inline uint32_t clamp_ns(uint64_t ns) {
    return static_cast<uint32_t>(std::min<uint64_t>(ns, UINT32_MAX));
}

#endif
