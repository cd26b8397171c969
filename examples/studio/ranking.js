// SPDX-License-Identifier: MIT OR Apache-2.0
/** The list of hits: rows glide to their new places, and every row says why it is there. A listbox with one place for Tab, and arrows inside. */
import { byId, element, isStill } from './dom.js';
import { score, shortDuration } from './format.js';

const GLIDE = { duration: 320, easing: 'cubic-bezier(0.2, 0.7, 0.2, 1)' };

const list = byId('results');

/** Rows by id. */
const rows = new Map();
let ranks = new Map();
let chosen;

/** `onOpen(id)`: Enter or click; `onPoint(id)`: the row in question changed; `onLeave()`: up, out of the list. */
export function ranking({ onOpen, onPoint, onLeave }) {
    list.addEventListener('click', (event) => {
        const row = event.target.closest('.hit');
        if (row) onOpen(row.dataset.id);
    });
    list.addEventListener('focusin', ({ target }) => {
        if (target === list) (current() ?? list.firstElementChild)?.focus?.();
        else if (target.dataset.id !== undefined) point(target.dataset.id);
    });
    list.addEventListener('keydown', (event) => {
        const row = event.target.closest('.hit');
        if (row === null) return;
        const last = list.lastElementChild;
        const steps = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling, Home: list.firstElementChild, End: last };
        if (event.key in steps) {
            event.preventDefault();
            if (event.key === 'ArrowUp' && row === list.firstElementChild) onLeave();
            else steps[event.key]?.focus();
        } else if (event.key === 'Enter' || event.key === ' ') {
            event.preventDefault();
            onOpen(row.dataset.id);
        } else if (event.key === 'Escape') onLeave();
    });

    function current() {
        return rows.get(chosen);
    }

    function point(id) {
        if (chosen === id) return;
        chosen = id;
        mark();
        onPoint(id);
    }

    function mark() {
        const isThere = rows.has(chosen);
        for (const [id, row] of rows) {
            row.setAttribute('aria-selected', String(id === chosen));
            row.tabIndex = id === chosen || (!isThere && row === list.firstElementChild) ? 0 : -1;
        }
        list.tabIndex = -1;
    }

    return {
        show(hits, emptyText) {
            const before = new Map([...rows].map(([id, row]) => [id, row.offsetTop]));
            const hadFocus = list.contains(document.activeElement) && document.activeElement !== list;
            const scale = Math.max(...hits.map((hit) => hit.score), 0.001);
            const fresh = new Map(hits.map((hit, i) => [hit.id, rows.get(hit.id) ?? emptyRow(hit.id, i)]));
            hits.forEach((hit, i) => {
                fillRow(fresh.get(hit.id), hit, i, ranks.get(hit.id), scale);
            });
            list.replaceChildren(...fresh.values());
            list.hidden = hits.length === 0;
            byId('empty').hidden = hits.length > 0;
            byId('empty').textContent = emptyText;
            rows.clear();
            for (const [id, row] of fresh) rows.set(id, row);
            ranks = new Map(hits.map((hit, i) => [hit.id, i]));
            mark();
            if (hadFocus) (current() ?? list.querySelector('.hit'))?.focus();
            if (!isStill() && before.size > 0) glide(before);
        },
        choose(id) {
            chosen = id;
            mark();
        },
        focus() {
            (current() ?? list.querySelector('.hit'))?.focus();
        },
        get chosen() {
            return chosen;
        },
    };
}

function emptyRow(id) {
    const bar = element(
        'span',
        { class: 'bar', 'aria-hidden': 'true' },
        element('i', { class: 'meaning' }),
        element('i', { class: 'time' }),
    );
    const name = element('span', {}, element('span', { class: 'word' }, id), element('span', { class: 'age' }));
    return element(
        'div',
        { class: 'hit', role: 'option', 'data-id': id },
        element('span', { class: 'rank' }),
        name,
        bar,
        element('span', { class: 'score' }),
    );
}

function fillRow(row, hit, rank, rankBefore, scale) {
    const { distancePart, recencyPart, ageHours } = hit.why;
    row.querySelector('.rank').replaceChildren(String(rank + 1), ...changeOf(rank, rankBefore));
    row.querySelector('.age').textContent = `${hit.context} · ${shortDuration(ageHours)} old`;
    row.querySelector('.bar .meaning').style.width = `${(100 * Math.max(0, distancePart)) / scale}%`;
    row.querySelector('.bar .time').style.width = `${(100 * recencyPart) / scale}%`;
    row.querySelector('.score').replaceChildren(
        element('b', {}, score(hit.score)),
        element(
            'small',
            {},
            element('span', { class: 'meaning' }, score(distancePart)),
            ' + ',
            element('span', { class: 'time' }, score(recencyPart)),
        ),
    );
}

function changeOf(rank, before) {
    if (before === undefined || before === rank) return [];
    const [text, kind, word] = before > rank ? [`▲${before - rank}`, 'up', 'up'] : [`▼${rank - before}`, 'down', 'down'];
    return [element('small', { class: kind, 'aria-label': `${word} ${Math.abs(before - rank)}`, role: 'img' }, text)];
}

/** Every row comes from where it was; new ones fade in. */
function glide(before) {
    for (const [id, row] of rows) {
        const from = before.get(id);
        if (from === undefined) row.animate([{ opacity: 0 }, { opacity: 1 }], GLIDE);
        else if (from !== row.offsetTop)
            row.animate([{ transform: `translateY(${from - row.offsetTop}px)` }, { transform: 'none' }], GLIDE);
    }
}
