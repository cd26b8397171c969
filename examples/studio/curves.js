// SPDX-License-Identifier: MIT OR Apache-2.0
/** Two charts that explain the order: recency by age, a curve for each kind, and the score of every hit by the temporal weight. */
import { byId, svg } from './dom.js';
import { duration } from './format.js';
import { KINDS, recencyOf } from './memories.js';

const BOX = { left: 30, right: 334, top: 10, bottom: 192 };
const AGES = [
    [1, '1 h'],
    [6, '6 h'],
    [24, '1 day'],
    [168, '1 week'],
    [720, '1 month'],
];
const OLDEST = 2160;

/** Logarithmic: a month and an hour have to be seen on one chart. */
const xOfAge = (hours) => BOX.left + ((BOX.right - BOX.left) * Math.log(Math.min(OLDEST, Math.max(1, hours)))) / Math.log(OLDEST);
const xOfWeight = (weight) => BOX.left + (BOX.right - BOX.left) * weight;
const yOf = (share) => BOX.bottom - (BOX.bottom - BOX.top) * share;

function line(x1, y1, x2, y2, kind) {
    return svg('line', { x1, y1, x2, y2, class: kind });
}

function label(x, y, text, anchor = 'middle', kind = '') {
    return svg('text', { x, y, 'text-anchor': anchor, class: kind }, text);
}

function shares() {
    return [0, 0.5, 1].flatMap((share) => [
        line(BOX.left, yOf(share), BOX.right, yOf(share), 'chart-grid'),
        label(BOX.left - 6, yOf(share) + 4, String(share), 'end'),
    ]);
}

function curveOf(rate) {
    const points = Array.from({ length: 90 }, (_, i) => OLDEST ** (i / 89));
    return svg('path', { class: 'chart-curve', d: `M${points.map((age) => `${xOfAge(age).toFixed(1)},${yOf(recencyOf(rate, age)).toFixed(1)}`).join('L')}` });
}

/** Where a kind's name stands free of the other curves. */
function nameOf({ name, rate }) {
    const age = Math.LN2 / rate;
    return label(xOfAge(age) - 6, yOf(0.5) - 6, name, 'end', 'strong');
}

const kindOf = (id, chosen) => (id === chosen ? ' chosen' : '');

function drawDecay(hits, chosen) {
    const dots = hits.map(({ id, why, recency }) =>
        svg('circle', { cx: xOfAge(why.ageHours), cy: yOf(recency), r: id === chosen ? 5 : 4, class: `chart-dot${kindOf(id, chosen)}` }),
    );
    const the = hits.find(({ id }) => id === chosen) ?? hits[0];
    const chart = byId('decay');
    chart.replaceChildren(
        ...shares(),
        ...AGES.map(([hours, text]) => label(xOfAge(hours), BOX.bottom + 18, text, hours === 1 ? 'start' : 'middle')),
        ...KINDS.map(({ rate }) => curveOf(rate)),
        ...KINDS.map(nameOf),
        ...dots,
        ...(the ? [label(Math.min(BOX.right - 4, Math.max(BOX.left + 4, xOfAge(the.why.ageHours))), labelY(the.recency), the.id, sideOf(xOfAge(the.why.ageHours)), 'strong')] : []),
    );
    const kinds = KINDS.map(({ name, halfOld }) => `${name}: half old after ${halfOld}`).join('; ');
    const where = the ? ` ${the.id} is ${duration(the.why.ageHours)} old, recency ${the.recency.toFixed(2)}.` : '';
    chart.setAttribute('aria-label', `Recency by age, 0 fresh, 1 old. ${kinds}.${where}`);
}

const labelY = (share) => (share > 0.85 ? yOf(share) + 18 : yOf(share) - 9);
const sideOf = (x) => (x > (BOX.left + BOX.right) / 2 ? 'end' : 'start');

/** Half the distance without time, recency with nothing else: straight lines between. */
function drawWeights(hits, chosen, weight) {
    const kindOfLine = (id, i) => `chart-line${i === 0 ? ' first' : ''}${kindOf(id, chosen)}`;
    const chart = byId('weights');
    chart.replaceChildren(
        ...shares(),
        ...[0, 0.25, 0.5, 0.75, 1].map((w) => label(xOfWeight(w), BOX.bottom + 18, String(w))),
        ...hits.map(({ id, distance, recency }, i) => line(xOfWeight(0), yOf(distance / 2), xOfWeight(1), yOf(recency), kindOfLine(id, i))).reverse(),
        line(xOfWeight(weight), BOX.top, xOfWeight(weight), BOX.bottom, 'chart-now'),
        ...hits.map(({ id, score }) => svg('circle', { cx: xOfWeight(weight), cy: yOf(score), r: id === chosen ? 5 : 3.5, class: `chart-dot${kindOf(id, chosen)}` })).reverse(),
        ...(hits[0] ? [label(xOfWeight(weight) + (weight > 0.6 ? -9 : 9), yOf(hits[0].score) + (hits[0].score > 0.12 ? 16 : -8), hits[0].id, weight > 0.6 ? 'end' : 'start', 'strong')] : []),
    );
    chart.setAttribute('aria-label', `Score by temporal weight, a line for each of ${hits.length} hits. At weight ${weight} the lowest is ${hits[0]?.id ?? 'none'}.`);
}

export function drawCurves({ hits, chosen, weight }) {
    drawDecay(hits, chosen);
    drawWeights(hits, chosen, weight);
}
