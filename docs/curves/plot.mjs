// SPDX-License-Identifier: MIT OR Apache-2.0
// plot.mjs [FOLDER] - the curves of docs/TEMPORAL.md as SVG, every point asked of the library itself. `./build.sh curves` runs it; tests/js/curves.test.mjs checks that
// what is committed is what it draws.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChronoMind } from '../../js/dist/index.js';

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const RATES = [0.01, 0.03, 0.1, 0.3, 1]; // per hour
const COLORS = ['#0072b2', '#009e73', '#d55e00', '#cc79a7', '#56b4e9', '#e69f00']; // told apart by colour-blind readers, too

// ---- asking the library -----------------------------------------------------------------------------------------------------------------

/** Recency of a memory by its age, as a search reports it. */
async function recencyCurve(rate, hours) {
    const mind = await ChronoMind.open({ dimensions: 1 });
    hours.forEach((age, i) => {
        mind.insert({ id: `${i}`, vector: [1], decayRate: rate, timestamp: NOW - age * HOUR });
    });
    const hits = mind.search([1], { k: hours.length, temporalWeight: 1, now: NOW, exact: true });
    mind.close();
    const byId = new Map(hits.map((hit) => [hit.id, hit.recency]));
    return hours.map((age, i) => [age, byId.get(`${i}`)]);
}

/** Importance of one memory under a sweep every hour. */
async function importanceCurve(rate, hours) {
    const mind = await ChronoMind.open({ dimensions: 1 });
    mind.insert({ id: 'memory', vector: [1], importance: 1, decayRate: rate, timestamp: NOW });
    const points = hours.map((hour) => {
        mind.applyDecay({ now: NOW + hour * HOUR });
        return [hour, mind.get('memory').importance];
    });
    mind.close();
    return points;
}

/** Importance of a memory that was accessed at some hours, when the first sweep comes at each of the hours given. */
async function accessCurve(rate, hours, accesses) {
    const mind = await ChronoMind.open({ dimensions: 1, maxMemories: 1000 });
    const points = hours.map((hour) => {
        const id = `${hour}`;
        mind.insert({ id, vector: [1], importance: 1, decayRate: rate, timestamp: NOW });
        for (const access of accesses.filter((access) => access <= hour)) mind.access(id, NOW + access * HOUR);
        mind.applyDecay({ now: NOW + hour * HOUR });
        const { importance } = mind.get(id);
        mind.remove(id);
        return [hour, importance];
    });
    mind.close();
    return points;
}

/** The score of three memories as the weight of time grows. */
async function scoreCurves(weights) {
    const mind = await ChronoMind.open({ dimensions: 2 });
    const at = (distance) => [1 - distance, Math.sqrt(1 - (1 - distance) ** 2)]; // a vector at that cosine distance from [1, 0]
    const memories = [
        ['near, a week old', 0.1, 168],
        ['farther, six hours old', 0.4, 6],
        ['far, just now', 0.8, 0],
    ];
    for (const [id, distance, age] of memories) mind.insert({ id, vector: at(distance), timestamp: NOW - age * HOUR });
    const curves = new Map(memories.map(([id]) => [id, []]));
    for (const temporalWeight of weights)
        for (const hit of mind.search([1, 0], { k: 3, temporalWeight, now: NOW })) curves.get(hit.id).push([temporalWeight, hit.score]);
    mind.close();
    return [...curves].map(([label, points]) => ({ label, points }));
}

// ---- drawing ----------------------------------------------------------------------------------------------------------------------------

const WIDTH = 760;
const HEIGHT = 380;
const LEFT = 64;
const RIGHT = 190;
const TOP = 44;
const BOTTOM = 52;

const round = (x) => String(Math.round(x * 100) / 100);

