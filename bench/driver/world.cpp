// SPDX-License-Identifier: MIT OR Apache-2.0
// world.cpp - data and indexes that several workloads use.
#include "driver/workloads.h"

const Data &World::all_words() {
    if (!all_words_) all_words_ = std::make_unique<Data>(words_data(words.c_str(), quick ? 6000 : 0));
    return *all_words_;
}

const Data &World::embeddings() {
    if (!embeddings_)
        embeddings_ = std::make_unique<Data>(quick ? subspace_data(768, 1000, 2000, 200) : subspace_data(768, 10000, 10000, 1000));
    return *embeddings_;
}

Fleet &World::words_fleet() {
    if (!words_fleet_) words_fleet_ = std::make_unique<Fleet>(build_fleet(all_words(), is_library, 1, quick ? 1000 : 10000));
    return *words_fleet_;
}
