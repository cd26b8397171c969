// SPDX-License-Identifier: MIT OR Apache-2.0
/** What the WebAssembly systems need: memory for an index in a process of its own, and bytes on the wire after brotli. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { K, load } from './data.mjs';
import { printTable } from './figures.mjs';
import { isInstalled, SYSTEMS } from './systems.mjs';

const MB = 1024 * 1024;
const self = fileURLToPath(import.meta.url);
const WASM_SYSTEMS = ['chronomind (threads)', 'chronomind (single-thread)', 'hnswlib-wasm', 'edgevec'];

/** Builds the index, with no other before it. */
async function memoryOf(system, workload) {
    const { base, n, dimensions } = load(workload);
    const engine = await SYSTEMS[system].open({ dimensions, n, k: K, ef: K });
    for (let i = 0; i < n; i++) engine.insert(i, base.subarray(i * dimensions, (i + 1) * dimensions));
    return { version: SYSTEMS[system].version(), bytes: engine.memory() };
}

/** Vectors and links together are what the other systems hold. */
function partsOf(bytes) {
    if (bytes.index === undefined) return { 'all WebAssembly memory': bytes.wasm };
    return {
        'index part: vectors and links': bytes.vectors + bytes.index,
        'records, ids and strings': bytes.records + bytes.blocks,
        'all WebAssembly memory': bytes.wasm,
    };
}

export async function addMemory(rows, workload) {
    const table = [];
    for (const system of WASM_SYSTEMS.filter(isInstalled)) {
        const { status, stdout } = spawnSync(process.execPath, [self, system, workload], { encoding: 'utf8' });
        if (status !== 0) continue;
        const { version, bytes } = JSON.parse(stdout.trimEnd().split('\n').at(-1));
        for (const [part, nBytes] of Object.entries(partsOf(bytes))) {
            rows.add({
                workload,
                system,
                version,
                threads: 1,
                rate: 'memory',
                parameter: part,
                unit: 'bytes',
                median: nBytes,
                min: nBytes,
                max: nBytes,
            });
            table.push([`${system} ${version}`, part, (nBytes / MB).toFixed(1)]);
        }
    }
    console.log(`\nmemory, ${workload}, in MB of 1,048,576 bytes\n`);
    printTable(['system', 'part', 'MB'], table);
}

/** Files that a page has to load before it can search. */
function payloads() {
    const here = (path) => fileURLToPath(new URL(path, import.meta.url));
    const modules = (folder) =>
        readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.js') && !/cli|node|pool|storage/.test(name));
    const dist = here('../../js/dist/');
    const hnswlib = here('node_modules/hnswlib-wasm/dist/');
    const edge = here('node_modules/edgevec/');
    return {
        'chronomind (threads)': { 'the .wasm': [`${dist}chronomind.wasm`] },
        'chronomind (single-thread)': { 'the .wasm': [`${dist}chronomind-st.wasm`] },
        chronomind: { 'its JavaScript, file by file': modules(dist).map((name) => dist + name) },
        ...(isInstalled('hnswlib-wasm') && {
            'hnswlib-wasm': { 'JavaScript with the module inside': modules(hnswlib).map((name) => hnswlib + name) },
        }),
        ...(isInstalled('edgevec') && { edgevec: { 'the .wasm': [`${edge}edgevec_bg.wasm`], 'its JavaScript': [`${edge}edgevec.js`] } }),
    };
}

export function addPayload(rows) {
    const table = [];
    for (const [system, parts] of Object.entries(payloads())) {
        for (const [part, files] of Object.entries(parts)) {
            const contents = files.map((file) => readFileSync(file));
            const [plain, small] = [contents, contents.map((bytes) => brotliCompressSync(bytes))].map((all) =>
                all.reduce((sum, { length }) => sum + length, 0),
            );
            rows.add({
                workload: 'payload',
                system,
                rate: 'payload',
                parameter: part,
                unit: 'bytes after brotli',
                median: small,
                min: small,
                max: small,
                note: `${plain} bytes before`,
            });
            table.push([system, part, plain, small]);
        }
    }
    console.log('\npayload\n');
    printTable(['system', 'part', 'bytes', 'after brotli'], table);
}

if (process.argv[1] === self) console.log(JSON.stringify(await memoryOf(process.argv[2], process.argv[3])));
