// SPDX-License-Identifier: MIT OR Apache-2.0
/** Says what went wrong and what helps. */
import { byId } from './dom.js';

const REMEDIES = {
    CM_E_LOCKED: 'Another tab is saving: close it, or try again in a moment.',
    CM_E_QUOTA: 'The browser gives this page no more room: remove stored data of other pages, or start with fewer words.',
    CM_E_CAPACITY: 'The store is full: start the server with more --words, or delete some.',
    CM_E_INDEX_FULL: 'Deleted memories keep their place: reload the page.',
    CM_E_NO_MEMORY: 'The browser gives no more memory: close other tabs, or start the server with fewer --words.',
    CM_E_BUSY: 'Something else is going on: try again when it is done.',
    CM_E_NOT_FOUND: 'It was deleted meanwhile: search again.',
    CM_E_ENVIRONMENT: 'A current Chromium, Firefox or Safari can do it.',
    CM_E_IO: 'Save first: then there is something to load.',
    CM_E_CORRUPT: 'What was saved is damaged: save again.',
    CM_E_VERSION: 'Another version saved it: save again.',
    CM_E_NOT_SNAPSHOT: 'What was saved is no store: save again.',
    CM_E_THREADS: 'There is no seat for another worker: start fewer.',
    CM_E_FAULT: 'This is a bug: please report it with what you did before. Reload the page to go on.',
};

const OTHERWISE = 'Reload the page; if it stays, look whether examples/studio/serve.mjs still runs.';

export function complain(doing, error) {
    byId('notice-what').textContent = `${doing}: ${error.message}${error.code ? ` (${error.code})` : ''}.`;
    byId('notice-remedy').textContent = REMEDIES[error.code] ?? OTHERWISE;
    byId('notice').hidden = false;
}

export function quietNotice() {
    byId('notice').hidden = true;
}

/** Runs `action`, and complains when it fails; then it gives undefined. */
export async function trying(doing, action) {
    try {
        return await action();
    } catch (error) {
        complain(doing, error);
        return undefined;
    }
}

byId('notice-close').addEventListener('click', quietNotice);
