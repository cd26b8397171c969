// SPDX-License-Identifier: MIT OR Apache-2.0
/** The VectorStore of LangChain.js: what @langchain/core asks of one, beside its own in-memory store, and what only this one has. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Document } from '@langchain/core/documents';
import { Embeddings } from '@langchain/core/embeddings';
import { RunnableLambda } from '@langchain/core/runnables';
import { FakeVectorStore } from '@langchain/core/utils/testing';
import { VectorStore } from '@langchain/core/vectorstores';
import { ChronoMindStore } from '../../js/dist/langchain.js';
import { bytesStorage } from '../../js/dist/storage/bytes.js';
import { open, refuses, rejects, temporaryFolder } from './support.mjs';

const HOUR = 3_600_000;

/** Texts are near when they have letters in common. */
class Letters extends Embeddings {
    constructor() {
        super({});
    }

    async embedQuery(text) {
        const counts = new Array(26).fill(0.01);
        for (const letter of text.toLowerCase().match(/[a-z]/g) ?? []) counts[letter.charCodeAt(0) - 97]++;
        return counts;
    }

    embedDocuments(texts) {
        return Promise.all(texts.map((text) => this.embedQuery(text)));
    }
}

const embeddings = new Letters();

const TEXTS = ['green tea', 'black tea', 'a flat white', 'weather report', 'rain tomorrow', 'tea tea tea'];
const METADATAS = TEXTS.map((_, i) => ({ i, tags: ['x', { odd: i % 2 === 1 }], source: i < 3 ? 'user' : 'radio' }));

/** A store of TEXTS, whose memory is given back when the test ends. */
async function filled(t, config = {}) {
    const store = await ChronoMindStore.fromTexts(TEXTS, METADATAS, embeddings, { open: { temporalWeight: 0 }, ...config });
    t.after(() => store.mind.close());
    return store;
}

const contents = (documents) => documents.map(({ pageContent }) => pageContent);

test('it is a VectorStore, and finds what the one of @langchain/core finds', async (t) => {
    const store = await filled(t);
    assert.ok(store instanceof VectorStore);
    assert.equal(store._vectorstoreType(), 'chronomind');
    const fake = await FakeVectorStore.fromTexts(TEXTS, METADATAS, embeddings);
    for (const query of ['tea', 'white rain', 'tomorrow']) {
        const [ours, theirs] = await Promise.all([store, fake].map((each) => each.similaritySearchWithScore(query, 4)));
        assert.deepEqual(contents(ours.map(([document]) => document)), contents(theirs.map(([document]) => document)), query);
        for (let i = 0; i < 4; i++) {
            assert.ok(ours[i][0] instanceof Document);
            assert.deepEqual(ours[i][0].metadata, theirs[i][0].metadata);
            const similarity = theirs[i][1]; // a cosine, -1 to 1; ours is 0 to 1
            assert.ok(Math.abs(ours[i][1] - (1 + similarity) / 2) < 1e-6, `${ours[i][1]} for ${similarity}`);
        }
    }
});

test('the signatures of VectorStore: similaritySearch, addDocuments, addVectors, ids that it makes, finds and replaces', async (t) => {
    const mind = await open(t, { dimensions: 26, maxMemories: 100, temporalWeight: 0 });
    const store = new ChronoMindStore(embeddings, { mind });
    const own = await store.addDocuments([new Document({ pageContent: 'green tea', id: 'own' }), new Document({ pageContent: 'rain' })]);
    assert.equal(own[0], 'own');
    assert.match(own[1], /^[0-9a-f-]{36}$/);
    assert.deepEqual(await store.addDocuments([new Document({ pageContent: 'snow', id: 'not this' })], { ids: ['given'] }), ['given']);
    const [vector] = await embeddings.embedDocuments(['wind']);
    assert.deepEqual(await store.addVectors([vector], [new Document({ pageContent: 'wind', metadata: { n: 1 } })], { ids: ['own'] }), [
        'own',
    ]);
    assert.equal(mind.size, 3);
    const [found] = await store.similaritySearch('wind', 1);
    assert.deepEqual({ ...found }, { id: 'own', pageContent: 'wind', metadata: { n: 1 } });
    assert.equal((await store.similaritySearch('tea')).length, 3, 'four by default');
    assert.deepEqual(await store.similaritySearchVectorWithScore(vector, 0), []);
    assert.deepEqual(await store.addDocuments([]), []);
});

