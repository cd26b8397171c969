#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh [NAME...] - bugs that are put in on purpose, one at a time, each in a copy of the sources: somebody must see it.
#
# tests/mutants/NAME.patch begins with two lines, and is a unified diff from the third on:
#     What: what is broken, in words
#     Caught by: model GROUP/NAME     a shape of the model checker (or the beginning of its name) that must find a violation
#     Caught by: test RUNG/NAME       a native test that must fail, within ten runs
#     Caught by: SANITIZER RUNG/NAME TEST    that test of it, compiled for thread, thread-urcu, address, undefined or memory, must give a report, within five runs
# Adding a bug is adding a file. MUTANTS=FOLDER takes the patches from there; `./build.sh sanitize` does, for the controls of the sanitizers.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
root=$PWD
scratch=$root/build/mutants
patches=${MUTANTS:-tests/mutants}
JOBS=${JOBS:-$(nproc)}

field() { sed -nE "s/^$1: (.*)/\1/p;2q" "$2" | head -n 1; }

mirror() {
    mkdir -p "$scratch/tree"
    for folder in core platform native wasm bench tests CMakeLists.txt; do
        # unchanged files keep their times, so that only what a patch touches is compiled again
        cp -a --update "$root/$folder" "$scratch/tree/" || return 1
    done
    # What is gone here is gone there; what a run that was stopped left broken is whole again, and newer than what was made of it.
    (cd "$scratch/tree" && find . -type f | while IFS= read -r file; do
        if [ ! -e "$root/$file" ]; then rm "$file"; else cmp -s "$root/$file" "$file" || cp "$root/$file" "$file"; fi
    done)
}

build_model() {
    cmake -S "$scratch/tree/tests/model" -B "$scratch/model" -G Ninja -DCMAKE_C_COMPILER=clang-19 &&
        cmake --build "$scratch/model" --parallel "$JOBS"
}

# build_test RUNG/NAME
build_test() {
    cmake -S "$scratch/tree" -B "$scratch/native" -G Ninja -DCM_EPOCH=own -DCM_BENCH=OFF -DCM_CLI=OFF &&
        cmake --build "$scratch/native" --parallel "$JOBS" --target "test_${1%/*}_${1#*/}"
}

# build_sanitized SANITIZER RUNG/NAME: thread-urcu is thread on liburcu
build_sanitized() {
    local epoch=own
    [ "$1" != thread-urcu ] || epoch=urcu
    cmake -S "$scratch/tree" -B "$scratch/$1" -G Ninja -DCMAKE_C_COMPILER=clang-19 -DCM_SANITIZE="${1%-urcu}" -DCM_EPOCH=$epoch -DCM_BENCH=OFF -DCM_CLI=OFF &&
        cmake --build "$scratch/$1" --parallel "$JOBS" --target "test_${2%/*}_${2#*/}"
}

# sees KIND NAME [TEST]: true when the check fails, which is what is wanted
sees() {
    case $1 in
    model)
        build_model >"$scratch/log" 2>&1 || return 2
        ! timeout 600 "$scratch/model/model" --limit 3000000 "$2" >"$scratch/log" 2>&1
        ;;
    test)
        build_test "$2" >"$scratch/log" 2>&1 || return 2
        for _ in 1 2 3 4 5 6 7 8 9 10; do timeout 300 "$scratch/native/tests/$2" >"$scratch/log" 2>&1 || return 0; done
        return 1
        ;;
    thread | thread-urcu | address | undefined | memory)
        build_sanitized "$1" "$2" >"$scratch/log" 2>&1 || return 2
        # shellcheck source=/dev/null
        . "$root/tests/sanitize/options.sh" "$1"
        for _ in 1 2 3 4 5; do
            TAP_ONLY=${3:-} timeout 300 "$scratch/$1/tests/$2" >"$scratch/log" 2>&1
            grep -qE '(Thread|Address|Leak|Memory)Sanitizer: |: runtime error: ' "$scratch/log" && return 0
        done
        return 1
        ;;
    *) return 2 ;;
    esac
}

n_passed=0 n_failed=0
# verdict NAME WORDS STATUS
verdict() {
    if [ "$3" = 0 ]; then n_passed=$((n_passed + 1)); else n_failed=$((n_failed + 1)); fi
    echo "$([ "$3" = 0 ] && echo ok || echo "not ok") - $1: $2"
}

# The unchanged copy must pass, or nothing that fails afterwards means anything. $1: NAME, $2: what must be seen by
unchanged() {
    sees $2
    case $? in
    0) verdict "$1" "$2 fails without the bug" 1; return 1 ;;
    2) verdict "$1" "the unchanged sources do not build" 1; cat "$scratch/log"; return 1 ;;
    esac
}

declare -A originals
try() {
    local name=$1 patch=$root/$patches/$1.patch by status=1
    by=$(field "Caught by" "$patch")
    if [ -z "${originals[$by]:-}" ]; then unchanged "$name" "$by" || return; originals[$by]=1; fi
    if ! (cd "$scratch/tree" && patch -p1 --silent <"$patch"); then
        verdict "$name" "the patch does not fit any more" 1
        rm -rf "$scratch/tree" && mirror
        return
    fi
    # shellcheck disable=SC2086
    sees $by
    status=$?
    (cd "$scratch/tree" && patch -p1 -R --silent <"$patch")
    case $status in
    0) verdict "$name" "caught by $by ($(field What "$patch"))" 0 ;;
    1) verdict "$name" "NOT caught by $by ($(field What "$patch"))" 1 ;;
    *) verdict "$name" "does not build" 1; tail -n 20 "$scratch/log" ;;
    esac
}

mirror || exit 2
[ $# -gt 0 ] || set -- $(cd "$patches" && ls -- *.patch | sed 's/\.patch$//')
for name in "$@"; do try "$name"; done
echo "$n_passed passed, $n_failed failed"
[ $n_failed = 0 ]
