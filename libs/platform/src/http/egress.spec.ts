import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { isPublicAddress, publicConnector } from './egress';

test.each([
  '8.8.8.8',
  '1.1.1.1',
  '100.63.255.255',
  '172.15.0.1',
  '172.32.0.1',
  '193.0.0.1',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001::1',
])('%s is public', (address) => expect(isPublicAddress(address)).toBe(true));

test.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '198.19.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::7f00:1',
  'fe80::1',
  'fc00::1',
  'fd12:3456::1',
  'ff02::1',
  '2001:db8::1',
  '2001:0:7f00:1::',
  '2002:7f00:1::1',
  'localhost',
  '',
])('%j is not', (address) => expect(isPublicAddress(address)).toBe(false));

describe('a connection', () => {
  let server: Server;
  let asked = 0;
  const agent = new Agent({ connect: publicConnector({ timeout: 5_000 }) });
  beforeAll(async () => {
    server = createServer((_, answer) => {
      asked++;
      answer.end('inside');
    }).listen(0, 'localhost');
    await once(server, 'listening');
  });
  afterAll(async () => {
    await agent.destroy();
    server.close();
  });

  test.each(['localhost', '127.0.0.1', '127.1', '2130706433', '0x7f000001', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0'])(
    'to %s is refused before it stands',
    async (host) => {
      const { port } = server.address() as AddressInfo;
      await expect(request(`http://${host}:${port}/`, { dispatcher: agent })).rejects.toThrow(
        'is not an address of the public internet',
      );
      expect(asked).toBe(0);
    },
  );
});
