#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# fetch.sh - usearch's C++ headers out of its npm package into build/peers/usearch. The package itself is not installed: only benchmarks need it, and it
# compiles on installing.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=2.26.2
folder=build/peers
[ ! -f "$folder/usearch/include/usearch/index_dense.hpp" ] || [ "$(cat "$folder/usearch/VERSION" 2>/dev/null)" != $version ] || exit 0
mkdir -p "$folder"
rm -rf "$folder/usearch"
archive=$(cd "$folder" && npm pack --silent "usearch@$version") || { echo "Error: npm pack usearch@$version failed (no network?)" >&2; exit 1; }
mkdir "$folder/usearch"
tar -xzf "$folder/$archive" -C "$folder/usearch" --strip-components=1 package/include package/LICENSE
rm "$folder/$archive"
echo $version >"$folder/usearch/VERSION"
