// SPDX-License-Identifier: MIT OR Apache-2.0
// usearch.cpp - usearch, from the headers in its npm package, f32. The dot product it ships in 2.26 sums in double precision, half as many numbers at a time; it
// is given one in single precision through the custom metric that it offers, so that it does the same arithmetic as everyone else.
#include "peers/peer.h"

#include <usearch/index_dense.hpp>

#include "peers/dot.h"

namespace {

using namespace unum::usearch;

class Usearch : public Peer {
  public:
    explicit Usearch(const Shape &shape) : computed_(shape.threads) {
        open(shape);
        if (!index_.try_reserve(index_limits_t(shape.capacity, shape.threads))) die("usearch", "no memory");
    }
    Usearch(const Shape &shape, const char *path) : computed_(shape.threads) {
        open(shape);
        auto result = index_.load(path);
        if (!result) die(path, result.error.release());
        index_.change_metric(metric(shape.dimensions));
        if (!index_.try_reserve(index_limits_t(index_.size(), shape.threads))) die("usearch", "no memory");
    }
    void insert(uint32_t thread, const float *vector, uint32_t id) override {
        auto result = index_.add(id, vector, thread);
        if (!result) die("usearch", result.error.release());
    }
    void search(uint32_t thread, const float *query, uint32_t k, uint32_t *ids) override {
        auto result = index_.search(query, k, thread);
        if (!result) die("usearch", result.error.release());
        for (uint32_t i = 0; i < k; i++) ids[i] = i < result.size() ? static_cast<uint32_t>(result[i].member.key) : kNoId;
        computed_[thread].n += result.computed_distances;
    }
    void set_ef(uint32_t ef) override {
        index_.change_expansion_search(ef);
    }
    uint64_t distances(uint32_t thread) override {
        return computed_[thread].n;
    }
    bool save(const char *path) override {
        auto result = index_.save(path);
        if (!result) die(path, result.error.release());
        return true;
    }

  private:
    struct alignas(64) Count {
        uint64_t n = 0;
    };

    static metric_punned_t metric(uint32_t dimensions) {
        return metric_punned_t::stateless(dimensions, reinterpret_cast<std::uintptr_t>(&bench_inner_product_distance),
                                          metric_punned_signature_t::array_array_size_k, metric_kind_t::ip_k, scalar_kind_t::f32_k);
    }
    void open(const Shape &shape) {
        auto made = index_dense_t::make(metric(shape.dimensions), index_dense_config_t(shape.m, shape.ef_construction, 50));
        if (!made) die("usearch", made.error.release());
        index_ = std::move(made.index);
    }

    index_dense_t index_;
    std::vector<Count> computed_;
};

} // namespace

Kind usearch_kind() {
    return {"usearch",
            PEER_USEARCH,
            false,
            true,
            false,
            [](const Shape &shape) -> std::unique_ptr<Peer> { return std::make_unique<Usearch>(shape); },
            [](const Shape &shape, const char *path) -> std::unique_ptr<Peer> { return std::make_unique<Usearch>(shape, path); }};
}
