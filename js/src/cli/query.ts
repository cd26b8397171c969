// SPDX-License-Identifier: MIT OR Apache-2.0
/** The command that finds the memories nearest to a vector. */
import type { Core, CoreHit, StoredMemory } from '../core.js';
import { ChronoMindError } from '../errors.js';
import { CM_MAX_EF, CM_MAX_K } from '../generated.js';
import { type Options, parseArguments, type Question, type Values } from './arguments.js';
import { compactJson } from './json-writer.js';
import { FAILED, Failure, print } from './report.js';
import { openSnapshot } from './snapshot.js';
import { fixed, jsonNumber, jsonText, safeText } from './text.js';

const SCORE_DECIMALS = 4;
const IMPORTANCE_DECIMALS = 2;

const OPTIONS = {
    '--file': { short: '-f', kind: 'text', required: true },
    '--vector': { short: '-v', kind: 'vector', required: true },
    '--limit': { short: '-l', kind: 'whole', min: 1, max: CM_MAX_K },
    '--context': { short: '-c', kind: 'text' },
    '--ef': { kind: 'whole', min: 1, max: CM_MAX_EF },
    '--temporal-weight': { kind: 'share' },
    '--now': { kind: 'time' },
    '--json': { kind: 'flag' },
} as const satisfies Options;

type QueryValues = Values<typeof OPTIONS> & { '--file': string; '--vector': Float32Array };

export async function query(given: readonly string[]): Promise<Question | undefined> {
    const parsed = parseArguments('query', OPTIONS, given);
    if (typeof parsed === 'string') return parsed;
    const values = parsed as QueryValues;
    const store = await openSnapshot(values['--file'], 'query');
    const results = find(store, values);
    print(values['--json'] ? asJson(results) : asText(results));
    return undefined;
}

type Result = [hit: CoreHit, memory: StoredMemory];

function find(store: Core, values: QueryValues): Result[] {
    const now = values['--now'];
    try {
        const hits = store.search(values['--vector'], {
            k: values['--limit'],
            ef: values['--ef'],
            temporalWeight: values['--temporal-weight'],
            nowMs: now === undefined ? undefined : BigInt(now),
            context: values['--context'],
        });
        return hits.map((hit) => [hit, store.recordOf(hit) as StoredMemory]); // nobody else is writing
    } catch (error) {
        if (!(error instanceof ChronoMindError)) throw error;
        const isLength = error.code === 'CM_E_DIMENSION';
        const length = `the vectors in ${values['--file']} have ${store.config.dimensions} dimensions`;
        throw new Failure(FAILED, error.message, isLength ? length : "try 'chronomind query --help'");
    }
}

function asText(results: Result[]): string {
    if (results.length === 0) return 'No results.\n';
    const lines = results.map(([hit, { id, context }], i) => {
        const [score, importance] = [fixed(hit.score, SCORE_DECIMALS), fixed(hit.importance, IMPORTANCE_DECIMALS)];
        return `${i + 1}. id: ${safeText(id)}  score: ${score}  importance: ${importance}  context: ${safeText(context)}\n`;
    });
    return `Found ${results.length} result(s):\n${lines.join('')}`;
}

function asJson(results: Result[]): string {
    return `{"count":${results.length},"results":[${results.map(resultAsJson).join(',')}]}\n`;
}

function resultAsJson([hit, memory]: Result): string {
    const string = (text: string): string => `"${jsonText(text)}"`;
    const members = {
        id: string(memory.id),
        score: jsonNumber(hit.score),
        distance: jsonNumber(hit.distance),
        recency: jsonNumber(hit.recency),
        importance: jsonNumber(hit.importance),
        context: string(memory.context),
        timestamp: String(hit.created_ms),
        accessed: String(memory.accessedMs),
        access_count: String(hit.access_count),
        decay_rate: jsonNumber(memory.decayRate),
        relationships: `[${memory.relationships.map(string).join(',')}]`,
        text: memory.text === '' ? 'null' : string(memory.text),
        metadata: compactJson(memory.metadata),
    };
    return `{${Object.entries(members)
        .map(([name, value]) => `"${name}":${value}`)
        .join(',')}}`;
}
