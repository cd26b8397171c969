// SPDX-License-Identifier: MIT OR Apache-2.0
/** The map: two principal components of all vectors, drawn on the page's canvas from here; finds what is under the pointer. */
import { serveCalls, tell } from './calls.js';
import { HOUR, recencyOf, START } from './memories.js';
import { principalAxes, projected } from './projection.js';

/** Shades from old to fresh. */
const SHADES = 8;
const NEAR_PX = 14;
const MARK_PX = 7;
const MARGIN_PX = 18;
const MOVE_MS = 350;

/** What is known of every memory, by place. */
const points = { ids: [], x: [], y: [], rates: [], created: [] };
const placeOf = new Map();
let axes;
let canvas;
let context;
let size = { width: 1, height: 1, ratio: 1 };
let theme = { old: '#888888', fresh: '#cc6600' };
let hours = 0;
let hits = [];
let isAroundHits = false;
/** Map coordinates of the middle, and pixels per unit. */
let view = { x: 0, y: 0, scale: 1 };
let isStill = false;
let isDue = false;
let move;

// ---- where things are -------------------------------------------------------------------------------------------------------------------

/** The view of a box, at least `least` wide in map units. */
function viewOf(xs, ys, least) {
    const [left, right] = extent(xs);
    const [bottom, top] = extent(ys);
    const scale = Math.min(
        (size.width - 2 * MARGIN_PX) / Math.max(right - left, least),
        (size.height - 2 * MARGIN_PX) / Math.max(top - bottom, least),
    );
    return { x: (left + right) / 2, y: (bottom + top) / 2, scale };
}

function extent(numbers) {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const x of numbers) {
        low = Math.min(low, x);
        high = Math.max(high, x);
    }
    return [low, high];
}

function targetView() {
    const places = hits.flatMap((id) => placeOf.get(id) ?? []);
    if (!isAroundHits || places.length === 0) return points.ids.length === 0 ? view : viewOf(points.x, points.y, 0.01);
    const around = viewOf(
        places.map((i) => points.x[i]),
        places.map((i) => points.y[i]),
        0.05,
    );
    return { ...around, scale: around.scale * 0.8 };
}

function onScreen(i) {
    return { x: size.width / 2 + (points.x[i] - view.x) * view.scale, y: size.height / 2 - (points.y[i] - view.y) * view.scale };
}

function nearest(places, { x, y }, within) {
    let best;
    let least = within ** 2;
    for (const i of places) {
        const place = onScreen(i);
        const d = (place.x - x) ** 2 + (place.y - y) ** 2;
        if (d < least) [best, least] = [{ id: points.ids[i], ...place }, d];
    }
    return best;
}

// ---- drawing ----------------------------------------------------------------------------------------------------------------------------

function draw() {
    isDue = false;
    if (context === undefined) return;
    if (move !== undefined) stepMove();
    context.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    const side = Math.min(4, Math.max(1.4, 260 / Math.sqrt(points.ids.length + 1)));
    placesByShade().forEach((places, shade) => {
        context.fillStyle = `color-mix(in srgb, ${theme.fresh} ${(100 * shade) / (SHADES - 1)}%, ${theme.old})`;
        context.globalAlpha = 0.4 + (0.5 * shade) / (SHADES - 1);
        for (const i of places) {
            const { x, y } = onScreen(i);
            context.fillRect(x - side / 2, y - side / 2, side, side);
        }
    });
    const spots = hits.flatMap((id) => (placeOf.has(id) ? [{ id, ...onScreen(placeOf.get(id)) }] : []));
    tell('placed', { width: size.width, height: size.height, spots });
    if (move !== undefined) redraw();
}

/** Fresh ones last, on top; cubed, because only what is quite fresh is to stand out. */
function placesByShade() {
    const now = START + hours * HOUR;
    const shades = Array.from({ length: SHADES }, () => []);
    for (let i = 0; i < points.ids.length; i++) {
        if (points.ids[i] === undefined) continue;
        const freshness = 1 - recencyOf(points.rates[i], (now - points.created[i]) / HOUR);
        shades[Math.min(SHADES - 1, Math.floor(freshness ** 3 * SHADES))].push(i);
    }
    return shades;
}

function redraw() {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(draw);
}

function goTo(target) {
    if (isStill) view = target;
    else move = { from: view, to: target, begun: performance.now() };
    redraw();
}

function stepMove() {
    const t = Math.min(1, (performance.now() - move.begun) / MOVE_MS);
    const eased = 1 - (1 - t) ** 3;
    const { from, to } = move;
    const between = (a, b) => a + (b - a) * eased;
    view = { x: between(from.x, to.x), y: between(from.y, to.y), scale: from.scale * (to.scale / from.scale) ** eased };
    if (t === 1) move = undefined;
}

// ---- what the page asks for -------------------------------------------------------------------------------------------------------------

function append({ ids, dimensions, vectors, rates, created }) {
    axes ??= principalAxes(vectors, dimensions);
    const { x, y } = projected(vectors, dimensions, axes);
    ids.forEach((id, i) => {
        placeOf.set(id, points.ids.length);
        points.ids.push(id);
        points.x.push(x[i]);
        points.y.push(y[i]);
        points.rates.push(rates[i]);
        points.created.push(created[i]);
    });
}

serveCalls({
    canvas(given) {
        canvas = given;
        context = canvas.getContext('2d');
    },
    /** Everything anew. */
    show(all) {
        for (const list of Object.values(points)) list.length = 0;
        placeOf.clear();
        append(all);
        move = undefined;
        view = targetView();
        redraw();
        return points.ids.length;
    },
    add(more) {
        append(more);
        redraw();
    },
    remove(id) {
        const i = placeOf.get(id);
        if (i === undefined) return;
        points.ids[i] = undefined;
        placeOf.delete(id);
        redraw();
    },
    resize(given) {
        size = given;
        canvas.width = Math.round(size.width * size.ratio);
        canvas.height = Math.round(size.height * size.ratio);
        move = undefined;
        view = targetView();
        draw();
    },
    theme(given) {
        theme = given;
        redraw();
    },
    still(given) {
        isStill = given;
    },
    clock(given) {
        hours = given;
        redraw();
    },
    highlight(ids) {
        hits = ids;
        if (isAroundHits) goTo(targetView());
        else redraw();
    },
    zoom(around) {
        isAroundHits = around;
        goTo(targetView());
    },
    /** The memory at a pixel, or the nearest one not far from it; a marked one before those that lie below its mark. */
    at(pixel) {
        return (
            nearest(
                hits.flatMap((id) => placeOf.get(id) ?? []),
                pixel,
                MARK_PX,
            ) ?? nearest(placeOf.values(), pixel, NEAR_PX)
        );
    },
});
