// SPDX-License-Identifier: MIT OR Apache-2.0
/** The systems in a page, as systems.mjs has them in Node; and for each the shortest program that finds something. */
import { chronomindEngine, edgevecEngine, hnswlibWasmEngine } from '/engines.js';

const chronomind = {
    async open({ bytes, ...size }) {
        const { ChronoMind } = await import('/dist/index.js');
        return chronomindEngine(ChronoMind, size, { wasmBinary: bytes });
    },
};

/** Its loader sets up a file system in IndexedDB first, and looks every 100 ms whether it is there. */
const hnswlibWasm = {
    async open(size) {
        const { loadHnswlib } = await import('/hnswlib-wasm/hnswlib.js');
        return hnswlibWasmEngine(await loadHnswlib(), size);
    },
};

const edgevec = {
    async open({ bytes, ...size }) {
        const { default: load, ...library } = await import('/edgevec/edgevec.js');
        await load(bytes && { module_or_path: bytes });
        return edgevecEngine(library, size);
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
