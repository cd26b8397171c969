// SPDX-License-Identifier: MIT OR Apache-2.0
/** How the command line prints text and numbers (docs/CLI.md, section 4), and reads numbers. */
import { MAX_TIME_MS } from '../iso.js';

const LETTERS: Record<string, string> = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '"': '\\"', '\\': '\\\\' };

const SHORT_CHARACTERS = 64;
const JSON_DECIMALS = 7;
const MOST_FLOAT_DIGITS = 9;
const SHOWN_FLOATS = 8;

/** Of durations, in seconds. */
const UNITS = [
    ['d', 86400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
] as const;

/** Exact, which ** need not be. */
export const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

function escaped(character: string): string {
    return LETTERS[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** For lines that people read: nothing that would move the cursor. */
export function safeText(text: string): string {
    return text.replace(/\p{Cc}/gu, escaped);
}

/** The inside of a JSON string. */
export function jsonText(text: string): string {
    return text.replace(/[\p{Cc}"\\]/gu, escaped);
}

/** The first 64 characters, as safe text. */
export function shortText(text: string): string {
    let end = 0;
    for (let n = 0; n < SHORT_CHARACTERS && end < text.length; n++) end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
    return safeText(text.slice(0, end)) + (end < text.length ? '...' : '');
}

/** Rounds by a rule of its own: toFixed and printf differ on ties. */
export function fixed(x: number, decimals: number): string {
    if (!Number.isFinite(x)) return String(x);
    const n = Math.floor(Math.abs(x) * (POWERS_OF_TEN[decimals] as number) + 0.5);
    const digits = BigInt(n)
        .toString()
        .padStart(decimals + 1, '0');
    const point = digits.length - decimals;
    return `${x < 0 && n > 0 ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** A number in JSON output. */
export function jsonNumber(x: number): string {
    return Number.isFinite(x) ? fixed(x, JSON_DECIMALS).replace(/\.?0+$/, '') : 'null';
}

/** A string in JSON output. */
export function jsonString(text: string): string {
    return `"${jsonText(text)}"`;
}

/** An object in JSON output, of members that are JSON already. */
export function jsonObject(members: Readonly<Record<string, string | number | boolean>>): string {
    return `{${Object.entries(members)
        .map(([name, value]) => `"${name}":${value}`)
        .join(',')}}`;
}

export function jsonList(values: readonly string[]): string {
    return `[${values.join(',')}]`;
}

/** A 32-bit float: the fewest digits that read back as the same. */
export function floatText(x: number): string {
    if (Object.is(x, -0)) return '-0';
    for (let digits = 1; digits < MOST_FLOAT_DIGITS; digits++) {
        const rounded = Number(x.toPrecision(digits));
        if (Math.fround(rounded) === x) return String(rounded);
    }
    return String(Number(x.toPrecision(MOST_FLOAT_DIGITS)));
}

/** The first numbers of a vector. */
export function floatsText(vector: Float32Array): string {
    const shown = Array.from(vector.subarray(0, SHOWN_FLOATS), floatText).join(', ');
    return vector.length > SHOWN_FLOATS ? `${shown}, ... (${vector.length} in all)` : shown;
}

/** A time in lines for people. */
export function momentText(ms: number): string {
    const iso = Math.abs(ms) <= MAX_TIME_MS ? new Date(ms).toISOString() : '';
    return /^\d{4}-/.test(iso) ? iso.replace('.000Z', 'Z') : String(ms);
}

/** The largest unit that is not 0, and the next smaller one. */
export function durationText(ms: number): string {
    let rest = Math.floor(Math.max(ms, 0) / 1000);
    const parts = UNITS.map(([letter, seconds]): [string, number] => {
        const n = Math.floor(rest / seconds);
        rest -= n * seconds;
        return [letter, n];
    });
    const first = parts.findIndex(([, n]) => n > 0);
    if (first < 0) return '0s';
    return parts
        .slice(first, first + 2)
        .filter(([, n]) => n > 0)
        .map(([letter, n]) => `${n}${letter}`)
        .join(' ');
}

/** What is left out when it is empty. */
export function orNone(text: string): string {
    return text === '' ? '(none)' : text;
}

/** A decimal number as an argument may hold it; undefined when it is none. */
export function parseNumber(text: string): number | undefined {
    return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}
