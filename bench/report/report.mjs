// SPDX-License-Identifier: MIT OR Apache-2.0
// report.mjs - docs/BENCHMARKS.md and docs/images/bench/*.svg, out of bench/results/*.csv and the text in bench/report/BENCHMARKS.md, where {{name}} stands for
// a table. `./build.sh bench report` runs it; tests/js/bench-report.test.mjs checks that what is committed is what it makes.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from './csv.mjs';
import { latencyPlot, recallPlot } from './plots.mjs';
import * as tables from './tables.mjs';
import { targets } from './targets.mjs';
import { wasmTargets } from './wasm-targets.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Files with columns of their own: the JavaScript half of the benchmarks. */
const PLAIN = ['js', 'browser'];

export function readResults(folder = path.join(root, 'bench/results')) {
    const files = readdirSync(folder).filter((name) => name.endsWith('.csv'));
    return new Map(files.sort().map((name) => [name.slice(0, -4), parse(readFileSync(path.join(folder, name), 'utf8'))]));
}

function plots(rows) {
    return {
        'recall-1-thread.svg': recallPlot(rows, { threads: 1, clock: 'cpu', title: '340,479 word vectors, 1 thread' }),
        'recall-2-threads.svg': recallPlot(rows, { threads: 2, clock: 'cpu', title: '340,479 word vectors, 2 threads' }),
        'latency-1-1.svg': latencyPlot(rows, { pairs: '1+1', title: 'Latency of searches, one reader and one writer' }),
        'latency-2-2.svg': latencyPlot(rows, { pairs: '2+2', title: 'Latency of searches, two readers and two writers on 2 cores' }),
    };
}

/** Path below the repository to content. */
export function render(results, template = readFileSync(path.join(root, 'bench/report/BENCHMARKS.md'), 'utf8')) {
    const rows = [...results].filter(([name]) => !PLAIN.includes(name)).flatMap(([, some]) => some);
    const all = { ...tables, targets, wasmTargets: () => wasmTargets(results) };
    const text = template.replace(/\{\{(\w+)\}\}/g, (_, name) => {
        if (PLAIN.includes(name))
            return results.has(name) ? tables.plain(results.get(name)) : `(not measured here: \`./build.sh bench ${name}\`)`;
        if (!all[name]) throw new Error(`the text asks for a table that does not exist: ${name}`);
        return all[name](rows);
    });
    const files = {
        'docs/BENCHMARKS.md': text.replace(
            /^<!-- template:.*\n/,
            '<!-- Made by ./build.sh bench report from bench/results and bench/report/BENCHMARKS.md: do not edit. -->\n',
        ),
    };
    for (const [name, svg] of Object.entries(plots(rows))) if (svg) files[`docs/images/bench/${name}`] = svg;
    return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    for (const [name, content] of Object.entries(render(readResults()))) {
        const file = path.join(root, name);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, content);
        console.log(name);
    }
}
