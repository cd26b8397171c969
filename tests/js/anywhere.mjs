// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * Workers that are the same in Node and in browsers, for tests that run in both. In a browser the server of tests/browser has these files under the same paths.
 *
 *     serve({ job: async (argument) => answer })                   // in the worker's module
 *     const worker = startWorker(new URL('./that.mjs', import.meta.url));
 *     const answer = await worker.ask('job', argument);            // one at a time
 *     await worker.terminate();
 */
const node = globalThis.process?.versions?.node === undefined ? undefined : await import('node:worker_threads');

export function startWorker(url) {
    const worker = node ? new node.Worker(url) : new Worker(url, { type: 'module' });
    const listen = (event, listener) => (node ? worker.on(event, listener) : worker.addEventListener(event, listener));
    let [settle, asked] = [undefined, undefined];
    let isReady = false;
    const post = () => asked && worker.postMessage(asked);
    listen('message', (message) => {
        const { ready, value, error } = node ? message : message.data;
        if (ready) {
            isReady = true;
            post();
        } else if (error === undefined) settle?.resolve(value);
        else settle?.reject(Object.assign(new Error(error.message), error));
    });
    for (const event of ['error', 'messageerror']) listen(event, (cause) => settle?.reject(new Error(`worker: ${cause.message ?? event}`)));
    return {
        ask(job, argument) {
            return new Promise((resolve, reject) => {
                settle = { resolve, reject };
                asked = { job, argument };
                if (isReady) post();
            });
        },
        /** What was asked is never answered. */
        async terminate() {
            await worker.terminate();
        },
    };
}

/** Messages wait until somebody is ready for them: browsers drop those that come earlier. */
export function serve(jobs) {
    const port = node ? node.parentPort : globalThis;
    const answer = async ({ job, argument }) => {
        try {
            port.postMessage({ value: await jobs[job](argument) });
        } catch ({ message, code, stack }) {
            port.postMessage({ error: { message, code, stack } });
        }
    };
    if (node) port.on('message', answer);
    else port.addEventListener('message', ({ data }) => answer(data));
    port.postMessage({ ready: true });
}

/** Lets timers, messages and input run. */
export function breathe() {
    return new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
            port1.close();
            resolve();
        };
        port2.postMessage(null);
    });
}

export function sleep(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
}
