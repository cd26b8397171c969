#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# build.sh - everything one does with this repository. `./build.sh help` lists the verbs; outputs go to build/.
set -euo pipefail
cd "$(dirname "$0")"

JOBS=${JOBS:-$(nproc)}

help() { #: this list
    echo "build.sh: build, test, run"
    sed -nE 's/^([a-z0-9]+)\(\) \{ # ?([^:]*): (.*)$/\1 \2\t\3/p' build.sh | while IFS=$'\t' read -r usage text; do
        printf '  %-50s %s\n' "./build.sh $usage" "$text"
    done
}

# ---- small things ----------------------------------------------------------------------------------------------------------------------

fail() { echo "build.sh: $*" >&2; exit 1; }

# step TITLE COMMAND... runs it in a subshell under a heading and says how long it took.
step() {
    local title=$1 start=$SECONDS status=0
    shift
    echo "== $title"
    ("$@") || status=$?
    if [ $status = 0 ]; then echo "== $title: $((SECONDS - start)) s"; else echo "== $title: FAILED after $((SECONDS - start)) s"; fi
    return $status
}

# cmake_build FOLDER OPTION... configures and builds (TARGET, or all); says nothing unless something is wrong.
cmake_build() {
    local folder=$1 log=$1/build.log
    shift
    mkdir -p "$folder"
    { cmake -S . -B "$folder" -G Ninja "$@" && cmake --build "$folder" --parallel "$JOBS" --target "${TARGET:-all}"; } >"$log" 2>&1 || { cat "$log" >&2; return 1; }
    ! grep -E 'warning:' "$log" || true
}

# ---- setup ---------------------------------------------------------------------------------------------------------------------------

# package: what it is for
PACKAGES="
cmake: configures the native build
ninja-build: runs it
gcc: compiles it
libc6-dev: headers of the C library
pkg-config: finds the libraries
liburcu-dev: memory reclamation, the native default
libsimde-dev: SIMD for every instruction set from one source
libyajl-dev: streaming JSON for the command line program
clang-19: compiles to WebAssembly; second compiler
lld-19: links WebAssembly
binaryen: makes the modules smaller
"
TEST_PACKAGES="
g++: compiles the benchmark of hnswlib
libhnswlib-dev: an index that benchmarks compare with
libclang-rt-19-dev: sanitizers
llvm-19: readable sanitizer reports, and coverage
patch: puts bugs in on purpose
clang-format-19: formatting
emscripten: the other WebAssembly toolchain
chromium: runs the browser tests
firefox-esr: runs some of them, too
"
ARM64_PACKAGES="
gcc-aarch64-linux-gnu: compiles for arm64
libc6-dev-arm64-cross: headers and libraries of the C library there
qemu-user: runs what was compiled for arm64
libsimde-dev: SIMD for every instruction set from one source
"
BENCH_PACKAGES="
g++: compiles the benchmarks
libhnswlib-dev: an index that benchmarks compare with
libfaiss-dev: another
"

# names LIST, purpose NAME
names() { sed -nE 's/^([a-z0-9+.-]+): .*/\1/p' <<<"$1" | sort; }
purpose() { sed -nE "s/^${1//+/\\+}: //p" <<<"$PACKAGES$TEST_PACKAGES$ARM64_PACKAGES$BENCH_PACKAGES" | head -n 1; }

installed_packages() {
    # shellcheck disable=SC2046
    dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' $(names "$1") 2>/dev/null | sed -nE 's/^installed ([^:]+).*/\1/p' | sort -u
}

# install_packages LIST
install_packages() {
    local missing name as_root=()
    command -v dpkg-query >/dev/null || fail "setup knows Debian and its kin only; install by hand: $(names "$1" | tr '\n' ' ')"
    missing=$(comm -23 <(names "$1") <(installed_packages "$1"))
    [ -n "$missing" ] || return 0
    echo "setup: these Debian packages are missing:"
    for name in $missing; do printf '  %-20s %s\n' "$name" "$(purpose "$name")"; done
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; } ||
            fail "setup needs root: run as root, or: apt-get install $(tr '\n' ' ' <<<"$missing")"
        as_root=(sudo)
    fi
    echo "setup: installing them with apt-get"
    local log=build/setup.log apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q)
    mkdir -p build
    # shellcheck disable=SC2086
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends $missing; } >"$log" 2>&1 </dev/null || {
        tail -20 "$log" >&2
        fail "apt-get could not install: $(tr '\n' ' ' <<<"$missing")(the whole log: $log)"
    }
}

