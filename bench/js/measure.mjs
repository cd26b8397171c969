// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * The loop that measures one system, the same for every system and in Node as in a browser: it imports nothing.
 *
 * A system opens an engine: { insert(i, vector), use(ef), search(vector) -> ids, prepare?(vector) -> what the other two take }.
 * Its answers are counted after the clock has stopped.
 */
const WARM_UP = 500;
const PASS_MS = 500;
const MAX_PASSES = 10;

/** Rows as the engine wants them, made before any clock runs. */
function rowsOf(engine, flat, dimensions) {
    return Array.from({ length: flat.length / dimensions }, (_, i) => {
        const row = flat.subarray(i * dimensions, (i + 1) * dimensions);
        return engine.prepare?.(row) ?? row;
    });
}

/** `cpu` gives the seconds of processor time so far; a browser has no such clock. */
function timed(work, cpu) {
    const [startCpu, start] = [cpu(), performance.now()];
    const n = work();
    const wall = (performance.now() - start) / 1000;
    return { wall: n / wall, cpu: n / (cpu() - startCpu) };
}

function recallOf(answers, truth, k) {
    let nFound = 0;
    answers.forEach((ids, q) => {
        const right = new Set(truth.subarray(q * k, (q + 1) * k));
        for (const id of Array.from(ids).slice(0, k)) if (right.delete(Number(id))) nFound++;
    });
    return nFound / truth.length;
}

function measureSearch(engine, queries, truth, k, ef, cpu) {
    engine.use(ef);
    for (let i = 0; i < WARM_UP; i++) engine.search(queries[i % queries.length]);
    const answers = [];
    const rates = timed(() => {
        const end = performance.now() + PASS_MS;
        let pass = 0;
        do for (let q = 0; q < queries.length; q++) answers[q] = engine.search(queries[q]);
        while (++pass < MAX_PASSES && performance.now() < end);
        return pass * queries.length;
    }, cpu);
    return { ef, recall: recallOf(answers, truth, k), ...rates };
}

/** Warms the code up on a small index that is dropped, then builds the index and searches it at every width. */
export async function measure(system, { base, queries, truth, dimensions, n, k, efs }, cpu = () => 0) {
    const spec = { dimensions, k, ef: efs[0] };
    const warm = await system.open({ ...spec, n: 2 * WARM_UP });
    const [rows, asked] = [rowsOf(warm, base, dimensions), rowsOf(warm, queries, dimensions)];
    for (let i = 0; i < 2 * WARM_UP; i++) warm.insert(i, rows[i]);
    warm.use(efs[0]);
    for (let i = 0; i < WARM_UP; i++) warm.search(asked[i % asked.length]);
    warm.close?.();

    const engine = await system.open({ ...spec, n });
    const insert = timed(() => {
        for (let i = 0; i < n; i++) engine.insert(i, rows[i]);
        return n;
    }, cpu);
    const searches = efs.map((ef) => measureSearch(engine, asked, truth, k, ef, cpu));
    const memory = engine.memory?.();
    engine.close?.();
    return { insert, searches, memory };
}
