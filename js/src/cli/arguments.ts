// SPDX-License-Identifier: MIT OR Apache-2.0
/** Options by table: what a command takes, and what was given (docs/CLI.md, section 1). */
import { MAX_TIME_MS, parseIso } from '../iso.js';
import { JsonFault } from './json.js';
import { compacted } from './json-writer.js';
import { Failure, USAGE } from './report.js';
import { parseNumber } from './text.js';

const NEAR_DISTANCE = 2;
const NEAR_MIN_LENGTH = 3;

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export type OptionKind = 'flag' | 'text' | 'texts' | 'whole' | 'share' | 'inside' | 'rate' | 'choice' | 'time' | 'vector' | 'json';

/** Milliseconds since 1970, or relative to a now that is not known yet. */
export interface Time {
    ms: number;
    isRelative: boolean;
}

export interface Option {
    short?: string;
    /** share: 0 to 1. inside: between 0 and 1. rate: from 0. texts: may be given many times. json: compacted. */
    kind: OptionKind;
    required?: true;
    /** Of 'text': it may be "". */
    mayBeEmpty?: true;
    /** Of 'whole'. */
    min?: number;
    max?: number;
    choices?: readonly string[];
}

export type Options = Readonly<Record<`--${string}`, Option>>;

interface ValueOf {
    flag: boolean;
    text: string;
    whole: number;
    texts: string[];
    share: number;
    inside: number;
    rate: number;
    choice: string;
    time: Time;
    json: string;
    vector: Float32Array<ArrayBuffer>;
}

/** What was given, by option name. */
export type Values<O extends Options> = { [N in keyof O]?: O[N] extends { kind: infer K extends OptionKind } ? ValueOf[K] : never };

/** --help or --version stood among the arguments. */
export type Question = 'help' | 'version';

export function questionOf(argument: string | undefined): Question | undefined {
    if (argument === '--help' || argument === '-h') return 'help';
    return argument === '--version' ? 'version' : undefined;
}

/** "-" is a value, not an option. */
export function isOption(argument: string): boolean {
    return argument.startsWith('-') && argument.length > 1;
}

export function parseArguments<O extends Options>(command: string, options: O, given: readonly string[]): Values<O> | Question {
    const values: Record<string, unknown> = {};
    for (let i = 0; i < given.length; ) {
        const argument = given[i] as string;
        const question = questionOf(argument);
        if (question !== undefined) return question;
        if (!isOption(argument)) usage(command, `unexpected argument '${argument}'`);
        i += takeOption(command, options, argument, given[i + 1], values);
    }
    for (const name of names(options)) {
        if (options[name]?.required && values[name] === undefined) usage(command, `${command} needs ${name}`);
    }
    return values as Values<O>;
}

function names(options: Options): `--${string}`[] {
    return Object.keys(options) as `--${string}`[];
}

export function usage(command: string, message: string, hint = `try 'chronomind ${command} --help'`): never {
    throw new Failure(USAGE, message, hint);
}

/** Returns how many arguments were used. */
function takeOption(command: string, options: Options, argument: string, next: string | undefined, values: Record<string, unknown>): 1 | 2 {
    const equals = argument.startsWith('--') ? argument.indexOf('=') : -1;
    const typed = equals < 0 ? argument : argument.slice(0, equals);
    const name = names(options).find((long) => long === typed || (options[long]?.short ?? '') === typed);
    if (name === undefined) return unknownOption(command, options, argument.split('=', 1)[0] ?? argument);
    const option = options[name] as Option;
    if (option.kind === 'flag') {
        if (equals >= 0) usage(command, `${name} takes no value`);
        values[name] = true;
        return 1;
    }
    const text = equals < 0 ? next : argument.slice(equals + 1);
    if (text === undefined) return usage(command, `${name} needs a value`);
    const value = parseValue(command, name, option, text);
    values[name] = option.kind === 'texts' ? [...((values[name] as string[] | undefined) ?? []), value] : value;
    return equals < 0 ? 2 : 1;
}

function unknownOption(command: string, options: Options, typed: string): never {
    const near = typed.length < NEAR_MIN_LENGTH ? undefined : nearest(typed, [...names(options), '--help', '--version']);
    const hint = near && `did you mean ${near}? Try 'chronomind ${command} --help'`;
    return usage(command, `unknown option '${typed}' for ${command}`, hint);
}

