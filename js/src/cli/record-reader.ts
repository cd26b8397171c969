// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * JSON text into records: a small machine over the tokens of the JSON reader, outside, in the outer array, in a record, or in the value of one of
 * its fields. What a field does not want is skipped, and the field remembers that it was wrong.
 */
import { CM_MAX_PAYLOAD_BYTES } from '../generated.js';
import { MAX_TIME_MS, parseIso } from '../iso.js';
import { type JsonKind, JsonReader, numberValue, stringValue } from './json.js';
import { JsonWriter } from './json-writer.js';
import { type Field, InputRecord, isField } from './record.js';

type Place = 'outside' | 'list' | 'record' | 'data' | 'relationships' | 'metadata' | 'skipped';

export interface RecordHandler {
    /** A complete record. Throws to end the reading. */
    take(record: InputRecord): void;
    /** Something is wrong with a record before it ended. */
    refuse(record: InputRecord, problem: string): never;
}

export class RecordReader {
    readonly #handler: RecordHandler;
    readonly #json = new JsonReader((...token) => this.#token(...token));
    readonly #record = new InputRecord();
    #place: Place = 'outside';
    #isInList = false;
    #backTo: Place = 'outside'; // after 'skipped'
    #nOpen = 0; // brackets in 'skipped' and 'metadata'
    #field: Field | undefined;
    #metadata = new JsonWriter();

    constructor(handler: RecordHandler) {
        this.#handler = handler;
    }

    write(chunk: Uint8Array): void {
        this.#json.write(chunk);
    }

    end(): void {
        this.#json.end();
    }

    #token(kind: JsonKind, bytes: Uint8Array, start: number, end: number): void {
        switch (this.#place) {
            case 'outside':
                if (kind === '[') this.#place = 'list';
                else this.#beginRecord(kind);
                return;
            case 'list':
                if (kind === ']') this.#place = 'outside';
                else this.#beginRecord(kind);
                return;
            case 'record':
                return this.#recordToken(kind, bytes, start, end);
            case 'data':
                if (kind === ']') this.#place = 'record';
                else if (kind === 'number') this.#record.addNumber(numberValue(bytes, start, end));
                else this.#refuse('data', kind);
                return;
            case 'relationships':
                if (kind === ']') this.#place = 'record';
                else if (kind === 'string') this.#record.addRelationship(stringValue(bytes, start, end));
                else this.#refuse('relationships', kind);
                return;
            case 'metadata':
                return this.#addMetadata(kind, bytes, start, end);
            case 'skipped':
                this.#count(kind);
                if (this.#nOpen === 0) this.#place = this.#backTo;
        }
    }

    #beginRecord(kind: JsonKind): void {
        this.#record.next();
        if (kind !== '{') this.#handler.refuse(this.#record, 'must be an object');
        this.#isInList = this.#place === 'list';
        this.#place = 'record';
    }

    #recordToken(kind: JsonKind, bytes: Uint8Array, start: number, end: number): void {
        if (kind === 'key') {
            const name = stringValue(bytes, start, end);
            this.#field = isField(name) ? name : undefined;
        } else if (kind === '}') {
            this.#place = this.#isInList ? 'list' : 'outside';
            this.#handler.take(this.#record);
        } else if (this.#field === undefined) {
            this.#skip(kind);
        } else {
            this.#record.begin(this.#field);
            if (kind !== 'null') this.#takeField(this.#field, kind, bytes, start, end);
        }
    }

    #takeField(field: Field, kind: JsonKind, bytes: Uint8Array, start: number, end: number): void {
        const record = this.#record;
        record.states[field] = 'good';
        switch (field) {
            case 'id':
            case 'context':
            case 'text':
                if (kind === 'string') record[field] = stringValue(bytes, start, end);
                else this.#refuse(field, kind);
                return;
            case 'data':
            case 'relationships':
                if (kind === '[') this.#place = field;
                else this.#refuse(field, kind);
                return;
            case 'importance':
                if (kind === 'number') record.importance = numberValue(bytes, start, end);
                else this.#refuse(field, kind);
                return;
            case 'decay_rate':
                if (kind === 'number') record.decayRate = numberValue(bytes, start, end);
                else this.#refuse(field, kind);
                return;
            case 'timestamp':
                return this.#takeTimestamp(kind, bytes, start, end);
            case 'metadata':
                this.#metadata = new JsonWriter();
                this.#nOpen = 0;
                this.#addMetadata(kind, bytes, start, end);
        }
    }

    #takeTimestamp(kind: JsonKind, bytes: Uint8Array, start: number, end: number): void {
        let ms: number | undefined;
        if (kind === 'string') ms = parseIso(stringValue(bytes, start, end));
        if (kind === 'number') ms = Math.trunc(numberValue(bytes, start, end));
        if (ms !== undefined && Math.abs(ms) <= MAX_TIME_MS) this.#record.createdMs = ms;
        else this.#refuse('timestamp', kind);
    }

    #addMetadata(kind: JsonKind, bytes: Uint8Array, start: number, end: number): void {
        const { states } = this.#record;
        if (states.metadata === 'good') this.#metadata.token(kind, bytes, start, end);
        if (this.#metadata.nBytes > CM_MAX_PAYLOAD_BYTES) {
            states.metadata = 'too long';
            this.#metadata = new JsonWriter();
        }
        this.#count(kind);
        this.#place = this.#nOpen > 0 ? 'metadata' : 'record';
        if (this.#nOpen === 0) this.#record.metadata = this.#metadata.text;
    }

    #refuse(field: Field, kind: JsonKind): void {
        this.#record.states[field] = 'wrong type';
        this.#skip(kind);
    }

    /** A nested value that nobody wants. */
    #skip(kind: JsonKind): void {
        if (kind !== '{' && kind !== '[') return;
        this.#backTo = this.#place;
        this.#place = 'skipped';
        this.#nOpen = 1;
    }

    #count(kind: JsonKind): void {
        if (kind === '{' || kind === '[') this.#nOpen++;
        if (kind === '}' || kind === ']') this.#nOpen--;
    }
}
