// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The package in real browsers: the right build with and without isolation, what the console says, content security policies, and the quickstart.
 * Not here: storage (storage.test.mjs), and all that is the same in every host (tests/js).
 */
import assert from 'node:assert/strict';
import { rejects } from '../js/support.mjs';
import { browserFor, serve } from './support.mjs';

/** Opens, inserts, searches, saves to bytes and loads them; says what came out. */
async function firstUse({ ChronoMind }) {
    const mind = await ChronoMind.open({ dimensions: 4, maxMemories: 1000 });
    for (let i = 0; i < 200; i++) mind.insert({ id: `m${i}`, vector: [i + 1, 1, 0, 0], text: `text ${i}` });
    const [hit] = mind.search([1, 1, 0, 0], { k: 3, temporalWeight: 0 });
    const copy = await ChronoMind.load(mind.toBytes());
    copy.check();
    const said = { build: mind.build, hit: hit.id, text: hit.text, size: copy.size, isolated: crossOriginIsolated };
    for (const store of [copy, mind]) store.close();
    return said;
}

/** A worker that joins the store it is sent. */
const ATTACH = `
import { ChronoMind } from '/dist/index.js';
onmessage = async ({ data }) => {
    const mind = await ChronoMind.attach(data);
    const { size } = mind;
    mind.insert({ id: 'from the worker', vector: [0, 1] });
    mind.close();
    postMessage(size);
};`;

const EXPECTED = { hit: 'm0', text: 'text 0', size: 200 };

const chromium = browserFor('chromium');

for (const browser of [chromium, browserFor('firefox')]) {
    browser.test('an isolated page and its workers get the threads build, and the console stays empty', async (t) => {
        t.diagnostic(`${browser.name} ${browser.version()}`);
        const tab = await browser.open(t, await serve(t));
        const expected = { ...EXPECTED, build: 'threads', isolated: true };
        assert.deepEqual(await tab.run(firstUse), expected);
        assert.deepEqual(await tab.work(firstUse), expected);
        assert.deepEqual(tab.messages, []);
    });

    browser.test('another page gets the single-thread build, and one advice on the console', async (t) => {
        const tab = await browser.open(t, await serve(t, { isolated: false }));
        const expected = { ...EXPECTED, build: 'single-thread', isolated: false };
        assert.deepEqual(await tab.run(firstUse), expected);
        assert.deepEqual(await tab.run(firstUse), expected);
        assert.deepEqual(await tab.work(firstUse), expected);
        assert.equal(tab.messages.length, 1, JSON.stringify(tab.messages));
        assert.equal(tab.messages[0].type, 'info');
        assert.match(tab.messages[0].text, /single-threaded.*Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy/);
    });

    browser.test('a worker of the browser uses the store of the page', async (t) => {
        const tab = await browser.open(t, await serve(t, { pages: { '/attach.js': ATTACH } }));
        const sizes = await tab.run(async ({ ChronoMind }) => {
            const mind = await ChronoMind.open({ dimensions: 2, maxMemories: 100 });
            mind.insert({ id: 'from the page', vector: [1, 0] });
            const worker = new Worker('/attach.js', { type: 'module' });
            const answer = new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
            worker.postMessage(mind.share());
            const seen = await answer;
            worker.terminate();
            mind.check();
            const said = [seen, mind.size, mind.has('from the worker')];
            mind.close();
            return said;
        });
        assert.deepEqual(sizes, [1, 2, true]);
    });
}

chromium.test("a content security policy needs 'wasm-unsafe-eval' and no more; without it the error says so", async (t) => {
    const allowed = await chromium.open(
        t,
        await serve(t, { csp: "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src data:" }),
    );
    assert.deepEqual(await allowed.run(firstUse), { ...EXPECTED, build: 'threads', isolated: true });
    const refused = await chromium.open(t, await serve(t, { csp: "default-src 'self'; img-src data:" }));
    await rejects('CM_E_ENVIRONMENT', /wasm-unsafe-eval/, () => refused.run(firstUse));
});

chromium.test('the files as published run behind an import map', async (t) => {
    const map = JSON.stringify({ imports: { chronomind: '/published/web.js' } });
    const page = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${map}</script>`;
    const tab = await chromium.open(t, await serve(t, { pages: { '/mapped.html': page } }), { path: '/mapped.html' });
    const size = await tab.page.evaluate(async () => {
        const { ChronoMind } = await import('chronomind');
        const mind = await ChronoMind.open({ dimensions: 2 });
        mind.insert({ id: 'note-1', vector: [1, 2], text: 'a note' });
        return mind.size;
    });
    assert.equal(size, 1);
});
