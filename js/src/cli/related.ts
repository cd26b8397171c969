// SPDX-License-Identifier: MIT OR Apache-2.0
/** The command that follows the relationships of a memory. */
import type { Core, StoredMemory } from '../core.js';
import { type Options, parseArguments, type Question, type Values } from './arguments.js';
import { attributesText, memoryMembers } from './memory.js';
import { print } from './report.js';
import { attempt, openSnapshot } from './snapshot.js';
import { jsonList, jsonObject, jsonString, safeText } from './text.js';

const MOST = 1073741824;

const OPTIONS = {
    '--file': { short: '-f', kind: 'text', required: true },
    '--id': { kind: 'text', required: true },
    '--depth': { kind: 'whole', min: 1, max: MOST },
    '--limit': { short: '-l', kind: 'whole', min: 1, max: MOST },
    '--json': { kind: 'flag' },
} as const satisfies Options;

type RelatedValues = Values<typeof OPTIONS> & { '--file': string; '--id': string };

interface Found {
    /** Without the limit. */
    total: number;
    results: [depth: number, memory: StoredMemory][];
}

export async function related(given: readonly string[]): Promise<Question | undefined> {
    const parsed = parseArguments('related', OPTIONS, given);
    if (typeof parsed === 'string') return parsed;
    const values = parsed as RelatedValues;
    const store = await openSnapshot(values['--file'], 'related');
    const found = attempt(store, values['--file'], 'related', () => follow(store, values));
    print(values['--json'] ? asJson(found) : asText(found));
    return undefined;
}

function follow(store: Core, values: RelatedValues): Found {
    const all = store.related(values['--id'], values['--depth'] ?? 1);
    const shown = all.slice(0, values['--limit'] ?? all.length);
    return { total: all.length, results: shown.map((handle) => [handle.depth, store.recordOf(handle) as StoredMemory]) }; // nobody else is writing
}

function asText({ total, results }: Found): string {
    if (total === 0) return 'No results.\n';
    const cut = results.length < total ? `, the first ${results.length}` : '';
    const lines = results.map(([depth, memory], i) => `${i + 1}. id: ${safeText(memory.id)}  depth: ${depth}  ${attributesText(memory)}\n`);
    return `Found ${total} result(s)${cut}:\n${lines.join('')}`;
}

function asJson({ total, results }: Found): string {
    const list = results.map(([depth, memory]) => jsonObject({ id: jsonString(memory.id), depth, ...memoryMembers(memory) }));
    return `${jsonObject({ count: results.length, total, results: jsonList(list) })}\n`;
}
