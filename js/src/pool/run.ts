// SPDX-License-Identifier: MIT OR Apache-2.0
/** One batch under way: cut into pieces, handed out, put together. */
import { indexed, Slices } from '../batch.js';
import { ChronoMindError } from '../errors.js';
import { type CrewMember, WorkerLost } from './crew.js';
import type { Answer, Task } from './protocol.js';

/** Memories or queries posted at a time: enough to hide the message, few enough to share out evenly and to stop soon. */
export const PIECE = 32;

/** How often a piece is tried before its workers' end counts as the piece's fault. */
const TRIES = 3;

/** How a batch is cut and put together. */
export interface Work {
    taskOf(from: number, to: number): Task;
    take(answer: Answer, from: number): void;
    /** One of them, on the calling thread. */
    here(index: number): void;
}

/** One batch under way. The first thing that goes wrong stops it: nothing more goes out, what is out is waited for. */
export class Run {
    readonly #n: number;
    readonly #onProgress: ((done: number, total: number) => void) | undefined;
    readonly #signal: AbortSignal | undefined;
    readonly #work: Work;
    #next = 0;
    #done = 0;
    #failure: { error: unknown; index: number } | undefined;

    constructor(n: number, onProgress: ((done: number, total: number) => void) | undefined, signal: AbortSignal | undefined, work: Work) {
        this.#n = n;
        this.#onProgress = onProgress;
        this.#signal = signal;
        this.#work = work;
    }

    async with(member: CrewMember): Promise<void> {
        for (let from = this.#take(PIECE); from !== undefined; from = this.#take(PIECE)) {
            const to = Math.min(from + PIECE, this.#n);
            try {
                await this.#send(member, from, to);
            } catch (error) {
                this.#fail(error, error instanceof ChronoMindError ? (error.index ?? from) : from);
            }
        }
    }

    async here(): Promise<void> {
        const slices = new Slices();
        for (let i = this.#take(1); i !== undefined; i = this.#take(1)) {
            const index = i;
            try {
                indexed(index, () => this.#work.here(index));
                this.#done++;
                if (!slices.isOver) continue;
                this.#onProgress?.(this.#done, this.#n);
                await slices.breathe();
            } catch (error) {
                this.#fail(error, index);
            }
        }
    }

    /** After everybody is done. */
    end(): void {
        if (this.#failure !== undefined) throw this.#failure.error;
        this.#onProgress?.(this.#done, this.#n);
    }

    #take(size: number): number | undefined {
        if (this.#signal?.aborted && this.#failure === undefined && this.#next < this.#n) this.#fail(this.#signal.reason, this.#n);
        if (this.#failure !== undefined || this.#next >= this.#n) return undefined;
        const from = this.#next;
        this.#next += size;
        return from;
    }

    async #send(member: CrewMember, from: number, to: number): Promise<void> {
        const answer = await this.#ask(member, from, to);
        if (answer === undefined) return;
        if (answer.kind === 'refused') {
            const error = new ChronoMindError(answer.code, answer.message);
            error.index = from + answer.index;
            throw error;
        }
        this.#work.take(answer, from);
        this.#count(to - from);
    }

    /** undefined: it was done here. */
    async #ask(member: CrewMember, from: number, to: number): Promise<Answer | undefined> {
        for (let left = TRIES; ; left--) {
            try {
                await member.revive();
                return await member.ask(this.#work.taskOf(from, to));
            } catch (error) {
                if (error instanceof WorkerLost && left > 1) continue;
                if (error instanceof WorkerLost) {
                    throw new ChronoMindError('CM_E_ENVIRONMENT', `a worker ended ${TRIES} times at the same task: ${error.message}`, {
                        cause: error,
                    });
                }
                if (!isUncloneable(error)) throw error;
                this.#doHere(from, to); // says what is wrong with which
                return undefined;
            }
        }
    }

    #doHere(from: number, to: number): void {
        for (let i = from; i < to; i++) indexed(i, () => this.#work.here(i));
        this.#count(to - from);
    }

    #count(n: number): void {
        this.#done += n;
        if (this.#failure === undefined && this.#done < this.#n) this.#onProgress?.(this.#done, this.#n);
    }

    #fail(error: unknown, index: number): void {
        if (this.#failure === undefined || index < this.#failure.index) this.#failure = { error, index };
    }
}

function isUncloneable(error: unknown): boolean {
    return (error as { name?: unknown } | null)?.name === 'DataCloneError';
}
