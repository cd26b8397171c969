// SPDX-License-Identifier: MIT OR Apache-2.0
/** The entry `chronomind/pool` for Node, Deno and Bun. */
import { provideWorkers } from './workers.js';
import { workers } from './workers-node.js';

export { type PoolOptions, type SearchBatchOptions, WorkerPool } from './worker-pool.js';

provideWorkers(workers);
