import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Audit } from '@app/audit';
import { Config, SystemClock, type Tx } from '@app/platform';
import { stringify } from 'yaml';
import { makeCertificates, type Certificates } from '../../../test/support/certificates';
import { ConnectProxy } from '../../../test/support/connect-proxy';
import { openGatewayDatabase, silentLog, type GatewayDatabase } from '../../../test/support/gateway-database';
import { adminPrincipal, jobPrincipals, tenantPrincipal } from '../../../test/support/principals';
import { accept, answerWith, breakOff, hang, Receiver } from '../test/receiver';
import { claimDue, recordOutcome, type DeliveryRow } from './deliveries.queries';
import { DeliveriesService } from './deliveries.service';
import type { Notice } from './notice';
import { WebhookDeliverer } from './webhook-deliverer.service';
import type { DeliveryQuery } from './webhook.dto';
import { Webhooks } from './webhooks.service';

const admin = adminPrincipal();
const clock = new SystemClock();
const folder = mkdtempSync(join(tmpdir(), 'webhooks-test-'));
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const PAGE: DeliveryQuery = { limit: 50 };

let gateway: GatewayDatabase;
let receiver: Receiver;
const running: WebhookDeliverer[] = [];

beforeAll(async () => {
  gateway = await openGatewayDatabase();
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  receiver = await Receiver.start();
});
afterEach(async () => {
  await Promise.all([receiver.close(), ...running.splice(0).map((deliverer) => deliverer.stop())]);
  await sql('DELETE FROM webhook_deliveries');
});

const sql = <Row>(text: string, parameters: unknown[] = []): Promise<Row[]> =>
  gateway.database.platform(jobPrincipals.for('test'), (tx) => tx.query<Row>(text, parameters));

const FILE = join(folder, 'gateway.yaml');
/** The configuration of a process; written anew, it is what a reload finds. */
const configure = (...webhooks: object[]): Config => configureBehind(undefined, ...webhooks);
function configureBehind(proxy: string | undefined, ...webhooks: object[]): Config {
  writeFileSync(FILE, stringify({ webhooks, egress: proxy === undefined ? {} : { proxy } }));
  return Config.load(FILE, {});
}
const endpoint = (fields: object = {}): object => ({ name: 'alerts', url: receiver.url, secret: SECRET, ...fields });

async function start(config: Config): Promise<WebhookDeliverer> {
  const { database } = await gateway.otherProcess();
  const deliverer = new WebhookDeliverer(config, database, jobPrincipals, silentLog);
  running.push(deliverer);
  deliverer.start();
  return deliverer;
}

const NOTICE: Notice = { event: 'budget.threshold', tenant: 'finance', data: { percent: 80 } };
const announce = (config: Config, notice: Notice = NOTICE): Promise<void> =>
  gateway.database.platform(jobPrincipals.for('test'), (tx) => new Webhooks(config, clock).announce(tx, notice));

const deliveries = async (): Promise<DeliveryRow[]> => sql('SELECT * FROM webhook_deliveries ORDER BY id');
/** Waits until the one delivery is as expected; jest's own timeout ends what never is. */
async function delivery(is: (row: DeliveryRow) => boolean): Promise<DeliveryRow> {
  for (;;) {
    const [row] = await deliveries();
    if (row && is(row)) return row;
    await new Promise((later) => setTimeout(later, 20));
  }
}
/** As if the time until the next attempt had passed. */
const hurry = (): Promise<unknown> => sql("UPDATE webhook_deliveries SET due_at = now() WHERE state = 'pending'");
const service = (config: Config): DeliveriesService =>
  new DeliveriesService(config, gateway.database, new Audit(), clock);