check_node() {
    local version
    version=$(node --version 2>/dev/null || true)
    [ -n "$version" ] || fail "Node.js is missing: install version 20 or later (https://nodejs.org) and npm"
    version=${version#v}
    [ "${version%%.*}" -ge 20 ] || fail "Node.js is $version: version 20 or later is needed (https://nodejs.org)"
    command -v npm >/dev/null || fail "npm is missing: it comes with Node.js from https://nodejs.org"
}

install_node_modules() {
    [ -f package-lock.json ] || return 0
    [ node_modules/.package-lock.json -nt package-lock.json ] && return 0
    echo "setup: npm ci (TypeScript, and the word vectors that demo and benchmarks use)"
    npm ci --no-audit --no-fund --loglevel=error </dev/null || fail "npm ci failed"
}

setup() { #: install what is missing: Debian packages through apt (as root or sudo), npm packages
    install_packages "$PACKAGES$TEST_PACKAGES"
    check_node
    install_node_modules
}

# ---- building ------------------------------------------------------------------------------------------------------------------------

native() { #: library, command line program, tests and benchmarks into build/native
    cmake_build build/native
}

wasm() { #: the WebAssembly modules into build/wasm
    bash wasm/build.sh "$@"
}

js() { #: the npm package: TypeScript to js/dist
    npm run --silent build
}

# ---- running -------------------------------------------------------------------------------------------------------------------------

demo() { # [--full]: the main job on real word vectors, from nothing to answers in Node; --full takes all 341,479
    install_packages "$PACKAGES"
    check_node
    install_node_modules
    step "native build" native
    step "WebAssembly build" wasm
    step "TypeScript build" js
    bash bench/demo.sh "$@"
}

bench() { # [NAME... [--quick]]: benchmarks on real data, beside other libraries; bench/run.sh has the names; report: docs/BENCHMARKS.md from bench/results
    case ${1:-} in '' | js | browser) step "WebAssembly build" wasm && step "TypeScript build" js ;; esac
    case ${1:-} in
    js | browser | report) ;;
    *)
        (install_packages "$BENCH_PACKAGES") || echo "bench: going on with the libraries that are here"
        bash bench/peers/fetch.sh || echo "bench: going on without usearch"
        TARGET=benches step "build of the benchmarks" native
        ;;
    esac
    bash bench/run.sh "$@"
}

curves() { #: the curves of docs/TEMPORAL.md, plotted from the library
    step "WebAssembly build" wasm
    step "TypeScript build" js
    node docs/curves/plot.mjs
}

install() { # PREFIX: header, libraries, command line program, CMake and pkg-config files
    [ -n "${1:-}" ] || fail "install where? ./build.sh install PREFIX"
    step "native build" native
    cmake --install build/native --prefix "$1"
}

clean() { #: remove build/ and js/dist
    rm -rf build js/dist
}

# ---- testing -------------------------------------------------------------------------------------------------------------------------

RESULTS=build/test-results # one line per step: PASSED FAILED

