// Part of npm run build: makes one file of the gateway's modules and of the packages they use, and compiles it in advance. A start
// would otherwise find, read and compile three thousand files, which costs more CPU than all that it does then.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './prepare.mjs';

const BUNDLES = join(ROOT, 'dist/bundle');
const BUILT = join(ROOT, 'dist/apps/gateway/src');

/** Flags that change how V8 compiles and that docs/platform.md tells people to start with. */
const FLAGS = [[], ['--max-semi-space-size=64']];

/** What a plain start does not load, or what looks for files of its own. */
const EXTERNAL = [/^@aws-sdk\//, /^@opentelemetry\//, /^gpt-tokenizer(\/|$)/, 'swagger-ui-dist'];

/** Databases that TypeORM would load its part for at every start, to leave it at that. */
const OTHER_DATABASES =
  'aurora-mysql aurora-postgres better-sqlite3 capacitor cockroachdb cordova expo mysql nativescript oracle react-native sap spanner sqljs sqlserver';

const plugins = [
  {
    name: 'postgres-alone',
    load: {
      filter: {
        id: new RegExp(`/typeorm/driver/(${OTHER_DATABASES.replaceAll(' ', '|')})/\\w+(Driver|QueryRunner)\\.js$`),
      },
      handler: (id) => `exports.${basename(id, '.js')} = class {};`,
    },
  },
  {
    // Asks for its peers in a way that hides them from the bundler; the gateway would have two of each.
    name: 'seen-peers',
    transform: {
      filter: { id: /\/@nestjs\/mapped-types\/dist\/type-helpers\.utils\.js$/ },
      handler: (code) => code.replace('const require = createRequire(import.meta.url);', ''),
    },
  },
  {
    // As Node.js has it, a package may say what `require` is to give. Without, each of our files would be given a copy of all its names.
    name: 'one-namespace',
    transform: {
      filter: { id: /\/@nestjs\/(common|core|swagger)\/(dist\/)?index\.js$/ },
      handler: (code, id) =>
        `${code}\nimport * as all from ${JSON.stringify(id)};\nexport { all as 'module.exports' };\n`,
    },
  },
];

async function bundle() {
  const input = {
    gateway: join(BUILT, 'run.js'),
    'token-worker': join(ROOT, 'dist/libs/proxy/src/counting/token-worker.js'),
  };
  const modules = await rolldown({
    input,
    platform: 'node',
    external: EXTERNAL,
    plugins,
    // Packages try to load what they can do without.
    checks: { unresolvedImport: false },
  });
  // Names are kept because dependency injection, entities and the API description go by them.
  const names = { keepNames: true, chunkFileNames: '[name].js' };
  // V8 forgets who loads a script's `import()` when it takes the script from compiled code: each would fail.
  await modules.write({ dir: BUNDLES, format: 'cjs', dynamicImportInCjs: false, comments: false, ...names });
}

/** As written in JavaScript; a file of ASCII alone is read several times faster. */
const escape = (text) =>
  text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

rmSync(BUNDLES, { recursive: true, force: true });
const { rolldown } = await import('rolldown').catch(() => {
  console.error(
    'rolldown cannot be loaded ("npm install" brings it): the gateway will start from its modules, which takes longer.',
  );
  process.exit(0);
});
await bundle();
for (const name of readdirSync(BUNDLES)) {
  const file = join(BUNDLES, name);
  writeFileSync(file, escape(readFileSync(file, 'utf8')));
}
const keep = `require(${JSON.stringify(join(BUILT, 'bundle.js'))}).keepCompiled('gateway')`;
for (const flags of FLAGS) await promisify(execFile)(process.execPath, [...flags, '-e', keep]);
