import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { examineGateway } from './gateway';

let server: Server;
let answer = '';

beforeAll(async () => {
  server = createServer((_, response) => response.writeHead(503).end(answer)).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
});
afterAll(() => server.close());

test.each([
  ['in words, where it has some', JSON.stringify({ status: 503, detail: 'It drains.' }), 'It drains.'],
  ['as it stands', '<html>', '<html>'],
])('says why a gateway is not ready: %s', async (_, text, expected) => {
  answer = text;
  const { port } = server.address() as AddressInfo;
  const finding = await examineGateway({ server: { host: '127.0.0.1', port } }, {});
  expect(finding).toMatchObject({
    state: 'wrong',
    what: `answers at http://127.0.0.1:${port} but is not ready: ${expected}`,
  });
});
