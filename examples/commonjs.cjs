// SPDX-License-Identifier: MIT OR Apache-2.0
// The same package by require(). Run: node examples/commonjs.cjs
const { ChronoMind, ChronoMindError } = require('chronomind');

async function main() {
    const mind = await ChronoMind.open({ dimensions: 3 });
    mind.insert({ id: 'first', vector: [0.1, 0.2, 0.3], text: 'hello' });
    console.log(mind.search([0.1, 0.2, 0.3], { k: 1 })[0].text);
    try {
        mind.insert({ id: 'second', vector: [1, 2] });
    } catch (error) {
        if (!(error instanceof ChronoMindError)) throw error;
        console.log(`${error.code}: ${error.message}`); // every failure has a code, and has changed nothing
    }
    const copy = await ChronoMind.load(mind.toBytes());
    console.log(`${copy.size} memory in a copy`);
    for (const store of [copy, mind]) store.close();
}

main();
