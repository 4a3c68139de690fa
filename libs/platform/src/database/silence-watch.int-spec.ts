import { Pool } from 'pg';
import { createDatabase, type TestDatabase } from '../../../../test/support/database';
import { DatabaseNetwork } from '../../../../test/support/database-network';
import { SilenceWatch } from './silence-watch';

const SILENCE_MS = 100;

let created: TestDatabase;
let network: DatabaseNetwork;
let pool: Pool;
beforeEach(async () => {
  created = await createDatabase();
  network = await DatabaseNetwork.before(created.gatewayUrl);
  const config = { connectionString: network.url };
  const watch = new SilenceWatch(config, SILENCE_MS);
  pool = new Pool({ ...config, max: 4, idleTimeoutMillis: 0, onConnect: (client) => watch.over(client) });
  pool.on('error', () => undefined);
});
afterEach(async () => {
  await network.close();
  await pool.end();
  await created.drop();
});

const connected = async (count: number): Promise<void> => {
  const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()));
  for (const client of clients) client.on('error', () => undefined).release();
};

test('a connection that the network has forgotten is given up, and so are those that lie idle beside it', async () => {
  await connected(3);
  network.forget();
  await expect(pool.query('SELECT 1')).rejects.toThrow(/the database is silent/);
  while (pool.totalCount > 0) await new Promise((resolve) => pool.once('remove', resolve));
  expect((await pool.query<{ one: number }>('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

test('a server that is at work is left to it, however long it is silent', async () => {
  const slow = pool.query<{ slept: boolean }>(`SELECT pg_sleep(${(12 * SILENCE_MS) / 1_000}) IS NOT NULL AS slept`);
  expect((await slow).rows).toEqual([{ slept: true }]);
});

test('who was heard while another was silent stays', async () => {
  await connected(2);
  const forgotten = await pool.connect();
  forgotten.on('error', () => undefined);
  network.forget();
  const silent = expect(forgotten.query('SELECT 1')).rejects.toThrow(/the database is silent/);
  const living = await pool.connect().then((old) => {
    old.release(true);
    return pool.connect();
  });
  let stays = true;
  living.on('error', () => (stays = false));
  const query = setInterval(() => void living.query('SELECT 1').catch(() => undefined), SILENCE_MS / 10);
  await silent;
  clearInterval(query);
  await living.query('SELECT 1');
  expect(stays).toBe(true);
  living.release();
  forgotten.release(true);
});
