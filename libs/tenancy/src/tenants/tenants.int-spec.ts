import { Audit } from '@app/audit';
import { SystemClock } from '@app/platform';
import { openGatewayDatabase, type GatewayDatabase } from '../../../../test/support/gateway-database';
import { adminPrincipal, jobPrincipals, tenantPrincipal } from '../../../../test/support/principals';
import { TokensService } from '../tokens/tokens.service';
import { OwnTenantService } from './own-tenant.service';
import { TenantLifecycle } from './tenant-lifecycle';
import { TenantsService } from './tenants.service';

const admin = adminPrincipal();
const clock = new SystemClock();
const audit = new Audit();
let gateway: GatewayDatabase;
let lifecycle: TenantLifecycle;
let tenants: TenantsService;
let tokens: TokensService;
let own: OwnTenantService;

beforeAll(async () => {
  gateway = await openGatewayDatabase();
  lifecycle = new TenantLifecycle();
  tenants = new TenantsService(gateway.database, clock, audit, lifecycle);
  tokens = new TokensService(gateway.database, clock, audit);
  own = new OwnTenantService(gateway.database, clock, audit);
});
afterAll(() => gateway.close());

const actions = (tenantId: string): Promise<string[]> =>
  gateway.database.platform(jobPrincipals.for('test'), async (tx) => {
    const rows = await tx.query<{ action: string }>(
      'SELECT action FROM audit_records WHERE tenant_id = $1 ORDER BY seq',
      [tenantId],
    );
    return rows.map((row) => row.action);
  });

test('a tenant is created, shown, changed, suspended and resumed, each of it audited once', async () => {
  const created = await tenants.create(admin, { id: 'finance', costCenter: 'CC-1', allowedModels: ['claude-*'] });
  expect(created).toMatchObject({ id: 'finance', name: 'finance', status: 'active', settings: {}, deletedAt: null });
  expect(await tenants.show(admin, 'finance')).toEqual(created);

  const change = { name: 'Finance', costCenter: null, allowedModels: null, settings: { budgetContact: 'ada' } };
  expect(await tenants.change(admin, 'finance', change)).toMatchObject(change);
  expect(await tenants.change(admin, 'finance', { costCenter: 'CC-2' })).toMatchObject({
    ...change,
    costCenter: 'CC-2',
  });
  await tenants.change(admin, 'finance', {});

  expect((await tenants.suspend(admin, 'finance')).status).toBe('suspended');
  expect((await tenants.suspend(admin, 'finance')).status).toBe('suspended');
  expect((await tenants.resume(admin, 'finance')).status).toBe('active');
  expect(await actions('finance')).toEqual([
    'tenant.created',
    'tenant.changed',
    'tenant.changed',
    'tenant.suspended',
    'tenant.resumed',
  ]);
});

test('an id is taken once, also after its tenant was deleted', async () => {
  await tenants.create(admin, { id: 'once' });
  await expect(tenants.create(admin, { id: 'once' })).rejects.toMatchObject({ code: 'tenant_exists' });
  await tenants.delete(admin, 'once');
  await expect(tenants.create(admin, { id: 'once' })).rejects.toMatchObject({
    code: 'tenant_exists',
    message: expect.stringContaining('never given again'),
  });
});

test('two creations of one id at once: one wins', async () => {
  const results = await Promise.allSettled([1, 2, 3].map(() => tenants.create(admin, { id: 'race' })));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await actions('race')).toEqual(['tenant.created']);
});

test('a repeated creation with the same key gets the same answer, another request with it is refused', async () => {
  const first = await tenants.create(admin, { id: 'repeat' }, 'key-0001');
  expect(await tenants.create(admin, { id: 'repeat' }, 'key-0001')).toEqual(first);
  await expect(tenants.create(admin, { id: 'other' }, 'key-0001')).rejects.toMatchObject({
    code: 'idempotency_conflict',
  });
});

test('deleting revokes the tokens, runs the steps of the libs above, and leaves the row', async () => {
  await tenants.create(admin, { id: 'gone' });
  const token = await tokens.create(admin, 'gone', { label: 'ci' });
  const seen: string[] = [];
  lifecycle.register({ name: 'witness', onDelete: (_, tenantId) => Promise.resolve(void seen.push(tenantId)) });

  expect(await tenants.delete(admin, 'gone')).toMatchObject({ status: 'deleted', deletedAt: expect.any(String) });
  expect(seen).toEqual(['gone']);
  expect((await tokens.show(admin, 'gone', token.id)).status).toBe('revoked');
  expect((await tenants.show(admin, 'gone')).status).toBe('deleted');
  await tenants.delete(admin, 'gone');
  expect(seen).toEqual(['gone']);
  for (const attempt of [
    () => tenants.change(admin, 'gone', { name: 'x' }),
    () => tenants.suspend(admin, 'gone'),
    () => tenants.resume(admin, 'gone'),
    () => tokens.create(admin, 'gone', { label: 'late' }),
  ])
    await expect(attempt()).rejects.toMatchObject({ code: 'tenant_state' });
});

