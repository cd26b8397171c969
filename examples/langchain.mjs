// SPDX-License-Identifier: MIT OR Apache-2.0
// ChronoMind as the vector store of LangChain.js: npm install chronomind @langchain/core. Run: node examples/langchain.mjs
import { ChronoMindStore } from 'chronomind/langchain';
import { Document } from '@langchain/core/documents';
import { Embeddings } from '@langchain/core/embeddings';

/** Stands for the embeddings of a model: texts with letters in common are near. */
class LetterEmbeddings extends Embeddings {
    async embedQuery(text) {
        return Array.from({ length: 26 }, (_, i) => text.toLowerCase().split(String.fromCharCode(97 + i)).length - 1 + 0.01);
    }

    embedDocuments(texts) {
        return Promise.all(texts.map((text) => this.embedQuery(text)));
    }
}

const store = await ChronoMindStore.fromDocuments([], new LetterEmbeddings({}), {
    open: { temporalWeight: 0.3 }, // or { path: 'documents.chrono' }: store.mind.save() keeps them
    attributes: ({ metadata }) => ({ context: metadata.topic }),
});

const HOUR = 3_600_000;
await store.addDocuments([new Document({ id: 'old', pageContent: 'the meeting is on Monday', metadata: { topic: 'calendar' } })], {
    timestamp: Date.now() - 72 * HOUR,
});
await store.addDocuments([
    new Document({ id: 'new', pageContent: 'the meeting is on Sunday', metadata: { topic: 'calendar' } }),
    new Document({ id: 'tea', pageContent: 'green tea is out', metadata: { topic: 'kitchen', shelf: 2 } }),
]);

const retriever = store.asRetriever({ k: 1, filter: { context: 'calendar' } });
console.log('when is the meeting:', (await retriever.invoke('the meeting is on Monday?'))[0].pageContent);
console.log('whenever it was said:', (await store.similaritySearch('the meeting is on Monday?', 1, { temporalWeight: 0 }))[0].pageContent);
console.log('on shelf 2:', (await store.similaritySearch('what is missing', 1, { metadata: { shelf: 2 } }))[0].pageContent);
await store.delete({ ids: ['old'] });
console.log('documents:', store.mind.size);
store.mind.close();
