#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# lint.sh [FOLDER] - the rules that no compiler checks. Each rule is a function that prints one line per violation, "file:line: what is wrong";
# selftest.sh breaks every rule once and expects to be told.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}" || exit 2

RULES="includes_point_down core_is_freestanding locks_stay_in_the_baseline fences_stay_in_the_epoch orders_are_named tags_come_in_pairs
files_name_their_licence no_machine_paths no_long_files mutants_fit formatted"

c_files() { find "$@" -name '*.[ch]' -not -path '*/node_modules/*' 2>/dev/null | sort; }

# Greps C files without comments; line numbers stay. code_grep REGEX FILE...
code_grep() {
    local regex=$1
    shift
    [ $# -gt 0 ] || return 0
    awk -v regex="$regex" '
        FNR == 1 { inside = 0 }
        {
            line = $0; code = ""
            while (line != "") {
                if (inside) { i = index(line, "*/"); if (!i) break; line = substr(line, i + 2); inside = 0 }
                else { i = index(line, "/*"); if (!i) { code = code line; break } code = code substr(line, 1, i - 1); line = substr(line, i + 2); inside = 1 }
            }
            sub(/\/\/.*/, "", code)
            if (code ~ regex) print FILENAME ":" FNR ": " code
        }' "$@"
}

# ---- the rules -----------------------------------------------------------------------------------------------------------------------

# persist -> store -> index -> {memory, distance} -> base -> platform/include; bulk and baseline see index.
includes_point_down() {
    local folder allowed
    while read -r folder allowed; do
        mapfile -t files < <(c_files "core/$folder")
        code_grep '^[ \t]*#[ \t]*include[ \t]*"' "${files[@]}" | awk -v folder="$folder" -v allowed=" $folder $allowed " '
            {
                match($0, /"[^"]*"/); path = substr($0, RSTART + 1, RLENGTH - 2)
                if (path ~ /\.\./) { print $0 " (include paths start at core/)"; next }
                if (path !~ /\//) next # beside it, or a contract in core/include and platform/include
                sub(/\/.*/, "", path)
                if (index(allowed, " " path " ") == 0) print $0 " (core/" folder " may not see core/" path ")"
            }'
    done <<'END'
base
memory    base
distance  base
index     base memory distance
bulk      base memory distance index store
baseline  base memory distance index bulk
store     base memory distance index
persist   base memory distance index store
END
}

core_is_freestanding() {
    mapfile -t files < <(c_files core)
    code_grep '^[ \t]*#[ \t]*include[ \t]*<' "${files[@]}" |
        grep -vE '<(stdint|stddef|stdbool|string|float|limits|stdarg|simde/[^>]*|[a-z]*mmintrin|immintrin|arm_neon|arm_acle|wasm_simd128)(\.h)?>' |
        sed 's/$/ (a header of the system)/'
    code_grep '(^|[^A-Za-z0-9_])(malloc|calloc|realloc|free|printf|sprintf|snprintf|fopen|abort|assert|expf?|logf?|powf?|pthread_[a-z_]+)[ \t]*\(' "${files[@]}" |
        sed 's/$/ (needs a C library)/'
    code_grep '(^|[^A-Za-z0-9_])(_Atomic|atomic_[a-z_]+|__atomic_[a-z_]+|__sync_[a-z_]+|memory_order_[a-z_]+)' "${files[@]}" |
        sed 's/$/ (atomics go through plat_atomic.h)/'
}

locks_stay_in_the_baseline() {
    mapfile -t files < <(c_files core/bulk) # threads it may have
    [ ${#files[@]} = 0 ] || code_grep '(plat_rwlock_|pthread_|mtx_lock)' "${files[@]}"
    mapfile -t files < <(c_files core platform native wasm | grep -vE '^(core/baseline/|core/bulk/|platform/linux/(thread|futex)\.c|platform/include/plat_thread\.h)')
    code_grep '(plat_thread\.h|plat_rwlock_|plat_thread_|pthread_mutex|pthread_rwlock|pthread_spin|mtx_lock)' "${files[@]}"
}

fences_stay_in_the_epoch() {
    mapfile -t files < <(c_files core platform native wasm | grep -vE '^platform/(epoch_[a-z]+\.c|include/plat_atomic\.h)$')
    code_grep '(plat_fence_seq_cst|atomic_thread_fence|memory_order_seq_cst|__sync_synchronize)' "${files[@]}"
}

# An access that orders something says what, within the five lines above it or on its own line.
orders_are_named() {
    mapfile -t files < <(c_files core platform | grep -v '^platform/include/')
    [ ${#files[@]} -gt 0 ] || return 0
    awk '
        FNR == 1 { tag = -9; inside = 0 }
        {
            text = $0
            if (text ~ /\[[A-Z][A-Z]?[0-9]+\]/) tag = FNR
            if (text ~ /plat_(load_acquire|store_release|cas_(acquire|release|acq_rel)|fetch_[a-z]+_(acquire|release|acq_rel)|exchange_(acquire|acq_rel)|fence_seq_cst)\(/ &&
                text !~ /^[ \t]*(\/?\*|#)/ && FNR - tag > 5) print FILENAME ":" FNR ": " text " (no edge tag near it)"
        }' "${files[@]}"
}

# [E1] and its like: at both ends of an edge, and explained.
tags_come_in_pairs() {
    mapfile -t files < <(c_files core platform)
    [ ${#files[@]} -gt 0 ] || return 0
    local memory_model=docs/MEMORY_MODEL.md
    [ -f "$memory_model" ] || { echo "$memory_model:1: missing"; return; }
    grep -noE '(^|[^A-Za-z0-9_])\[[A-Z]{1,2}[0-9]+\]' "${files[@]}" /dev/null | sed -E 's/^([^:]*:[0-9]+):.*(\[[A-Z0-9]+\])$/\2 \1/' |
        awk '{ count[$1]++; place[$1] = $2 } END { for (tag in count) print tag, count[tag], place[tag] }' | sort |
        while read -r tag count place; do
            [ "$count" -ge 2 ] || echo "$place: $tag has no other end"
            grep -qF "$tag" "$memory_model" || echo "$place: $tag is not in $memory_model"
        done
}

files_name_their_licence() {
    local file
    for file in $(c_files core platform native wasm tests bench) $(find js/src tests bench demo -name '*.ts' -o -name '*.mjs' -o -name '*.sh' -o -name '*.cpp' 2>/dev/null | grep -v /node_modules/); do
        head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT OR Apache-2.0' || echo "$file:1: no SPDX-License-Identifier"
    done
}

# Paths of the machine it was written on.
no_machine_paths() {
    grep -rnIE '(^|[^A-Za-z0-9_.$}/-])/(home|root|work|Users)/[A-Za-z0-9_]' --include='*' --exclude-dir=.git --exclude-dir=node_modules --exclude-dir=build \
        --exclude-dir=dist --exclude-dir=lint --exclude=package-lock.json --exclude=.git . | sed 's/^\.\///' | cut -c 1-200
}

no_long_files() {
    c_files core platform native wasm tests bench | xargs -r wc -l | awk '$1 > 800 && $2 != "total" { print $2 ":1: " $1 " lines" }'
}

# A bug that is put in on purpose must be a change of the sources as they are.
mutants_fit() {
    local mutant
    for mutant in tests/mutants/*.patch tests/sanitize/controls/*.patch; do
        [ ! -f "$mutant" ] || tail -n +3 "$mutant" | patch -p1 --dry-run --force -s >/dev/null 2>&1 || echo "$mutant:3: does not fit any more"
    done
}

formatted() {
    local clang_format=
    for clang_format in clang-format-19 ''; do command -v "$clang_format" >/dev/null 2>&1 && break; done
    [ -f .clang-format ] && [ -n "$clang_format" ] || return 0
    c_files core platform native wasm tests bench | xargs -r "$clang_format" --dry-run 2>&1 | grep -E '(warning|error): ' | sort -u -t: -k1,1
}

# ---------------------------------------------------------------------------------------------------------------------------------------

n_passed=0 n_failed=0
for rule in ${LINT_ONLY:-$RULES}; do
    found=$($rule)
    if [ -z "$found" ]; then
        n_passed=$((n_passed + 1))
        echo "ok - $rule"
    else
        n_failed=$((n_failed + 1))
        echo "not ok - $rule"
        while IFS= read -r line; do echo "  $line"; done <<<"$found"
    fi
done
echo "$n_passed passed, $n_failed failed"
[ $n_failed = 0 ]
