import type { Server } from 'node:http';
import { duplexPair } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { GatewayConfig } from '@app/platform';
import { GatewayHttpAdapter } from './http-adapter';
import type { ModelDoor } from './model-door';

setFlagsFromString('--allow-natives-syntax');
const isFast = runInNewContext('(object) => %HasFastProperties(object)') as (object: object) => boolean;

const SETTINGS = {
  trustedProxies: [] as readonly string[],
  headerLimitBytes: 16_384,
  headersTimeoutMs: 1_000,
  bodyTimeoutMs: 1_000,
} as GatewayConfig['server'];

/** From the seventh on they would be dictionaries, see FirstInstances. */
const CALLS = 9;

test('a response is an object and not a dictionary, whenever garbage is collected', async () => {
  const adapter = new GatewayHttpAdapter(SETTINGS);
  adapter.initHttpServer();
  const kinds: boolean[] = [];
  const door: Pick<ModelDoor, 'answer'> = {
    answer: (_, response) => {
      response.end();
      kinds.push(isFast(response));
      return true;
    },
  };
  adapter.door = door as ModelDoor;
  for (let asked = 0; asked < CALLS; asked++) {
    const [caller, side] = duplexPair();
    (adapter.getHttpServer() as Server).emit('connection', side);
    const ended = new Promise((then) => caller.resume().once('close', then));
    caller.end('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    await ended;
    for (let turn = 0; turn < 3; turn++) await new Promise((then) => setImmediate(then));
    // Once a call, because in a process that has run many other tests it takes a second.
    collectGarbage();
  }
  expect(kinds).toEqual(Array(CALLS).fill(true));
});
