// SPDX-License-Identifier: MIT OR Apache-2.0
/** What a filter sees of a memory. Its strings lie in the store and may be gone after the call: text and metadata are copied when they are asked for. */
import { ChronoMindError } from './errors.js';
import { cm_candidate_t } from './generated.js';
import type { Heap, Span } from './memory.js';
import type { Candidate } from './types.js';
import { parseMetadata } from './validate.js';

const { text: TEXT, metadata: METADATA, ...COPIED } = cm_candidate_t.fields;
const LAYOUT = { size: cm_candidate_t.size, fields: COPIED };

export class StoredCandidate implements Candidate {
    readonly id: string;
    readonly context: string;
    readonly importance: number;
    readonly accessCount: number;
    readonly createdAt: number;
    readonly accessedAt: number;
    readonly #textSpan: Span;
    readonly #metadataSpan: Span;
    /** While the call lasts. */
    #heap: Heap | undefined;
    #text: string | undefined;
    #metadata: unknown;

    /** Of the cm_candidate_t at an address. */
    constructor(heap: Heap, at: number) {
        const { id, context, importance, access_count, created_ms, accessed_ms } = heap.read(LAYOUT, at);
        this.id = id;
        this.context = context;
        this.importance = importance;
        this.accessCount = access_count;
        this.createdAt = Number(created_ms);
        this.accessedAt = Number(accessed_ms);
        this.#textSpan = heap.span(at + TEXT.at);
        this.#metadataSpan = heap.span(at + METADATA.at);
        this.#heap = heap;
    }

    get text(): string {
        this.#text ??= this.#read(this.#textSpan, 'text');
        return this.#text;
    }

    get metadata(): unknown {
        this.#metadata ??= parseMetadata(this.#read(this.#metadataSpan, 'metadata'));
        return this.#metadata;
    }

    /** The call is over. */
    close(): void {
        this.#heap = undefined;
    }

    #read({ at, length }: Span, field: string): string {
        if (this.#heap !== undefined) return this.#heap.text(at, length);
        throw new ChronoMindError(
            'CM_E_STALE',
            `${field} can be read inside the filter only: take it from the hits, or from get("${this.id}")`,
        );
    }
}
