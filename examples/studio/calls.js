// SPDX-License-Identifier: MIT OR Apache-2.0
/** Function calls by messages: `serveCalls` in a worker, `callsTo` on the page. Errors keep their code; events go the other way. */

/** Answers calls with `functions`; one that returns `{ value, transfer }` made by `moving` gives its buffers away. */
export function serveCalls(functions) {
    globalThis.addEventListener('message', async ({ data: { call, name, args } }) => {
        try {
            const result = await functions[name](...args);
            if (result instanceof Moving) postMessage({ call, value: result.value }, result.transfer);
            else postMessage({ call, value: result });
        } catch (error) {
            postMessage({ call, error: { message: error.message ?? String(error), code: error.code } });
        }
    });
}

class Moving {
    constructor(value, transfer) {
        Object.assign(this, { value, transfer });
    }
}

export function moving(value, transfer) {
    return new Moving(value, transfer);
}

export function tell(event, detail) {
    postMessage({ event, detail });
}

/** A worker whose functions can be called: `await worker.call('search', ...)`. `onEvent(event, detail)` hears what it tells. */
export function callsTo(url, { onEvent = () => {}, onFailure = () => {} } = {}) {
    const worker = new Worker(url, { type: 'module' });
    const waiting = new Map();
    let last = 0;
    const fail = (message) => {
        for (const { reject } of waiting.values()) reject(new Error(message));
        waiting.clear();
        onFailure(message);
    };
    worker.onmessage = ({ data }) => {
        if (data.event !== undefined) return onEvent(data.event, data.detail);
        const { resolve, reject } = waiting.get(data.call) ?? {};
        waiting.delete(data.call);
        if (data.error) reject?.(Object.assign(new Error(data.error.message), { code: data.error.code }));
        else resolve?.(data.value);
    };
    worker.onerror = (event) => {
        event.preventDefault();
        fail(event.message || 'a worker could not be loaded');
    };
    return {
        call(name, ...args) {
            return this.send(name, args);
        },
        send(name, args, transfer = []) {
            return new Promise((resolve, reject) => {
                waiting.set(++last, { resolve, reject });
                worker.postMessage({ call: last, name, args }, transfer);
            });
        },
        terminate() {
            worker.terminate();
            fail('the worker was stopped');
        },
    };
}
