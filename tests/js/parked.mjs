// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * Nothing blocks: a worker sleeps in memory.atomic.wait32 before its i-th atomic access, and this thread goes on as if it were not there. Meant for Node and browsers alike;
 * run on chronomind-steps.wasm (tests/wasm/steps), whose instances count their steps and trap when one operation takes more than it may.
 *
 * While the worker is parked this thread does every operation there is, on the same memories and on new ones. Then the worker goes on, or is terminated where it sleeps, and
 * check() finds the store whole. tests/progress/parked.c does the same natively, with a second stack in place of a worker.
 */
import { Core } from '../../js/dist/core.js';
import { beginLife } from '../../js/dist/life.js';
import { instantiate, instantiateShared } from '../../js/dist/loader.js';
import { takeSeat } from '../../js/dist/seat.js';
import { breathe, startWorker } from './anywhere.mjs';

const DIMENSIONS = 4;
/** Of one operation; they take some hundreds. */
const MOST_STEPS = 20000;
const N_MEMORIES = 12;
const CONFIG = { dimensions: DIMENSIONS, max_memories: 100, m: 4, ef_construction: 8, ef_search: 8, max_threads: 3 };
const [RUNNING, PARKED, DEAD] = [0, 1, 2];
const NOW = 10000n;

let nNew = 0;

function vectorOf(x) {
    return Float32Array.from({ length: DIMENSIONS }, (_, i) => x + i * (1.5 - x));
}

function memoryOf(id, x, relationships = []) {
    return { id, vector: vectorOf(x), context: 'context', text: 'text', metadata: '', relationships, createdMs: 1000n };
}

function search(core, options) {
    core.search(vectorOf(0.35), { k: 5, nowMs: NOW, ...options });
}

/** Each on a Core; what is not there is an answer, too. */
export const OPERATIONS = {
    insert: (core) => core.insert(memoryOf(`new ${nNew++}`, 0.3)),
    replace: (core) => core.insert(memoryOf('m3', 0.4, ['m9'])),
    remove: (core) => core.remove('m5'),
    'put back': (core) => core.insert(memoryOf('m5', 0.6)),
    update: (core) =>
        core.update('m3', { importance: 0.5, decayRate: 0.7, context: 'another', text: 'new text', metadata: '{}', nowMs: NOW }),
    relate: (core) => core.relate('m3', 'm7'),
    unrelate: (core) => core.unrelate('m3', 'm7'),
    access: (core) => core.access('m3', 5000n),
    decay: (core) => core.applyDecay(3600000n),
    search: (core) => search(core, {}),
    get: (core) => core.get('m3'),
    'search in a context': (core) => search(core, { context: 'context' }),
    iterate: (core) => [...core.records()],
    related: (core) => core.related('m3', 3),
    summary: (core) => core.contextSummary('context'),
    statistics: (core) => [core.stats(), core.contexts(), core.topReferences(10)],
    save: (core) => core.save(() => {}),
    consolidate: (core) => core.consolidate(undefined, undefined),
};

/** What a thread may hear in between: another has removed it, or consolidates already. */
const EXPECTED = ['CM_E_NOT_FOUND', 'CM_E_BUSY'];

function perform(core, name) {
    try {
        OPERATIONS[name](core);
    } catch (error) {
        if (!EXPECTED.includes(error.code)) throw error;
    }
}

/** In the worker: does it, and sleeps before step `before`. */
export async function performParked({ shared, name, before }) {
    const end = await beginLife(shared.life);
    const instance = await instantiateShared(shared);
    if (!takeSeat(instance.heap, shared.seat)) throw new Error('no seat');
    const core = Core.attach(instance, shared, undefined, end);
    nNew = 1_000_000;
    instance.exports.steps_begin(before, 0);
    perform(core, name);
    instance.exports.steps_begin(0, 0);
    core.close();
}

/** In the worker: the control, an insert into an index. */
export async function insertParked({ shared, thread, before }) {
    const { exports } = await instantiateShared(shared);
    exports.steps_begin(before, 0);
    exports.steps_index_insert(thread);
}

/** The store of a round, over one memory for all rounds, and the worker. */
export class Harness {
    #worker;
    #instance;
    #gate;
    /** The most steps that an operation took beside a parked worker. */
    most = 0;
    nWorkers = 0;

    static async open(wasmModule) {
        return new Harness(await instantiate({ wasmModule }));
    }

    constructor(instance) {
        this.#instance = instance;
        this.#gate = instance.exports.steps_gate() >>> 2;
    }

