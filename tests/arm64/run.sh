#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh - the C tests of build/arm64, under qemu-user, and then the same operations on both processors. `./build.sh arm64` calls it.
#
# Proves: the same behaviour with arm64's instructions, alignment and NEON, and the same bits as natively. Does not prove orders: what an emulated program sees is the order of
# the host, which is far stronger; the model checker owns that.
# CM_TEST_LENGTH=full: the long forms.
set -uo pipefail
cd "$(dirname "$0")/../.."

JOBS=${JOBS:-$(nproc)}
log=build/arm64/tests.log
labels=(-LE full)
[ "${CM_TEST_LENGTH:-}" != full ] || labels=()

skipped=$(sed -nE 's/^([a-z_A-Z0-9]+): .*/\1/p' tests/arm64/skipped.txt | tr '\n' ' ')
grep -v '^#' tests/arm64/skipped.txt | sed 's/^/# skipped: /'
TAP_SKIP=$skipped ctest --test-dir build/arm64 -V --parallel "$JOBS" -L 'unit|contract|recall|concurrency|progress|fuzz' "${labels[@]}" >"$log" 2>&1
status=$?
cat "$log"
for test in $skipped; do
    grep -qE "^[0-9]+: # skipped $test\$" "$log" || { echo "tests/arm64/skipped.txt: there is no $test"; status=1; }
done

node tests/arm64/identity.mjs || status=1
exit $status
