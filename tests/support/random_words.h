/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* random_words.h - what plat_random.h promises on every target. */
#ifndef TEST_RANDOM_WORDS_H
#define TEST_RANDOM_WORDS_H

#include "plat_random.h"
#include "support/tap.h"

TEST(random_words_differ) {
    uint64_t seen[64], all = 0, none = 0;
    for (int i = 0; i < 64; i++) {
        seen[i] = plat_random_u64();
        all |= seen[i];
        none |= ~seen[i];
        for (int j = 0; j < i; j++) CHECK(seen[i] != seen[j]);
    }
    CHECK_EQ_U64(all, UINT64_MAX);  /* every bit was 1 once ... */
    CHECK_EQ_U64(none, UINT64_MAX); /* ... and 0 once */
}

#endif
