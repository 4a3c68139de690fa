import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Config } from '@app/platform';
import { Client } from 'pg';
import { openGatewayDatabase, silentLog, type GatewayDatabase } from '../../../test/support/gateway-database';
import { adminPrincipal } from '../../../test/support/principals';
import { until } from '../fixtures/audit-files';
import { Audit } from './audit.service';
import { AuditExporter } from './exporter.service';
import { AuditVerification } from './verification.service';

const admin = adminPrincipal('security');
let gateway: GatewayDatabase;
let folder: string;
let verification: AuditVerification;

/** Ten records, a checkpoint at the last, two records after it. */
beforeEach(async () => {
  gateway = await openGatewayDatabase();
  folder = await mkdtemp(join(tmpdir(), 'openclawmu-verification-'));
  const file = join(folder, 'openclawmu.yaml');
  await writeFile(file, `dataDir: ${folder}\n`);
  verification = new AuditVerification(gateway.database, Config.load(file, {}));
  await record(10);
  const exporter = new AuditExporter({
    databaseUrl: gateway.urls.gatewayUrl,
    dataDir: folder,
    checkpointMs: () => 3_600_000,
    log: silentLog,
  });
  exporter.start();
  await until(() => exporter.status.seq === 10);
  await exporter.stop();
  await record(2);
});
afterEach(async () => {
  await gateway.close();
  await rm(folder, { recursive: true, force: true });
});

async function record(count: number): Promise<void> {
  const audit = new Audit();
  for (let n = 0; n < count; n++)
    await gateway.database.platform(adminPrincipal(), (tx) =>
      audit.record(tx, {
        action: 'tenant.changed',
        tenant: 'finance',
        target: { kind: 'tenant', id: 'finance' },
        after: { n },
      }),
    );
}

/** As somebody who owns the database: no grant stops them. */
async function tamper(sql: string): Promise<void> {
  const client = new Client({ connectionString: gateway.urls.superuserUrl, options: '-c search_path=openclawmu' });
  await client.connect();
  await client.query(sql);
  await client.end();
}

/** Rewrites the chain from a record on, with hashes that fit: what somebody who knows the scheme would do. */
const REWRITE = `
  DO $$ DECLARE r record; v_prev text; v_open text; v_hash text; BEGIN
    SELECT hash INTO v_prev FROM audit_records WHERE seq = 4;
    FOR r IN SELECT * FROM audit_records WHERE seq > 4 ORDER BY seq LOOP
      v_open := regexp_replace(replace(r.line, 'root', 'eve'), ',"prevHash":.*$', format(',"prevHash":"%s"', v_prev));
      v_hash := encode(sha256(convert_to(v_open || '}', 'UTF8')), 'hex');
      UPDATE audit_records SET line = v_open || format(',"hash":"%s"}', v_hash), hash = v_hash, actor_id = 'eve' WHERE seq = r.seq;
      v_prev := v_hash;
    END LOOP;
    UPDATE audit_head SET hash = v_prev;
  END $$`;

describe('AuditVerification', () => {
  it('accepts what was recorded', async () => {
    expect(await verification.verify(admin)).toMatchObject({ ok: true, records: 12, checkpoints: 2, fault: null });
  });

  it.each([
    ['an edited line', "UPDATE audit_records SET line = replace(line, 'root', 'eve') WHERE seq = 5", 'edited', 5],
    ['an edited column', "UPDATE audit_records SET actor_id = 'eve' WHERE seq = 5", 'edited', 5],
    ['a record moved to another tenant', "UPDATE audit_records SET tenant_id = 'legal' WHERE seq = 5", 'edited', 5],
    ['a line that is no JSON', "UPDATE audit_records SET line = 'x' WHERE seq = 5", 'unreadable', 5],
    ['a removed record', 'DELETE FROM audit_records WHERE seq = 5', 'dropped', 5],
    ['the first removed', 'DELETE FROM audit_records WHERE seq = 1', 'dropped', 1],
    [
      'two records swapped',
      'UPDATE audit_records a SET line = b.line, hash = b.hash FROM audit_records b WHERE (a.seq, b.seq) IN ((5, 6), (6, 5))',
      'reordered',
      5,
    ],
    [
      'one added before the first',
      'INSERT INTO audit_records SELECT 0, time, tenant_id, action, actor_id, outcome, hash, line FROM audit_records WHERE seq = 5',
      'reordered',
      1,
    ],
    ['the newest removed', 'DELETE FROM audit_records WHERE seq = 12', 'cut', 12],
    [
      'the newest removed, and the head put back',
      'DELETE FROM audit_records WHERE seq > 8; UPDATE audit_head SET seq = 8, hash = (SELECT hash FROM audit_records WHERE seq = 8); DELETE FROM audit_checkpoints',
      'cut',
      9,
    ],
    ['all removed', 'DELETE FROM audit_records', 'cut', 1],
    ['a chain rewritten with hashes that fit', REWRITE, 'rewritten', 10],
    ['the same without its checkpoints', `${REWRITE}; DELETE FROM audit_checkpoints`, 'rewritten', 10],
    ['a forged checkpoint', "UPDATE audit_checkpoints SET time = time + interval '1 second'", 'forged', 10],
  ])('finds %s', async (_, sql, kind, seq) => {
    await tamper(sql);
    expect((await verification.verify(admin)).fault).toMatchObject({ kind, seq });
  });

  it('reads a log of any length', async () => {
    const members = `'"actor":{"id":null},"action":"access.refused","tenant":null,"outcome":"refused"'`;
    await tamper(
      `SELECT append_audit(NULL, 'access.refused', NULL, 'refused', ${members}) FROM generate_series(1, 500)`,
    );
    expect(await verification.verify(admin)).toMatchObject({ ok: true, records: 512 });
    await tamper("UPDATE audit_records SET outcome = 'done' WHERE seq = 450");
    expect((await verification.verify(admin)).fault).toMatchObject({ kind: 'edited', seq: 450 });
  });

  it('is not disturbed by records made meanwhile', async () => {
    const [first, , second] = await Promise.all([verification.verify(admin), record(20), verification.verify(admin)]);
    expect([first.ok, second.ok]).toEqual([true, true]);
  });
});
