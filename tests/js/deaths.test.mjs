// SPDX-License-Identifier: MIT OR Apache-2.0
/** Workers that are terminated at random moments: the store stays whole, what they held is reclaimed, and their places are used again. */
import { test } from 'node:test';
import { runDeaths } from './deaths.mjs';
import { isFull, isWhole } from './support.mjs';

test('workers terminated at random moments leave a store that is whole', async (t) => {
    isWhole(t, await runDeaths({ nDeaths: isFull ? 200 : 40, seed: 3 }));
});
