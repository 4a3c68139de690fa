import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { Agent, request } from 'undici';
import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { Gateway } from '../support/gateway';
import { codeOfRefusal } from '../support/refusal';
import { dial, readWire, sendWire, type WireAnswer } from '../support/wire';

/** Whatever is thrown at it: a coded 4xx in the words of the path, nothing of our insides, and the next caller is served. */
let fake: FakeProvider;
let gateway: Gateway;
let department: Department;
let bytesBefore: number;
/** How much of the log the tests before have looked at. */
let read = 0;

beforeAll(async () => {
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ providers: fakeProviders(fake) });
  await offerFakeModels(gateway);
  department = await createDepartment(gateway, { budget: '100.00' });
  bytesBefore = await residentBytes();
});
afterEach(async () => {
  const answer = await gateway.call('POST', CHAT, { model: 'fake-n1', messages: [] }, department.token);
  expect(answer.status).toBe(200);
  const said = gateway.logs.slice(read);
  read = gateway.logs.length;
  expect(said.split('\n').filter((line) => line.includes('"level":"error"'))).toEqual([]);
});
afterAll(async () => {
  expect((await residentBytes()) - bytesBefore).toBeLessThan(250 * 1024 * 1024);
  await gateway.remove();
  await fake.close();
});

const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';
const TENANTS = '/api/v1/admin/tenants';
const OWN = '/api/v1/tenant';
/** A route of each dialect and audience that takes a body. */
const TAKING_BODIES = [
  ['POST', CHAT],
  ['POST', MESSAGES],
  ['POST', TENANTS],
  ['PATCH', OWN],
] as const;

const keyFor = (path: string) => (path.startsWith('/api/v1/admin') ? gateway.place.keys.admin : department.token);

interface Sent {
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
  readonly key?: string;
}

