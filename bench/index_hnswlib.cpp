// SPDX-License-Identifier: MIT OR Apache-2.0
// index_hnswlib.cpp - the bare index against hnswlib on the same real word vectors, one thread, same M and ef_construction: build rate, then recall@10 and queries/s per
// ef in interleaved rounds (medians), and distances per query. Exits with 1 when a node is unreachable, or when the recall of the whole set misses its gate.
//
// Usage: index_hnswlib WORDS_FOLDER [N_WORDS (0: all)] [ROUNDS]

#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <vector>

#include "chronomind.h"
#include "words/words.h"

namespace {

constexpr uint32_t kM = 16, kEfConstruction = 100, kK = 10;

// What the whole set must reach; recall does not depend on the machine.
struct Gate {
    uint32_t ef;
    double recall;
};
constexpr Gate kGates[] = {{10, .62}, {40, .83}, {80, .895}, {200, .945}, {400, .97}};
constexpr size_t kGatedSize = 340479;

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

struct Data {
    std::vector<const float *> base, queries;
    std::vector<float> normalized;  // of base, then queries: hnswlib's cosine is an inner product of unit vectors
    std::vector<std::vector<uint32_t>> truth;
    const float *unit(size_t i) const { return &normalized[i * WORDS_DIMENSIONS]; }
};

void die(const char *what, const char *why) {
    std::fprintf(stderr, "Error: %s: %s\n", what, why);
    std::exit(1);
}

class Ours {
public:
    Ours(cm_index_kind_t kind, size_t n) {
        cm_index_config_t config = CM_INDEX_CONFIG_INIT;
        config.kind = kind, config.dimensions = WORDS_DIMENSIONS, config.capacity = static_cast<uint32_t>(n), config.m = kM,
        config.ef_construction = kEfConstruction;
        cm_error_t error;
        if (cm_index_open(&config, &index_, &error) != CM_OK) die("cm_index_open", error.message);
        if (cm_index_attach(index_, &thread_) != CM_OK) die("cm_index_attach", "no memory");
    }
    ~Ours() {
        cm_index_detach(thread_);
        cm_index_close(index_);
    }
    void insert(const float *vector) {
        uint32_t id;
        if (cm_index_insert(thread_, vector, WORDS_DIMENSIONS, &id) != CM_OK) die("insert", cm_index_message(thread_));
    }
    size_t search(const float *vector, uint32_t ef, cm_neighbor_t *out) {
        size_t n = 0;
        if (cm_index_search(thread_, vector, WORDS_DIMENSIONS, kK, ef, out, &n) != CM_OK) die("search", cm_index_message(thread_));
        return n;
    }
    uint64_t distances() const { return cm_index_distances(thread_); }
    uint64_t bytes() const { return cm_index_bytes(index_); }
    cm_check_report_t check() {
        cm_check_report_t report;
        if (cm_index_check(thread_, &report) != CM_OK) std::printf("check: %s\n", cm_index_message(thread_));
        return report;
    }

private:
    cm_index_t *index_ = nullptr;
    cm_index_thread_t *thread_ = nullptr;
};

Data prepare(const words_t &words) {
    Data data;
    for (uint32_t i = 0; i < words.n; i++) (words_is_query(words.n, i) ? data.queries : data.base).push_back(words_vector(&words, i));
    auto add_unit = [&](const float *v) {
        double sum = 0;
        for (uint32_t i = 0; i < WORDS_DIMENSIONS; i++) sum += double(v[i]) * v[i];
        for (uint32_t i = 0; i < WORDS_DIMENSIONS; i++) data.normalized.push_back(static_cast<float>(v[i] / std::sqrt(sum > 0 ? sum : 1)));
    };
    for (const float *v : data.base) add_unit(v);
    for (const float *v : data.queries) add_unit(v);
    Ours brute(CM_INDEX_BRUTE, data.base.size());
    for (const float *v : data.base) brute.insert(v);
    for (const float *q : data.queries) {
        cm_neighbor_t out[kK];
        size_t n = brute.search(q, 0, out);
        std::vector<uint32_t> ids;
        for (size_t i = 0; i < n; i++) ids.push_back(out[i].id);
        data.truth.push_back(ids);
    }
    return data;
}

template <typename Search>
double recall(const Data &data, Search search) {
    size_t found = 0, wanted = 0;
    for (size_t q = 0; q < data.queries.size(); q++) {
        std::set<uint32_t> ids = search(q);
        wanted += data.truth[q].size();
        for (uint32_t id : data.truth[q]) found += ids.count(id);
    }
    return double(found) / double(wanted);
}

using Peer = hnswlib::HierarchicalNSW<float>;

// In alternating slices, so that a slow minute of the machine hits both. Returns whether our graph is sound.
bool build(const Data &data, Ours &ours, Peer &peer) {
    const size_t n = data.base.size(), slice = 10000;
    double ours_seconds = 0, peer_seconds = 0;
    for (size_t from = 0; from < n; from += slice) {
        size_t to = std::min(n, from + slice);
        double start = now();
        for (size_t i = from; i < to; i++) ours.insert(data.base[i]);
        double middle = now();
        for (size_t i = from; i < to; i++) peer.addPoint(data.unit(i), i);
        ours_seconds += middle - start;
        peer_seconds += now() - middle;
    }
    cm_check_report_t report = ours.check();
    std::printf("build: chronomind %.0f/s, hnswlib %.0f/s, ratio %.2f; distances/insert %.0f; unreachable %llu; links/node %.1f; bytes/vector %.0f\n",
                double(n) / ours_seconds, double(n) / peer_seconds, peer_seconds / ours_seconds, double(ours.distances()) / double(n),
                static_cast<unsigned long long>(report.n_unreachable), double(report.n_links) / double(n), double(ours.bytes()) / double(n));
    return report.n_unreachable == 0;
}

std::set<uint32_t> ids_of(Ours &ours, const float *query, uint32_t ef) {
    cm_neighbor_t out[kK];
    size_t n = ours.search(query, ef, out);
    std::set<uint32_t> ids;
    for (size_t i = 0; i < n; i++) ids.insert(out[i].id);
    return ids;
}

std::set<uint32_t> ids_of(Peer &peer, const float *query) {
    std::set<uint32_t> ids;
    for (auto result = peer.searchKnn(query, kK); !result.empty(); result.pop()) ids.insert(static_cast<uint32_t>(result.top().second));
    return ids;
}

struct Rates {
    double ours, peer, ratio;  // queries/s; medians over the rounds
};

Rates race(const Data &data, Ours &ours, Peer &peer, uint32_t ef, int rounds) {
    const size_t n_queries = data.queries.size(), n = data.base.size();
    std::vector<double> ours_rate, peer_rate, ratio;
    cm_neighbor_t out[kK];
    for (int round = 0; round < rounds; round++) {
        double start = now();
        for (const float *q : data.queries) ours.search(q, ef, out);
        double middle = now();
        for (size_t q = 0; q < n_queries; q++) peer.searchKnn(data.unit(n + q), kK);
        double end = now();
        ours_rate.push_back(double(n_queries) / (middle - start));
        peer_rate.push_back(double(n_queries) / (end - middle));
        ratio.push_back((end - middle) / (middle - start));
    }
    return {median(ours_rate), median(peer_rate), median(ratio)};
}

// Returns our recall.
double compare(const Data &data, Ours &ours, Peer &peer, uint32_t ef, int rounds) {
    const size_t n = data.base.size();
    peer.setEf(ef);
    uint64_t before = ours.distances();
    double ours_recall = recall(data, [&](size_t q) { return ids_of(ours, data.queries[q], ef); });
    double distances = double(ours.distances() - before) / double(data.queries.size());
    double peer_recall = recall(data, [&](size_t q) { return ids_of(peer, data.unit(n + q)); });
    Rates rates = race(data, ours, peer, ef, rounds);
    std::printf("%5u | %10.4f %10.0f %10.0f | %10.4f %10.0f | %6.2f\n", ef, ours_recall, rates.ours, distances, peer_recall, rates.peer, rates.ratio);
    return ours_recall;
}

}  // namespace

