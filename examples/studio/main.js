// SPDX-License-Identifier: MIT OR Apache-2.0
/** The page: what is asked, at which weight and time, and the panels that show the answer. */
import { callsTo } from './calls.js';
import { drawCurves } from './curves.js';
import { details } from './details.js';
import { byId, element } from './dom.js';
import { clock, count, megabytes, score, times } from './format.js';
import { keep } from './keep.js';
import { live } from './live.js';
import { map } from './map.js';
import { HOUR, KINDS, START, TEMPORAL_WEIGHT } from './memories.js';
import { complain, trying } from './notice.js';
import { ranking } from './ranking.js';
import { buffersOf } from './points.js';

const K = 10;
const SAY_MS = 500;

const studio = byId('studio');
const query = byId('query');
const asked = { text: '', weight: TEMPORAL_WEIGHT, hours: 0, kind: '' };
let answer = { hits: [], words: [], unknown: [] };

const now = () => START + asked.hours * HOUR;

const store = callsTo('store-worker.js', {
    onEvent: onStoreEvent,
    onFailure: (message) => {
        studio.dataset.state = 'failed';
        complain('The store stopped', new Error(message));
    },
});

const theMap = map({ onChoose: (id) => choose(id) });

const list = ranking({
    onOpen: (id) => choose(id),
    onPoint: () => mark(),
    onLeave: () => query.focus(),
});

const memory = details(store, {
    now,
    partner: (id) => answer.hits.find((hit) => hit.id !== id)?.id,
    onChanged: ask,
    onRemoved(id) {
        theMap.remove(id);
        list.choose(undefined);
        showSize();
        ask();
        query.focus();
    },
    onSearch(text) {
        query.value = text;
        query.dispatchEvent(new Event('input'));
        query.focus();
    },
    onOpen: (id) => choose(id),
    onLeave: () => list.focus(),
});

const keeper = keep(store, {
    now,
    async onReplaced(summary) {
        showSummary(summary);
        runner.startOver();
        await showAll();
    },
    onChanged: () => memory.refresh(),
    onMerged: showAll,
});

// ---- asking -----------------------------------------------------------------------------------------------------------------------------

let isAsking = false;
let isStale = false;

/** One search at a time, and after it the newest wish: what was typed between is not asked. */
async function ask() {
    if (studio.dataset.state === 'loading' && !isOpen) return;
    isStale = true;
    if (isAsking) return;
    isAsking = true;
    while (isStale) {
        isStale = false;
        const wish = { text: asked.text, k: K, temporalWeight: asked.weight, now: now(), ...(asked.kind && { context: asked.kind }) };
        const found =
            wish.text.trim() === ''
                ? { hits: [], words: [], unknown: [] }
                : await trying('Searching failed', () => store.call('search', wish));
        if (found === undefined) continue;
        answer = found;
        show();
    }
    isAsking = false;
    studio.dataset.answered = JSON.stringify(asked);
}

function show() {
    const { hits, words, unknown, ms, strategy, size } = answer;
    list.show(hits, emptyText());
    byId('reading').textContent = readingOf(words, unknown);
    byId('report').textContent =
        ms === undefined ? '' : `${ms.toFixed(2)} ms over ${times(size, 'memory', 'memories')} (${STRATEGIES[strategy]})`;
    mark();
    sayLater();
}

const STRATEGIES = { graph: 'by nearness', streams: 'by nearness and by time', scan: 'all looked at', none: 'nothing to look at' };

function emptyText() {
    if (asked.text.trim() === '') return 'Type a word, or some.';
    return answer.words.length === 0 ? 'No word that is known here begins so. Try a simpler one.' : 'No memory of this kind is there.';
}

function readingOf(words, unknown) {
    const typed = asked.text.trim().toLowerCase();
    const isAsTyped = words.join(' ') === typed.split(/\s+/).join(' ');
    return [words.length > 0 && !isAsTyped && `read as ${words.join(' + ')}`, unknown.length > 0 && `not known: ${unknown.join(', ')}`]
        .filter(Boolean)
        .join('; ');
}

/** What depends on the row in question. */
function mark() {
    const { hits } = answer;
    const chosen = list.chosen;
    drawCurves({ hits, chosen: hits.some(({ id }) => id === chosen) ? chosen : undefined, weight: asked.weight });
    theMap.highlight(
        hits.map(({ id }) => id),
        chosen,
    );
}

