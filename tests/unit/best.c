/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* best.c - the list of the best candidates, against sorting everything: random offers with ties and repetitions, all sizes of k and of what stands by. */
#include "store/best.h"
#include "support/tap.h"
#include "support/vectors.h"

enum { MOST = 40, OFFERS = 300 };

/* As search.c does, but for asking whether it is a memory. */
static void offer(cmi_best_t *best, cmi_ranked_t ranked) {
    if (ranked.score > cmi_best_limit(best)) return;
    uint32_t place = cmi_best_place(best, &ranked);
    if (place != CMI_BEST_NOWHERE) cmi_best_put(best, place, ranked);
}

static int compare(const void *a, const void *b) {
    return cmi_ranked_before(a, b) ? -1 : cmi_ranked_before(b, a);
}

/* The offers sorted, each once. */
static uint32_t sort(cmi_ranked_t *offers, uint32_t n) {
    uint32_t n_kept = 0;
    qsort(offers, n, sizeof *offers, compare);
    for (uint32_t i = 0; i < n; i++)
        if (n_kept == 0 || compare(&offers[n_kept - 1], &offers[i]) != 0) offers[n_kept++] = offers[i];
    return n_kept;
}

static void check_against(const cmi_best_t *best, cmi_ranked_t *offers, uint32_t n, uint32_t seed) {
    n = sort(offers, n);
    CHECK_MSG(best->n == (n < best->limit ? n : best->limit), "seed %u: %u are held of %u, limit %u", seed, best->n, n, best->limit);
    for (uint32_t i = 0; i < best->n; i++)
        CHECK_MSG(compare(&best->at[i], &offers[i]) == 0, "seed %u: place %u has slot %u, expected %u", seed, i, best->at[i].slot,
                  offers[i].slot);
    double kth = n >= best->k && best->n >= best->k ? offers[best->k - 1].score : __builtin_inf();
    CHECK_MSG(cmi_best_kth(best) == kth, "seed %u: the %u-th is %g, expected %g", seed, best->k, cmi_best_kth(best), kth);
    CHECK(cmi_best_limit(best) == (n >= best->limit ? offers[best->limit - 1].score : __builtin_inf()));
}

TEST(it_holds_the_best_in_order_each_once) {
    for (uint32_t seed = 0; seed < 2000; seed++) {
        cmi_ranked_t at[MOST + 2], offers[OFFERS];
        rng_t rng = rng_seed(seed);
        uint32_t k = 1 + rng_below(&rng, MOST - 8), n = 0;
        cmi_best_t best = {.at = at, .k = k, .limit = k + (seed % 2 ? 8 : 0)};
        at[best.limit].slot = 0xC0FFEE; /* behind the end */
        while (n < OFFERS) {
            if (n > 0 && rng_below(&rng, 5) == 0) offers[n] = offers[rng_below(&rng, n)]; /* again */
            else {
                double score = seed % 3 ? (double)rng_below(&rng, 20) / 8 : (double)rng_float(&rng);
                uint32_t slot = rng_below(&rng, 100);
                offers[n] = (cmi_ranked_t){score, (float)(slot % 3),
                                           slot}; /* a slot's distance is always the same; its score may change with its rate */
            }
            offer(&best, offers[n++]);
            if (n == 1 || n == 7 || n == OFFERS) {
                cmi_ranked_t copy[OFFERS];
                memcpy(copy, offers, n * sizeof *offers);
                check_against(&best, copy, n, seed);
            }
        }
        CHECK_EQ_U64(at[best.limit].slot, 0xC0FFEE);
    }
}

TEST(ties_go_to_the_nearer_then_to_the_older_slot) {
    cmi_ranked_t at[8];
    cmi_best_t best = {.at = at, .k = 2, .limit = 2};
    offer(&best, (cmi_ranked_t){0.5, 0.2f, 9});
    offer(&best, (cmi_ranked_t){0.5, 0.3f, 1});
    offer(&best, (cmi_ranked_t){0.5, 0.2f, 4});
    CHECK_EQ_U64(best.n, 2);
    CHECK_EQ_U64(at[0].slot, 4);
    CHECK_EQ_U64(at[1].slot, 9);
    offer(&best, (cmi_ranked_t){0.5, 0.2f, 4});
    CHECK_EQ_U64(at[1].slot, 9);
}

TEST(a_full_list_names_its_worst_and_an_open_one_infinity) {
    cmi_ranked_t at[4];
    cmi_best_t best = {.at = at, .k = 1, .limit = 3};
    CHECK(cmi_best_kth(&best) == __builtin_inf() && cmi_best_limit(&best) == __builtin_inf());
    offer(&best, (cmi_ranked_t){3, 0, 1});
    CHECK(cmi_best_kth(&best) == 3 && cmi_best_limit(&best) == __builtin_inf());
    offer(&best, (cmi_ranked_t){-__builtin_inf(), 0, 2});
    CHECK(cmi_best_kth(&best) == -__builtin_inf());
    offer(&best, (cmi_ranked_t){__builtin_inf(), 0, 3});
    CHECK(cmi_best_limit(&best) == __builtin_inf());
    offer(&best, (cmi_ranked_t){4, 0, 4});
    CHECK(cmi_best_limit(&best) == 4);
    CHECK_EQ_U64(best.n, 3);
}

int main(void) {
    RUN(it_holds_the_best_in_order_each_once);
    RUN(ties_go_to_the_nearer_then_to_the_older_slot);
    RUN(a_full_list_names_its_worst_and_an_open_one_infinity);
    return tap_done();
}
