import { Audit } from '@app/audit';
import { Clock, TENANT_ROLE_PERMISSIONS } from '@app/platform';
import { openGatewayDatabase, type GatewayDatabase } from '../../../../test/support/gateway-database';
import { adminPrincipal, jobPrincipals, tenantPrincipal } from '../../../../test/support/principals';
import { TenantLifecycle } from '../tenants/tenant-lifecycle';
import { TenantsService } from '../tenants/tenants.service';
import { tokenHash } from './token-text';
import { TokensService } from './tokens.service';

class SetClock extends Clock {
  time = new Date('2026-11-22T12:00:00.000Z');
  now(): Date {
    return this.time;
  }
  pass(seconds: number): void {
    this.time = new Date(this.time.getTime() + seconds * 1000);
  }
}

const admin = adminPrincipal();
let clock: SetClock;
let gateway: GatewayDatabase;
let tokens: TokensService;

beforeAll(async () => {
  gateway = await openGatewayDatabase();
  clock = new SetClock();
  const tenants = new TenantsService(gateway.database, clock, new Audit(), new TenantLifecycle());
  tokens = new TokensService(gateway.database, clock, new Audit());
  for (const id of ['a', 'b']) await tenants.create(admin, { id });
});
afterAll(() => gateway.close());

const everything = (): Promise<string> =>
  gateway.database.platform(jobPrincipals.for('test'), async (tx) => {
    const dumps: string[] = [];
    for (const table of ['tokens', 'audit_records', 'idempotency_keys']) {
      const [row] = await tx.query<{ text: string }>(`SELECT string_agg(x::text, ' ') AS text FROM ${table} x`);
      dumps.push(row?.text ?? '');
    }
    return dumps.join(' ');
  });
const lastRecord = (): Promise<Record<string, unknown>> =>
  gateway.database.platform(jobPrincipals.for('test'), async (tx) => {
    const [row] = await tx.query<{ line: string }>('SELECT line FROM audit_records ORDER BY seq DESC LIMIT 1');
    return JSON.parse(row?.line ?? '{}') as Record<string, unknown>;
  });
const records = (): Promise<unknown[]> =>
  gateway.database.platform(jobPrincipals.for('test'), (tx) => tx.query('SELECT seq FROM audit_records'));

test('the text is in the answer and nowhere else', async () => {
  const made = await tokens.create(admin, 'a', { label: 'ci', expiresAt: '2027-01-01T00:00:00Z' }, 'key-create-1');
  expect(made.token).toMatch(/^tk_a_[0-9a-f]{32}$/);
  expect(made).toMatchObject({
    role: 'member',
    status: 'active',
    createdBy: 'admin:root',
    expiresAt: '2027-01-01T00:00:00.000Z',
  });
  expect(made.hint).toBe(made.token.slice(-4));
  const { token, ...view } = made;
  expect(await tokens.show(admin, 'a', made.id)).toEqual(view);
  const stored = await everything();
  expect(stored).toContain(tokenHash(token));
  expect(stored).not.toContain(token);
  expect(stored).not.toContain(token.slice(-32));
  expect(await tokens.create(admin, 'a', { label: 'ci', expiresAt: '2027-01-01T00:00:00Z' }, 'key-create-1')).toEqual(
    made,
  );
  await expect(
    tokens.create(admin, 'b', { label: 'ci', expiresAt: '2027-01-01T00:00:00Z' }, 'key-create-1'),
  ).rejects.toMatchObject({
    code: 'idempotency_conflict',
  });
});

test('an expiry that is past, or is now, is refused', async () => {
  for (const expiresAt of ['2020-01-01T00:00:00Z', clock.time.toISOString()])
    await expect(tokens.create(admin, 'a', { label: 'late', expiresAt })).rejects.toMatchObject({
      code: 'validation_failed',
      details: { fields: [{ field: 'expiresAt' }] },
    });
});

test('rotation keeps label, rights and expiry; the old token ends at once, or after its grace', async () => {
  const old = await tokens.create(admin, 'a', {
    label: 'app',
    role: 'owner',
    allowedModels: ['x*'],
    expiresAt: '2027-01-01T00:00:00Z',
  });
  const next = await tokens.rotate(admin, 'a', old.id, {});
  expect(next).toMatchObject({
    label: 'app',
    role: 'owner',
    allowedModels: ['x*'],
    expiresAt: old.expiresAt,
    replaces: old.id,
    lineage: old.id,
  });
  expect(old.lineage).toBe(old.id);
  expect(next.token).not.toBe(old.token);
  expect((await tokens.show(admin, 'a', old.id)).status).toBe('revoked');

  const third = await tokens.rotate(admin, 'a', next.id, { gracePeriodSeconds: 60, expiresAt: null });
  expect(third).toMatchObject({ expiresAt: null, replaces: next.id, lineage: old.id });
  expect((await tokens.show(admin, 'a', next.id)).status).toBe('active');
  await expect(tokens.rotate(admin, 'a', next.id, {})).rejects.toMatchObject({
    code: 'token_revoked',
    message: expect.stringContaining('already'),
  });
  clock.pass(60);
  expect((await tokens.show(admin, 'a', next.id)).status).toBe('revoked');
  await expect(tokens.rotate(admin, 'a', next.id, {})).rejects.toMatchObject({ code: 'token_revoked' });
});