describe('announcing', () => {
  test('makes a row for each endpoint that wants it, and none for the others', async () => {
    await announce(
      configure(
        endpoint(),
        endpoint({ name: 'of-finance', tenants: ['finance'] }),
        endpoint({ name: 'of-legal', tenants: ['legal'] }),
        endpoint({ name: 'of-refusals', events: ['budget.refused'] }),
      ),
    );
    expect((await deliveries()).map((row) => [row.endpoint, row.tenant_id, row.state]).sort()).toEqual([
      ['alerts', 'finance', 'pending'],
      ['of-finance', 'finance', 'pending'],
    ]);
  });

  test('is undone with the transaction it is part of', async () => {
    const webhooks = new Webhooks(configure(endpoint()), clock);
    const undone = gateway.database.platform(admin, async (tx) => {
      await webhooks.announce(tx, NOTICE);
      throw new Error('something else failed');
    });
    await expect(undone).rejects.toThrow('something else failed');
    expect(await deliveries()).toEqual([]);
  });

  test('may be part of a tenant transaction, but only about that tenant, and shows it nothing', async () => {
    const webhooks = new Webhooks(configure(endpoint()), clock);
    const as = (tenantId: string) =>
      gateway.database.tenant(tenantPrincipal(tenantId), (tx) => webhooks.announce(tx, NOTICE));
    await as('finance');
    await expect(as('legal')).rejects.toThrow('row-level security');
    const look = gateway.database.tenant(tenantPrincipal('finance'), (tx) =>
      tx.query('SELECT * FROM webhook_deliveries'),
    );
    await expect(look).rejects.toThrow('permission denied');
    expect(await deliveries()).toHaveLength(1);
  });

  test('is dated when it is told, so that who waited for another tells after him', async () => {
    const webhooks = new Webhooks(configure(endpoint()), clock);
    const tell = (percent: number) => (tx: Tx) => webhooks.announce(tx, { ...NOTICE, data: { percent } });
    await gateway.database.platform(admin, async (waiting) => {
      await gateway.database.platform(admin, tell(50));
      await tell(80)(waiting);
    });
    const inOrder = await sql<DeliveryRow>('SELECT * FROM webhook_deliveries ORDER BY created_at, id');
    expect(inOrder.map(({ body }) => JSON.parse(body) as object)).toMatchObject([
      { data: { percent: 50 } },
      { data: { percent: 80 } },
    ]);
  });
});

