// SPDX-License-Identifier: MIT OR Apache-2.0
/** The commands that relate a memory to another, and take such a relationship off. */
import type { Core } from '../core.js';
import type { Options, Question, Values } from './arguments.js';
import { type Change, change, FIRST, LAST } from './change.js';
import { memoryOf } from './snapshot.js';
import { jsonList, jsonString, orNone, safeText } from './text.js';

const OPTIONS = {
    ...FIRST,
    '--id': { kind: 'text', required: true },
    '--to': { kind: 'text', required: true },
    ...LAST,
} as const satisfies Options;

/** What is said of a pair of ids when the command changed something, and when not. */
interface Words {
    changed: (id: string, to: string) => string;
    unchanged: (id: string, to: string) => string;
}

export function relate(given: readonly string[]): Promise<Question | undefined> {
    const words: Words = {
        changed: (id, to) => `Related ${id} to ${to}`,
        unchanged: (id, to) => `${id} was related to ${to} already`,
    };
    return change('relate', OPTIONS, given, (store, values) => apply(store, values, words, (id, to) => store.relate(id, to)));
}

export function unrelate(given: readonly string[]): Promise<Question | undefined> {
    const words: Words = {
        changed: (id, to) => `Unrelated ${id} from ${to}`,
        unchanged: (id, to) => `${id} was not related to ${to}`,
    };
    return change('unrelate', OPTIONS, given, (store, values) => apply(store, values, words, (id, to) => store.unrelate(id, to)));
}

function apply(store: Core, values: Values<typeof OPTIONS>, words: Words, act: (id: string, to: string) => void): Change {
    const [id, to] = [values['--id'] as string, values['--to'] as string];
    const before = memoryOf(store, id).relationships;
    act(id, to);
    const { relationships } = memoryOf(store, id);
    const changed = before.length !== relationships.length;
    const say = changed ? words.changed : words.unchanged;
    return {
        changed,
        lines: [say(safeText(id), safeText(to)), `  relationships: ${orNone(relationships.map(safeText).join(', '))}`],
        members: { id: jsonString(id), to: jsonString(to), changed, relationships: jsonList(relationships.map(jsonString)) },
    };
}
