// SPDX-License-Identifier: MIT OR Apache-2.0
/** One line on a terminal that says how far a long run is. */

const FIRST_AFTER_MS = 1000;
const REDRAW_AFTER_MS = 100;
const BAR_CELLS = 30;
const LINE_CELLS = 72;

let dueMs: number | undefined;
let visible = false;

/** nBytesTotal 0: unknown. */
export function showProgress(nMemories: number, nBytes: number, nBytesTotal: number): void {
    if (!process.stderr.isTTY) return;
    const now = performance.now();
    dueMs ??= now + FIRST_AFTER_MS;
    if (now < dueMs) return;
    dueMs = now + REDRAW_AFTER_MS;
    const share = Math.min(nBytes / nBytesTotal, 1);
    const bar = `[${'#'.repeat(share * BAR_CELLS || 0).padEnd(BAR_CELLS)}] ${String(Math.floor(share * 100)).padStart(3)}%  `;
    process.stderr.write(`\r${nBytesTotal > 0 ? bar : ''}${nMemories} memories`);
    visible = true;
}

export function clearProgress(): void {
    if (visible) process.stderr.write(`\r${' '.repeat(LINE_CELLS)}\r`);
    visible = false;
}
