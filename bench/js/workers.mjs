// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * One and two workers searching ONE store, idle and beside a worker that inserts without pause. No peer has this row: none shares a live index.
 *
 * The wall clock says what came out on this machine as it was; where other programs take the cores, it cannot tell whether the store scales. So beside it
 * stands what two workers do per second of processor time against one: 2 x that ratio is the scaling if both cores were free and nobody ever waited. It sees
 * contention for caches and retries; it cannot see a thread that sleeps, so it is no measurement of the target, which is the wall clock's on a calm machine.
 */
import { Worker } from 'node:worker_threads';
import { ChronoMind } from '../../js/dist/index.js';
import { K, load, moreWords } from './data.mjs';
import { loadLine, printTable, spread, whole } from './figures.mjs';

const EF = 100;
const ROUNDS = 5;
const N_MORE = 60000;

/** Orders to workers, each a word that they look at: nobody waits for a message while the clock runs. */
const [IDLE, RUN] = [0, 1];

class Crew {
    constructor(mind, { queries, dimensions }, more) {
        const data = { dimensions, k: K, ef: EF };
        this.workers = [
            ...['search', 'search'].map((job) => this.#start(mind, { ...data, job, vectors: shared(queries) })),
            this.#start(mind, { ...data, job: 'insert', vectors: shared(more) }),
        ];
    }

    #start(mind, data) {
        const control = new Int32Array(new SharedArrayBuffer(16));
        const worker = new Worker(new URL('searcher.mjs', import.meta.url), { workerData: { ...data, control, share: mind.share() } });
        const isThere = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
        return { worker, control, isThere };
    }

    ready() {
        return Promise.all(this.workers.map(({ isThere }) => isThere));
    }

    /** Runs those workers for a while; what they did per second, and per second of processor time of the whole process. */
    async run(indexes, ms) {
        const chosen = indexes.map((i) => this.workers[i].control);
        const before = chosen.map((control) => Atomics.load(control, 1));
        const [start, cpu] = [performance.now(), process.cpuUsage()];
        for (const control of chosen) {
            Atomics.store(control, 0, RUN);
            Atomics.notify(control, 0);
        }
        await new Promise((resolve) => setTimeout(resolve, ms));
        const after = chosen.map((control) => Atomics.load(control, 1));
        const seconds = (performance.now() - start) / 1000;
        const { user, system } = process.cpuUsage(cpu);
        for (const control of chosen) Atomics.store(control, 0, IDLE);
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { done: after.map((n, i) => n - before[i]), seconds, cpu: (user + system) / 1e6 };
    }

    async end() {
        for (const { worker } of this.workers) await worker.terminate();
    }
}

function shared(floats) {
    const copy = new Float32Array(new SharedArrayBuffer(floats.byteLength));
    copy.set(floats);
    return copy;
}

const CASES = [
    { name: '1 worker, idle store', searchers: [0], writer: false },
    { name: '2 workers, idle store', searchers: [0, 1], writer: false },
    { name: '1 worker beside a writer', searchers: [0], writer: true },
    { name: '2 workers beside a writer', searchers: [0, 1], writer: true },
];

async function measureCase(crew, { searchers, writer }, ms) {
    const { done, seconds, cpu } = await crew.run(writer ? [...searchers, 2] : searchers, ms);
    const nQueries = searchers.reduce((sum, i) => sum + done[i], 0);
    return { queries: nQueries / seconds, perCpu: nQueries / cpu, inserts: writer ? done.at(-1) / seconds : 0 };
}

async function built(data) {
    const { dimensions, n, base } = data;
    const rules = { dimensions, maxMemories: n + N_MORE, m: 16, efConstruction: 100, temporalWeight: 0 };
    const mind = await ChronoMind.open({ ...rules, build: 'threads' });
    for (let i = 0; i < n; i++) mind.insert({ id: String(i), vector: base.subarray(i * dimensions, (i + 1) * dimensions) });
    return mind;
}

export async function addWorkers(rows, workload, quick) {
    const data = load(workload);
    const mind = await built(data);
    const crew = new Crew(mind, data, moreWords(data, N_MORE));
    await crew.ready();
    const ms = quick ? 200 : 1500;
    for (const each of CASES) await measureCase(crew, each, ms / 4);
    const results = CASES.map(() => []);
    const nRounds = quick ? 2 : ROUNDS;
    for (let round = 0; round < nRounds; round++)
        for (const [i, each] of CASES.entries()) results[i].push(await measureCase(crew, each, ms));
    await crew.end();
    report(rows, workload, results);
    mind.close();
}

function report(rows, workload, results) {
    const base = { workload, system: 'chronomind (threads)', version: ChronoMind.capabilities().version, parameter: `ef=${EF}` };
    const table = CASES.map(({ name, searchers, writer }, i) => {
        const [queries, perCpu, inserts] = ['queries', 'perCpu', 'inserts'].map((what) => spread(results[i].map((result) => result[what])));
        const add = (rate, unit, values) => rows.add({ ...base, threads: searchers.length, rate, unit, ...rounded(values), note: name });
        add('queries', 'per second', queries);
        if (!writer) add('queries', 'per processor second', perCpu);
        if (writer) add('inserts', 'per second', inserts);
        return [
            name,
            whole(queries.median),
            whole(queries.min),
            whole(queries.max),
            writer ? '' : whole(perCpu.median),
            writer ? whole(inserts.median) : '',
        ];
    });
    console.log(`\nworkers on one store, ${workload}, ef ${EF}, medians of ${results[0].length} rounds, ${loadLine()}\n`);
    printTable(['', 'queries/s', 'least', 'most', '/cpu s', 'inserts/s'], table);
    for (const [name, one, two, what] of [
        ['2 workers against 1, idle', 0, 1, 'queries'],
        ['the same by processor time, x 2', 0, 1, 'perCpu'],
        ['2 workers against 1, beside a writer', 2, 3, 'queries'],
    ]) {
        const factor = what === 'perCpu' ? 2 : 1;
        const ratio = spread(results[one].map((result, i) => (factor * results[two][i][what]) / result[what]));
        const decimals = Object.fromEntries(Object.entries(ratio).map(([key, value]) => [key, value.toFixed(2)]));
        rows.add({ ...base, threads: 2, rate: name, unit: 'ratio', ...decimals });
        console.log(`  ${name}: ${decimals.median} (${decimals.min} to ${decimals.max})`);
    }
}

function rounded({ median, min, max }) {
    return { median: whole(median), min: whole(min), max: whole(max) };
}
