// SPDX-License-Identifier: MIT OR Apache-2.0
/** One line on a terminal that says how far a long run is. */

const FIRST_AFTER_MS = 1000;
const REDRAW_AFTER_MS = 100;
const BAR_CELLS = 30;
const LINE_CELLS = 72;

let dueMs: number | undefined;
let visible = false;

/** `share` of the work that is done; undefined: unknown. */
export function showProgress(what: string, share: number | undefined): void {
    if (!process.stderr.isTTY) return;
    const now = performance.now();
    dueMs ??= now + FIRST_AFTER_MS;
    if (now < dueMs) return;
    dueMs = now + REDRAW_AFTER_MS;
    process.stderr.write(`\r${share === undefined ? '' : barOf(share)}${what}`);
    visible = true;
}

function barOf(share: number): string {
    return `[${'#'.repeat(share * BAR_CELLS).padEnd(BAR_CELLS)}] ${String(Math.floor(share * 100)).padStart(3)}%  `;
}

export function clearProgress(): void {
    if (visible) process.stderr.write(`\r${' '.repeat(LINE_CELLS)}\r`);
    visible = false;
}
