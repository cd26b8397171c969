// SPDX-License-Identifier: MIT OR Apache-2.0
/** N workers search while one inserts, all in one store. Where nothing can be shared the store's own worker does both by turns. */
import { byId, element } from './dom.js';
import { count, times } from './format.js';
import { complain, trying } from './notice.js';
import { atWork } from './seat.js';

const N_QUERIES = 256;
const N_SPARKS = 60;
const TICK_MS = 250;

const toggle = byId('live-toggle');
const input = byId('workers');
const report = byId('live-report');

/** Counts that only grow, and their rate over the last second or so. */
class Meter {
    #samples = [];
    n = 0;
    wrong = 0;

    take({ n, wrong = 0 }) {
        Object.assign(this, { n, wrong });
        this.#samples.push([performance.now(), n]);
        if (this.#samples.length > 6) this.#samples.shift();
    }

    get rate() {
        const [first, last] = [this.#samples[0], this.#samples.at(-1)];
        return this.#samples.length < 2 || last[0] === first[0] ? 0 : ((last[1] - first[1]) * 1000) / (last[0] - first[0]);
    }
}

/** `from`: the first word that the page did not load; `onInserted(points)`; `onRunning(isRunning)`; `onTick()` every second; `onStopped()`. */
export function live(store, { canShare, from, onInserted, onRunning, onTick, onStopped }) {
    let next = from;
    let crew = [];
    let timer;
    let inserting;
    const history = { searches: [], inserts: [] };

    input.value = canShare ? Math.max(2, Math.min(4, navigator.hardwareConcurrency - 1)) : 1;
    input.disabled = !canShare;
    if (!canShare) byId('live-what').textContent = 'One worker searches and inserts by turns: this page cannot share memory.';
    toggle.disabled = false;

    const ofRole = (role) => crew.filter((member) => member.role === role);
    const sum = (members, of) => members.reduce((total, member) => total + of(member.meter), 0);

    /** It counts until it is stopped, or fails. */
    async function member(role, argument) {
        const meter = new Meter();
        const { worker, end } = await atWork(store, role, [argument], (event, detail) => {
            if (event === 'counts') meter.take(detail);
            if (event === 'inserted') onInserted(detail);
        });
        return { role, meter, worker, end: end.catch((error) => complain(`A worker that was to ${role} failed`, error)) };
    }

    async function startShared(n) {
        const ids = await store.call('sample', N_QUERIES);
        for (let i = 0; i < n; i++) crew.push(await member('search', ids));
        const inserter = await member('insert', next);
        crew.push(inserter);
        inserting = inserter.end;
    }

    function startAlone() {
        crew = ['search', 'insert'].map((role) => ({ role, meter: new Meter() }));
        inserting = trying('Searching and inserting by turns failed', () => store.call('liveAlone', next));
    }

    async function start() {
        const n = Math.max(1, Math.min(16, Math.round(input.valueAsNumber) || 1));
        input.value = n;
        history.searches.length = 0;
        history.inserts.length = 0;
        report.textContent = '';
        toggle.disabled = true;
        onRunning(true);
        await trying('Starting workers failed', () => (canShare ? startShared(n) : startAlone()));
        toggle.disabled = false;
        toggle.textContent = 'Stop';
        let nTicks = 0;
        timer = setInterval(() => {
            show();
            if (++nTicks % 4 === 0) onTick();
        }, TICK_MS);
        const mine = inserting;
        mine?.then((result) => {
            if (result !== undefined && timer !== undefined && inserting === mine) said(result);
        });
    }

    /** The inserting worker may come to an end before the others. */
    function said({ reason }) {
        if (reason !== 'stopped') report.textContent = `Inserting has ended: ${reason}.`;
    }

    async function stop() {
        toggle.disabled = true;
        clearInterval(timer);
        timer = undefined;
        if (canShare) for (const { worker } of crew) worker.call('stop').catch(() => {});
        else await store.call('stopAlone');
        const inserted = await inserting;
        if (inserted) next = inserted.at;
        await Promise.all(crew.map(({ end }) => end));
        show();
        const [searches, inserts, wrong] = [
            sum(ofRole('search'), (m) => m.n),
            sum(ofRole('insert'), (m) => m.n),
            sum(ofRole('search'), (m) => m.wrong),
        ];
        crew = [];
        inserting = undefined;
        const check = await trying('The store is not sound', () => store.call('check'));
        if (check) {
            const soundness = wrong === 0 ? 'every answer in order' : `${count(wrong)} answers WRONG`;
            report.textContent = `${times(searches, 'search', 'searches')} and ${times(inserts, 'insert')}: ${soundness}; store checked, ${times(check.live, 'memory', 'memories')}, ${count(check.unreachable)} unreachable.`;
            report.classList.toggle('good', wrong === 0 && check.unreachable === 0);
        }
        toggle.textContent = 'Start';
        toggle.disabled = false;
        onRunning(false);
        onStopped();
    }

    function show() {
        const rates = { searches: sum(ofRole('search'), (m) => m.rate), inserts: sum(ofRole('insert'), (m) => m.rate) };
        for (const [name, rate] of Object.entries(rates)) {
            byId(`${name}-rate`).textContent = count(rate);
            history[name].push(rate);
            if (history[name].length > N_SPARKS) history[name].shift();
            spark(byId(`${name}-spark`), history[name]);
        }
        const searchers = ofRole('search');
        byId('each').replaceChildren(
            ...(searchers.length > 1
                ? searchers.map(({ meter }, i) =>
                      element('li', {}, element('span', {}, `worker ${i + 1}`), element('span', {}, `${count(meter.rate)}/s`)),
                  )
                : []),
        );
    }

    toggle.addEventListener('click', () => (timer === undefined ? start() : stop()));

    return {
        /** Counts of the store's own worker, where it works alone. */
        take: ({ role, ...counts }) => ofRole(role)[0]?.meter.take(counts),
        /** Another store is there: from the first word on, those that it has are passed over. */
        startOver() {
            next = from;
        },
    };
}

function spark(chart, rates) {
    const most = Math.max(...rates, 1);
    const points = rates.map((rate, i) => `${((i * 120) / (N_SPARKS - 1)).toFixed(1)},${(30 - (28 * rate) / most).toFixed(1)}`);
    chart.firstElementChild.setAttribute('d', points.length > 1 ? `M${points.join('L')}` : '');
}
