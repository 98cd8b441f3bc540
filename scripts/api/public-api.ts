import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSourceFile, isVariableDeclaration } from 'typescript/unstable/ast/is';
import type { Node } from 'typescript/unstable/ast';
import {
  API,
  type Checker,
  type Project,
  type Symbol as Declared,
  SymbolFlags,
} from 'typescript/unstable/sync';

/** One line of `exports` in package.json, with what it gives to an importer: names and what they stand for. */
export interface EntryPoint {
  readonly specifier: string;
  readonly exports: ReadonlyMap<string, Declared>;
}

/**
 * The declarations that the package ships, as its own compiler reads them. That compiler calls this interface of its
 * unstable: what depends on it is these scripts alone, and the lock file holds its version.
 */
export class PublicApi {
  readonly entryPoints: readonly EntryPoint[];
  readonly checker: Checker;
  readonly #api: API;
  readonly #project: Project;
  readonly #dist: string;

  constructor(root: string) {
    this.#dist = join(root, 'dist/');
    this.#api = new API({ cwd: root });
    const config = 'scripts/api/declarations.tsconfig.json';
    const [project] = this.#api.updateSnapshot({ openProjects: [config] }).getProjects();
    if (project === undefined) throw new Error(`No project in ${config}`);
    this.#project = project;
    this.checker = project.checker;
    this.entryPoints = typedExports(root).map(({ specifier, types }) => ({
      specifier,
      exports: this.#exportsOf(join(root, types)),
    }));
  }

  close(): void {
    this.#api.close();
  }

  /** The statements that declare `symbol`; none where it belongs to another package, or to a declaration around it. */
  statementsOf(symbol: Declared): readonly Node[] {
    return nodesOf(symbol)
      .map((node) => (isVariableDeclaration(node) ? node.parent.parent : node))
      .filter(
        (node) =>
          !isSourceFile(node) &&
          isSourceFile(node.parent) &&
          node.getSourceFile().fileName.startsWith(this.#dist),
      );
  }

  /** What an identifier stands for, behind all imports and exports. */
  meaningOf(identifier: Node): Declared | undefined {
    const symbol = this.checker.getSymbolAtLocation(identifier);
    return symbol && this.#target(symbol);
  }

  /** The text of a declaration without its comments. */
  print(node: Node): string {
    return this.#project.emitter.printNode(node);
  }

  #exportsOf(file: string): ReadonlyMap<string, Declared> {
    const source = this.#project.program.getSourceFile(file);
    const module = source && this.checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${file} is no module: npm run build`);
    const names = this.checker.getExportsOfModule(module);
    return new Map(names.map((symbol) => [symbol.name, this.#target(symbol)]));
  }

  #target(symbol: Declared): Declared {
    return symbol.flags & SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }
}

export function nodesOf(symbol: Declared): readonly Node[] {
  return symbol.declarations.flatMap((declaration) => declaration.resolve() ?? []);
}

/** The lines of `exports` in package.json that have types. */
function typedExports(root: string): { specifier: string; types: string }[] {
  const manifest: { name: string; exports: Record<string, string | { types: string }> } =
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.entries(manifest.exports).flatMap(([path, target]) =>
    typeof target === 'string'
      ? []
      : { specifier: manifest.name + path.slice(1), types: target.types },
  );
}
