import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Config } from './config';
import type { PromptLogConfig } from './schema';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'prompt-log-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const KEY = randomBytes(32);

function load(yaml: string): PromptLogConfig {
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, yaml);
  return Config.load(file, { KEY: KEY.toString('base64') }).current.promptLog;
}
const fileWith = (content: Buffer | string): string => {
  const file = join(folder, 'key');
  writeFileSync(file, content);
  return file;
};

test('is off, and keeps no key', () => expect(load('# nothing set yet\n')).toMatchObject({ enabled: false, keys: [] }));

test('takes a key from a variable or a file, as bytes or in base64, and shows none', () => {
  const told = (key: string): unknown => {
    const config = load(`promptLog: { enabled: true, keys: [{ id: a, ${key} }] }`);
    expect(JSON.stringify(config)).not.toContain(KEY.toString('base64'));
    return config.keys[0]?.key.reveal();
  };
  expect(told('key: "${KEY}"')).toBe(KEY.toString('base64'));
  expect(told(`keyFile: ${fileWith(KEY)}`)).toBe(KEY.toString('base64'));
  expect(told(`keyFile: ${fileWith(`${KEY.toString('base64')}\n`)}`)).toBe(KEY.toString('base64'));
});

test.each([
  ['no key', '{ enabled: true }', /at least one key/],
  ['a short key', '{ keys: [{ id: a, key: c2hvcnQ= }] }', /32 random bytes/],
  ['a file that is not there', '{ keys: [{ id: a, keyFile: /nowhere }] }', /cannot be read/],
  ['neither key nor file', '{ keys: [{ id: a }] }', /one of both/],
  ['an id twice', '{ keys: [{ id: a, key: "${KEY}" }, { id: a, key: "${KEY}" }] }', /same id/],
])('%s is refused', (_, yaml, message) => expect(() => load(`promptLog: ${yaml}`)).toThrow(message));
