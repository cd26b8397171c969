// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * Deaths in the middle of a save: a worker is terminated, a tab closed, its process or the whole browser killed, while the save stands at a known call
 * into the browser. The old snapshot must be whole, the lock free, and the next save must work. Chromium only: Firefox cannot be made to crash from here.
 */
import assert from 'node:assert/strict';
import { rejects } from '../js/support.mjs';
import { browserFor, profileFor, serve } from './support.mjs';

const chromium = browserFor('chromium');

const STANDING = 'in the middle of a save';

const RUNS = { page: 'run', worker: 'work' };

/** Saves what a later snapshot must not be mistaken for, and says how many memories it has. */
async function saveOld({ ChronoMind }, place) {
    const mind = await ChronoMind.open({ dimensions: 1024, maxMemories: 2000, efConstruction: 8, m: 4, ...place });
    for (let i = 0; i < 300; i++) mind.insert({ id: `old ${i}`, vector: new Float32Array(1024).fill(i + 1), context: 'old' });
    await mind.save();
    mind.close();
    return 300;
}

/**
 * Begins a save of twice as much that stands still at the nth call of a method: for ever when the method answers at once, else by never answering.
 * method: "FileSystemFileHandle.move"
 */
async function standStill({ ChronoMind }, [place, method, n, standing]) {
    const mind = await ChronoMind.open(place);
    for (let i = 0; i < 300; i++) mind.insert({ id: `new ${i}`, vector: new Float32Array(1024).fill(-i), context: 'new' });
    const [type, name] = method.split('.');
    const { prototype } = globalThis[type];
    const original = prototype[name];
    const answersAtOnce = type === 'FileSystemSyncAccessHandle' || type === 'IDBObjectStore';
    let count = 0;
    prototype[name] = function (...args) {
        if (++count !== n) return original.apply(this, args);
        console.log(standing);
        while (answersAtOnce);
        return new Promise(() => {});
    };
    await mind.save();
    throw new Error(`${method} was called ${count} times only`);
}

/** What is there, and that it can be replaced, by less than what the dead one left. */
async function recover({ ChronoMind }, place) {
    const [[kind, name]] = Object.entries(place);
    await navigator.locks.request(`chronomind:${kind}:${name}`, () => undefined); // waits until the browser has buried the dead
    const mind = await ChronoMind.open(place);
    const { live } = mind.check();
    const contexts = mind.stats().contexts;
    mind.insert({ id: 'after', vector: new Float32Array(1024).fill(1) });
    await mind.save();
    mind.close();
    const again = await ChronoMind.load(place);
    again.check();
    const said = { live, contexts, again: again.size, after: again.has('after') };
    again.close();
    return said;
}

const RECOVERED = { live: 300, contexts: [{ context: 'old', memories: 300 }], again: 301, after: true };

const OPFS = { opfs: 'agents/m.chrono' };
const IDB = { idb: 'm' };

/** [place, host, method, which call of it] */
const STANDS = [
    [OPFS, 'worker', 'FileSystemSyncAccessHandle.write', 2],
    [OPFS, 'worker', 'FileSystemSyncAccessHandle.flush', 1],
    [OPFS, 'worker', 'FileSystemFileHandle.move', 1],
    [OPFS, 'page', 'FileSystemWritableFileStream.write', 2],
    [OPFS, 'page', 'FileSystemFileHandle.move', 1],
    [IDB, 'worker', 'IDBObjectStore.put', 2],
    [IDB, 'page', 'IDBObjectStore.put', 2],
];

for (const [place, host, method, n] of STANDS) {
    const where = `${Object.keys(place)} in a ${host}, at ${method} ${n}`;
    const begin = async (tab) => {
        assert.equal(await tab.work(saveOld, place), 300);
        const arg = [place, method, n, STANDING];
        const work = host === 'worker' ? tab.startWork(standStill, arg) : { result: tab.run(standStill, arg) };
        await Promise.race([tab.said(STANDING), work.result.then(() => {})]);
        work.result.catch(() => {}); // it died
        return work;
    };

    if (host === 'worker') {
        chromium.test(`${where}: the worker is terminated`, async (t) => {
            const tab = await chromium.open(t, await serve(t));
            const work = await begin(tab);
            await rejects('CM_E_LOCKED', /another tab/, () => tab.work(recoverAtOnce, place));
            await work.terminate();
            assert.deepEqual(await tab[RUNS[host]](recover, place), RECOVERED);
        });
    }

    chromium.test(`${where}: the process of the page is killed`, async (t) => {
        const tab = await chromium.open(t, await serve(t));
        const crash = await tab.crasher();
        await begin(tab);
        const next = await chromium.open(t, tab.site, { beside: tab });
        await crash();
        assert.deepEqual(await next[RUNS[host]](recover, place), RECOVERED);
    });
}

async function recoverAtOnce({ ChronoMind }, place) {
    await ChronoMind.open(place);
}

for (const [place, host, method, n] of [STANDS[0], STANDS[2], STANDS[4], STANDS[5]]) {
    chromium.test(`${Object.keys(place)} in a ${host}, at ${method}: the browser is killed, and started again`, async (t) => {
        const profile = profileFor(t, await serve(t));
        const tab = await profile.open();
        const kill = await profile.killer(tab);
        await tab.work(saveOld, place);
        const arg = [place, method, n, STANDING];
        const result = host === 'worker' ? tab.startWork(standStill, arg).result : tab.run(standStill, arg);
        result.catch(() => {});
        await tab.said(STANDING);
        await kill();
        assert.deepEqual(await (await profile.open())[RUNS[host]](recover, place), RECOVERED);
    });
}

for (const place of [OPFS, IDB]) {
    for (const [host, run] of Object.entries(RUNS)) {
        chromium.test(`${Object.keys(place)} in a ${host}: what save() acknowledged is there after the browser is killed`, async (t) => {
            const profile = profileFor(t, await serve(t));
            const tab = await profile.open();
            const kill = await profile.killer(tab);
            await tab[run](saveOld, place);
            await kill();
            assert.deepEqual(await (await profile.open()).run(recover, place), RECOVERED);
        });
    }

    chromium.test(`${Object.keys(place)}: a tab that is closed or reloaded with the store open leaves the lock`, async (t) => {
        const first = await chromium.open(t, await serve(t));
        await first.work(saveOld, place);
        const hold = async ({ ChronoMind }, at) => {
            globalThis.mind = await ChronoMind.open(at);
        };
        for (let i = 0; i < 3; i++) {
            await first.run(hold, place);
            await first.reload();
        }
        await first.run(hold, place);
        const second = await chromium.open(t, first.site, { beside: first });
        await rejects('CM_E_LOCKED', /another tab/, () => second.run(hold, place));
        await first.page.close();
        assert.deepEqual(await second.run(recover, place), RECOVERED);
    });
}
