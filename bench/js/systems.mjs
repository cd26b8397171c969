// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The systems in Node, each used as well as it can be used. All get unit vectors, M 16, ef_construction 100, 32-bit floats, one thread; ours once more with vectors: 'i8'.
 *
 *   hnswlib-wasm  its loader refuses Node and waits for IndexedDB; its module does neither once there is a `window`. Space "ip": one normalisation less
 *                 than "cosine", for vectors of length 1 are the same.
 *   edgevec       metric "cosine" gives the farthest, so "l2", which orders unit vectors as cosine does. ef_search is fixed when an index is made:
 *                 `fixedEf` has a fresh index for every width. (Asking for k = ef hits instead costs 10 to 25 % more.)
 *   hnswlib-node  takes plain arrays only: they are made before the clock runs.
 *   usearch       the width of search is fixed when an index is made, but a saved index can be read by one of another width.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chronomindEngine, EF_CONSTRUCTION, edgevecEngine, hnswlibWasmEngine, M, SEED } from './engines.mjs';

const require = createRequire(import.meta.url);
const MODULES = fileURLToPath(new URL('node_modules/', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

function versionIn(folder) {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}

function chronomind(build, vectors = 'f32') {
    return {
        version: () => versionIn(PACKAGE),
        async open(size) {
            const { ChronoMind } = await import('../../js/dist/index.js');
            const engine = await chronomindEngine(ChronoMind, size, { build, vectors });
            return { ...engine, memory: () => ({ ...engine.mind.stats().bytes, wasm: memories.at(-1).buffer.byteLength }) };
        },
    };
}

/** Those that were made in this process, to ask for their size. */
const memories = [];
WebAssembly.Memory = new Proxy(WebAssembly.Memory, {
    construct(Memory, parameters) {
        memories.push(new Memory(...parameters));
        return memories.at(-1);
    },
});

const hnswlibWasm = {
    version: () => versionIn(`${MODULES}hnswlib-wasm`),
    async open(size) {
        globalThis.window ??= globalThis;
        globalThis.document ??= {};
        const folder = `${MODULES}hnswlib-wasm/dist/`;
        const file = readdirSync(folder).find((name) => /^hnswlib-[0-9a-f]+\.js$/.test(name));
        const module = await (await import(pathToFileURL(folder + file).href)).default();
        return { ...hnswlibWasmEngine(module, size), memory: () => ({ wasm: module.HEAPU8.buffer.byteLength }) };
    },
};

const edgevec = {
    version: () => versionIn(`${MODULES}edgevec`),
    fixedEf: true,
    async open(size) {
        const { initSync, ...library } = await import('edgevec');
        const { memory } = initSync({ module: readFileSync(`${MODULES}edgevec/edgevec_bg.wasm`) });
        return { ...edgevecEngine(library, size), memory: () => ({ wasm: memory.buffer.byteLength }) };
    },
};

const hnswlibNode = {
    version: () => versionIn(`${MODULES}hnswlib-node`),
    async open({ dimensions, n, k }) {
        const { HierarchicalNSW } = require('hnswlib-node');
        const index = new HierarchicalNSW('ip', dimensions);
        index.initIndex(n, M, EF_CONSTRUCTION, SEED);
        return {
            prepare: (vector) => Array.from(vector),
            insert: (i, vector) => index.addPoint(vector, i),
            use: (ef) => index.setEf(ef),
            search: (vector) => index.searchKnn(vector, k).neighbors,
        };
    },
};

const usearch = {
    version: () => versionIn(`${MODULES}usearch`),
    async open({ dimensions, k, ef: first }) {
        const { Index } = require('usearch');
        const make = (ef) =>
            new Index({
                ...{ dimensions, metric: 'ip', quantization: 'f32', multi: false },
                ...{ connectivity: M, expansion_add: EF_CONSTRUCTION, expansion_search: ef },
            });
        let index = make(first);
        const file = join(tmpdir(), `chronomind-bench-${process.pid}.usearch`);
        return {
            insert: (i, vector) => index.add(BigInt(i), vector, 1),
            use: (ef) => {
                index.save(file);
                index = make(ef);
                index.load(file);
            },
            search: (vector) => index.search(vector, k, 1).keys,
            close: () => rmSync(file, { force: true }),
        };
    },
};

export const SYSTEMS = {
    'chronomind (threads)': chronomind('threads'),
    'chronomind (threads, i8)': chronomind('threads', 'i8'),
    'chronomind (single-thread)': chronomind('single-thread'),
    'hnswlib-wasm': hnswlibWasm,
    edgevec,
    'hnswlib-node (native)': hnswlibNode,
    'usearch (native)': usearch,
};

/** Whether npm could install it. */
export function isInstalled(name) {
    try {
        SYSTEMS[name].version();
        return true;
    } catch {
        return false;
    }
}
