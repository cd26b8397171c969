// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * A streaming reader of JSON texts, one after another, in bounded memory.
 *
 * It exists because of what docs/CLI.md promises and JSON libraries do not tell: line and column of the first byte that is wrong, numbers as they were
 * written, strings that are not UTF-8. A token is asked whether it fits (grammar), found whole (lexer), then handed on as a range of bytes;
 * decoding it is left to whoever wants it.
 *
 * A token that the chunk cuts off is scanned again from its start when twice as many bytes are at hand: all scans together cost no more than two of
 * the whole token.
 */
import { POWERS_OF_TEN } from './text.js';

export const MAX_DEPTH = 64;
export const MAX_TOKEN_BYTES = 8388608;

export type JsonKind = 'null' | 'false' | 'true' | 'number' | 'string' | 'key' | '{' | '}' | '[' | ']';

/** start and end delimit the token; of a string without its quotes. */
export type JsonHandler = (kind: JsonKind, bytes: Uint8Array, start: number, end: number) => void;

/** "line 3, column 7: unexpected '}'" */
export class JsonFault extends Error {}

/** What is wrong inside a token: `place` is the byte that broke it, `at` the one to point to. */
class Broken {
    constructor(
        readonly what: 'unexpected' | string,
        readonly place: number,
        readonly at: number,
    ) {}
}

const INCOMPLETE = -1;
const NOT_UTF8 = 'a string is not UTF-8';
const HALF_PAIR = 'a string holds half a surrogate pair';
const TOO_LONG = `a string or number is longer than ${MAX_TOKEN_BYTES} bytes`;

const [TAB, NEWLINE, RETURN, SPACE, QUOTE, PLUS, COMMA, MINUS, POINT, ZERO, NINE, COLON] = [9, 10, 13, 32, 34, 43, 44, 45, 46, 48, 57, 58];
const [OPEN_LIST, BACKSLASH, CLOSE_LIST, LOWER_E, LOWER_U, OPEN_OBJECT, CLOSE_OBJECT] = [91, 92, 93, 101, 117, 123, 125];
const ESCAPES = new Set(Buffer.from('"\\/bfnrt'));
const LITERALS = new Map((['true', 'false', 'null'] as const).map((word) => [word.charCodeAt(0), word]));

function isDigit(byte: number | undefined): boolean {
    return byte !== undefined && byte >= ZERO && byte <= NINE;
}

function isBlank(byte: number): boolean {
    return byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB;
}

/** What the grammar allows next. */
type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end';

export class JsonReader {
    readonly #handler: JsonHandler;
    #bytes = new Uint8Array(0);
    #waiting: Uint8Array[] = []; // to be appended to #bytes
    #nWaiting = 0;
    #line = 1; // of #bytes[0]
    #column = 1;
    #open: ('{' | '[')[] = [];
    #expected: Expected = 'value';

    constructor(handler: JsonHandler) {
        this.#handler = handler;
    }

