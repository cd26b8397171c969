// SPDX-License-Identifier: MIT OR Apache-2.0
/** What the drivers of `bench js` and `bench browser` share: medians, the rate at a recall, CSV rows, tables. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname } from 'node:path';

export const RECALL = 0.95;

const COLUMNS = ['workload', 'system', 'version', 'threads', 'parameter', 'recall', 'rate', 'unit', 'median', 'min', 'max', 'note'];

export function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** {median, min, max} */
export function spread(values) {
    return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * The rate at a recall, between the two widths that enclose it: linear in the logarithm of the rate. `points` are {ef, recall, rate} in order of ef. Where
 * the narrowest width already has more recall, its rate and that recall; undefined where the widest has less.
 */
export function rateAt(points, recall = RECALL) {
    if (points[0].recall >= recall) return { ...points[0], note: 'the narrowest width' };
    for (let i = 1; i < points.length; i++) {
        const [below, above] = [points[i - 1], points[i]];
        if (above.recall < recall) continue;
        const share = (recall - below.recall) / (above.recall - below.recall);
        const log = Math.log(below.rate) + share * (Math.log(above.rate) - Math.log(below.rate));
        return {
            recall,
            rate: Math.exp(log),
            ef: below.ef + share * (above.ef - below.ef),
            note: `between ef ${below.ef} and ${above.ef}`,
        };
    }
    return undefined;
}

/** Rows of one CSV file, in the columns that all benchmarks share. */
export class Rows {
    #rows = [];

    add(row) {
        this.#rows.push(row);
    }

    /** A cell with a comma or a quote is quoted. */
    write(file) {
        const cell = (value = '') => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
        const lines = this.#rows.map((row) => COLUMNS.map((name) => cell(row[name])).join(','));
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, `${[COLUMNS.join(','), ...lines].join('\n')}\n`);
    }
}

/** A rate in a table and in CSV. */
export function whole(value) {
    return Number.isFinite(value) ? Math.round(value) : '';
}

export function loadLine() {
    return `load ${loadavg()
        .map((value) => value.toFixed(1))
        .join(' ')}`;
}

/** Columns wide enough for their cells; the first is text, the others numbers. */
export function printTable(head, rows) {
    const all = [head, ...rows].map((row) =>
        row.map((value) => (typeof value === 'number' ? value.toLocaleString('en') : String(value ?? ''))),
    );
    const widths = head.map((_, i) => Math.max(...all.map((row) => row[i].length)));
    for (const row of all)
        console.log(`  ${row.map((value, i) => (i === 0 ? value.padEnd(widths[i]) : value.padStart(widths[i]))).join('  ')}`);
}

/** Medians over the results of all rounds, by wall clock ("wall") or by processor time ("cpu"). */
function pointsOf(results, clock) {
    const searches = results.flatMap((result) => result.searches);
    const efs = [...new Set(searches.map(({ ef }) => ef))].sort((a, b) => a - b);
    return efs.map((ef) => {
        const of = searches.filter((search) => search.ef === ef);
        return { ef, recall: median(of.map(({ recall }) => recall)), ...spread(of.map((search) => search[clock])) };
    });
}

const UNITS = { wall: 'per second', cpu: 'per processor second' };

/** The rate at the recall: of the medians, of the slowest and of the fastest rounds. */
function atRecall(results, clock) {
    const points = pointsOf(results, clock);
    const [found, least, most] = ['median', 'min', 'max'].map((edge) => rateAt(points.map((point) => ({ ...point, rate: point[edge] }))));
    return found && { ...found, min: least.rate, max: most.rate };
}

/** Rows for what measure() gave: a list of results for each system. */
export function addRates(rows, workload, all, clocks) {
    for (const [system, results] of all) {
        for (const clock of clocks) {
            const add = (more, { median: middle, min, max }) => {
                const base = { workload, system, version: results[0].version, threads: 1, unit: UNITS[clock] };
                rows.add({ ...base, ...more, median: whole(middle), min: whole(min), max: whole(max) });
            };
            add({ rate: 'inserts' }, spread(results.map((result) => result.insert[clock])));
            for (const point of pointsOf(results, clock))
                add({ parameter: `ef=${point.ef}`, recall: point.recall.toFixed(4), rate: 'queries' }, point);
            const found = atRecall(results, clock);
            if (found === undefined) continue;
            const more = {
                parameter: `ef=${found.ef.toFixed(0)}`,
                recall: found.recall.toFixed(4),
                rate: 'queries at recall .95',
                note: found.note,
            };
            add(more, { ...found, median: found.rate });
        }
    }
}

export function printRates(title, all, clocks) {
    const head = { wall: ['inserts/s', 'queries/s at .95'], cpu: ['inserts/cpu s', 'queries/cpu s at .95'] };
    console.log(`\n${title}, ${loadLine()}\n`);
    const cells = ([system, results]) => {
        const rates = clocks.flatMap((clock) => [
            whole(median(results.map((result) => result.insert[clock]))),
            whole(atRecall(results, clock)?.rate),
        ]);
        const recalls = pointsOf(results, 'wall').map(({ ef, recall }) => `${ef}: ${recall.toFixed(3)}`);
        return [`${system} ${results[0].version}`, ...rates, atRecall(results, 'wall')?.ef.toFixed(0), recalls.join(' ')];
    };
    printTable(['system', ...clocks.flatMap((clock) => head[clock]), 'ef', 'recall'], [...all].map(cells));
}
