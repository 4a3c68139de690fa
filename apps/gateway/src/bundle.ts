import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';

/** What scripts/bundle.mjs makes of the modules of an app: see there. */
const FOLDER = join(__dirname, '../../../bundle');

type Body = (exports: object, require: NodeJS.Require, module: object, filename: string, dirname: string) => void;

/** Loads one of the bundles as `require` would, with the compiled code that lies beside it; null if it has not been made. */
export function loadBundle<Exports>(name: string): Exports | null {
  const file = join(FOLDER, `${name}.js`);
  return existsSync(file) ? evaluate<Exports>(file, compile(file)) : null;
}

/**
 * Keeps a bundle's compiled code, with all that ran while it was loaded, for later starts. V8 takes it only for the version,
 * processor and flags that it was made with, and compiles anew otherwise.
 */
export function keepCompiled(name: string): void {
  const file = join(FOLDER, `${name}.js`);
  const script = compile(file);
  evaluate(file, script);
  writeFileSync(compiledFile(file), script.createCachedData());
}

const compiledFile = (file: string): string => `${file}.${cachedDataVersionTag()}.compiled`;

function compile(file: string): Script {
  const kept = compiledFile(file);
  // A bundle is ASCII, which spares decoding ten megabytes.
  const source = readFileSync(file, 'latin1');
  return new Script(`(function (exports, require, module, __filename, __dirname) { ${source}\n})`, {
    filename: file,
    cachedData: existsSync(kept) ? readFileSync(kept) : undefined,
  });
}

function evaluate<Exports>(file: string, script: Script): Exports {
  const module = { exports: {} };
  (script.runInThisContext() as Body)(module.exports, createRequire(file), module, file, dirname(file));
  return module.exports as Exports;
}
