// SPDX-License-Identifier: MIT OR Apache-2.0
// wasm-targets.mjs - what we want to reach as WebAssembly, and what was measured: out of js.csv and browser.csv, which have columns of their own. By processor time where threads do not wait for each other.

import { count, one, table } from './rows.mjs';

const AT_RECALL = 'queries at recall .95';
const OURS = 'chronomind (threads)';
const KINDS = [
    [OURS, ''],
    ['chronomind (threads, i8)', ', vectors i8'],
];

function verdict(value, atLeast) {
    return value === undefined ? ['not measured', ''] : [value.toFixed(2), value >= atLeast ? 'met' : 'no'];
}

/** Ours over a peer's. */
function over(rows, workload, ours, peer, rate, unit) {
    const at = (system) => one(rows, { workload, system, rate, unit })?.median;
    const [a, b] = [at(ours), at(peer)];
    return a && b ? a / b : undefined;
}

function* rates(js) {
    const unit = 'per processor second';
    for (const [system, kind] of KINDS)
        for (const [workload, data] of [
            ['words 50,000 x 100', '50,000 x 100'],
            ['embedding 10,000 x 768', '10,000 x 768'],
        ]) {
            const lead = (peer, rate) => over(js, workload, system, peer, rate, unit);
            yield [`search, ${data}${kind}`, '3 x hnswlib-wasm', ...verdict(lead('hnswlib-wasm', AT_RECALL), 3)];
            if (data.endsWith('100'))
                yield [`search, ${data}${kind}`, 'hnswlib-node (native)', ...verdict(lead('hnswlib-node (native)', AT_RECALL), 1)];
            yield [`inserts, ${data}${kind}`, '2.5 x hnswlib-wasm', ...verdict(lead('hnswlib-wasm', 'inserts'), 2.5)];
        }
}

function* workers(js) {
    const wall = one(js, { rate: '2 workers against 1, idle' })?.median;
    const cpu = one(js, { rate: 'the same by processor time, x 2' })?.median;
    if (wall === undefined || cpu === undefined) return;
    const met = wall >= 1.8 ? 'met' : cpu >= 1.8 ? 'by processor time only' : 'no';
    yield ['2 workers on one store, idle', '1.8 x one worker', `${wall.toFixed(2)} (by processor time ${cpu.toFixed(2)})`, met];
}

function* sizes(js) {
    const module = one(js, { workload: 'payload', system: OURS })?.median;
    if (module) yield ['threads build, after brotli', 'at most 40,960 bytes', count(module), module <= 40960 ? 'met' : 'no'];
    const [index, all] = ['index part: vectors and links', 'all WebAssembly memory'].map(
        (parameter) => one(js, { system: OURS, parameter })?.median,
    );
    if (!index || !all) return;
    const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
    const met = all <= 34e6 ? 'met' : index <= 34e6 ? 'index part only' : 'no';
    const measured = `${megabytes(index)} vectors and links; ${megabytes(all)} with ids, records and postings`;
    yield ['WebAssembly memory, 50,000 x 100', 'at most 34 MB', measured, met];
}

function* inChromium(browser) {
    const lead = over(browser, 'words 20,000 x 100', OURS, 'hnswlib-wasm', AT_RECALL, 'per second');
    yield ['Chromium, search, 20,000 x 100', '2.5 x hnswlib-wasm', ...verdict(lead, 2.5)];
    const start = one(browser, { workload: 'start', system: OURS, rate: 'module to first answer' })?.median;
    if (start !== undefined) yield ['Chromium, module to first search', 'below 10 ms', `${start.toFixed(1)} ms`, start < 10 ? 'met' : 'no'];
}

/** results: file name to rows. */
export function wasmTargets(results) {
    const [js, browser] = ['js', 'browser'].map((name) => results.get(name) ?? []);
    return table(['work', 'target', 'measured', ''], [...rates(js), ...workers(js), ...sizes(js), ...inChromium(browser)]);
}
