// SPDX-License-Identifier: MIT OR Apache-2.0
/** What the worker of a pool does: joins the shared store and does what it is asked, one task at a time. */
import { ChronoMind } from '../chronomind.js';
import { ChronoMindError } from '../errors.js';
import type { Answer, Task } from './protocol.js';

let mind: ChronoMind | undefined;

function joined(): ChronoMind {
    if (mind === undefined) throw new ChronoMindError('CM_E_CLOSED', 'this worker has joined no store');
    return mind;
}

function refusal(index: number, error: unknown): Answer {
    const { code, message } = error instanceof ChronoMindError ? error : { code: 'CM_E_FAULT' as const, message: String(error) };
    return { kind: 'refused', index, code, message };
}

/** Does one after the other until one is refused. */
function each<T>(n: number, action: (index: number) => T): T[] | Answer {
    const done: T[] = [];
    for (let i = 0; i < n; i++) {
        try {
            done.push(action(i));
        } catch (error) {
            return refusal(i, error);
        }
    }
    return done;
}

export async function answer(task: Task): Promise<Answer> {
    try {
        switch (task.kind) {
            case 'join':
                mind = await ChronoMind.attach(task.shared);
                return { kind: 'done' };
            case 'leave':
                mind?.close();
                mind = undefined;
                return { kind: 'done' };
            case 'search': {
                const { vectors, dimensions, options } = task;
                const vectorAt = (i: number): Float32Array => vectors.subarray(i * dimensions, (i + 1) * dimensions);
                const hits = each(vectors.length / dimensions, (i) => joined().search(vectorAt(i), options));
                return Array.isArray(hits) ? { kind: 'found', hits } : hits;
            }
            case 'insert': {
                const { memories } = task;
                const inserted = each(memories.length, (i) => joined().insert(memories[i] as (typeof memories)[number]));
                return Array.isArray(inserted) ? { kind: 'done' } : inserted;
            }
        }
    } catch (error) {
        return refusal(0, error);
    }
}
