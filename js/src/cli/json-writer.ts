// SPDX-License-Identifier: MIT OR Apache-2.0
/** Compact JSON from the tokens of a JSON text: numbers as they were written, members in order, strings in one form (docs/CLI.md, section 4). */
import { JsonFault, type JsonKind, JsonReader, stringValue, tokenText } from './json.js';
import { jsonString, jsonText } from './text.js';

export class JsonWriter {
    #parts: string[] = [];
    #wantsComma = false;
    /** UTF-8 bytes written so far. */
    nBytes = 0;

    /** A JsonHandler. */
    token(kind: JsonKind, bytes: Uint8Array, start: number, end: number): void {
        const closes = kind === '}' || kind === ']';
        if (this.#wantsComma && !closes) this.#write(',');
        this.#wantsComma = kind !== '{' && kind !== '[' && kind !== 'key';
        if (kind === 'string') this.#write(`"${jsonText(stringValue(bytes, start, end))}"`);
        else if (kind === 'key') this.#write(`"${jsonText(stringValue(bytes, start, end))}":`);
        else this.#write(kind === 'number' ? tokenText(bytes, start, end) : kind);
    }

    #write(text: string): void {
        this.#parts.push(text);
        this.nBytes += Buffer.byteLength(text);
    }

    get text(): string {
        return this.#parts.join('');
    }
}

/** JSON text as compact JSON, and how many values it holds. Throws a JsonFault. */
export function compacted(text: string): { json: string; nValues: number } {
    const writer = new JsonWriter();
    let depth = 0;
    let nValues = 0;
    const reader = new JsonReader((kind, bytes, start, end) => {
        if (kind === '}' || kind === ']') depth--;
        else if (depth === 0) nValues++;
        if (kind === '{' || kind === '[') depth++;
        writer.token(kind, bytes, start, end);
    });
    reader.write(Buffer.from(text));
    reader.end();
    return { json: writer.text, nValues };
}

/** What a store holds as metadata, as JSON: compact, or a string when it is no JSON text. */
export function compactJson(stored: string): string {
    if (stored === '') return 'null';
    try {
        const { json, nValues } = compacted(stored);
        if (nValues === 1) return json;
    } catch (error) {
        if (!(error instanceof JsonFault)) throw error;
    }
    return jsonString(stored);
}
