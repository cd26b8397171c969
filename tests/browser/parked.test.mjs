// SPDX-License-Identifier: MIT OR Apache-2.0
/** The main thread of a page never blocks: it inserts, searches and all the rest while a worker sleeps before any step, or has died there (tests/js/parked.mjs). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { built, isFull } from '../js/support.mjs';
import { browserFor, serve } from './support.mjs';

const steps = { '/steps.wasm': readFileSync(built('build/wasm/chronomind-steps.wasm', 'run ./build.sh wasm --steps')) };

/** In the page: everything on its main thread, where Atomics.wait throws. */
async function parkBesideThePage(_, { strideAlive, strideDead }) {
    const { Harness } = await import('/tests/js/parked.mjs');
    let waits = 'allowed';
    try {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    } catch {
        waits = 'refused';
    }
    const parked = await Harness.open(await WebAssembly.compileStreaming(fetch('/steps.wasm')));
    const undisturbed = parked.undisturbed();
    let most = 0;
    const say = () => {
        most = Math.max(most, parked.most);
    };
    const alive = await parked.everywhere({ fate: 'goes on', stride: strideAlive, first: 2, say });
    const dead = await parked.everywhere({ fate: 'dies', stride: strideDead, first: 3, say });
    const [free, lock] = [await parked.heldUp(0), await parked.heldUp(1)];
    await parked.close();
    return { waits, undisturbed, most, alive, dead, free, lock };
}

for (const browser of [browserFor('chromium'), browserFor('firefox')]) {
    const stride = (short, full) => (isFull && browser.name === 'chromium' ? full : short);
    browser.test('the main thread goes on beside a worker that sleeps before any step, or died there', async (t) => {
        const tab = await browser.open(t, await serve(t, { pages: steps }));
        const said = await tab.run(parkBesideThePage, { strideAlive: stride(61, 7), strideDead: stride(293, 41) });
        t.diagnostic(
            `${said.alive} steps alive, ${said.dead} dead; at most ${said.most} steps beside them, ${said.undisturbed} undisturbed`,
        );
        t.diagnostic(
            `one rwlock: held up at ${said.lock.nHeldUp} of ${said.lock.nSteps} steps; lock-free: ${said.free.nHeldUp} of ${said.free.nSteps}`,
        );
        assert.equal(said.waits, 'refused', 'this is a main thread');
        assert.ok(said.alive > 100 && said.dead > 30, JSON.stringify(said));
        assert.ok(said.lock.nHeldUp > said.lock.nSteps / 2);
        assert.equal(said.free.nHeldUp, 0);
    });
}
