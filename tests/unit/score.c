/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* score.c - the formula that searches rank by: against libm's exp, and where numbers end. */
#include "store/score.h"
#include "support/tap.h"
#include "support/vectors.h"

#include <float.h>
#include <math.h>

#define HOUR_MS INT64_C(3600000)
#define NOW_MS INT64_C(1700000000000)

/* Each of the two exponentials rounds once more than the other allows: two units of the last place of 1. */
#define TOLERANCE 4.5e-16

TEST(recency_is_libms_formula) {
    rng_t rng = rng_seed(1);
    for (uint32_t i = 0; i < 500000; i++) {
        float rate = ldexpf(1 + fabsf(rng_float(&rng)), (int)rng_below(&rng, 24) - 18);
        int64_t age_ms = (int64_t)(rng_next(&rng) >> (23 + rng_below(&rng, 40)));
        double expected = 1.0 - exp(-(double)rate * ((double)age_ms / (double)HOUR_MS));
        double actual = cmi_recency(NOW_MS - age_ms, NOW_MS, rate);
        CHECK_MSG(fabs(actual - expected) <= TOLERANCE, "age %" PRId64 " ms, rate %g: %.17g, libm %.17g", age_ms, (double)rate, actual,
                  expected);
    }
}

TEST(recency_has_the_values_on_paper) {
    CHECK(cmi_recency(NOW_MS, NOW_MS, 0.1f) == 0.0);
    CHECK(fabs(cmi_recency(NOW_MS - HOUR_MS, NOW_MS, 1.0f) - 0.6321205588285577) < 1e-15); /* 1 - 1/e */
    CHECK(fabs(cmi_recency(NOW_MS - 10 * HOUR_MS, NOW_MS, 0.5f) - 0.9932620530009145) < 1e-15);
    CHECK(cmi_recency(NOW_MS - 1000 * HOUR_MS, NOW_MS, 0.0f) == 0.0);
}

TEST(a_future_timestamp_is_age_zero) {
    const int64_t ahead[] = {1, HOUR_MS, NOW_MS, INT64_MAX - NOW_MS};
    for (uint32_t i = 0; i < 4; i++) CHECK(cmi_recency(NOW_MS + ahead[i], NOW_MS, 0.1f) == 0.0);
    CHECK(cmi_recency(INT64_MAX, INT64_MIN, FLT_MAX) == 0.0);
}

/* The difference of two int64_t does not fit into one. */
TEST(extreme_ages_and_rates_stay_between_0_and_1) {
    const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, NOW_MS, INT64_MAX - 1, INT64_MAX};
    const float rates[] = {0, FLT_TRUE_MIN, FLT_MIN, 1e-9f, 0.1f, 1, 1e9f, FLT_MAX};
    for (uint32_t c = 0; c < 8; c++)
        for (uint32_t n = 0; n < 8; n++)
            for (uint32_t r = 0; r < 8; r++) {
                double recency = cmi_recency(times[c], times[n], rates[r]);
                CHECK_MSG(recency >= 0 && recency <= 1, "created %" PRId64 ", now %" PRId64 ", rate %g: %g", times[c], times[n],
                          (double)rates[r], recency);
                if (times[n] <= times[c] || rates[r] == 0) CHECK(recency == 0);
            }
    CHECK(cmi_recency(INT64_MIN, INT64_MAX, 0.1f) == 1.0);
    CHECK(cmi_recency(0, INT64_MAX, FLT_MAX) == 1.0);
}

TEST(older_is_never_fresher) {
    double before = 0;
    for (int64_t age_ms = 0; age_ms < 400 * HOUR_MS; age_ms += 100003) {
        double recency = cmi_recency(NOW_MS - age_ms, NOW_MS, 0.1f);
        CHECK_MSG(recency >= before, "age %" PRId64 " ms: %.17g after %.17g", age_ms, recency, before);
        before = recency;
    }
    CHECK(before > 0.99);
}

TEST(weight_0_is_half_the_distance_and_weight_1_the_recency) {
    const float distances[] = {0, -1, 0.25f, 1, 2, 1e30f, FLT_MAX};
    const double recencies[] = {0, 1e-17, 0.3, 1};
    for (uint32_t d = 0; d < 7; d++)
        for (uint32_t r = 0; r < 4; r++) {
            CHECK(cmi_score(distances[d], recencies[r], 0.0f) == (double)distances[d] / 2);
            CHECK(cmi_score(distances[d], recencies[r], 1.0f) == recencies[r]);
        }
}

TEST(the_weight_blends) {
    rng_t rng = rng_seed(2);
    for (uint32_t i = 0; i < 100000; i++) {
        float distance = 1 + rng_float(&rng), weight = 0.5f + 0.5f * rng_float(&rng);
        double recency = 0.5 + 0.5 * (double)rng_float(&rng);
        double expected = (1 - (double)weight) * (double)distance / 2 + (double)weight * recency;
        CHECK(fabs(cmi_score(distance, recency, weight) - expected) <= TOLERANCE);
    }
    CHECK(fabs(cmi_score(1.0f, 1.0, 0.25f) - 0.625) == 0);
}

/* The dot product of enormous vectors overflows: their distance is -infinity. A score that is no number would have no place in an order. */
TEST(an_infinite_distance_gives_a_score_that_can_be_ordered) {
    const float weights[] = {0, 0.3f, 1};
    for (uint32_t w = 0; w < 3; w++) {
        CHECK_MSG(!isnan(cmi_score(INFINITY, 0.5, weights[w])), "distance infinity, weight %g: NaN", (double)weights[w]);
        CHECK_MSG(!isnan(cmi_score(-INFINITY, 0.5, weights[w])), "distance -infinity, weight %g: NaN", (double)weights[w]);
    }
}

int main(void) {
    RUN(recency_is_libms_formula);
    RUN(recency_has_the_values_on_paper);
    RUN(a_future_timestamp_is_age_zero);
    RUN(extreme_ages_and_rates_stay_between_0_and_1);
    RUN(older_is_never_fresher);
    RUN(weight_0_is_half_the_distance_and_weight_1_the_recency);
    RUN(the_weight_blends);
    RUN(an_infinite_distance_gives_a_score_that_can_be_ordered);
    return tap_done();
}
