// SPDX-License-Identifier: MIT OR Apache-2.0
/** A worker of large.test.mjs. */
import { ChronoMind } from '../../js/dist/index.js';
import { serve } from './anywhere.mjs';
import { randomFrom, randomVector } from './random.mjs';

const TEXT = 'x'.repeat(1 << 18);

serve({
    /** Says in words[0] how many are there. */
    async grow({ shared, words, nMemories }) {
        const mind = await ChronoMind.attach(shared);
        for (let i = 0; i < nMemories; i++) {
            mind.insert({ id: `new ${i}`, vector: randomVector(randomFrom(1000 + i), 8), text: `${i} ${TEXT}` });
            Atomics.store(words, 0, i + 1);
        }
        mind.close();
        return nMemories;
    },
    /** Waits at the gate until all have attached, works, and waits until all have: how much was wrong. */
    async meet({ shared, gate, nWorkers, number, nMemories }) {
        const mind = await ChronoMind.attach(shared);
        const meetAt = (word) => {
            if (Atomics.add(gate, word, 1) + 1 === nWorkers) Atomics.notify(gate, word);
            for (let n = Atomics.load(gate, word); n < nWorkers; n = Atomics.load(gate, word)) Atomics.wait(gate, word, n, 100);
        };
        meetAt(0);
        let wrong = 0;
        for (let i = 0; i < nMemories; i++) {
            const vector = randomVector(randomFrom(number * 1000 + i), 8);
            mind.insert({ id: `w${number}-${i}`, vector });
            if (mind.search(vector, { k: 1, exact: true, temporalWeight: 0 })[0]?.id !== `w${number}-${i}`) wrong++;
        }
        meetAt(1);
        mind.close();
        return wrong;
    },
    async look({ shared, vector }) {
        const mind = await ChronoMind.attach(shared);
        const [{ distance }] = mind.search(vector, { k: 1, exact: true, temporalWeight: 0 });
        const { size } = mind;
        mind.close();
        return { size, distance };
    },
});
