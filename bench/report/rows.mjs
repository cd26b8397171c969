// SPDX-License-Identifier: MIT OR Apache-2.0
// rows.mjs - finding rows among the results, and numbers as text.

export const ORDER = [
    'chronomind',
    'chronomind bf16',
    'chronomind i8',
    'chronomind i8 file',
    'hnswlib',
    'usearch',
    'FAISS',
    'rwlock',
    '16 shards',
    'chronomind store',
];
export const PEERS = ['hnswlib', 'usearch', 'FAISS'];

/** Rows whose columns have these values; a RegExp is matched. */
export function select(rows, wanted) {
    return rows.filter((row) =>
        Object.entries(wanted).every(([name, value]) => (value instanceof RegExp ? value.test(row[name]) : row[name] === value)),
    );
}

export const one = (rows, wanted) => select(rows, wanted)[0];

/**
 * How many times faster ours is than a peer: the median of the ratios of the rounds. The rounds of a large build are its slices, of which the small
 * early ones count as much as the late ones, so there it is the ratio of the whole.
 */
export function oursOver(rows, wanted, peer) {
    const isSliced = wanted.workload === 'insert' && /words$/.test(one(rows, wanted)?.data);
    if (isSliced) {
        const [ours, theirs] = ['chronomind', peer].map((system) => one(rows, { ...wanted, system, unit: 'inserts/s' })?.median);
        return ours && theirs ? ours / theirs : undefined;
    }
    return one(rows, { ...wanted, parameter: `${wanted.parameter} vs=${peer}`, unit: 'ratio' })?.median;
}

/** Each value of a column once, in order of appearance. */
export const distinct = (rows, name) => [...new Set(rows.map((row) => row[name]))];

export const systems = (rows) => ORDER.filter((name) => rows.some((row) => row.system === name));

/** 12,345; 12.3; 0.012; nothing for what was not measured. */
export function count(value) {
    if (value === undefined) return '';
    if (value >= 100) return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
    return value >= 10 ? value.toFixed(1) : value >= 0.1 ? value.toFixed(2) : value === 0 ? '0' : value.toPrecision(2);
}

/** A share, as recall is written: .9533, 1. */
export const share = (value) => (value === undefined ? '' : value === 1 ? '1' : value.toFixed(4).replace(/^0/, ''));

export const ratio = (row) => (row ? row.median.toFixed(2) : '');

export const spread = (row) => (row ? `${count(row.median)} (${count(row.min)} .. ${count(row.max)})` : '');

export function table(header, lines) {
    return [header, header.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
