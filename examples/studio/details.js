// SPDX-License-Identifier: MIT OR Apache-2.0
/** One memory: what the store holds of it, and what can be done with it. */
import { byId, element } from './dom.js';
import { duration, moment, times } from './format.js';
import { BASE_DECAY_RATE, HOUR, recencyOf } from './memories.js';
import { trying } from './notice.js';

const panel = byId('details');
const title = byId('details-title');
const body = byId('details-body');

/** `now()`: the page's clock in milliseconds; `partner()`: an id to suggest as relationship; `onChanged`, `onRemoved(id)`, `onSearch(text)`, `onLeave()`. */
export function details(store, { now, partner, onChanged, onRemoved, onSearch, onOpen, onLeave }) {
    let shown;

    panel.addEventListener('keydown', (event) => {
        if (event.key === 'Escape') onLeave();
    });

    function button(text, action, kind = '') {
        return element('button', { type: 'button', class: kind, onclick: action }, text);
    }

    function show(memory) {
        shown = memory;
        panel.classList.toggle('full', memory !== undefined);
        title.textContent = memory?.id ?? 'Memory';
        if (memory === undefined) {
            return body.replaceChildren(element('p', { class: 'quiet' }, 'Enter on a result, or a click on the map, shows a memory here.'));
        }
        body.replaceChildren(facts(memory), ...relations(memory), actions(memory), button('Back to the results', onLeave, 'link back'));
    }

    async function change(doing, ...call) {
        const focused = document.activeElement?.dataset.keep;
        const memory = await trying(doing, () => store.call(...call));
        if (memory === undefined) return;
        show(memory);
        if (focused) body.querySelector(`[data-keep="${focused}"]`)?.focus();
        onChanged();
    }

    function facts(memory) {
        const rate = memory.decayRate || BASE_DECAY_RATE;
        const age = Math.max(0, (now() - memory.createdAt) / HOUR);
        const rows = [
            ['Kind', `${memory.context}, half old after ${duration(Math.LN2 / rate)}`],
            ['Created', `${moment(memory.createdAt)}, ${duration(age)} ago`],
            ['Recency', `${recencyOf(rate, age).toFixed(3)} at the clock's time`],
            ['Importance', memory.importance.toFixed(3)],
            ['Accessed', memory.accessCount === 0 ? 'never' : `${times(memory.accessCount, 'time')}, last ${moment(memory.accessedAt)}`],
        ];
        return element('dl', { class: 'facts' }, ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));
    }

    function relations(memory) {
        const { id, related, relationships } = memory;
        const rows = related.map(({ id: other, depth }) =>
            element(
                'li',
                {},
                button(other, () => onOpen(other), 'link'),
                ...(depth > 1 ? [element('span', { class: 'quiet' }, `${depth} steps away`)] : []),
                ...(relationships.includes(other)
                    ? [
                          element(
                              'button',
                              {
                                  type: 'button',
                                  class: 'link',
                                  'aria-label': `Unrelate ${other}`,
                                  onclick: () => change('Unrelating failed', 'unrelate', id, other),
                              },
                              'Unrelate',
                          ),
                      ]
                    : []),
            ),
        );
        const input = element('input', {
            type: 'text',
            id: 'relate-to',
            maxlength: 120,
            autocomplete: 'off',
            value: partner(id) ?? '',
            'data-keep': 'relate',
        });
        const relate = async (event) => {
            event.preventDefault();
            const to = input.value.trim();
            if (to !== '') await change('Relating failed', 'relate', id, to);
        };
        return [
            element(
                'label',
                { class: 'field', for: 'relate-to' },
                related.length === 0 ? 'Leads to nothing yet. Relate it to' : 'Leads to these. Relate it to',
            ),
            element('form', { class: 'relate', onsubmit: relate }, input, element('button', { type: 'submit' }, 'Relate')),
            element('ul', { class: 'related' }, ...rows),
        ];
    }

    function actions({ id }) {
        const remove = async () => {
            const gone = await trying('Deleting failed', () => store.call('remove', id));
            if (gone === undefined) return;
            show(undefined);
            onRemoved(id);
        };
        return element(
            'div',
            { class: 'controls' },
            element(
                'button',
                { type: 'button', 'data-keep': 'access', onclick: () => change('Accessing failed', 'access', id, now()) },
                'Access',
            ),
            button('Search like this', () => onSearch(id)),
            button('Delete', remove, 'danger'),
        );
    }

    show(undefined);
    return {
        async open(id, { focus = true } = {}) {
            const memory = await trying('Reading the memory failed', () => store.call('describe', id));
            show(memory);
            if (focus && memory !== undefined) panel.focus();
        },
        /** The same memory as it is now, and at another time. */
        async refresh() {
            if (shown === undefined || panel.contains(document.activeElement)) return;
            show(await trying('Reading the memory failed', () => store.call('describe', shown.id)));
        },
        get id() {
            return shown?.id;
        },
    };
}