describe('delivering', () => {
  test('sends once, over two processes, and says so', async () => {
    const config = configure(endpoint());
    await Promise.all([start(config), start(config)]);
    for (let n = 0; n < 40; n++) await announce(config);
    for (let open = 1; open > 0;) open = (await deliveries()).filter(({ state }) => state !== 'delivered').length;
    expect(receiver.received).toHaveLength(40);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(40);
    expect((await deliveries()).every((row) => row.attempts === 1 && row.last_status === 204 && row.ended_at)).toBe(
      true,
    );
    expect(JSON.parse(receiver.received[0]?.body as string)).toMatchObject({
      type: 'budget.threshold',
      data: { tenant: 'finance', percent: 80 },
    });
  });

  test.each([
    ['fails', answerWith(500), 500, 'answered 500'],
    ['redirects', answerWith(302, { location: '/elsewhere' }), 302, 'answered 302'],
    ['breaks off', breakOff, null, 'other side closed'],
  ])('tries again where a receiver %s, with the same id and body', async (_, behave, status, error) => {
    receiver.behave = behave;
    const config = configure(endpoint());
    await start(config);
    await announce(config);
    const failed = await delivery(({ attempts, last_error }) => attempts === 1 && last_error !== null);
    expect(failed).toMatchObject({ state: 'pending', last_status: status, last_error: error });

    receiver.behave = accept;
    await hurry();
    expect(await delivery(({ state }) => state === 'delivered')).toMatchObject({ attempts: 2, last_error: null });
    expect(receiver.received).toHaveLength(2);
    expect(receiver.received[1]).toMatchObject({ id: failed.id, body: failed.body });
    expect(receiver.received[0]).toMatchObject({ id: failed.id, body: failed.body });
  });

  test('tries again where nobody listens', async () => {
    const config = configure(endpoint({ url: 'http://127.0.0.1:1/' }));
    await start(config);
    await announce(config);
    const failed = await delivery(({ last_error }) => last_error !== null);
    expect(failed).toMatchObject({ state: 'pending', last_status: null });
    expect(failed.last_error).toContain('ECONNREFUSED');
  });

  test('waits as long as a receiver asks for', async () => {
    receiver.behave = answerWith(429, { 'retry-after': '7200' });
    const config = configure(endpoint());
    await start(config);
    await announce(config);
    const { due_at, created_at } = await delivery(({ last_status }) => last_status === 429);
    expect(due_at.getTime() - created_at.getTime()).toBeGreaterThanOrEqual(7_200_000);
  });

  test('takes an answer for what its status says, however long or broken its body', async () => {
    receiver.behave = (answer, request) => {
      answer.writeHead(200).write('x'.repeat(100_000), () => request.socket.destroy());
    };
    const config = configure(endpoint());
    await start(config);
    await announce(config);
    expect(await delivery(({ state }) => state === 'delivered')).toMatchObject({ attempts: 1 });
  });

  test('gives up where a receiver is gone for good, and after the last attempt', async () => {
    receiver.behave = answerWith(410);
    const config = configure(endpoint());
    await start(config);
    await announce(config);
    expect(await delivery(({ state }) => state === 'dead')).toMatchObject({ last_status: 410, attempts: 1 });

    receiver.behave = answerWith(500);
    await sql("UPDATE webhook_deliveries SET state = 'pending', attempts = 10, ended_at = NULL, due_at = now()");
    expect(await delivery(({ state }) => state === 'dead')).toMatchObject({ last_status: 500, attempts: 11 });
  });

  test('is not held up by a receiver that hangs', async () => {
    receiver.behave = hang;
    const other = await Receiver.start();
    const config = configure(endpoint({ name: 'hangs' }), endpoint({ name: 'works', url: other.url }));
    await start(config);
    for (let n = 0; n < 10; n++) await announce(config);
    while (other.received.length < 10) await new Promise((later) => setTimeout(later, 20));
    expect(receiver.received.length).toBeLessThanOrEqual(4);
    await other.close();
  });

  test('reaches a private address only where the configuration says internal', async () => {
    const url = receiver.url.replace('127.0.0.1', '0.0.0.0').replace('http:', 'https:');
    const config = configure(endpoint({ url }));
    await start(config);
    await announce(config);
    const refused = await delivery(({ last_error }) => last_error !== null);
    expect(refused.last_error).toBe('0.0.0.0 is not an address of the public internet');
    expect(receiver.received).toEqual([]);

    await sql('DELETE FROM webhook_deliveries');
    const internal = configure(endpoint({ name: 'inside', url: url.replace('https:', 'http:'), internal: true }));
    await start(internal);
    await announce(internal);
    await delivery(({ state }) => state === 'delivered');
  });

  test('a claimed row of a process that died is due again after its lease', async () => {
    const config = configure(endpoint());
    await announce(config);
    const claim = () => gateway.database.platform(admin, (tx) => claimDue(tx, 'alerts', 10, 60_000));
    const [lost] = await claim();
    expect(await claim()).toEqual([]);
    await sql("UPDATE webhook_deliveries SET due_at = due_at - interval '60 seconds'");
    const [again] = await claim();
    expect([lost?.attempts, again?.attempts, again?.id]).toEqual([1, 2, lost?.id]);

    // What the first one met comes late: its failure no longer counts, its success would.
    const record = (row: DeliveryRow, outcome: Parameters<typeof recordOutcome>[2]) =>
      gateway.database.platform(admin, (tx) => recordOutcome(tx, row, outcome));
    await record(lost as DeliveryRow, { state: 'dead', status: 410, error: 'answered 410', delayMs: 0 });
    expect((await deliveries())[0]).toMatchObject({ state: 'pending', last_status: null });
    await record(lost as DeliveryRow, { state: 'delivered', status: 200 });
    await record(again as DeliveryRow, { state: 'pending', status: 500, error: 'answered 500', delayMs: 1 });
    expect((await deliveries())[0]).toMatchObject({ state: 'delivered', last_status: 200 });
  });
});

