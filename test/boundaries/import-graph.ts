import { posix } from 'node:path';
import * as ts from 'typescript';
import { doorOf, isSource, isSpec, isTestSupport, libOf, type Fault, type SourceTree } from './source-tree';

/** One import, export-from, `import()` or `require` that leads to a file of ours. Types count like values. */
export interface Import {
  readonly from: string;
  readonly to: string;
  /** As it is written in the file. */
  readonly specifier: string;
}

export type ImportGraph = ReadonlyMap<string, readonly Import[]>;

/** The lowest storey first; libs of one storey are siblings. */
export type Storeys = readonly (readonly string[])[];

export function importGraph(tree: SourceTree): ImportGraph {
  const graph = new Map<string, Import[]>();
  for (const [from, text] of tree) {
    if (!isSource(from)) continue;
    const written = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
    const leads = [...new Set(written)].map((specifier) => ({ from, specifier, to: resolve(tree, from, specifier) }));
    graph.set(
      from,
      leads.filter((lead): lead is Import => lead.to !== undefined),
    );
  }
  return graph;
}

function resolve(tree: SourceTree, from: string, specifier: string): string | undefined {
  const inLib = /^@app\/([^/]+)(\/.*)?$/.exec(specifier);
  if (!inLib && !specifier.startsWith('.')) return undefined;
  const target = inLib
    ? `libs/${inLib[1] as string}/src${inLib[2] ?? ''}`
    : posix.join(posix.dirname(from), specifier).replace(/\/$/, '');
  return [target, `${target}.ts`, `${target}/index.ts`].find((path) => isSource(path) && tree.has(path));
}

/** Imports that climb, cross to a sibling, miss a door or leave the house. */
export function wallFaults(graph: ImportGraph, storeys: Storeys): Fault[] {
  const faults: Fault[] = [];
  for (const [file, imports] of graph) {
    const lib = libOf(file);
    if (lib !== undefined && storeyOf(lib, storeys) === undefined)
      faults.push(`${file}: the lib ${lib} stands on no storey of eslint.config.mjs`);
    for (const each of imports) {
      const reason = file.startsWith('test/') ? undefined : breach(each, storeys);
      if (reason) faults.push(`${each.from} → ${each.to} ('${each.specifier}'): ${reason}`);
    }
  }
  return faults;
}

const storeyOf = (lib: string, storeys: Storeys): number | undefined => {
  const storey = storeys.findIndex((libs) => libs.includes(lib));
  return storey < 0 ? undefined : storey;
};

function breach({ from, to, specifier }: Import, storeys: Storeys): string | undefined {
  const [here, there] = [libOf(from), libOf(to)];
  if (there === undefined) return outsideBreach(from, to);
  if (here === there) {
    if (to === doorOf(there)) return 'inside a lib, import the file, not the door';
    return isTestSupport(to) && !isSpec(from) && !isTestSupport(from) ? NO_TESTS : undefined;
  }
  if (specifier !== `@app/${there}`) return `enter ${there} through its door, '@app/${there}'`;
  const [below, storey] = [storeyOf(there, storeys), here === undefined ? Infinity : storeyOf(here, storeys)];
  if (below === undefined || storey === undefined || below < storey) return undefined;
  return below === storey ? `${here} and ${there} are siblings` : `${there} stands above ${here}`;
}

const NO_TESTS = 'the product needs no tests';

/** Apps are no libraries, not even to each other; only tests that need a database reach into `test/support`. */
function outsideBreach(from: string, to: string): string | undefined {
  const [area, name] = from.split('/');
  if (to.startsWith('test/'))
    return to.startsWith('test/support/') && (from.endsWith('.int-spec.ts') || isTestSupport(from))
      ? undefined
      : NO_TESTS;
  if (area === 'apps' && to.startsWith(`apps/${name}/`)) return undefined;
  return area === 'apps' ? 'apps do not import each other' : 'a lib does not reach up into an app';
}

/** Loops of the product's files until each file that is in one has been told; each the shortest from its first file. */
export function cycleFaults(graph: ImportGraph): Fault[] {
  const product = new Map([...graph].filter(([file]) => !isSpec(file) && !isTestSupport(file)));
  const told = new Set<string>();
  const faults: Fault[] = [];
  for (const file of product.keys()) {
    if (told.has(file)) continue;
    const loop = shortestLoop(product, file);
    if (!loop) continue;
    for (const member of loop) told.add(member);
    faults.push(loop.join(' → '));
  }
  return faults;
}

/** Breadth first from `start` until it is met again. */
function shortestLoop(graph: ImportGraph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const file of queue)
    for (const { to } of graph.get(file) ?? []) {
      if (to === start) {
        const loop = [file, start];
        for (let at = file; at !== start; at = loop[0] as string) loop.unshift(cameFrom.get(at) as string);
        return loop;
      }
      if (cameFrom.has(to)) continue;
      cameFrom.set(to, file);
      queue.push(to);
    }
  return undefined;
}
