// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * What the C side cannot judge, because it never sees it: JavaScript values of the wrong type, and numbers that would change on their way
 * into a 32-bit integer or UTF-8. Ranges and rules are judged by the library alone.
 */
import { ChronoMindError, type ChronoMindErrorCode } from './errors.js';
import * as C from './generated.js';
import { MAX_TIME_MS, parseIso } from './iso.js';
import type { MemoryInput, Metric, SearchMode, SearchReport, Vector, VectorKind } from './types.js';

const MAX_U32 = 0xffffffff;
const MAX_U64 = 0xffffffffffffffffn;

/** What the library has numbers for. */
export const METRICS: Record<Metric, number> = { cosine: C.CM_METRIC_COSINE, dot: C.CM_METRIC_DOT, l2: C.CM_METRIC_L2SQ };
export const VECTOR_KINDS: Record<VectorKind, number> = { f32: C.CM_VECTORS_F32, bf16: C.CM_VECTORS_BF16, i8: C.CM_VECTORS_I8 };
const MODES: Record<SearchMode, number> = { best: C.CM_SEARCH_BEST, rerank: C.CM_SEARCH_RERANK, exact: C.CM_SEARCH_EXACT };

const STRATEGIES: Record<number, SearchReport['strategy']> = {
    [C.CM_STRATEGY_GRAPH]: 'graph',
    [C.CM_STRATEGY_STREAMS]: 'streams',
    [C.CM_STRATEGY_SCAN]: 'scan',
};

/** A value in an error message, short. */
export function shown(value: unknown): string {
    if (typeof value === 'string') return `"${value.length > 64 ? `${value.slice(0, 61)}...` : value}"`;
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value !== 'object' || value === null) return typeof value === 'function' ? 'a function' : String(value);
    return Array.isArray(value) ? 'an array' : `an object (${value.constructor?.name ?? 'no prototype'})`;
}

function refuse(code: ChronoMindErrorCode, field: string, value: unknown, rule: string): never {
    throw new ChronoMindError(code, `${field} is ${shown(value)}: ${rule}`);
}

export function checkObject(value: unknown, field: string): void {
    if (typeof value !== 'object' || value === null) refuse('CM_E_ARGUMENT', field, value, 'must be an object');
}

/** A string that UTF-8 can hold. Half a surrogate pair would silently become U+FFFD. */
export function checkString(value: unknown, field: string, code: ChronoMindErrorCode = 'CM_E_UTF8'): string {
    if (typeof value !== 'string') return refuse('CM_E_ARGUMENT', field, value, 'must be a string');
    if (/\p{Surrogate}/u.test(value)) refuse(code, field, value, 'holds half a surrogate pair, which UTF-8 cannot hold');
    return value;
}

export function checkNumber(value: unknown, field: string): number {
    return typeof value === 'number' ? value : refuse('CM_E_ARGUMENT', field, value, 'must be a number');
}

/** A number that fits into 32 bits unsigned; whether it is allowed there is the library's question. */
export function checkU32(value: unknown, field: string, code: ChronoMindErrorCode = 'CM_E_RANGE'): number {
    const number = checkNumber(value, field);
    if (Number.isInteger(number) && number >= 0 && number <= MAX_U32) return number;
    return refuse(code, field, value, 'must be a whole number from 0 to 4294967295');
}

export function checkU64(value: unknown, field: string, code: ChronoMindErrorCode = 'CM_E_CONFIG'): bigint {
    if (typeof value === 'bigint' && value >= 0n && value <= MAX_U64) return value;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
    return refuse(code, field, value, 'must be a whole number of 64 bits');
}

/** A share of 1. 32-bit floats may round to an end of the range. */
export function checkShare(value: unknown, field: string, isRight: (share: number) => boolean, rule: string): number {
    const number = Math.fround(checkNumber(value, field));
    return isRight(number) ? number : refuse('CM_E_RANGE', field, value, rule);
}

export function checkFlag(value: unknown, field: string): boolean {
    if (value === undefined || typeof value === 'boolean') return value === true;
    return refuse('CM_E_ARGUMENT', field, value, 'must be true or false');
}

export function checkFunction<F>(value: F, field: string): F {
    return value === undefined || typeof value === 'function' ? value : refuse('CM_E_ARGUMENT', field, value, 'must be a function');
}

export function checkSignal(value: AbortSignal | undefined): AbortSignal | undefined {
    const isSignal = value === undefined || typeof Object(value).throwIfAborted === 'function';
    return isSignal ? value : refuse('CM_E_ARGUMENT', 'signal', value, 'must be an AbortSignal');
}

/** The number of a name. */
export function checkName(
    numbers: Record<string, number>,
    value: unknown,
    field: string,
    code: ChronoMindErrorCode = 'CM_E_CONFIG',
): number {
    const number = typeof value === 'string' && Object.hasOwn(numbers, value) ? numbers[value] : undefined;
    const names = Object.keys(numbers).map(shown);
    return number ?? refuse(code, field, value, `must be ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`);
}