test('a token in its grace can be revoked at once', async () => {
  const old = await tokens.create(admin, 'a', { label: 'leaky' });
  await tokens.rotate(admin, 'a', old.id, { gracePeriodSeconds: 3600 });
  expect(await tokens.revoke(admin, 'a', old.id)).toMatchObject({ status: 'revoked', changed: true });
});

test('two rotations at once make one successor', async () => {
  const old = await tokens.create(admin, 'a', { label: 'raced' });
  const results = await Promise.allSettled(
    [1, 2].map(() => tokens.rotate(admin, 'a', old.id, { gracePeriodSeconds: 60 })),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('an expired token is not rotated', async () => {
  const old = await tokens.create(admin, 'a', {
    label: 'short',
    expiresAt: new Date(clock.time.getTime() + 5_000).toISOString(),
  });
  clock.pass(5);
  expect((await tokens.show(admin, 'a', old.id)).status).toBe('expired');
  await expect(tokens.rotate(admin, 'a', old.id, {})).rejects.toMatchObject({ code: 'token_revoked' });
});

test('a leaked token is revoked by its text or its id, without knowing the tenant; twice is fine and says so', async () => {
  const [one, two] = [await tokens.create(admin, 'a', { label: '1' }), await tokens.create(admin, 'b', { label: '2' })];
  expect(await tokens.revokeAny(admin, one.token)).toMatchObject({
    id: one.id,
    tenantId: 'a',
    status: 'revoked',
    changed: true,
  });
  expect(await lastRecord()).toMatchObject({
    action: 'token.revoked',
    tenant: 'a',
    target: { kind: 'token', id: one.id },
  });
  const before = (await records()).length;
  expect(await tokens.revokeAny(admin, one.token)).toMatchObject({ changed: false });
  expect(await records()).toHaveLength(before);
  expect(await tokens.revokeAny(admin, two.id)).toMatchObject({ id: two.id, tenantId: 'b', changed: true });
  for (const nothing of [`tk_a_${'0'.repeat(32)}`, `tok_${'0'.repeat(32)}`, 'x', '', '\u0000'])
    await expect(tokens.revokeAny(admin, nothing)).rejects.toMatchObject({ code: 'token_not_found' });
});

test('another tenant’s token and a missing one are the same 404', async () => {
  const foreign = await tokens.create(admin, 'b', { label: 'b’s' });
  const asA = tenantPrincipal('a');
  for (const id of [foreign.id, `tok_${'0'.repeat(32)}`, 'x', '\u0000'])
    for (const attempt of [
      () => tokens.show(asA, 'a', id),
      () => tokens.rotate(asA, 'a', id, {}),
      () => tokens.revoke(asA, 'a', id),
      () => tokens.show(asA, 'b', id),
      () => tokens.revoke(asA, 'b', id),
      () => tokens.show(admin, 'a', id),
    ])
      await expect(attempt()).rejects.toMatchObject({ code: 'token_not_found' });
  await expect(tokens.list(asA, 'b', { limit: 10 })).rejects.toMatchObject({ code: 'tenant_not_found' });
  await expect(tokens.create(asA, 'b', { label: 'x' })).rejects.toMatchObject({ code: 'tenant_not_found' });
  expect((await tokens.list(asA, 'a', { limit: 200 })).items.every(({ tenantId }) => tenantId === 'a')).toBe(true);
  expect((await tokens.show(admin, 'b', foreign.id)).status).toBe('active');
});

test('a token hands out no more than it has', async () => {
  const narrow = tenantPrincipal('a', { allowedModels: ['claude-*'] });
  expect((await tokens.create(narrow, 'a', { label: 'inherits' })).allowedModels).toEqual(['claude-*']);
  expect((await tokens.create(narrow, 'a', { label: 'narrower', allowedModels: ['claude-sonnet'] })).createdBy).toBe(
    'token:tok_test',
  );
  const wide = await tokens.create(admin, 'a', { label: 'wide' });
  const owner = await tokens.create(admin, 'a', { label: 'owner', role: 'owner', allowedModels: ['claude-*'] });
  const member = tenantPrincipal('a', { permissions: TENANT_ROLE_PERMISSIONS.member });
  for (const attempt of [
    () => tokens.create(narrow, 'a', { label: 'wider', allowedModels: ['claude-*', 'gpt-5'] }),
    () => tokens.create(narrow, 'a', { label: 'all', allowedModels: ['*'] }),
    () => tokens.rotate(narrow, 'a', wide.id, {}),
    () => tokens.rotate(member, 'a', owner.id, {}),
  ])
    await expect(attempt()).rejects.toMatchObject({ code: 'permission_denied' });
  expect((await tokens.rotate(narrow, 'a', owner.id, {})).role).toBe('owner');
});

test('listing pages in the order of creation and filters by status', async () => {
  const all = (await tokens.list(admin, 'a', { limit: 200 })).items;
  const paged = [];
  let cursor: string | undefined;
  do {
    const page = await tokens.list(admin, 'a', { limit: 3, ...(cursor ? { cursor } : {}) });
    paged.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  expect(paged).toEqual(all);
  for (const status of ['active', 'expired', 'revoked'] as const) {
    const some = (await tokens.list(admin, 'a', { limit: 200, status })).items;
    expect(some).toEqual(all.filter((token) => token.status === status));
    expect(some.length).toBeGreaterThan(0);
  }
  expect(JSON.stringify(all)).not.toMatch(/tk_/);
});