/** Screen readers hear the result when the typing pauses. */
let sayTimer;
function sayLater() {
    clearTimeout(sayTimer);
    sayTimer = setTimeout(() => {
        const [best] = answer.hits;
        byId('said').textContent = best
            ? `${times(answer.hits.length, 'result')}. Best: ${best.id}, score ${score(best.score)}.`
            : emptyText();
    }, SAY_MS);
}

async function choose(id) {
    list.choose(id);
    mark();
    await memory.open(id);
}

// ---- what is asked ----------------------------------------------------------------------------------------------------------------------

function dial(id, name, text) {
    const input = byId(id);
    const take = () => {
        asked[name] = input.valueAsNumber;
        byId(`${id}-value`).textContent = text(asked[name]);
        input.setAttribute('aria-valuetext', text(asked[name]));
        ask();
    };
    input.addEventListener('input', take);
    return take;
}

byId('weight').value = asked.weight;
const takeWeight = dial('weight', 'weight', (weight) => weight.toFixed(2));
const takeClock = dial('clock', 'hours', clock);
byId('clock').addEventListener('input', () => {
    theMap.clock(asked.hours);
    memory.refresh();
});

query.addEventListener('input', () => {
    asked.text = query.value;
    ask();
});

query.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') {
        event.preventDefault();
        list.focus();
    } else if (event.key === 'Enter' && answer.hits.length > 0) choose(answer.hits[0].id);
    else if (event.key === 'Escape' && query.value !== '') {
        query.value = '';
        query.dispatchEvent(new Event('input'));
    }
});

document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || /^(text|search)$/.test(event.target.type ?? '')) return;
    event.preventDefault();
    query.focus();
    query.select();
});

for (const [value, text] of [['', 'all'], ...KINDS.map(({ name }) => [name, name])]) {
    const input = element('input', { type: 'radio', name: 'kind', value, checked: value === '' });
    input.addEventListener('change', () => {
        asked.kind = value;
        ask();
    });
    byId('kinds').append(element('label', {}, input, element('span', {}, text)));
}

// ---- loading ----------------------------------------------------------------------------------------------------------------------------

let isOpen = false;
let runner;

function onStoreEvent(event, detail) {
    if (event === 'progress') showProgress(detail);
    if (event === 'counts') runner.take(detail);
    if (event === 'inserted') theMap.add(detail);
}

const STAGES = {
    fetch: ({ done, of }) => `Loading word vectors: ${Math.round((100 * done) / of)} %`,
    insert: ({ done, of }) => `Inserting: ${count(done)} of ${count(of)} memories. You can search already.`,
};

function showProgress(progress) {
    byId('summary').textContent = STAGES[progress.stage](progress);
    if (progress.stage === 'insert') {
        isOpen = true;
        ask();
    }
}

function showSummary({ memories, bytes, build }) {
    const how = build === 'threads' ? 'shared memory' : 'single-threaded';
    byId('summary').textContent = `${times(memories, 'memory', 'memories')} · ${megabytes(bytes)} · ${how}`;
}

async function showSize() {
    const summary = await trying('Counting failed', () => store.call('summary'));
    if (summary) showSummary(summary);
}

async function showAll() {
    const points = await store.call('points');
    await theMap.show(points, buffersOf(points));
    await showSize();
    await ask();
    await memory.refresh();
}

function showExamples(words) {
    const buttons = words.map((word) =>
        element(
            'button',
            {
                type: 'button',
                class: 'link',
                onclick: () => {
                    query.value = word;
                    query.dispatchEvent(new Event('input'));
                },
            },
            word,
        ),
    );
    byId('examples').append(...buttons.flatMap((button) => [' ', button]));
    byId('examples').hidden = words.length === 0;
    if (query.value === '') buttons[0]?.click();
}

async function begin() {
    takeWeight();
    takeClock();
    const config = await (await fetch('/studio.json')).json();
    const started = await store.call('start', config);
    isOpen = true;
    const canShare = started.build === 'threads';
    if (!canShare) {
        byId('alone').textContent = `Single-threaded: ${started.reason}.`;
        byId('alone').hidden = false;
    }
    runner = live(store, {
        canShare,
        from: config.words,
        onInserted: (points) => theMap.add(points),
        onRunning: (isRunning) => keeper.live(isRunning),
        onTick: showSize,
        onStopped() {
            showSize();
            ask();
        },
    });
    showExamples(started.examples);
    await showAll();
    await keeper.ready(canShare);
    studio.dataset.state = 'ready';
    byId('said').textContent = `Ready: ${byId('summary').textContent}.`;
}

begin().catch((error) => {
    studio.dataset.state = 'failed';
    byId('summary').textContent = 'It did not start.';
    complain('The studio did not start', error);
});