test('a failing step leaves the tenant and its tokens as they were', async () => {
  await tenants.create(admin, { id: 'kept' });
  const token = await tokens.create(admin, 'kept', { label: 'ci' });
  lifecycle.register({
    name: 'refuses',
    onDelete: (_, tenantId) => (tenantId === 'kept' ? Promise.reject(new Error('not now')) : Promise.resolve()),
  });
  await expect(tenants.delete(admin, 'kept')).rejects.toThrow('not now');
  expect((await tenants.show(admin, 'kept')).status).toBe('active');
  expect((await tokens.show(admin, 'kept', token.id)).status).toBe('active');
  expect(await actions('kept')).toEqual(['tenant.created', 'token.created']);
});

test('a step is registered once', () => {
  const step = { name: 'twice', onDelete: () => Promise.resolve() };
  lifecycle.register(step);
  expect(() => lifecycle.register(step)).toThrow('twice');
});

test('listing pages through all in order and filters by status', async () => {
  for (const id of ['p1', 'p2', 'p3']) await tenants.create(admin, { id });
  await tenants.suspend(admin, 'p2');
  await tenants.delete(admin, 'p3');
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await tenants.list(admin, { limit: 2, ...(cursor ? { cursor } : {}) });
    expect(page.items.length).toBeLessThanOrEqual(2);
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  expect(ids).toEqual([...ids].sort());
  expect(ids).toEqual(expect.arrayContaining(['p1', 'p2']));
  expect(ids).not.toContain('p3');
  expect((await tenants.list(admin, { limit: 50, status: 'suspended' })).items.map(({ id }) => id)).toEqual(['p2']);
  expect((await tenants.list(admin, { limit: 50, status: 'deleted' })).items.map(({ id }) => id)).toContain('p3');
  const bad = Buffer.from(JSON.stringify(['\u0000'])).toString('base64url');
  expect(() => tenants.list(admin, { limit: 2, cursor: bad })).toThrow(
    expect.objectContaining({ code: 'cursor_invalid' }),
  );
});

test.each(['missing', '', '\u0000', "x' OR '1'='1", '../x', 'x'.repeat(500)])('no tenant %j is found', async (id) => {
  for (const attempt of [
    () => tenants.show(admin, id),
    () => tenants.suspend(admin, id),
    () => tokens.create(admin, id, { label: 'x' }),
  ])
    await expect(attempt()).rejects.toMatchObject({ code: 'tenant_not_found' });
});

test('a tenant sees and changes itself and only what is its own', async () => {
  await tenants.create(admin, { id: 'self', settings: { budgetContact: 'ada' } });
  const principal = tenantPrincipal('self');
  expect(await own.show(principal)).toMatchObject({ id: 'self', settings: { budgetContact: 'ada' } });
  expect((await own.change(principal, { settings: { budgetContact: 'bob' } })).settings).toEqual({
    budgetContact: 'bob',
  });
  await own.change(principal, {});
  await expect(own.change(principal, { status: 'active' })).rejects.toMatchObject({ code: 'setting_reserved' });
  expect(await actions('self')).toEqual(['tenant.created', 'tenant.changed']);
});

test('the database itself keeps a tenant from its status, its models and its neighbours', async () => {
  await tenants.create(admin, { id: 'wall-a' });
  await tenants.create(admin, { id: 'wall-b' });
  const asA = (sql: string): Promise<unknown[]> =>
    gateway.database.tenant(tenantPrincipal('wall-a'), (tx) => tx.query(sql));
  expect(await asA('SELECT id FROM tenants')).toEqual([{ id: 'wall-a' }]);
  for (const sql of [
    "UPDATE tenants SET status = 'active'",
    'UPDATE tenants SET allowed_models = NULL',
    'DELETE FROM tenants',
    'DELETE FROM tokens',
    "UPDATE tokens SET role = 'owner'",
    "UPDATE tokens SET hash = decode(repeat('00', 32), 'hex')",
  ])
    await expect(asA(sql)).rejects.toThrow(/permission denied/);
});
