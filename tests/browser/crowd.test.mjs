// SPDX-License-Identifier: MIT OR Apache-2.0
/** In a browser: one writer and many readers on the store of a page, under an oracle, and workers that are terminated at random moments (tests/js/crowd.mjs, deaths.mjs). */
import assert from 'node:assert/strict';
import { CROWD, isFull, isRight, isWhole } from '../js/support.mjs';
import { browserFor, serve } from './support.mjs';

const browsers = [browserFor('chromium'), browserFor('firefox')];

for (const browser of browsers) {
    const isChromium = browser.name === 'chromium';
    browser.test('one writer and three readers on the store of a page: every result is right', async (t) => {
        const tab = await browser.open(t, await serve(t));
        const ms = isChromium ? (isFull ? 60000 : 3000) : 1000;
        const said = await tab.run(async (_, options) => (await import('/tests/js/crowd.mjs')).runCrowd(options), { ...CROWD, ms });
        isRight(t, said);
        assert.deepEqual(tab.messages, []);
    });

    browser.test('workers terminated at random moments: the store stays whole, their places come back', async (t) => {
        const tab = await browser.open(t, await serve(t));
        const nDeaths = isChromium ? (isFull ? 200 : 40) : 10;
        isWhole(t, await tab.run(async (_, options) => (await import('/tests/js/deaths.mjs')).runDeaths(options), { nDeaths, seed: 7 }));
    });

    browser.test('a terminated worker that goes on harms nobody: its place is taken back when it has ended', async (t) => {
        const tab = await browser.open(t, await serve(t));
        const { refusedMs, takenBackMs, afterwards, live } = await tab.run(async ({ ChronoMind }) => {
            const { startWorker } = await import('/tests/js/anywhere.mjs');
            const mind = await ChronoMind.open({ dimensions: 4, maxMemories: 1000, maxThreads: 2 });
            const words = new Int32Array(new SharedArrayBuffer(16));
            const shared = mind.share();
            const worker = startWorker(new URL('/tests/js/deaf-worker.mjs', location.href));
            worker.ask('goOn', { shared, words }).catch(() => {});
            while (Atomics.load(words, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
            const start = performance.now();
            await worker.terminate();
            let isBack = false;
            const back = mind.abandon(shared).then(() => {
                isBack = true;
                return performance.now() - start;
            });
            let refusedMs;
            while (!isBack) {
                if (Atomics.load(words, 1) > 0) refusedMs ??= performance.now() - start;
                await new Promise((resolve) => setTimeout(resolve, 1));
            }
            const takenBackMs = await back;
            const nTurns = Atomics.load(words, 2);
            mind.share(); // there is one place for a worker
            await new Promise((resolve) => setTimeout(resolve, 50));
            const afterwards = Atomics.load(words, 2) - nTurns;
            const { live } = mind.check();
            mind.close();
            return { refusedMs, takenBackMs, afterwards, live };
        });
        t.diagnostic(`refused ${refusedMs} ms after terminate(), place taken back after ${takenBackMs} ms`);
        assert.equal(afterwards, 0, 'it does nothing any more');
        assert.ok(takenBackMs < 10000 && live <= 1);
    });
}
