// SPDX-License-Identifier: MIT OR Apache-2.0
/** The command that shows one memory. */
import type { StoredMemory } from '../core.js';
import { type Options, parseArguments, type Question, type Values } from './arguments.js';
import { compactJson } from './json-writer.js';
import { memoryMembers } from './memory.js';
import { print } from './report.js';
import { attempt, memoryOf, openSnapshot } from './snapshot.js';
import { floatsText, floatText, jsonList, jsonObject, jsonString, momentText, orNone, safeText } from './text.js';

const OPTIONS = {
    '--file': { short: '-f', kind: 'text', required: true },
    '--id': { kind: 'text', required: true },
    '--json': { kind: 'flag' },
} as const satisfies Options;

type GetValues = Values<typeof OPTIONS> & { '--file': string; '--id': string };

export async function get(given: readonly string[]): Promise<Question | undefined> {
    const parsed = parseArguments('get', OPTIONS, given);
    if (typeof parsed === 'string') return parsed;
    const values = parsed as GetValues;
    const store = await openSnapshot(values['--file'], 'get');
    const memory = attempt(store, values['--file'], 'get', () => memoryOf(store, values['--id']));
    print(values['--json'] ? asJson(memory) : asText(memory, store.config.baseDecayRate));
    return undefined;
}

function asText(memory: StoredMemory, baseDecayRate: number): string {
    const isOwn = memory.decayRate !== 0;
    const lines = {
        id: safeText(memory.id),
        context: safeText(memory.context),
        importance: floatText(memory.importance),
        'decay rate': isOwn ? `${floatText(memory.decayRate)} per hour` : `${floatText(baseDecayRate)} per hour (the store's)`,
        created: momentText(memory.createdMs),
        accessed: momentText(memory.accessedMs),
        'access count': memory.accessCount,
        relationships: orNone(memory.relationships.map(safeText).join(', ')),
        text: orNone(safeText(memory.text)),
        metadata: memory.metadata === '' ? '(none)' : safeText(compactJson(memory.metadata)),
        data: floatsText(memory.vector),
    };
    return Object.entries(lines)
        .map(([name, value]) => `${name}: ${value}\n`)
        .join('');
}

function asJson(memory: StoredMemory): string {
    const data = jsonList(Array.from(memory.vector, floatText));
    return `${jsonObject({ id: jsonString(memory.id), ...memoryMembers(memory), data })}\n`;
}
