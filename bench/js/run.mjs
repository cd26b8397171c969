// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * `./build.sh bench js [quick]`: ChronoMind's WebAssembly in Node beside the packages that people use instead. Every system in a fresh process, rounds
 * interleaved, medians over rounds; each rate by the wall clock and by processor time, which other programs on the machine disturb less.
 * `quick` takes small data and two rounds: a test of the benchmark, not a figure. Writes build/bench/js.csv.
 */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { prepare, WORKLOADS } from './data.mjs';
import { addRates, loadLine, printRates, Rows } from './figures.mjs';
import { addMemory, addPayload } from './memory.mjs';
import { isInstalled, SYSTEMS } from './systems.mjs';
import { addWorkers } from './workers.mjs';

const one = fileURLToPath(new URL('one.mjs', import.meta.url));
const out = fileURLToPath(new URL('../../build/bench/js.csv', import.meta.url));

const quick = process.argv.includes('quick');
const names = quick ? ['words 4,000 x 100', 'embedding 1,000 x 768'] : ['words 50,000 x 100', 'embedding 10,000 x 768'];
const nRounds = quick ? 2 : Number(process.env.CM_BENCH_ROUNDS ?? 3);

/** Fresh indexes cost time: the two widths that enclose the recall, found by running all of them once. */
const FIXED_EFS = {
    'words 50,000 x 100': [20, 30],
    'embedding 10,000 x 768': [15, 20],
    'words 4,000 x 100': [10, 20],
    'embedding 1,000 x 768': [10, 15],
};

/** Says what went wrong, and goes on without. */
function runOne(system, workload, efs) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [one, system, workload, efs.join()], {
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
    });
    if (status === 0) return JSON.parse(stdout.trimEnd().split('\n').at(-1));
    console.log(
        `  ${system} failed and is left out of this round: ${
            stderr
                .trim()
                .split('\n')
                .find((line) => /Error/.test(line)) ?? `status ${status}`
        }`,
    );
    return undefined;
}

/** One round of a system: one process, or one for each width. */
function runRound(system, workload) {
    if (!SYSTEMS[system].fixedEf) return [runOne(system, workload, WORKLOADS[workload].efs)];
    return FIXED_EFS[workload].map((ef) => runOne(system, workload, [ef]));
}

function compare(workload, rows) {
    prepare(workload);
    const systems = Object.keys(SYSTEMS).filter(isInstalled);
    const all = new Map(systems.map((system) => [system, []]));
    for (let round = 0; round < nRounds; round++) {
        console.log(`${workload}: round ${round + 1} of ${nRounds}, ${loadLine()}`);
        for (const system of systems) all.get(system).push(...runRound(system, workload).filter((result) => result !== undefined));
    }
    for (const [system, results] of all) if (results.length === 0) all.delete(system);
    addRates(rows, workload, all, ['wall', 'cpu']);
    printRates(`${workload}, medians of ${nRounds} rounds`, all, ['wall', 'cpu']);
}

console.log(`Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model}, ${loadLine()}`);
for (const name of Object.keys(SYSTEMS)) if (!isInstalled(name)) console.log(`SKIPPED: ${name} is not installed`);
const rows = new Rows();
for (const workload of names) compare(workload, rows);
await addMemory(rows, names[0]);
addPayload(rows);
await addWorkers(rows, names[0], quick);
rows.write(out);
console.log(`\nwritten: build/bench/js.csv, ${loadLine()}`);