    async close() {
        await this.#worker?.terminate();
    }

    get #words() {
        return new Int32Array(this.#instance.memory.buffer);
    }

    /** True: it sleeps. False: its work ended without coming to that step. */
    async #parks(job, argument) {
        if (this.#worker === undefined) this.nWorkers++;
        this.#worker ??= startWorker(new URL('./parked-worker.mjs', import.meta.url));
        this.#setGate(RUNNING);
        let isOver = false;
        const over = this.#worker.ask(job, argument).finally(() => {
            isOver = true;
        });
        over.catch(() => {}); // whoever awaits `over` hears of it
        while (!isOver && Atomics.load(this.#words, this.#gate) !== PARKED) await breathe();
        return { isParked: !isOver, over };
    }

    #setGate(word) {
        Atomics.store(this.#words, this.#gate, word);
        Atomics.notify(this.#words, this.#gate);
    }

    async #kill() {
        await this.#worker.terminate();
        this.#worker = undefined;
        this.#setGate(DEAD);
    }

    #openStore() {
        const core = Core.open(this.#instance, CONFIG);
        for (let i = 0; i < N_MEMORIES; i++) core.insert(memoryOf(`m${i}`, Math.floor(i / 2) / 6));
        core.relate('m3', 'm7');
        nNew = 0;
        return core;
    }

    /** Every operation by this thread; throws when one takes too many steps. */
    performAll(core, beside) {
        const { exports } = this.#instance;
        for (const name of Object.keys(OPERATIONS)) {
            try {
                exports.steps_begin(0, MOST_STEPS);
                perform(core, name);
                this.most = Math.max(this.most, exports.steps_taken());
                exports.steps_begin(0, 0);
            } catch (cause) {
                throw new Error(`${name} beside ${beside}: ${cause.message}`, { cause });
            }
        }
    }

    /** The most steps of an operation when nobody is parked. */
    undisturbed() {
        const core = this.#openStore();
        this.performAll(core, 'nobody');
        core.close();
        const { most } = this;
        this.most = 0;
        return most;
    }

    /** One round: false when the operation has no such step. */
    async park(name, before, fate) {
        const core = this.#openStore();
        const shared = core.share();
        const beside = `${name}, parked before step ${before}`;
        const { isParked, over } = await this.#parks('perform', { shared, name, before });
        if (isParked) this.performAll(core, beside);
        if (isParked && fate === 'dies') {
            await this.#kill();
            if (!(await core.abandon(shared))) throw new Error(`${beside}: there was nothing to give up`);
            this.performAll(core, `${beside} and dead`);
        } else {
            this.#setGate(RUNNING);
            await over;
        }
        try {
            core.check();
        } catch (cause) {
            throw new Error(`${beside} (${fate}): ${cause.message}`, { cause });
        }
        core.close();
        return isParked;
    }

    /** The control: at how many of the steps of an insert a search by this thread does not end. */
    async heldUp(kind) {
        const instance = this.#instance;
        const { exports } = instance;
        const stack = exports.__stack_pointer.value;
        const core = this.#openStore();
        let [nHeldUp, nSteps] = [0, 0];
        for (;;) {
            exports.steps_begin(0, 0);
            const index = exports.steps_index_open(kind);
            const [victim, other] = [exports.steps_index_attach(index), exports.steps_index_attach(index)];
            exports.steps_index_insert(victim);
            const shared = core.share();
            const { isParked, over } = await this.#parks('insert', { shared, thread: victim, before: nSteps + 1 });
            if (isParked) {
                exports.steps_begin(0, MOST_STEPS);
                try {
                    exports.steps_index_search(other);
                } catch (error) {
                    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
                    exports.__stack_pointer.value = stack;
                    nHeldUp++;
                }
                exports.steps_begin(0, 0);
                this.#setGate(RUNNING);
            }
            await over;
            await core.abandon(shared);
            if (!isParked) break;
            nSteps++;
        }
        core.close();
        return { nHeldUp, nSteps };
    }

    /** Every operation, parked before each `stride`-th of its steps, from `first` on. What it says of each operation goes to `say`. Returns the number of rounds. */
    async everywhere({ fate, stride, first = 1, say = () => {} }) {
        let nRounds = 0;
        for (const name of Object.keys(OPERATIONS)) {
            this.most = 0;
            let before = first;
            for (; await this.park(name, before, fate); before += stride) nRounds++;
            say(`${name}: parked before ${Math.ceil((before - first) / stride)} of its steps; others took at most ${this.most}`);
        }
        return nRounds;
    }
}