    /** Throws a JsonFault, or what the handler throws. */
    write(chunk: Uint8Array): void {
        this.#waiting.push(chunk);
        this.#nWaiting += chunk.length;
        if (this.#nWaiting < this.#bytes.length) return;
        this.#append();
        this.#consume(this.#scan(false));
    }

    end(): void {
        this.#append();
        const end = this.#scan(true);
        if (end < this.#bytes.length || this.#open.length > 0) this.#fault('unexpected end of input', this.#bytes.length);
    }

    #append(): void {
        const [first] = this.#waiting;
        if (this.#waiting.length === 1 && this.#bytes.length === 0) this.#bytes = first as Uint8Array<ArrayBuffer>;
        else if (first !== undefined) this.#bytes = Buffer.concat([this.#bytes, ...this.#waiting]);
        this.#waiting = [];
        this.#nWaiting = 0;
    }

    #consume(n: number): void {
        [this.#line, this.#column] = this.#positionOf(n);
        this.#bytes = this.#bytes.subarray(n);
    }

    #positionOf(at: number): [line: number, column: number] {
        const bytes = this.#bytes;
        let [line, column] = [this.#line, this.#column];
        for (let i = 0; i < at; i++) {
            const byte = bytes[i] as number;
            if (byte === NEWLINE) {
                line++;
                column = 1;
            } else if ((byte & 0xc0) !== 0x80) {
                column++;
            }
        }
        return [line, column];
    }

    #fault(what: string, at: number): never {
        const [line, column] = this.#positionOf(at);
        throw new JsonFault(`line ${line}, column ${column}: ${what}`);
    }

    #unexpected(at: number): never {
        const byte = this.#bytes[at] as number;
        const isPrintable = byte > 0x20 && byte < 0x7f;
        const shown = isPrintable ? `'${String.fromCharCode(byte)}'` : `byte 0x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
        return this.#fault(`unexpected ${shown}`, at);
    }

    /** Handles all whole tokens; returns where the rest begins. */
    #scan(isLast: boolean): number {
        const bytes = this.#bytes;
        for (let at = 0; ; ) {
            const byte = bytes[at];
            if (byte === undefined) return at;
            if (isBlank(byte)) {
                at++;
                continue;
            }
            if (!this.#fits(byte)) this.#unexpected(at);
            const end = this.#tokenEnd(byte, at, isLast);
            if (end === INCOMPLETE) return at;
            this.#accept(byte, at, end);
            at = end;
        }
    }

    // ---- lexer --------------------------------------------------------------------------------------------------------

    #tokenEnd(first: number, start: number, isLast: boolean): number {
        const end = this.#endOrBroken(first, start, isLast);
        const reached = typeof end === 'object' ? end.place : end === INCOMPLETE ? this.#bytes.length : end;
        if (reached - start > MAX_TOKEN_BYTES) return this.#fault(TOO_LONG, start);
        if (typeof end === 'number') return end;
        return end.what === 'unexpected' ? this.#unexpected(end.at) : this.#fault(end.what, end.at);
    }

    #endOrBroken(first: number, start: number, isLast: boolean): number | Broken {
        if (first === QUOTE) return this.#stringEnd(start);
        if (first === MINUS || isDigit(first)) return this.#numberEnd(start, isLast);
        const literal = LITERALS.get(first);
        if (literal !== undefined) return this.#literalEnd(literal, start);
        const isTooDeep = (first === OPEN_OBJECT || first === OPEN_LIST) && this.#open.length === MAX_DEPTH;
        return isTooDeep ? new Broken(`nested deeper than ${MAX_DEPTH} levels`, start, start) : start + 1;
    }

    #literalEnd(literal: string, start: number): number | Broken {
        for (let i = 1; i < literal.length; i++) {
            const byte = this.#bytes[start + i];
            if (byte === undefined) return INCOMPLETE;
            if (byte !== literal.charCodeAt(i)) return new Broken('unexpected', start + i, start + i);
        }
        return start + literal.length;
    }

    /** A number ends at the first byte that cannot belong to it. */
    #numberEnd(start: number, isLast: boolean): number | Broken {
        const bytes = this.#bytes;
        let at = start;
        const digits = (): boolean => {
            const from = at;
            while (isDigit(bytes[at])) at++;
            return at > from;
        };
        const broken = (): number | Broken => (at < bytes.length ? new Broken('unexpected', at, at) : INCOMPLETE);
        if (bytes[at] === MINUS) at++;
        if (bytes[at] === ZERO) at++;
        else if (!digits()) return broken();
        if (bytes[at] === POINT) {
            at++;
            if (!digits()) return broken();
        }
        if (((bytes[at] ?? 0) | 0x20) === LOWER_E) {
            at++;
            if (bytes[at] === PLUS || bytes[at] === MINUS) at++;
            if (!digits()) return broken();
        }
        return at < bytes.length || isLast ? at : INCOMPLETE;
    }

    #stringEnd(start: number): number | Broken {
        const bytes = this.#bytes;
        let isHalf = false; // the first half of a surrogate pair waits for the second
        for (let at = start + 1; ; ) {
            const byte = bytes[at];
            if (byte === undefined) return INCOMPLETE;
            if (byte === BACKSLASH) {
                const end = this.#escapeEnd(at, start, isHalf);
                if (typeof end === 'object' || end === INCOMPLETE) return end;
                isHalf = end === at + 6 && !isHalf && this.#isSurrogate(at + 2);
                at = end;
            } else if (byte < SPACE) {
                return new Broken('unexpected', at, at);
            } else if (isHalf) {
                return new Broken(HALF_PAIR, at, start);
            } else if (byte === QUOTE) {
                return at + 1;
            } else if (byte < 0x80) {
                at++;
            } else {
                const end = this.#characterEnd(byte, at, start);
                if (typeof end === 'object' || end === INCOMPLETE) return end;
                at = end;
            }
        }
    }

    /** \n, \u00e9, ...; a second half must follow a first one, and nothing else may. */
    #escapeEnd(at: number, start: number, isHalf: boolean): number | Broken {
        const bytes = this.#bytes;
        const letter = bytes[at + 1];
        if (letter === undefined) return INCOMPLETE;
        if (letter !== LOWER_U) {
            if (!ESCAPES.has(letter)) return new Broken('unexpected', at + 1, at + 1);
            return isHalf ? new Broken(HALF_PAIR, at + 1, start) : at + 2;
        }
        for (let i = at + 2; i < at + 6; i++) {
            const byte = bytes[i];
            if (byte === undefined) return INCOMPLETE;
            if (!isDigit(byte) && !((byte | 0x20) >= 97 && (byte | 0x20) <= 102)) return new Broken('unexpected', i, i);
        }
        const isSecond = this.#isSurrogate(at + 2) && (bytes[at + 3] as number | 0x20) >= 99;
        return isSecond === isHalf ? at + 6 : new Broken(HALF_PAIR, at + 5, start);
    }

    /** Four hexadecimal digits from D800 to DFFF. */
    #isSurrogate(at: number): boolean {
        const [first, second] = [this.#bytes[at] as number, this.#bytes[at + 1] as number];
        return (first | 0x20) === 100 && (second === 56 || second === NINE || (second | 0x20) >= 97);
    }

    /** The bounds of the second byte keep out overlong forms, surrogates, and what lies beyond U+10FFFF. */
    #characterEnd(first: number, at: number, start: number): number | Broken {
        const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        if (first < 0xc2 || first > 0xf4) return new Broken(NOT_UTF8, at, start);
        let least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
        let most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
        for (let i = at + 1; i < at + length; i++) {
            const byte = this.#bytes[i];
            if (byte === undefined) return INCOMPLETE;
            if (byte < least || byte > most) return new Broken(NOT_UTF8, i, start);
            [least, most] = [0x80, 0xbf];
        }
        return at + length;
    }

    // ---- grammar ------------------------------------------------------------------------------------------------------

    /** Whether a token that begins with this byte may come next. */
    #fits(first: number): boolean {
        const expected = this.#expected;
        switch (first) {
            case COMMA:
                return expected === ', or end';
            case COLON:
                return expected === ':';
            case CLOSE_OBJECT:
                return this.#open.at(-1) === '{' && (expected === ', or end' || expected === 'key or }');
            case CLOSE_LIST:
                return this.#open.at(-1) === '[' && (expected === ', or end' || expected === 'value or ]');
            case QUOTE:
                if (expected === 'key' || expected === 'key or }') return true;
                break;
        }
        return (expected === 'value' || expected === 'value or ]') && this.#beginsValue(first);
    }

    #beginsValue(first: number): boolean {
        const isBracketOrString = first === OPEN_OBJECT || first === OPEN_LIST || first === QUOTE;
        return isBracketOrString || first === MINUS || isDigit(first) || LITERALS.has(first);
    }

    #accept(first: number, start: number, end: number): void {
        switch (first) {
            case COMMA:
                this.#expected = this.#open.at(-1) === '{' ? 'key' : 'value';
                return;
            case COLON:
                this.#expected = 'value';
                return;
            case CLOSE_OBJECT:
            case CLOSE_LIST:
                this.#open.pop();
                this.#expectAfterValue();
                this.#handler(first === CLOSE_OBJECT ? '}' : ']', this.#bytes, start, end);
                return;
            case OPEN_OBJECT:
                this.#open.push('{');
                this.#expected = 'key or }';
                this.#handler('{', this.#bytes, start, end);
                return;
            case OPEN_LIST:
                this.#open.push('[');
                this.#expected = 'value or ]';
                this.#handler('[', this.#bytes, start, end);
                return;
            case QUOTE:
                return this.#acceptString(start + 1, end - 1);
        }
        this.#expectAfterValue();
        this.#handler(LITERALS.get(first) ?? 'number', this.#bytes, start, end);
    }

    #acceptString(start: number, end: number): void {
        if (this.#expected === 'key' || this.#expected === 'key or }') {
            this.#expected = ':';
            this.#handler('key', this.#bytes, start, end);
        } else {
            this.#expectAfterValue();
            this.#handler('string', this.#bytes, start, end);
        }
    }

    #expectAfterValue(): void {
        this.#expected = this.#open.length > 0 ? ', or end' : 'value';
    }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The value of a string token. */
export function stringValue(bytes: Uint8Array, start: number, end: number): string {
    const text = decoder.decode(bytes.subarray(start, end));
    return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}

/** A token as it was written. */
export function tokenText(bytes: Uint8Array, start: number, end: number): string {
    return decoder.decode(bytes.subarray(start, end));
}

/**
 * The value of a number token, correctly rounded. Up to 15 digits and a power of ten up to 10^22 are exact doubles, and one division of exact
 * doubles is correctly rounded: that is nearly every number, and five times faster than by way of a string.
 */
export function numberValue(bytes: Uint8Array, start: number, end: number): number {
    const isNegative = bytes[start] === MINUS;
    let digits = 0;
    let nDigits = 0;
    let nDecimals = -1; // before the point
    for (let at = isNegative ? start + 1 : start; at < end; at++) {
        const byte = bytes[at] as number;
        if (isDigit(byte)) {
            digits = digits * 10 + (byte - ZERO);
            nDigits++;
            if (nDecimals >= 0) nDecimals++;
        } else if (byte === POINT) {
            nDecimals = 0;
        } else {
            nDigits = Number.POSITIVE_INFINITY; // an exponent
        }
    }
    if (nDigits > 15) return Number(tokenText(bytes, start, end));
    const value = nDecimals > 0 ? digits / (POWERS_OF_TEN[nDecimals] as number) : digits;
    return isNegative ? -value : value;
}
