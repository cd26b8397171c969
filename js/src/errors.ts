// SPDX-License-Identifier: MIT OR Apache-2.0
/** The one error class, and its codes: those of the C library (generated.ts) and those that only exist here. */
import { STATUS } from './generated.js';

type Status = keyof typeof STATUS;

/**
 * What went wrong. The codes of the library, and:
 * - `CM_E_ENVIRONMENT`: this JavaScript host cannot do it (no SIMD, no file system, WebAssembly forbidden by a content security policy);
 * - `CM_E_LOCKED`: another tab or worker has the snapshot's place open for writing;
 * - `CM_E_READ_ONLY`: the store was opened with `readOnly`, so its place is not written;
 * - `CM_E_QUOTA`: the browser gives this origin no more storage;
 * - `CM_E_FAULT`: the WebAssembly code trapped. That is a bug of ChronoMind; the store is closed.
 */
export type ChronoMindErrorCode =
    | Exclude<Status, 'CM_OK' | 'CM_END'>
    | 'CM_E_ENVIRONMENT'
    | 'CM_E_LOCKED'
    | 'CM_E_READ_ONLY'
    | 'CM_E_QUOTA'
    | 'CM_E_FAULT';

const codes = new Map<number, ChronoMindErrorCode>(
    Object.entries(STATUS).flatMap(([name, { value }]) => (value < 0 ? [[value, name as ChronoMindErrorCode] as const] : [])),
);

/** Every failure of this package. A failed call has changed nothing. */
export class ChronoMindError extends Error {
    override readonly name = 'ChronoMindError';
    readonly code: ChronoMindErrorCode;
    /** The library's number for the code; undefined for those that it does not know. */
    readonly status: number | undefined;
    /** Of insertBatch: the position of the memory that was refused; those before it were inserted. */
    declare index?: number;

    constructor(code: ChronoMindErrorCode, message: string, options?: ErrorOptions) {
        super(message, options);
        this.code = code;
        this.status = (STATUS as Partial<Record<string, { value: number }>>)[code]?.value;
    }
}

/** The code of a negative status. */
export function codeOf(status: number): ChronoMindErrorCode {
    return codes.get(status) ?? 'CM_E_FAULT';
}

/** The library's sentence for a code of its own. */
export function sentenceOf(code: Status): string {
    return STATUS[code].text;
}

/** What the library calls by another name than this package. */
const OWN_NAMES: Partial<Record<string, string>> = { relationship: 'to' };

/** A message of the library in the names of this package: max_memories is maxMemories here. What is quoted is the caller's, and stays. */
export function inOwnNames(message: string): string {
    return message.replace(/"[^"]*"|\b[a-z]+(?:_[a-z]+)+\b|^relationship\b/g, (part) => {
        if (part.startsWith('"')) return part;
        return OWN_NAMES[part] ?? camelCase(part);
    });
}

/** max_memories as maxMemories. */
export function camelCase(name: string): string {
    return name.replace(/_./g, (pair) => pair.slice(1).toUpperCase());
}
