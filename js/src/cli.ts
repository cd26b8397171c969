#!/usr/bin/env node
// SPDX-License-Identifier: MIT OR Apache-2.0
/** chronomind, the command line over WebAssembly (docs/CLI.md is the contract; native/cli is its twin). */
import { access } from './cli/access.js';
import { isOption, nearest, type Question, questionOf } from './cli/arguments.js';
import { consolidate } from './cli/consolidate.js';
import { context } from './cli/context.js';
import { decay } from './cli/decay.js';
import { get } from './cli/get.js';
import { HELP, MAIN_HELP } from './cli/help.js';
import { query } from './cli/query.js';
import { relate, unrelate } from './cli/relate.js';
import { related } from './cli/related.js';
import { remove } from './cli/remove.js';
import { FAILED, Failure, print, report, USAGE } from './cli/report.js';
import { save } from './cli/save.js';
import { stats } from './cli/stats.js';
import { update } from './cli/update.js';
import { VERSION } from './generated.js';

/** In the order of docs/CLI.md. */
const COMMANDS: Record<string, (given: readonly string[]) => Promise<Question | undefined>> = {
    save,
    query,
    get,
    related,
    context,
    stats,
    update,
    access,
    relate,
    unrelate,
    remove,
    decay,
    consolidate,
};

const MAIN_HINT = "try 'chronomind --help'";
const COMMANDS_HINT = `the commands are ${Object.keys(COMMANDS).join(', ')} and help; ${MAIN_HINT}`;

async function run([name, ...rest]: readonly string[]): Promise<void> {
    if (name === undefined) throw new Failure(USAGE, 'no command given', COMMANDS_HINT);
    const question = questionOf(name);
    if (question !== undefined) return answer(question, MAIN_HELP);
    if (name === 'help') return help(rest);
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) return unknownCommand(name);
    const asked = await command(rest);
    if (asked !== undefined) answer(asked, HELP[name] ?? MAIN_HELP);
}

function answer(question: Question, help: string): void {
    print(question === 'help' ? help : `chronomind ${VERSION}\n`);
}

/** What follows "help". */
function help([name, extra]: readonly string[]): void {
    const question = questionOf(name);
    if (name === undefined || question !== undefined) return answer(question ?? 'help', MAIN_HELP);
    const text = name === 'help' ? MAIN_HELP : Object.hasOwn(HELP, name) ? HELP[name] : undefined;
    if (text === undefined) return suggest(name);
    if (extra !== undefined) throw new Failure(USAGE, `unexpected argument '${extra}'`, MAIN_HINT);
    print(text);
}

function unknownCommand(name: string): never {
    if (isOption(name)) throw new Failure(USAGE, `unknown option '${name.split('=', 1)[0]}'`, MAIN_HINT);
    return suggest(name);
}

function suggest(name: string): never {
    const near = nearest(name, [...Object.keys(COMMANDS), 'help']);
    throw new Failure(USAGE, `unknown command '${name}'`, near ? `did you mean '${near}'? Try 'chronomind --help'` : COMMANDS_HINT);
}

process.on('SIGXFSZ', () => {}); // a file beyond `ulimit -f` is then an error to report, not the end

try {
    await run(process.argv.slice(2));
} catch (error) {
    const failure = error instanceof Failure ? error : new Failure(FAILED, String(error), MAIN_HINT);
    process.exit(report(failure));
}
process.exit(0); // standard input may still be open
