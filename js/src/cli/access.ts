// SPDX-License-Identifier: MIT OR Apache-2.0
/** The command that counts an access to a memory. */
import type { Core, StoredMemory } from '../core.js';
import { nowOf, type Options, type Question, type Values } from './arguments.js';
import { type Change, change, FIRST, LAST } from './change.js';
import { memoryOf } from './snapshot.js';
import { jsonObject, jsonString, momentText, safeText } from './text.js';

const OPTIONS = {
    ...FIRST,
    '--id': { kind: 'text', required: true },
    '--now': { kind: 'time' },
    ...LAST,
} as const satisfies Options;

export function access(given: readonly string[]): Promise<Question | undefined> {
    return change('access', OPTIONS, given, apply);
}

function apply(store: Core, values: Values<typeof OPTIONS>): Change {
    const id = values['--id'] as string;
    const before = memoryOf(store, id);
    store.access(id, BigInt(nowOf(values['--now'])));
    const after = memoryOf(store, id);
    const membersOf = ({ accessCount, accessedMs }: StoredMemory): string =>
        jsonObject({ access_count: accessCount, accessed: accessedMs });
    return {
        changed: true,
        lines: [
            `Accessed ${safeText(id)}`,
            `  access count: ${before.accessCount} -> ${after.accessCount}`,
            `  accessed: ${momentText(before.accessedMs)} -> ${momentText(after.accessedMs)}`,
        ],
        members: { id: jsonString(id), before: membersOf(before), after: membersOf(after) },
    };
}
