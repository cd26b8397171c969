// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * OPFS and IndexedDB in pages and in workers: the storage contract (tests/js/storage-contract.mjs), reloads, several tabs, no room, missing interfaces.
 * Deaths in the middle of a save are in storage-deaths.test.mjs. Not here: a disk that loses what the system was told to keep.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { behaviours, SEED } from '../js/storage-contract.mjs';
import { rejects } from '../js/support.mjs';
import { browserFor, serve } from './support.mjs';

const KINDS = ['opfs', 'idb'];
const HOSTS = { page: 'run', worker: 'work' };

const CONTRACT = readFileSync(new URL('../js/storage-contract.mjs', import.meta.url), 'utf8');

async function runBehaviour(chronomind, [title, kind]) {
    const { behaviours } = await import('/contract.js');
    const module = await import(`/dist/storage/${kind}.js`);
    await behaviours[title](chronomind, () => module[`${kind}Storage`](title));
}

const chromium = browserFor('chromium');

for (const browser of [chromium, browserFor('firefox')]) {
    for (const kind of KINDS) {
        for (const [host, run] of Object.entries(HOSTS)) {
            browser.test(`${kind} in a ${host}`, async (t) => {
                t.diagnostic(`seed ${SEED}`);
                const tab = await browser.open(t, await serve(t, { pages: { '/contract.js': CONTRACT } }));
                for (const title of Object.keys(behaviours)) await t.test(title, () => tab[run](runBehaviour, [title, kind]));
                assert.deepEqual(tab.messages, []);
            });
        }

        browser.test(`${kind}: a reload, another tab and a worker find what was saved; another origin does not`, async (t) => {
            const site = await serve(t);
            const tab = await browser.open(t, site);
            await tab.run(saveOne, [kind, 'first', 'agents/a.chrono']);
            await tab.reload();
            assert.deepEqual(await tab.run(idsAt, [kind, 'agents/a.chrono']), ['first']);
            await tab.work(saveOne, [kind, 'second', 'agents/a.chrono']);
            const other = await browser.open(t, site, { beside: tab });
            assert.deepEqual(await other.run(idsAt, [kind, 'agents/a.chrono']), ['first', 'second']);
            assert.deepEqual(await other.work(idsAt, [kind, 'agents/a.chrono']), ['first', 'second']);
            const stranger = await browser.open(t, await serve(t), { beside: tab });
            await rejects('CM_E_IO', /nothing was saved there/, () => stranger.run(idsAt, [kind, 'agents/a.chrono']));
        });
    }
}

/** Adds one memory to what is at a place. */
async function saveOne({ ChronoMind }, [kind, id, name]) {
    const mind = await ChronoMind.open({ dimensions: 4, [kind]: name });
    mind.insert({ id, vector: [1, 2, 3, 4] });
    await mind.save();
    mind.close();
}

async function idsAt({ ChronoMind }, [kind, name]) {
    const mind = await ChronoMind.load({ [kind]: name }, { readOnly: true });
    mind.check();
    const ids = [...mind].map(({ id }) => id).sort();
    mind.close();
    return ids;
}

/** Keeps a store open in the page. */
async function hold({ ChronoMind }, place) {
    globalThis.mind = await ChronoMind.open({ dimensions: 4, ...place });
    return globalThis.mind.size;
}

async function insertAndSave(_, id) {
    globalThis.mind.insert({ id, vector: [1, 2, 3, 4] });
    await globalThis.mind.save();
}

