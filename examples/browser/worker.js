// SPDX-License-Identifier: MIT OR Apache-2.0
// Searches the store of the page, without a copy of it.
import { ChronoMind } from '../../js/dist/web.js';

globalThis.onmessage = async ({ data: { shared, vector } }) => {
    const mind = await ChronoMind.attach(shared);
    const [hit] = mind.search(vector, { k: 1 });
    mind.close();
    postMessage(hit.id);
};
