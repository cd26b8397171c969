#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# orders.sh [FILE:LINE...] - every memory order and fence taken away, one at a time (tests/model/mutants.c): the model checker must see it, or
# tests/mutants/survivors.txt says why nobody can. A line of that file: FILE | what is lost | a part of the source line | the reason.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
log=build/logs/orders.log
mkdir -p build/logs

# reason FILE LOSS SOURCE_LINE: prints why this survivor is no bug; fails when nobody said
reason() {
    awk -F ' *[|] *' -v file="$1" -v loss="$2" -v line="$3" '
        /^#/ || NF < 4 { next }
        $1 == file && $2 == loss && index(line, $3) { print $4; found = 1; exit }
        END { exit !found }' tests/mutants/survivors.txt
}

build/model/model --mutate --limit "${MUTATE_LIMIT:-3000000}" "$@" >"$log" || { cat "$log"; echo "0 passed, 1 failed"; exit 1; }
grep -vE 'SURVIVED|no shape runs it|mutants:' "$log" | sed 's/^/ok - /'
n_caught=$(grep -c ': caught by ' "$log") n_explained=0 n_failed=0
while IFS= read -r survivor; do
    place=${survivor%% *} rest=${survivor#* }
    loss=${rest#* } loss=${loss%: SURVIVED}
    [[ $survivor == *SURVIVED ]] || loss="no shape runs it"
    if why=$(reason "${place%:*}" "$loss" "$(sed -n "${place##*:}p" "${place%:*}")"); then
        n_explained=$((n_explained + 1))
        echo "ok - $survivor ($why)"
    else
        n_failed=$((n_failed + 1))
        echo "not ok - $survivor"
    fi
done < <(grep -E 'SURVIVED|no shape runs it' "$log")
if [ $((n_caught + n_explained + n_failed)) = 0 ]; then
    echo "not ok - no memory order was found: the model checker was built without the names of its sources"
    n_failed=1
fi
echo "orders: $n_caught caught by the model checker, $n_explained explained, $n_failed neither"
echo "$((n_caught + n_explained)) passed, $n_failed failed"
[ $n_failed = 0 ]
