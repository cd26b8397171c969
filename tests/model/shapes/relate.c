/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* relate.c - trial */
#include "small_store.h"

static void open_with_a(void) {
    open_small_store();
    insert(0, "a", 1, NULL);
}
static void relate_x(void) {
    MODEL_CHECK(cmi_store_relate(thread[0], str("a"), str("x")) == CM_OK);
}
static void relate_y(void) {
    MODEL_CHECK(cmi_store_relate(thread[1], str("a"), str("y")) == CM_OK);
}
static void both(void) {
    MODEL_CHECK(is_related("a", "x") && is_related("a", "y"));
    check_and_close();
}
static void replace(void) {
    insert(1, "a", 2, NULL);
}
static void x(void) {
    MODEL_CHECK(is_related("a", "x"));
    check_and_close();
}
SHAPE(relate, two, open_with_a, both, relate_x, relate_y)
SHAPE(relate, rep, open_with_a, x, relate_x, replace)
