// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * `./build.sh bench browser [quick]`: the same measurement in headless Chromium, each system in a page of its own, rounds interleaved; and how long a fresh
 * page takes from the import of the package to the answer of its first search. A browser tells no processor time: rates are by the wall clock.
 * Writes build/bench/browser.csv.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import playwright from 'playwright-core';
import { startServer } from '../../tests/browser/server.mjs';
import { launchOptions } from '../../tests/browser/support.mjs';
import { filesOf, K, prepare, WORKLOADS } from './data.mjs';
import { addRates, loadLine, printRates, printTable, Rows, spread } from './figures.mjs';
import { isInstalled, SYSTEMS } from './systems.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = here('../../build/bench/browser.csv');

const quick = process.argv.includes('quick');
const workload = quick ? 'words 4,000 x 100' : 'words 20,000 x 100';
const nRounds = quick ? 2 : Number(process.env.CM_BENCH_ROUNDS ?? 3);
const nStarts = quick ? 3 : 11;
const FIXED_EFS = quick ? [10, 20] : [15, 30];

const systems = {
    'chronomind (threads)': { isolated: true },
    'chronomind (single-thread)': { isolated: false },
    'hnswlib-wasm': { isolated: true },
    edgevec: { isolated: true, fixedEf: true },
};

/** The file of hnswlib-wasm that holds its WebAssembly, under a name without a hash. */
function hnswlibModule() {
    const folder = here('node_modules/hnswlib-wasm/dist');
    const name = existsSync(folder) ? readdirSync(folder).find((file) => /^hnswlib-[0-9a-f]+\.js$/.test(file)) : undefined;
    return `export { default } from '/hnswlib-wasm/${name}';`;
}

/** Below `folder`, as files of the server at `path`. */
function filesBelow(folder, path) {
    const names = existsSync(folder) ? readdirSync(folder, { recursive: true }).filter((name) => /\.(js|wasm)$/.test(name)) : [];
    return Object.fromEntries(names.map((name) => [`${path}/${name}`, readFileSync(`${folder}/${name}`)]));
}

const pages = {
    '/measure.js': readFileSync(here('measure.mjs')),
    '/engines.js': readFileSync(here('engines.mjs')),
    '/systems.js': readFileSync(here('page-systems.mjs')),
    '/hnswlib-module.js': hnswlibModule(),
    ...filesBelow(here('node_modules/hnswlib-wasm/dist'), '/hnswlib-wasm'),
    ...filesBelow(here('node_modules/edgevec'), '/edgevec'),
};

/** Runs a function in a fresh page, without anything in a cache. */
async function inPage(browser, site, function_, argument) {
    const context = await browser.newContext();
    try {
        const page = await context.newPage();
        page.setDefaultTimeout(600000);
        await page.goto(site.url);
        return await page.evaluate(function_, argument);
    } finally {
        await context.close();
    }
}

async function measureIn({ name, data }) {
    const [{ SYSTEMS: here }, { measure }] = await Promise.all([import('/systems.js'), import('/measure.js')]);
    const fetched = async (part) => (await fetch(`/data/${part}`)).arrayBuffer();
    const [base, queries, truth] = await Promise.all(['base', 'queries', 'truth'].map(fetched));
    const arrays = { base: new Float32Array(base), queries: new Float32Array(queries), truth: new Uint32Array(truth) };
    return measure(here[name], { ...data, ...arrays });
}

/** Milliseconds to fetch and evaluate; from there, with compiling the module, to the first answer. */
async function startIn(name) {
    const { START, firstAnswer } = await import('/systems.js');
    const start = performance.now();
    const bytes = await START[name].load();
    const loaded = performance.now();
    const found = await firstAnswer(START[name], bytes);
    if (found !== 0) throw new Error(`the first search found ${found}`);
    return { load: loaded - start, first: performance.now() - loaded };
}

async function compare(browser, sites, names) {
    const { efs, n, dimensions } = WORKLOADS[workload];
    const all = new Map(names.map((name) => [name, []]));
    for (let round = 0; round < nRounds; round++) {
        console.log(`${workload}: round ${round + 1} of ${nRounds}, ${loadLine()}`);
        for (const name of names) {
            const { isolated, fixedEf } = systems[name];
            for (const some of fixedEf ? FIXED_EFS.map((ef) => [ef]) : [efs]) {
                const argument = { name, data: { n, dimensions, k: K, efs: some } };
                all.get(name).push({ version: SYSTEMS[name].version(), ...(await inPage(browser, sites[isolated], measureIn, argument)) });
            }
        }
    }
    return all;
}

/** The systems take turns, so that none has the machine's good minutes for itself. */
async function starts(browser, sites, names) {
    const all = new Map(names.map((name) => [name, []]));
    for (let i = 0; i < nStarts; i++) {
        for (const name of names) all.get(name).push(await inPage(browser, sites[systems[name].isolated], startIn, name));
    }
    return all;
}

const PARTS = {
    load: 'fetch and JavaScript',
    first: 'module to first answer',
};

function reportStarts(rows, all) {
    console.log(`\nthe start of a page, ms, ${nStarts} fresh pages each, ${loadLine()}\n`);
    const table = [];
    for (const [system, values] of all) {
        for (const [part, rate] of Object.entries(PARTS)) {
            const ms = Object.fromEntries(
                Object.entries(spread(values.map((value) => value[part]))).map(([key, value]) => [key, value.toFixed(1)]),
            );
            rows.add({ workload: 'start', system, version: SYSTEMS[system].version(), threads: 1, rate, unit: 'ms', ...ms });
            table.push([`${system}, ${rate}`, ms.median, ms.min, ms.max]);
        }
    }
    printTable(['', 'median', 'least', 'most'], table);
}

prepare(workload);
const data = Object.fromEntries(Object.entries(filesOf(workload)).map(([part, file]) => [`/data/${part}`, readFileSync(file)]));
const sites = {
    true: await startServer({ isolated: true, pages: { ...pages, ...data } }),
    false: await startServer({ isolated: false, pages: { ...pages, ...data } }),
};
const browser = await playwright.chromium.launch(launchOptions('chromium'));
try {
    console.log(`Chromium ${browser.version()}, ${cpus().length} x ${cpus()[0]?.model}, ${loadLine()}`);
    const names = Object.keys(systems).filter(isInstalled);
    for (const name of Object.keys(systems)) if (!isInstalled(name)) console.log(`SKIPPED: ${name} is not installed`);
    const rows = new Rows();
    reportStarts(rows, await starts(browser, sites, names));
    const all = await compare(browser, sites, names);
    addRates(rows, workload, all, ['wall']);
    printRates(`${workload} in Chromium ${browser.version()}, medians of ${nRounds} rounds`, all, ['wall']);
    rows.write(out);
    console.log(`\nwritten: build/bench/browser.csv, ${loadLine()}`);
} finally {
    await browser.close();
    for (const site of Object.values(sites)) site.close();
}
