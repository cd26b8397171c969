/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* relationships.c - packed lists of ids: merging against a model, and check() against bytes that nobody here wrote. */
#include "store/relationships.h"
#include "support/strings.h"
#include "support/tap.h"
#include "support/vectors.h"

#define NO_LIMIT CM_MAX_RELATIONSHIPS

static cmi_blocks_t *blocks;

/* `fresh`, then `old`: what an insert makes. */
static bool merge(const cm_str_t *fresh, uint32_t n_fresh, cmi_relationships_t old, uint32_t limit, uint32_t *block) {
    cmi_relationships_plan_t plan = {.fresh = fresh, .n_fresh = n_fresh, .tail = old, .limit = limit};
    return cmi_relationships_make(blocks, &plan, block);
}

static uint32_t block_of(const char *words) {
    cm_str_t ids[32];
    uint32_t block;
    CHECK(merge(ids, split(words, ids), (cmi_relationships_t){0}, NO_LIMIT, &block));
    return block;
}

static void check_list(uint32_t block, const char *words) {
    cm_str_t expected[32];
    uint32_t n = split(words, expected);
    cmi_relationships_t list = cmi_relationships_at(blocks, block);
    CHECK_EQ_U64(list.n, n);
    for (uint32_t i = 0; i < n && list.n > 0; i++) {
        cm_str_t id = cmi_relationships_pop(&list);
        CHECK_MSG(cmi_str_compare(id, expected[i]) == 0, "\"%s\": id %u is \"%.*s\"", words, i, (int)id.len, id.data);
    }
    CHECK_EQ_U64(list.n_bytes, 0);
}

static void check_merge(const char *fresh, const char *old, uint32_t limit, const char *expected) {
    cm_str_t ids[32];
    uint32_t block, old_block = block_of(old), n = split(fresh, ids);
    CHECK(merge(ids, n, cmi_relationships_at(blocks, old_block), limit, &block));
    check_list(block, expected);
    CHECK((block == CMI_NO_BLOCK) == (*expected == 0));
    if (block != CMI_NO_BLOCK) cmi_blocks_free(blocks, block);
    if (old_block != CMI_NO_BLOCK) cmi_blocks_free(blocks, old_block);
}

TEST(merge_puts_the_new_in_front_drops_duplicates_and_stops_at_the_limit) {
    check_merge("", "", 5, "");
    check_merge("a b", "", 5, "a b");
    check_merge("", "x y", 5, "x y");
    check_merge("a b", "x y", 5, "a b x y");
    check_merge("a b a a b c", "", 5, "a b c");
    check_merge("b a", "a x b y", 5, "b a x y");
    check_merge("a aa aaa", "aa a aaaa", 9, "a aa aaa aaaa");
    check_merge("a b c d", "x", 2, "a b");
    check_merge("a", "x y z", 3, "a x y");
    check_merge("a a a b", "a x", 2, "a b");
    check_merge("a", "a b", 1, "a");
    CHECK_EQ_U64(cmi_blocks_bytes_used(blocks), 0);
}

/* The same by a model: a list without duplicates in the order of first appearance. */
TEST(merge_agrees_with_a_model) {
    static const char *const names[] = {"a", "b", "ab", "ba", "\xC3\xA9", "longer name", "a ", "A", "0", "id with \xE2\x82\xAC"};
    rng_t rng = rng_seed(3);
    for (uint32_t round = 0; round < 20000; round++) {
        uint32_t n_fresh = rng_below(&rng, 12), n_old = rng_below(&rng, 12), limit = 1 + rng_below(&rng, 12), n_expected = 0;
        cm_str_t fresh[12], old[12], expected[24];
        for (uint32_t i = 0; i < n_fresh; i++) fresh[i] = str(names[rng_below(&rng, 10)]);
        for (uint32_t i = 0; i < n_old; i++) old[i] = str(names[rng_below(&rng, 10)]);
        for (uint32_t i = 0; i < n_fresh + n_old && n_expected < limit; i++) {
            cm_str_t id = i < n_fresh ? fresh[i] : old[i - n_fresh];
            bool twice = false;
            for (uint32_t j = 0; j < n_expected; j++) twice = twice || cmi_str_compare(expected[j], id) == 0;
            if (!twice) expected[n_expected++] = id;
        }
        uint32_t old_block, block;
        CHECK(merge(old, n_old, (cmi_relationships_t){0}, NO_LIMIT, &old_block));
        CHECK(merge(fresh, n_fresh, cmi_relationships_at(blocks, old_block), limit, &block));
        cmi_relationships_t list = cmi_relationships_at(blocks, block);
        CHECK_EQ_U64(list.n, n_expected);
        CHECK_STATUS(cmi_relationships_check(list, limit, NULL), CM_OK);
        for (uint32_t i = 0; i < n_expected && list.n > 0; i++) CHECK(cmi_str_compare(cmi_relationships_pop(&list), expected[i]) == 0);
        if (block != CMI_NO_BLOCK) cmi_blocks_free(blocks, block);
        if (old_block != CMI_NO_BLOCK) cmi_blocks_free(blocks, old_block);
    }
    CHECK_EQ_U64(cmi_blocks_bytes_used(blocks), 0);
}

