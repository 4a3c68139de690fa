import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { readBody } from './read-body';

let server: Server;
let socket: Socket;

/** A request of which the given bytes have been sent. */
async function request(headers: string, body = ''): Promise<IncomingMessage> {
  const arrived = once(server, 'request');
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n${body}`);
  return ((await arrived) as [IncomingMessage])[0];
}

/** The same, of which all has arrived before anybody reads. */
async function arrived(headers: string, body: string): Promise<IncomingMessage> {
  const message = await request(headers, body);
  while (!message.complete) await new Promise((later) => setImmediate(later));
  return message;
}

beforeAll(async () => void (await once((server = createServer()).listen(0, '127.0.0.1'), 'listening')));
afterEach(() => void socket.destroy());
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

const LIMIT = 10;
const PATIENCE_MS = 10_000;
const refusal = (code: string) => expect.objectContaining({ code }) as unknown;

test.each([
  ['with its length', 'content-length: 10', '0123456789', '0123456789'],
  ['in chunks', 'transfer-encoding: chunked', '4\r\n0123\r\n2\r\n45\r\n0\r\n\r\n', '012345'],
  ['of nothing', 'content-length: 0', '', ''],
])('a body %s', async (_, headers, sent, body) => {
  expect((await readBody(await request(headers, sent), LIMIT, PATIENCE_MS)).toString()).toBe(body);
  expect(readBody(await arrived(headers, sent), LIMIT, PATIENCE_MS)).toEqual(Buffer.from(body));
});

test('a body that comes in many pieces', async () => {
  const reading = readBody(await request('content-length: 6', 'ü'), LIMIT, PATIENCE_MS);
  for (const piece of ['ä', 'ö']) {
    await new Promise((later) => setTimeout(later, 10));
    socket.write(piece);
  }
  expect((await reading).toString()).toBe('üäö');
});

test.each(['application/json', 'Application/JSON; charset=utf-8', 'application/vnd.api+json'])(
  'content type %s',
  async (type) => {
    const message = await request(`content-type: ${type}\r\ncontent-length: 2`, '{}');
    expect(String(await readBody(message, LIMIT, PATIENCE_MS))).toBe('{}');
  },
);

test.each([
  ['text/plain', 'content-type: text/plain', 'media_type_unsupported'],
  ['application/jsonp', 'content-type: application/jsonp', 'media_type_unsupported'],
  ['a compressed body', 'content-encoding: gzip', 'media_type_unsupported'],
  ['a declared length above the limit', 'content-length: 11', 'body_too_large'],
])('refuses %s before anything of it is read', async (_, headers, code) => {
  const message = await request(headers);
  await expect(readBody(message, LIMIT, PATIENCE_MS)).rejects.toEqual(refusal(code));
  expect(message.listenerCount('data')).toBe(0);
});

test('refuses a body that came whole and is above the limit', async () => {
  const message = await arrived('transfer-encoding: chunked', 'b\r\n01234567890\r\n0\r\n\r\n');
  await expect(readBody(message, LIMIT, PATIENCE_MS)).rejects.toEqual(refusal('body_too_large'));
});

test('refuses a body that grows above the limit, and keeps no more of it', async () => {
  const message = await request('transfer-encoding: chunked', 'b\r\n01234567890\r\n');
  await expect(readBody(message, LIMIT, PATIENCE_MS)).rejects.toEqual(refusal('body_too_large'));
  expect([message.listenerCount('data'), message.isPaused()]).toEqual([0, true]);
});

test('gives up a body that does not arrive', async () => {
  const message = await request('content-length: 5', '01');
  await expect(readBody(message, LIMIT, 20)).rejects.toEqual(refusal('body_timeout'));
});

test('a caller who hangs up in the middle', async () => {
  const reading = readBody(await request('content-length: 5', '01'), LIMIT, PATIENCE_MS);
  socket.destroy();
  await expect(reading).rejects.toEqual(refusal('body_malformed'));
});

test('a caller who hung up before anybody read', async () => {
  const message = await request('content-length: 5', '01');
  const closed = new Promise((gone) => message.once('close', gone));
  socket.destroy();
  await closed;
  await expect(readBody(message, LIMIT, PATIENCE_MS)).rejects.toEqual(refusal('body_malformed'));
});
