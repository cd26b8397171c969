// SPDX-License-Identifier: MIT OR Apache-2.0
/** The command that finds the memories nearest to a vector, and freshest. */
import type { Core, CoreReport, StoredMemory } from '../core.js';
import { CM_MAX_EF, CM_MAX_K, CM_SEARCH_EXACT, CM_SEARCH_RERANK } from '../generated.js';
import type { Hit } from '../types.js';
import { strategyOf } from '../validate.js';
import { nowOf, type Options, parseArguments, type Question, timeAt, usage, type Values } from './arguments.js';
import { attributesText, memoryMembers } from './memory.js';
import { print } from './report.js';
import { attempt, openSnapshot } from './snapshot.js';
import { durationText, fixed, jsonList, jsonNumber, jsonObject, jsonString, safeText } from './text.js';

const SCORE_DECIMALS = 4;

const OPTIONS = {
    '--file': { short: '-f', kind: 'text', required: true },
    '--vector': { short: '-v', kind: 'vector', required: true },
    '--limit': { short: '-l', kind: 'whole', min: 1, max: CM_MAX_K },
    '--context': { short: '-c', kind: 'text' },
    '--after': { kind: 'time' },
    '--before': { kind: 'time' },
    '--min-importance': { kind: 'share' },
    '--max-importance': { kind: 'share' },
    '--ef': { kind: 'whole', min: 1, max: CM_MAX_EF },
    '--budget': { kind: 'whole', min: 1, max: 0xffffffff },
    '--temporal-weight': { kind: 'share' },
    '--now': { kind: 'time' },
    '--exact': { kind: 'flag' },
    '--rerank': { kind: 'flag' },
    '--why': { kind: 'flag' },
    '--json': { kind: 'flag' },
} as const satisfies Options;

type QueryValues = Values<typeof OPTIONS> & { '--file': string; '--vector': Float32Array };

/** Times in milliseconds since 1970. */
interface Times {
    now: number;
    after: number | undefined;
    before: number | undefined;
}

interface Answer {
    results: Result[];
    report: CoreReport;
    /** The caller asked why. */
    explains: boolean;
}

type Result = [hit: Hit, memory: StoredMemory];

export async function query(given: readonly string[]): Promise<Question | undefined> {
    const parsed = parseArguments('query', OPTIONS, given);
    if (typeof parsed === 'string') return parsed;
    const values = parsed as QueryValues;
    const times = timesOf(values);
    requirePossible(values, times);
    const store = await openSnapshot(values['--file'], 'query');
    const answer = attempt(store, values['--file'], 'query', () => find(store, values, times));
    print(values['--json'] ? asJson(answer) : asText(answer));
    return undefined;
}

function timesOf(values: QueryValues): Times {
    const now = nowOf(values['--now']);
    const [after, before] = [values['--after'], values['--before']];
    return { now, after: after && timeAt(after, now), before: before && timeAt(before, now) };
}

function requirePossible(values: QueryValues, { after, before }: Times): void {
    if (values['--exact'] && values['--rerank']) usage('query', '--exact and --rerank cannot both be given');
    if (after !== undefined && before !== undefined && after >= before)
        usage('query', '--after must be before --before: no memory could be between');
    if (Math.fround(values['--min-importance'] ?? 0) > Math.fround(values['--max-importance'] ?? 1))
        usage('query', '--min-importance must not be above --max-importance: no memory could be between');
}

function find(store: Core, values: QueryValues, { now, after, before }: Times): Answer {
    const explains = values['--why'] ?? false;
    const hits = store.search(values['--vector'], {
        k: values['--limit'],
        ef: values['--ef'],
        temporalWeight: values['--temporal-weight'],
        nowMs: BigInt(now),
        context: values['--context'],
        mode: values['--exact'] ? CM_SEARCH_EXACT : values['--rerank'] ? CM_SEARCH_RERANK : undefined,
        budget: values['--budget'],
        minImportance: values['--min-importance'],
        maxImportance: values['--max-importance'],
        afterMs: after === undefined ? undefined : BigInt(after),
        beforeMs: before === undefined ? undefined : BigInt(before),
        why: explains,
    });
    const report = store.lastSearch();
    return { results: hits.map((hit) => [hit, store.get(hit.id) as StoredMemory]), report, explains }; // nobody else is writing
}

