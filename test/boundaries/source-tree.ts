import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Sources by their path from the repository's root, with forward slashes. */
export type SourceTree = ReadonlyMap<string, string>;

/** A breach of a rule of the house, in words a reader can act on; it begins with the file. */
export type Fault = string;

const OURS = /(?<!\.d)\.ts$|(^|\/)README\.md$/;
const MADE = /(^|\/)(node_modules|dist)\//;

/** Reads the TypeScript files and READMEs below the given folders of the repository. */
export function readTree(root: string, folders: readonly string[]): SourceTree {
  const tree = new Map<string, string>();
  for (const folder of folders)
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      const path = relative(root, file).split(sep).join('/');
      if (entry.isFile() && OURS.test(path) && !MADE.test(path)) tree.set(path, readFileSync(file, 'utf8'));
    }
  return tree;
}

export const isSource = (path: string): boolean => path.endsWith('.ts');
/** Worlds and tools for tests, of the house or of one lib. */
export const isTestSupport = (path: string): boolean => /^(test|libs\/[^/]+\/test)\//.test(path);
export const isSpec = (path: string): boolean => /\.(int-|e2e-)?spec\.ts$/.test(path);

/** The lib a path belongs to, if any. */
export const libOf = (path: string): string | undefined => /^libs\/([^/]+)\//.exec(path)?.[1];

export const doorOf = (lib: string): string => `libs/${lib}/src/index.ts`;
