// SPDX-License-Identifier: MIT OR Apache-2.0
/**
 * When a worker has ended for certain. In a browser terminate() only asks: Chromium lets a script that computes go on for two seconds, and nobody says when it ended.
 * Taking back the place of a worker that still writes would ruin the store. So an attached worker holds a Web Lock, which whoever waits for it gets only when that script
 * can do nothing any more. Node says when a worker has ended (the promise of terminate(), the exit event), and needs no lock.
 */

/** Node has Web Locks too, from version 24 on; isolated pages and their workers always have them. */
function locks(): LockManager | undefined {
    const host = globalThis as {
        crossOriginIsolated?: boolean;
        process?: { versions?: { node?: string } };
        navigator?: { locks?: LockManager };
    };
    return host.process?.versions?.node === undefined && host.crossOriginIsolated === true ? host.navigator?.locks : undefined;
}

/** A name for the lock of a worker to come. undefined: this host says when workers have ended. */
export function newLife(): string | undefined {
    return locks() && `chronomind worker ${crypto.randomUUID()}`;
}

/** Resolves when this worker has the lock, to what gives it back. */
export function beginLife(life: string | undefined): Promise<() => void> {
    const manager = locks();
    return new Promise((begun, failed) => {
        if (life === undefined || manager === undefined) begun(() => {});
        else manager.request(life, () => new Promise<void>((end) => begun(end))).catch(failed);
    });
}

/** Resolves when whoever began it has ended. */
export async function endOfLife(life: string | undefined): Promise<void> {
    if (life !== undefined) await locks()?.request(life, () => {});
}
