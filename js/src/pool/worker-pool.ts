// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * A store searched and filled by several workers at once: `chronomind/pool` (pool.ts in Node, web.ts in browsers).
 *
 * The workers share the store's memory, so a batch costs what its vectors and hits cost to post. Work goes out in small pieces to whoever is free; a worker that dies is
 * replaced, and its piece done again (an insert that was done already is then a replacement by itself). Where no worker can share the store the calling
 * thread does the work, in slices, so that its event loop lives on.
 */
import type { ChronoMind } from '../chronomind.js';
import { ChronoMindError } from '../errors.js';
import type { BatchOptions, Hit, MemoryInput, SearchOptions, Vector } from '../types.js';
import { checkFunction, checkMetadata, checkObject, checkSignal, checkU32, checkVector } from '../validate.js';
import { checkIterable, indexed, totalOf } from '../batch.js';
import { CrewMember, WorkerLost } from './crew.js';
import { PIECE, Run, type Work } from './run.js';
import { theWorkers } from './workers.js';

/** Options of WorkerPool.open(). */
export interface PoolOptions {
    /** Default: as many as the machine runs at a time, less the calling thread, and no more than the store's maxThreads allows. 0: none. */
    workers?: number | undefined;
    /** Of a copy of `chronomind/pool-worker` that your bundler or server puts elsewhere. */
    workerUrl?: string | URL | undefined;
}

/** Options of searchBatch(): those of search(), progress, and a way to stop. */
export interface SearchBatchOptions extends SearchOptions, BatchOptions {}

/** Memories per worker that are read ahead of a source that is no array. */
const BLOCK = 16 * PIECE;

/** Opened over a store, and closed before it. */
export class WorkerPool {
    readonly #mind: ChronoMind;
    readonly #crew: CrewMember[];
    readonly #reason: string | undefined;
    #isOpen = true;

    private constructor(mind: ChronoMind, crew: CrewMember[], reason: string | undefined) {
        this.#mind = mind;
        this.#crew = crew;
        this.#reason = reason;
    }

    /** Starts the workers. Fails with CM_E_THREADS when more are asked for than the store's maxThreads allows, and when a worker cannot be loaded. */
    static async open(mind: ChronoMind, options: PoolOptions = {}): Promise<WorkerPool> {
        checkObject(options, 'options');
        const asked = options.workers === undefined ? undefined : checkU32(options.workers, 'workers');
        const reason = obstacle(mind) ?? (asked === 0 ? 'no workers were asked for' : undefined);
        if (reason !== undefined) return new WorkerPool(mind, [], reason);
        const n = asked ?? Math.max(1, theWorkers().parallelism - 1);
        const joins = await Promise.allSettled(Array.from({ length: n }, () => CrewMember.join(mind, options.workerUrl)));
        const crew = joins.flatMap((join) => (join.status === 'fulfilled' ? [join.value] : []));
        const problem = joins.find(
            (join) => join.status === 'rejected' && (asked !== undefined || crew.length === 0 || !isFull(join.reason)),
        );
        if (problem?.status === 'rejected') {
            await Promise.all(crew.map((member) => member.close()));
            throw startProblem(problem.reason);
        }
        return new WorkerPool(mind, crew, undefined);
    }

    /** Workers. 0: the calling thread does the work, for `reason`. */
    get size(): number {
        return this.#crew.length;
    }

    get reason(): string | undefined {
        return this.#reason;
    }

