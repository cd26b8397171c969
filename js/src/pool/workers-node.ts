// SPDX-License-Identifier: MIT OR Apache-2.0
/** Node: worker_threads. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Workers } from './protocol.js';

/** `node --input-type=module -e ...` is for the program alone: a worker is a file. */
const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--input-type'));

export const workers: Workers = {
    parallelism: availableParallelism(),

    start(url, { onAnswer, onEnd }) {
        const worker = new Worker(url ?? new URL('./pool-worker-node.js', import.meta.url), { execArgv });
        worker.on('message', onAnswer);
        worker.on('error', (error) => onEnd(error.message));
        worker.on('messageerror', (error) => onEnd(error.message));
        worker.on('exit', (status) => onEnd(`it ended with status ${status}`));
        worker.unref(); // a pool that nobody closed does not keep the program running; a task that is waited for does
        return {
            post(task) {
                worker.postMessage(task);
                worker.ref();
            },
            async terminate() {
                await worker.terminate();
            },
            rest: () => worker.unref(),
        };
    },
};
