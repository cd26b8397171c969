// SPDX-License-Identifier: MIT OR Apache-2.0
/** The command that sums up a context, or lists them all. */
import type { Core } from '../core.js';
import { type Options, parseArguments, type Question, type Values } from './arguments.js';
import { print } from './report.js';
import { attempt, openSnapshot } from './snapshot.js';
import { contextsOf } from './stats.js';
import { fixed, floatsText, floatText, jsonList, jsonNumber, jsonObject, jsonString, safeText } from './text.js';

const IMPORTANCE_DECIMALS = 2;

const OPTIONS = {
    '--file': { short: '-f', kind: 'text', required: true },
    '--context': { short: '-c', kind: 'text' },
    '--json': { kind: 'flag' },
} as const satisfies Options;

type ContextValues = Values<typeof OPTIONS> & { '--file': string };

export async function context(given: readonly string[]): Promise<Question | undefined> {
    const parsed = parseArguments('context', OPTIONS, given);
    if (typeof parsed === 'string') return parsed;
    const values = parsed as ContextValues;
    const { '--context': label, '--json': json = false } = values;
    const store = await openSnapshot(values['--file'], 'context');
    const text = attempt(store, values['--file'], 'context', () =>
        label === undefined ? listed(store, json) : summed(store, label, json),
    );
    print(text);
    return undefined;
}

function summed(store: Core, label: string, json: boolean): string {
    const { memories, averageImportance, mean } = store.contextSummary(label);
    if (json) {
        const centroid = memories === 0 ? 'null' : jsonList(Array.from(mean, floatText));
        return `${jsonObject({ context: jsonString(label), memories, average_importance: jsonNumber(averageImportance), centroid })}\n`;
    }
    return [
        `Context: ${safeText(label)}\n`,
        `Memories: ${memories}\n`,
        `Average importance: ${fixed(averageImportance, IMPORTANCE_DECIMALS)}\n`,
        `Centroid: ${memories === 0 ? '(none)' : floatsText(mean)}\n`,
    ].join('');
}

function listed(store: Core, json: boolean): string {
    const all = contextsOf(store).map(([name, memories]) => ({ name, memories, average: store.contextSummary(name).averageImportance }));
    if (json) {
        const contexts = all.map(({ name, memories, average }) =>
            jsonObject({ context: jsonString(name), memories, average_importance: jsonNumber(average) }),
        );
        return `${jsonObject({ count: all.length, contexts: jsonList(contexts) })}\n`;
    }
    const lines = all.map(
        ({ name, memories, average }) => `  ${safeText(name)}: ${memories}  average importance: ${fixed(average, IMPORTANCE_DECIMALS)}\n`,
    );
    return `Contexts: ${all.length}\n${lines.join('')}`;
}
