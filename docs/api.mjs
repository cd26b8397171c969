// SPDX-License-Identifier: MIT OR Apache-2.0
// api.mjs - docs/API.md from the declarations in js/dist, which carry the doc comments of the TypeScript sources. `npm run docs` writes it; tests/js/docs.test.mjs
// checks that what is committed is what this makes, and that nothing exported lacks a comment.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { STATUS } from '../js/dist/generated.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Subpaths in the order of the page, and what their declarations do not say. */
const INTRODUCTIONS = {
    '.': 'The store, its errors and its types.',
    './pool': 'Many inserts and searches at once, over several workers on one store.',
    './langchain': 'A store as a VectorStore of LangChain.js. Needs `@langchain/core`.',
    './storage/node': 'Snapshots in files. `{ path }` is short for it.',
    './storage/opfs': 'Snapshots in the origin private file system of a browser. `{ opfs }` is short for it.',
    './storage/idb': 'Snapshots in IndexedDB. `{ idb }` is short for it.',
    './storage/bytes': 'Snapshots in memory: for tests, and as a pattern for storages of your own.',
};

/** Where the declarations of each subpath are, in the order of the page. Every subpath with types has to be introduced. */
function entries() {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const typed = Object.entries(exports).flatMap(([subpath, conditions]) => {
        const { types } = (conditions.node ?? conditions).import ?? {};
        return types === undefined ? [] : [[subpath, join(root, types)]];
    });
    const files = new Map(typed);
    for (const subpath of files.keys()) if (!(subpath in INTRODUCTIONS)) throw new Error(`docs/api.mjs: ${subpath} has no introduction`);
    return Object.keys(INTRODUCTIONS).map((subpath) => [subpath, files.get(subpath)]);
}

// ---- what is declared ---------------------------------------------------------------------------------------------------

/** The doc comment as it was written, without its stars. */
function commentOf(node) {
    const [comment] = (ts.getJSDocCommentsAndTags(node) ?? []).filter(ts.isJSDoc).slice(-1);
    if (comment === undefined) return '';
    const lines = comment
        .getText()
        .replace(/^\/\*\*|\*\/$/g, '')
        .split('\n')
        .map((line) => line.replace(/^\s*\* ?/, '').trimEnd());
    return joinedLines(lines).trim();
}

/** Lines of a paragraph become one; code and lists stay. */
function joinedLines(lines) {
    let isCode = false;
    let text = '';
    for (const line of lines) {
        const isFence = line.trim().startsWith('```');
        const joins =
            !isCode &&
            !isFence &&
            line !== '' &&
            !/^\s*[-*] /.test(line) &&
            text !== '' &&
            !text.endsWith('\n\n') &&
            !text.endsWith('```\n');
        text = joins ? `${text.trimEnd()} ${line.trim()}\n` : `${text}${line}\n`;
        if (isFence) isCode = !isCode;
    }
    return text;
}

const isPublic = (member) => !(ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected));

/** A declaration on one line, without what only a compiler needs. */
function signatureOf(node, name = '') {
    const text = node
        .getText()
        .replace(/\/\*\*[\s\S]*?\*\//g, '')
        .replace(/\s+/g, ' ')
        .replace(/^(export |declare |override |readonly )+/, '')
        .replace(/^static (override )?/, name === '' ? '' : `${name}.`)
        .replace(/;$/, '');
    return text.trim();
}

/** Text in a table. */
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n- ', '<br>- ').replaceAll('\n', ' ').trim();

/** `T | undefined` of an optional member says the same twice. */
const typeText = (type, isOptional) => (isOptional ? type.replace(/ \| undefined$/, '').replace(/^\((.*)\)$/, '$1') : type);

// ---- what is written ------------------------------------------------------------------------------------------------------

class Page {
    #lines = [];
    #bare = [];

    /** Exports that have no doc comment. */
    get bare() {
        return this.#bare;
    }

    add(...lines) {
        this.#lines.push(...lines, '');
    }

    text() {
        return `${this.#lines.join('\n').trimEnd()}\n`;
    }

    declaration(name, nodes) {
        const [node] = nodes;
        const comment = nodes.map(commentOf).find((text) => text !== '') ?? '';
        if (comment === '') this.#bare.push(name);
        if (ts.isClassDeclaration(node)) this.#class(name, node, comment);
        else if (ts.isInterfaceDeclaration(node)) this.#interface(name, node, comment);
        else if (ts.isTypeAliasDeclaration(node)) this.add(`### ${name}`, '', '```ts', signatureOf(node), '```', '', comment);
        else
            this.add(`### ${name}()`, '', '```ts', ...nodes.map((each) => signatureOf(each).replace(/^function /, '')), '```', '', comment);
    }

    #class(name, node, comment) {
        this.add(`### class ${name}`, '', ...(heritage(node) ? [`\`${name}${heritage(node)}\``, ''] : []), comment);
        for (const [title, members] of groupsOf(node.members)) {
            const text = members.map(commentOf).find((each) => each !== '') ?? '';
            if (text === '' && ts.isMethodDeclaration(members[0]) && !title.startsWith('[')) this.#bare.push(`${name}.${title}`);
            const signatures = members.map((member) => signatureOf(member, name).replace(/^get (\w+)\(\)/, '$1'));
            this.add(`#### ${title}`, '', '```ts', ...signatures, '```', ...(text === '' ? [] : ['', text]));
        }
    }

    #interface(name, node, comment) {
        this.add(
            `### ${name}`,
            '',
            [
                comment,
                heritage(node) &&
                    `Also has what \`${heritage(node)
                        .trim()
                        .replace(/^extends /, '')}\` has.`,
            ]
                .filter(Boolean)
                .join(' '),
        );
        const members = node.members.filter((member) => member.name !== undefined);
        if (members.length === 0) return;
        const rows = members.map((member) => {
            const isOptional = member.questionToken !== undefined;
            const type = ts.isMethodSignature(member)
                ? signatureOf(member).replace(/^\w+\??/, '')
                : typeText(
                      member.type
                          .getText()
                          .replace(/\/\*\*[\s\S]*?\*\//g, '')
                          .replace(/\s+/g, ' '),
                      isOptional,
                  );
            return `| \`${member.name.getText()}${isOptional ? '?' : ''}\` | \`${cell(type)}\` | ${cell(commentOf(member))} |`;
        });
        this.add('| member | type | |', '|---|---|---|', ...rows);
    }
}

