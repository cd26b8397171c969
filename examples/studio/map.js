// SPDX-License-Identifier: MIT OR Apache-2.0
/** The map's page side: points are drawn by map-worker.js on a canvas given away; the marks above it, and what the pointer is over, are drawn here. */
import { callsTo } from './calls.js';
import { byId, isStill, svg } from './dom.js';
import { count } from './format.js';
import { complain } from './notice.js';

const frame = byId('map');
const canvas = byId('points');
const marks = byId('marks');
const LEAST_WIDTH = 60;
const LABEL_HEIGHT = 15;
const LETTER_WIDTH = 7.2;

/** `onChoose(id)`: a click on a memory. */
export function map({ onChoose }) {
    let spots = [];
    let width;
    let height;
    let under;
    let chosen;
    let nShown = 0;
    const worker = callsTo('map-worker.js', {
        onEvent: (event, detail) => {
            const isOld = detail.width !== width || detail.height !== height; // drawn before the window was resized
            if (event !== 'placed' || isOld) return;
            spots = detail.spots;
            draw();
        },
        onFailure: (message) => complain('The map stopped', new Error(message)),
    });
    const surface = canvas.transferControlToOffscreen();
    worker.send('canvas', [surface], [surface]);

    new ResizeObserver(([{ contentRect }]) => {
        if (contentRect.width < LEAST_WIDTH) return; // hidden, or a window of a pixel
        ({ width, height } = contentRect);
        worker.call('resize', { width, height, ratio: devicePixelRatio });
        marks.setAttribute('viewBox', `0 0 ${width} ${height}`);
    }).observe(frame);

    const dark = matchMedia('(prefers-color-scheme: dark)');
    const sendTheme = () => {
        const style = getComputedStyle(document.documentElement);
        worker.call('theme', { old: style.getPropertyValue('--old'), fresh: style.getPropertyValue('--time-soft') });
    };
    dark.addEventListener('change', sendTheme);
    sendTheme();
    worker.call('still', isStill());

    let isAsking = false;
    frame.addEventListener('pointermove', async ({ offsetX: x, offsetY: y }) => {
        if (isAsking) return;
        isAsking = true;
        under = await worker.call('at', { x, y });
        isAsking = false;
        frame.classList.toggle('over-one', under !== undefined);
        draw();
    });
    frame.addEventListener('pointerleave', () => {
        under = undefined;
        draw();
    });
    frame.addEventListener('click', async ({ offsetX: x, offsetY: y }) => {
        const found = await worker.call('at', { x, y });
        if (found) onChoose(found.id);
    });
    for (const input of document.querySelectorAll('input[name="zoom"]')) {
        input.addEventListener('change', () => worker.call('zoom', input.value === 'hits'));
    }

    /** The first ones get their names, if there is room; the one under the pointer always does. */
    function draw() {
        const taken = [];
        const order = [...spots.filter(({ id }) => id === chosen), ...spots.filter(({ id }) => id !== chosen)];
        const named = new Set(order.filter((spot) => spot.id !== under?.id && takesRoom(spot, taken)).map(({ id }) => id));
        const dots = order.map((spot) => mark(spot, named.has(spot.id), spot.id === chosen ? 'chosen' : '')).reverse();
        marks.replaceChildren(...dots, ...(under ? [mark(under, true, 'under')] : []));
    }

    function tellSize() {
        canvas.setAttribute('aria-label', `Map of ${count(nShown)} memories; the hits are marked. The list has the same, in order.`);
    }

    return {
        async show(points, transfer) {
            nShown = await worker.send('show', [points], transfer);
            byId('map-wait').hidden = true;
            tellSize();
        },
        add(points) {
            nShown += points.ids.length;
            tellSize();
            worker.call('add', points);
        },
        remove: (id) => worker.call('remove', id),
        clock: (hours) => worker.call('clock', hours),
        highlight(ids, theChosen) {
            chosen = theChosen;
            const shown = theChosen === undefined || ids.includes(theChosen) ? ids : [...ids, theChosen];
            worker.call('highlight', shown);
        },
    };
}

const widthOf = (id) => id.length * LETTER_WIDTH;

/** Whether a name fits beside its dot without touching others. */
function takesRoom({ id, x, y }, taken) {
    const box = { left: x + 7, right: x + 9 + widthOf(id), top: y - LABEL_HEIGHT / 2, bottom: y + LABEL_HEIGHT / 2 };
    if (box.right > frame.clientWidth) [box.left, box.right] = [x - 9 - widthOf(id), x - 7];
    if (taken.some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom))
        return false;
    taken.push(box, { left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 });
    return true;
}

function mark({ id, x, y }, isNamed, kind) {
    const isRight = x + 9 + widthOf(id) > frame.clientWidth;
    const name = svg('text', { x: isRight ? x - 8 : x + 8, y: y + 4, 'text-anchor': isRight ? 'end' : 'start' }, id);
    return svg('g', { class: kind }, svg('circle', { class: 'dot', cx: x, cy: y, r: kind === '' ? 4.5 : 6 }), ...(isNamed ? [name] : []));
}
