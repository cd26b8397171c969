// SPDX-License-Identifier: MIT OR Apache-2.0
// faiss.cpp - FAISS's IndexHNSWFlat of Debian, inner product. It is given blocks, as it is meant to be: a block of inserts spreads over OpenMP's threads, and a
// block of queries shares one table of visited nodes. It cannot insert beside searches. Debian compiles it for every x86-64, a quarter
// as fast at 768 dimensions as it can be; so its storage is given a dot product that is compiled for this machine.
#include "peers/peer.h"

#include <faiss/IndexHNSW.h>
#include <faiss/index_io.h>
#include <omp.h>

#include "peers/dot.h"

namespace {

class FastDot : public faiss::FlatCodesDistanceComputer {
  public:
    FastDot(const uint8_t *rows, size_t dimensions)
        : FlatCodesDistanceComputer(rows, dimensions * sizeof(float)), dimensions_(dimensions) {}
    void set_query(const float *query) override {
        query_ = query;
    }
    float distance_to_code(const uint8_t *row) override {
        return bench_inner_product(query_, reinterpret_cast<const float *>(row), dimensions_);
    }
    float symmetric_dis(idx_t i, idx_t j) override {
        return bench_inner_product(row(i), row(j), dimensions_);
    }

  private:
    const float *row(idx_t i) const {
        return reinterpret_cast<const float *>(codes + size_t(i) * code_size);
    }
    size_t dimensions_;
    const float *query_ = nullptr;
};

struct FastFlat : faiss::IndexFlatIP {
    explicit FastFlat(faiss::IndexFlat &&rows) : IndexFlatIP(rows.d) {
        codes = std::move(rows.codes);
        ntotal = rows.ntotal;
    }
    faiss::FlatCodesDistanceComputer *get_FlatCodesDistanceComputer() const override {
        return new FastDot(codes.data(), static_cast<size_t>(d));
    }
};

void make_fast(faiss::IndexHNSW &index) {
    auto *storage = dynamic_cast<faiss::IndexFlat *>(index.storage);
    if (!storage) die("FAISS", "the storage is no IndexFlat");
    index.storage = new FastFlat(std::move(*storage));
    delete storage;
}

class Faiss : public Peer {
  public:
    explicit Faiss(const Shape &shape) {
        auto index = std::make_unique<faiss::IndexHNSWFlat>(static_cast<int>(shape.dimensions), static_cast<int>(shape.m),
                                                            faiss::METRIC_INNER_PRODUCT);
        index->hnsw.efConstruction = static_cast<int>(shape.ef_construction);
        make_fast(*index);
        index_ = std::move(index);
    }
    explicit Faiss(const char *path) : index_(dynamic_cast<faiss::IndexHNSW *>(faiss::read_index(path))) {
        make_fast(*index_);
    }
    void insert(uint32_t, const float *vector, uint32_t) override {
        index_->add(1, vector);
    }
    void search(uint32_t, const float *query, uint32_t k, uint32_t *ids) override {
        search_block(query, 1, k, ids);
    }
    void set_ef(uint32_t ef) override {
        index_->hnsw.efSearch = static_cast<int>(ef);
    }
    bool insert_block(uint32_t threads, const float *rows, uint32_t, uint32_t n) override {
        omp_set_num_threads(static_cast<int>(threads));
        index_->add(n, rows);
        return true;
    }
    bool search_block(const float *queries, uint32_t n, uint32_t k, uint32_t *ids) override {
        omp_set_num_threads(1); // the driver has its own threads
        std::vector<float> distances(size_t(n) * k);
        std::vector<faiss::Index::idx_t> labels(size_t(n) * k);
        index_->search(n, queries, k, distances.data(), labels.data());
        for (size_t i = 0; i < labels.size(); i++) ids[i] = labels[i] < 0 ? kNoId : static_cast<uint32_t>(labels[i]);
        return true;
    }
    uint64_t distances(uint32_t thread) override {
        return thread == 0 ? faiss::hnsw_stats.n3 : 0;
    } // one count for all threads, of the lowest level
    bool save(const char *path) override {
        faiss::write_index(index_.get(), path);
        return true;
    }

  private:
    std::unique_ptr<faiss::IndexHNSW> index_;
};

} // namespace

Kind faiss_kind() {
    std::string version = std::to_string(FAISS_VERSION_MAJOR) + "." + std::to_string(FAISS_VERSION_MINOR) + "." +
                          std::to_string(FAISS_VERSION_PATCH);
    return {"FAISS",
            version,
            false,
            false,
            false,
            [](const Shape &shape) -> std::unique_ptr<Peer> { return std::make_unique<Faiss>(shape); },
            [](const Shape &, const char *path) -> std::unique_ptr<Peer> { return std::make_unique<Faiss>(path); }};
}
