#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh [kernels|index [N_WORDS]] - the benchmarks; without a name all of them. Called by `./build.sh bench`.
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

case ${1:-all} in
    all) kernels; index ;;
    kernels | index) "$@" ;;
    *) echo "Error: no benchmark '$1'" >&2; echo "Hint: ./build.sh bench [kernels|index [N_WORDS]]" >&2; exit 2 ;;
esac
