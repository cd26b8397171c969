// SPDX-License-Identifier: MIT OR Apache-2.0
/** A worker that does not end when it is refused: until it is stopped. Words: operations, refusals, turns. */
import { ChronoMind } from '../../js/dist/index.js';
import { serve } from './anywhere.mjs';

serve({
    async goOn({ shared, words }) {
        const mind = await ChronoMind.attach(shared);
        for (;;) {
            Atomics.add(words, 2, 1);
            try {
                mind.insert({ id: 'x', vector: [1, 2, 3, 4] });
                mind.remove('x');
                Atomics.add(words, 0, 1);
            } catch (error) {
                if (error.code === 'CM_E_CLOSED') Atomics.add(words, 1, 1);
                else mind.close();
            }
        }
    },
});