describe('an outbound proxy', () => {
  let proxy: ConnectProxy;
  beforeEach(async () => {
    proxy = await ConnectProxy.start();
  });
  afterEach(() => proxy.close());
  const address = (): string => `http://user:hunter2@127.0.0.1:${proxy.port}`;
  const authorization = `Basic ${Buffer.from('user:hunter2').toString('base64')}`;
  /** Under a name that only the proxy can resolve. */
  const named = (): string => receiver.url.replace('127.0.0.1', 'hooks.example');

  test('leads to receivers, once a reload names it, and not to those inside', async () => {
    proxy.refusal = 403;
    const endpoints = [endpoint({ name: 'outside', url: 'https://hooks.example/' }), endpoint({ name: 'inside' })];
    const config = configure(...endpoints);
    await start(config);
    configureBehind(address(), ...endpoints);
    config.reload();
    await announce(config);
    for (let open = 2; open > 0;) open = (await deliveries()).filter((row) => !row.last_error && !row.ended_at).length;
    const became = (await deliveries()).map((row) => [row.endpoint, row.state, row.last_error]).sort();
    expect(became).toEqual([
      ['inside', 'delivered', null],
      ['outside', 'pending', `the proxy 127.0.0.1:${proxy.port} answered 403`],
    ]);
    expect(new Set(proxy.asked.map((asked) => asked.authority))).toEqual(new Set(['hooks.example:443']));
    expect(proxy.asked[0]?.authorization).toBe(authorization);
  });

  test('leads to no private address that is written out', async () => {
    const config = configureBehind(address(), endpoint({ url: 'https://10.0.0.1/' }));
    await start(config);
    await announce(config);
    const { last_error } = await delivery((row) => row.last_error !== null);
    expect(last_error).toBe('10.0.0.1 is not an address of the public internet');
    expect(proxy.asked).toEqual([]);
  });

  test('that is away loses no notice: it is tried again, through the one that a reload names', async () => {
    const away = endpoint({ url: named(), internal: true, proxy: 'http://127.0.0.1:1' });
    const config = configure(away);
    await start(config);
    await announce(config);
    const failed = await delivery(({ last_error }) => last_error !== null);
    expect(failed).toMatchObject({ state: 'pending', last_error: 'connect ECONNREFUSED 127.0.0.1:1' });

    configure({ ...away, proxy: address() });
    config.reload();
    await hurry();
    await delivery(({ state }) => state === 'delivered');
    expect(receiver.received).toMatchObject([{ id: failed.id, body: failed.body }]);
    expect(proxy.asked).toEqual([{ authority: new URL(named()).host, authorization }]);
  });
});

describe('a receiver with a certificate of a private authority', () => {
  let made: Certificates;
  let secured: Receiver;
  beforeAll(async () => {
    made = makeCertificates();
    const [cert, key, ca] = [made.server.cert, made.server.key, made.ca].map((file) => readFileSync(file, 'utf8'));
    const tls = { cert, key, ca, requestCert: true, rejectUnauthorized: true };
    secured = await Receiver.start((listener) => createTlsServer(tls, listener));
  });
  afterAll(async () => {
    await secured.close();
    made.remove();
  });

  test('gets its notices once a reload names the authority, the client certificate and the name', async () => {
    const url = secured.url.replace('http:', 'https:');
    const files = { caFile: made.ca, certFile: made.client.cert, keyFile: made.client.key };
    const config = configure(endpoint({ url }));
    await start(config);
    await announce(config);
    for (const [tls, because] of [
      [undefined, /unable to (get|verify)|self-signed/],
      [files, /does not match/],
      [{ caFile: made.ca, servername: 'inside.example' }, /certificate required|closed|reset/i],
    ] as const) {
      await sql('UPDATE webhook_deliveries SET last_error = NULL');
      configure(endpoint({ url, tls }));
      config.reload();
      await hurry();
      expect((await delivery(({ last_error }) => last_error !== null)).last_error).toMatch(because);
    }
    configure(endpoint({ url, tls: { ...files, servername: 'inside.example' } }));
    config.reload();
    await hurry();
    await delivery(({ state }) => state === 'delivered');
    expect(secured.received).toHaveLength(1);
  });
});

describe('a configuration that changes', () => {
  test('signs with both secrets while one is replaced', async () => {
    const next = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
    const config = configure(endpoint());
    await start(config);
    const signatures = async (): Promise<string[]> => {
      await announce(config);
      const seen = receiver.received.length;
      while (receiver.received.length === seen) await new Promise((later) => setTimeout(later, 20));
      return String(receiver.received.at(-1)?.headers['webhook-signature']).split(' ');
    };
    expect(await signatures()).toHaveLength(1);
    configure(endpoint({ secret: [next, SECRET] }));
    config.reload();
    expect(await signatures()).toHaveLength(2);
    configure(endpoint({ secret: next }));
    config.reload();
    expect(await signatures()).toHaveLength(1);
  });

  test('and loses an endpoint gives its notices up', async () => {
    receiver.behave = answerWith(500);
    const config = configure(endpoint());
    await start(config);
    await announce(config);
    await delivery(({ last_status }) => last_status === 500);
    configure();
    config.reload();
    const dead = await delivery(({ state }) => state === 'dead');
    expect(dead).toMatchObject({ last_error: 'the endpoint is no longer configured' });
  });

  test('elsewhere first: a row of an endpoint that is unknown here is left alone for a while, then given up', async () => {
    await announce(configure(endpoint({ name: 'new' })));
    const older = configure(endpoint({ name: 'old' }));
    await start(older);
    await announce(older);
    while (receiver.received.length === 0) await new Promise((later) => setTimeout(later, 20));
    expect((await deliveries())[0]).toMatchObject({ endpoint: 'new', state: 'pending' });

    await sql("UPDATE webhook_deliveries SET due_at = due_at - interval '10 minutes' WHERE endpoint = 'new'");
    await start(older);
    expect(await delivery(({ state }) => state === 'dead')).toMatchObject({ endpoint: 'new', attempts: 0 });
  });
});

