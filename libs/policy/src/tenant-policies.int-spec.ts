import { Audit } from '@app/audit';
import { SystemClock, type Principal } from '@app/platform';
import { type GatewayDatabase, openGatewayDatabase, silentLog } from '../../../test/support/gateway-database';
import { eventually } from '../../../test/support/department';
import { adminPrincipal, jobPrincipals, tenantPrincipal } from '../../../test/support/principals';
import { KnownPolicies } from './known-policies.service';
import type { SetPolicy } from './policy.dto';
import { TenantPolicies } from './tenant-policies.service';

const RULE = { name: 'keys', action: 'refuse', on: 'both', detect: ['secrets'] } as const;
const policy = { rules: [{ ...RULE, detect: [...RULE.detect] }] } satisfies SetPolicy;

describe('policies', () => {
  let db: GatewayDatabase;
  let policies: TenantPolicies;
  let admin: Principal;
  const known: KnownPolicies[] = [];

  beforeAll(async () => {
    db = await openGatewayDatabase();
    policies = new TenantPolicies(db.database, new SystemClock(), new Audit());
    admin = adminPrincipal();
    for (const id of ['one', 'two', 'gone'])
      await db.database.platform(jobPrincipals.for('test'), (tx) =>
        tx.query(
          `INSERT INTO tenants (id, name, status, settings, created_at, updated_at)
          VALUES ($1, $1, $2, '{}', now(), now())`,
          [id, id === 'gone' ? 'deleted' : 'active'],
        ),
      );
    for (let i = 0; i < 2; i++) {
      const { database, changes } = await db.otherProcess();
      const one = new KnownPolicies(database, jobPrincipals, changes, silentLog);
      await one.onModuleInit();
      known.push(one);
    }
  });
  afterAll(async () => {
    known.forEach((one) => one.onApplicationShutdown());
    await db.close();
  });

  test('are known to every process, with that of all tenants, until they are removed', async () => {
    const everywhere = (isSo: (one: KnownPolicies) => boolean) => eventually(() => known.every(isSo));
    expect(known[0]?.of('one')).toBeUndefined();
    await policies.set(admin, 'one', { ...policy, maxOutputTokens: 100 });
    await everywhere((one) => one.of('one')?.maxOutputTokens === 100 && one.of('two') === undefined);
    await policies.set(admin, null, { maxOutputTokens: 50 });
    await everywhere((one) => one.of('one')?.maxOutputTokens === 50 && one.of('two')?.maxOutputTokens === 50);
    expect(
      known.map((one) => [one.of('one')?.answer, one.of('two')?.answer].map((scanner) => scanner != null)),
    ).toEqual(known.map(() => [true, false]));
    await policies.remove(admin, 'one');
    await everywhere((one) => one.of('one')?.request === null);
    await policies.remove(admin, null);
    await everywhere((one) => one.of('one') === undefined && one.of('two') === undefined);
  });

  test('are set for tenants that are there, and removed where there is one', async () => {
    await expect(policies.set(admin, 'nobody', policy)).rejects.toMatchObject({ code: 'tenant_not_found' });
    await expect(policies.set(admin, 'gone', policy)).rejects.toMatchObject({ code: 'tenant_state' });
    await expect(policies.remove(admin, 'two')).rejects.toMatchObject({ code: 'policy_not_found' });
    await expect(policies.show(admin, null)).rejects.toMatchObject({ code: 'policy_not_found' });
  });

  test('are seen by their own tenant, and written by none', async () => {
    await policies.set(admin, 'one', policy);
    await policies.set(admin, null, { maxOutputTokens: 50 });
    const [one, two] = [tenantPrincipal('one'), tenantPrincipal('two')];
    expect(await policies.showOwn(one)).toMatchObject({ maxOutputTokens: 50, rules: [RULE] });
    expect(await policies.showOwn(two)).toMatchObject({ maxOutputTokens: 50, rules: [] });
    const asTenant = (sql: string) => db.database.tenant(one, (tx) => tx.query(sql));
    expect(await asTenant('SELECT tenant_id FROM tenant_policies ORDER BY tenant_id')).toEqual([
      { tenant_id: 'one' },
      { tenant_id: null },
    ]);
    for (const sql of [
      'DELETE FROM tenant_policies',
      "UPDATE tenant_policies SET content = '{}'",
      "INSERT INTO tenant_policies VALUES ('two', '{}', now())",
    ])
      await expect(asTenant(sql)).rejects.toThrow('permission denied');
  });

  test('set at the same time leave one, and a record of each', async () => {
    await Promise.all([3, 4, 5].map((maxOutputTokens) => policies.set(admin, null, { maxOutputTokens })));
    const { maxOutputTokens } = await policies.show(admin, null);
    const records = await db.database.platform(jobPrincipals.for('test'), (tx) =>
      tx.query<{ line: string }>(
        "SELECT line FROM audit_records WHERE action = 'policy.set' ORDER BY seq DESC LIMIT 3",
      ),
    );
    const [last, ...others] = records.map(
      ({ line }) => JSON.parse(line) as { before: { maxOutputTokens: number }; after: { maxOutputTokens: number } },
    );
    expect(last?.after.maxOutputTokens).toBe(maxOutputTokens);
    // Each found what the one before it had left.
    expect(last?.before.maxOutputTokens).toBe(others[0]?.after.maxOutputTokens);
    expect(others[0]?.before.maxOutputTokens).toBe(others[1]?.after.maxOutputTokens);
  });
});
