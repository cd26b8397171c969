// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The systems in Node, each used as well as it can be used. All get unit vectors, M 16, ef_construction 100, 32-bit floats, one thread.
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

const M = 16;
const EF_CONSTRUCTION = 100;
const SEED = 100;

const require = createRequire(import.meta.url);
const MODULES = fileURLToPath(new URL('node_modules/', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

function versionIn(folder) {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}

function chronomind(build) {
    return {
        version: () => versionIn(PACKAGE),
        async open({ dimensions, n, k, ef }) {
            const { ChronoMind } = await import('../../js/dist/index.js');
            const options = { dimensions, maxMemories: n, m: M, efConstruction: EF_CONSTRUCTION, temporalWeight: 0 };
            const mind = await ChronoMind.open({ ...options, build });
            const search = { k, ef };
            return {
                insert: (i, vector) => mind.insert({ id: String(i), vector }),
                use: (width) => {
                    search.ef = width;
                },
                search: (vector) => mind.search(vector, search).map((hit) => hit.id),
                memory: () => ({ ...mind.stats().bytes, wasm: memories.at(-1).buffer.byteLength }),
                close: () => mind.close(),
            };
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
    async open({ dimensions, n, k }) {
        globalThis.window ??= globalThis;
        globalThis.document ??= {};
        const folder = `${MODULES}hnswlib-wasm/dist/`;
        const file = readdirSync(folder).find((name) => /^hnswlib-[0-9a-f]+\.js$/.test(name));
        const module = await (await import(pathToFileURL(folder + file).href)).default();
        const index = new module.HierarchicalNSW('ip', dimensions, '');
        index.initIndex(n, M, EF_CONSTRUCTION, SEED);
        return {
            insert: (i, vector) => index.addPoint(vector, i, false),
            use: (ef) => index.setEfSearch(ef),
            search: (vector) => index.searchKnn(vector, k, undefined).neighbors,
            memory: () => ({ wasm: module.HEAPU8.buffer.byteLength }),
        };
    },
};

const edgevec = {
    version: () => versionIn(`${MODULES}edgevec`),
    fixedEf: true,
    async open({ dimensions, k, ef }) {
        const { initSync, EdgeVec, EdgeVecConfig } = await import('edgevec');
        const { memory } = initSync({ module: readFileSync(`${MODULES}edgevec/edgevec_bg.wasm`) });
        const config = new EdgeVecConfig(dimensions);
        Object.assign(config, { metric: 'l2', m: M, m0: 2 * M, ef_construction: EF_CONSTRUCTION, ef_search: ef });
        const index = new EdgeVec(config);
        const rowOf = [];
        return {
            insert: (i, vector) => {
                rowOf[index.insert(vector)] = i;
            },
            use: () => {},
            search: (vector) => index.search(vector, k).map((hit) => rowOf[hit.id]),
            memory: () => ({ wasm: memory.buffer.byteLength }),
            close: () => index.free(),
        };
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