/* 1,024 ids of 1,020 bytes take the allowed megabyte to the byte. */
TEST(merge_stops_at_the_byte_limit) {
    enum { N = 1025, LEN = 1020 };
    static char names[N][LEN];
    static cm_str_t ids[N];
    for (uint32_t i = 0; i < N; i++) {
        memset(names[i], 'x', LEN);
        char number[8];
        memcpy(names[i], number, (size_t)snprintf(number, sizeof number, "%u", i));
        ids[i] = (cm_str_t){names[i], LEN};
    }
    uint32_t block, wider;
    CHECK(merge(ids, N, (cmi_relationships_t){0}, NO_LIMIT, &block));
    cmi_relationships_t list = cmi_relationships_at(blocks, block);
    CHECK_EQ_U64(list.n, N - 1);
    CHECK_EQ_U64(list.n_bytes, CM_MAX_RELATIONSHIPS_BYTES);
    CHECK_STATUS(cmi_relationships_check(list, NO_LIMIT, NULL), CM_OK);
    CHECK(merge(&ids[N - 1], 1, list, NO_LIMIT, &wider)); /* the newest stays, the last of the old goes */
    list = cmi_relationships_at(blocks, wider);
    CHECK_EQ_U64(list.n, N - 1);
    CHECK(cmi_str_compare(cmi_relationships_pop(&list), ids[N - 1]) == 0);
    cmi_blocks_free(blocks, block);
    cmi_blocks_free(blocks, wider);
}

/* ---- hostile bytes ------------------------------------------------------------------------------------------------------------ */

/* A list in memory of exactly its size, so that a sanitizer sees every read beyond it. */
static cm_status_t check_copy(const uint8_t *bytes, uint32_t n_bytes, uint32_t n, uint32_t limit, cm_error_t *error) {
    uint8_t *copy = malloc(n_bytes);
    memcpy(copy, bytes, n_bytes);
    cm_status_t status = cmi_relationships_check((cmi_relationships_t){n, n_bytes, copy}, limit, error);
    free(copy);
    return status;
}

static uint32_t pack(uint8_t *out, const cm_str_t *ids, uint32_t n) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len = (uint32_t)ids[i].len;
        memcpy(out + at, &len, sizeof len);
        memcpy(out + at + sizeof len, ids[i].data, len);
        at += (uint32_t)sizeof len + len;
    }
    return at;
}

/* What the format says, read independently. */
static bool is_well_formed(const uint8_t *bytes, uint32_t n_bytes, uint32_t n, uint32_t limit) {
    cm_str_t seen[64];
    uint64_t at = 0;
    if (n > limit || n > 64) return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len;
        if (at + sizeof len > n_bytes) return false;
        memcpy(&len, bytes + at, sizeof len);
        at += sizeof len;
        if (at + len > n_bytes || len == 0 || len > CM_MAX_ID_BYTES) return false;
        seen[i] = (cm_str_t){(const char *)bytes + at, len};
        if (!cmi_utf8_valid(seen[i].data, len)) return false;
        for (uint32_t j = 0; j < i; j++)
            if (cmi_str_compare(seen[j], seen[i]) == 0) return false;
        at += len;
    }
    return at == n_bytes;
}

enum { N_IDS = 6 };
static uint8_t good[256];
static uint32_t n_good;

static void make_good(void) {
    cm_str_t ids[N_IDS];
    CHECK_EQ_U64(split("first \xC3\xA9t\xC3\xA9 x second 4 last-one", ids), N_IDS);
    n_good = pack(good, ids, N_IDS);
    CHECK_STATUS(check_copy(good, n_good, N_IDS, N_IDS, NULL), CM_OK);
}

/* `words` must be in the message. */
static void expect_message(const uint8_t *bytes, uint32_t n_bytes, uint32_t n, uint32_t limit, const char *what, const char *words) {
    cm_error_t error = {CM_OK, ""};
    cm_status_t status = check_copy(bytes, n_bytes, n, limit, &error);
    CHECK_MSG(status == CM_E_CORRUPT && error.status == CM_E_CORRUPT, "%s: status %d", what, (int)status);
    CHECK_MSG(error.message[0] && strstr(error.message, words), "%s: the message is \"%s\"", what, error.message);
}

static void expect_corrupt(const uint8_t *bytes, uint32_t n_bytes, uint32_t n, uint32_t limit, const char *what) {
    expect_message(bytes, n_bytes, n, limit, what, "");
}

TEST(every_truncation_is_found) {
    make_good();
    for (uint32_t n_bytes = 0; n_bytes < n_good; n_bytes++) expect_corrupt(good, n_bytes, N_IDS, NO_LIMIT, "a truncated list");
    for (uint32_t n = 0; n < N_IDS; n++) expect_corrupt(good, n_good, n, NO_LIMIT, "a count that is too small");
    for (uint32_t n = N_IDS + 1; n < N_IDS + 9; n++) expect_corrupt(good, n_good, n, NO_LIMIT, "a count that is too large");
    expect_corrupt(good, n_good, UINT32_MAX, UINT32_MAX, "an absurd count");
    expect_corrupt(good, n_good, N_IDS, N_IDS - 1, "more than the limit");
    expect_corrupt(good, 0, 1, NO_LIMIT, "no bytes");
}

