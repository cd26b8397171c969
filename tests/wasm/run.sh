#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh [RUNG/NAME...] - the C tests as WebAssembly, under Node; without arguments all of them: tests/{unit,contract,recall,concurrency,wasm}.
#
# What is tested are the objects of the modules that are released: wasm/build.sh compiles them with clang-19, and platform/wasm, the own epoch and
# the checksum of wasm/ are among them. Emscripten compiles the tests, gives them printf, malloc and pthreads, and links it all:
#
#   threads  on the objects of chronomind.wasm: a shared memory, main() in a worker, each thread a worker
#   single   on those of chronomind-st.wasm: in the main thread, memory not shared. Unit tests that start no thread
#
# CM_TEST_LENGTH=full: the long forms, every test on threads, and all that start no thread on single, too.
# TAP_ONLY=name runs a single test of each file.
#
# Beside them are linked the locked baselines, the scalar kernels and a choice of kernels that knows both, which no module has.
# Proves: the same behaviour on wasm32, on its atomics and on its pages. Does not prove orders: all atomics of WebAssembly are sequentially consistent.
set -euo pipefail
cd "$(dirname "$0")/../.."

JOBS=${JOBS:-2}
OUT=build/wasm-tests
HEAP_MIB=256 # the memory a test begins with; heap.c keeps malloc in it
export OUT HEAP_MIB
export NODE_PATH=${NODE_PATH:-/usr/share/nodejs} # acorn, which Debian's emcc needs and Node from elsewhere does not find

COMPILE=(-std=c11 -O1 -msimd128 -ffp-contract=off -fno-math-errno -Wall -Wextra -D_DEFAULT_SOURCE= -DHEAP_END="(${HEAP_MIB}u << 20)"
    -Dcmi_crc32c_portable=cmi_crc32c # wasm/crc32c.c is both
    -Icore -Icore/include -Iplatform/include -Iwasm -Itests)
LINK=(-O1 --profiling-funcs -sEXIT_RUNTIME=1 -sALLOW_MEMORY_GROWTH=1 "-sINITIAL_MEMORY=${HEAP_MIB}MB" -sMAXIMUM_MEMORY=4GB
    -sWASM_ASYNC_COMPILATION=0 # or emcc of Debian 12 takes the fetch of Node 18 and later for a browser's
    --js-library tests/wasm/support/host.js --pre-js tests/wasm/support/environment.js)
THREADS=(-pthread -sPROXY_TO_PTHREAD=1 -Wno-pthreads-mem-growth)
SINGLE=("-Wl,--wrap=plat_pages_alloc")

# ---- building ------------------------------------------------------------------------------------------------------------------------

# build_support KIND FLAG... what every test of that kind links
build_support() {
    local kind=$1 source
    shift
    mkdir -p "$OUT/support-$kind"
    local sources=(tests/wasm/support/heap.c platform/linux/thread.c)
    [ "$kind" = threads ] || sources+=(tests/wasm/support/growth.c)
    for source in "${sources[@]}"; do
        emcc "${COMPILE[@]}" "$@" -c "$source" -o "$OUT/support-$kind/$(basename "$source" .c).o"
    done
}

# objects KIND: those of the module, but its exports to JavaScript and its choice of kernels
objects() {
    local suffix='' object
    [ "$1" = threads ] || suffix=-st
    for object in "$OUT/objects$suffix"/*.o "$OUT/objects-tests$suffix"/*.o "$OUT/support-$1"/*.o; do
        case $object in */wasm_exports.c.o | "$OUT/objects$suffix/core_distance_dispatch.c.o") ;; *) echo "$object" ;; esac
    done
}

