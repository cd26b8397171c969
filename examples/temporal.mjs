// SPDX-License-Identifier: MIT OR Apache-2.0
// An agent's memory over time: what comes back depends on when you ask. Run: node examples/temporal.mjs
import { ChronoMind } from 'chronomind';

const NOON = Date.UTC(2026, 0, 2, 12);
const hoursAgo = (hours) => NOON - hours * 3_600_000;
const mind = await ChronoMind.open({ dimensions: 3, baseDecayRate: 0.1, temporalWeight: 0.3 });

// Real embeddings come from a model; three numbers are enough to see how it works.
mind.insert({ id: 'likes-tea', vector: [1, 0, 0], context: 'user', importance: 0.9, decayRate: 0.001, timestamp: hoursAgo(720) });
mind.insert({
    id: 'ordered-coffee',
    vector: [0.9, 0.4, 0],
    context: 'user',
    text: 'a flat white',
    timestamp: hoursAgo(1),
    relationships: ['likes-tea'],
});
mind.insert({ id: 'ordered-coffee-again', vector: [0.9, 0.41, 0], context: 'user', timestamp: hoursAgo(0.5) });
mind.insert({ id: 'weather', vector: [0, 0, 1], context: 'world', metadata: { source: 'radio' }, timestamp: hoursAgo(2) });

const show = (title, hits) => console.log(`${title}: ${hits.map((hit) => `${hit.id} ${hit.score.toFixed(3)}`).join(', ')}`);

show('nearest, whenever    ', mind.search([1, 0.1, 0], { k: 3, temporalWeight: 0, now: NOON }));
show('near and fresh       ', mind.search([1, 0.1, 0], { k: 3, now: NOON }));
show('only the user        ', mind.search([1, 0.1, 0], { k: 3, context: 'user', now: NOON }));
show('only from the radio  ', mind.search([1, 0.1, 0], { k: 3, filter: (memory) => memory.metadata?.source === 'radio', now: NOON }));

const [best] = mind.search([1, 0.1, 0], { k: 1, why: true, now: NOON });
const { distancePart, recencyPart, ageHours } = best.why;
console.log(
    `why ${best.id}: ${distancePart.toFixed(3)} for distance + ${recencyPart.toFixed(3)} for ${ageHours} h of age; bound ${mind.lastSearch.bound}`,
);

console.log(`related to ordered-coffee: ${mind.related('ordered-coffee', { depth: 2 }).map(({ id }) => id)}`);
console.log(`absorbed as near-duplicates: ${mind.consolidate({ threshold: 0.99 }).absorbed}`);
mind.applyDecay({ now: NOON + 24 * 3_600_000 });
for (const { id, importance } of mind) console.log(`a day later ${id} matters ${importance.toFixed(3)}`);
const { count, averageImportance } = mind.contextSummary('user');
console.log(`the user's context: ${count} memories, importance ${averageImportance.toFixed(3)} on average`);
mind.close();