TEST(every_length_overflow_is_found) {
    make_good();
    uint8_t bad[sizeof good];
    for (uint32_t at = 0, i = 0; i < N_IDS; i++) {
        uint32_t len, left = n_good - at - (uint32_t)sizeof len;
        memcpy(&len, good + at, sizeof len);
        const uint32_t wrong[] = {
            0,          len - 1,    len + 1,    left,       left + 1,        left + 4,       n_good,     CM_MAX_ID_BYTES,
            0x7FFFFFFF, 0x80000000, 0xFFFFFFFB, 0xFFFFFFFC, UINT32_MAX - at, UINT32_MAX - 4, UINT32_MAX, 0 - at};
        for (uint32_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++) {
            if (wrong[w] == len) continue;
            memcpy(bad, good, n_good);
            memcpy(bad + at, &wrong[w], sizeof len);
            expect_message(bad, n_good, N_IDS, NO_LIMIT, "a wrong length", wrong[w] > left ? "beyond the end" : "");
        }
        at += (uint32_t)sizeof len + len;
    }
}

TEST(ids_that_insert_refuses_are_found) {
    static char long_id[CM_MAX_ID_BYTES + 1];
    memset(long_id, 'y', sizeof long_id);
    static uint8_t bytes[2 * CM_MAX_ID_BYTES];
    cm_str_t bad[][2] = {{str("a"), str("a")}, {str("a"), str("")}, {str("a"), str("\xC3")}, {str("\xED\xA0\x80"), str("a")}};
    for (uint32_t i = 0; i < 4; i++) expect_corrupt(bytes, pack(bytes, bad[i], 2), 2, NO_LIMIT, "a bad id");
    cm_str_t id = {long_id, CM_MAX_ID_BYTES};
    CHECK_STATUS(check_copy(bytes, pack(bytes, &id, 1), 1, NO_LIMIT, NULL), CM_OK);
    id.len++;
    expect_corrupt(bytes, pack(bytes, &id, 1), 1, NO_LIMIT, "an id of 1,025 bytes");
}

TEST(a_list_beyond_the_byte_limit_is_found) {
    enum { N = 1025, LEN = 1020 };
    uint8_t *bytes = malloc((size_t)N * (LEN + 4));
    uint32_t len = LEN, n_bytes = 0;
    for (uint32_t i = 0; i < N; i++, n_bytes += LEN + 4) {
        memcpy(bytes + n_bytes, &len, sizeof len);
        memset(bytes + n_bytes + 4, 'z', LEN);
        char number[8];
        memcpy(bytes + n_bytes + 4, number, (size_t)snprintf(number, sizeof number, "%u", i));
    }
    CHECK_STATUS(check_copy(bytes, n_bytes - (LEN + 4), N - 1, NO_LIMIT, NULL), CM_OK);
    expect_corrupt(bytes, n_bytes, N, NO_LIMIT, "a list of more than a megabyte");
    free(bytes);
}

TEST(check_agrees_with_the_format_on_random_damage) {
    make_good();
    rng_t rng = rng_seed(4);
    uint32_t n_accepted = 0;
    for (uint32_t round = 0; round < 300000; round++) {
        uint8_t bad[sizeof good];
        memcpy(bad, good, n_good);
        uint32_t n_flips = 1 + rng_below(&rng, 3), n_bytes = n_good - (rng_below(&rng, 4) == 0 ? rng_below(&rng, n_good) : 0);
        uint32_t n = rng_below(&rng, 4) == 0 ? rng_below(&rng, 10) : N_IDS;
        for (uint32_t i = 0; i < n_flips; i++) bad[rng_below(&rng, n_good)] ^= (uint8_t)(1u << rng_below(&rng, 8));
        bool expected = is_well_formed(bad, n_bytes, n, 8);
        CHECK((check_copy(bad, n_bytes, n, 8, NULL) == CM_OK) == expected);
        n_accepted += expected;
    }
    CHECK_MSG(n_accepted > 1000 && n_accepted < 250000, "%u lists were well-formed: the damage is too great or too small", n_accepted);
}

int main(void) {
    blocks = cmi_blocks_open();
    RUN(merge_puts_the_new_in_front_drops_duplicates_and_stops_at_the_limit);
    RUN(merge_agrees_with_a_model);
    RUN(merge_stops_at_the_byte_limit);
    RUN(every_truncation_is_found);
    RUN(every_length_overflow_is_found);
    RUN(ids_that_insert_refuses_are_found);
    RUN(a_list_beyond_the_byte_limit_is_found);
    RUN(check_agrees_with_the_format_on_random_damage);
    cmi_blocks_close(blocks);
    return tap_done();
}
