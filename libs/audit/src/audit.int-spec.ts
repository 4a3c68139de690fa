import { openGatewayDatabase, type GatewayDatabase } from '../../../test/support/gateway-database';
import { adminPrincipal, tenantPrincipal } from '../../../test/support/principals';
import type { AuditRecordView } from './audit.dto';
import { AuditRecords } from './audit.queries';
import { Audit } from './audit.service';
import type { AuditEntry } from './entry';
import { verifyChain } from './verify-chain';

let gateway: GatewayDatabase;
beforeAll(async () => (gateway = await openGatewayDatabase()));
afterAll(() => gateway.close());

const audit = new Audit();
const admin = adminPrincipal();
const about = (tenant: string, extra: Partial<AuditEntry> = {}): AuditEntry => ({
  action: 'tenant.changed',
  tenant,
  target: { kind: 'tenant', id: tenant },
  ...extra,
});
const record = (entry: AuditEntry, who = admin) => gateway.database.platform(who, (tx) => audit.record(tx, entry));
const list = async (query: object = {}): Promise<readonly AuditRecordView[]> =>
  (await new AuditRecords(gateway.database).list(admin, { limit: 200, ...query })).items;
const lines = () =>
  gateway.database.platform(admin, async (tx) =>
    (await tx.query<{ line: string }>('SELECT line FROM audit_records ORDER BY seq')).map(({ line }) => line),
  );

describe('Audit', () => {
  it('writes who did what, in one unbroken chain', async () => {
    await record(about('finance', { before: { name: 'A' }, after: { name: 'B', limit: 5n }, reason: 'renamed' }));
    const [first] = await list({ tenant: 'finance' });
    expect(first).toMatchObject({
      actor: { kind: 'admin', id: 'root', via: 'api', ip: '127.0.0.1' },
      action: 'tenant.changed',
      tenant: 'finance',
      target: { kind: 'tenant', id: 'finance' },
      outcome: 'done',
      requestId: 'req_test',
      before: { name: 'A' },
      after: { name: 'B', limit: '5' },
      reason: 'renamed',
    });
    expect(await verifyChain(await lines())).toMatchObject({ ok: true });
  });

  it('is forgotten with the change it belongs to', async () => {
    const before = (await lines()).length;
    await expect(
      gateway.database.platform(admin, async (tx) => {
        await audit.record(tx, about('finance'));
        throw new Error('the change failed');
      }),
    ).rejects.toThrow('the change failed');
    expect(await lines()).toHaveLength(before);
  });

  it('keeps one chain under concurrency', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, n) => record(about(`t${n}`))));
    expect(await verifyChain(await lines())).toMatchObject({ ok: true, records: (await lines()).length });
  });

  it('takes any text without breaking a line', async () => {
    await record(
      about('odd', {
        after: { name: 'a\nb\u2028c\u0000 \ud800 "quoted" %s \\' },
        reason: "'; DROP TABLE audit_records; --",
      }),
    );
    expect((await list({ tenant: 'odd' }))[0]).toMatchObject({
      after: { name: 'a\nb\u2028c\u0000 \ud800 "quoted" %s \\' },
    });
    expect(await verifyChain(await lines())).toMatchObject({ ok: true });
  });

  it('lets a tenant record its own affairs and nobody else’s', async () => {
    const tenant = tenantPrincipal('finance');
    const inTenant = (entry: AuditEntry) => gateway.database.tenant(tenant, (tx) => audit.record(tx, entry));
    await inTenant(about('finance'));
    await expect(inTenant(about('legal'))).rejects.toThrow('only its own changes');
    await expect(inTenant({ ...about('x'), tenant: null })).rejects.toThrow('only its own changes');
  });

  it.each([
    'UPDATE audit_records SET line = line',
    'DELETE FROM audit_records',
    "INSERT INTO audit_records (seq, time, action, outcome, hash, line) VALUES (999, now(), 'x', 'done', 'x', 'x')",
    'UPDATE audit_head SET seq = 0',
    'DELETE FROM audit_checkpoints',
  ])('gives no role the right to %s', async (sql) => {
    await expect(gateway.database.platform(admin, (tx) => tx.query(sql))).rejects.toThrow('permission denied');
    await expect(gateway.database.tenant(tenantPrincipal('finance'), (tx) => tx.query(sql))).rejects.toThrow(
      'permission denied',
    );
  });

  it('shows a tenant nothing of the log', async () => {
    const read = gateway.database.tenant(tenantPrincipal('finance'), (tx) => tx.query('SELECT * FROM audit_records'));
    await expect(read).rejects.toThrow('permission denied');
  });
});

describe('AuditRecords', () => {
  it('filters, and gives pages newest first without a gap', async () => {
    await record(about('legal', { action: 'tenant.suspended' }), adminPrincipal('admin', 'ada'));
    expect(await list({ actor: 'ada' })).toHaveLength(1);
    expect(await list({ action: 'tenant.suspended', tenant: 'legal' })).toHaveLength(1);
    expect(await list({ outcome: 'refused' })).toHaveLength(0);
    expect(await list({ until: '2020-01-01' })).toHaveLength(0);

    const all = (await list()).map(({ seq }) => seq);
    expect(await list({ since: '2020-01-01', afterSeq: (all[0] ?? 0) - 2 })).toHaveLength(2);
    const paged: number[] = [];
    const records = new AuditRecords(gateway.database);
    for (let cursor: string | undefined; ;) {
      const page = await records.list(admin, { limit: 7, ...(cursor === undefined ? {} : { cursor }) });
      paged.push(...page.items.map(({ seq }) => seq));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(all);
    expect(all).toEqual([...all].sort((a, b) => b - a));
  });

  it.each(['bm90IGpzb24', Buffer.from('["x"]').toString('base64url')])('refuses the cursor %s', async (cursor) => {
    await expect(list({ cursor })).rejects.toMatchObject({ code: 'cursor_invalid' });
  });
});
