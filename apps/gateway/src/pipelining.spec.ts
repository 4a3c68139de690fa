import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { closeWithConnection } from './pipelining';

const REQUEST = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

let server: Server;
let responses: ServerResponse[];
/** Their places among these, as they were closed. */
let closed: number[];
/** The server's end. */
let connection: Socket;

beforeEach(async () => {
  responses = [];
  closed = [];
  server = createServer((request, response) => {
    closeWithConnection(request, response);
    const place = responses.push(response) - 1;
    response.once('close', () => closed.push(place));
    connection = request.socket;
    server.emit('arrived');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((ended) => server.close(ended));
});

async function pipeline(count: number): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  socket.write(REQUEST.repeat(count));
  while (responses.length < count) await once(server, 'arrived');
  return socket;
}

/** Resolves when all that follows from the end of the connection has happened. */
async function over(): Promise<void> {
  if (!connection.closed) await new Promise((closing) => connection.once('close', closing));
  await new Promise((later) => setImmediate(later));
}

test('all responses of a connection are closed with it, each once', async () => {
  const socket = await pipeline(20);
  socket.destroy();
  await over();
  expect(closed.sort((a, b) => a - b)).toEqual([...responses.keys()]);
  expect(responses.every(({ destroyed }) => destroyed)).toBe(true);
});

test('one that has had its turn meanwhile is told as ever', async () => {
  const socket = await pipeline(3);
  const [first, second] = responses as [ServerResponse, ServerResponse];
  first.end('one');
  await once(first, 'close');
  second.write('two');
  expect(closed).toEqual([0]);
  socket.destroy();
  await over();
  expect(closed.sort()).toEqual([0, 1, 2]);
});

test('a client that reads on gets all answers, in order', async () => {
  const socket = await pipeline(3);
  let seen = '';
  socket.on('data', (bytes: Buffer) => (seen += bytes.toString()));
  for (const [n, response] of [...responses.entries()].reverse()) response.end(`answer ${n}`);
  socket.end();
  await once(socket, 'close');
  expect(seen.match(/answer \d/g)).toEqual(['answer 0', 'answer 1', 'answer 2']);
});
