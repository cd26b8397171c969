// SPDX-License-Identifier: MIT OR Apache-2.0
/** The command that merges near-duplicates. */
import { Worker } from 'node:worker_threads';
import type { Core } from '../core.js';
import { ChronoMindError } from '../errors.js';
import { compareUtf8 } from '../order.js';
import type { Options, Question, Values } from './arguments.js';
import { type Change, change, FIRST, LAST } from './change.js';
import type { Report, Task } from './consolidate-worker.js';
import { unlessInterrupted } from './input.js';
import { showProgress } from './progress.js';
import { floatText, jsonList, jsonString, safeText } from './text.js';

const SHOWN_IDS = 10;

const OPTIONS = {
    ...FIRST,
    '--threshold': { kind: 'inside' },
    '--dry-run': { kind: 'flag' },
    ...LAST,
} as const satisfies Options;

export function consolidate(given: readonly string[]): Promise<Question | undefined> {
    return change('consolidate', OPTIONS, given, apply);
}

async function apply(store: Core, values: Values<typeof OPTIONS>): Promise<Change> {
    const isDry = values['--dry-run'] ?? false;
    const threshold = values['--threshold'] ?? store.config.similarityThreshold;
    const ids = Array.from(store.records(), ({ id }) => id);
    await consolidateElsewhere(store, threshold);
    const absorbed = ids.filter((id) => !store.has(id)).sort(compareUtf8);
    const verb = isDry ? 'Would absorb' : 'Absorbed';
    return {
        changed: absorbed.length > 0,
        lines: [
            `${verb} ${absorbed.length} of ${ids.length} memories that are more similar than ${floatText(threshold)}`,
            ...absorbed.slice(0, SHOWN_IDS).map((id) => `  ${safeText(id)}`),
            ...(absorbed.length > SHOWN_IDS ? [`  and ${absorbed.length - SHOWN_IDS} more`] : []),
        ],
        members: { absorbed: jsonList(absorbed.map(jsonString)), memories: store.size, threshold: floatText(threshold), dry_run: isDry },
    };
}

/** In another thread, because this may take long, and this thread must hear Ctrl-C. */
async function consolidateElsewhere(store: Core, threshold: number): Promise<void> {
    const task: Task = { shared: store.share(), threshold };
    const worker = new Worker(new URL('./consolidate-worker.js', import.meta.url), { workerData: task });
    const end = new Promise<void>((resolve, reject) => {
        worker.on('message', (report: Report) => {
            if (typeof report === 'number') showProgress('consolidating', report);
            else reject(new ChronoMindError(report.code, report.message));
        });
        worker.once('error', reject);
        worker.once('exit', () => resolve());
    });
    try {
        await unlessInterrupted(end);
    } finally {
        await worker.terminate();
    }
}
