#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# The same as temporal.mjs from a shell. CHRONOMIND names the program: chronomind (default), or "npx chronomind".
set -euo pipefail
cd "$(dirname "$0")"
chronomind=(${CHRONOMIND:-chronomind})
file=$(mktemp -d)/agent.chrono
noon=2026-01-02T12:00:00Z
query=(--file "$file" --vector "[1, 0.1, 0]" --now "$noon")

"${chronomind[@]}" save --input memories.jsonl --output "$file" --dimensions 3
echo "-- near and fresh"
"${chronomind[@]}" query "${query[@]}" --limit 3 --why
echo "-- nearest, whenever"
"${chronomind[@]}" query "${query[@]}" --limit 3 --temporal-weight 0
echo "-- only the user's, of the last day"
"${chronomind[@]}" query "${query[@]}" --context user --after 2026-01-01T12:00:00Z
echo "-- what is related"
"${chronomind[@]}" related --file "$file" --id ordered-coffee
echo "-- near-duplicates"
"${chronomind[@]}" consolidate --file "$file" --threshold 0.99
echo "-- a day later"
"${chronomind[@]}" decay --file "$file" --now 2026-01-03T12:00:00Z
"${chronomind[@]}" context --file "$file" --context user
