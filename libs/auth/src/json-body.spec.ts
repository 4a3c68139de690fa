import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodedError } from '@app/platform';
import { readJsonBody, type BodyLimits } from './json-body';

let limits: BodyLimits;
let server: Server;
let read: Promise<unknown>;

beforeEach(async () => {
  limits = { maxBytes: 1_000, timeoutMs: 10_000 };
  server = createServer((incoming, response) => {
    read = readJsonBody(incoming, limits).catch((error: unknown) => {
      if (error instanceof CodedError) return error.code;
      throw error;
    });
    void read.then((outcome) => response.end(JSON.stringify(outcome) ?? 'nothing'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const JSON_TYPE = { 'content-type': 'application/json' };

/** @param parts sent one after the other; more than one makes the body chunked */
function send(parts: readonly (string | Buffer)[], headers: Record<string, string> = JSON_TYPE): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    const outgoing = request({ port, host: '127.0.0.1', method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    outgoing.on('error', reject);
    for (const part of parts.slice(0, -1)) outgoing.write(part);
    outgoing.end(parts.at(-1));
  });
}

test('reads an object, in one piece or in several, cut inside of a character', async () => {
  const bytes = Buffer.from('{"name":"Zoë 🐙","list":[1,{"a":null}]}');
  const object = { name: 'Zoë 🐙', list: [1, { a: null }] };
  expect(JSON.parse(await send([bytes]))).toEqual(object);
  expect(JSON.parse(await send([bytes.subarray(0, 12), bytes.subarray(12, 16), bytes.subarray(16)]))).toEqual(object);
  expect(JSON.parse(await send([bytes], { 'content-type': 'Application/JSON; charset="UTF-8"' }))).toEqual(object);
});

test('no body is no body, whatever its type', async () => {
  expect(await send([], {})).toBe('nothing');
  expect(await send([''], { 'content-length': '0', 'content-type': 'text/plain' })).toBe('nothing');
  expect(await send([], { ...JSON_TYPE, 'transfer-encoding': 'chunked' })).toBe('nothing');
});

test.each([
  ['{"a":1', 'body_malformed'],
  ['', 'nothing'],
  ['[]', 'body_malformed'],
  ['null', 'body_malformed'],
  ['"text"', 'body_malformed'],
  ['{"a":1}{"b":2}', 'body_malformed'],
  [Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 'body_malformed'],
  [Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]), 'body_malformed'],
  ['[{"a":'.repeat(40), 'body_malformed'],
  [`{"a":${'['.repeat(64)}${']'.repeat(64)}}`, 'body_malformed'],
  ['x'.repeat(1_001), 'body_too_large'],
])('%s is answered %s', async (body, outcome) => {
  expect(await send([body])).toBe(outcome === 'nothing' ? outcome : JSON.stringify(outcome));
});

test('brackets in texts are not nesting', async () => {
  const object = { text: `\\"${'['.repeat(200)}`, deep: JSON.parse(`${'['.repeat(63)}${']'.repeat(63)}`) as unknown };
  expect(JSON.parse(await send([JSON.stringify(object)]))).toEqual(object);
});

test.each([
  [{ 'content-type': 'text/plain' }],
  [{ 'content-type': 'application/json; charset=latin1' }],
  [{ 'content-type': 'application/jsonp' }],
  [{}],
  [{ ...JSON_TYPE, 'content-encoding': 'gzip' }],
])('%j is not supported', async (headers) => {
  expect(await send(['{}'], headers as Record<string, string>)).toBe('"media_type_unsupported"');
});

test('a body that grows too large is not read on', async () => {
  expect(await send(Array.from({ length: 20 }, () => 'x'.repeat(100)))).toBe('"body_too_large"');
});

test('a body that stops coming is given up', async () => {
  limits = { ...limits, timeoutMs: 50 };
  const { port } = server.address() as AddressInfo;
  const answer = await new Promise<string>((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', method: 'POST', headers: JSON_TYPE }, (response) =>
      response.on('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    outgoing.on('error', reject);
    outgoing.write('{"a":');
  });
  expect(answer).toBe('"body_timeout"');
});

test('a caller that leaves does not leave the reading behind', async () => {
  const { port } = server.address() as AddressInfo;
  const outgoing = request({ port, host: '127.0.0.1', method: 'POST', headers: JSON_TYPE });
  outgoing.on('error', () => undefined);
  const arrived = new Promise((resolve) => server.once('request', resolve));
  outgoing.write('{"a":');
  await arrived;
  outgoing.destroy();
  expect(await read).toBe('body_malformed');
});

test.each(['__proto__', 'constructor', 'prototype', 'toString'])(
  'a field named %s, at any depth, is refused and changes no object',
  async (name) => {
    for (const body of [`{"${name}":{"polluted":true}}`, `{"a":[{"${name}":{"polluted":true}}]}`])
      expect(await send([body])).toBe('"validation_failed"');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  },
);
