#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# selftest.sh - a rule that cannot fail checks nothing: every rule of lint.sh is broken once in a small tree, and must say so.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
licence='/* SPDX-License-Identifier: MIT OR Apache-2.0 */'
n_passed=0 n_failed=0

clean_tree() {
    rm -rf "${tree:?}"/*
    mkdir -p "$tree"/core/{base,memory,index,store,baseline} "$tree"/platform "$tree"/docs
    cp "$here/../../.clang-format" "$tree/"
    printf '%s\n#include "index/hnsw.h"\n#include <stdint.h>\n/* malloc( and pthread_create( in a comment are fine */\nint x;\n' "$licence" >"$tree/core/store/good.c"
    printf '%s\n/* [Q1] release: x; pairs with g(). */\nvoid f(void) {\n    plat_store_release(&a, 1); /* [Q1] */\n}\nint g(void) {\n    return plat_load_acquire(&a); /* [Q1] acquire: x */\n}\n' "$licence" >"$tree/platform/good.c"
    printf '%s\nvoid p(void) {\n    plat_fence_seq_cst(); /* [Q1] */\n}\n' "$licence" >"$tree/platform/epoch_own.c"
    echo '[Q1] x' >"$tree/docs/MEMORY_MODEL.md"
}

# verdict EXPECTED RULE WHAT: runs one rule over the tree.
verdict() {
    local got=passes
    LINT_ONLY=$2 bash "$here/lint.sh" "$tree" >"$tree/out" 2>&1 || got=fails
    if [ $got = "$1" ]; then
        n_passed=$((n_passed + 1))
        echo "ok - $2 $1: $3"
    else
        n_failed=$((n_failed + 1))
        echo "not ok - $2 $got: $3"
        cat "$tree/out"
    fi
}

# breaks RULE FILE LINE...: the clean tree with these lines more must fail the rule.
breaks() {
    local rule=$1 file=$2
    shift 2
    clean_tree
    mkdir -p "$(dirname "$tree/$file")"
    [ -f "$tree/$file" ] || [ "$rule" = files_name_their_licence ] || echo "$licence" >"$tree/$file"
    printf '%s\n' "$@" >>"$tree/$file"
    verdict fails "$rule" "$file: $1"
}

clean_tree
for rule in $(sed -n '/^RULES="/,/"$/p' "$here/lint.sh" | sed 's/RULES=//; s/"//g'); do verdict passes "$rule" "the clean tree"; done

breaks includes_point_down core/base/bad.h '#include "memory/arena.h"'
breaks includes_point_down core/index/bad.c '#include "bulk/team.h"'
breaks includes_point_down core/index/bad.c '#include "store/store.h"'
breaks includes_point_down core/memory/bad.c '#include "distance/distance.h"'
breaks includes_point_down core/store/bad.c '#include "persist/cut.h"'
breaks includes_point_down core/store/bad.c '#include "baseline/index_impl.h"'
breaks includes_point_down core/index/bad.c '#  include "../store/store.h"'
breaks core_is_freestanding core/base/bad.c '#include <stdlib.h>'
breaks core_is_freestanding core/base/bad.c '#include <stdatomic.h>'
breaks core_is_freestanding core/base/bad.c '#include <unistd.h>'
breaks core_is_freestanding core/base/bad.c 'void *f(void) { return malloc(3); }'
breaks core_is_freestanding core/index/bad.c 'float f(float x) { return expf(x); }'
breaks core_is_freestanding core/index/bad.c '/* one */ int f(void) { pthread_yield_np(); }'
breaks core_is_freestanding core/index/bad.c '_Atomic int x;'
breaks locks_stay_in_the_baseline core/index/bad.c '#include "plat_thread.h"'
breaks locks_stay_in_the_baseline core/store/bad.c 'void f(void) { plat_rwlock_read(l); }'
breaks locks_stay_in_the_baseline core/bulk/bad.c 'void f(void) { plat_rwlock_read(l); }'
breaks locks_stay_in_the_baseline platform/linux/bad.c 'pthread_mutex_t m;'
breaks fences_stay_in_the_epoch core/index/bad.c 'void f(void) { plat_fence_seq_cst(); } /* [Q1] */'
breaks fences_stay_in_the_epoch native/bad.c 'int m = memory_order_seq_cst;'
breaks orders_are_named core/index/bad.c 'int f(void) { return plat_load_acquire(&a); }'
breaks tags_come_in_pairs core/index/bad.c '/* [Q2] release: nobody at the other end */'
breaks tags_come_in_pairs core/index/bad.c '/* [Q3] release */' '/* [Q3] acquire, and undocumented */'
breaks files_name_their_licence core/index/bad.c 'int x;'
breaks no_machine_paths docs/bad.md 'see /home/someone/notes'
breaks no_machine_paths core/index/bad.c '#include "/Users/someone/x.h"'
mapfile -t many < <(yes 'int x;' | head -n 900)
breaks no_long_files core/index/bad.c "${many[@]}"
breaks mutants_fit tests/mutants/bad.patch 'What: nothing' 'Caught by: nobody' '--- a/core/index/bad.c' '+++ b/core/index/bad.c' '@@ -1 +1 @@' '-int x;' '+int y;'
if command -v clang-format-19 >/dev/null; then breaks formatted core/index/bad.c 'int   badly( int a ){return a;}'; fi

echo "$n_passed passed, $n_failed failed"
[ $n_failed = 0 ]
