// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * What a call costs in JavaScript above the work in WebAssembly: node bench/js/calls.mjs [WORKLOAD]
 *
 * Hardly anything is to be found in a store of 12 memories of 4 dimensions, so that nearly all of a call is the way there and back; beside it the real
 * thing, words at ef 50. Microseconds of processor time (the least of the rounds: other programs only ever
 * add to it), and bytes of JavaScript heap that a call leaves to the garbage collector.
 */
import { ChronoMind } from '../../js/dist/index.js';
import { load, prepare } from './data.mjs';
import { median, printTable } from './figures.mjs';

const ROUNDS = 9;
const BURST = 20;

function processorMicroseconds() {
    const { user, system } = process.cpuUsage();
    return user + system;
}

/** Of `n` calls. */
function cost(n, call) {
    const rounds = Array.from({ length: ROUNDS + 1 }, () => {
        const start = processorMicroseconds();
        for (let i = 0; i < n; i++) call(i);
        return (processorMicroseconds() - start) / n;
    });
    return [Math.min(...rounds.slice(1)).toFixed(2), bytesOf(call)];
}

/** In bursts so short that most see no collection. */
function bytesOf(call) {
    const bursts = Array.from({ length: 100 }, () => {
        const before = process.memoryUsage().heapUsed;
        for (let i = 0; i < BURST; i++) call(i);
        return (process.memoryUsage().heapUsed - before) / BURST;
    });
    return Math.round(median(bursts.filter((bytes) => bytes > 0)));
}

async function tiny(table) {
    const mind = await ChronoMind.open({ dimensions: 4, maxMemories: 1000, temporalWeight: 0 });
    const vectors = Array.from({ length: 12 }, (_, i) => Float32Array.of(1, i / 12, 0, 0));
    for (const [i, vector] of vectors.entries()) mind.insert({ id: `m${i}`, vector, text: `text ${i}` });
    for (const k of [1, 10]) table.push([`search, 12 memories, k ${k}`, ...cost(4000, (i) => mind.search(vectors[i % 12], { k }))]);
    table.push(['get', ...cost(4000, (i) => mind.get(`m${i % 12}`))]);
    table.push(['has', ...cost(4000, (i) => mind.has(`m${i % 12}`))]);
    mind.close();
}

async function real(table, name) {
    prepare(name);
    const { base, queries, n, dimensions } = load(name);
    const rowsOf = (flat) =>
        Array.from({ length: flat.length / dimensions }, (_, i) => flat.subarray(i * dimensions, (i + 1) * dimensions));
    const [rows, asked] = [rowsOf(base), rowsOf(queries)];
    const mind = await ChronoMind.open({ dimensions, maxMemories: n, m: 16, efConstruction: 100, temporalWeight: 0 });
    const start = processorMicroseconds();
    for (const [i, vector] of rows.entries()) mind.insert({ id: String(i), vector });
    table.push([`insert, ${name}`, ((processorMicroseconds() - start) / n).toFixed(2), '']);
    for (const k of [1, 10])
        table.push([`search, ${name}, k ${k}`, ...cost(2000, (i) => mind.search(asked[i % asked.length], { k, ef: 50 }))]);
    mind.close();
}

const table = [];
await tiny(table);
await real(table, process.argv[2] ?? 'words 20,000 x 100');
printTable(['call', 'us', 'bytes'], table);
