// SPDX-License-Identifier: MIT OR Apache-2.0
/** The worker of a pool in browsers. Of the package it imports what a worker needs, and not what starts workers: bundlers refuse a worker that names itself. */
import { provideHost } from '../host.js';
import { host } from '../host-web.js';
import { answer } from './answer.js';
import type { Answer, Task } from './protocol.js';

/** What a worker's own scope has of a port. */
interface Scope {
    onmessage: ((event: MessageEvent<Task>) => void) | null;
    postMessage(answer: Answer): void;
}

provideHost(host);

const scope = globalThis as unknown as Scope;
let last = Promise.resolve();
scope.onmessage = ({ data }) => {
    last = last.then(async () => scope.postMessage(await answer(data)));
};