# counted FILE EXIT_STATUS: adds what a step printed to the results: "N passed, M failed" lines, ctest's verdicts, node's totals. A step that fails
# without saying which test counts as one failure.
counted() {
    awk -v status="$2" '
        # a test run by ctest -V: every line of it begins with its number
        /^[0-9]+: [0-9]+ passed, [0-9]+ failed/ { split($0, part, ": "); split(part[2], n, /[ ,]+/); p += n[1]; f += n[3]; said[part[1]] = n[3]; next }
        / Test +#[0-9]+: .*\*\*\*/ { match($0, /#[0-9]+:/); i = substr($0, RSTART + 1, RLENGTH - 2); if (!said[i]) f++; next }
        /^[0-9]+ passed, [0-9]+ failed/ { split($0, n, /[ ,]+/); p += n[1]; f += n[3]; next }
        /^(#|ℹ) pass [0-9]+/ { p += $3 }
        /^(#|ℹ) (fail|cancelled) [0-9]+/ { f += $3 }
        END { if (status != 0 && f == 0) f = 1; print p + 0, f + 0 }' "$1" >>"$RESULTS"
}

# tested TITLE COMMAND...: a step whose output is kept, shown in full when it fails, summarised when not, and counted either way.
tested() {
    local title=$1 log status=0 start=$SECONDS
    shift
    log=build/logs/$(tr -c 'A-Za-z0-9\n' - <<<"$title").log
    mkdir -p build/logs
    echo "== $title"
    ("$@") >"$log" 2>&1 </dev/null || status=$?
    counted "$log" $status
    [ $status = 0 ] || cat "$log"
    grep -hoE '^(# |ℹ )?SKIPPED: .*' "$log" | sort -u || true
    echo "== $title: $(tail -n 1 "$RESULTS" | sed -E 's/(.*) (.*)/\1 passed, \2 failed/'), $((SECONDS - start)) s"
}

run_ctest() {
    local folder=$1 labels=()
    [ "${CM_TEST_LENGTH:-}" = full ] || labels=(-LE full)
    ctest --test-dir "$folder" -V --parallel "$JOBS" "${labels[@]}"
}

wasm_toolchains() {
    bash wasm/build.sh --steps && bash wasm/build.sh --toolchain emscripten --out build/wasm-emscripten
}

wasmtests() { # [RUNG/NAME...]: the C tests as WebAssembly, under Node; all of them, or some: unit/base
    bash tests/wasm/run.sh "$@"
}

test() { # [full]: every test: native with both epochs, WebAssembly, TypeScript, lint; full runs the long forms too
    [ "${1:-}" != full ] || export CM_TEST_LENGTH=full
    mkdir -p build
    : >"$RESULTS"
    local name start=$SECONDS
    tested "native build (gcc, urcu)" cmake_build build/native
    tested "native tests (gcc, urcu)" run_ctest build/native
    tested "native build (clang, own epoch)" cmake_build build/own -DCM_EPOCH=own -DCMAKE_C_COMPILER=clang-19 -DCM_BENCH=OFF
    tested "native tests (clang, own epoch)" run_ctest build/own
    tested "WebAssembly builds" wasm_toolchains
    tested "C tests as WebAssembly" wasmtests
    tested "TypeScript build" js
    tested "TypeScript tests" npm test --silent
    tested "browser tests" npm run --silent test:browser
    tested "bundlers" npm run --silent test:bundlers
    tested "recall under the score, 20,000 memories" bash bench/run.sh temporal 20000 gate
    tested "model checker" model
    tested "fuzzers, a fixed number of runs" fuzz all runs
    tested "lint" lint
    if [ "${CM_TEST_LENGTH:-}" = full ]; then
        tested "recall on 340,479 word vectors, beside hnswlib" bash bench/run.sh index
        tested "recall under the score, 200,000 memories" bash bench/run.sh temporal 200000 gate
        tested "contexts, 200,000 memories" bash bench/run.sh contexts 200000 gate
        tested "consolidation, 50,000 memories" bash bench/run.sh consolidate
        tested "mutants" mutate
        for name in thread thread-urcu address undefined memory; do tested "sanitizer $name" sanitize "$name"; done
        tested "arm64" arm64
        tested "coverage" coverage
        tested "fuzzers, 30 minutes each" fuzz all 1800
    fi
    echo "== everything: $((SECONDS - start)) s"
    awk '{ p += $1; f += $2 } END { printf "%d passed, %d failed\n", p, f; exit f > 0 || p == 0 }' "$RESULTS"
}

# The bugs that this sanitizer must report.
sanitize_controls() { grep -l "^Caught by: $1 " tests/sanitize/controls/*.patch | sed -E 's,.*/(.*)\.patch,\1,'; }

# What a sanitizer leaves out, as a regular expression. Fibers take turns on one thread of the machine, so there can be no race between them, and the thread sanitizer keeps its
# stack of calls per thread: it is lost after the first turn.
sanitize_skipped() {
    [[ $1 = thread* ]] || { echo 'none'; return; }
    grep -l 'support/fibers.h' tests/progress/*.c | sed -E 's,tests/(.*)\.c,\1,' | paste -sd'|' | sed 's/.*/^(&)$/'
}

# sanitize_one SANITIZER: thread-urcu is thread on liburcu, which is told what it cannot see (platform/epoch_urcu.c); thread and memory are on the own epoch.
sanitize_one() {
    local name=$1 epoch=() log=build/$1/tests.log status=0
    case $name in thread | memory) epoch=(-DCM_EPOCH=own) ;; *) epoch=(-DCM_EPOCH=urcu) ;; esac
    cmake_build "build/$name" -DCM_SANITIZE="${name%-urcu}" -DCMAKE_C_COMPILER=clang-19 -DCM_BENCH=OFF "${epoch[@]}" || return 1
    # shellcheck source=tests/sanitize/options.sh
    . tests/sanitize/options.sh "$name"
    [ "$(sanitize_skipped "$name")" = none ] || echo "SKIPPED: $(sanitize_skipped "$name") under the thread sanitizer: fibers of one thread cannot race"
    unset CM_TEST_LENGTH # the long forms would take hours
    [[ $name != thread* ]] || export CM_TEST_LENGTH=short
    ctest --test-dir "build/$name" -V --parallel "$JOBS" -L 'unit|contract|concurrency|progress|fuzz' -LE full -E "$(sanitize_skipped "$name")" >"$log" 2>&1 || status=1
    if [ $status = 0 ]; then grep -E '^ *[0-9]+/[0-9]+ Test|^[0-9]+: [0-9]+ passed' "$log"; else cat "$log"; fi
    MUTANTS=tests/sanitize/controls bash tests/mutants/run.sh $(sanitize_controls "$name") || status=1
    return $status
}

sanitize() { # thread|thread-urcu|address|undefined|memory|all: the native tests and the seeds of the fuzzers under that sanitizer of clang-19, and bugs that it must see
    local name status=0
    case ${1:-} in
    thread | thread-urcu | address | undefined | memory) set -- "$1" ;;
    all) set -- thread thread-urcu address undefined memory ;;
    *) fail "sanitize what? thread, thread-urcu, address, undefined, memory or all" ;;
    esac
    for name in "$@"; do step "sanitizer: $name" sanitize_one "$name" || status=1; done
    return $status
}