/** One request, written by hand. */
function send(method: string, path: string, { body = '', headers = {}, key = keyFor(path) }: Sent = {}) {
  const lines = Object.entries({
    host: 'gateway',
    connection: 'close',
    ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
    ...(body.length > 0 ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } : {}),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return sendWire(gateway.url, `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, body);
}

const codeFor = async (method: string, path: string, sent: Sent = {}): Promise<string> =>
  codeOfRefusal(path, await send(method, path, sent));

describe('a body that is no JSON object', () => {
  test.each<[string, string | Buffer]>([
    ['half an object', '{"model":"fake"'],
    ['a missing value', '{"model":}'],
    ['null', 'null'],
    ['a list', '[{"model":"fake"}]'],
    ['a text', '"fake"'],
    ['a number', '42'],
    ['single quotes', "{'model':'fake'}"],
    ['something behind it', '{"model":"fake"} {"model":"fake"}'],
    ['a comment', '{"model":"fake" /* cheap */}'],
    ['a trailing comma', '{"model":"fake",}'],
    ['NaN', '{"model":"fake","temperature":NaN}'],
    ['a NUL byte', '{"model":"fa\0ke"}'],
    ['a line break in a text', '{"model":"fa\nke"}'],
    ['a broken escape', '{"model":"\\x41"}'],
    ['invalid UTF-8 in a value', Buffer.from('{"model":"fa\xffke","id":"x"}', 'latin1')],
    ['invalid UTF-8 in a name', Buffer.from('{"model":"fake","\xc0\xae":1}', 'latin1')],
    ['a UTF-8 surrogate', Buffer.from('{"model":"fake","id":"\xed\xa0\x80"}', 'latin1')],
    ['UTF-16', Buffer.from('\uFEFF{"model":"fake"}', 'utf16le')],
    ['XML', '<model>fake</model>'],
    ['blanks', ' \r\n\t '],
  ])('%s', async (_, body) => {
    for (const [method, path] of TAKING_BODIES)
      expect([path, await codeFor(method, path, { body })]).toEqual([path, 'body_malformed']);
  });

  test('nested a hundred thousand deep', async () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const body = `{"model":"fake","messages":${open.repeat(100_000)}1${close.repeat(100_000)}}`;
      for (const [method, path] of TAKING_BODIES)
        expect([path, await codeFor(method, path, { body })]).toEqual([path, 'body_malformed']);
    }
  });

  test('nothing at all', async () => {
    for (const path of [CHAT, MESSAGES]) expect(await codeFor('POST', path)).toBe('body_malformed');
    expect(await codeFor('POST', TENANTS)).toBe('validation_failed');
  });

  test('a name given twice, where the bill and the provider might read different ones', async () => {
    for (const path of [CHAT, MESSAGES])
      for (const body of [
        '{"model":"fake-n1","model":"fake-n2","max_tokens":1,"messages":[]}',
        '{"model":"fake-n1","\\u006dodel":"fake-n2","max_tokens":1,"messages":[]}',
        '{"model":"fake-n1","max_tokens":1,"max_tokens":100000,"messages":[]}',
      ])
        expect(['body_malformed', 'validation_failed']).toContain(await codeFor('POST', path, { body }));
    expect(fake.requests.filter(({ model }) => model === 'fake-n2')).toEqual([]);
  });
});

describe('values of a wrong type', () => {
  test.each([
    ['model', [5, null, '', [], {}, true]],
    ['max_tokens', [-1, 1.5, '10', {}, [1], 1e300, true]],
    ['stream', ['yes', 1, {}, []]],
  ])('%s on the model path', async (field, values) => {
    for (const path of [CHAT, MESSAGES])
      for (const value of values) {
        const body = JSON.stringify({ model: 'fake-n1', max_tokens: 5, messages: [], [field]: value });
        const code = await codeFor('POST', path, { body });
        expect([path, value, code]).toEqual([path, value, 'validation_failed']);
      }
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['an id that is a number', { id: 5 }, 'id'],
    ['an id with SQL', { id: "x'; DROP TABLE tenants; --" }, 'id'],
    ['an id with a path', { id: '../../etc/passwd' }, 'id'],
    ['an id with a line break', { id: 'finance\n' }, 'id'],
    ['an id that is too long', { id: 'x'.repeat(33) }, 'id'],
    ['an id that is an object', { id: { $ne: null } }, 'id'],
    ['no id', {}, 'id'],
    ['a name with NUL', { id: 'x1', name: 'a\0b' }, 'name'],
    ['a name of a million characters', { id: 'x1', name: 'x'.repeat(500_000) }, 'name'],
    ['a name that is a list', { id: 'x1', name: ['a'] }, 'name'],
    ['models that are a text', { id: 'x1', allowedModels: 'all' }, 'allowedModels'],
    ['models that are numbers', { id: 'x1', allowedModels: [1] }, 'allowedModels'],
    ['settings that are a list', { id: 'x1', settings: [] }, 'settings'],
    ['an unknown field', { id: 'x1', isAdmin: true }, 'isAdmin'],
    ['an unknown setting', { id: 'x1', settings: { colour: 'red' } }, 'colour'],
  ])('%s is refused by its name', async (_, tenant, field) => {
    const { status, body } = await gateway.call<{ code: string; detail: string }>('POST', TENANTS, tenant);
    expect([status, body.code]).toEqual([400, 'validation_failed']);
    expect(body.detail).toContain(field);
  });

  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'a field called %s is refused by its name, and poisons nothing',
    async (name) => {
      for (const [method, path, fields] of [
        ['POST', TENANTS, '"id":"x1"'],
        ['PATCH', `${TENANTS}/${department.id}`, '"name":"x"'],
        ['POST', `${TENANTS}/${department.id}/tokens`, '"label":"x"'],
        ['PATCH', OWN, '"settings":{}'],
      ] as const) {
        const answer = await send(method, path, {
          body: `{${fields},"${name}":{"role":"owner","permissions":["all"]}}`,
        });
        expect(codeOfRefusal(path, answer)).toBe('validation_failed');
        expect(answer.body).toContain(name);
      }
    },
  );

  test('settings called like properties of objects are unknown settings', async () => {
    for (const name of ['__proto__', 'constructor', 'toString'])
      expect(await codeFor('PATCH', OWN, { body: `{"settings":{"${name}":"x"}}` })).toBe('validation_failed');
  });
});

describe('a body that is too large', () => {
  const limits = [
    ['POST', CHAT, 33_554_432],
    ['POST', MESSAGES, 33_554_432],
    ['POST', TENANTS, 1_048_576],
  ] as const;

  test.each(limits)('%s %s is refused before any of its 100 MB is read', async (method, path) => {
    // Not one byte of the body is ever sent.
    const headers = { 'content-type': 'application/json', 'content-length': String(100 * 1024 * 1024) };
    expect(await codeFor(method, path, { headers })).toBe('body_too_large');
    expect(await codeFor(method, path, { headers: { ...headers, 'content-length': '99999999999999999' } })).toBe(
      'body_too_large',
    );
  });

  test.each(limits)('%s %s in chunks is refused as soon as it passes the limit', async (method, path, limit) => {
    const socket = await dial(gateway.url);
    const answer = readWire(socket);
    const closed = once(socket, 'close');
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${keyFor(path)}\r\n` +
        'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 0x20), Buffer.from('\r\n')]);
    let sent = 0;
    for (let answered = false; !answered && sent < 100 * 1024 * 1024; answered = socket.bytesRead > 0) {
      sent += 65_536;
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), closed]);
      await new Promise(setImmediate);
    }
    expect(codeOfRefusal(path, await answer)).toBe('body_too_large');
    // What the sockets of both sides hold comes on top.
    expect(sent).toBeLessThan(limit + 24 * 1024 * 1024);
  });

  test('costs nothing to whoever has no key', async () => {
    const headers = { 'content-type': 'application/json', 'content-length': String(100 * 1024 * 1024) };
    for (const [method, path] of TAKING_BODIES)
      expect(await codeFor(method, path, { headers, key: '' })).toBe('credentials_missing');
  });
});

