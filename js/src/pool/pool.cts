// SPDX-License-Identifier: MIT OR Apache-2.0
/** For require(): the ES module itself. */
import type * as esm from './pool.js' with { 'resolution-mode': 'import' };

const loaded = require('./pool.js') as typeof esm;

export const WorkerPool: typeof esm.WorkerPool = loaded.WorkerPool;
export type WorkerPool = esm.WorkerPool;

export type { PoolOptions, SearchBatchOptions } from './pool.js' with { 'resolution-mode': 'import' };
