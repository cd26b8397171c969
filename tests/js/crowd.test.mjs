// SPDX-License-Identifier: MIT OR Apache-2.0
/** One writer and many readers on one store; an oracle judges every result. */
import { test } from 'node:test';
import { runCrowd } from './crowd.mjs';
import { CROWD, isRight, isFull } from './support.mjs';

test('one writer and three readers on one store: every result is right', async (t) => {
    isRight(t, await runCrowd({ ...CROWD, ms: isFull ? 60000 : 3000 }));
});
