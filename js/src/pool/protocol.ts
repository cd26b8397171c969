// SPDX-License-Identifier: MIT OR Apache-2.0
/** What a pool and its workers say to each other, and how a worker is started: the same in Node and in browsers. */
import type { ChronoMindErrorCode } from '../errors.js';
import type { Hit, MemoryInput, SearchOptions, SharedStore } from '../types.js';

export type Task =
    | { readonly kind: 'join'; readonly shared: SharedStore }
    | { readonly kind: 'leave' }
    /** Queries one behind the other, each of `dimensions` numbers. */
    | { readonly kind: 'search'; readonly vectors: Float32Array; readonly dimensions: number; readonly options: SearchOptions }
    | { readonly kind: 'insert'; readonly memories: readonly MemoryInput[] };

/** Exactly one for each task, in order. */
export type Answer =
    | { readonly kind: 'done' }
    | { readonly kind: 'found'; readonly hits: Hit[][] }
    /** `index`: of the query or memory within its task. */
    | { readonly kind: 'refused'; readonly index: number; readonly code: ChronoMindErrorCode; readonly message: string };

/** A worker as the pool sees it. */
export interface PoolWorker {
    post(task: Task): void;
    /** Nothing is asked of it: it does not keep a program running. */
    rest(): void;
    /** Stops it wherever it is; resolves when it runs no more. */
    terminate(): Promise<void>;
}

export interface PoolWorkerEvents {
    onAnswer(answer: Answer): void;
    /** It failed, or ended by itself. */
    onEnd(reason: string): void;
}

/** How a host starts workers: workers-node.ts or workers-web.ts. */
export interface Workers {
    /** How many the machine can run at a time. */
    readonly parallelism: number;
    /** `url`: of another file than pool-worker.js. */
    start(url: string | URL | undefined, events: PoolWorkerEvents): PoolWorker;
}
