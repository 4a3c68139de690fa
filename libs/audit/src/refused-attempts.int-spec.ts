import { openGatewayDatabase, silentLog, type GatewayDatabase } from '../../../test/support/gateway-database';
import { adminPrincipal, jobPrincipals, tenantPrincipal } from '../../../test/support/principals';
import type { AuditRecordView } from './audit.dto';
import { AuditRecords } from './audit.queries';
import type { RefusedAttempt } from './refused-attempt';
import { RefusedAttempts } from './refused-attempts.service';

let gateway: GatewayDatabase;
beforeEach(async () => (gateway = await openGatewayDatabase()));
afterEach(() => gateway.close());

const attempt: RefusedAttempt = {
  principal: null,
  ip: '10.0.0.9',
  requestId: 'req_1',
  method: 'DELETE',
  path: '/api/v1/admin/tenants/finance',
  code: 'credentials_invalid',
  status: 401,
};
const open = () => new RefusedAttempts(gateway.database, jobPrincipals, silentLog);
const recorded = async (): Promise<readonly AuditRecordView[]> =>
  (await new AuditRecords(gateway.database).list(adminPrincipal(), { limit: 200, outcome: 'refused' })).items;

describe('RefusedAttempts', () => {
  it('records who tried what', async () => {
    const refused = open();
    refused.record(attempt);
    refused.record({ ...attempt, principal: adminPrincipal('finance', 'fin'), code: 'permission_denied', status: 403 });
    await refused.drain();
    const [known, unknown] = await recorded();
    expect(unknown).toMatchObject({
      action: 'access.refused',
      actor: { kind: 'anonymous', id: null, ip: '10.0.0.9' },
      target: { kind: 'route', id: 'DELETE /api/v1/admin/tenants/finance' },
      requestId: 'req_1',
      after: { code: 'credentials_invalid', status: 401 },
    });
    expect(known).toMatchObject({ actor: { kind: 'admin', id: 'fin' }, after: { code: 'permission_denied' } });
  });

  it('masks a key in a path', async () => {
    const refused = open();
    const key = 'tk_finance_0123456789abcdef0123456789abcdef';
    refused.record({ ...attempt, path: `/api/v1/admin/tokens/${key}` });
    await refused.drain();
    expect(JSON.stringify(await recorded())).not.toContain(key);
  });

  it('sums up a flood and loses none of it', async () => {
    const refused = open();
    for (let n = 0; n < 5_000; n++) refused.record(attempt);
    await refused.drain();
    const records = await recorded();
    const sums = records.filter(({ target }) => target.id === 'many');
    expect(records.length).toBeLessThan(100);
    expect(sums).toHaveLength(1);
    expect((sums[0]?.after as { count: number }).count + records.length - 1).toBe(5_000);
  });

  it('lets a flood of tenants hide nothing that others try', async () => {
    const refused = open();
    const tenants = { ...attempt, principal: tenantPrincipal('finance'), path: '/v1/chat/completions' };
    for (let n = 0; n < 1_000; n++) refused.record(tenants);
    refused.record(attempt);
    refused.record({ ...attempt, principal: adminPrincipal('finance', 'fin') });
    await refused.drain();
    const records = await recorded();
    const by = (kind: string) => records.filter(({ actor }) => actor.kind === kind).length;
    expect([by('tenant'), by('anonymous'), by('admin')]).toEqual([60, 1, 1]);
  });

  it('keeps what could not be written until it can', async () => {
    const refused = open();
    const owner = await ownerClient();
    await owner.query('ALTER TABLE openclawmu.audit_head RENAME TO hidden');
    for (let n = 0; n < 100; n++) refused.record(attempt);
    await refused.drain();
    await owner.query('ALTER TABLE openclawmu.hidden RENAME TO audit_head');
    await owner.end();
    await refused.drain();
    const records = await recorded();
    const summed = records.find(({ target }) => target.id === 'many')?.after as { count: number };
    expect(records.length - 1 + summed.count).toBe(100);
  });
});

async function ownerClient() {
  const { Client } = await import('pg');
  const client = new Client({ connectionString: gateway.urls.ownerUrl });
  await client.connect();
  return client;
}