# build_test KIND RUNG/NAME
build_test() {
    local kind=$1 source=tests/$2.c program=$OUT/$1/${2/\//-} flags=() link=() parts
    mapfile -t parts < <(objects "$kind")
    if [ "$kind" = threads ]; then flags=(-pthread) link=("${THREADS[@]}"); else link=("${SINGLE[@]}"); fi
    ! grep -q 'support/golden' "$source" || link+=(--embed-file tests/golden/original.json)
    emcc "${COMPILE[@]}" "${flags[@]}" -c "$source" -o "$program.o" &&
        emcc "${LINK[@]}" "${link[@]}" "$program.o" "${parts[@]}" -o "$program.js"
}

# ---- running -------------------------------------------------------------------------------------------------------------------------

# What skipped.txt says for this run.
skipped() { if [ "${CM_TEST_LENGTH:-}" = full ]; then grep -v -e '^#' -e ': long form: ' tests/wasm/skipped.txt; else grep -v '^#' tests/wasm/skipped.txt; fi; }
skipped_tests() { skipped | sed -nE "s,^$1 ([a-z_A-Z0-9]+): .*,\1,p"; }
is_skipped() { skipped | grep -q "^$1: "; }
starts_threads() { grep -q plat_thread_spawn "tests/$1.c"; }

# run_test KIND RUNG/NAME: one line, "KIND RUNG/NAME: N passed, M failed, S s"; all it said, when something failed.
run_test() {
    local kind=$1 name=$2 log=$OUT/$1/${2/\//-}.log status=0 start=$SECONDS verdict skip test
    skip=$(skipped_tests "$name" | tr '\n' ' ')
    { build_test "$kind" "$name" && TAP_SKIP=$skip timeout 900 node "$OUT/$kind/${name/\//-}.js"; } >"$log" 2>&1 </dev/null || status=$?
    verdict=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1) || true
    [ -n "$verdict" ] || verdict="0 passed, 1 failed"
    [ $status = 0 ] || [[ $verdict != *", 0 failed" ]] || verdict="${verdict%%,*}, 1 failed" # it said that all is well, and then ended otherwise
    [ -n "${TAP_ONLY:-}" ] || for test in $skip; do
        grep -q "^# skipped $test\$" "$log" || { echo "tests/wasm/skipped.txt: $name has no $test"; verdict="${verdict%%,*}, 1 failed"; }
    done
    [[ $verdict == *", 0 failed" ]] || sed "s,^,$kind $name: ," "$log"
    echo "$kind $name: $verdict, $((SECONDS - start)) s"
}

# Longest first, so that two at a time end together.
all_tests() {
    local rung source name
    for rung in concurrency recall wasm contract unit; do
        for source in tests/"$rung"/*.c; do
            name=$rung/$(basename "$source" .c)
            is_skipped "$name" || echo "$name"
        done
    done
}

# plan NAME...: "KIND NAME" of every run
plan() {
    local name
    for name in "$@"; do
        if starts_threads "$name" || [[ $name != unit/* ]] || [ "${CM_TEST_LENGTH:-}" = full ]; then echo "threads $name"; fi
        if starts_threads "$name" || [[ $name = wasm/* ]] || [[ $name != unit/* && "${CM_TEST_LENGTH:-}" != full ]]; then continue; fi
        echo "single $name"
    done
}

if [ "${1:-}" = --run ]; then
    run_test "$2" "$3"
    exit
fi
[ $# -gt 0 ] || mapfile -t names < <(all_tests)
[ $# = 0 ] || names=("$@")
mkdir -p "$OUT/threads" "$OUT/single"
echo '{"type": "commonjs"}' >"$OUT/package.json" # emcc writes CommonJS
bash wasm/build.sh --tests --out "$OUT"
build_support threads -pthread
build_support single
skipped | sed 's/^/# skipped: /'
plan "${names[@]}" | xargs -P "$JOBS" -L 1 bash tests/wasm/run.sh --run | tee "$OUT/results"
awk '/: [0-9]+ passed, [0-9]+ failed, [0-9]+ s$/ { match($0, /: [0-9]+ passed, /); split(substr($0, RSTART + 2), n, /[ ,]+/); p += n[1]; f += n[3] }
    END { printf "%d passed, %d failed\n", p, f; exit f > 0 || p == 0 }' "$OUT/results"
