#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh [NAME [ARGUMENT...]] - the benchmarks; without a name all of them. Called by `./build.sh bench`.
#   kernels                 distances alone
#   index [N_WORDS]         the index beside hnswlib
#   temporal [N] [gate]     recall of the true top 10 under the score, and what it costs
#   contexts [N] [gate]     search within contexts
#   consolidate [N]         consolidation beside comparing all pairs
#   js [quick]              the WebAssembly build in Node beside other packages
#   browser [quick]         the same in Chromium
set -euo pipefail
cd "$(dirname "$0")/.."

kernels() { build/native/bench/kernels; }

index() {
    local program=build/native/bench/index_hnswlib
    if [ ! -x "$program" ]; then
        echo "Error: the comparison with hnswlib was not built" >&2
        echo "Hint: apt-get install libhnswlib-dev g++, then ./build.sh bench index" >&2
        return 1
    fi
    node bench/words/extract.mjs build/demo
    "$program" build/demo "${1:-0}"
}

# on_words PROGRAM N [ARGUMENT...]
on_words() {
    local program=build/native/bench/$1
    shift
    node bench/words/extract.mjs build/demo
    "$program" build/demo "$@"
}

temporal() { on_words temporal "${1:-200000}" "${@:2}"; }
contexts() { on_words contexts "${1:-200000}" "${@:2}"; }
js() { bash bench/js/run.sh js "$@"; }
browser() { bash bench/js/run.sh browser "$@"; }
consolidate() { on_words consolidate "${1:-50000}" "${@:2}"; }

case ${1:-all} in
    all) kernels; index; temporal; contexts; consolidate; js; browser ;;
    kernels | index | temporal | contexts | consolidate | js | browser) "$@" ;;
    *) echo "Error: no benchmark '$1'" >&2; echo "Hint: ./build.sh bench [kernels|index|temporal|contexts|consolidate|js|browser]" >&2; exit 2 ;;
esac
