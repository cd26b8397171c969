// SPDX-License-Identifier: MIT OR Apache-2.0
// A memory that outlives the program: run it twice, and the second time it remembers. Run: node examples/quickstart.mjs [FILE]
import { ChronoMind } from 'chronomind';

const path = process.argv[2] ?? 'agent.chrono';

const DIMENSIONS = 64;

/** Stands for the embedding model: texts are near when they have words in common. Real ones give 384 numbers or more, and near ones for what means the same. */
function embed(text) {
    const vector = new Float32Array(DIMENSIONS).fill(0.01);
    for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) {
        let hash = 0;
        for (const letter of word) hash = (hash * 31 + letter.charCodeAt(0)) % 65521;
        vector[hash % DIMENSIONS]++;
    }
    return vector;
}

const mind = await ChronoMind.open({ path, dimensions: DIMENSIONS }); // a snapshot that is there is read
console.log(`${mind.size} memories in ${path}`);

const notes = [
    { text: 'the user drinks tea', context: 'user', importance: 0.9 },
    { text: 'the deploy key is in the vault', context: 'work', metadata: { source: 'wiki' } },
    { text: 'it rains in town', context: 'world', importance: 0.1 },
];
for (const note of notes) {
    if (!mind.has(note.text)) mind.insert({ ...note, id: note.text, vector: embed(note.text) }); // the same id again would replace it
}
mind.relate('the user drinks tea', 'it rains in town');

for (const hit of mind.search(embed('does the user like tea'), { k: 2 }))
    console.log(`${hit.score.toFixed(3)} ${hit.text} (${hit.context})`);
const [found] = mind.search(embed('where is the key'), { k: 1, filter: ({ metadata }) => metadata?.source === 'wiki' });
console.log(`from the wiki: ${found.text}`);

mind.access(found.id); // it was useful: counted
await mind.save(); // replaces the old snapshot at once, or leaves it as it was
console.log(`"${found.text}" was looked at ${mind.get(found.id).accessCount} times`);
mind.close();
