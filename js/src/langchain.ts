// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * A store as a VectorStore of LangChain.js: `chronomind/langchain`, which needs `@langchain/core` beside it.
 *
 * A document is a memory: its text is `pageContent`, its id and metadata are its own. What a document does not have (context, importance, time of its own) comes from
 * the `attributes` of the store. The package is imported by its name, so that this file finds the entry of the host that it runs on.
 */
import { Document, type DocumentInterface } from '@langchain/core/documents';
import type { EmbeddingsInterface } from '@langchain/core/embeddings';
import { maximalMarginalRelevance } from '@langchain/core/utils/math';
import { type MaxMarginalRelevanceSearchOptions, VectorStore } from '@langchain/core/vectorstores';
import {
    type Candidate,
    ChronoMind,
    ChronoMindError,
    type Hit,
    type Memory,
    type MemoryInput,
    type OpenOptions,
    type SearchOptions,
} from 'chronomind';

/** Metadata as LangChain has it. */
type Metadata = Record<string, unknown>;

/** What of a memory is not in its document. */
export type DocumentAttributes = Pick<MemoryInput, 'context' | 'importance' | 'decayRate' | 'relationships' | 'timestamp'>;

/** What a ChronoMindStore is made of, beside embeddings. */
export interface ChronoMindStoreConfig {
    /** The store to use, with as many dimensions as the embeddings have. Who opened it closes it. */
    mind: ChronoMind;
    /** Asked for every document that is added. */
    attributes?: ((document: DocumentInterface) => DocumentAttributes) | undefined;
}

/** Without `mind` a store is opened: `open` is for ChronoMind.open(), and its dimensions are those of the embeddings. Close it by `store.mind.close()`. */
export interface NewChronoMindStoreConfig extends Partial<ChronoMindStoreConfig> {
    open?: OpenOptions | undefined;
}

/** How to search, in the place where LangChain has a filter: options of ChronoMind's search(), and metadata that a document has to have. */
export interface ChronoMindFilter extends Omit<SearchOptions, 'k' | 'filter' | 'why'> {
    /** Only documents whose metadata has these values; objects and arrays are compared by what is in them. */
    metadata?: Metadata | undefined;
    /** Only documents for which this is true. It answers at once, and does not use the store. */
    where?: ((document: DocumentInterface) => boolean) | undefined;
}

/** Options of addDocuments() and addVectors(); attributes here win over those of the store. */
export interface AddOptions extends DocumentAttributes {
    /** One for each document; else the documents' own, else new ones. */
    ids?: readonly string[] | undefined;
}

/** What is deleted: ids (those that do not exist are passed over), or every document that the filter lets pass. */
export interface DeleteOptions {
    ids?: readonly string[] | undefined;
    filter?: Pick<ChronoMindFilter, 'context' | 'metadata' | 'where'> | undefined;
}

const FILTER_OPTIONS: Record<keyof ChronoMindFilter, true> = {
    context: true,
    temporalWeight: true,
    now: true,
    ef: true,
    mode: true,
    exact: true,
    budget: true,
    minImportance: true,
    maxImportance: true,
    after: true,
    before: true,
    metadata: true,
    where: true,
};

/**
 * ```ts
 * const store = await ChronoMindStore.fromTexts(texts, metadatas, embeddings, { open: { path: 'agent.chrono' } });
 * await store.similaritySearch('tea', 4, { context: 'user', after: '2026-01-01' });
 * await store.mind.save();
 * ```
 *
 * Scores are `1 - score` of ChronoMind: higher is better, 1 is the same and fresh.
 */
export class ChronoMindStore extends VectorStore {
    declare FilterType: ChronoMindFilter | ((document: DocumentInterface) => boolean);
    readonly mind: ChronoMind;
    readonly #attributes: ChronoMindStoreConfig['attributes'];

    constructor(embeddings: EmbeddingsInterface, config: ChronoMindStoreConfig) {
        super(embeddings, {}); // of the fields it would keep a copy, and print it
        this.mind = config.mind;
        this.#attributes = config.attributes;
    }

    /** "chronomind": LangChain tags what it traces with it. */
    override _vectorstoreType(): string {
        return 'chronomind';
    }

    /** Embeds and inserts. A document whose id exists is replaced. Gives the ids. */
    override async addDocuments(documents: DocumentInterface[], options?: AddOptions): Promise<string[]> {
        return this.addVectors(await this.embeddings.embedDocuments(documents.map(textOf)), documents, options);
    }

    /** As addDocuments(), with vectors that are there already. */
    override async addVectors(vectors: number[][], documents: DocumentInterface[], options: AddOptions = {}): Promise<string[]> {
        const { ids, ...attributes } = options;
        for (const [what, { length }] of Object.entries({ vectors, ...(ids && { ids }) })) {
            if (length === documents.length) continue;
            throw new ChronoMindError('CM_E_ARGUMENT', `${what} are ${length}, but there are ${documents.length} documents`);
        }
        const memories = documents.map((document, i) => ({
            ...this.#attributes?.(document),
            ...attributes,
            id: ids?.[i] ?? document.id ?? crypto.randomUUID(),
            vector: vectors[i] as number[],
            text: document.pageContent,
            metadata: document.metadata,
        }));
        await this.mind.insertBatch(memories);
        return memories.map(({ id }) => id);
    }