function asText({ results, report, explains }: Answer): string {
    const lines = results.map(([hit, memory], i) => {
        const line = `${i + 1}. id: ${safeText(memory.id)}  score: ${fixed(hit.score, SCORE_DECIMALS)}  ${attributesText(memory)}\n`;
        return explains ? line + whyText(hit, report) : line;
    });
    const head = results.length === 0 ? 'No results.\n' : `Found ${results.length} result(s):\n`;
    return head + lines.join('') + (explains ? certificateText(results, report) : '');
}

function whyText(hit: Hit, report: CoreReport): string {
    const parts = {
        'distance part': fixed(hit.why?.distancePart ?? 0, SCORE_DECIMALS),
        'recency part': fixed(hit.why?.recencyPart ?? 0, SCORE_DECIMALS),
        distance: fixed(hit.distance, SCORE_DECIMALS),
        recency: fixed(hit.recency, SCORE_DECIMALS),
        age: durationText(Number(report.now_ms) - hit.createdAt),
    };
    return `   ${pairsText(parts)}\n`;
}

function pairsText(pairs: Record<string, string | number | bigint>): string {
    return Object.entries(pairs)
        .map(([name, value]) => `${name}: ${value}`)
        .join('  ');
}

function certificateText(results: Result[], report: CoreReport): string {
    const { bound, graph_bound, strategy, n_distances, n_recency_distances, ef } = report;
    const last = results.at(-1)?.[0].score ?? 0;
    const sentence =
        bound === 0
            ? 'Exact: no other memory has a better score.'
            : Number.isFinite(bound)
              ? `Bounded: no other memory has a score below ${fixed(last - bound, SCORE_DECIMALS)}.`
              : 'Unbounded: a memory that was not looked at may have a better score.';
    const figures = {
        bound: fixed(bound, SCORE_DECIMALS),
        'graph bound': fixed(graph_bound, SCORE_DECIMALS),
        strategy: strategyOf(strategy),
        distances: n_distances,
        'by recency': n_recency_distances,
        ef,
    };
    return `${sentence}\n${pairsText(figures)}\n`;
}

function asJson({ results, report, explains }: Answer): string {
    const list = jsonList(results.map((result) => resultAsJson(result, explains)));
    const answer = { count: results.length, results: list };
    return `${jsonObject(explains ? { ...answer, certificate: certificateAsJson(report) } : answer)}\n`;
}

function resultAsJson([hit, memory]: Result, explains: boolean): string {
    const members = {
        id: jsonString(memory.id),
        score: jsonNumber(hit.score),
        distance: jsonNumber(hit.distance),
        recency: jsonNumber(hit.recency),
        ...memoryMembers(memory),
    };
    if (!explains || hit.why === undefined) return jsonObject(members);
    const { distancePart, recencyPart, ageHours } = hit.why;
    const why = { distance_part: jsonNumber(distancePart), recency_part: jsonNumber(recencyPart), age_hours: jsonNumber(ageHours) };
    return jsonObject({ ...members, why: jsonObject(why) });
}

function certificateAsJson(report: CoreReport): string {
    return jsonObject({
        exact: report.bound === 0,
        bound: jsonNumber(report.bound),
        graph_bound: jsonNumber(report.graph_bound),
        strategy: jsonString(strategyOf(report.strategy)),
        distances: String(report.n_distances),
        by_recency: String(report.n_recency_distances),
        ef: report.ef,
        temporal_weight: jsonNumber(report.temporal_weight),
        now: String(report.now_ms),
    });
}
