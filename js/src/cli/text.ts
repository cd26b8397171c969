// SPDX-License-Identifier: MIT OR Apache-2.0
/** How the command line prints text and numbers (docs/CLI.md, section 4), and reads numbers. */

const LETTERS: Record<string, string> = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '"': '\\"', '\\': '\\\\' };

const SHORT_CHARACTERS = 64;
const JSON_DECIMALS = 7;

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

/** A decimal number as an argument may hold it; undefined when it is none. */
export function parseNumber(text: string): number | undefined {
    return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}
