#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh BUILD_FOLDER [CC] - installs the build into an empty prefix, moves that, and compiles ten_lines.c against it as a stranger would: through find_package with
# the shared and the static library, through pkg-config, as C++; and runs the installed command line program.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
cc=${2:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n_passed=0 n_failed=0

check() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then n_passed=$((n_passed + 1)) && echo "ok - $1"
    else n_failed=$((n_failed + 1)) && printf 'not ok - %s\n  expected: %s\n  actual:   %s\n' "$1" "$2" "$3"; fi
}

cmake --install "$build" --prefix "$work/first" >/dev/null || exit 1
mv "$work/first" "$work/prefix" # nothing may have remembered where it was installed
prefix=$work/prefix
library_folder=$(dirname "$(find "$prefix" -name 'libchronomind.so' | head -n 1)")

for library in chronomind chronomind_static; do
    folder=$work/$library
    { cmake -S "$here" -B "$folder" -DLIBRARY=$library -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" && cmake --build "$folder"; } >"$work/log" 2>&1 ||
        cat "$work/log"
    check "find_package, $library" "1 hit, score 0.0000" "$("$folder/ten_lines" 2>&1)"
done

export PKG_CONFIG_PATH=$library_folder/pkgconfig
# shellcheck disable=SC2046
"$cc" -Wall -Wextra -Werror -o "$work/with_pkg_config" "$here/ten_lines.c" $(pkg-config --cflags --libs chronomind)
check "pkg-config" "1 hit, score 0.0000" "$(LD_LIBRARY_PATH=$library_folder "$work/with_pkg_config" 2>&1)"
check "pkg-config: version" "$("$prefix/bin/chronomind" --version)" "chronomind $(pkg-config --modversion chronomind)"

# shellcheck disable=SC2046
"$cc" -Wall -Wextra -Werror -o "$work/example" "$here/../../examples/temporal.c" $(pkg-config --cflags --libs chronomind)
check "the example program" "absorbed as near-duplicates: 1" "$(LD_LIBRARY_PATH=$library_folder "$work/example" 2>&1 | tail -n 1)"

printf '#include <chronomind.h>\nint main() { cm_config_t config = CM_CONFIG_INIT; return config.dimensions == 768 ? cm_close(nullptr) : 1; }\n' >"$work/plus.cpp"
# shellcheck disable=SC2046
check "the header in C++" "0" "$("${CXX:-c++}" -std=c++20 -o "$work/plus" "$work/plus.cpp" $(pkg-config --cflags --libs chronomind) && LD_LIBRARY_PATH=$library_folder "$work/plus" && echo $?)"

check "only cm_ symbols are visible" "" "$(nm -D --defined-only "$library_folder/libchronomind.so" | awk '{ print $3 }' | grep -v '^cm_')"

echo "$n_passed passed, $n_failed failed"
[ $n_failed = 0 ]
