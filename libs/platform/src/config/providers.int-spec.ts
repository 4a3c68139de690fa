import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates, type Certificates } from '../../../../test/support/certificates';
import { egressOf } from '../http/outbound';
import { type ConfigError, loadConfig } from './load-config';
import type { GatewayConfig } from './schema';

let folder: string;
let made: Certificates;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'providers-'));
  made = makeCertificates();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  made.remove();
});

const load = (settings: object): GatewayConfig => {
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, JSON.stringify(settings));
  return loadConfig(file, {});
};
const problemsOf = (settings: object): readonly string[] => {
  try {
    load(settings);
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
};
const own = (settings: object = {}): object => ({
  providers: { own: { dialect: 'openai', baseUrl: 'https://a.example', ...settings } },
});

describe('a provider', () => {
  test('has no limit, no second attempt and no proxy unless it is told so', () => {
    const { providers, egress } = load(own());
    expect(providers['own']).toEqual({
      ...{ dialect: 'openai', baseUrl: 'https://a.example', internal: false },
      ...{ responses: false, queueMs: 10_000, retries: 0, retryMs: 30_000, breaker: { failures: 10, openMs: 10_000 } },
      timeouts: { connectMs: 10_000, firstByteMs: 300_000, idleMs: 120_000 },
    });
    expect(egressOf(providers['own']!, egress, 1)).toMatchObject({ internal: false, proxy: undefined });
  });

  test.each(['http://localhost:11434', 'http://127.0.0.1:8000/v1', 'http://[::1]:80'])(
    'of this machine (%s) is internal',
    (baseUrl) => expect(load(own({ baseUrl })).providers['own']?.internal).toBe(true),
  );

  test('goes through the proxy of all, unless it is internal or has its own', () => {
    const of = (settings: object): string | undefined => {
      const { providers, egress } = load({ ...own(settings), egress: { proxy: 'http://u:p@proxy.example:3128' } });
      return egressOf(providers['own']!, egress, 1).proxy;
    };
    expect(of({})).toBe('http://u:p@proxy.example:3128');
    expect(of({ internal: true })).toBeUndefined();
    expect(of({ proxy: 'none' })).toBeUndefined();
    expect(of({ internal: true, proxy: 'https://other.example' })).toBe('https://other.example');
  });

  test('keeps keys, proxies and certificates out of print', () => {
    const tls = { caFile: made.ca, certFile: made.client.cert, keyFile: made.client.key };
    const config = load(own({ apiKeys: ['hunter2-a', 'hunter2-b'], proxy: 'http://u:hunter2@proxy.example', tls }));
    const { apiKeys, tls: read } = config.providers['own']!;
    expect(apiKeys?.map((key) => key.reveal())).toEqual(['hunter2-a', 'hunter2-b']);
    expect(read?.key?.reveal()).toContain('PRIVATE KEY');
    expect(JSON.stringify(config)).not.toMatch(/hunter2|PRIVATE KEY/);
  });

  test.each<[string, object, RegExp]>([
    ['a relative file', { tls: { caFile: 'ca.pem' } }, /tls\.caFile.*must be an absolute path/],
    ['a file that is not there', { tls: { caFile: '/nowhere/ca.pem' } }, /tls\.caFile.*cannot be read \(ENOENT/],
    ['a certificate without its key', { tls: { certFile: '/x.pem' } }, /tls\.certFile.*needs both/],
    ['no proxy', { proxy: 'proxy.example:3128' }, /proxy.*is not the address of a proxy/],
    ['a proxy with a path', { proxy: 'http://proxy.example/x' }, /proxy.*is not the address of a proxy/],
    [
      'Azure of the other dialect',
      { dialect: 'anthropic', azure: {} },
      /azure.*is for providers of the dialect "openai"/,
    ],
    ['a version that is none', { azure: { apiVersion: 'latest' } }, /azure\.apiVersion.*is not a version such as/],
    ['no key in a list of keys', { apiKeys: [] }, /apiKeys/],
    ['a limit of none', { maxConcurrent: 0 }, /maxConcurrent/],
  ])('is refused with %s', (_, settings, problem) => {
    expect(problemsOf(own(settings))).toEqual([expect.stringMatching(problem)]);
  });

  test('is refused with a file that holds something else, and nothing of it is repeated', () => {
    const junk = join(folder, 'junk.pem');
    writeFileSync(junk, '-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n');
    const foreign = { certFile: made.client.cert, keyFile: made.server.key };
    const problems = [...problemsOf(own({ tls: { caFile: junk } })), ...problemsOf(own({ tls: foreign }))];
    expect(problems).toEqual([
      expect.stringContaining('tls.caFile'),
      expect.stringMatching(/tls\.certFile.*and keyFile are no certificate and its key/),
    ]);
    expect(problems.join()).not.toContain('hunter2');
  });
});

describe('a route', () => {
  test('may be written short, and with all it has', () => {
    const { routes } = load({
      routes: {
        smart: { targets: ['a', 'b/c'] },
        split: { targets: [{ model: 'a', weight: 3 }, 'b'], sticky: 'tenant', retries: 5, retryMs: 1_000 },
      },
    });
    expect(routes['smart']).toEqual({
      ...{ targets: [{ model: 'a' }, { model: 'b/c' }], sticky: 'none', retries: 2, retryMs: 30_000 },
    });
    expect(routes['split']).toMatchObject({ targets: [{ model: 'a', weight: 3 }, { model: 'b' }], sticky: 'tenant' });
  });

  test.each<[string, object, RegExp]>([
    ['no target', { targets: [] }, /targets/],
    ['one target twice', { targets: ['a', { model: 'a', weight: 2 }] }, /two targets are the same model/],
    ['a weight of nothing', { targets: [{ model: 'a', weight: 0 }] }, /weight/],
    ['a word nobody knows', { targets: ['a'], sticky: 'user' }, /sticky/],
  ])('is refused with %s', (_, route, problem) => {
    expect(problemsOf({ routes: { smart: route } })).toEqual([expect.stringMatching(problem)]);
  });

  test('has a name that a model could have', () => {
    expect(problemsOf({ routes: { 'no spaces': { targets: ['a'] } } })).toEqual([expect.stringMatching(/printable/)]);
  });
});