    /**
     * The hits of every query, in the order of the queries. Options as for search(); with a filter, which cannot be posted, the calling thread searches. Rejects with an error
     * whose `index` is the query's when one is refused, and with the signal's reason when it is aborted.
     */
    async searchBatch(vectors: Iterable<Vector>, options: SearchBatchOptions = {}): Promise<Hit[][]> {
        checkObject(vectors, 'vectors');
        checkObject(options, 'options');
        const { onProgress, signal, ...search } = options;
        const { dimensions } = this.#mind.config;
        const queries = Array.from(vectors, (vector, index) => indexed(index, () => checkVector(vector)));
        const found: Hit[][] = new Array(queries.length);
        const timed = { ...search, now: search.now ?? this.#mind.clockTime() ?? Date.now() }; // one moment for all of them
        const isPostable = search.filter === undefined && queries.every((query) => query.length === dimensions);
        await this.#spread(queries.length, { onProgress, signal }, isPostable, {
            taskOf: (from, to) => ({ kind: 'search', vectors: joined(queries.slice(from, to), dimensions), dimensions, options: timed }),
            take: (answer, from) => {
                if (answer.kind === 'found') found.splice(from, answer.hits.length, ...answer.hits);
            },
            here: (i) => {
                found[i] = this.#mind.search(queries[i] as Vector, timed);
            },
        });
        return found;
    }

    /**
     * Inserts many, in no order among themselves: of two with one id either may be the one that stays. Returns how many. Rejects with an error whose `index` is the
     * memory's when one is refused; others, before it and behind it, may have been inserted.
     */
    async insertBatch(memories: Iterable<MemoryInput> | AsyncIterable<MemoryInput>, options: BatchOptions = {}): Promise<number> {
        checkObject(memories, 'memories');
        checkObject(options, 'options');
        this.#requireOpen();
        if (this.#crew.length === 0) return this.#mind.insertBatch(memories, options);
        let done = 0;
        const total = totalOf(memories);
        const onProgress = checkFunction(options.onProgress, 'onProgress');
        const signal = checkSignal(options.signal);
        checkIterable(memories, 'memories');
        const blocks = Array.isArray(memories) ? [memories] : blocksOf(memories, BLOCK * this.#crew.length);
        for await (const block of blocks) {
            signal?.throwIfAborted();
            const before = done;
            const report = (n: number): void => onProgress?.(before + n, total);
            try {
                await this.#spread(block.length, { onProgress: report, signal }, true, {
                    taskOf: (from, to) => ({
                        kind: 'insert',
                        memories: block.slice(from, to).map((memory, i) => indexed(from + i, () => this.#postable(memory))),
                    }),
                    take() {},
                    here: (i) => this.#mind.insert(block[i] as MemoryInput),
                });
            } catch (error) {
                if (error instanceof ChronoMindError && error.index !== undefined) error.index += before;
                throw error;
            }
            done += block.length;
        }
        if (done === 0) onProgress?.(0, total);
        return done;
    }

    /** Lets the workers finish and leave. The store stays open. */
    async close(): Promise<void> {
        this.#isOpen = false;
        await Promise.all(this.#crew.splice(0).map((member) => member.close()));
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.close();
    }

    /** Metadata as JSON has it, so that what a class says of itself in toJSON() is not lost on the way. */
    #postable(memory: MemoryInput): MemoryInput {
        if (typeof memory !== 'object' || memory === null) return memory;
        const timestamp = memory.timestamp ?? this.#mind.clockTime();
        const text = checkMetadata(memory.metadata);
        return { ...memory, timestamp, metadata: text === '' ? undefined : JSON.parse(text) };
    }

    #requireOpen(): void {
        if (!this.#isOpen) throw new ChronoMindError('CM_E_CLOSED', 'the pool is closed');
    }

    /** Pieces of 0 .. n-1 to whoever is free, or all of it here. */
    async #spread(n: number, { onProgress, signal }: BatchOptions, isPostable: boolean, work: Work): Promise<void> {
        this.#requireOpen();
        const progress = checkFunction(onProgress, 'onProgress');
        checkSignal(signal);
        signal?.throwIfAborted();
        const run = new Run(n, progress, signal, work);
        if (this.#crew.length === 0 || !isPostable) await run.here();
        else await Promise.all(this.#crew.map((member) => run.with(member)));
        run.end();
    }
}

// ---- small things ---------------------------------------------------------------------------------------------------

/** Why no worker can share the store. */
function obstacle(mind: ChronoMind): string | undefined {
    if (!mind.canShare)
        return 'this store cannot be shared: it runs the single-thread build, or the page is not cross-origin isolated (see capabilities())';
    return undefined;
}

/** The store has no room for another thread. */
function isFull(error: unknown): boolean {
    return error instanceof ChronoMindError && error.code === 'CM_E_THREADS';
}

function startProblem(error: unknown): unknown {
    if (!(error instanceof WorkerLost)) return error;
    const remedy = 'let your bundler or server provide chronomind/pool-worker, or say where it is with workerUrl';
    return new ChronoMindError('CM_E_ENVIRONMENT', `a worker cannot be started: ${error.message}: ${remedy}`, { cause: error });
}

function joined(vectors: readonly Vector[], dimensions: number): Float32Array {
    const all = new Float32Array(vectors.length * dimensions);
    vectors.forEach((vector, i) => {
        all.set(vector, i * dimensions);
    });
    return all;
}

async function* blocksOf<T>(items: Iterable<T> | AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
    let block: T[] = [];
    for await (const item of items) {
        block.push(item);
        if (block.length < size) continue;
        yield block;
        block = [];
    }
    if (block.length > 0) yield block;
}
