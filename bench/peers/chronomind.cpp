// SPDX-License-Identifier: MIT OR Apache-2.0
// chronomind.cpp - our index: lock-free (with each kind of vectors), behind one rwlock, in 16 locked shards. Ids are the index's own, so a table leads back to those of the driver, as
// hnswlib's labels do.
#include "peers/peer.h"

#include <atomic>
#include <cstdlib>

#include "chronomind.h"

namespace {

// A folder that is on a disk, where /tmp may be memory.
const char *spill_folder() {
    const char *chosen = std::getenv("CM_BENCH_FOLDER");
    return chosen ? chosen : "/var/tmp";
}

template <cm_index_kind_t kKind, cm_vectors_t kVectors = CM_VECTORS_F32, bool kInFile = false> class Ours : public Peer {
  public:
    // Shards number their vectors apart: an id may lie above the capacity.
    explicit Ours(const Shape &shape)
        : dimensions_(shape.dimensions), given_(kKind == CM_INDEX_SHARDED ? 2 * size_t(shape.capacity) + 64 : shape.capacity),
          thread_(shape.threads) {
        cm_index_config_t config = CM_INDEX_CONFIG_INIT;
        config.kind = kKind, config.dimensions = shape.dimensions, config.capacity = shape.capacity, config.m = shape.m;
        config.ef_construction = shape.ef_construction, config.vectors = kVectors;
        if (kInFile) config.spill_folder = spill_folder();
        cm_error_t error;
        if (cm_index_open(&config, &index_, &error) != CM_OK) die("cm_index_open", error.message);
        for (cm_index_thread_t *&thread : thread_)
            if (cm_index_attach(index_, &thread) != CM_OK) die("cm_index_attach", "no memory");
    }
    ~Ours() override {
        for (cm_index_thread_t *thread : thread_) cm_index_detach(thread);
        cm_index_close(index_);
    }
    void insert(uint32_t thread, const float *vector, uint32_t id) override {
        uint32_t own;
        if (cm_index_insert(thread_[thread], vector, dimensions_, &own) != CM_OK) die("insert", cm_index_message(thread_[thread]));
        given_[own].store(id, std::memory_order_relaxed);
    }
    void search(uint32_t thread, const float *query, uint32_t k, uint32_t *ids) override {
        cm_neighbor_t out[CM_MAX_K];
        size_t n = 0;
        if (cm_index_search(thread_[thread], query, dimensions_, k, ef_, out, &n) != CM_OK)
            die("search", cm_index_message(thread_[thread]));
        for (size_t i = 0; i < k; i++) ids[i] = i < n ? given_[out[i].id].load(std::memory_order_relaxed) : kNoId;
    }
    void set_ef(uint32_t ef) override {
        ef_ = ef;
    }
    uint64_t distances(uint32_t thread) override {
        return cm_index_distances(thread_[thread]);
    }
    uint64_t bytes() override {
        return cm_index_bytes(index_);
    }
    uint64_t unreachable() override {
        cm_check_report_t report;
        if (cm_index_check(thread_[0], &report) != CM_OK) die("check", cm_index_message(thread_[0]));
        return report.n_unreachable;
    }

  private:
    uint32_t dimensions_, ef_ = 50;
    std::vector<std::atomic<uint32_t>> given_;
    cm_index_t *index_ = nullptr;
    std::vector<cm_index_thread_t *> thread_;
};

template <cm_index_kind_t kKind, cm_vectors_t kVectors = CM_VECTORS_F32, bool kInFile = false>
std::unique_ptr<Peer> make(const Shape &shape) {
    return std::make_unique<Ours<kKind, kVectors, kInFile>>(shape);
}

} // namespace

Kind lockfree_kind() {
    return {"chronomind", CM_VERSION_STRING, true, true, false, make<CM_INDEX_LOCKFREE>, nullptr};
}
Kind bf16_kind() {
    return {"chronomind bf16", CM_VERSION_STRING, true, true, false, make<CM_INDEX_LOCKFREE, CM_VECTORS_BF16>, nullptr};
}
Kind i8_kind() {
    return {"chronomind i8", CM_VERSION_STRING, true, true, false, make<CM_INDEX_LOCKFREE, CM_VECTORS_I8>, nullptr};
}
Kind i8_file_kind() {
    return {"chronomind i8 file", CM_VERSION_STRING, true, true, false, make<CM_INDEX_LOCKFREE, CM_VECTORS_I8, true>, nullptr};
}
Kind rwlock_kind() {
    return {"rwlock", CM_VERSION_STRING, true, true, true, make<CM_INDEX_RWLOCK>, nullptr};
}
Kind sharded_kind() {
    return {"16 shards", CM_VERSION_STRING, true, true, true, make<CM_INDEX_SHARDED>, nullptr};
}
