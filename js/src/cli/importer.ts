// SPDX-License-Identifier: MIT OR Apache-2.0
/** Records into a store. The store opens with the first record, which may be the one that says how long vectors are. */
import { Core, type CoreConfig } from '../core.js';
import { ChronoMindError, type ChronoMindErrorCode } from '../errors.js';
import type { Instance } from '../loader.js';
import type { Input } from './input.js';
import { showProgress } from './progress.js';
import type { InputRecord } from './record.js';
import type { RecordHandler } from './record-reader.js';
import { FAILED, Failure, USAGE } from './report.js';
import { shortText } from './text.js';

const FIELDS_HINT = "see 'chronomind save --help' for the fields of a record";

function hintFor(code: ChronoMindErrorCode): string {
    if (code === 'CM_E_CAPACITY' || code === 'CM_E_INDEX_FULL') return 'raise --max-memories';
    if (code === 'CM_E_NO_MEMORY') return 'the machine gave no more memory; lower --max-memories';
    return FIELDS_HINT;
}

export interface ImportOptions {
    /** dimensions absent: those of the first record. */
    config: CoreConfig;
    normalize: boolean;
    /** Of records without one. */
    context: string | undefined;
    /** Timestamp of records without one; absent: the clock. */
    nowMs: number | undefined;
}

export class Importer implements RecordHandler {
    readonly #instance: Instance;
    readonly #input: Input;
    readonly #options: ImportOptions;
    store: Core | undefined;

    constructor(instance: Instance, input: Input, options: ImportOptions) {
        this.#instance = instance;
        this.#input = input;
        this.#options = options;
    }

    take(record: InputRecord): void {
        const { config, normalize } = this.#options;
        const problem = record.judge(this.#dimensions);
        if (problem !== undefined) this.refuse(record, problem);
        this.store ??= this.#open({ ...config, dimensions: record.nNumbers });
        if (normalize) record.normalize();
        this.#insert(this.store, record);
        const { nBytesRead, nBytesTotal } = this.#input;
        showProgress(`${record.number} memories`, nBytesTotal > 0 ? Math.min(nBytesRead / nBytesTotal, 1) : undefined);
    }

    refuse(record: InputRecord, problem: string, hint = this.#hintOf(record)): never {
        const id = typeof record.id === 'string' ? record.id : Buffer.from(record.id).toString();
        const known = record.states.id === 'good' ? ` (id "${shortText(id)}")` : '';
        throw new Failure(FAILED, `${this.#input.name}: record ${record.number}${known}: ${problem}`, hint);
    }

    get #dimensions(): number {
        return this.#options.config.dimensions ?? this.store?.config.dimensions ?? 0;
    }

    #hintOf(record: InputRecord): string {
        const { id, data } = record.states;
        if (id !== 'good' || data !== 'good' || record.hasLength(this.#dimensions)) return FIELDS_HINT;
        if (this.#options.config.dimensions !== undefined) return 'every vector must have the length that --dimensions says';
        return 'every vector must have as many numbers as the first one; --dimensions can say how many';
    }

    #open(config: CoreConfig): Core {
        try {
            return Core.open(this.#instance, config);
        } catch (error) {
            if (!(error instanceof ChronoMindError)) throw error;
            if (error.code === 'CM_E_CONFIG') throw new Failure(USAGE, error.message, "try 'chronomind save --help'");
            throw new Failure(FAILED, error.message, hintFor(error.code));
        }
    }

    #insert(store: Core, record: InputRecord): void {
        const { states } = record;
        const createdMs = states.timestamp === 'good' ? record.createdMs : this.#options.nowMs;
        try {
            store.insert({
                id: record.id,
                vector: record.numbers,
                context: states.context === 'good' ? record.context : this.#options.context,
                importance: states.importance === 'good' ? record.importance : undefined,
                decayRate: states.decay_rate === 'good' ? record.decayRate : undefined,
                relationships: record.relationships,
                createdMs: createdMs === undefined ? undefined : BigInt(createdMs),
                text: record.text,
                metadata: record.metadata,
            });
        } catch (error) {
            if (!(error instanceof ChronoMindError)) throw error;
            this.refuse(record, error.message, hintFor(error.code));
        }
    }
}
