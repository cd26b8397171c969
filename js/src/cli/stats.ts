// SPDX-License-Identifier: MIT OR Apache-2.0
/** The command that says what a snapshot holds. */
import type { Core } from '../core.js';
import { compareUtf8 } from '../order.js';
import { type Options, parseArguments, type Question, type Values } from './arguments.js';
import { print } from './report.js';
import { attempt, openSnapshot } from './snapshot.js';
import { fixed, jsonNumber, jsonText, safeText } from './text.js';

const N_REFERENCES = 10;
const CAPACITY_DECIMALS = 1;
const IMPORTANCE_DECIMALS = 2;

const OPTIONS = {
    '--file': { short: '-f', kind: 'text', required: true },
    '--json': { kind: 'flag' },
} as const satisfies Options;

type StatsValues = Values<typeof OPTIONS> & { '--file': string };

interface Summary {
    memories: number;
    components: number;
    dimensions: number;
    metric: string;
    vectors: string;
    maxMemories: number;
    capacityPercent: number;
    averageImportance: number;
    /** Count descending, then name. */
    contexts: [name: string, n: number][];
    references: [id: string, n: number][];
}

export async function stats(given: readonly string[]): Promise<Question | undefined> {
    const parsed = parseArguments('stats', OPTIONS, given);
    if (typeof parsed === 'string') return parsed;
    const values = parsed as StatsValues;
    const store = await openSnapshot(values['--file'], 'stats');
    const summary = attempt(store, values['--file'], 'stats', () => summarize(store));
    print(values['--json'] ? asJson(summary) : asText(summary));
    return undefined;
}

function summarize(store: Core): Summary {
    const { n_memories, n_components, max_memories, average_importance } = store.stats();
    return {
        memories: Number(n_memories),
        components: Number(n_components),
        dimensions: store.config.dimensions,
        metric: store.config.metric,
        vectors: store.config.vectors,
        maxMemories: Number(max_memories),
        capacityPercent: (100 * Number(n_memories)) / Number(max_memories),
        averageImportance: average_importance,
        contexts: contextsOf(store),
        references: store.topReferences(N_REFERENCES).map(({ id, references }) => [id, references]),
    };
}

/** Count descending, then name. */
export function contextsOf(store: Core): [name: string, n: number][] {
    return store
        .contexts()
        .map(({ context, memories }): [string, number] => [context, memories])
        .sort((a, b) => b[1] - a[1] || compareUtf8(a[0], b[0]));
}

function asText(summary: Summary): string {
    const list = (counts: [string, number][]): string =>
        counts.length === 0 ? '  (none)\n' : counts.map(([name, n]) => `  ${safeText(name)}: ${n}\n`).join('');
    return [
        `Total memories: ${summary.memories}\n`,
        `Total components: ${summary.components}\n`,
        `Capacity used: ${fixed(summary.capacityPercent, CAPACITY_DECIMALS)}%\n`,
        `Average importance: ${fixed(summary.averageImportance, IMPORTANCE_DECIMALS)}\n`,
        `Context distribution:\n${list(summary.contexts)}`,
        `Most referenced memories:\n${list(summary.references)}`,
    ].join('');
}

function asJson(summary: Summary): string {
    const list = (counts: [string, number][], name: string, n: string): string =>
        `[${counts.map(([text, count]) => `{"${name}":"${jsonText(text)}","${n}":${count}}`).join(',')}]`;
    const members = [
        `"memories":${summary.memories}`,
        `"components":${summary.components}`,
        `"dimensions":${summary.dimensions}`,
        `"metric":"${summary.metric}"`,
        `"vectors":"${summary.vectors}"`,
        `"max_memories":${summary.maxMemories}`,
        `"capacity_used_percent":${jsonNumber(summary.capacityPercent)}`,
        `"average_importance":${jsonNumber(summary.averageImportance)}`,
        `"contexts":${list(summary.contexts, 'context', 'memories')}`,
        `"most_referenced":${list(summary.references, 'id', 'references')}`,
    ];
    return `{${members.join(',')}}\n`;
}
