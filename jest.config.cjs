// CommonJS sources under jest on Node 20 need the ESM-only packages of node_modules (Nest 12 among them) transpiled too;
// which ones they are is read from their own package.json, so that an upgrade needs no change here.
const fs = require('node:fs');
const path = require('node:path');

function esmPackages(modules, found = new Set()) {
  if (!fs.existsSync(modules)) return found;
  for (const entry of fs.readdirSync(modules)) {
    if (entry.startsWith('.')) continue;
    const names = entry.startsWith('@')
      ? fs.readdirSync(path.join(modules, entry)).map((n) => `${entry}/${n}`)
      : [entry];
    for (const name of names) {
      const manifest = path.join(modules, name, 'package.json');
      if (!fs.existsSync(manifest)) continue;
      const { type, module, main } = JSON.parse(fs.readFileSync(manifest, 'utf8'));
      if (type === 'module' || (module && !main)) found.add(name);
      esmPackages(path.join(modules, name, 'node_modules'), found);
    }
  }
  return found;
}

const esm = [...esmPackages(path.join(__dirname, 'node_modules'))]
  .map((name) => name.replace(/[.+]/g, '\\$&'))
  .join('|');

/** What our sources import, in their own words. */
function imports(folders) {
  const files = folders.flatMap((folder) =>
    fs
      .readdirSync(path.join(__dirname, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => path.join(__dirname, folder, name)),
  );
  const named = files.flatMap((file) => [
    ...fs.readFileSync(file, 'utf8').matchAll(/^(?:import|export|\}).* from '([^']+)';$/gm),
  ]);
  return [...new Set(named.map(([, name]) => name))].sort();
}

const parser = { syntax: 'typescript', decorators: true, dynamicImport: true };
const typescript = {
  target: 'es2023',
  keepClassNames: true,
  parser,
  transform: { legacyDecorator: true, decoratorMetadata: true },
};

const ours = (module) => ({
  '^.+\\.ts$': ['@swc/jest', { sourceMaps: true, module: { type: 'commonjs', ...module }, jsc: typescript }],
});

const shared = {
  rootDir: __dirname,
  testEnvironment: '<rootDir>/test/support/node-environment.cjs',
  moduleFileExtensions: ['js', 'json', 'ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  transform: {
    ...ours(),
    '^.+\\.m?js$': [
      '@swc/jest',
      {
        sourceMaps: true,
        module: { type: 'commonjs', importInterop: 'swc' },
        jsc: { target: 'es2022', parser: { syntax: 'ecmascript', dynamicImport: true } },
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(?:.*/node_modules/)?(?:${esm})/)`],
  moduleNameMapper: { '^@app/([^/]+)$': '<rootDir>/libs/$1/src' },
};

const database = {
  globalSetup: '<rootDir>/test/support/start-database.ts',
  globalTeardown: '<rootDir>/test/support/stop-database.ts',
};

module.exports = {
  rootDir: __dirname,
  reporters: ['default', '<rootDir>/test/support/plain-reporter.cjs'],
  testSequencer: '<rootDir>/test/support/long-files-first.cjs',
  testTimeout: 60_000,
  // One more than there are cores where there are two: nearly half the time of a file of `database` or `app` is waiting for others.
  maxWorkers: 3,
  projects: [
    {
      ...shared,
      // A door opens to a whole lib, with Nest and TypeORM behind it, and a pure file uses little of it: what it imports is loaded
      // when it is first used. The others load all of it, because entities are known once they are loaded.
      transform: { ...shared.transform, ...ours({ lazy: imports(['apps', 'libs', 'test/support']) }) },
      setupFiles: ['reflect-metadata'],
      displayName: 'pure',
      testMatch: ['<rootDir>/{libs,apps}/**/*.spec.ts', '<rootDir>/test/support/**/*.spec.ts'],
    },
    { ...shared, ...database, displayName: 'database', testMatch: ['<rootDir>/{libs,apps}/**/*.int-spec.ts'] },
    {
      ...shared,
      ...database,
      displayName: 'app',
      testMatch: ['<rootDir>/test/{e2e,boundaries,faults}/**/*.{e2e-spec,spec}.ts'],
    },
  ],
};
