// SPDX-License-Identifier: MIT OR Apache-2.0
// rows.h - results: a row of build/bench/<workload>.csv, and the same row on the terminal.
#ifndef BENCH_DRIVER_ROWS_H
#define BENCH_DRIVER_ROWS_H

#include <cstdio>
#include <string>

#include "driver/measure.h"

// What was not measured stays at its default and is an empty field.
struct Row {
    std::string data, system, version;
    uint32_t threads = 1;
    std::string parameter, unit, clock = "wall";
    Spread rate;
    double recall = -1, distances = 0, bytes = 0;
    Percentiles latency;
};

class Rows {
  public:
    Rows(const std::string &folder, const std::string &workload);
    ~Rows();
    Rows(const Rows &) = delete;
    void add(const Row &row);

  private:
    std::string workload_;
    std::FILE *file_;
};

// "AMD EPYC, 2 cores, avx512, load 1.2": taken once, when the program starts.
const std::string &machine_line();

#endif