arm64() { #: the C tests on arm64, cross-compiled and emulated, and the same answers and snapshots as on this machine, bit for bit
    install_packages "$ARM64_PACKAGES"
    step "cross build" cmake_build build/arm64 -DCMAKE_TOOLCHAIN_FILE=tests/arm64/toolchain.cmake -DCM_EPOCH=own -DCM_CLI=OFF -DCM_BENCH=OFF
    TARGET=chronomind_static step "build for this machine" cmake_build build/arm64-host -DCM_EPOCH=own -DCM_CLI=OFF -DCM_BENCH=OFF -DCM_TESTS=OFF
    step "tests under qemu" bash tests/arm64/run.sh
}

coverage() { #: what unit, contract and concurrency tests reach: lines per module, at least 95 % of core; MC/DC of core/index and core/persist
    step "build for coverage" cmake_build build/coverage -DCM_COVERAGE=ON -DCMAKE_C_COMPILER=clang-19 -DCM_EPOCH=own -DCM_CLI=OFF -DCM_BENCH=OFF
    step "tests for coverage" bash tests/coverage/run.sh build/coverage 95
}

model_build() {
    cmake_build build/model -S tests/model -DCMAKE_C_COMPILER=clang-19
}

model() { # [NAME...]: the model checker: every execution of the shapes in tests/model, weak memory included
    step "model build" model_build
    build/model/model "$@"
}

mutate() { #: can the checks fail? Every memory order and fence taken away, bugs put in, one at a time: each must be caught
    step "model build" model_build
    local status=0
    step "memory orders taken away" bash tests/mutants/orders.sh || status=1
    step "bugs put in" bash tests/mutants/run.sh || status=1
    return $status
}

fuzz() { # [NAME|all [SECONDS]]: the fuzzers of tests/fuzz with libFuzzer, each for SECONDS (default 30); what they find is kept in build/fuzz/found
    TARGET=fuzzers step "build of the fuzzers" cmake_build build/fuzz -DCMAKE_C_COMPILER=clang-19 -DCM_FUZZ=ON -DCM_EPOCH=own -DCM_BENCH=OFF
    bash tests/fuzz/run.sh "${1:-all}" "${2:-30}"
}

lint() { #: the project's own rules (tests/lint), formatting, TypeScript
    local status=0
    bash tests/lint/lint.sh || status=1
    bash tests/lint/selftest.sh || status=1
    if grep -q '"lint"' package.json; then npm run --silent lint || status=1; fi
    return $status
}

format() { #: clang-format every C file, biome every JavaScript and TypeScript file
    find core platform native tests bench wasm -name '*.[ch]' -not -path '*/node_modules/*' -print0 | xargs -0 clang-format-19 -i
    npm run --silent format
}

# ---------------------------------------------------------------------------------------------------------------------------------------

verb=${1:-help}
[ $# = 0 ] || shift
case $verb in
    setup | native | wasm | js | demo | test | wasmtests | bench | curves | lint | format | sanitize | arm64 | coverage | model | mutate | fuzz | install | clean | help) "$verb" "$@" ;;
    *) help >&2; fail "no verb '$verb'" ;;
esac
