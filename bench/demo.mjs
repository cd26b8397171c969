// SPDX-License-Identifier: MIT OR Apache-2.0
// demo.mjs - the second half of the demo: the store file that the native build wrote, opened and searched through WebAssembly in Node. Every hit must be the same, and every
// score must have the same bits.
//
// Usage: node bench/demo.mjs WORDS_FOLDER STORE_FILE ANSWERS_FILE

import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ChronoMind } from 'chronomind';

const NOW_MS = Date.UTC(2026, 0, 1);
const DIMENSIONS = 100;

const [folder, storeFile, answersFile] = process.argv.slice(2);
if (!answersFile) {
    console.error('Usage: node bench/demo.mjs WORDS_FOLDER STORE_FILE ANSWERS_FILE');
    process.exit(2);
}

const bits = (score) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, score);
    return view.getUint32(0).toString(16).padStart(8, '0');
};

/** The native answers as [{rank, context, lines}], in order. */
function groupByQuery(text) {
    const queries = [];
    for (const line of text.trimEnd().split('\n')) {
        const [rank, context] = line.split('\t', 2);
        const last = queries.at(-1);
        if (last?.rank === Number(rank)) last.lines.push(line);
        else queries.push({ rank: Number(rank), context, lines: [line] });
    }
    return queries;
}

async function readVectors(ranks) {
    const file = await open(path.join(folder, 'words.f32'));
    const vectors = new Map();
    for (const rank of ranks) {
        const vector = new Float32Array(DIMENSIONS);
        await file.read(new Uint8Array(vector.buffer), 0, DIMENSIONS * 4, rank * DIMENSIONS * 4);
        vectors.set(rank, vector);
    }
    await file.close();
    return vectors;
}

const queries = groupByQuery(await readFile(answersFile, 'utf8'));
const vectors = await readVectors(queries.map((query) => query.rank));

let start = performance.now();
const mind = await ChronoMind.load(storeFile);
const loadSeconds = (performance.now() - start) / 1000;

start = performance.now();
const results = queries.map(({ rank, context }) => mind.search(vectors.get(rank), { k: 10, now: NOW_MS, ...(context ? { context } : {}) }));
const searchSeconds = (performance.now() - start) / 1000;

let differing = 0;
queries.forEach(({ rank, context, lines }, i) => {
    const mine = results[i].map((hit) => `${rank}\t${context}\t${hit.id}\t${bits(hit.score)}`);
    if (mine.join('\n') === lines.join('\n')) return;
    if (differing++ === 0) console.error(`Error: query ${rank} differs\n  native: ${lines.join(' | ')}\n  wasm:   ${mine.join(' | ')}`);
});

console.log(`\nThe same file through WebAssembly in Node ${process.versions.node} (${ChronoMind.capabilities().build} build):\n`);
console.log(`  memories           ${String(mind.size).padStart(10)}`);
console.log(`  load and check     ${loadSeconds.toFixed(3).padStart(10)} s`);
console.log(`  queries            ${(queries.length / searchSeconds).toFixed(0).padStart(10)} /s    at ef 50, half of them in one context`);
console.log(`  same answers       ${String(queries.length - differing).padStart(10)} of ${queries.length} queries, ids and score bits`);
mind.close();
process.exitCode = differing === 0 ? 0 : 1;
