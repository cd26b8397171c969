// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * One worker of a pool and its place in the store: started, asked, and when it dies started anew.
 *
 * A worker that ends without a word (terminated by others, out of memory, a page that closes it) left its place in the store claimed, and perhaps pinned: it is abandoned, so
 * that reclamation proceeds.
 */
import type { ChronoMind } from '../chronomind.js';
import { ChronoMindError } from '../errors.js';
import type { SharedStore } from '../types.js';
import type { Answer, PoolWorker, Task } from './protocol.js';
import { theWorkers } from './workers.js';

/** The worker that a task was with is gone. The task may have been done in part. */
export class WorkerLost extends Error {}

interface Waiting {
    resolve(answer: Answer): void;
    reject(error: Error): void;
}

export class CrewMember {
    readonly #mind: ChronoMind;
    readonly #url: string | URL | undefined;
    #worker: PoolWorker | undefined;
    #shared: SharedStore | undefined;
    #starting: Promise<void> | undefined;
    /** In the order of the tasks. */
    #waiting: Waiting[] = [];

    private constructor(mind: ChronoMind, url: string | URL | undefined) {
        this.#mind = mind;
        this.#url = url;
    }

    static async join(mind: ChronoMind, url: string | URL | undefined): Promise<CrewMember> {
        const member = new CrewMember(mind, url);
        await member.revive();
        return member;
    }

    /** Fails with WorkerLost; then revive() makes it usable again. */
    ask(task: Task): Promise<Answer> {
        const worker = this.#worker;
        if (worker === undefined) return Promise.reject(new WorkerLost('the worker has ended'));
        return new Promise((resolve, reject) => {
            worker.post(task); // throws when the task cannot be cloned, before anybody waits
            this.#waiting.push({ resolve, reject });
        });
    }

    /** Two batches may find it dead at a time. */
    async revive(): Promise<void> {
        if (this.#worker !== undefined && this.#starting === undefined) return;
        this.#starting ??= this.#start().finally(() => {
            this.#starting = undefined;
        });
        await this.#starting;
    }

    /** Leaves the store; a worker that does not answer is stopped. */
    async close(): Promise<void> {
        const worker = this.#worker;
        if (worker === undefined) return;
        try {
            await this.ask({ kind: 'leave' });
            this.#shared = undefined; // it left by itself: nothing to abandon
        } catch (error) {
            if (!(error instanceof WorkerLost)) throw error;
        }
        this.#worker = undefined;
        await worker.terminate();
    }

    async #start(): Promise<void> {
        const shared = this.#mind.share();
        this.#shared = shared;
        const worker: PoolWorker = theWorkers().start(this.#url, {
            onAnswer: (answer) => {
                this.#waiting.shift()?.resolve(answer);
                if (this.#waiting.length === 0) worker.rest();
            },
            onEnd: (reason) => void this.#lose(worker, reason),
        });
        this.#worker = worker;
        const answer = await this.ask({ kind: 'join', shared });
        if (answer.kind === 'refused') {
            await this.#lose(worker, answer.message);
            throw new ChronoMindError(answer.code, answer.message);
        }
    }

    /** Stopped for certain before its place is taken back. */
    async #lose(worker: PoolWorker, reason: string): Promise<void> {
        if (this.#worker !== worker) return;
        this.#worker = undefined;
        await worker.terminate();
        const shared = this.#shared;
        this.#shared = undefined;
        if (shared !== undefined && this.#mind.isOpen) await this.#mind.abandon(shared);
        for (const { reject } of this.#waiting.splice(0)) reject(new WorkerLost(reason));
    }
}
