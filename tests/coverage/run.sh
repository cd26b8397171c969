#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh FOLDER LEAST - runs the unit, contract and concurrency tests of FOLDER, which is built with -DCM_COVERAGE=ON, and says what they reach: see report.mjs.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$1 least=$2
profiles=$folder/profiles
rm -rf "$profiles"
mkdir -p "$profiles"
log=$folder/tests.log
LLVM_PROFILE_FILE=$PWD/$profiles/%m.profraw ctest --test-dir "$folder" -V --parallel "${JOBS:-2}" -L 'unit|contract|concurrency' -LE full >"$log" 2>&1 || { cat "$log"; exit 1; }
llvm-profdata-19 merge -sparse "$profiles"/*.profraw -o "$folder/profile"
objects=()
for program in "$folder"/tests/{unit,contract,concurrency}/*; do [ ! -f "$program" ] || [ ! -x "$program" ] || objects+=(-object "$program"); done
llvm-cov-19 export "${objects[@]:1}" -instr-profile "$folder/profile" --ignore-filename-regex='/(tests|simde)/' >"$folder/coverage.json"
node tests/coverage/report.mjs "$folder/coverage.json" "$least"
