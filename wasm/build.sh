#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# build.sh [--toolchain clang|emscripten] [--out FOLDER] [--debug] [--tests] [--steps] - builds the WebAssembly modules and js/src/generated.ts.
#
#   chronomind.wasm        threads: imported shared memory, atomics
#   chronomind-st.wasm     one thread: the same C, atomics compiled to plain accesses
#   chronomind-wasi.wasm   one thread, a reactor for WASI hosts: exports its memory, imports wasi_snapshot_preview1 only (wasm/wasi.c)
#   chronomind-steps.wasm  with --steps: the first, stoppable before every atomic access (tests/wasm/steps)
#
# All use 128-bit SIMD and bulk memory, and link no libc. Toolchain clang (released) is Debian's clang-19; emscripten (tested) compiles with
# emcc. Either way wasm-ld links by hand, since emcc would add its JavaScript and its malloc, and binaryen's wasm-opt makes the result 3 % smaller.
# --tests compiles what the C tests link besides (tests/wasm/run.sh). CLANG, EMCC, WASM_LD and WASM_OPT name other programs.
set -euo pipefail
shopt -s extglob
cd "$(dirname "$0")/.."

toolchain=clang out=build/wasm debug='' tests='' steps=''
while [ $# -gt 0 ]; do
    case $1 in
        --toolchain) toolchain=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        --debug) debug=1; shift ;;
        --tests) tests=1; shift ;;
        --steps) steps=1; shift ;;
        *) echo "wasm/build.sh: unknown option $1" >&2; exit 2 ;;
    esac
done
CLANG=${CLANG:-clang-19} EMCC=${EMCC:-emcc} WASM_LD=${WASM_LD:-wasm-ld-19} WASM_OPT=${WASM_OPT:-wasm-opt}

initial_pages=4            # stack and static data; wasm-ld refuses when they do not fit
stack_bytes=131072         # below the data, so that an overflow traps instead of overwriting; tests/js/memory.test.mjs measures what is used
max_bytes=4294967296       # 65536 pages; the loader asks for fewer where the host refuses

# Downloads are small, so nearly everything is made small. Without -disable-lsr (emcc passes it, too) loops keep a pointer for everything that they touch; calls cost fewer
# bytes than -Oz thinks, for binaryen inlines what is called once; and load-pre makes more than it saves. Together 2 % after brotli.
small=(-Oz)
case $toolchain in
    clang)
        compile=("$CLANG" --target=wasm32-unknown-unknown -nostdlibinc) threads=(-matomics)
        small+=(-mllvm -disable-lsr -mllvm -inline-threshold=-30 -mllvm -enable-load-pre=0)
        ;;
    emscripten) compile=("$EMCC") threads=(-pthread) ;;
    *) echo "wasm/build.sh: unknown toolchain $toolchain" >&2; exit 2 ;;
esac
compile+=(-std=c11 -mbulk-memory -msimd128 -mnontrapping-fptoint -mmutable-globals -ffp-contract=off -fno-math-errno -fvisibility=hidden
    -Wall -Wextra -Wshadow -Wconversion -isystem platform/wasm/include -Iplatform/include -Icore -Icore/include)
[ -z "$debug" ] || compile+=(-g)

# SIMDe is a folder of headers among the system's own, which a build without libc must not see.
headers=$out/include
mkdir -p "$headers"
simde=$(for place in "${SIMDE_INCLUDE:-}" /usr/include /usr/local/include; do [ ! -d "$place/simde" ] || { echo "$place/simde"; break; }; done)
[ -z "$simde" ] || ln -sfn "$simde" "$headers/simde"
compile+=(-isystem "$headers")

