// SPDX-License-Identifier: MIT OR Apache-2.0
/** The command that changes attributes of a memory. */
import type { Core, StoredMemory } from '../core.js';
import { nowOf, type Options, type Question, usage, type Values } from './arguments.js';
import { type Change, change, FIRST, LAST } from './change.js';
import { compactJson } from './json-writer.js';
import { jsonOrNull } from './memory.js';
import { memoryOf } from './snapshot.js';
import { floatText, jsonObject, jsonString, orNone, safeText, shortText } from './text.js';

const OPTIONS = {
    ...FIRST,
    '--id': { kind: 'text', required: true },
    '--importance': { kind: 'share' },
    '--decay-rate': { kind: 'rate' },
    '--context': { short: '-c', kind: 'text' },
    '--text': { kind: 'text', mayBeEmpty: true },
    '--metadata': { kind: 'json' },
    '--now': { kind: 'time' },
    ...LAST,
} as const satisfies Options;

type UpdateValues = Values<typeof OPTIONS>;

interface Attribute {
    option: '--importance' | '--decay-rate' | '--context' | '--text' | '--metadata';
    name: string;
    text: (memory: StoredMemory) => string;
    json: (memory: StoredMemory) => string;
}

const ATTRIBUTES: readonly Attribute[] = [
    {
        option: '--importance',
        name: 'importance',
        text: (memory) => floatText(memory.importance),
        json: (memory) => floatText(memory.importance),
    },
    {
        option: '--decay-rate',
        name: 'decay rate',
        text: (memory) => floatText(memory.decayRate),
        json: (memory) => floatText(memory.decayRate),
    },
    { option: '--context', name: 'context', text: (memory) => shortText(memory.context), json: (memory) => jsonString(memory.context) },
    { option: '--text', name: 'text', text: (memory) => orNone(shortText(memory.text)), json: (memory) => jsonOrNull(memory.text) },
    { option: '--metadata', name: 'metadata', text: metadataText, json: (memory) => compactJson(memory.metadata) },
];

export function update(given: readonly string[]): Promise<Question | undefined> {
    return change('update', OPTIONS, given, apply, judge);
}

function judge(values: UpdateValues): void {
    if (ATTRIBUTES.some(({ option }) => values[option] !== undefined)) return;
    usage('update', 'update needs --importance, --decay-rate, --context, --text or --metadata');
}

function apply(store: Core, values: UpdateValues): Change {
    const id = values['--id'] as string;
    const metadata = values['--metadata'];
    const before = memoryOf(store, id);
    store.update(id, {
        importance: values['--importance'],
        decayRate: values['--decay-rate'],
        context: values['--context'],
        text: values['--text'],
        metadata: metadata === 'null' ? '' : metadata,
        nowMs: BigInt(nowOf(values['--now'])),
    });
    const after = memoryOf(store, id);
    const given = ATTRIBUTES.filter(({ option }) => values[option] !== undefined);
    const membersOf = (memory: StoredMemory): string =>
        jsonObject(Object.fromEntries(given.map(({ name, json }) => [name.replace(' ', '_'), json(memory)])));
    return {
        changed: true,
        lines: [`Updated ${safeText(id)}`, ...given.map(({ name, text }) => `  ${name}: ${text(before)} -> ${text(after)}`)],
        members: { id: jsonString(id), before: membersOf(before), after: membersOf(after) },
    };
}

function metadataText({ metadata }: StoredMemory): string {
    return metadata === '' ? '(none)' : shortText(compactJson(metadata));
}
