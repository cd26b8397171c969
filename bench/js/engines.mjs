// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * How a library is used once it is loaded, the same in Node (systems.mjs) and in a page (page-systems.mjs): f32, one thread, and the parameters here.
 * An engine has insert(i, vector), use(ef), search(vector) -> ids, and sometimes close().
 */
export const M = 16;
export const EF_CONSTRUCTION = 100;
export const SEED = 100;

export async function chronomindEngine(ChronoMind, { dimensions, n, k, ef }, module) {
    const options = { dimensions, maxMemories: n, m: M, efConstruction: EF_CONSTRUCTION, temporalWeight: 0 };
    const mind = await ChronoMind.open({ ...options, ...module });
    const search = { k, ef };
    return {
        mind,
        insert: (i, vector) => mind.insert({ id: String(i), vector }),
        use: (width) => {
            search.ef = width;
        },
        search: (vector) => mind.search(vector, search).map((hit) => hit.id),
        close: () => mind.close(),
    };
}

export function hnswlibWasmEngine(module, { dimensions, n, k }) {
    const index = new module.HierarchicalNSW('ip', dimensions, '');
    index.initIndex(n, M, EF_CONSTRUCTION, SEED);
    return {
        insert: (i, vector) => index.addPoint(vector, i, false),
        use: (ef) => index.setEfSearch(ef),
        search: (vector) => index.searchKnn(vector, k, undefined).neighbors,
    };
}

/** Its ef is fixed when the index is made. */
export function edgevecEngine({ EdgeVec, EdgeVecConfig }, { dimensions, k, ef }) {
    const config = new EdgeVecConfig(dimensions);
    Object.assign(config, { metric: 'l2', m: M, m0: 2 * M, ef_construction: EF_CONSTRUCTION, ef_search: ef });
    const index = new EdgeVec(config);
    const rowOf = [];
    return {
        insert: (i, vector) => {
            rowOf[index.insert(vector)] = i;
        },
        use: () => {},
        search: (vector) => index.search(vector, k).map((hit) => rowOf[hit.id]),
        close: () => index.free(),
    };
}