int main(int argc, char **argv) {
    if (argc < 2) {
        std::fprintf(stderr, "Usage: index_hnswlib WORDS_FOLDER [N_WORDS (0: all)] [ROUNDS]\n");
        return 2;
    }
    words_t words = words_load(argv[1], argc > 2 ? static_cast<uint32_t>(std::atoi(argv[2])) : 0);
    int rounds = argc > 3 ? std::atoi(argv[3]) : 3;
    Data data = prepare(words);
    std::printf("%zu x %u word vectors, cosine, M %u, ef_construction %u, 1 thread, kernels %s, %zu held-out queries\n", data.base.size(), WORDS_DIMENSIONS, kM,
                kEfConstruction, cm_isa(), data.queries.size());

    Ours ours(CM_INDEX_LOCKFREE, data.base.size());
    hnswlib::InnerProductSpace space(WORDS_DIMENSIONS);
    Peer peer(&space, data.base.size(), kM, kEfConstruction);
    bool good = build(data, ours, peer);

    std::printf("%5s | %10s %10s %10s | %10s %10s | %6s\n", "ef", "recall", "queries/s", "distances", "hnswlib", "queries/s", "ratio");
    for (const Gate &gate : kGates) {
        double reached = compare(data, ours, peer, gate.ef, rounds);
        if (data.base.size() != kGatedSize || reached >= gate.recall) continue;
        std::printf("recall at ef %u is below %.3f\n", gate.ef, gate.recall);
        good = false;
    }
    words_free(&words);
    return good ? 0 : 1;
}
