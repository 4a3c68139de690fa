import { EventEmitter, once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { CodedError } from '@app/platform';
import type { Wire } from '../wire';
import { HttpSink } from './answer-sink';

/** On a real server, since most of this is about what node:http does with a response. */
let server: Server;
let response: ServerResponse;
let socket: Socket;
let seen: string;
let ended: Promise<unknown>;

async function answering(wire: Wire = 'chat'): Promise<HttpSink> {
  const arrived = once(server, 'request');
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  seen = '';
  socket.on('data', (bytes: Buffer) => (seen += bytes.toString()));
  ended = once(socket, 'close');
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
  [, response] = (await arrived) as [unknown, ServerResponse];
  return new HttpSink(response, wire, 'req_1');
}
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((later) => setTimeout(later, 5));
};

beforeAll(async () => void (await once((server = createServer()).listen(0, '127.0.0.1'), 'listening')));
afterEach(() => void socket.destroy());
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

test('an answer in one piece says how long it is and leaves the connection for the next', async () => {
  const sink = await answering();
  sink.whole(201, { 'content-type': 'application/json' }, Buffer.from('{"a":"ü"}'));
  await until(() => seen.endsWith('}'));
  expect(seen).toMatch(/^HTTP\/1\.1 201 /);
  expect(seen).toContain('content-length: 10\r\n');
  expect(socket.destroyed).toBe(false);
});

test('the head of a stream leaves before its first byte, and tells proxies not to gather', async () => {
  const sink = await answering();
  sink.start(200, { 'content-type': 'text/event-stream' });
  await until(() => seen.endsWith('\r\n\r\n'));
  expect(seen).toContain('x-accel-buffering: no\r\n');
  expect(sink.write(Buffer.alloc(0), () => undefined)).toBe(true);
  expect(sink.write(Buffer.from('data: 1\n\n'), () => undefined)).toBe(true);
  sink.end();
  await until(() => seen.endsWith('0\r\n\r\n'));
});

test('says when its reader is slow, and once when it caught up', async () => {
  const sink = await answering();
  sink.start(200, {});
  socket.pause();
  let drained = 0;
  while (sink.write(Buffer.alloc(100_000), () => drained++));
  expect(response.listenerCount('drain')).toBe(1);
  expect(drained).toBe(0);
  socket.resume();
  await until(() => drained > 0);
  expect([drained, response.listenerCount('drain')]).toEqual([1, 0]);
});

describe('a reader that takes nothing', () => {
  const STALLED_MS = 300_000;
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] }));
  afterEach(() => void jest.useRealTimers());

  /** A response whose reader is behind, and how it is ended. */
  function behind() {
    const destroy = jest.fn();
    const response = Object.assign(new EventEmitter(), { write: () => false, destroy });
    new HttpSink(response as unknown as ServerResponse, 'chat', 'req_1').write(Buffer.from('x'), () => undefined);
    return { response, destroy };
  }

  test('is left after a while, so that it does not keep its place at the provider from others', () => {
    const { destroy } = behind();
    jest.advanceTimersByTime(STALLED_MS - 1);
    expect(destroy).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(destroy).toHaveBeenCalledTimes(1);
  });

  test('is not, once it has taken what waited', () => {
    const { response: slow, destroy } = behind();
    slow.emit('drain');
    expect([jest.getTimerCount(), slow.listenerCount('close')]).toEqual([0, 0]);
    jest.advanceTimersByTime(STALLED_MS);
    expect(destroy).not.toHaveBeenCalled();
  });

  test('is forgotten when it has gone by itself', () => {
    const { response: gone } = behind();
    gone.emit('close');
    expect(jest.getTimerCount()).toBe(0);
  });
});

test.each<[Wire, RegExp]>([
  ['chat', /\n\n\r\n[0-9a-f]+\r\n\n\ndata: \{"error":\{.*"gateway_code":"draining".*\n\n/],
  ['responses', /\n\n\r\n[0-9a-f]+\r\n\n\nevent: error\ndata: \{"type":"error",.*"gateway_code":"draining".*\n\n/],
  ['messages', /\n\n\r\n[0-9a-f]+\r\n\n\nevent: error\ndata: \{"type":"error",.*"gateway_code":"draining".*\n\n/],
])('a cut answer says why in the words of %s, and does not look complete', async (wire, words) => {
  const sink = await answering(wire);
  sink.start(200, {});
  sink.write(Buffer.from('data: {}\n\n'), () => undefined);
  sink.cut(new CodedError('draining'));
  await ended;
  expect(seen).toMatch(words);
  expect(seen).not.toContain('0\r\n\r\n');
});

test('a cut answer that nobody reads is torn all the same', async () => {
  const sink = await answering();
  sink.start(200, {});
  socket.pause();
  while (sink.write(Buffer.alloc(100_000), () => undefined));
  const closed = once(response, 'close');
  sink.cut(new CodedError('draining'));
  await closed;
  expect(response.socket?.destroyed ?? true).toBe(true);
});

test('nothing breaks when the client is gone', async () => {
  const sink = await answering();
  sink.start(200, {});
  const closed = once(response, 'close');
  socket.destroy();
  await closed;
  sink.write(Buffer.from('x'), () => undefined);
  sink.cut(new CodedError('draining'));
  sink.end();
  await new Promise(setImmediate);
  expect(response.destroyed).toBe(true);
});
