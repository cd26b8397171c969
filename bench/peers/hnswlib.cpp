// SPDX-License-Identifier: MIT OR Apache-2.0
// hnswlib.cpp - hnswlib of Debian. Its cosine is an inner product of unit vectors. Searching while others insert is not promised to be safe there; it is
// measured all the same.
#include "peers/peer.h"

#include <hnswlib/hnswlib.h>

namespace {

class Hnswlib : public Peer {
  public:
    explicit Hnswlib(const Shape &shape) : space_(shape.dimensions), index_(&space_, shape.capacity, shape.m, shape.ef_construction) {}
    Hnswlib(const Shape &shape, const char *path) : space_(shape.dimensions), index_(&space_, path) {}
    void insert(uint32_t, const float *vector, uint32_t id) override {
        index_.addPoint(vector, id);
    }
    void search(uint32_t, const float *query, uint32_t k, uint32_t *ids) override {
        auto found = index_.searchKnn(query, k);
        for (uint32_t i = k; i-- > 0;) {
            ids[i] = kNoId;
            if (found.size() <= i) continue;
            ids[i] = static_cast<uint32_t>(found.top().second);
            found.pop();
        }
    }
    void set_ef(uint32_t ef) override {
        index_.setEf(ef);
    }
    bool save(const char *path) override {
        index_.saveIndex(path);
        return true;
    }

  private:
    hnswlib::InnerProductSpace space_;
    hnswlib::HierarchicalNSW<float> index_;
};

} // namespace

Kind hnswlib_kind() {
    return {"hnswlib",
            PEER_HNSWLIB,
            false,
            true,
            false,
            [](const Shape &shape) -> std::unique_ptr<Peer> { return std::make_unique<Hnswlib>(shape); },
            [](const Shape &shape, const char *path) -> std::unique_ptr<Peer> { return std::make_unique<Hnswlib>(shape, path); }};
}
