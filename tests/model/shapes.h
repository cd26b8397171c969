/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* shapes.h - all shapes and sites of this program, as the linker put them together. */
#ifndef MODEL_SHAPES_H
#define MODEL_SHAPES_H

#include "model/model.h"

extern const model_shape_t *const __start_model_shapes[], *const __stop_model_shapes[];
extern model_site_t *const __start_model_sites[], *const __stop_model_sites[];

#define FOR_SHAPES(shape) for (const model_shape_t *const *shape = __start_model_shapes; shape < __stop_model_shapes; shape++)
#define FOR_SITES(site) for (model_site_t *const *site = __start_model_sites; site < __stop_model_sites; site++)

/* How many executions are explored without --long; 0: all. */
static inline uint64_t shape_limit(const model_shape_t *shape, uint64_t limit) {
    return shape->few > 0 && (limit == 0 || limit > shape->few) ? shape->few : limit;
}

#endif
