// SPDX-License-Identifier: MIT OR Apache-2.0
/** The command that lets importance fade. */
import type { Core } from '../core.js';
import { nowOf, type Options, type Question, type Values } from './arguments.js';
import { type Change, change, FIRST, LAST } from './change.js';
import { fixed, jsonNumber, jsonObject, momentText } from './text.js';

const IMPORTANCE_DECIMALS = 2;

const OPTIONS = {
    ...FIRST,
    '--now': { kind: 'time' },
    '--dry-run': { kind: 'flag' },
    ...LAST,
} as const satisfies Options;

export function decay(given: readonly string[]): Promise<Question | undefined> {
    return change('decay', OPTIONS, given, apply);
}

function apply(store: Core, values: Values<typeof OPTIONS>): Change {
    const isDry = values['--dry-run'] ?? false;
    const now = nowOf(values['--now']);
    const before = store.stats().average_importance;
    const n = store.applyDecay(BigInt(now));
    const after = store.stats().average_importance;
    const [from, to] = [fixed(before, IMPORTANCE_DECIMALS), fixed(after, IMPORTANCE_DECIMALS)];
    const verb = isDry ? 'Would decay' : 'Decayed';
    const averageOf = (importance: number): string => jsonObject({ average_importance: jsonNumber(importance) });
    return {
        changed: n > 0,
        lines: [`${verb} ${n} of ${store.size} memories to ${momentText(now)}; average importance: ${from} -> ${to}`],
        members: { decayed: n, memories: store.size, now, before: averageOf(before), after: averageOf(after), dry_run: isDry },
    };
}
