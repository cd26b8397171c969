// SPDX-License-Identifier: MIT OR Apache-2.0
/** The systems in a page, as systems.mjs has them in Node; and for each the shortest program that finds something. */

const M = 16;
const EF_CONSTRUCTION = 100;
const SEED = 100;

const chronomind = {
    async open({ dimensions, n, k, ef, bytes }) {
        const { ChronoMind } = await import('/dist/index.js');
        const options = { dimensions, maxMemories: n, m: M, efConstruction: EF_CONSTRUCTION, temporalWeight: 0 };
        const mind = await ChronoMind.open({ ...options, wasmBinary: bytes });
        const search = { k, ef };
        return {
            insert: (i, vector) => mind.insert({ id: String(i), vector }),
            use: (width) => {
                search.ef = width;
            },
            search: (vector) => mind.search(vector, search).map((hit) => hit.id),
            close: () => mind.close(),
        };
    },
};

/** Its loader sets up a file system in IndexedDB first, and looks every 100 ms whether it is there. */
const hnswlibWasm = {
    async open({ dimensions, n, k }) {
        const { loadHnswlib } = await import('/hnswlib-wasm/hnswlib.js');
        const module = await loadHnswlib();
        const index = new module.HierarchicalNSW('ip', dimensions, '');
        index.initIndex(n, M, EF_CONSTRUCTION, SEED);
        return {
            insert: (i, vector) => index.addPoint(vector, i, false),
            use: (ef) => index.setEfSearch(ef),
            search: (vector) => index.searchKnn(vector, k, undefined).neighbors,
        };
    },
};

const edgevec = {
    async open({ dimensions, k, ef, bytes }) {
        const { default: load, EdgeVec, EdgeVecConfig } = await import('/edgevec/edgevec.js');
        await load(bytes && { module_or_path: bytes });
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
            close: () => index.free(),
        };
    },
};

export const SYSTEMS = {
    'chronomind (threads)': chronomind,
    'chronomind (single-thread)': chronomind,
    'hnswlib-wasm': hnswlibWasm,
    edgevec,
};

/** The address of the module that holds the WebAssembly of hnswlib-wasm is in browser.mjs: its name has a hash in it. */
const bytesAt = async (url) => (await fetch(url)).arrayBuffer();

function chronomindStart(file) {
    return {
        system: chronomind,
        async load() {
            const [bytes] = await Promise.all([bytesAt(`/dist/${file}`), import('/dist/index.js')]);
            return bytes;
        },
    };
}

/**
 * From nothing to the first answer, in two parts: `load` fetches what there is to fetch and evaluates the JavaScript; then firstAnswer() compiles the
 * WebAssembly module and uses it.
 */
export const START = {
    'chronomind (threads)': chronomindStart('chronomind.wasm'),
    'chronomind (single-thread)': chronomindStart('chronomind-st.wasm'),
    'hnswlib-wasm': {
        system: hnswlibWasm,
        load: async () => void (await Promise.all([import('/hnswlib-wasm/hnswlib.js'), import('/hnswlib-module.js')])),
    },
    edgevec: {
        system: edgevec,
        async load() {
            const [bytes] = await Promise.all([bytesAt('/edgevec/edgevec_bg.wasm'), import('/edgevec/edgevec.js')]);
            return bytes;
        },
    },
};

/** Room for 1,000, one vector in it, and a search that finds it: number 0. */
export async function firstAnswer({ system }, bytes) {
    const vector = new Float32Array(100).fill(0.1);
    const engine = await system.open({ dimensions: vector.length, n: 1000, k: 1, ef: 10, bytes });
    engine.insert(0, vector);
    return Number(engine.search(vector)[0]);
}
