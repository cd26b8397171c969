// SPDX-License-Identifier: MIT OR Apache-2.0
/** Numbers and times as people read them. */
import { HOUR, START } from './memories.js';

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });

export const count = (n) => whole.format(n);

export const score = (x) => x.toFixed(3);

export const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(bytes < 100 * 2 ** 20 ? 1 : 0)} MB`;

export const times = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** "20 minutes", "7 hours", "3 days" */
export function duration(hours) {
    if (hours < 1) return times(Math.round(hours * 60), 'minute');
    if (hours < 36) return times(Math.round(hours), 'hour');
    return times(Math.round(hours / 24), 'day');
}

/** Short: "20 min", "7 h", "3 d" */
export function shortDuration(hours) {
    if (hours < 1) return `${Math.round(hours * 60)} min`;
    return hours < 36 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} d`;
}

/** The page's clock, so many hours after its start. */
export function clock(hours) {
    const later = hours === 0 ? 'now' : hours < 48 ? `+${hours} h` : `+${Math.round((hours / 24) * 10) / 10} d`;
    return `${date.format(START + hours * HOUR)} (${later})`;
}

export const moment = (ms) => date.format(ms);