/** The name of a number. */
export function nameOf<Name extends string>(numbers: Record<Name, number>, value: number): Name {
    return (Object.keys(numbers) as Name[]).find((name) => numbers[name] === value) as Name;
}

export function strategyOf(value: number): SearchReport['strategy'] {
    return STRATEGIES[value] ?? 'none';
}

/** `exact` is short for a mode. */
export function checkMode(mode: unknown, exact: unknown): number | undefined {
    const isExact = checkFlag(exact, 'exact');
    if (mode === undefined) return isExact ? MODES.exact : undefined;
    const number = checkName(MODES, mode, 'mode', 'CM_E_ARGUMENT');
    if (isExact && number !== MODES.exact) refuse('CM_E_ARGUMENT', 'mode', mode, 'but exact is true: give one of them');
    return number;
}

/**
 * Array-like and all numbers; how many and whether finite is checked by the library. Values are read once: a getter may do anything, even call the
 * store. What is longer than any vector is left unread, for the library to refuse.
 */
export function checkVector(value: unknown): Vector {
    const vector = value as Vector;
    const isVector = typeof value === 'object' && value !== null && Number.isSafeInteger(vector.length) && vector.length >= 0;
    if (!isVector) refuse('CM_E_ARGUMENT', 'vector', value, 'must be an array or typed array of numbers');
    if (value instanceof Float32Array || value instanceof Float64Array || vector.length > C.CM_MAX_DIMENSIONS) return vector;
    const numbers = new Float32Array(vector.length);
    for (let i = 0; i < numbers.length; i++) numbers[i] = checkNumber(vector[i], `vector[${i}]`);
    return numbers;
}

/** Milliseconds since the Unix epoch. Fractions are cut. */
export function checkTime(value: unknown, field: string): bigint {
    const rule = 'must be milliseconds since 1970, a Date, or an ISO 8601 date with Z or an offset';
    const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? parseIso(value) : value;
    if (typeof ms !== 'number') return refuse('CM_E_ARGUMENT', field, value, rule);
    if (!(Math.abs(ms) <= MAX_TIME_MS)) return refuse('CM_E_RANGE', field, value, rule);
    return BigInt(Math.trunc(ms));
}

/** The times between which memories are wanted. */
export function checkWindow(after: unknown, before: unknown): { afterMs?: bigint; beforeMs?: bigint } {
    const window = {
        ...(after !== undefined && { afterMs: checkTime(after, 'after') }),
        ...(before !== undefined && { beforeMs: checkTime(before, 'before') }),
    };
    const { afterMs, beforeMs } = window;
    if (afterMs === undefined || beforeMs === undefined || afterMs < beforeMs) return window;
    return refuse('CM_E_RANGE', 'after', after, `must be earlier than before, which is ${shown(before)}: nothing could pass`);
}

export function checkRelationships(value: unknown): readonly string[] {
    if (!Array.isArray(value)) return refuse('CM_E_ARGUMENT', 'relationships', value, 'must be an array of strings');
    for (const [i, id] of value.entries()) checkString(id, `relationships[${i}]`, 'CM_E_ID');
    return value;
}

/** JSON text; "" for undefined. */
export function checkMetadata(value: unknown): string {
    if (value === undefined) return '';
    let json: string | undefined;
    try {
        json = JSON.stringify(value);
    } catch (cause) {
        throw new ChronoMindError('CM_E_ARGUMENT', `metadata cannot be written as JSON: ${(cause as Error).message}`, { cause });
    }
    return json ?? refuse('CM_E_ARGUMENT', 'metadata', value, 'cannot be written as JSON');
}

/** What a store holds as metadata. */
export function parseMetadata(stored: string): unknown {
    if (stored === '') return undefined;
    try {
        return JSON.parse(stored);
    } catch {
        return stored; // another program's bytes
    }
}

/** A memory with every field present and of the type that the core takes. */
export interface CheckedMemory {
    /** Bytes when they come from a file that need not be UTF-8. */
    id: string | Uint8Array;
    vector: Vector;
    context: string | undefined;
    importance: number | undefined;
    decayRate: number | undefined;
    relationships: readonly string[];
    createdMs: bigint | undefined;
    text: string;
    /** JSON text, or "". */
    metadata: string;
}

export function checkMemory(memory: MemoryInput): CheckedMemory {
    checkObject(memory, 'memory');
    const { context, importance, decayRate, relationships, timestamp, text } = memory;
    return {
        id: checkString(memory.id, 'id', 'CM_E_ID'),
        vector: checkVector(memory.vector),
        context: context === undefined ? undefined : checkString(context, 'context'),
        importance: importance === undefined ? undefined : checkNumber(importance, 'importance'),
        decayRate: decayRate === undefined ? undefined : checkNumber(decayRate, 'decayRate'),
        relationships: relationships === undefined ? [] : checkRelationships(relationships),
        createdMs: timestamp === undefined ? undefined : checkTime(timestamp, 'timestamp'),
        text: text === undefined ? '' : checkString(text, 'text'),
        metadata: checkMetadata(memory.metadata),
    };
}