function heritage(node) {
    const clauses = (node.heritageClauses ?? []).map((clause) => clause.getText());
    return clauses.length === 0 ? '' : ` ${clauses.join(' ')}`;
}

/** Overloads belong together. */
function groupsOf(members) {
    const groups = new Map();
    for (const member of members) {
        if (!isPublic(member) || member.name?.getText().startsWith('#')) continue;
        const isStatic = (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) !== 0;
        const name = member.name?.getText() ?? 'constructor';
        const title = ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member) ? `${name}()` : name;
        const key = isStatic ? `static ${title}` : title;
        groups.set(key, [...(groups.get(key) ?? []), member]);
    }
    return groups;
}

/** The codes that the C library knows, too. */
function codeTable() {
    const rows = Object.entries(STATUS).flatMap(([code, { value, text }]) => (value < 0 ? [`| \`${code}\` | ${value} | ${text} |`] : []));
    return ['| code | `status` | |', '|---|---|---|', ...rows];
}

/** { text, bare }: the page, and the names of exports without a comment. */
export function makeApi() {
    const files = entries();
    const program = ts.createProgram({
        rootNames: files.map(([, file]) => file),
        options: { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, skipLibCheck: true, types: ['node'] },
    });
    const checker = program.getTypeChecker();
    const page = new Page();
    page.add('# API of the npm package', '', 'Made from the doc comments of `js/src` by `npm run docs`: change them, not this file.');
    page.add(...files.map(([subpath]) => `* [\`chronomind${subpath.slice(1)}\`](#${anchorOf(subpath)}): ${INTRODUCTIONS[subpath]}`));
    for (const [subpath, file] of files) {
        page.add(`## \`chronomind${subpath.slice(1)}\``, '', INTRODUCTIONS[subpath]);
        const module = checker.getSymbolAtLocation(program.getSourceFile(file));
        for (const [name, nodes] of sorted(checker, checker.getExportsOfModule(module))) {
            page.declaration(name, nodes);
            if (name === 'ChronoMindErrorCode') page.add(...codeTable());
        }
    }
    return { text: page.text(), bare: page.bare };
}

const anchorOf = (subpath) => `chronomind${subpath.slice(1)}`.replace(/[^a-z]/g, '');

/** Classes, functions, then types; within each by name. */
function sorted(checker, symbols) {
    const rank = (node) => (ts.isClassDeclaration(node) ? 0 : ts.isFunctionDeclaration(node) ? 1 : 2);
    const declared = symbols.map((symbol) => {
        const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
        return [symbol.name, target.declarations];
    });
    return declared.sort(([a, [x]], [b, [y]]) => rank(x) - rank(y) || (a < b ? -1 : 1));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
    const { text, bare } = makeApi();
    writeFileSync(join(root, 'docs/API.md'), text);
    for (const name of bare) console.error(`docs/api.mjs: ${name} has no doc comment`);
    process.exitCode = bare.length === 0 ? 0 : 1;
}