test('fromTexts with one metadata for all, fromDocuments, a store of its own, none at all', async (t) => {
    const same = await ChronoMindStore.fromTexts(['a', 'b'], { all: true }, embeddings);
    assert.deepEqual((await same.similaritySearch('a', 1))[0].metadata, { all: true });
    const mind = await open(t, { dimensions: 26, maxMemories: 100 });
    const documents = await ChronoMindStore.fromDocuments([new Document({ pageContent: 'x' })], embeddings, { mind });
    assert.equal(documents.mind, mind);
    assert.equal(mind.size, 1);
    const none = await ChronoMindStore.fromDocuments([], embeddings);
    assert.equal(none.mind.config.dimensions, 26);
    let locks = 0;
    const lock = async () => {
        locks++;
        return () => locks--;
    };
    const storage = { ...bytesStorage(), lock };
    await rejects('CM_E_DIMENSION', /26/, () => ChronoMindStore.fromTexts(['a'], {}, embeddings, { open: { dimensions: 5, storage } }));
    assert.equal(locks, 0, 'what was opened for documents that are refused is closed again');
    for (const store of [same, none]) store.mind.close();
});

test('a filter: metadata, options of search(), a function, and what is none', async (t) => {
    const store = await filled(t, { attributes: ({ metadata }) => ({ context: metadata.source, importance: metadata.i / 10 }) });
    const found = async (filter) => contents(await store.similaritySearch('tea', 10, filter)).sort();
    assert.deepEqual(await found({ metadata: { source: 'user' } }), TEXTS.slice(0, 3).sort());
    assert.deepEqual(await found({ metadata: { source: 'user', tags: ['x', { odd: true }] } }), ['black tea']);
    assert.deepEqual(await found({ metadata: { tags: ['x'] } }), []);
    assert.deepEqual(await found({ metadata: { none: undefined } }).then(({ length }) => length), TEXTS.length);
    assert.deepEqual(await found({ context: 'radio', minImportance: 0.4 }), ['rain tomorrow', 'tea tea tea']);
    assert.deepEqual(await found({ context: 'radio', where: ({ metadata }) => metadata.i === 3 }), ['weather report']);
    assert.deepEqual(
        await found(({ pageContent, id }) => pageContent.endsWith('tea') && typeof id === 'string').then((texts) => texts.length),
        3,
    );
    await rejects('CM_E_ARGUMENT', /filter has no source: .*metadata: \{ source/, () => found({ source: 'user' }));
    await rejects('CM_E_ARGUMENT', /must be an object or a function/, () => found('source = user'));
    await rejects('CM_E_ARGUMENT', /promise/, () => found(async () => true));
});

test('time: fresh documents win where age counts', async (t) => {
    const now = Date.UTC(2026, 0, 2);
    const store = await ChronoMindStore.fromDocuments([], embeddings, {
        open: { temporalWeight: 0.5, baseDecayRate: 1, clock: () => now },
    });
    t.after(() => store.mind.close());
    await store.addDocuments([new Document({ pageContent: 'tea', id: 'old' })], { timestamp: now - 48 * HOUR, context: 'c' });
    await store.addDocuments([new Document({ pageContent: 'teas', id: 'new' })]);
    const ids = async (filter) => (await store.similaritySearch('tea', 2, filter)).map(({ id }) => id);
    assert.deepEqual(await ids(), ['new', 'old']);
    assert.deepEqual(await ids({ temporalWeight: 0 }), ['old', 'new']);
    assert.deepEqual(await ids({ after: now - HOUR }), ['new']);
    assert.equal(store.mind.get('old').context, 'c');
    const scores = await store.similaritySearchWithScore('tea', 2);
    assert.ok(scores[0][1] > scores[1][1] && scores[0][1] <= 1, String(scores));
});

test('delete: by ids, by filter, and never all by accident', async (t) => {
    const store = await filled(t);
    const [{ id }] = await store.similaritySearch('green tea', 1);
    await store.delete({ ids: [id, 'no such document'] });
    assert.equal(store.mind.size, TEXTS.length - 1);
    await store.delete({ filter: { metadata: { source: 'user' } } });
    assert.equal(store.mind.size, 3);
    await store.delete({ filter: { where: ({ pageContent }) => pageContent.startsWith('rain') } });
    await store.delete({ filter: { context: 'no such context' } });
    assert.deepEqual(contents(await store.similaritySearch('', 10)).sort(), ['tea tea tea', 'weather report']);
    await rejects('CM_E_ARGUMENT', /needs ids or a filter/, () => store.delete());
    await rejects('CM_E_ARGUMENT', /cannot filter by after/, () => store.delete({ filter: { after: 0 } }));
    await store.delete({ filter: {} });
    assert.equal(store.mind.size, 0);
});

test('a retriever: by similarity, by marginal relevance, with a filter, in a chain', async (t) => {
    const store = await filled(t);
    const retriever = store.asRetriever({ k: 2, filter: { metadata: { source: 'user' } } });
    const found = await retriever.invoke('tea tea tea');
    assert.deepEqual(
        found.map(({ metadata }) => metadata.source),
        ['user', 'user'],
    );
    assert.deepEqual(found, await store.similaritySearch('tea tea tea', 2, { metadata: { source: 'user' } }));
    assert.deepEqual(contents(await store.asRetriever(1).invoke('tea tea')), ['tea tea tea']);
    const chain = retriever.pipe(RunnableLambda.from((documents) => documents.length));
    assert.equal(await chain.invoke('tea'), 2);
    const mmr = store.asRetriever({ k: 3, searchType: 'mmr', searchKwargs: { fetchK: 6, lambda: 0 } });
    const varied = contents(await mmr.invoke('tea'));
    assert.equal(varied.length, 3);
    assert.equal(varied[0], 'tea tea tea');
    const near = contents(await store.similaritySearch('tea', 3));
    assert.notDeepEqual(varied, near, 'the three nearest all say tea');
    await retriever.addDocuments([new Document({ pageContent: 'oolong', id: 'oolong' })]);
    assert.ok(store.mind.has('oolong'));
});

test('it is kept on disk, and opened again', async (t) => {
    const path = join(temporaryFolder(t), 'documents.chrono');
    const first = await ChronoMindStore.fromTexts(['green tea'], { n: 1 }, embeddings, { open: { path } });
    await first.mind.save();
    first.mind.close();
    const second = await ChronoMindStore.fromTexts(['black tea'], { n: 2 }, embeddings, { open: { path } });
    t.after(() => second.mind.close());
    assert.deepEqual(contents(await second.similaritySearch('green', 1)), ['green tea']);
    assert.equal(second.mind.size, 2);
});

test('what cannot be: as many ids and vectors as documents, numbers', async (t) => {
    const store = await filled(t);
    const documents = [new Document({ pageContent: 'a' }), new Document({ pageContent: 'b' })];
    await rejects('CM_E_ARGUMENT', /ids are 1, but there are 2 documents/, () => store.addDocuments(documents, { ids: ['a'] }));
    await rejects('CM_E_ARGUMENT', /vectors are 0, but there are 2 documents/, () => store.addVectors([], documents));
    await rejects('CM_E_NOT_FINITE', /NaN/, () => store.similaritySearchVectorWithScore(new Array(26).fill(Number.NaN), 1));
    store.mind.close();
    refuses('CM_E_CLOSED', /./, () => store.mind.size);
    await rejects('CM_E_CLOSED', /./, () => store.similaritySearch('tea'));
});