test('delivered rows are deleted after 30 days, dead ones are kept', async () => {
  const config = configure(endpoint());
  for (let n = 0; n < 3; n++) await announce(config);
  const [young, old, dead] = await deliveries();
  const end = "UPDATE webhook_deliveries SET state = $2, ended_at = now() - $3 * interval '1 day' WHERE id = $1";
  await sql(end, [young?.id, 'delivered', 29]);
  await sql(end, [old?.id, 'delivered', 31]);
  await sql(end, [dead?.id, 'dead', 31]);
  const deliverer = await start(config);
  while ((await deliveries()).length > 2) await new Promise((later) => setTimeout(later, 20));
  expect((await deliveries()).map(({ id }) => id)).toEqual([young?.id, dead?.id]);
  while (deliverer.facts.dead !== 1) await new Promise((later) => setTimeout(later, 20));
  expect(deliverer.facts.pending).toBe(0);
});

describe('administrators', () => {
  test('list notices by state, endpoint and tenant, page by page', async () => {
    const config = configure(endpoint(), endpoint({ name: 'second' }));
    await announce(config);
    // Within a millisecond the ids are in no order.
    for (const announced = Date.now(); Date.now() <= announced;) await new Promise(setImmediate);
    await announce(config, { ...NOTICE, tenant: 'legal' });
    await sql("UPDATE webhook_deliveries SET state = 'dead', ended_at = now() WHERE endpoint = 'second'");
    const found = async (query: Partial<DeliveryQuery>) =>
      (await service(config).list(admin, { ...PAGE, ...query })).items;
    expect(await found({})).toHaveLength(4);
    expect((await found({ state: 'dead' })).map((one) => one.endpoint)).toEqual(['second', 'second']);
    expect((await found({ tenant: 'legal', endpoint: 'alerts' })).map((one) => one.state)).toEqual(['pending']);

    const first = await service(config).list(admin, { limit: 3 });
    const rest = await service(config).list(admin, { limit: 3, cursor: first.nextCursor as string });
    const ids = [...first.items, ...rest.items].map(({ id }) => id);
    expect(ids).toEqual([...ids].sort().reverse());
    expect([ids.length, rest.nextCursor]).toEqual([4, null]);
    const { body } = await service(config).show(admin, ids[0] as string);
    expect(JSON.parse(body)).toMatchObject({ data: { tenant: 'legal' } });
  });

  test('send a dead notice again, under the same id', async () => {
    const config = configure(endpoint());
    await announce(config);
    const [row] = await deliveries();
    await sql("UPDATE webhook_deliveries SET state = 'dead', attempts = 11, ended_at = now()");
    expect(await service(config).retry(admin, row?.id as string)).toMatchObject({ state: 'pending', attempts: 0 });
    await start(config);
    await delivery(({ state }) => state === 'delivered');
    expect(receiver.received.map(({ id }) => id)).toEqual([row?.id]);
    const retry = (with_: Config, id: string) => service(with_).retry(admin, id);
    await expect(retry(config, row?.id as string)).rejects.toMatchObject({ code: 'webhook_delivered' });
    await expect(retry(config, 'msg_nothing')).rejects.toMatchObject({ code: 'webhook_delivery_not_found' });
    await announce(config);
    const [, orphan] = await deliveries();
    await expect(retry(configure(), orphan?.id as string)).rejects.toMatchObject({ code: 'webhook_not_found' });
  });

  test('test an endpoint whatever it listens to, and see no secret', async () => {
    const config = configure(endpoint({ events: ['budget.refused'], url: `${receiver.url}?key=hidden` }));
    await start(config);
    const { id } = await service(config).test(admin, 'alerts');
    await delivery(({ state }) => state === 'delivered');
    expect(receiver.received).toEqual([expect.objectContaining({ id })]);
    await expect(service(config).test(admin, 'nobody')).rejects.toMatchObject({ code: 'webhook_not_found' });
    const shown = JSON.stringify(service(config).endpoints());
    expect(shown).toContain(receiver.url);
    expect(shown).not.toMatch(/hidden|whsec/);
  });
});
