// SPDX-License-Identifier: MIT OR Apache-2.0
// store.cpp - our whole store with a string id per memory: what is saved and loaded, where the bare index has no file.
#include "peers/peer.h"

#include "chronomind.h"

namespace {

class Store : public Peer {
  public:
    explicit Store(const Shape &shape) : dimensions_(shape.dimensions) {
        cm_config_t config = CM_CONFIG_INIT;
        config.dimensions = shape.dimensions, config.max_memories = shape.capacity, config.m = shape.m;
        config.ef_construction = shape.ef_construction;
        cm_error_t error;
        if (cm_open(&config, &store_, &error) != CM_OK) die("cm_open", error.message);
        attach(shape);
    }
    Store(const Shape &shape, const char *path) : dimensions_(shape.dimensions) {
        cm_error_t error;
        if (cm_load_file(path, nullptr, &store_, &error) != CM_OK) die(path, error.message);
        attach(shape);
    }
    ~Store() override {
        for (cm_thread_t *thread : thread_) cm_detach(thread);
        cm_close(store_);
    }
    void insert(uint32_t thread, const float *vector, uint32_t id) override {
        char name[kNameBytes];
        cm_memory_t memory = memory_of(vector, id, name);
        if (cm_insert(thread_[thread], &memory) != CM_OK) die("cm_insert", cm_message(thread_[thread]));
    }
    void search(uint32_t thread, const float *query, uint32_t k, uint32_t *ids) override {
        cm_search_t options = CM_SEARCH_INIT;
        options.k = k, options.ef = ef_, options.temporal_weight = 0;
        cm_hit_t hits[CM_MAX_K];
        size_t n = 0;
        if (cm_search(thread_[thread], query, dimensions_, &options, hits, &n) != CM_OK) die("cm_search", cm_message(thread_[thread]));
        for (size_t i = 0; i < k; i++) ids[i] = i < n ? id_of(thread, hits[i]) : kNoId;
        cm_search_report_t report;
        cm_last_search(thread_[thread], &report);
        n_distances_[thread] += report.n_distances;
    }
    uint64_t distances(uint32_t thread) override {
        return n_distances_[thread];
    }
    void set_ef(uint32_t ef) override {
        ef_ = ef;
    }
    bool save(const char *path) override {
        if (cm_save_file(thread_[0], path) != CM_OK) die(path, cm_message(thread_[0]));
        return true;
    }

  protected:
    static constexpr size_t kNameBytes = 16;

    cm_memory_t memory_of(const float *vector, uint32_t id, char *name) const {
        cm_memory_t memory = CM_MEMORY_INIT;
        memory.id = {name, static_cast<decltype(memory.id.len)>(std::snprintf(name, kNameBytes, "%u", id))};
        memory.vector = vector, memory.dimensions = dimensions_;
        return memory;
    }
    cm_thread_t *first_thread() const {
        return thread_[0];
    }
    uint32_t dimensions() const {
        return dimensions_;
    }

  private:
    void attach(const Shape &shape) {
        thread_.resize(shape.threads);
        n_distances_.resize(shape.threads);
        for (cm_thread_t *&thread : thread_)
            if (cm_attach(store_, &thread) != CM_OK) die("cm_attach", "no memory");
    }
    uint32_t id_of(uint32_t thread, const cm_hit_t &hit) {
        char buffer[16384];
        cm_memory_t memory = CM_MEMORY_INIT;
        size_t needed = 0;
        if (cm_get_hit(thread_[thread], hit.slot, hit.generation, &memory, buffer, sizeof buffer, &needed) != CM_OK) return kNoId;
        return static_cast<uint32_t>(std::strtoul(std::string(memory.id.data, memory.id.len).c_str(), nullptr, 10));
    }

    uint32_t dimensions_, ef_ = 50;
    cm_store_t *store_ = nullptr;
    std::vector<cm_thread_t *> thread_;
    std::vector<uint64_t> n_distances_; // of searches, by thread
};

class Batch : public Store {
  public:
    using Store::Store;
    bool insert_block(uint32_t threads, const float *rows, uint32_t first, uint32_t n) override {
        std::vector<char> names(n * kNameBytes);
        std::vector<cm_memory_t> memories;
        for (uint32_t i = 0; i < n; i++) memories.push_back(memory_of(rows + size_t(i) * dimensions(), first + i, &names[i * kNameBytes]));
        cm_batch_t options = CM_BATCH_INIT;
        options.threads = threads;
        if (cm_insert_batch(first_thread(), memories.data(), n, &options, nullptr) != CM_OK)
            die("cm_insert_batch", cm_message(first_thread()));
        return true;
    }
};

} // namespace

Kind store_kind() {
    return {"chronomind store",
            CM_VERSION_STRING,
            true,
            true,
            true,
            [](const Shape &shape) -> std::unique_ptr<Peer> { return std::make_unique<Store>(shape); },
            [](const Shape &shape, const char *path) -> std::unique_ptr<Peer> { return std::make_unique<Store>(shape, path); }};
}

Kind batch_kind() {
    Kind kind = store_kind();
    kind.name = "batch", kind.load = nullptr;
    kind.make = [](const Shape &shape) -> std::unique_ptr<Peer> { return std::make_unique<Batch>(shape); };
    return kind;
}
