// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * One memory of the input, as the readers fill it and the importer takes it.
 *
 * A field is judged when the record has ended, because only then its id is known and a repeated field has its last value. Lists and texts are kept up to the
 * limits of the store and counted beyond, so that a record of any size takes bounded memory.
 */
import { CM_MAX_DIMENSIONS, CM_MAX_ID_BYTES, CM_MAX_PAYLOAD_BYTES, CM_MAX_RELATIONSHIPS } from '../generated.js';

/** In the order in which they are judged, with the type that the messages name. */
const TYPES = {
    id: 'a string',
    data: 'an array of numbers',
    context: 'a string',
    importance: 'a number',
    decay_rate: 'a number',
    relationships: 'an array of strings',
    timestamp: 'a number of milliseconds or an ISO 8601 date with Z or an offset',
    text: 'a string',
    metadata: 'a JSON value',
} as const;

export type Field = keyof typeof TYPES;
export type FieldState = 'absent' | 'good' | 'wrong type' | 'too many' | 'too long';

const FIELDS = Object.keys(TYPES) as Field[];

export function isField(name: string): name is Field {
    return Object.hasOwn(TYPES, name);
}

export class InputRecord {
    /** From 1. */
    number = 0;
    states = allAbsent();
    /** Bytes when a file of ids held them. */
    id: string | Uint8Array = '';
    context = '';
    text = '';
    metadata = '';
    importance = 0;
    decayRate = 0;
    createdMs = 0;
    relationships: string[] = [];
    /** As many as there were; `numbers` keeps what a store can take. */
    nNumbers = 0;
    #numbers = new Float32Array(1024);

    /** Begins the next record. */
    next(): void {
        this.number++;
        this.states = allAbsent();
        this.id = this.context = this.text = this.metadata = '';
        this.relationships = [];
        this.nNumbers = 0;
    }

    /** Forgets one field: it begins (again). */
    begin(field: Field): void {
        this.states[field] = 'absent';
        if (field === 'data') this.nNumbers = 0;
        else if (field === 'relationships') this.relationships = [];
        else if (field === 'text' || field === 'metadata') this[field] = '';
    }

    get numbers(): Float32Array<ArrayBuffer> {
        return this.#numbers.subarray(0, Math.min(this.nNumbers, this.#numbers.length));
    }

    addNumber(x: number): void {
        if (this.nNumbers === this.#numbers.length && this.nNumbers < CM_MAX_DIMENSIONS) {
            const larger = new Float32Array(2 * this.#numbers.length);
            larger.set(this.#numbers);
            this.#numbers = larger;
        }
        this.#numbers[this.nNumbers++] = x; // beyond the end: counted only
    }

    addRelationship(id: string): void {
        if (this.states.relationships !== 'good') return;
        if (Buffer.byteLength(id) > CM_MAX_ID_BYTES) this.states.relationships = 'too long';
        else if (this.relationships.length === CM_MAX_RELATIONSHIPS) this.states.relationships = 'too many';
        else this.relationships.push(id);
    }

    /** A sentence, when something is wrong that the store cannot say better. dimensions 0: any. */
    judge(dimensions: number): string | undefined {
        for (const field of FIELDS) {
            const problem = this.#judgeField(field, dimensions);
            if (problem !== undefined) return problem;
        }
        return undefined;
    }

    hasLength(dimensions: number): boolean {
        return dimensions > 0 ? this.nNumbers === dimensions : this.nNumbers >= 1 && this.nNumbers <= CM_MAX_DIMENSIONS;
    }

    #judgeField(field: Field, dimensions: number): string | undefined {
        switch (this.states[field]) {
            case 'absent':
                return field === 'id' || field === 'data' ? `${field} is missing` : undefined;
            case 'wrong type':
                return `${field} must be ${TYPES[field]}`;
            case 'too many':
                return `relationships holds more than ${CM_MAX_RELATIONSHIPS} ids`;
            case 'too long':
                if (field === 'metadata') return `metadata is longer than ${CM_MAX_PAYLOAD_BYTES} bytes`;
                return `relationships holds an id longer than ${CM_MAX_ID_BYTES} bytes`;
            case 'good':
                if (field !== 'data' || this.hasLength(dimensions)) return undefined;
                return `data has ${this.nNumbers} numbers, expected ${dimensions || `1 to ${CM_MAX_DIMENSIONS}`}`;
        }
    }

    /** Scales the vector to length 1; a zero vector stays. */
    normalize(): void {
        const vector = this.numbers;
        let sum = 0;
        for (const x of vector) sum += x * x;
        if (!(sum > 0)) return;
        const length = Math.sqrt(sum);
        for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) / length;
    }
}

function allAbsent(): Record<Field, FieldState> {
    return {
        id: 'absent',
        data: 'absent',
        context: 'absent',
        importance: 'absent',
        decay_rate: 'absent',
        relationships: 'absent',
        timestamp: 'absent',
        text: 'absent',
        metadata: 'absent',
    };
}
