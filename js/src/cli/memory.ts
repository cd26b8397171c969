// SPDX-License-Identifier: MIT OR Apache-2.0
/** How the command line shows a memory. */
import type { StoredMemory } from '../core.js';
import { compactJson } from './json-writer.js';
import { fixed, floatText, jsonList, jsonString, safeText } from './text.js';

const IMPORTANCE_DECIMALS = 2;

/** A text in JSON; null when it is empty. */
export function jsonOrNull(text: string): string {
    return text === '' ? 'null' : jsonString(text);
}

/** "importance: 0.50  context: default" */
export function attributesText({ importance, context }: StoredMemory): string {
    return `importance: ${fixed(importance, IMPORTANCE_DECIMALS)}  context: ${safeText(context)}`;
}

/** The members of a memory in JSON output, but id and vector. */
export function memoryMembers(memory: StoredMemory): Record<string, string> {
    return {
        importance: floatText(memory.importance),
        context: jsonString(memory.context),
        timestamp: String(memory.createdMs),
        accessed: String(memory.accessedMs),
        access_count: String(memory.accessCount),
        decay_rate: floatText(memory.decayRate),
        relationships: jsonList(memory.relationships.map(jsonString)),
        text: jsonOrNull(memory.text),
        metadata: compactJson(memory.metadata),
    };
}
