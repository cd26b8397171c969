// SPDX-License-Identifier: MIT OR Apache-2.0
/** The entry `chronomind/pool` for browsers. */
import { provideWorkers } from './workers.js';
import { workers } from './workers-web.js';

export { type PoolOptions, type SearchBatchOptions, WorkerPool } from './worker-pool.js';

provideWorkers(workers);
