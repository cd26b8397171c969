#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# run.sh js|browser [quick] - the WebAssembly build beside what people use instead, in Node and in Chromium. The others are no dependencies of the package:
# npm installs them into bench/js/node_modules, and leaves out those that it cannot install. Called by bench/run.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."

install_peers() {
    [ bench/js/node_modules/.package-lock.json -nt bench/js/package-lock.json ] && return 0
    echo "bench: npm ci in bench/js (hnswlib-wasm, edgevec, hnswlib-node, usearch)"
    npm ci --prefix bench/js --no-audit --no-fund --loglevel=error </dev/null || echo "SKIPPED: npm could not install them: ChronoMind runs alone"
}

name=$1
shift
node bench/words/extract.mjs build/demo
install_peers
case $name in
    js) node bench/js/run.mjs "$@" ;;
    browser) node bench/js/browser.mjs "$@" ;;
    *) echo "Error: js or browser, not '$name'" >&2; exit 2 ;;
esac