describe('a body in foreign clothes', () => {
  const body = '{"model":"fake-n1","messages":[]}';
  test.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/jsonp'],
    ['application/json, text/plain'],
    ['nonsense'],
  ])('%s', async (type) => {
    for (const [method, path] of TAKING_BODIES)
      expect([path, await codeFor(method, path, { body, headers: { 'content-type': type } })]).toEqual([
        path,
        'media_type_unsupported',
      ]);
  });

  test.each(['gzip', 'br', 'deflate', 'gzip, identity', 'zstd'])('%s', async (encoding) => {
    for (const [method, path] of TAKING_BODIES)
      expect(await codeFor(method, path, { body: gzipSync(body), headers: { 'content-encoding': encoding } })).toBe(
        'media_type_unsupported',
      );
  });
});

describe('what is no HTTP, or two requests in one', () => {
  const auth = () => `Host: gateway\r\nAuthorization: Bearer ${department.token}\r\n`;
  const json = 'Content-Type: application/json\r\n';
  const inner = 'GET /api/v1/admin/tenants HTTP/1.1\r\nHost: gateway\r\n\r\n';

  test.each<[string, () => string]>([
    [
      'both lengths',
      () =>
        `POST ${CHAT} HTTP/1.1\r\n${auth()}${json}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX${inner}`,
    ],
    [
      'two lengths',
      () => `POST ${CHAT} HTTP/1.1\r\n${auth()}${json}Content-Length: 2\r\nContent-Length: 50\r\n\r\n{}${inner}`,
    ],
    ['a list of lengths', () => `POST ${CHAT} HTTP/1.1\r\n${auth()}${json}Content-Length: 2, 2\r\n\r\n{}`],
    ['a signed length', () => `POST ${CHAT} HTTP/1.1\r\n${auth()}${json}Content-Length: +2\r\n\r\n{}`],
    ['a negative length', () => `POST ${CHAT} HTTP/1.1\r\n${auth()}${json}Content-Length: -2\r\n\r\n{}`],
    ['a length in hex', () => `POST ${CHAT} HTTP/1.1\r\n${auth()}${json}Content-Length: 0x2\r\n\r\n{}`],
    [
      'an unknown transfer coding',
      () => `POST ${CHAT} HTTP/1.1\r\n${auth()}${json}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'chunked not last',
      () => `POST ${CHAT} HTTP/1.1\r\n${auth()}${json}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    ],
    [
      'chunked after a space',
      () => `POST ${CHAT} HTTP/1.1\r\n${auth()}${json}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${inner}`,
    ],
    [
      'a folded header',
      () => `POST ${CHAT} HTTP/1.1\r\n${auth()}${json}X-A: b\r\n Content-Length: 5\r\nContent-Length: 2\r\n\r\n{}`,
    ],
    ['a NUL in a header', () => `GET /healthz HTTP/1.1\r\n${auth()}X-A: a\0b\r\n\r\n`],
    ['a bare line feed in a header', () => `GET /healthz HTTP/1.1\r\n${auth()}X-A: a\rb\r\n\r\n`],
    ['no host', () => `GET /healthz HTTP/1.1\r\nX-A: b\r\n\r\n`],
    ['a version of its own', () => `GET /healthz HTTP/9.9\r\n${auth()}\r\n`],
    ['the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a method of its own', () => `STEAL /healthz HTTP/1.1\r\n${auth()}\r\n`],
    ['the beginning of TLS', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a blank in the path', () => `GET /healthz x HTTP/1.1\r\n${auth()}\r\n`],
    ['noise', () => `${'\x00\xff\x7f'.repeat(100)}\r\n\r\n`],
  ])('%s is one refusal and the end of the connection', async (_, request) => {
    const answer = await sendWire(gateway.url, Buffer.from(request(), 'latin1'));
    expect(codeOfRefusal('unknown', answer)).toBe('request_malformed');
    expect(answer.text.match(/^HTTP\/1\.1 \d/gm)).toHaveLength(1);
    expect(answer.headers['connection']).toBe('close');
  });

  test.each([
    ['a size that is no number', 'zz\r\n{}\r\n0\r\n\r\n'],
    ['a negative size', '-2\r\n{}\r\n0\r\n\r\n'],
    ['a size beyond all bounds', 'fffffffffffffffff\r\n{}\r\n0\r\n\r\n'],
    ['a chunk longer than it says', '2\r\n{}{}{}\r\n0\r\n\r\n'],
  ])('a chunk with %s ends the connection, and no second request is read from it', async (_, chunks) => {
    for (const [method, path] of TAKING_BODIES) {
      const head = `${method} ${path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${keyFor(path)}\r\n${json}Transfer-Encoding: chunked\r\n\r\n`;
      const answer = await sendWire(gateway.url, head + chunks + inner);
      expect(['request_malformed', 'body_malformed']).toContain(codeOfRefusal(dialectPath(answer, path), answer));
      expect(answer.text.match(/^HTTP\/1\.1 \d/gm)).toHaveLength(1);
    }
  });

  test('headers as large as a bomb', async () => {
    for (const headers of [{ 'x-bomb': 'x'.repeat(100_000) }, bombs(3_000, 20)])
      expect(codeOfRefusal('unknown', await send('GET', '/v1/models', { headers }))).toBe('headers_too_large');
  });

  test('more headers than anybody sends, the key behind them', async () => {
    const answer = await send('GET', '/v1/models', {
      key: '',
      headers: { ...bombs(2_500, 1), authorization: `Bearer ${department.token}` },
    });
    expect(['headers_too_large', 'credentials_missing']).toContain(codeOfRefusal('/v1/models', answer));
  });

  test('two Authorization headers with different keys, of which each may be the one that somebody before us looked at', async () => {
    const [right, other] = [keyFor(CHAT), keyFor(TENANTS)].map((key) => `Authorization: Bearer ${key}\r\n`);
    const asked = (headers: string) =>
      sendWire(gateway.url, `GET /v1/models HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n${headers}\r\n`);
    expect(codeOfRefusal('/v1/models', await asked(`${right}${other}`))).toBe('credentials_invalid');
    expect((await asked(`${right}${right}`)).status).toBe(200);
  });

  test('the address of another server as the path reaches no other server and no other route', async () => {
    for (const target of [
      `http://127.0.0.1:1${CHAT}`,
      `//127.0.0.1:1${CHAT}`,
      `${CHAT}/../../api/v1/admin/tenants`,
      '*',
    ]) {
      const answer = await send('POST', target, { key: department.token, body: '{"model":"fake-n1","messages":[]}' });
      expect(codeOfRefusal(dialectPath(answer, CHAT), answer)).toMatch(/^(request_malformed|route_not_found)$/);
    }
  });
});

const bombs = (count: number, length: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i.toString(36)}`, 'y'.repeat(length)]));

/** Where the request could not be read to its end, or not at all, the gateway may not know whose words to use. */
const dialectPath = (answer: WireAnswer, path: string): string =>
  answer.headers['content-type']?.startsWith('application/problem+json') ? 'unknown' : path;

describe('hostile ids, queries and methods on every route of the API', () => {
  interface Operation {
    readonly method: string;
    readonly path: string;
    readonly query: readonly string[];
    /** Of these, what it cannot do without. */
    readonly required: readonly string[];
  }
  let operations: Operation[];

  beforeAll(async () => {
    const { paths } = await gateway.must<{ paths: Record<string, Record<string, { parameters?: Parameter[] }>> }>(
      'GET',
      '/docs/openapi.json',
    );
    operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [] }]) => ({
        method: method.toUpperCase(),
        path,
        query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
        required: parameters.filter(({ in: where, required }) => where === 'query' && required).map(({ name }) => name),
      })),
    );
    expect(operations.length).toBeGreaterThan(30);
  });

  const fill = (path: string, id: string) => path.replace(/\{(\w+)\}/g, () => id);
  /** A target with an odd value of a query, and all else as it should be. */
  const asking = ({ path, required }: Operation, name: string, value: string): string =>
    [
      `${fill(path, department.id)}?${name}=${value}`,
      ...required.filter((one) => one !== name).map((one) => `${one}=${department.id}`),
    ].join('&');

  test.each([
    ['SQL', "' OR 1=1; DROP TABLE tenants; --"],
    ['SQL with a comment', 'x/**/UNION/**/SELECT/**/hash/**/FROM/**/tokens'],
    ['a path', '../../../etc/passwd'],
    ['a path in backslashes', '..\\..\\windows\\system32'],
    ['NUL', 'x\0y'],
    ['a line break', 'x\r\nSet-Cookie: a=b'],
    ['an emoji', '🎉'],
    ['a lone accent', 'e\u0301'.repeat(50)],
    ['four thousand characters', 'x'.repeat(4_000)],
    ['a property of every object', '__proto__'],
    ['a template', '${7*7}{{7*7}}%{7*7}'],
    ['markup', '<script>alert(1)</script>'],
  ])('%s as an id', async (_, id) => {
    for (const { method, path } of operations.filter((each) => each.path.includes('{'))) {
      const target = fill(path, encodeURIComponent(id));
      const answer = await send(method, target, method === 'GET' || method === 'DELETE' ? {} : { body: '{}' });
      expect([method, path, codeOfRefusal(path, answer, id)]).toEqual([
        method,
        path,
        expect.stringMatching(id.includes('\0') ? /^request_malformed$/ : /_not_found$|^validation_failed$/),
      ]);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
  });

  test.each(['%', '%zz', '%E0%A4%A', '%ff', '%c0%ae%c0%ae', '%u0041'])(
    'the broken escape %s in a path',
    async (escape) => {
      for (const { method, path } of operations.filter((each) => each.path.includes('{'))) {
        const code = await codeFor(method, fill(path, escape));
        expect([method, path, code]).toEqual([method, path, 'request_malformed']);
      }
    },
  );

  const paged = (name: string) =>
    operations.filter(({ path, query }) => path.startsWith('/api/') && query.includes(name));

  test.each([
    ['limit', ['0', '-1', '201', '1e9', '1.5', 'all', '', 'NaN', '1&limit=2', '99999999999999999999']],
    ['cursor', ['x', 'e30', 'W10', 'WzFd', 'WyJhIiwiYiIsImMiLCJkIl0', 'x'.repeat(2_000), 'a&cursor=b']],
  ])('an absurd %s', async (name, values) => {
    expect(paged(name).length).toBeGreaterThan(4);
    for (const operation of paged(name))
      for (const value of values) {
        const code = await codeFor(operation.method, asking(operation, name, value));
        expect([operation.path, value, code]).toEqual([
          operation.path,
          value,
          expect.stringMatching(/^(validation_failed|cursor_invalid)$/),
        ]);
      }
  });

  test('a cursor of the right shape with something else in it', async () => {
    const keys = ['x', 'a\0', "' OR 1=1 --", '9'.repeat(40), '-1', '2026-13-99', '', '🎉'];
    for (const operation of paged('cursor'))
      for (const key of keys)
        for (const parts of [[key], [key, key]]) {
          const cursor = Buffer.from(JSON.stringify(parts)).toString('base64url');
          const answer = await send(operation.method, asking(operation, 'cursor', cursor));
          // It may be a key that some row could have had.
          if (answer.status !== 200)
            expect([operation.path, codeOfRefusal(operation.path, answer)]).toEqual([operation.path, 'cursor_invalid']);
        }
  });

  test('an absurd value of any query, and a query nobody knows', async () => {
    for (const { method, path, query } of operations.filter(
      (each) => each.method === 'GET' && each.path.startsWith('/api/'),
    ))
      for (const name of [...query, 'unknown', 'limit[]', 'limit[$gt]'])
        for (const value of ["'%20OR%201=1--", '%00', '%0d%0aX:%20y', '%ff', 'x'.repeat(3_000)]) {
          const answer = await send(method, `${fill(path, department.id)}?${name}=${value}`);
          // A text filter may be given a text that finds nothing, and a route without any query reads none.
          if (answer.status !== 200) codeOfRefusal(path, answer);
          else expect([path, name, query.length === 0 || query.includes(name)]).toEqual([path, name, true]);
        }
  });

  test('a method it does not have', async () => {
    for (const { path } of operations) {
      const known = new Set(operations.filter((each) => each.path === path).map(({ method }) => method));
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'OPTIONS', 'PROPFIND'].filter(
        (one) => !known.has(one),
      )) {
        const target = fill(path, 'x');
        const answer = await send(method, target);
        if (operations.some((each) => each.method === method && matches(each.path, target))) continue;
        expect([method, path, codeOfRefusal(path, answer)]).toEqual([
          method,
          path,
          expect.stringMatching(/^(route_not_found|method_not_allowed)$/),
        ]);
        expect(answer.body).not.toContain(keyFor(path));
      }
    }
  });

  test('HEAD has no body and never fails', async () => {
    for (const { path } of operations) {
      const answer = await send('HEAD', fill(path, 'x'));
      expect([path, answer.status < 500, answer.body]).toEqual([path, true, '']);
    }
  });

  test('no key at all', async () => {
    for (const { method, path } of operations.filter((each) => /^\/(v1|api\/v1)\//.test(each.path)))
      expect([method, path, await codeFor(method, fill(path, 'x'), { key: '' })]).toEqual([
        method,
        path,
        'credentials_missing',
      ]);
  });
});

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
}

const matches = (pattern: string, path: string): boolean =>
  new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);

describe('requests that are never finished', () => {
  let impatient: Gateway;

  beforeAll(async () => {
    impatient = await Gateway.start({ config: { server: { port: 0, headersTimeoutMs: 400, bodyTimeoutMs: 400 } } });
  });
  afterAll(() => impatient.remove());

  test('half a head is given up', async () => {
    const answer = await sendWire(impatient.url, 'GET /healthz HTTP/1.1\r\nHost: gateway\r\n');
    expect(answer.status).toBe(408);
    expect(codeOfRefusal('unknown', answer)).toBe('request_timeout');
  });

  test('half a body is given up, in the words of the path', async () => {
    const { token } = await createDepartment(impatient);
    for (const [method, path] of TAKING_BODIES) {
      const key = path.startsWith('/api/v1/admin') ? impatient.place.keys.admin : token;
      const answer = await sendWire(
        impatient.url,
        `${method} ${path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${key}\r\n` +
          'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"model":',
      );
      expect([path, codeOfRefusal(path, answer)]).toEqual([path, 'body_timeout']);
    }
  });

  test('hundreds of them leave room for others', async () => {
    const sockets = await Promise.all(Array.from({ length: 300 }, () => dial(gateway.url)));
    for (const socket of sockets) socket.write('POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\n');
    expect((await gateway.call('GET', '/healthz', undefined, '')).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await eventually(async () => (await gateway.call('GET', '/healthz', undefined, '')).status === 200);
  });
});

async function residentBytes(): Promise<number> {
  const { text } = await gateway.call('GET', '/metrics');
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
}

describe('a path with a slash at its end is served by Express, the exact one by a door of its own', () => {
  test.each<[string, string, Sent]>([
    ['no key', CHAT, { key: '' }],
    ['an unknown key', MESSAGES, { key: 'tk_nobody_nothing' }],
    ['an admin key', CHAT, { key: 'admin' }],
    ['a body that is no JSON', MESSAGES, { body: '{' }],
    ['a model nobody has', CHAT, { body: '{"model":"none","messages":[]}' }],
    ['a call', CHAT, { body: '{"model":"fake-n1","messages":[]}' }],
    ['a call with a query', MESSAGES, { body: '{"model":"fake-n1","max_tokens":9,"messages":[]}' }],
  ])('%s is answered alike', async (what, path, sent) => {
    const key = sent.key === 'admin' ? gateway.place.keys.admin : (sent.key ?? department.token);
    const query = what.endsWith('query') ? '?beta=true' : '';
    const told = await Promise.all(
      ['', '/'].map(async (slash) => {
        const { status, headers, body } = await send('POST', `${path}${slash}${query}`, { ...sent, key });
        return {
          status,
          names: Object.keys(headers).sort(),
          body: body.replace(/req_\w+|chatcmpl-\w+|msg_\w+/g, 'ID'),
        };
      }),
    );
    expect(told[1]).toEqual(told[0]);
  });
});

test('a refusal whose body is short leaves the connection to the next request', async () => {
  const one = new Agent({ connections: 1, pipelining: 1 });
  const headers = { authorization: `Bearer tk_nobody_${'0'.repeat(32)}`, 'content-type': 'application/json' };
  for (let n = 0; n < 100; n++) {
    const method = n % 2 ? 'POST' : 'GET';
    const path = method === 'POST' ? '/v1/chat/completions' : '/api/v1/tenant';
    const body = method === 'POST' ? JSON.stringify({ text: 'x'.repeat(20_000) }) : undefined;
    const refused = await request(gateway.url + path, { method, headers, body, dispatcher: one });
    await refused.body.dump();
    expect(refused.statusCode).toBe(401);
  }
  await one.close();
});
