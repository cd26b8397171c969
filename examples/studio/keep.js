// SPDX-License-Identifier: MIT OR Apache-2.0
/** The whole store: saved in the browser and loaded again, faded, merged, checked. */
import { byId } from './dom.js';
import { count, megabytes, times } from './format.js';
import { quietNotice, trying } from './notice.js';
import { atWork } from './seat.js';

const BUTTONS = ['save', 'load', 'decay-now', 'check', 'consolidate'];

/** `now()`: the page's clock; `onReplaced(summary)`: after a load; `onChanged()`: memories changed; `onMerged()`: some went. */
export function keep(store, { now, onReplaced, onChanged, onMerged }) {
    let isLive = false;
    let isBusy = false;
    let isSaved = false;
    let canShare = false;

    const say = (text) => {
        byId('keep-report').textContent = text;
    };

    function enable() {
        for (const id of BUTTONS)
            byId(id).disabled = isBusy || (isLive && id !== 'save' && id !== 'decay-now') || (id === 'load' && !isSaved);
    }

    /** One thing at a time; the focus comes back to the button, which was disabled meanwhile. */
    function on(id, doing, action) {
        byId(id).addEventListener('click', async () => {
            quietNotice();
            isBusy = true;
            enable();
            await trying(doing, action);
            isBusy = false;
            enable();
            byId('work').hidden = true;
            byId(id).focus();
        });
    }

    on('save', 'Saving failed', async () => {
        const bytes = await store.call('save');
        isSaved = true;
        say(`Saved in this browser (OPFS): ${megabytes(bytes)}. Reload the page and load it.`);
    });

    on('load', 'Loading failed', async () => {
        const summary = await store.call('load');
        await onReplaced(summary);
        say(`Loaded ${times(summary.memories, 'memory', 'memories')}.`);
    });

    on('decay-now', 'Fading failed', async () => {
        const n = await store.call('applyDecay', now());
        say(
            n === 0
                ? 'Importance is up to date: move the clock first.'
                : `Importance of ${times(n, 'memory', 'memories')} faded up to the clock's time.`,
        );
        onChanged();
    });

    on('check', 'The store is not sound', async () => {
        const { live, dead, links, unreachable } = await store.call('check');
        say(
            `Sound: ${times(live, 'memory', 'memories')}, ${count(links)} links, ${count(unreachable)} unreachable, ${count(dead)} places of deleted ones.`,
        );
    });

    on('consolidate', 'Merging failed', async () => {
        const threshold = Math.min(0.99, Math.max(0.7, byId('threshold').valueAsNumber || 0.9));
        byId('threshold').value = threshold;
        byId('work').hidden = false;
        if (canShare) byId('work').value = 0;
        else byId('work').removeAttribute('value');
        const { absorbed } = await merge(threshold);
        say(
            absorbed === 0
                ? `No two memories are more similar than ${threshold}.`
                : `${times(absorbed, 'memory', 'memories')} went into others.`,
        );
        if (absorbed > 0) await onMerged();
    });

    /** Beside the store's own worker where that is possible: it goes on answering. */
    async function merge(threshold) {
        if (!canShare) return store.call('consolidate', threshold);
        const { end } = await atWork(store, 'consolidate', [threshold], (_, share) => {
            byId('work').value = share;
        });
        return end;
    }

    return {
        async ready(sharing) {
            canShare = sharing;
            const bytes = await trying('Looking for a saved store failed', () => store.call('savedBytes'));
            isSaved = bytes !== undefined;
            if (isSaved) say(`A store of ${megabytes(bytes)} is saved in this browser.`);
            enable();
        },
        live(isRunning) {
            isLive = isRunning;
            enable();
        },
    };
}
