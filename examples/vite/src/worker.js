// SPDX-License-Identifier: MIT OR Apache-2.0
// Searches the page's store, without a copy of it.
import { ChronoMind } from 'chronomind';

globalThis.onmessage = async ({ data: { shared, vector } }) => {
    const mind = await ChronoMind.attach(shared);
    const [hit] = mind.search(vector, { k: 1 });
    mind.insert({ id: 'from the worker', vector, text: 'a note' });
    mind.close();
    postMessage(hit.id);
};