for (const kind of KINDS) {
    const place = { [kind]: 'shared' };

    chromium.test(`${kind}: of two tabs one writes; the other is told so, may read, and follows when the first has closed`, async (t) => {
        const site = await serve(t);
        const first = await chromium.open(t, site);
        const second = await chromium.open(t, site, { beside: first });
        await first.run(hold, place);
        await first.run(insertAndSave, 'a');
        await rejects('CM_E_LOCKED', /shared is open for writing in another tab.*readOnly: true/, () => second.run(hold, place));
        await rejects('CM_E_LOCKED', /another tab/, () => second.work(saveOne, [kind, 'b', 'shared']));
        assert.equal(await second.run(hold, { ...place, readOnly: true }), 1);
        await rejects('CM_E_READ_ONLY', /readOnly/, () => second.run(insertAndSave, 'b'));
        await first.run(insertAndSave, 'c');
        assert.deepEqual(await second.run(idsAt, [kind, 'shared']), ['a', 'c'], 'a reader finds the last save');
        assert.equal(await second.run(hold, { [kind]: 'of its own' }), 0, 'another name is another lock');
        await first.run(() => globalThis.mind.close());
        assert.equal(await second.run(hold, place), 2);
        await second.run(insertAndSave, 'd');
        await rejects('CM_E_LOCKED', /another tab/, () => first.run(hold, place));
    });

    chromium.test(`${kind}: readers in another tab find whole snapshots while one saves`, async (t) => {
        const site = await serve(t);
        const writer = await chromium.open(t, site);
        const other = await chromium.open(t, site, { beside: writer });
        await writer.run(saveOne, [kind, 'first', 'shared']);
        const saving = writer.work(async ({ ChronoMind }, at) => {
            const mind = await ChronoMind.open({ ...at, maxMemories: 2000 });
            for (let i = 0; i < 40; i++) {
                for (let j = 0; j < 25; j++) mind.insert({ id: `m${i}-${j}`, vector: [i, j, 1, 1], text: 'x'.repeat(2000) });
                await mind.save();
            }
            mind.close();
        }, place);
        let isOver = false;
        const over = saving.finally(() => (isOver = true));
        over.catch(() => {});
        let n = 0;
        const sizes = new Set();
        while (!isOver && n++ < 5000) sizes.add(await other[n % 4 === 0 ? 'work' : 'run'](sizeAt, place));
        await over;
        for (const size of sizes) assert.equal(size % 25, 1, `${size} memories`);
        assert.equal(await other.run(sizeAt, place), 1001);
        t.diagnostic(`${n} reads, ${sizes.size} different snapshots seen of 41`);
        assert.ok(sizes.size >= 3, 'the reads were in the middle');
    });

    for (const [host, run] of Object.entries(HOSTS)) {
        chromium.test(`${kind} in a ${host}: no room is CM_E_QUOTA; the old snapshot and the store stay`, async (t) => {
            const site = await serve(t);
            const tab = await chromium.open(t, site);
            await tab.limitStorage(6 << 20); // before the first use: Chromium remembers for a while how much was left
            await tab.run(saveOne, [kind, 'old', 'shared']);
            const report = await tab[run](async ({ ChronoMind }, at) => {
                const mind = await ChronoMind.open(at);
                const noise = () => String.fromCharCode(...crypto.getRandomValues(new Uint8Array(1 << 14)).map((byte) => byte & 127)); // not to be compressed
                for (let i = 0; i < 12; i++)
                    mind.insert({ id: `large ${i}`, vector: [1, 2, 3, 4], text: Array.from({ length: 60 }, noise).join('') });
                const { code, message } = await mind.save().catch((error) => error);
                for (let i = 0; i < 12; i++) mind.remove(`large ${i}`);
                const said = [code, message, mind.size];
                mind.close();
                return said;
            }, place);
            assert.equal(report[0], 'CM_E_QUOTA', report[1]);
            assert.match(report[1], /shared.*no more storage.*persist\(\)/);
            assert.equal(report[2], 1);
            assert.deepEqual(await tab.run(idsAt, [kind, 'shared']), ['old']);
            if (kind === 'idb') return; // which gives back the room of what was refused when it likes
            await tab[run](saveOne, [kind, 'young', 'shared']);
            assert.deepEqual(await tab.run(idsAt, [kind, 'shared']), ['old', 'young'], 'nothing of the large one takes room');
        });
    }
}

async function sizeAt({ ChronoMind }, place) {
    const mind = await ChronoMind.load(place, { readOnly: true });
    const { size } = mind;
    mind.check();
    mind.close();
    return size;
}

chromium.test('a browser without an interface says which, and what to use', async (t) => {
    const tab = await chromium.open(t, await serve(t));
    const without = async ({ ChronoMind }, [owner, name, place]) => {
        Object.defineProperty(
            owner.split('.').reduce((object, key) => object[key], globalThis),
            name,
            { value: undefined },
        );
        const mind = await ChronoMind.open({ dimensions: 4, ...place });
        await mind.save();
        mind.close();
    };
    const opfs = { opfs: 'x' };
    await rejects('CM_E_ENVIRONMENT', /no origin private file system/, () =>
        tab.work(without, ['StorageManager.prototype', 'getDirectory', opfs]),
    );
    await rejects('CM_E_ENVIRONMENT', /cannot move files/, () => tab.work(without, ['FileSystemFileHandle.prototype', 'move', opfs]));
    await rejects('CM_E_ENVIRONMENT', /no IndexedDB/, () => tab.work(without, ['globalThis', 'indexedDB', { idb: 'x' }]));
    await rejects('CM_E_ENVIRONMENT', /no file system.*\{ opfs \}, \{ idb \}/, () => tab.run(hold, { path: 'x' }));
});

chromium.test('without Web Locks nobody is kept out, and of two writers the last wins', async (t) => {
    const tab = await chromium.open(t, await serve(t));
    for (const kind of KINDS) {
        const sizes = await tab.work(
            async ({ ChronoMind }, at) => {
                Object.defineProperty(Object.getPrototypeOf(navigator), 'locks', { value: undefined, configurable: true });
                const minds = [await ChronoMind.open({ dimensions: 2, ...at }), await ChronoMind.open({ dimensions: 2, ...at })];
                minds[1].insert({ id: 'a', vector: [1, 2] });
                for (const mind of minds) await mind.save();
                const last = await ChronoMind.load(at);
                return [minds[0].size, minds[1].size, last.size];
            },
            { [kind]: 'free' },
        );
        assert.deepEqual(sizes, [0, 1, 1]);
    }
});

chromium.test('a page in an opaque origin has no storage, and is told so', async (t) => {
    const pages = { '/frame.html': '<!doctype html><iframe sandbox="allow-scripts" src="/"></iframe>' };
    const headers = { 'Access-Control-Allow-Origin': '*' };
    const tab = await chromium.open(t, await serve(t, { isolated: false, headers, pages }), { path: '/frame.html' });
    const codes = await tab.page.frames()[1].evaluate(async () => {
        const { ChronoMind } = await import('/dist/index.js');
        const failure = (place) => ChronoMind.open(place).catch(({ code, message }) => code ?? message);
        return [await failure({ opfs: 'x' }), await failure({ idb: 'x' })];
    });
    assert.deepEqual(codes, ['CM_E_ENVIRONMENT', 'CM_E_ENVIRONMENT']);
});
