// SPDX-License-Identifier: MIT OR Apache-2.0
/** Work in a worker of its own, on the store of another: it gets a seat there, and when it fails its seat is taken back. */
import { callsTo } from './calls.js';

/** `function_` of live-worker.js with `args`: { worker, end }, where `end` is what it gives. The worker is gone then. */
export async function atWork(store, function_, args, onEvent) {
    const { number, shared } = await store.call('share');
    const worker = callsTo('live-worker.js', { onEvent });
    let isDead = true;
    const end = worker
        .call(function_, shared, ...args)
        .then((result) => {
            isDead = false; // it left by itself
            return result;
        })
        .finally(() => {
            worker.terminate();
            return store.call('forget', number, isDead);
        });
    return { worker, end };
}