# Bulk loads need threads that can be spawned. crc32c.c has its like here, and the scalar kernels would never run: what names them gets those of simd128.
mapfile -t sources < <(find core -name '*.c' ! -path '*/baseline/*' ! -path '*/bulk/*' ! -name crc32c.c ! -name kernels_scalar.c | sort)
sources+=(platform/wasm/*.c platform/epoch_own.c wasm/exports.c wasm/crc32c.c)
compile+=(-Dcmi_kernels_scalar=cmi_kernels_simd128)

# build_objects FOLDER FLAG... compiles every source, two at a time.
build_objects() {
    local objects=$1
    shift
    rm -rf "$objects"
    mkdir -p "$objects"
    local flags=("$@")
    for source in "${sources[@]}"; do
        local extra=("${small[@]}") # and what searches and inserts run all day (-O3 adds bytes and no speed):
        case $source in
            core/distance/@(dispatch|codes).c) ;;
            core/distance/*) extra=(-O2) ;;
            core/index/@(distances|frontier|links|scratch|search).c) extra=(-O2 -fno-unroll-loops) ;;
            core/store/search.c | core/base/mathf.c) extra=(-Os) ;;
        esac
        [ "$source" != platform/wasm/libc.c ] || extra+=(-fno-builtin)
        printf '%s\0' "${compile[*]} ${flags[*]} ${extra[*]} -c $source -o $objects/$(echo "$source" | tr / _).o"
    done | xargs -0 -P2 -I{} sh -c '{}'
}

# link MODULE ARGUMENT...
link() {
    local module=$1
    shift
    local exports=()
    while read -r name; do exports+=("--export=$name"); done < <(grep -v '^#' wasm/exports.list)
    local strip=(-s)
    [ -z "$debug" ] || strip=()
    "$WASM_LD" --no-entry --gc-sections --stack-first -z stack-size=$stack_bytes --initial-memory=$((initial_pages * 65536)) \
        --max-memory=$max_bytes --export=__stack_pointer "${exports[@]}" "${strip[@]}" "$@" -o "$module"
    [ -n "$debug" ] || "$WASM_OPT" --enable-threads --enable-bulk-memory --enable-simd --enable-mutable-globals --enable-nontrapping-float-to-int \
        --enable-sign-ext -O3 --converge "$module" -o "$module"
}

threads_link=(--import-memory --shared-memory --export=__wasm_init_tls --export=__tls_base --export=__tls_size --export=__tls_align)
build_objects "$out/objects" "${threads[@]}"
link "$out/chronomind.wasm" "${threads_link[@]}" "$out"/objects/*.o
build_objects "$out/objects-st"
link "$out/chronomind-st.wasm" --import-memory "$out"/objects-st/*.o

core_sources=("${sources[@]}")
sources=(platform/wasi/*.c wasm/wasi.c)
build_objects "$out/objects-wasi"
sources=("${core_sources[@]}")
link "$out/chronomind-wasi.wasm" --export-table --growable-table "$out"/objects-wasi/*.o "$out"/objects-st/!(platform_wasm_@(clock|random).c.o)

if [ -n "$steps" ]; then
    sources+=(core/baseline/*.c tests/wasm/steps/steps.c)
    build_objects "$out/objects-steps" -DPLAT_ATOMIC_STEP -Itests "${threads[@]}"
    mapfile -t exported < <(sed -nE 's/^CM_API .*(steps_[a-z_]+)\(.*/--export=\1/p' tests/wasm/steps/steps.c)
    link "$out/chronomind-steps.wasm" "${threads_link[@]}" "${exported[@]}" "$out"/objects-steps/*.o
fi

# The locked baselines, and kernels to compare those of simd128 with: in no module.
if [ -n "$tests" ]; then
    sources=(core/baseline/*.c core/distance/dispatch.c core/distance/kernels_scalar.c)
    build_objects "$out/objects-tests" -Ucmi_kernels_scalar "${threads[@]}"
    build_objects "$out/objects-tests-st" -Ucmi_kernels_scalar
fi

"${compile[@]}" -c wasm/layout.c -o "$out/layout.o"
"$WASM_LD" --no-entry --export=layout_rows --export=layout_n_rows --export=layout_version "$out/layout.o" -o "$out/layout.wasm"
node wasm/layout.mjs "$out/layout.wasm" "$initial_pages" js/src/generated.ts
