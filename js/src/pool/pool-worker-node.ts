// SPDX-License-Identifier: MIT OR Apache-2.0
/** The worker of a pool in Node. */
import { parentPort } from 'node:worker_threads';
import { provideHost } from '../host.js';
import { host } from '../host-node.js';
import { answer } from './answer.js';
import type { Answer, Task } from './protocol.js';

provideHost(host);

let last = Promise.resolve();
parentPort?.on('message', (task: Task) => {
    last = last.then(async () => parentPort?.postMessage((await answer(task)) satisfies Answer));
});
