// SPDX-License-Identifier: MIT OR Apache-2.0
/** The worker of a pool, which ends without a word in the middle of its n-th task, n being DIE_AFTER in the environment. Joining is task 0. */
import { parentPort } from 'node:worker_threads';

const after = Number(process.env.DIE_AFTER);
let n = 0;
await import('../../js/dist/pool/pool-worker-node.js'); // first: whoever listens starts the flow of messages
parentPort.on('message', () => {
    if (n++ === after) process.exit(3);
});
