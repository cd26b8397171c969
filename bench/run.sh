#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh [NAME... [ARGUMENT...]] - the benchmarks; without a name all of them. Called by `./build.sh bench`.
#   kernels                       distances alone
#   insert bulk million search storage load mixed readers-under-writes memory [--quick] [--systems A,B]
#                                 our index beside other libraries (bench/driver); several names share what they build
#   index                         search beside hnswlib, with the gates on recall and unreachable nodes
#   temporal [N] [gate]           recall of the true top 10 under the score, and what it costs
#   contexts [N] [gate]           search within contexts
#   consolidate [N]               consolidation beside comparing all pairs
#   js [quick]                    the WebAssembly build in Node beside other packages
#   browser [quick]               the same in Chromium
#   report [--take]               docs/BENCHMARKS.md and its plots from bench/results/*.csv; --take: from the last runs, which replace those files
# The first two kinds write build/bench/NAME.csv; --quick (a minute in all, the figures mean nothing) writes to build/bench/quick.
set -euo pipefail
cd "$(dirname "$0")/.."

driver=build/native/bench/driver
BENCH_COMMIT=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
git diff --quiet HEAD -- core platform bench 2>/dev/null || BENCH_COMMIT+=+
export BENCH_COMMIT
mkdir -p build/bench/quick

need_driver() {
    [ -x $driver ] && return
    echo "Error: the comparison with other libraries was not built" >&2
    echo "Hint: apt-get install g++ libhnswlib-dev, then ./build.sh bench $1" >&2
    return 1
}

words() { node bench/words/extract.mjs build/demo; }

kernels() {
    BENCH_MACHINE=$($driver machine 2>/dev/null || true)
    export BENCH_MACHINE
    build/native/bench/kernels build/bench/kernels.csv
}

# against NAME... [OPTION...]
against() {
    need_driver "$1"
    case " $* " in *" insert "* | *" bulk "* | *" million "* | *" search "* | *" storage "* | *" load "* | *" memory "*) words ;; esac
    case " $* " in *" --quick "*) set -- "$@" --out build/bench/quick ;; esac
    $driver "$@"
}

index() { against search --gate --systems chronomind,hnswlib --out build/bench/quick "$@"; }

# on_words PROGRAM N [ARGUMENT...]
on_words() {
    local program=build/native/bench/$1
    shift
    words
    "$program" build/demo "$@"
}

temporal() { on_words temporal "${1:-200000}" "${@:2}"; }
contexts() { on_words contexts "${1:-200000}" "${@:2}"; }
js() { bash bench/js/run.sh js "$@"; }
browser() { bash bench/js/run.sh browser "$@"; }
consolidate() { on_words consolidate "${1:-50000}" "${@:2}"; }

report() {
    if [ "${1:-}" = --take ]; then cp build/bench/*.csv bench/results/; fi
    node bench/report/report.mjs
}

everything=(insert bulk million search storage load mixed readers-under-writes memory)
case ${1:-all} in
    all) kernels; against "${everything[@]}"; temporal; contexts; consolidate; js; browser ;;
    --quick) kernels; against "${everything[@]}" --quick ;;
    insert | bulk | million | search | storage | load | mixed | readers-under-writes | memory) against "$@" ;;
    kernels | index | temporal | contexts | consolidate | js | browser | report) "$@" ;;
    *)
        echo "Error: no benchmark '$1'" >&2
        echo "Hint: ./build.sh bench [kernels|insert|bulk|million|search|storage|load|mixed|readers-under-writes|memory|index|temporal|contexts|consolidate|js|browser|report]" >&2
        exit 2
        ;;
esac
