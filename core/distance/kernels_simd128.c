/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* kernels_simd128.c - the kernels with the 16 lanes in four registers, for WebAssembly: SIMDe turns the SSE names into SIMD128. */
#include "distance/distance.h"

#if defined(__wasm_simd128__)

#define KERNEL_ISA simd128
#define KERNEL_LANES 4
#include "distance/kernel_template.h"

#endif
