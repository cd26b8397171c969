// SPDX-License-Identifier: MIT OR Apache-2.0
/** A worker parked, or dead, before the atomic steps of every operation holds up nobody; one lock is caught by the same harness. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Harness } from './parked.mjs';
import { built, isFull } from './support.mjs';

const [LOCK_FREE, RWLOCK] = [0, 1];

async function harness(t) {
    const file = built('build/wasm/chronomind-steps.wasm', 'run ./build.sh wasm --steps');
    const opened = await Harness.open(new WebAssembly.Module(readFileSync(file)));
    t.after(() => opened.close());
    return opened;
}

/** Parks before every `stride`-th step: in the long form before each. */
async function parkEverywhere(t, fate, stride) {
    const parked = await harness(t);
    t.diagnostic(`undisturbed, an operation takes at most ${parked.undisturbed()} steps`);
    const start = performance.now();
    const nRounds = await parked.everywhere({ fate, stride, say: (line) => t.diagnostic(line) });
    t.diagnostic(`${nRounds} steps, ${parked.nWorkers} workers, ${((performance.now() - start) / 1000).toFixed(1)} s`);
    return { nRounds, nWorkers: parked.nWorkers };
}

test('a worker parked at any step holds up nobody, and goes on', async (t) => {
    const stride = isFull ? 1 : 7;
    const { nRounds } = await parkEverywhere(t, 'goes on', stride);
    assert.ok(nRounds > 8000 / stride, `${nRounds} rounds`);
});

test('a worker terminated at any step holds up nobody', async (t) => {
    const stride = isFull ? 7 : 151;
    const { nRounds, nWorkers } = await parkEverywhere(t, 'dies', stride);
    assert.ok(nRounds > 8000 / stride && nWorkers >= nRounds, `${nRounds} rounds, ${nWorkers} workers`);
});

test('the harness catches a lock', async (t) => {
    const parked = await harness(t);
    const lock = await parked.heldUp(RWLOCK);
    t.diagnostic(`one rwlock: a search is held up at ${lock.nHeldUp} of the ${lock.nSteps} steps of an insert`);
    assert.ok(lock.nSteps > 20 && lock.nHeldUp > lock.nSteps / 2);
    const free = await parked.heldUp(LOCK_FREE);
    t.diagnostic(`lock-free: at ${free.nHeldUp} of ${free.nSteps}`);
    assert.ok(free.nSteps > 20);
    assert.equal(free.nHeldUp, 0);
});