function parseValue(command: string, name: string, option: Option, text: string): unknown {
    const refuse = (rule: string): never => usage(command, `${name} is '${text}': must be ${rule}`);
    switch (option.kind) {
        case 'whole': {
            const { min = 0, max = 0 } = option;
            return parseWhole(text, min, max) ?? refuse(`a whole number from ${min} to ${max}`);
        }
        case 'share': {
            const number = parseNumber(text);
            return number !== undefined && number >= 0 && number <= 1 ? number : refuse('a number from 0 to 1');
        }
        case 'inside': {
            const number = parseFloat32(text);
            return number !== undefined && number > 0 && number < 1 ? number : refuse('a number above 0 and below 1');
        }
        case 'rate': {
            const number = parseFloat32(text);
            return number !== undefined && number >= 0 && Number.isFinite(number) ? number : refuse('a finite number from 0');
        }
        case 'choice': {
            const choices = option.choices ?? [];
            return choices.includes(text) ? text : refuse(`${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`);
        }
        case 'time':
            return (
                parseTime(text) ?? refuse('milliseconds since 1970, an ISO 8601 date with Z or an offset, now, or relative such as -24h')
            );
        default:
            if (text === '' && option.mayBeEmpty === undefined) usage(command, `${name} is empty`);
            if (option.kind === 'json') return parseJson(command, name, text);
            return option.kind === 'vector' ? parseVector(command, name, text) : text;
    }
}

function parseFloat32(text: string): number | undefined {
    const number = parseNumber(text);
    return number === undefined ? undefined : Math.fround(number);
}

/** One JSON value, compact. */
function parseJson(command: string, name: string, text: string): string {
    try {
        const { json, nValues } = compacted(text);
        return nValues === 1 ? json : usage(command, `${name} holds ${nValues} JSON values: must be one`);
    } catch (error) {
        if (!(error instanceof JsonFault)) throw error;
        return usage(command, `${name} is not JSON: ${error.message}`);
    }
}

function parseWhole(text: string, min: number, max: number): number | undefined {
    const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    return number >= min && number <= max ? number : undefined;
}

function parseTime(text: string): Time | undefined {
    if (text === 'now') return { ms: 0, isRelative: true };
    const relative = /^([+-])(\d{1,9})([smhdw])$/.exec(text);
    if (relative !== null) {
        const [, sign, digits, unit] = relative;
        const ms = Number(digits) * (UNIT_MS[unit as keyof typeof UNIT_MS] ?? 0);
        return { ms: sign === '-' ? -ms : ms, isRelative: true };
    }
    const ms = parseAbsolute(text);
    return ms === undefined ? undefined : { ms, isRelative: false };
}

function parseAbsolute(text: string): number | undefined {
    const isNegative = text.startsWith('-');
    const magnitude = parseWhole(isNegative ? text.slice(1) : text, 0, MAX_TIME_MS);
    if (magnitude === undefined) return parseIso(text);
    return isNegative ? -magnitude : magnitude;
}

/** Milliseconds since 1970, in the range that times have. */
export function timeAt(time: Time, nowMs: number): number {
    const ms = time.isRelative ? nowMs + time.ms : time.ms;
    return Math.min(Math.max(ms, -MAX_TIME_MS), MAX_TIME_MS);
}

/** --now, or the clock. To be asked once. */
export function nowOf(given: Time | undefined): number {
    return timeAt(given ?? { ms: 0, isRelative: true }, Date.now());
}

/** Blanks are spaces and tabs only. */
function trim(text: string): string {
    return text.replace(/^[ \t]+|[ \t]+$/g, '');
}

function parseVector(command: string, name: string, text: string): Float32Array<ArrayBuffer> {
    const inside = /^\[(.*)\]$/s.exec(trim(text))?.[1] ?? trim(text);
    const components = inside.split(',').map((component, i) => {
        const number = Math.fround(parseNumber(trim(component)) ?? Number.NaN);
        if (!Number.isFinite(number)) usage(command, `${name} component ${i + 1} is '${trim(component)}': must be a finite number`);
        return number;
    });
    return Float32Array.from(components);
}

/** The first of the names that is at most two edits away. */
export function nearest(typed: string, candidates: readonly string[]): string | undefined {
    let best: string | undefined;
    let least = NEAR_DISTANCE + 1;
    for (const candidate of candidates) {
        const distance = levenshtein(typed, candidate);
        if (distance < least) [best, least] = [candidate, distance];
    }
    return best;
}

function levenshtein(a: string, b: string): number {
    let row = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
        const next = [i];
        for (let j = 1; j <= b.length; j++) {
            const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
            next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
        }
        row = next;
    }
    return row[b.length] as number;
}
