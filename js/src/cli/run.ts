// SPDX-License-Identifier: MIT OR Apache-2.0
/** From the arguments to a command (docs/CLI.md, section 1). */
import { access } from './access.js';
import { isOption, nearest, type Question, questionOf } from './arguments.js';
import { consolidate } from './consolidate.js';
import { context } from './context.js';
import { decay } from './decay.js';
import { get } from './get.js';
import { HELP, MAIN_HELP } from './help.js';
import { query } from './query.js';
import { relate, unrelate } from './relate.js';
import { related } from './related.js';
import { remove } from './remove.js';
import { Failure, print, USAGE } from './report.js';
import { save } from './save.js';
import { stats } from './stats.js';
import { update } from './update.js';
import { VERSION } from '../generated.js';

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

export const MAIN_HINT = "try 'chronomind --help'";
const COMMANDS_HINT = `the commands are ${Object.keys(COMMANDS).join(', ')} and help; ${MAIN_HINT}`;

export async function run([name, ...rest]: readonly string[]): Promise<void> {
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
