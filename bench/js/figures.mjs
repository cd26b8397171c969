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
 * the narrowest width already has more recall, its rate; undefined where the widest has less.
 */
export function rateAt(points, recall = RECALL) {
    if (points[0].recall >= recall)
        return { rate: points[0].rate, ef: points[0].ef, note: `recall ${points[0].recall.toFixed(4)} at the narrowest width` };
    for (let i = 1; i < points.length; i++) {
        const [below, above] = [points[i - 1], points[i]];
        if (above.recall < recall) continue;
        const share = (recall - below.recall) / (above.recall - below.recall);
        const log = Math.log(below.rate) + share * (Math.log(above.rate) - Math.log(below.rate));
        return { rate: Math.exp(log), ef: below.ef + share * (above.ef - below.ef), note: `between ef ${below.ef} and ${above.ef}` };
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
