// SPDX-License-Identifier: MIT OR Apache-2.0
/** Browsers: module workers. The URL is literal within `new Worker`, because bundlers look for exactly this expression. */
import type { Answer, Workers } from './protocol.js';

export const workers: Workers = {
    parallelism: globalThis.navigator?.hardwareConcurrency ?? 1,

    start(url, { onAnswer, onEnd }) {
        const worker =
            url === undefined
                ? new Worker(new URL('./pool-worker.js', import.meta.url), { type: 'module' })
                : new Worker(url, { type: 'module' });
        worker.onmessage = ({ data }: MessageEvent<Answer>) => onAnswer(data);
        worker.onmessageerror = () => onEnd('a message could not be read');
        worker.onerror = (event) => {
            event.preventDefault();
            onEnd(event.message || 'it could not be loaded');
        };
        return {
            post: (task) => worker.postMessage(task),
            terminate: async () => worker.terminate(),
            rest() {},
        };
    },
};
