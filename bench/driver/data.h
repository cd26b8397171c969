// SPDX-License-Identifier: MIT OR Apache-2.0
// data.h - the sets of vectors that workloads run on, with the true nearest neighbours of their queries.
#ifndef BENCH_DRIVER_DATA_H
#define BENCH_DRIVER_DATA_H

#include <cstdint>
#include <string>
#include <vector>

constexpr uint32_t kK = 10;

struct Data {
    std::string name; // "340479x100 words"
    uint32_t dimensions = 0, n_base = 0, n_extra = 0, n_queries = 0;
    std::vector<float> raw, unit; // base, then extra (inserted by mixed workloads), then queries; as they are, and of length 1
    std::vector<uint32_t> truth;  // kK per query, among the base; empty: not asked for

    const float *row(size_t i, bool as_they_are) const {
        return (as_they_are ? raw : unit).data() + i * dimensions;
    }
    const float *query(size_t i, bool as_they_are) const {
        return row(size_t(n_base) + n_extra + i, as_they_are);
    }
};

// limit: the most frequent words only (0: all 341,479, of which 1,000 are queries).
Data words_data(const char *folder, uint32_t limit, bool with_truth = true);

// Words and noisy copies of words (each component moved by up to the vector's mean one: a cosine of about .9), all of them shuffled, so that the first hundred thousand are like the last.
Data crowded_words_data(const char *folder, uint32_t n_base, uint32_t limit);

// Random mixtures of 16 basis vectors with a little noise; base, extra and queries share the 16.
Data subspace_data(uint32_t dimensions, uint32_t n_base, uint32_t n_extra, uint32_t n_queries, bool with_truth = true);

#endif
