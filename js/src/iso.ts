// SPDX-License-Identifier: MIT OR Apache-2.0
/** ISO 8601 as docs/CLI.md allows it: Date.parse accepts too much, and reads a time without zone in the zone of the machine. */

const SHAPE = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:[Zz]|([+-])(\d{2})(?::?(\d{2}))?))?$/;

/** Times that a Date can hold. */
export const MAX_TIME_MS = 8640000000000000;

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
    const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
    return month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
}

/** Milliseconds since the Unix epoch; undefined when the text is no such date. */
export function parseIso(text: string): number | undefined {
    const match = SHAPE.exec(text);
    if (match === null) return undefined;
    const part = (i: number): number => Number(match[i] ?? 0);
    const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
    const [offsetHours, offsetMinutes] = [part(9), part(10)];
    const isReal = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
    if (!isReal || hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return undefined;
    const milliseconds = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
    const offset = (offsetHours * 60 + offsetMinutes) * (match[8] === '-' ? -60000 : 60000);
    const utc = new Date(0);
    utc.setUTCFullYear(year, month - 1, day); // Date.UTC would take the years 0 to 99 for 1900 to 1999
    utc.setUTCHours(hour, minute, second, milliseconds);
    return utc.getTime() - offset;
}
