#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh NAME|all SECONDS|runs - runs fuzzers that are built in build/fuzz: for so many seconds each, or, in the short form, the seeds and a number of mutations that
# follow from a fixed seed. `./build.sh fuzz` calls it.
#
# New coverage goes to build/fuzz/found/NAME/corpus, which later runs begin with; what crashes, hangs or eats memory to build/fuzz/found/NAME.
#   run.sh NAME|all minimise    the fewest files of both corpora that cover as much, into build/fuzz/found/NAME/minimised: seeds to commit are chosen there
set -uo pipefail
cd "$(dirname "$0")/../.."

SHORT_RUNS=${SHORT_RUNS:-20000} # of base; the others in proportion to how slow they are
names=$1 length=$2
[ "$names" != all ] || names=$(cd tests/fuzz && ls -- *.c | sed 's/\.c$//')
options=(-timeout=20 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 -verbosity=1)

# What one run takes differs: opening stores is slow.
runs_of() {
    case $1 in store | snapshot) echo $((SHORT_RUNS / 20)) ;; cli_json | cli_vectors) echo $((SHORT_RUNS / 10)) ;; *) echo "$SHORT_RUNS" ;; esac
}

# fuzz NAME: its log is build/fuzz/found/NAME/log.
fuzz() {
    local name=$1 found=build/fuzz/found/$1 seeds=tests/fuzz/corpus/$1 own=("${options[@]}")
    mkdir -p "$found/corpus" "$found/minimised"
    [ ! -f "tests/fuzz/$name.dict" ] || own+=("-dict=tests/fuzz/$name.dict")
    own+=("-artifact_prefix=$found/")
    case $length in
        minimise) "build/fuzz/tests/fuzz/$name" "${own[@]}" -merge=1 "$found/minimised" "$seeds" "$found/corpus" ;;
        runs) "build/fuzz/tests/fuzz/$name" "${own[@]}" -seed=1 -runs="$(runs_of "$name")" "$seeds" ;;
        *) "build/fuzz/tests/fuzz/$name" "${own[@]}" -max_total_time="$length" "$found/corpus" "$seeds" ;;
    esac >"$found/log" 2>&1
}

n_passed=0 n_failed=0
for name in $names; do
    log=build/fuzz/found/$name/log start=$SECONDS
    if fuzz "$name"; then
        n_passed=$((n_passed + 1))
        runs=$(sed -nE 's/^stat::number_of_executed_units: *//p' "$log")
        edges=$(sed -nE 's/.* cov: ([0-9]+) .*/\1/p' "$log" | tail -n 1)
        echo "ok - $name: ${runs:-?} runs, ${edges:-?} edges, $((SECONDS - start)) s"
    else
        n_failed=$((n_failed + 1))
        grep -E 'does not hold|ERROR:|runtime error|SUMMARY' "$log" | head -n 5
        sed -nE 's/.*Test unit written to (.*)/\1/p' "$log" | while read -r file; do
            echo "replay with: build/fuzz/tests/fuzz/$name $file"
        done
        echo "not ok - $name: see $log"
    fi
done
echo "$n_passed passed, $n_failed failed"
[ $n_failed = 0 ] && [ $n_passed -gt 0 ]
