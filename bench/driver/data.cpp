// SPDX-License-Identifier: MIT OR Apache-2.0
#include "driver/data.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "chronomind.h"
#include "peers/peer.h"
#include "words/words.h"

namespace {

constexpr uint32_t kSubspace = 16;

// splitmix64; in [-1, 1)
struct Random {
    uint64_t state;
    float operator()() {
        uint64_t x = state += 0x9E3779B97F4A7C15u;
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
        x = (x ^ x >> 27) * 0x94D049BB133111EBu;
        x ^= x >> 31;
        return static_cast<float>(static_cast<double>(x >> 11) / 4503599627370496.0 - 1.0);
    }
};

void normalize(Data &data) {
    data.unit = data.raw;
    for (size_t i = 0; i < data.unit.size(); i += data.dimensions) {
        double sum = 0;
        for (uint32_t d = 0; d < data.dimensions; d++) sum += double(data.raw[i + d]) * data.raw[i + d];
        for (uint32_t d = 0; d < data.dimensions; d++)
            data.unit[i + d] = static_cast<float>(data.raw[i + d] / std::sqrt(sum > 0 ? sum : 1));
    }
}

// By our brute force, which computes every distance.
void find_truth(Data &data) {
    cm_index_config_t config = CM_INDEX_CONFIG_INIT;
    config.kind = CM_INDEX_BRUTE, config.dimensions = data.dimensions, config.capacity = data.n_base;
    cm_index_t *index;
    cm_index_thread_t *thread;
    if (cm_index_open(&config, &index, nullptr) != CM_OK || cm_index_attach(index, &thread) != CM_OK) die("brute force", "no memory");
    uint32_t id;
    for (uint32_t i = 0; i < data.n_base; i++)
        if (cm_index_insert(thread, data.row(i, true), data.dimensions, &id) != CM_OK || id != i)
            die("brute force", cm_index_message(thread));
    for (uint32_t q = 0; q < data.n_queries; q++) {
        cm_neighbor_t out[kK];
        size_t n;
        if (cm_index_search(thread, data.query(q, true), data.dimensions, kK, 0, out, &n) != CM_OK)
            die("brute force", cm_index_message(thread));
        for (uint32_t i = 0; i < kK; i++) data.truth.push_back(i < n ? out[i].id : kNoId);
    }
    cm_index_detach(thread);
    cm_index_close(index);
}

Data finished(Data data, bool with_truth) {
    normalize(data);
    if (with_truth) find_truth(data);
    return data;
}

} // namespace

Data words_data(const char *folder, uint32_t limit, bool with_truth) {
    words_t words = words_load(folder, limit);
    Data data;
    data.dimensions = WORDS_DIMENSIONS, data.n_queries = WORDS_QUERIES, data.n_base = words.n - WORDS_QUERIES;
    data.name = std::to_string(data.n_base) + "x100 words";
    for (bool queries : {false, true})
        for (uint32_t i = 0; i < words.n; i++)
            if (words_is_query(words.n, i) == queries)
                data.raw.insert(data.raw.end(), words_vector(&words, i), words_vector(&words, i) + WORDS_DIMENSIONS);
    words_free(&words);
    return finished(std::move(data), with_truth);
}

Data crowded_words_data(const char *folder, uint32_t n_base, uint32_t limit) {
    Data words = words_data(folder, limit, false), data;
    const uint32_t dimensions = words.dimensions;
    data.dimensions = dimensions, data.n_base = n_base, data.n_queries = words.n_queries;
    data.name = std::to_string(n_base) + "x" + std::to_string(dimensions) + " words and noisy copies";
    data.raw.resize((size_t(n_base) + words.n_queries) * dimensions);
    Random random = {11};
    std::vector<uint32_t> order(n_base);
    for (uint32_t i = 0; i < n_base; i++) order[i] = i;
    for (uint32_t i = n_base - 1; i > 0; i--) std::swap(order[i], order[uint32_t((random() + 1) / 2 * float(i))]);
    for (uint32_t i = 0; i < n_base; i++) {
        const float *from = words.row(order[i] % words.n_base, true);
        float *to = &data.raw[size_t(i) * dimensions], mean = 0;
        for (uint32_t d = 0; d < dimensions; d++) mean += std::fabs(from[d]) / float(dimensions);
        const float noise = order[i] < words.n_base ? 0 : mean;
        for (uint32_t d = 0; d < dimensions; d++) to[d] = from[d] + noise * random();
    }
    std::copy(words.query(0, true), words.query(0, true) + size_t(words.n_queries) * dimensions, &data.raw[size_t(n_base) * dimensions]);
    return finished(std::move(data), true);
}

Data subspace_data(uint32_t dimensions, uint32_t n_base, uint32_t n_extra, uint32_t n_queries, bool with_truth) {
    Data data;
    data.dimensions = dimensions, data.n_base = n_base, data.n_extra = n_extra, data.n_queries = n_queries;
    data.name = std::to_string(n_base) + "x" + std::to_string(dimensions) + " embedding-like";
    Random random = {77};
    std::vector<float> basis(size_t(kSubspace) * dimensions);
    for (float &value : basis) value = random();
    data.raw.resize((size_t(n_base) + n_extra + n_queries) * dimensions);
    for (size_t i = 0; i < data.raw.size(); i += dimensions) {
        float *out = &data.raw[i];
        for (uint32_t d = 0; d < dimensions; d++) out[d] = 0.05f * random();
        for (uint32_t b = 0; b < kSubspace; b++) {
            float weight = random();
            for (uint32_t d = 0; d < dimensions; d++) out[d] += weight * basis[size_t(b) * dimensions + d];
        }
    }
    return finished(std::move(data), with_truth);
}
