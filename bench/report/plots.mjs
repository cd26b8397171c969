// SPDX-License-Identifier: MIT OR Apache-2.0
// plots.mjs - recall against queries/s, and latencies, as SVG that reads well on light and on dark pages.

import { count, one, select, systems } from './rows.mjs';

const WIDTH = 760;
const HEIGHT = 420;
const [LEFT, RIGHT, TOP, BOTTOM] = [88, 150, 44, 56];
const INNER_RIGHT = WIDTH - RIGHT;
const INNER_BOTTOM = HEIGHT - BOTTOM;

// Told apart by colour-blind readers, too; the second is for dark pages.
const COLORS = {
    chronomind: ['#0072b2', '#56b4e9'],
    hnswlib: ['#d55e00', '#ff8f45'],
    usearch: ['#007d5c', '#2fc79e'],
    FAISS: ['#a8497f', '#e59ac4'],
    rwlock: ['#6b6b6b', '#b5b5b5'],
    '16 shards': ['#8a6d00', '#e0bd3a'],
};
const kind = (system) => `s${Object.keys(COLORS).indexOf(system)}`;

function style() {
    const rules = (i) =>
        Object.entries(COLORS)
            .map(([system, colors]) => `.${kind(system)}{stroke:${colors[i]};fill:${colors[i]}}`)
            .join('');
    return [
        '<style>',
        '.page{fill:#fff}.grid{stroke:#ddd}text{fill:#222}.curve{stroke-width:2.2}.bar{stroke-width:1.5}',
        `${rules(0)}.hollow{fill:#fff;stroke-width:2}`,
        `@media (prefers-color-scheme:dark){.page{fill:#0d1117}.grid{stroke:#333c47}text{fill:#e6edf3}${rules(1)}.hollow{fill:#0d1117}}`,
        '.curve{fill:none}text{stroke:none}',
        '</style>',
    ].join('');
}

const round = (x) => String(Math.round(x * 10) / 10);

function document(title, lines) {
    return [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="13" role="img">`,
        `<title>${title}</title>`,
        style(),
        `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
        `<text x="${LEFT}" y="24" font-size="16" font-weight="600">${title}</text>`,
        ...lines,
        '</svg>\n',
    ].join('\n');
}

/** 1, 2 and 5 times powers of ten that enclose the values. */
function logScale(values) {
    const steps = [];
    for (let power = -3; power < 9; power++) for (const step of [1, 2, 5]) steps.push(step * 10 ** power);
    const first = steps.findLastIndex((step) => step <= Math.min(...values));
    const last = steps.findIndex((step) => step >= Math.max(...values));
    const ticks = steps.slice(first, last + 1);
    const [low, high] = [Math.log(ticks[0]), Math.log(ticks.at(-1))];
    return { ticks, place: (value) => INNER_BOTTOM - ((INNER_BOTTOM - TOP) * (Math.log(value) - low)) / (high - low) };
}

function yAxis(scale, label) {
    return [
        ...scale.ticks.flatMap((tick) => {
            const y = round(scale.place(tick));
            return [
                `<line class="grid" x1="${LEFT}" y1="${y}" x2="${INNER_RIGHT}" y2="${y}"/>`,
                `<text x="${LEFT - 8}" y="${round(Number(y) + 4)}" text-anchor="end">${count(tick).replace(/\.0+$/, '')}</text>`,
            ];
        }),
        `<text transform="translate(16 ${round((TOP + INNER_BOTTOM) / 2)}) rotate(-90)" text-anchor="middle">${label}</text>`,
    ];
}

/** Names at the given heights, pushed apart where they would touch. */
function names(labels) {
    const sorted = [...labels].sort((a, b) => a.y - b.y);
    sorted.forEach((label, i) => {
        if (i > 0) label.y = Math.max(label.y, sorted[i - 1].y + 17);
    });
    const overflow = Math.max(0, sorted.at(-1).y - INNER_BOTTOM);
    return sorted.flatMap(({ system, y }) => [
        `<circle class="${kind(system)}" cx="${INNER_RIGHT + 14}" cy="${round(y - overflow)}" r="4"/>`,
        `<text x="${INNER_RIGHT + 24}" y="${round(y - overflow + 4)}" font-weight="600">${system}</text>`,
    ]);
}

