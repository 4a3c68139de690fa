import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGatewayDatabase, silentLog, type GatewayDatabase } from '../../../test/support/gateway-database';
import { adminPrincipal } from '../../../test/support/principals';
import { exportedLines, until } from '../fixtures/audit-files';
import { Audit } from './audit.service';
import { AuditExporter, auditFolder } from './exporter.service';
import { readPublicKey } from './signing-key';
import { linesOf } from './lines';
import { verifyChain } from './verify-chain';

let gateway: GatewayDatabase;
let dataDir: string;
let exporters: AuditExporter[];

beforeEach(async () => {
  gateway = await openGatewayDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'openclawmu-export-'));
  exporters = [];
});
afterEach(async () => {
  await Promise.all(exporters.map((exporter) => exporter.stop()));
  await gateway.close();
  await rm(dataDir, { recursive: true, force: true });
});

const admin = adminPrincipal();
const audit = new Audit();

function start(folder = dataDir, url = gateway.urls.gatewayUrl): AuditExporter {
  const exporter = new AuditExporter({
    databaseUrl: url,
    dataDir: folder,
    checkpointMs: () => 3_600_000,
    log: silentLog,
  });
  exporters.push(exporter);
  exporter.start();
  return exporter;
}

async function record(count: number): Promise<void> {
  for (let n = 0; n < count; n++)
    await gateway.database.platform(admin, (tx) =>
      audit.record(tx, {
        action: 'tenant.changed',
        tenant: 'finance',
        target: { kind: 'tenant', id: 'finance' },
        after: { n },
      }),
    );
}

const tableLines = () =>
  gateway.database.platform(admin, async (tx) =>
    (await tx.query<{ line: string }>('SELECT line FROM audit_records ORDER BY seq')).map(({ line }) => line),
  );
const caughtUp = (exporter: AuditExporter, seq: number) => until(() => exporter.status.seq >= seq);

describe('AuditExporter', () => {
  it('exports what was there and what comes', async () => {
    await record(3);
    const exporter = start();
    await caughtUp(exporter, 3);
    await record(2);
    await caughtUp(exporter, 5);
    expect(await exportedLines(dataDir)).toEqual(await tableLines());
  });

  it('signs a checkpoint at the end that anybody can verify', async () => {
    await record(3);
    const exporter = start();
    await caughtUp(exporter, 3);
    await exporter.stop();
    const publicKey = (await readPublicKey(dataDir)) ?? undefined;
    const checkpoints = linesOf(join(auditFolder(dataDir), 'checkpoints.jsonl'));
    expect(await verifyChain(await exportedLines(dataDir), { checkpoints, publicKey })).toMatchObject({
      ok: true,
      records: 3,
      checkpoints: 1,
      signatures: 'verified',
    });
    expect((await stat(join(dataDir, 'keys/audit-ed25519.pem'))).mode & 0o777).toBe(0o600);
  });

  it('keeps its key, and signs nothing twice', async () => {
    await record(1);
    for (let n = 0; n < 2; n++) {
      const exporter = start();
      await caughtUp(exporter, 1);
      await exporter.stop();
    }
    const [{ n }] = (await gateway.database.platform(admin, (tx) =>
      tx.query<{ n: bigint }>('SELECT count(*) AS n FROM audit_checkpoints'),
    )) as [{ n: bigint }];
    expect(n).toBe(1n);
  });

  it('leaves the work to one process and takes over when that ends', async () => {
    const first = start();
    await until(() => first.status.state === 'exporting');
    const second = start();
    await until(() => second.status.state === 'standby');
    await record(2);
    await caughtUp(first, 2);
    await first.stop();
    await record(2);
    await caughtUp(second, 4);
    expect(await exportedLines(dataDir)).toEqual(await tableLines());
  });

  it('exports into each data directory by itself', async () => {
    const other = join(dataDir, 'other');
    await record(2);
    await Promise.all([caughtUp(start(), 2), caughtUp(start(other), 2)]);
    expect(await exportedLines(other)).toEqual(await exportedLines(dataDir));
  });

  it('opens a new file after a log rotation', async () => {
    await record(1);
    const exporter = start();
    await caughtUp(exporter, 1);
    const name = `audit-${(await tableLines())[0]?.slice(17, 27)}.jsonl`;
    await rename(join(auditFolder(dataDir), name), join(auditFolder(dataDir), 'rotated'));
    exporter.reopen();
    await record(1);
    await caughtUp(exporter, 2);
    const rotated = await readFile(join(auditFolder(dataDir), 'rotated'), 'utf8');
    expect([...rotated.split('\n').slice(0, -1), ...(await exportedLines(dataDir))]).toEqual(await tableLines());
  });

  it('comes back after its connection was cut', async () => {
    const exporter = start();
    await until(() => exporter.status.state === 'exporting');
    await superuser(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%audit_%' AND pid <> pg_backend_pid()",
    );
    await record(2);
    await caughtUp(exporter, 2);
    expect(await exportedLines(dataDir)).toEqual(await tableLines());
  });

  it('halts when the database is older than the files, and writes nothing over', async () => {
    await record(3);
    const exporter = start();
    await caughtUp(exporter, 3);
    await exporter.stop();
    const before = await exportedLines(dataDir);
    const restored = await openGatewayDatabase();
    const again = start(dataDir, restored.urls.gatewayUrl);
    await until(() => again.status.state === 'halted');
    expect(again.status.reason).toContain('older than the files');
    await again.stop();
    expect(await exportedLines(dataDir)).toEqual(before);
    await restored.close();
  });

  it('halts at a record that was edited or removed before it was exported', async () => {
    await record(4);
    await superuser('UPDATE openclawmu.audit_records SET line = replace(line, \'"n":2\', \'"n":9\') WHERE seq = 3');
    const exporter = start();
    await until(() => exporter.status.state === 'halted');
    await exporter.stop();
    expect(await exportedLines(dataDir)).toHaveLength(2);
  });

  it('halts at a forged checkpoint', async () => {
    await record(1);
    const exporter = start();
    await caughtUp(exporter, 1);
    await exporter.stop();
    await superuser(
      'INSERT INTO openclawmu.audit_checkpoints SELECT 2, time, hash, key_id, signature FROM openclawmu.audit_checkpoints',
    );
    await record(2);
    const again = start();
    await caughtUp(again, 3);
    await again.stop();
    expect(again.status).toMatchObject({ state: 'halted', reason: expect.stringContaining('forged') as unknown });
  });

  it('goes on after a cursor that a crash spoilt', async () => {
    await record(2);
    const exporter = start();
    await caughtUp(exporter, 2);
    await exporter.stop();
    await writeFile(join(auditFolder(dataDir), 'cursor.json'), '');
    await record(1);
    await caughtUp(start(), 3);
    expect(await exportedLines(dataDir)).toEqual(await tableLines());
  });

  it('neither loses nor doubles a record when it is killed again and again', async () => {
    const recording = record(400);
    let done = false;
    void recording.then(() => (done = true));
    for (let round = 0; round < 4 || !done; round++) {
      const child = spawn(
        process.execPath,
        [join(__dirname, '../fixtures/exporter-process.cjs'), gateway.urls.gatewayUrl, dataDir],
        { stdio: ['ignore', 'pipe', 'ignore', 'ipc'] },
      );
      await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await recording;
    await caughtUp(start(), 400);
    expect(await exportedLines(dataDir)).toEqual(await tableLines());
  });
});

async function superuser(sql: string): Promise<void> {
  const { Client } = await import('pg');
  const client = new Client({ connectionString: gateway.urls.superuserUrl });
  await client.connect();
  await client.query(sql);
  await client.end();
}
