import type * as Contracts from 'tuskd/contracts';
import type { Node } from 'typescript/unstable/ast';
import {
  NodeBuilderFlags,
  SignatureKind,
  type Symbol as Declared,
  SymbolFlags,
} from 'typescript/unstable/sync';
import { nodesOf, type PublicApi } from './public-api.js';

const introduction = `# Reference of the library

<!-- Made by \`npm run api\` from the comments in the code. -->

Everything that the package exports, in the words that stand beside it in the code: what it means, in which unit, and what it
is without you. [library.md](library.md) shows how the pieces go together.`;

/** The page for users: every exported name and the members of every type. */
export function reference(api: PublicApi, contracts: typeof Contracts): string {
  const described = new Set<Declared>();
  const entries = api.entryPoints.map(({ specifier, exports }) => {
    const byName = [...exports].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const ordered = [
      ...byName.filter(([, symbol]) => has(symbol, SymbolFlags.Value)),
      ...byName.filter(([, symbol]) => !has(symbol, SymbolFlags.Value)),
    ];
    const contents = ordered.map(([name]) => `[${name}](#${name.toLowerCase()})`).join(' · ');
    const fresh = ordered.filter(([, symbol]) => !described.has(symbol));
    for (const [, symbol] of fresh) described.add(symbol);
    const sections = fresh.map(([name, symbol]) => section(name, symbol, api));
    return [`## \`${specifier}\``, contents, ...sections].join('\n\n');
  });
  return [introduction, ...entries, errorTable(contracts)].join('\n\n');
}

/** Exported names, and members of options, that no comment tells about. */
export function undocumented(api: PublicApi): string[] {
  const silent = (symbol: Declared): boolean => wordsOf(symbol, api) === '';
  return api.entryPoints.flatMap(({ exports }) =>
    [...exports].flatMap(([name, symbol]) => [
      ...(silent(symbol) ? [name] : []),
      ...(name.endsWith('Options') ? propertiesOf(symbol, api) : [])
        .filter(silent)
        .map((member) => `${name}.${member.name}`),
    ]),
  );
}

function section(name: string, symbol: Declared, api: PublicApi): string {
  const isInterface = has(symbol, SymbolFlags.Interface);
  const isClass = has(symbol, SymbolFlags.Class);
  const words = wordsOf(symbol, api);
  return [
    `### ${name}`,
    ...(isInterface ? [] : [`\`\`\`ts\n${codeOf(name, symbol, api)}\n\`\`\``]),
    words,
    // A list at the end of the words would go on in the list of members.
    ...(isInterface && words.includes('\n- ') ? ['Its members:'] : []),
    ...(isInterface || isClass ? members(symbol, api) : []),
  ].join('\n\n');
}

function codeOf(name: string, symbol: Declared, api: PublicApi): string {
  const code = api
    .statementsOf(symbol)
    .map((node) => api.print(node))
    .join('\n')
    // Fields marked with # have no name outside; what is left of them says nothing to a reader.
    .replaceAll(/^export (?:declare )?| *#private;\n/gm, '');
  if (!/\btypeof\b/.test(code)) return code;
  // What is read off a value of ours is better told by what it comes to.
  const type = api.checker.getDeclaredTypeOfSymbol(symbol);
  const flags = NodeBuilderFlags.NoTruncation | NodeBuilderFlags.InTypeAlias;
  return `type ${name} = ${api.checker.typeToString(type, undefined, flags)};`;
}

/** An item for each member of an interface; of a class, whose code stands above, for those with words. */
function members(symbol: Declared, api: PublicApi): string[] {
  const type = api.checker.getDeclaredTypeOfSymbol(symbol);
  const calls = api.checker.getSignaturesOfType(type, SignatureKind.Call);
  const items = calls.map(({ declaration }) => item(declaration?.resolve(), '', api));
  for (const member of propertiesOf(symbol, api)) {
    const words = wordsOf(member, api);
    if (words === '' && has(symbol, SymbolFlags.Class)) continue;
    items.push(...nodesOf(member).map((node) => item(node, words, api)));
  }
  return items.length === 0 ? [] : [items.join('\n')];
}

function item(declaration: Node | undefined, words: string, api: PublicApi): string {
  const printed = declaration === undefined ? '' : api.print(declaration).replaceAll(/\s+/g, ' ');
  const code = `\`${printed.replace(/^readonly /, '').replace(/;$/, '')}\``;
  return words === '' ? `- ${code}` : `- ${[`${code}\\`, ...words.split('\n')].join('\n  ')}`;
}

/** The comment of a declaration, its tags included. */
function wordsOf(symbol: Declared, { checker }: PublicApi): string {
  const tags = symbol
    .getJsDocTags(checker)
    .map(({ name, text = '' }) => `\n\n${name.charAt(0).toUpperCase()}${name.slice(1)} ${text}`);
  return (symbol.getDocumentationComment(checker) + tags.join('')).trim();
}

/** Inherited ones too: what is required first, then as they are declared, which is not always the checker's order. */
function propertiesOf(symbol: Declared, { checker }: PublicApi): readonly Declared[] {
  const [own] = symbol.declarations;
  const place = (member: Declared): readonly (boolean | string | number)[] => {
    const { path = '', index = 0 } = member.declarations[0] ?? {};
    return [has(member, SymbolFlags.Optional), path !== own?.path, path, index];
  };
  return checker
    .getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
    .toSorted((a, b) => compare(place(a), place(b)));
}

function compare(a: readonly (boolean | string | number)[], b: typeof a): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at === -1 ? 0 : (a[at] ?? 0) < (b[at] ?? 0) ? -1 : 1;
}

function errorTable({ errorCodes, TusError }: typeof Contracts): string {
  const rows = errorCodes.map((code) => {
    const { status, message } = new TusError(code);
    return `| \`${code}\` | ${status} | ${message} |`;
  });
  return `## Error codes

What a client is told: the status, and \`CODE: message\` as the body.

| Code | Status | Message |
| --- | --- | --- |
${rows.join('\n')}`;
}

function has(symbol: Declared, flag: SymbolFlags): boolean {
  return (symbol.flags & flag) !== 0;
}
