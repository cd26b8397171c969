// SPDX-License-Identifier: MIT OR Apache-2.0
/** What the commands have in common that change a snapshot: load it, prepare the output, change, replace the file, say so. */
import type { Core } from '../core.js';
import { host } from '../host-node.js';
import { type Options, parseArguments, type Question, type Values } from './arguments.js';
import { catchInterrupts } from './input.js';
import { clearProgress } from './progress.js';
import { print } from './report.js';
import { attempt, openSnapshot, SnapshotOutput } from './snapshot.js';
import { jsonObject, jsonString, safeText } from './text.js';

/** At the top of each table of options, and at its end. */
export const FIRST = { '--file': { short: '-f', kind: 'text', required: true } } as const satisfies Options;
export const LAST = { '--output': { short: '-o', kind: 'text' }, '--json': { kind: 'flag' } } as const satisfies Options;

type CommonValues = Values<typeof FIRST & typeof LAST> & { '--file': string; '--dry-run'?: boolean };

/** What a change did, in words and as members of JSON. */
export interface Change {
    changed: boolean;
    lines: readonly string[];
    members: Readonly<Record<string, string | number | boolean>>;
}

/** Runs such a command. `judge` makes checks that need no store. */
export async function change<O extends Options>(
    command: string,
    options: O,
    given: readonly string[],
    apply: (store: Core, values: Values<O>) => Change | Promise<Change>,
    judge: (values: Values<O>) => void = () => {},
): Promise<Question | undefined> {
    const parsed = parseArguments(command, options, given);
    if (typeof parsed === 'string') return parsed;
    judge(parsed);
    const values = parsed as CommonValues;
    const { '--file': file, '--output': path = file, '--dry-run': isDry = false } = values;
    catchInterrupts();
    const store = await openSnapshot(file, command);
    const output = isDry ? undefined : new SnapshotOutput(path);
    try {
        const done = await attemptAsync(store, file, command, () => apply(store, parsed));
        clearProgress();
        await host.breathe(); // a signal that came meanwhile
        const isWritten = output !== undefined && (done.changed || values['--output'] !== undefined);
        if (isWritten) output.save(store);
        if (values['--json']) print(`${jsonObject({ ...done.members, path: jsonString(path), written: isWritten })}\n`);
        else print([...done.lines, endOf(isDry, isWritten, store.size, path)].map((line) => `${line}\n`).join(''));
    } finally {
        output?.discard();
    }
    return undefined;
}

async function attemptAsync<T>(store: Core, file: string, command: string, action: () => T | Promise<T>): Promise<T> {
    try {
        return await action();
    } catch (error) {
        return attempt(store, file, command, () => {
            throw error;
        });
    }
}

function endOf(isDry: boolean, isWritten: boolean, nMemories: number, path: string): string {
    if (isDry) return 'Dry run: nothing was written';
    return isWritten ? `Saved ${nMemories} memories to ${safeText(path)}` : `Nothing changed: ${safeText(path)} stays as it was`;
}