    /** Deletes documents by ids, by a filter, or both; without either it fails with CM_E_ARGUMENT. */
    override async delete(options: DeleteOptions = {}): Promise<void> {
        const { ids, filter } = options;
        if (ids === undefined && filter === undefined) throw new ChronoMindError('CM_E_ARGUMENT', 'delete() needs ids or a filter');
        for (const id of ids ?? []) this.mind.remove(id);
        if (filter === undefined) return;
        const { context, metadata, where, ...others } = filter;
        for (const name of Object.keys(others)) throw new ChronoMindError('CM_E_ARGUMENT', `delete() cannot filter by ${name}`);
        const passes = predicateOf({ metadata, where }) ?? (() => true);
        for (const memory of this.mind) {
            if ((context === undefined || memory.context === context) && passes(memory)) this.mind.remove(memory.id);
        }
    }

    /** The best k with their scores, best first. The filter is an object of search options and metadata, or a function of the document. */
    override async similaritySearchVectorWithScore(
        query: number[],
        k: number,
        filter?: this['FilterType'],
    ): Promise<[Document<Metadata>, number][]> {
        return this.#hits(query, k, filter).map((hit) => [documentOf(hit), 1 - hit.score]);
    }

    /** Of the `fetchK` best (default 20) the k that are near to the query and far from one another. */
    override async maxMarginalRelevanceSearch(
        query: string,
        options: MaxMarginalRelevanceSearchOptions<this['FilterType']>,
    ): Promise<Document<Metadata>[]> {
        const { k, fetchK = 20, lambda = 0.5, filter } = options;
        const vector = await this.embeddings.embedQuery(query);
        const memories = this.#hits(vector, Math.max(k, fetchK), filter).flatMap(({ id }) => this.mind.get(id) ?? []); // one may have gone meanwhile
        const vectors = memories.map((memory) => Array.from(memory.vector));
        return maximalMarginalRelevance(vector, vectors, lambda, k).map((i) => documentOf(memories[i] as Memory));
    }

    /** A store of texts, with metadata for each or one for all. */
    static override async fromTexts(
        texts: string[],
        metadatas: object[] | object,
        embeddings: EmbeddingsInterface,
        config: NewChronoMindStoreConfig = {},
    ): Promise<ChronoMindStore> {
        const metadataAt = (i: number): Metadata => (Array.isArray(metadatas) ? metadatas[i] : metadatas) as Metadata;
        const documents = texts.map((pageContent, i) => new Document({ pageContent, metadata: metadataAt(i) ?? {} }));
        return ChronoMindStore.fromDocuments(documents, embeddings, config);
    }

    /** A store of documents: a new one, or the one that `config` names. */
    static override async fromDocuments(
        documents: DocumentInterface[],
        embeddings: EmbeddingsInterface,
        config: NewChronoMindStoreConfig = {},
    ): Promise<ChronoMindStore> {
        const { mind, open, attributes } = config;
        const vectors = await embeddings.embedDocuments(documents.map(textOf));
        if (mind !== undefined) return filled(new ChronoMindStore(embeddings, { mind, attributes }), vectors, documents);
        const dimensions = open?.dimensions ?? (vectors[0] ?? (await embeddings.embedQuery('dimensions'))).length;
        const own = await ChronoMind.open({ ...open, dimensions });
        try {
            return await filled(new ChronoMindStore(embeddings, { mind: own, attributes }), vectors, documents);
        } catch (error) {
            own.close();
            throw error;
        }
    }

    #hits(query: number[], k: number, filter: this['FilterType'] | undefined): Hit[] {
        return k === 0 ? [] : this.mind.search(query, { ...searchOptions(filter), k });
    }
}

async function filled(store: ChronoMindStore, vectors: number[][], documents: DocumentInterface[]): Promise<ChronoMindStore> {
    await store.addVectors(vectors, documents);
    return store;
}

const textOf = ({ pageContent }: DocumentInterface): string => pageContent;

function documentOf({ id, text, metadata }: Pick<Candidate, 'id' | 'text' | 'metadata'>): Document<Metadata> {
    return new Document({ id, pageContent: text, metadata: (metadata ?? {}) as Metadata });
}

function searchOptions(filter: ChronoMindStore['FilterType'] | undefined): SearchOptions {
    if (filter === undefined || filter === null) return {};
    if (typeof filter === 'function') return { filter: predicateOf({ where: filter }) };
    if (typeof filter !== 'object')
        throw new ChronoMindError('CM_E_ARGUMENT', `filter is ${String(filter)}: must be an object or a function`);
    for (const name of Object.keys(filter)) {
        if (Object.hasOwn(FILTER_OPTIONS, name)) continue;
        throw new ChronoMindError('CM_E_ARGUMENT', `filter has no ${name}: if it is metadata, write { metadata: { ${name}: ... } }`);
    }
    const { metadata, where, ...options } = filter;
    return { ...options, filter: predicateOf({ metadata, where }) };
}

/** undefined: everything passes. */
function predicateOf({
    metadata,
    where,
}: Pick<ChronoMindFilter, 'metadata' | 'where'>): ((memory: Pick<Candidate, 'id' | 'text' | 'metadata'>) => boolean) | undefined {
    if (metadata === undefined && where === undefined) return undefined;
    const wanted = Object.entries(metadata ?? {});
    return (memory) => {
        const found = (memory.metadata ?? {}) as Metadata;
        if (!wanted.every(([name, value]) => isSame(found[name], value))) return false;
        return where === undefined || where(documentOf(memory));
    };
}

/** As JSON has them, for that is how metadata is kept. */
function isSame(a: unknown, b: unknown): boolean {
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
    const [left, right] = [a as Metadata, b as Metadata];
    if (Array.isArray(left) !== Array.isArray(right)) return false;
    const names = Object.keys(left);
    return names.length === Object.keys(right).length && names.every((name) => name in right && isSame(left[name], right[name]));
}
