// SPDX-License-Identifier: MIT OR Apache-2.0
/** The command that removes memories: all of those named, or none. */
import type { Core } from '../core.js';
import type { Options, Question, Values } from './arguments.js';
import { type Change, change, FIRST, LAST } from './change.js';
import { memoryOf } from './snapshot.js';
import { jsonList, jsonString } from './text.js';

const OPTIONS = {
    ...FIRST,
    '--id': { kind: 'texts', required: true },
    ...LAST,
} as const satisfies Options;

export function remove(given: readonly string[]): Promise<Question | undefined> {
    return change('remove', OPTIONS, given, apply);
}

function apply(store: Core, values: Values<typeof OPTIONS>): Change {
    const ids = [...new Set(values['--id'])];
    for (const id of ids) memoryOf(store, id);
    for (const id of ids) store.remove(id);
    return {
        changed: true,
        lines: [`Removed ${ids.length} memories`],
        members: { removed: jsonList(ids.map(jsonString)), memories: store.size },
    };
}
