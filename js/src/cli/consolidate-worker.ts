// SPDX-License-Identifier: MIT OR Apache-2.0
/** Consolidates the store that it was given, so that the thread that asked for it stays free to hear signals (consolidate.ts). */
import { parentPort, workerData } from 'node:worker_threads';
import { Core } from '../core.js';
import { ChronoMindError, type ChronoMindErrorCode } from '../errors.js';
import { instantiateShared } from '../loader.js';
import { Heap } from '../memory.js';
import { takeSeat } from '../seat.js';
import type { SharedStore } from '../types.js';

export interface Task {
    shared: SharedStore;
    threshold: number;
}

/** How much is done, and at the end why it failed. */
export type Report = number | { code: ChronoMindErrorCode; message: string };

const { shared, threshold } = workerData as Task;
takeSeat(new Heap(shared.memory), shared.seat);
const store = Core.attach(await instantiateShared(shared), shared);
try {
    store.consolidate(threshold, (done) => parentPort?.postMessage(done satisfies Report));
} catch (error) {
    if (!(error instanceof ChronoMindError)) throw error;
    parentPort?.postMessage({ code: error.code, message: error.message } satisfies Report);
} finally {
    store.close();
}
