import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ERRORS } from '../../libs/platform/src/errors/catalogue';
import { isSource, isSpec, readTree } from './source-tree';

/** Whoever makes a client from the API's description has to learn from it with what model calls can be refused. */
const ROOT = resolve(__dirname, '../..');

/** What the model APIs are made of. Controllers only list what others throw. */
const SOURCES = ['libs/proxy/src', 'libs/quota/src/concurrency', 'libs/quota/src/rates'];
const LISTS = /\.controller\.ts$/;

const NOT_OF_THEIRS: Readonly<Record<string, string>> = {
  'libs/proxy/src/models/not-offered.ts': 'of routes that are not offered, so they are not described either',
  'libs/proxy/src/cache/caches.service.ts': 'of the route that clears the cache',
};

interface Operation {
  readonly responses: Readonly<Record<string, { readonly description?: string }>>;
}

const { paths } = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
const declared = new Set(
  Object.entries(paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([, operations]) => Object.values(operations))
    .flatMap(({ responses }) => Object.values(responses))
    .flatMap(({ description = '' }) => [...description.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code as string)),
);
const thrown = [...readTree(ROOT, SOURCES)]
  .filter(([path]) => isSource(path) && !isSpec(path) && !LISTS.test(path) && !(path in NOT_OF_THEIRS))
  .flatMap(([path, text]) => [...text.matchAll(/'([a-z_]+)'/g)].map(([, code]) => [code as string, path] as const))
  .filter(([code]) => code in ERRORS);

test('what model calls are refused with is in the description of the API', () => {
  expect(thrown.length).toBeGreaterThan(20);
  expect(thrown.filter(([code]) => !declared.has(code)).map(([code, path]) => `${code} (${path})`)).toEqual([]);
});