function axes({ title, x, y }) {
    const [right, bottom] = [WIDTH - RIGHT, HEIGHT - BOTTOM];
    const lines = [`<text x="${LEFT}" y="24" font-size="16" font-weight="600">${title}</text>`];
    for (const tick of x.ticks) {
        const at = round(x.place(tick));
        lines.push(`<line x1="${at}" y1="${TOP}" x2="${at}" y2="${bottom}" stroke="#ddd"/>`);
        lines.push(`<text x="${at}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`);
    }
    for (const tick of y.ticks) {
        const at = round(y.place(tick));
        lines.push(`<line x1="${LEFT}" y1="${at}" x2="${right}" y2="${at}" stroke="#ddd"/>`);
        lines.push(`<text x="${LEFT - 8}" y="${round(y.place(tick) + 4)}" text-anchor="end">${tick}</text>`);
    }
    lines.push(`<text x="${round((LEFT + right) / 2)}" y="${HEIGHT - 12}" text-anchor="middle">${x.label}</text>`);
    lines.push(`<text transform="translate(16 ${round((TOP + bottom) / 2)}) rotate(-90)" text-anchor="middle">${y.label}</text>`);
    return lines;
}

/** Labels stand at the ends of their curves, pushed apart where they would touch. */
function labelPlaces(curves, y) {
    const order = curves
        .map((curve, i) => ({ i, at: Math.round(y.place(curve.points.at(-1)[1])) }))
        .sort((a, b) => a.at - b.at || b.i - a.i);
    order.forEach((label, i) => {
        if (i > 0) label.at = Math.max(label.at, order[i - 1].at + 17);
    });
    const overflow = Math.max(0, order.at(-1).at - (HEIGHT - BOTTOM));
    return new Map(order.map((label) => [label.i, label.at - overflow]));
}

function plot({ title, x, y, curves }) {
    x.place = (value) => LEFT + ((WIDTH - LEFT - RIGHT) * (value - x.from)) / (x.to - x.from);
    y.place = (value) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * (value - y.from)) / (y.to - y.from);
    const lines = axes({ title, x, y });
    const places = labelPlaces(curves, y);
    curves.forEach(({ label, points }, i) => {
        const path = points.map(([px, py]) => `${round(x.place(px))} ${round(y.place(py))}`).join('L');
        lines.push(`<path d="M${path}" fill="none" stroke="${COLORS[i]}" stroke-width="2.2"/>`);
        lines.push(`<text x="${WIDTH - RIGHT + 8}" y="${round(places.get(i) + 4)}" fill="${COLORS[i]}" font-weight="600">${label}</text>`);
    });
    return [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="13" role="img">`,
        `<title>${title}</title>`,
        `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
        ...lines,
        '</svg>\n',
    ].join('\n');
}

const range = (from, to, step) => Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);

/** File name to SVG. */
export async function drawAll() {
    const hours = range(0, 72, 1);
    const age = { from: 0, to: 72, ticks: range(0, 72, 12) };
    const share = { from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1] };
    const named = async (curve) => Promise.all(RATES.map(async (rate) => ({ label: `${rate} per hour`, points: await curve(rate) })));
    const accessed = [
        { label: 'never accessed', points: await accessCurve(0.03, hours, []) },
        { label: 'at 24 and 48 hours', points: await accessCurve(0.03, hours, [24, 48]) },
        { label: 'every 6 hours', points: await accessCurve(0.03, hours, range(6, 72, 6)) },
    ];
    return {
        'recency.svg': plot({
            title: 'Recency by age: 0 is fresh, 1 is old',
            x: { ...age, label: 'age in hours' },
            y: { ...share, label: 'recency' },
            curves: await named((rate) => recencyCurve(rate, hours)),
        }),
        'importance.svg': plot({
            title: 'Importance under decay, by decay rate',
            x: { ...age, label: 'hours since the memory was made; a sweep every hour' },
            y: { ...share, label: 'importance' },
            curves: await named((rate) => importanceCurve(rate, hours)),
        }),
        'access.svg': plot({
            title: 'An access begins the interval anew (0.03 per hour, one sweep)',
            x: { ...age, label: 'hours since the memory was made, when the sweep comes' },
            y: { ...share, label: 'importance' },
            curves: accessed,
        }),
        'weight.svg': plot({
            title: 'Who comes first depends on the temporal weight: lower is better',
            x: { from: 0, to: 1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], label: 'temporal weight' },
            y: { ...share, label: 'score' },
            curves: await scoreCurves(range(0, 1, 0.05)),
        }),
    };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const folder = process.argv[2] ?? dirname(fileURLToPath(import.meta.url));
    for (const [name, svg] of Object.entries(await drawAll())) writeFileSync(join(folder, name), svg);
}
