// SPDX-License-Identifier: MIT OR Apache-2.0
/** Two charts that explain the order: recency by age, a curve for each kind, and the score of every hit by the temporal weight. */
import { byId, svg } from './dom.js';
import { duration } from './format.js';
import { KINDS, recencyOf } from './memories.js';

const BOX = { left: 28, right: 264, top: 10, bottom: 184 };
const AGES = [
    [1, '1 h'],
    [6, '6 h'],
    [24, 'day'],
    [168, 'week'],
    [720, 'month'],
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

/** Three lines across, up to `top`. */
function shares(top = 1) {
    return [0, top / 2, top].flatMap((share) => [
        line(BOX.left, yOf(share / top), BOX.right, yOf(share / top), 'chart-grid'),
        label(BOX.left - 5, yOf(share / top) + 4, String(share).replace(/^0\./, '.'), 'end'),
    ]);
}

function curveOf(rate) {
    const points = Array.from({ length: 90 }, (_, i) => OLDEST ** (i / 89));
    return svg('path', {
        class: 'chart-curve',
        d: `M${points.map((age) => `${xOfAge(age).toFixed(1)},${yOf(recencyOf(rate, age)).toFixed(1)}`).join('L')}`,
    });
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
        ...AGES.map(([hours, text]) => label(xOfAge(hours), BOX.bottom + 17, text, hours === 1 ? 'start' : 'middle')),
        ...KINDS.map(({ rate }) => curveOf(rate)),
        ...KINDS.map(nameOf),
        ...dots,
        ...(the ? [nameAt(xOfAge(the.why.ageHours), the.recency, the.id)] : []),
    );
    const kinds = KINDS.map(({ name, halfOld }) => `${name}: half old after ${halfOld}`).join('; ');
    const where = the ? ` ${the.id} is ${duration(the.why.ageHours)} old, recency ${the.recency.toFixed(2)}.` : '';
    chart.setAttribute('aria-label', `Recency by age, 0 fresh, 1 old. ${kinds}.${where}`);
}

/** A name beside a point, on the side and at the height where there is room. */
function nameAt(x, share, text) {
    const isRight = x > (BOX.left + BOX.right) / 2;
    const y = share > 0.85 ? yOf(share) + 18 : yOf(share) - 9;
    return label(isRight ? x - 4 : x + 4, y, text, isRight ? 'end' : 'start', 'strong');
}

/** The end of the scale: crossings have to be seen where all scores are low. */
function topOf(hits) {
    const most = Math.max(0, ...hits.flatMap(({ distance, recency }) => [distance / 2, recency]));
    return [0.25, 0.5].find((top) => most <= top) ?? 1;
}

/** Half the distance without time, recency with nothing else: straight lines between. */
function drawWeights(hits, chosen, weight) {
    const top = topOf(hits);
    const y = (share) => yOf(share / top);
    const the = hits.find(({ id }) => id === chosen) ?? hits[0];
    const chart = byId('weights');
    const lines = hits.map(({ id, distance, recency }, i) =>
        line(xOfWeight(0), y(distance / 2), xOfWeight(1), y(recency), `chart-line${i === 0 ? ' first' : ''}${kindOf(id, chosen)}`),
    );
    const dots = hits.map(({ id, score }) =>
        svg('circle', { cx: xOfWeight(weight), cy: y(score), r: id === chosen ? 5 : 3.5, class: `chart-dot${kindOf(id, chosen)}` }),
    );
    chart.replaceChildren(
        ...shares(top),
        ...[0, 0.25, 0.5, 0.75, 1].map((w) => label(xOfWeight(w), BOX.bottom + 17, String(w).replace(/^0\./, '.'))),
        ...lines.reverse(),
        line(xOfWeight(weight), BOX.top, xOfWeight(weight), BOX.bottom, 'chart-now'),
        ...dots.reverse(),
        ...(the ? [nameAt(xOfWeight(weight), the.score / top, the.id)] : []),
    );
    const best = hits[0] ? ` At weight ${weight} the lowest is ${hits[0].id}.` : '';
    chart.setAttribute('aria-label', `Score by temporal weight, a line for each of ${hits.length} hits.${best}`);
}

export function drawCurves({ hits, chosen, weight }) {
    drawDecay(hits, chosen);
    drawWeights(hits, chosen, weight);
}
