// SPDX-License-Identifier: MIT OR Apache-2.0
/** The command that turns vectors into a snapshot. */
import { CM_MAX_DIMENSIONS, CM_MAX_EF, CM_MAX_M, CM_MAX_MEMORIES } from '../generated.js';
import { instantiate } from '../loader.js';
import type { Metric, VectorKind } from '../types.js';
import { METRICS, VECTOR_KINDS } from '../validate.js';
import { nowOf, type Options, parseArguments, type Question, usage, type Values } from './arguments.js';
import { type BulkSource, readFvecs, readNpy } from './bulk-reader.js';
import { Importer } from './importer.js';
import { catchInterrupts, Input } from './input.js';
import { JsonFault } from './json.js';
import { clearProgress } from './progress.js';
import { RecordReader } from './record-reader.js';
import { FAILED, Failure, print } from './report.js';
import { SnapshotOutput } from './snapshot.js';
import { jsonText, safeText } from './text.js';

const FORMATS = ['json', 'jsonl', 'npy', 'fvecs'] as const;

const OPTIONS = {
    '--input': { short: '-i', kind: 'text', required: true },
    '--output': { short: '-o', kind: 'text', required: true },
    '--dimensions': { short: '-d', kind: 'whole', min: 1, max: CM_MAX_DIMENSIONS },
    '--max-memories': { short: '-m', kind: 'whole', min: 1, max: CM_MAX_MEMORIES },
    '--normalize': { short: '-n', kind: 'flag' },
    '--format': { kind: 'choice', choices: FORMATS },
    '--ids': { kind: 'text' },
    '--context': { kind: 'text' },
    '--metric': { kind: 'choice', choices: ['cosine', 'dot', 'l2'] },
    '--vectors': { kind: 'choice', choices: ['f32', 'bf16', 'i8'] },
    '--m': { kind: 'whole', min: 2, max: CM_MAX_M },
    '--ef-construction': { kind: 'whole', min: 1, max: CM_MAX_EF },
    '--ef-search': { kind: 'whole', min: 1, max: CM_MAX_EF },
    '--seed': { kind: 'whole', min: 0, max: Number.MAX_SAFE_INTEGER },
    '--now': { kind: 'time' },
    '--json': { kind: 'flag' },
} as const satisfies Options;

type SaveValues = Values<typeof OPTIONS> & { '--input': string; '--output': string };

export async function save(given: readonly string[]): Promise<Question | undefined> {
    const parsed = parseArguments('save', OPTIONS, given);
    if (typeof parsed === 'string') return parsed;
    const values = parsed as SaveValues;
    const format = values['--format'] ?? formatOf(values['--input']);
    if (values['--ids'] !== undefined) requireRoomForIds(values['--ids'], values['--input'], format);
    catchInterrupts();
    const input = new Input(values['--input']);
    const ids = values['--ids'] === undefined ? undefined : new Input(values['--ids']);
    const output = new SnapshotOutput(values['--output']);
    try {
        await importAndSave(values, format, input, ids, output);
    } finally {
        output.discard();
    }
    return undefined;
}

function requireRoomForIds(ids: string, input: string, format: string): void {
    if (format !== 'npy' && format !== 'fvecs') usage('save', '--ids goes with the formats npy and fvecs only');
    if (ids === '-' && input === '-') usage('save', '--input and --ids cannot both be standard input');
}

function formatOf(path: string): string {
    if (path === '-') return 'json';
    const extension = /\.(json|jsonl|ndjson|npy|fvecs)$/i.exec(path)?.[1]?.toLowerCase();
    if (extension === undefined) usage('save', `cannot tell the format of '${path}'`, 'give --format json, jsonl, npy or fvecs');
    return extension;
}

async function importAndSave(
    values: SaveValues,
    format: string,
    input: Input,
    ids: Input | undefined,
    output: SnapshotOutput,
): Promise<void> {
    const importer = importerFor(values, input, await instantiate({}));
    await readRecords(format, input, { vectors: input, ids, dimensions: values['--dimensions'] ?? 0, handler: importer });
    clearProgress();
    const { store } = importer;
    if (store === undefined) throw new Failure(FAILED, `${input.name}: the input holds no memories`, 'nothing was written');
    output.save(store);
    const { dimensions, metric } = store.config;
    if (values['--json']) {
        print(`{"saved":${store.size},"path":"${jsonText(output.path)}","dimensions":${dimensions},"metric":"${metric}"}\n`);
    } else {
        print(`Saved ${store.size} memories to ${safeText(output.path)}\n`);
    }
}

function importerFor(values: SaveValues, input: Input, instance: Awaited<ReturnType<typeof instantiate>>): Importer {
    const metric = values['--metric'] as Metric | undefined;
    const vectors = values['--vectors'] as VectorKind | undefined;
    const seed = values['--seed'];
    return new Importer(instance, input, {
        config: {
            dimensions: values['--dimensions'],
            max_memories: values['--max-memories'],
            m: values['--m'],
            ef_construction: values['--ef-construction'],
            ef_search: values['--ef-search'],
            metric: metric && METRICS[metric],
            vectors: vectors && VECTOR_KINDS[vectors],
            seed: seed === undefined ? undefined : BigInt(seed),
        },
        normalize: values['--normalize'] ?? false,
        context: values['--context'],
        nowMs: values['--now'] && nowOf(values['--now']),
    });
}

async function readRecords(format: string, input: Input, bulk: BulkSource): Promise<void> {
    if (format === 'npy') return readNpy(bulk);
    if (format === 'fvecs') return readFvecs(bulk);
    try {
        await readJson(input, new RecordReader(bulk.handler));
    } catch (error) {
        if (!(error instanceof JsonFault)) throw error;
        const hint = 'the input is JSON: an object, an array of objects, or one object after another';
        throw new Failure(FAILED, `${input.name}: ${error.message}`, hint);
    }
}

async function readJson(input: Input, reader: RecordReader): Promise<void> {
    const start = await input.take(3);
    const isMark = start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf; // a byte order mark takes part in nothing
    if (!isMark) reader.write(start);
    for (;;) {
        const chunk = await input.next();
        if (chunk === undefined) return reader.end();
        reader.write(chunk);
    }
}
