import type { Node } from 'typescript/unstable/ast';
import { isIdentifier } from 'typescript/unstable/ast/is';
import type { Symbol as Declared } from 'typescript/unstable/sync';
import type { PublicApi } from './public-api.js';

const introduction = `# The public interface

<!-- Made by \`npm run api\` from the declarations in dist/. -->

Every name that the package exports, with its full type. Whoever changes the interface changes this page, and sees here what
the change means for users: a name or type that is taken away needs a new major version, one that is added a new minor one.`;

/** The page that a change of the public interface has to touch: declarations without their comments. */
export function surface(api: PublicApi): string {
  const exported = api.entryPoints.map(({ specifier, exports }) =>
    section(`\`${specifier}\``, [...exports], api),
  );
  const behind = symbolsBehind(api).map((symbol) => [symbol.name, symbol] as const);
  return [
    introduction,
    ...exported,
    section('Not exported, but part of what is', behind, api),
  ].join('\n\n');
}

function section(
  title: string,
  symbols: readonly (readonly [name: string, symbol: Declared])[],
  api: PublicApi,
): string {
  const declarations = symbols
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, symbol]) => {
      const text = api.statementsOf(symbol).map((node) => api.print(node));
      return [...(name === symbol.name ? [] : [`// exported as ${name}`]), ...text].join('\n');
    });
  return `## ${title}\n\n\`\`\`ts\n${declarations.join('\n\n')}\n\`\`\``;
}

/** What the exported declarations refer to, and what that refers to in turn, as far as it is not exported itself. */
function symbolsBehind(api: PublicApi): Declared[] {
  const exported = api.entryPoints.flatMap(({ exports }) => [...exports.values()]);
  const found = new Map(exported.map((symbol) => [symbol.id, symbol]));
  // A map's iteration comes to what is added on the way, too.
  for (const symbol of found.values()) {
    for (const identifier of api.statementsOf(symbol).flatMap(identifiersIn)) {
      const meaning = api.meaningOf(identifier);
      if (meaning && api.statementsOf(meaning).length > 0) found.set(meaning.id, meaning);
    }
  }
  return [...found.values()].slice(new Set(exported).size);
}

function identifiersIn(node: Node): Node[] {
  const identifiers: Node[] = isIdentifier(node) ? [node] : [];
  node.forEachChild((child) => {
    identifiers.push(...identifiersIn(child));
  });
  return identifiers;
}
