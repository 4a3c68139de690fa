import { expectTrailEqualsTable, trailText, verifyOffline } from '../support/audit-trail';
import { Books } from '../support/books';
import { createDepartment, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { FakeProvider, PROVIDER_KEY } from '../support/fake-provider';
import { Gateway } from '../support/gateway';
import { expectNothingLeft } from '../support/processes';
import { casesFor, committedRoutes } from '../support/route-table';
import { AUDIT_CASES, type AuditRecord } from './audit-cases';

/** Every route that changes something leaves exactly one record of it, in the same transaction. */

let fake: FakeProvider;
let gateway: Gateway;
let books: Books;
/** Whatever must never be in a record. */
const secrets: string[] = [PROVIDER_KEY];

/** A delivery to ask for; what becomes of it is not told here. */
const NOWHERE = { name: 'audited', report: 'period', schedule: '0 6 1 * *', to: { folder: '/nowhere' } };

beforeAll(async () => {
  fake = await FakeProvider.start();
  const webhook = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  // Nobody listens there, so that its notices stay on their way.
  const webhooks = [{ name: 'audited', url: 'http://127.0.0.1:1/', secret: webhook }];
  gateway = await Gateway.start({
    providers: fakeProviders(fake),
    config: {
      audit: { checkpointMs: 50 },
      ledger: { retainMonths: 1 },
      webhooks,
      deliveries: [NOWHERE],
    },
  });
  secrets.push(webhook, ...Object.values(gateway.place.keys));
  await offerFakeModels(gateway);
  books = await Books.open(gateway.place.database);
});
afterAll(async () => {
  await books.close();
  await gateway.remove();
  await fake.close();
  await expectNothingLeft(gateway.place.folder);
});

const changes = async (): Promise<AuditRecord[]> =>
  (await books.auditLines()).map((line) => JSON.parse(line) as AuditRecord).filter(({ outcome }) => outcome === 'done');

async function department(): Promise<Department> {
  const made = await createDepartment(gateway);
  secrets.push(made.token);
  return made;
}

const MUTATING = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
/** They change no setting of anything: what they use is in the ledger. */
const isModelCall = (route: string): boolean => route.startsWith('POST /v1/');
const mutatingRoutes = committedRoutes().filter(({ method, name }) => MUTATING.has(method) && !isModelCall(name));

describe('every route that changes something', () => {
  test.each(casesFor(mutatingRoutes, AUDIT_CASES))('%s', async (_, { method }, prepare) => {
    const { by, path, body, record, before, after, wrong } = await prepare({ gateway, department });
    const key = by?.token ?? gateway.place.keys.admin;
    const earlier = await changes();

    const refused = await gateway.call(method, wrong.path ?? path, wrong.body, key);
    expect(refused.status).toBe(wrong.status);
    expect(await changes()).toHaveLength(earlier.length);

    const made = await gateway.call<{ token?: string }>(method, path, body, key);
    expect({ status: made.status, text: made.text }).toMatchObject({ status: expect.any(Number) });
    expect(made.status).toBeLessThan(300);
    if (made.body.token) secrets.push(made.body.token);
    const [one, ...more] = (await changes()).slice(earlier.length);
    expect(more).toEqual([]);
    expect(one).toMatchObject({
      ...record,
      actor: {
        kind: by ? 'tenant' : 'admin',
        id: by ? by.tokenId : 'root',
        via: 'api',
        ip: expect.stringMatching(/127\.0\.0\.1$/),
      },
      requestId: made.headers.get('x-request-id'),
    });
    if (before === null) expect(one?.before).toBeNull();
    else expect(one?.before).toMatchObject(before);
    if (after === null) expect(one?.after).toBeNull();
    else expect(one?.after).toMatchObject(after);
  });
});

test('what is repeated and changes nothing leaves no second record', async () => {
  const { id, tokenId } = await department();
  const again = { 'idempotency-key': 'audited-once-only' };
  const create = () =>
    gateway.call<{ token: string }>('POST', `/api/v1/admin/tenants/${id}/tokens`, { label: 'once' }, undefined, again);
  const revoke = () => gateway.must('POST', `/api/v1/admin/tenants/${id}/tokens/${tokenId}/revoke`);
  const earlier = (await changes()).length;
  const [first, second] = [await create(), await create()];
  secrets.push(first.body.token);
  expect(second.body).toEqual(first.body);
  await revoke();
  await revoke();
  expect((await changes()).slice(earlier).map(({ action }) => action)).toEqual(['token.created', 'token.revoked']);
});

describe('the log as a whole', () => {
  test('is the same in the table and in the files', () => expectTrailEqualsTable(gateway.place, books));

  test('is unaltered, says the gateway, and say the files without it', async () => {
    const records = (await books.auditLines()).length;
    const online = await gateway.must<{ ok: boolean; records: number }>('GET', '/api/v1/admin/audit/verification');
    expect(online).toMatchObject({ ok: true, fault: null });
    expect(online.records).toBeGreaterThanOrEqual(records);
    await expectTrailEqualsTable(gateway.place, books);
    expect(await verifyOffline(gateway.place)).toMatchObject({ ok: true, fault: null, signatures: 'verified' });
  });

  test('holds no token, no admin key and no provider key', async () => {
    const text = await trailText(gateway.place);
    expect(secrets.length).toBeGreaterThan(20);
    expect(secrets.filter((secret) => text.includes(secret) || text.includes(secret.slice(-32)))).toEqual([]);
  });
});
