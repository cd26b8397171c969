// SPDX-License-Identifier: MIT OR Apache-2.0
#include "driver/rows.h"

#include <cstdlib>
#include <fstream>
#include <thread>

#include "chronomind.h"
#include "peers/peer.h"

namespace {

std::string processor() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
    return "unknown processor";
}

std::string number(double value, const char *format) {
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string optional(double value, const char *format) {
    return value > 0 ? number(value, format) : "";
}

std::string quoted(const std::string &text) {
    return text.find(',') == std::string::npos ? text : '"' + text + '"';
}

} // namespace

const std::string &machine_line() {
    static const std::string line = [] {
        double load[1] = {0};
        if (getloadavg(load, 1) != 1) load[0] = -1;
        return processor() + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores, " + cm_isa() + ", gcc " + __VERSION__ +
               ", load at the start " + number(load[0], "%.1f");
    }();
    return line;
}

Rows::Rows(const std::string &folder, const std::string &workload) : workload_(workload) {
    std::string path = folder + "/" + workload + ".csv";
    file_ = std::fopen(path.c_str(), "w");
    if (!file_) die(path.c_str(), "cannot write");
    std::fprintf(file_, "machine,commit,workload,data,system,version,threads,parameter,recall,median,min,max,rounds,unit,clock,distances,"
                        "bytes,p50_us,p99_us,p999_us\n");
    std::printf("\n== %s: %s\n%-24s %-15s %2s %-28s %7s %11s %23s %-10s %9s %7s %8s %8s %9s\n", workload.c_str(), machine_line().c_str(),
                "data", "system", "th", "parameter", "recall", "median", "min .. max", "unit", "distances", "bytes", "p50 us", "p99",
                "p99.9");
}

Rows::~Rows() {
    std::fclose(file_);
}

void Rows::add(const Row &row) {
    const char *commit = std::getenv("BENCH_COMMIT");
    const char *format = row.rate.median >= 100 ? "%.0f" : "%.3f";
    std::string median = number(row.rate.median, format), min = number(row.rate.min, format), max = number(row.rate.max, format);
    std::string recall = row.recall >= 0 ? number(row.recall, "%.4f") : "", distances = optional(row.distances, "%.0f"),
                bytes = optional(row.bytes, "%.0f");
    std::string p50 = optional(row.latency.p50, "%.1f"), p99 = optional(row.latency.p99, "%.1f"), p999 = optional(row.latency.p999, "%.1f");
    std::fprintf(file_, "%s,%s,%s,%s,%s,%s,%u,%s,%s,%s,%s,%s,%zu,%s,%s,%s,%s,%s,%s,%s\n", quoted(machine_line()).c_str(),
                 commit ? commit : "", workload_.c_str(), row.data.c_str(), row.system.c_str(), row.version.c_str(), row.threads,
                 row.parameter.c_str(), recall.c_str(), median.c_str(), min.c_str(), max.c_str(), row.rate.n, row.unit.c_str(),
                 row.clock.c_str(), distances.c_str(), bytes.c_str(), p50.c_str(), p99.c_str(), p999.c_str());
    std::fflush(file_);
    std::string unit = row.unit + (row.clock == "cpu" ? " cpu" : "");
    std::printf("%-24s %-15s %2u %-28s %7s %11s %23s %-10s %9s %7s %8s %8s %9s\n", row.data.c_str(), row.system.c_str(), row.threads,
                row.parameter.c_str(), recall.c_str(), median.c_str(), (min + " .. " + max).c_str(), unit.c_str(), distances.c_str(),
                bytes.c_str(), p50.c_str(), p99.c_str(), p999.c_str());
    std::fflush(stdout);
}
