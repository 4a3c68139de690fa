import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Config } from '@app/platform';
import { stringify } from 'yaml';
import { makeCertificates, type Certificates } from '../../../../test/support/certificates';
import { silentLog } from '../../../../test/support/gateway-database';
import { ConnectProxy } from '../../../../test/support/connect-proxy';
import { ScriptedProvider, silent } from '../../../../test/support/scripted-provider';
import { Line } from './line';
import { ProviderLog } from './provider-log';

let made: Certificates;
let folder: string;
let plain: ScriptedProvider;
/** Speaks TLS under a name that a private authority signed, and wants a client certificate of it. */
let secured: ScriptedProvider;
let proxy: ConnectProxy;
const lines: Line[] = [];

beforeAll(async () => {
  made = makeCertificates();
  folder = mkdtempSync(join(tmpdir(), 'line-'));
  const [cert, key, ca] = [made.server.cert, made.server.key, made.ca].map((file) => readFileSync(file, 'utf8'));
  plain = await ScriptedProvider.start();
  secured = await ScriptedProvider.start((options) =>
    createTlsServer({ ...options, cert, key, ca, requestCert: true, rejectUnauthorized: true }),
  );
});
afterAll(async () => {
  await Promise.all([plain.close(), secured.close()]);
  rmSync(folder, { recursive: true });
  made.remove();
});
beforeEach(async () => {
  proxy = await ConnectProxy.start();
  plain.play(silent);
});
afterEach(async () => {
  await Promise.all(lines.splice(0).map(({ pool }) => pool.destroy()));
  await proxy.close();
});

/** A line as the configuration makes it, and what a request on it comes to. */
async function reach(settings: object, egress: object = {}): Promise<unknown> {
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, stringify({ providers: { own: { dialect: 'openai', ...settings } }, egress }));
  const { current } = Config.load(file, {});
  const line = Line.to(current.providers['own']!, current, new ProviderLog('own', silentLog));
  lines.push(line);
  for (const server of [plain, secured]) server.play((response) => response.end('reached'));
  const answer = await line.pool.request({ path: '/', method: 'POST', body: '{}' });
  return answer.statusCode < 300 ? answer.body.text() : answer.statusCode;
}

const files = (): object => ({ caFile: made.ca, certFile: made.client.cert, keyFile: made.client.key });
const named = { servername: 'inside.example' };
const credentials = `Basic ${Buffer.from('user:pä:ss').toString('base64')}`;
const proxyUrl = (): string => `http://user:${encodeURIComponent('pä:ss')}@127.0.0.1:${proxy.port}`;

describe('a private authority', () => {
  const at = (tls: object): Promise<unknown> => reach({ baseUrl: secured.url, tls });

  test('is trusted where it is named, with a client certificate where the server wants one', async () => {
    expect(await at({ ...files(), ...named })).toBe('reached');
  });

  test.each<[string, () => object, RegExp]>([
    ['an authority that is not named', () => named, /self-signed|unable to (get|verify)/],
    ['no client certificate', () => ({ caFile: made.ca, ...named }), /certificate required|closed|reset/i],
    ['another name', () => ({ ...files(), servername: 'other.example' }), /does not match/],
  ])('is not, with %s', async (_, tls, message) => {
    await expect(at(tls())).rejects.toThrow(message);
  });
});

describe('an address', () => {
  test.each(['https://localhost.localdomain.example.invalid', 'https://10.0.0.1', 'https://169.254.169.254'])(
    'that is not public or not there is not reached: %s',
    async (baseUrl) => {
      await expect(reach({ baseUrl })).rejects.toThrow(/not an address of the public internet|ENOTFOUND|EAI_AGAIN/);
    },
  );

  test('of a private network is reached where the provider is internal', async () => {
    expect(await reach({ baseUrl: plain.url, internal: true })).toBe('reached');
  });

  test('that answers with another is not followed there', async () => {
    const line = reach({ baseUrl: plain.url });
    plain.play((response) => response.writeHead(307, { location: secured.url }).end());
    expect(await line).toBe(307);
    expect(secured.asked).toEqual([]);
  });
});

describe('an outbound proxy', () => {
  test('is asked for a tunnel, with its credentials, and resolves the name', async () => {
    const baseUrl = `https://inside.example:${secured.port}`;
    expect(await reach({ baseUrl, tls: files() }, { proxy: proxyUrl() })).toBe('reached');
    expect(proxy.asked).toEqual([{ authority: `inside.example:${secured.port}`, authorization: credentials }]);
  });

  test('tunnels to a server without TLS too', async () => {
    const baseUrl = `http://inside.example:${plain.port}`;
    expect(await reach({ baseUrl, internal: true, proxy: proxyUrl() })).toBe('reached');
    expect(plain.asked[0]?.headers['proxy-authorization']).toBeUndefined();
  });

  test.each([
    ['under its own name', () => made.addressed, 'reached'],
    ['and not under that of the server behind it', () => made.server, /does not match/],
  ] as const)('may itself want TLS, %s', async (_, pair, outcome) => {
    const { cert, key } = pair();
    const secret = await ConnectProxy.start({ cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') });
    const baseUrl = `https://inside.example:${secured.port}`;
    const reached = reach({ baseUrl, tls: files(), proxy: `https://127.0.0.1:${secret.port}` });
    const told = await reached.catch((error: Error) => error.message);
    await secret.close();
    expect(told).toEqual(typeof outcome === 'string' ? outcome : expect.stringMatching(outcome));
  });

  test('leads to no private address that is written out', async () => {
    await expect(reach({ baseUrl: 'https://10.0.0.1' }, { proxy: proxyUrl() })).rejects.toThrow(
      '10.0.0.1 is not an address of the public internet',
    );
    expect(proxy.asked).toEqual([]);
  });

  test('is not asked for what is internal', async () => {
    expect(await reach({ baseUrl: plain.url }, { proxy: proxyUrl() })).toBe('reached');
    expect(proxy.asked).toEqual([]);
  });

  test('that refuses is told by its status alone', async () => {
    proxy.refusal = 407;
    const refused = reach({ baseUrl: `https://inside.example:${secured.port}` }, { proxy: proxyUrl() });
    await expect(refused).rejects.toThrow(`the proxy 127.0.0.1:${proxy.port} answered 407`);
  });

  test('that says nothing is given up in time', async () => {
    proxy.refusal = 'silence';
    const settings = { baseUrl: 'https://inside.example', timeouts: { connectMs: 100 }, proxy: proxyUrl() };
    await expect(reach(settings)).rejects.toMatchObject({ code: 'UND_ERR_CONNECT_TIMEOUT' });
  });
});