/** Recall spreads out towards 1, where it is hard to win. */
export function recallPlot(rows, { threads, clock, title }) {
    const points = select(rows, { workload: 'search', data: /words$/, threads, clock, unit: 'queries/s', parameter: /^ef=/ }).filter(
        (row) => row.recall < 0.9999,
    );
    if (!points.length) return undefined;
    const ticks = [0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995];
    const stretch = (recall) => -Math.log(1 - recall);
    const low = stretch(Math.min(0.6, ...points.map((row) => row.recall)) - 0.005);
    const high = stretch(Math.max(...points.map((row) => row.recall)));
    const x = (recall) => LEFT + ((INNER_RIGHT - LEFT) * (stretch(recall) - low)) / (high - low);
    const y = logScale(points.map((row) => row.median));
    const lines = yAxis(y, clock === 'cpu' ? 'queries per second, by processor time' : 'queries per second');
    for (const tick of ticks.filter((tick) => stretch(tick) > low && stretch(tick) < high)) {
        lines.push(`<line class="grid" x1="${round(x(tick))}" y1="${TOP}" x2="${round(x(tick))}" y2="${INNER_BOTTOM}"/>`);
        lines.push(`<text x="${round(x(tick))}" y="${INNER_BOTTOM + 18}" text-anchor="middle">${String(tick).slice(1)}</text>`);
    }
    lines.push(
        `<text x="${round((LEFT + INNER_RIGHT) / 2)}" y="${HEIGHT - 14}" text-anchor="middle">recall@10 (up and to the right is better)</text>`,
    );
    const labels = [];
    for (const system of systems(points)) {
        const mine = points.filter((row) => row.system === system);
        const places = mine.map((row) => [round(x(row.recall)), round(y.place(row.median))]);
        lines.push(`<path class="curve ${kind(system)}" d="M${places.map((place) => place.join(' ')).join('L')}"/>`);
        for (const [px, py] of places) lines.push(`<circle class="${kind(system)}" cx="${px}" cy="${py}" r="3"/>`);
        labels.push({ system, y: Number(places.at(-1)[1]) });
    }
    return document(title, [...lines, ...names(labels)]);
}

/** Three marks per system, hollow when only readers run, full beside writers. */
export function latencyPlot(rows, { pairs, title }) {
    const all = select(rows, { workload: 'readers-under-writes', unit: 'reads/s', clock: 'wall' });
    const shown = systems(all);
    if (!shown.length) return undefined;
    const percentiles = [
        ['p50_us', 'p50'],
        ['p99_us', 'p99'],
        ['p999_us', 'p99.9'],
    ];
    const at = (system, phase) => one(all, { system, parameter: `${pairs} ${phase}` });
    const values = shown.flatMap((system) =>
        ['idle', 'written'].flatMap((phase) => percentiles.map(([column]) => at(system, phase)[column])),
    );
    const y = logScale(values);
    const lines = yAxis(y, 'microseconds per search');
    percentiles.forEach(([column, name], p) => {
        const width = (INNER_RIGHT - LEFT) / percentiles.length;
        lines.push(`<text x="${round(LEFT + width * (p + 0.5))}" y="${INNER_BOTTOM + 18}" text-anchor="middle">${name}</text>`);
        shown.forEach((system, s) => {
            const x = round(LEFT + width * (p + (s + 1) / (shown.length + 1)));
            const [idle, written] = ['idle', 'written'].map((phase) => round(y.place(at(system, phase)[column])));
            lines.push(`<line class="bar ${kind(system)}" x1="${x}" y1="${idle}" x2="${x}" y2="${written}"/>`);
            lines.push(
                `<circle class="${kind(system)}" cx="${x}" cy="${written}" r="4.5"/><circle class="${kind(system)} hollow" cx="${x}" cy="${idle}" r="4.5"/>`,
            );
        });
    });
    lines.push(
        `<text x="${round((LEFT + INNER_RIGHT) / 2)}" y="${HEIGHT - 14}" text-anchor="middle">hollow: readers alone; full: beside as many writers</text>`,
    );
    return document(title, [...lines, ...names(shown.map((system, i) => ({ system, y: TOP + 12 + 20 * i })))]);
}
