// SPDX-License-Identifier: MIT OR Apache-2.0
/** The tarball that npm would publish, installed into an empty folder without a network, used as its users will. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { root, temporaryFolder } from './support.mjs';

const bin = join(root, 'node_modules/.bin');

function run(program, args, cwd, env = {}) {
    const quiet = { npm_config_update_notifier: 'false', npm_config_loglevel: 'error' };
    return spawnSync(program, args, { cwd, encoding: 'utf8', env: { ...process.env, ...quiet, ...env } });
}

/** What must succeed without a word on standard error; gives standard output. */
function ok(program, args, cwd) {
    const { status, stdout, stderr, error } = run(program, args, cwd);
    assert.equal(status, 0, `${program} ${args.join(' ')}: ${error ?? ''}\n${stdout}${stderr}`);
    assert.equal(stderr, '', `${program} ${args.join(' ')}`);
    return stdout;
}

/** One tarball and one installation for all tests of this file. */
let folder;
let tarball;
let contents;

before((t) => {
    folder = temporaryFolder(t);
    const [packed] = JSON.parse(ok('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root));
    tarball = join(folder, packed.filename);
    contents = packed.files;
    writeFileSync(join(folder, 'package.json'), '{"name":"user","version":"1.0.0","private":true}');
    ok('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], folder);
    assert.equal(existsSync(join(folder, 'node_modules/@langchain')), false, 'an optional peer is not installed for those who do not ask');
    symlinkSync(join(root, 'node_modules/@langchain'), join(folder, 'node_modules/@langchain')); // as its users do
});

function script(name, text) {
    writeFileSync(join(folder, name), text);
    return ok(process.execPath, [name], folder);
}

test('it holds what runs, its types, licences and README, and nothing else', () => {
    const paths = contents.map(({ path }) => path);
    for (const path of [
        'README.md',
        'LICENSE-MIT',
        'LICENSE-APACHE',
        'package.json',
        'js/dist/chronomind.wasm',
        'js/dist/chronomind-st.wasm',
    ]) {
        assert.ok(paths.includes(path), path);
    }
    for (const path of paths)
        assert.match(path, /^(README\.md|LICENSE-(MIT|APACHE)|package\.json|js\/dist\/[\w/-]+(\.d)?\.(js|cjs|ts|cts|wasm))$/);
    const declarations = paths.filter((path) => path.endsWith('.d.ts') && /\/(cli|host|loader|core|memory)/.test(path));
    assert.deepEqual(declarations, [], 'declarations that no import leads to');
    const cli = contents.find(({ path }) => path === 'js/dist/cli.js');
    assert.equal(cli.mode & 0o111, 0o111, 'the command line can be run');
    const { dependencies, scripts } = JSON.parse(readFileSync(join(folder, 'node_modules/chronomind/package.json'), 'utf8'));
    assert.equal(dependencies, undefined);
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) assert.equal(scripts[name], undefined, name);
});

test('the threads build is under 40 KB as servers send it', (t) => {
    const module = readFileSync(join(folder, 'node_modules/chronomind/js/dist/chronomind.wasm'));
    const nBytes = brotliCompressSync(module).length;
    t.diagnostic(`${module.length} bytes, ${nBytes} after brotli`);
    assert.ok(nBytes < 40 * 1024);
});

/** What it is for: bytes minified and after brotli, entries as esbuild bundles them; a pool without what it shares with the store of its page. One that grows beyond its budget is to be looked at, and then the budget raised. */
const BUDGETS = { 'web.js': 16 * 1024, 'pool/web.js': 4 * 1024, 'pool/pool-worker.js': 16 * 1024, 'langchain.js': 2 * 1024 };

test('the JavaScript that a browser loads is within its budget', (t) => {
    for (const [entry, budget] of Object.entries(BUDGETS)) {
        const entryPoints = [join(folder, 'node_modules/chronomind/js/dist', entry)];
        const external = ['@langchain/*', 'chronomind', ...(entry === 'pool/web.js' ? ['../web-shared.js'] : [])];
        const { outputFiles } = buildSync({ entryPoints, external, bundle: true, minify: true, write: false, format: 'esm' });
        const nBytes = brotliCompressSync(outputFiles[0].contents).length;
        t.diagnostic(`${entry}: ${nBytes} bytes of ${budget}`);
        assert.ok(nBytes <= budget, `${entry}: ${nBytes} bytes, budget ${budget}`);
    }
});

test('the tarball is within its budget', (t) => {
    const { size } = statSync(tarball);
    t.diagnostic(`${size} bytes, ${contents.length} files`);
    assert.ok(size <= 220 * 1024, `${size} bytes`);
});

const use = `
    const mind = await ChronoMind.open({ dimensions: 4, path: 'agent.chrono' });
    mind.insert({ id: 'first', vector: [0.1, 0.2, 0.3, 0.4], text: 'hello', context: 'conversations' });
    const hits = mind.search([0.1, 0.2, 0.3, 0.4], { k: 3 });
    await mind.save();
    const copy = await ChronoMind.load('agent.chrono');
    let code;
    try { copy.insert({ id: '', vector: [] }); } catch (error) { code = error instanceof ChronoMindError && error.code; }
    console.log(hits[0].id, hits[0].text, copy.size, ChronoMind.capabilities().build, chooseBuild.name, code);
    mind.close();
    copy.close();`;
const said = 'first hello 1 threads chooseBuild CM_E_ID\n';

test('import', () => {
    assert.equal(script('esm.mjs', `import { ChronoMind, ChronoMindError, chooseBuild } from 'chronomind';${use}`), said);
});

test('require', () => {
    const text = `const { ChronoMind, ChronoMindError, chooseBuild } = require('chronomind');\n(async () => {${use}})();`;
    assert.equal(script('cjs.cjs', text), said);
});

test('import and require give one class, whose errors are each recognised by the other', () => {
    const text = `
        import { createRequire } from 'node:module';
        import * as esm from 'chronomind';
        const cjs = createRequire(import.meta.url)('chronomind');
        console.log(Object.keys(esm).every((name) => esm[name] === cjs[name]), Object.keys(cjs).sort().join());`;
    assert.equal(script('both.mjs', text), 'true ChronoMind,ChronoMindError,chooseBuild\n');
});

test('the storage modules, by import and by require', () => {
    const text = `
        import { createRequire } from 'node:module';
        const require = createRequire(import.meta.url);
        const { ChronoMind } = await import('chronomind');
        for (const kind of ['node', 'opfs', 'idb', 'bytes']) {
            const module = await import('chronomind/storage/' + kind);
            const name = Object.keys(module).join();
            console.log(name, require('chronomind/storage/' + kind)[name] === module[name]);
        }
        const { bytesStorage } = await import('chronomind/storage/bytes');
        const storage = bytesStorage();
        const mind = await ChronoMind.open({ dimensions: 2, storage });
        await mind.save();
        console.log((await ChronoMind.load(storage.bytes)).config.dimensions);`;
    const expected = ['fileStorage true', 'opfsStorage true', 'idbStorage true', 'bytesStorage true', '2', ''];
    assert.equal(script('storage.mjs', text), expected.join('\n'));
});

test('a worker attaches to a store', () => {
    const text = `
        import { once } from 'node:events';
        import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
        import { ChronoMind } from 'chronomind';
        if (isMainThread) {
            const mind = await ChronoMind.open({ dimensions: 2, maxMemories: 100 });
            const worker = new Worker(new URL(import.meta.url), { workerData: mind.share() });
            await once(worker, 'message');
            console.log(mind.get('from the worker').text);
            mind.close();
        } else {
            const mind = await ChronoMind.attach(workerData);
            mind.insert({ id: 'from the worker', vector: [1, 2], text: 'good day' });
            mind.close();
            parentPort.postMessage('done');
        }`;
    assert.equal(script('worker.mjs', text), 'good day\n');
});

test('a pool of workers, imported and required', () => {
    const text = `
        const mind = await ChronoMind.open({ dimensions: 2, maxMemories: 100 });
        const pool = await WorkerPool.open(mind, { workers: 2 });
        await pool.insertBatch([{ id: 'a', vector: [1, 2] }, { id: 'b', vector: [2, 1] }]);
        const found = await pool.searchBatch([[1, 2], [2, 1]], { k: 1 });
        console.log(found.map(([hit]) => hit.id).join(), pool.size);
        await pool.close();
        mind.close();`;
    const imports = "import { ChronoMind } from 'chronomind';import { WorkerPool } from 'chronomind/pool';";
    const requires = "const { ChronoMind } = require('chronomind');const { WorkerPool } = require('chronomind/pool');";
    assert.equal(script('pool.mjs', imports + text), 'a,b 2\n');
    assert.equal(script('pool.cjs', `${requires}(async () => {${text}})();`), 'a,b 2\n');
});

test('the LangChain adapter, imported and required', () => {
    const text = `
        const embeddings = { embedDocuments: async (texts) => texts.map((text) => [text.length, 1]), embedQuery: async (text) => [text.length, 1] };
        const store = await ChronoMindStore.fromTexts(['a', 'long text'], [{ n: 1 }, { n: 2 }], embeddings, { open: { temporalWeight: 0 } });
        const [document] = await store.asRetriever(1).invoke('long news');
        console.log(document.pageContent, document.metadata.n, store.mind instanceof ChronoMind, store instanceof VectorStore);
        store.mind.close();`;
    const imports =
        "import { ChronoMind } from 'chronomind';import { ChronoMindStore } from 'chronomind/langchain';import { VectorStore } from '@langchain/core/vectorstores';";
    const requires =
        "const { ChronoMind } = require('chronomind');const { ChronoMindStore } = require('chronomind/langchain');const { VectorStore } = require('@langchain/core/vectorstores');";
    assert.equal(script('langchain.mjs', imports + text), 'long text 2 true true\n');
    assert.equal(script('langchain.cjs', `${requires}(async () => {${text}})();`), 'long text 2 true true\n');
});

test('npx chronomind', () => {
    writeFileSync(join(folder, 'in.json'), '{"id":"a","data":[1,2]}');
    assert.equal(ok('npx', ['--offline', 'chronomind', '--version'], folder), 'chronomind 0.1.0\n');
    assert.equal(
        ok('npx', ['--offline', 'chronomind', 'save', '-i', 'in.json', '-o', 'm.chrono'], folder),
        'Saved 1 memories to m.chrono\n',
    );
});

test('the wasm files can be named by others', () => {
    const text = `
        import { readFileSync } from 'node:fs';
        for (const name of ['chronomind.wasm', 'chronomind-st.wasm']) {
            const bytes = readFileSync(new URL(import.meta.resolve('chronomind/' + name)));
            console.log(WebAssembly.validate(bytes), WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map((i) => i.name).sort().join());
        }`;
    assert.equal(script('wasm.mjs', text), 'true filter,memory,now_ms,progress,random_u32,read,write\n'.repeat(2));
});

const typed = `
import { WorkerPool } from 'chronomind/pool';
import type { PoolOptions, SearchBatchOptions } from 'chronomind/pool';
import { ChronoMind, ChronoMindError, chooseBuild } from 'chronomind';
import type { BatchOptions, Build, Candidate, Capabilities, CheckReport, ChronoMindErrorCode, ConsolidateOptions, Consolidation, ContextSummary, ExplainedHit, Hit, Memory, MemoryChanges, MemoryInput, OpenOptions, Place, Related, RelatedMemory, SearchOptions, SearchReport, SharedStore, SnapshotReader, SnapshotStorage, SnapshotWriter, Stats, Why } from 'chronomind';
import { type BytesStorage, bytesStorage } from 'chronomind/storage/bytes';
import { idbStorage } from 'chronomind/storage/idb';
import { fileStorage } from 'chronomind/storage/node';
import { opfsStorage } from 'chronomind/storage/opfs';

export async function main(): Promise<void> {
    const options: OpenOptions = { dimensions: 4, metric: 'cosine', maxThreads: 4, clock: () => Date.now() };
    const mind: ChronoMind = await ChronoMind.open(options);
    const memory: MemoryInput = { id: 'a', vector: new Float32Array(4), context: undefined, timestamp: new Date(), metadata: { any: ['thing'] } };
    mind.insert(memory);
    const batch: BatchOptions = { onProgress: (done: number, total: number | undefined) => void [done, total], signal: new AbortController().signal };
    const n: number = await mind.insertBatch([memory], batch);
    const poolOptions: PoolOptions = { workers: 2, workerUrl: 'worker.js' };
    const pool: WorkerPool = await WorkerPool.open(mind, poolOptions);
    const many: SearchBatchOptions = { k: 3, ...batch };
    const hitsOfEach: Hit[][] = await pool.searchBatch([[1, 2, 3, 4], new Float32Array(4)], many);
    const inserted: number = await pool.insertBatch(new Set([memory]), batch);
    void [hitsOfEach, inserted, pool.size, pool.reason];
    await pool.close();
    const query: SearchOptions = { k: 3, now: '2024-01-01' };
    const hits: Hit[] = mind.search([1, 2, 3, 4], query);
    const first: string | undefined = hits[0]?.id;
    const filter = ({ id, metadata, importance }: Candidate): boolean => id !== 'x' && metadata !== undefined && importance > 0;
    const filtered: SearchOptions = { mode: 'rerank', exact: false, budget: 100, minImportance: 0.1, maxImportance: 1, after: new Date(0), before: 5, filter };
    const explained: ExplainedHit[] = mind.search([1, 2, 3, 4], { ...filtered, why: true });
    const why: Why | undefined = explained[0]?.why ?? hits[0]?.why;
    const report2: SearchReport = mind.lastSearch;
    const changes: MemoryChanges = { importance: 0.5, decayRate: 0, context: 'c', text: null, metadata: null, now: 5 };
    mind.update('a', changes);
    mind.relate('a', 'b');
    mind.unrelate('a', 'b');
    const related: Related[] = mind.related('a', { depth: 2 });
    const relatedMemories: RelatedMemory[] = mind.related('a', { memories: true });
    const summary: ContextSummary = mind.contextSummary('c');
    const centroid: Float32Array = summary.centroid;
    const faded: number = mind.applyDecay({ now: new Date() }) + mind.applyDecay();
    const consolidation: ConsolidateOptions = { threshold: 0.9, onProgress: (done: number) => void done, signal: new AbortController().signal };
    const consolidated: Consolidation = mind.consolidate(consolidation);
    void [why, report2, related, relatedMemories, centroid, faded, consolidated.absorbed];
    // @ts-expect-error there is no such mode
    mind.search([1], { mode: 'fast' });
    // @ts-expect-error without \`why: true\` nobody promises it
    mind.search([1])[0].why.ageHours;
    const got: Memory | undefined = mind.get('a') ?? mind.access('a', 5);
    const vector: Float32Array | undefined = got?.vector;
    const all: boolean[] = [mind.has('a'), mind.remove('a')];
    const stats: Stats = mind.stats();
    const report: CheckReport = mind.check();
    for (const each of mind) { const id: string = each.id; void id; }
    const shared: SharedStore = mind.share();
    const other: ChronoMind = await ChronoMind.attach(shared);
    const gone: boolean = await mind.abandon(shared);
    await mind.save('x.chrono');
    const bytes: Uint8Array = mind.toBytes();
    await ChronoMind.load(bytes, { maxMemories: 5 });
    const kept: BytesStorage = bytesStorage(bytes);
    const place: Place = { storage: kept };
    await mind.save(place);
    const readOnly: ChronoMind = await ChronoMind.load({ idb: 'x' }, { readOnly: true });
    const found: SnapshotReader | undefined = await opfsStorage('x').read();
    const own: SnapshotStorage = { name: 'own', read: async () => found, write: async (): Promise<SnapshotWriter> => kept.write() };
    await ChronoMind.open({ storage: own });
    await readOnly.save({ storage: fileStorage('x') });
    await readOnly.save({ storage: idbStorage('x') });
    const capabilities: Capabilities = ChronoMind.capabilities();
    const build: Build | undefined = chooseBuild(capabilities.features).build;
    try { mind.close(); } catch (error) {
        if (error instanceof ChronoMindError) { const code: ChronoMindErrorCode = error.code; const status: number | undefined = error.status; void [code, status]; }
    }
    // @ts-expect-error an id is required
    mind.insert({ vector: [1] });
    // @ts-expect-error there is no such metric
    await ChronoMind.open({ metric: 'manhattan' });
    // @ts-expect-error stores come from open() and load()
    new ChronoMind();
    // @ts-expect-error there is no such code
    const none: ChronoMindErrorCode = 'CM_E_NONE';
    void [n, first, vector, all, stats, report, other, gone, build, none, mind.size, mind.config.dimensions, mind.build];
}
`;

/** [name, file, compiler options] */
const projects = [
    ['an ES module', 'main.mts', { module: 'nodenext', target: 'es2022' }],
    ['CommonJS, by the rules of 2022', 'main.cts', { module: 'node16', target: 'es2022' }],
    ['a bundler', 'main.ts', { module: 'esnext', moduleResolution: 'bundler', target: 'es2022', lib: ['es2022', 'dom'], types: [] }],
    ['Node without the DOM', 'main.mts', { module: 'nodenext', target: 'es2022', lib: ['es2022'], skipLibCheck: false }],
];

const typedLangchain = `
import { ChronoMind } from 'chronomind';
import { ChronoMindStore } from 'chronomind/langchain';
import type { AddOptions, ChronoMindFilter, ChronoMindStoreConfig, DeleteOptions, DocumentAttributes, NewChronoMindStoreConfig } from 'chronomind/langchain';
import type { Document } from '@langchain/core/documents';
import type { EmbeddingsInterface } from '@langchain/core/embeddings';
import type { VectorStore } from '@langchain/core/vectorstores';

export async function documents(embeddings: EmbeddingsInterface, mind: ChronoMind): Promise<void> {
    const attributes: DocumentAttributes = { importance: 1 };
    const config: ChronoMindStoreConfig = { mind, attributes: ({ metadata }) => ({ ...attributes, context: String(metadata['source']) }) };
    const fresh: NewChronoMindStoreConfig = { open: { maxMemories: 5 } };
    const store: VectorStore = new ChronoMindStore(embeddings, config);
    const own: ChronoMindStore = await ChronoMindStore.fromTexts(['a'], {}, embeddings, fresh);
    const add: AddOptions = { ids: ['a'], timestamp: new Date() };
    const filter: ChronoMindFilter = { context: 'c', after: 5, metadata: { a: 1 }, where: (document) => document.pageContent !== '' };
    const gone: DeleteOptions = { ids: ['a'] };
    const ids: string[] = await own.addDocuments([], add);
    const found: Document[] = await own.asRetriever({ k: 3, filter }).invoke('a');
    const scored: [Document, number][] = await own.similaritySearchVectorWithScore([1], 3, (document) => document.id !== 'x');
    await own.delete(gone);
    // @ts-expect-error metadata has a place of its own
    await own.similaritySearch('a', 1, { source: 'user' });
    own.mind.close();
    void [store, ids, found, scored];
}
`;

for (const [name, file, options] of projects) {
    test(`TypeScript, strict: ${name}`, () => {
        const project = join(folder, `ts-${name.replaceAll(/\W+/g, '-')}`);
        mkdirSync(project);
        writeFileSync(join(project, file), typed);
        const langchain = file.replace('main', 'langchain');
        writeFileSync(join(project, langchain), typedLangchain);
        const typeRoots = options.types?.length === 0 ? [] : [join(root, 'node_modules/@types')];
        const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: true, types: ['node'], typeRoots, noEmit: true };
        writeFileSync(
            join(project, 'tsconfig.json'),
            JSON.stringify({
                compilerOptions: { ...strict, ...options },
                files: [file, ...(options.skipLibCheck === false ? [] : [langchain])],
            }),
        );
        assert.equal(ok(join(bin, 'tsc'), ['--project', project], folder), '');
    });
}

test('publint finds nothing', () => {
    const said = ok(join(bin, 'publint'), ['run', tarball, '--strict'], folder);
    assert.match(said, /All good!/);
});

test('arethetypeswrong finds nothing', () => {
    const { status, stdout, stderr } = run(
        join(bin, 'attw'),
        [tarball, '--no-emoji', '--exclude-entrypoints', 'chronomind.wasm', 'chronomind-st.wasm', 'pool-worker'],
        folder,
    );
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /No problems found/);
});
