import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Audit } from '@app/audit';
import { Clock, Config, newId } from '@app/platform';
import { TenantLifecycle, TenantsService } from '@app/tenancy';
import { Client } from 'pg';
import { Registry } from 'prom-client';
import { stringify } from 'yaml';
import { eventually } from '../../../test/support/department';
import { openGatewayDatabase, silentLog, type GatewayDatabase } from '../../../test/support/gateway-database';
import { adminPrincipal, jobPrincipals, tenantPrincipal } from '../../../test/support/principals';
import type { PromptEntry } from './prompt-entry';
import { PromptLog } from './prompt-log.service';
import { PromptMetrics } from './prompt-metrics';
import { PromptReading } from './prompt-reading.service';
import { forgetDeletedTenants, PromptRetention } from './prompt-retention.service';
import type { PromptRow } from './prompts.queries';
import { PromptRecovery } from './spool/prompt-recovery.service';
import { Spool } from './spool/spool';
import { readRows } from './spool/spooled-row';

const admin = adminPrincipal();
const folder = mkdtempSync(join(tmpdir(), 'prompts-test-'));
const FILE = join(folder, 'gateway.yaml');
const PROMPT = 'the acquisition of Brightwater closes on Friday';
const [OLD, NEW] = [randomBytes(32), randomBytes(32)];
const [oldKey, newKey] = [
  { id: 'old', key: OLD.toString('base64') },
  { id: 'new', key: NEW.toString('base64') },
];

class TestClock extends Clock {
  at = new Date('2026-11-20T12:00:00Z');
  now(): Date {
    return this.at;
  }
}

let gateway: GatewayDatabase;
let owner: Client;
let config: Config;
let log: PromptLog;
let reading: PromptReading;
let tenants: TenantsService;
const clock = new TestClock();
const metrics = new PromptMetrics(new Registry());
const lifecycle = new TenantLifecycle();

const write = (promptLog: object): void =>
  writeFileSync(FILE, stringify({ promptLog: { enabled: true, ...promptLog } }));

beforeAll(async () => {
  gateway = await openGatewayDatabase();
  owner = new Client({ connectionString: gateway.urls.superuserUrl });
  await owner.connect();
  write({ keys: [oldKey], retentionDays: 2 });
  config = Config.load(FILE, {});
  log = new PromptLog(config, gateway.database, jobPrincipals, metrics, silentLog);
  reading = new PromptReading(config, gateway.database, new Audit());
  tenants = new TenantsService(gateway.database, clock, new Audit(), lifecycle);
  forgetDeletedTenants(lifecycle);
  for (const id of ['finance', 'legal']) await tenants.create(admin, { id, promptLog: true });
});
afterAll(async () => {
  await log.onApplicationShutdown();
  await owner.end();
  await gateway.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  write({ keys: [oldKey], retentionDays: 2 });
  config.reload();
  await owner.query('DELETE FROM openclawmu.prompt_log');
});

const entryOf = (fields: Partial<PromptEntry> = {}): PromptEntry => {
  const [request, answer] = [Buffer.from(`{"prompt":"${PROMPT}"}`), Buffer.from('{"answer":"who told you?"}')];
  return {
    requestId: newId('req'),
    tenantId: 'finance',
    at: clock.now(),
    tokenId: 'tok_1',
    model: 'm',
    api: 'chat',
    status: 200,
    requestBytes: request.length,
    answerBytes: answer.length,
    isWhole: true,
    request,
    answer,
    ...fields,
  };
};

async function kept(fields: Partial<PromptEntry> = {}): Promise<PromptEntry> {
  const entry = entryOf(fields);
  log.keep(entry);
  await eventually(
    async () =>
      (await owner.query('SELECT 1 FROM openclawmu.prompt_log WHERE request_id = $1', [entry.requestId])).rowCount,
    (count) => count === 1,
  );
  return entry;
}

const records = async (): Promise<string[]> => {
  const text = "SELECT line FROM openclawmu.audit_records WHERE action LIKE 'prompt%' ORDER BY seq";
  return (await owner.query<{ line: string }>(text)).rows.map(({ line }) => line);
};

test('keeps ciphertext only, and gives an administrator what it was, with a record', async () => {
  const { requestId, request, answer } = await kept();
  const { rows } = await owner.query<Record<string, unknown>>('SELECT * FROM openclawmu.prompt_log');
  const stored = rows.flatMap((row) =>
    Object.values(row).map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(String(value)))),
  );
  for (const word of [PROMPT, 'Brightwater', 'who told you']) expect(Buffer.concat(stored).includes(word)).toBe(false);
  const before = (await records()).length;
  expect(await reading.show(admin, requestId)).toMatchObject({
    requestId,
    tenant: 'finance',
    keyId: 'old',
    request: request.toString(),
    answer: answer.toString(),
  });
  expect((await records()).slice(before)).toEqual([expect.stringContaining(requestId)]);
  expect((await records()).join()).not.toContain('Brightwater');
});

test('lists a tenant’s, newest first, in pages, without the texts', async () => {
  const ids: string[] = [];
  for (const minute of [1, 2, 3]) ids.push((await kept({ at: new Date(Date.UTC(2026, 10, 20, 1, minute)) })).requestId);
  await kept({ tenantId: 'legal' });
  const first = await reading.list(admin, { tenant: 'finance', limit: 2 });
  const cursor = first.nextCursor as string;
  const second = await reading.list(admin, { tenant: 'finance', limit: 2, cursor });
  expect([...first.items, ...second.items].map(({ requestId }) => requestId)).toEqual(ids.toReversed());
  expect(JSON.stringify(first)).not.toContain('Brightwater');
  const within = { tenant: 'finance', limit: 9, from: '2026-11-20T01:02:00Z', to: '2026-11-20T01:03:00Z' };
  expect((await reading.list(admin, within)).items.map(({ requestId }) => requestId)).toEqual([ids[1]]);
});

test.each(['tenant_id', 'model', 'at', 'key_id', 'status'])(
  'does not open a row whose %s was altered',
  async (column) => {
    const { requestId } = await kept();
    write({ keys: [oldKey, { ...oldKey, id: 'x' }] });
    config.reload();
    const other = { tenant_id: "'legal'", model: "'other'", at: "at + interval '1 ms'", key_id: "'x'", status: '201' }[
      column
    ];
    await owner.query(`UPDATE openclawmu.prompt_log SET ${column} = ${other}`);
    const before = (await records()).length;
    await expect(reading.show(admin, requestId)).rejects.toMatchObject({ code: 'prompt_damaged' });
    expect(await records()).toHaveLength(before);
  },
);

test('with another key under the same id it does not open, without the key it says which is missing', async () => {
  const { requestId } = await kept();
  write({ keys: [{ ...newKey, id: 'old' }] });
  config.reload();
  await expect(reading.show(admin, requestId)).rejects.toMatchObject({ code: 'prompt_damaged' });
  write({ keys: [newKey] });
  config.reload();
  await expect(reading.show(admin, requestId)).rejects.toMatchObject({
    code: 'prompt_key_missing',
    message: expect.stringContaining('"old"'),
  });
});

test('a new key encrypts from now on, and the old one opens what was before', async () => {
  const before = await kept();
  write({ keys: [newKey, oldKey] });
  config.reload();
  const after = await kept();
  expect(await reading.show(admin, before.requestId)).toMatchObject({ keyId: 'old' });
  expect(await reading.show(admin, after.requestId)).toMatchObject({ keyId: 'new' });
});

test('entries go when the days are over that they may stay', async () => {
  const days = [17, 18, 20];
  for (const day of days) await kept({ at: new Date(Date.UTC(2026, 10, day, 23)) });
  const retention = new PromptRetention(config, gateway.database, jobPrincipals, clock, silentLog);
  expect(await retention.expire()).toBe(1);
  const { rows } = await owner.query<{ at: Date }>('SELECT at FROM openclawmu.prompt_log ORDER BY at');
  expect(rows.map(({ at }) => at.getUTCDate())).toEqual([18, 20]);
});

test('a deleted tenant’s entries go with it, and none comes after', async () => {
  await tenants.create(admin, { id: 'gone', promptLog: true });
  await kept({ tenantId: 'gone' });
  await tenants.delete(admin, 'gone');
  log.keep(entryOf({ tenantId: 'gone' }));
  await kept();
  const { rows } = await owner.query<{ tenant_id: string }>('SELECT DISTINCT tenant_id FROM openclawmu.prompt_log');
  expect(rows).toEqual([{ tenant_id: 'finance' }]);
});

test('an entry that is written while its tenant is being deleted does not stay', async () => {
  await tenants.create(admin, { id: 'going', promptLog: true });
  const slow = new TenantLifecycle();
  forgetDeletedTenants(slow);
  const written: Promise<PromptEntry>[] = [];
  slow.register({
    name: 'write an entry',
    onDelete: async () => {
      log.keep(entryOf({ tenantId: 'going' }));
      written.push(kept());
      await waitsForAnother('SELECT id FROM tenants');
    },
  });
  await new TenantsService(gateway.database, clock, new Audit(), slow).delete(admin, 'going');
  await Promise.all(written);
  const { rows } = await owner.query<{ tenant_id: string }>('SELECT DISTINCT tenant_id FROM openclawmu.prompt_log');
  expect(rows).toEqual([{ tenant_id: 'finance' }]);
});

/** Resolves when a statement that begins so waits for another transaction to end. */
const waitsForAnother = (statement: string): Promise<unknown> =>
  eventually(
    async () =>
      (
        await owner.query(
          "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1",
          [`${statement}%`],
        )
      ).rowCount,
    (count) => count === 1,
  );

test('no tenant reads anything of it, nor does anybody change an entry', async () => {
  await kept();
  const asTenant = gateway.database.tenant(tenantPrincipal('finance'), (tx) => tx.query('SELECT 1 FROM prompt_log'));
  await expect(asTenant).rejects.toThrow(/permission denied/);
  const asPlatform = gateway.database.platform(admin, (tx) => tx.query("UPDATE prompt_log SET model = 'x'"));
  await expect(asPlatform).rejects.toThrow(/permission denied/);
  const bySetting = gateway.database.tenant(tenantPrincipal('finance'), (tx) =>
    tx.query('UPDATE tenants SET prompt_log = false'),
  );
  await expect(bySetting).rejects.toThrow(/permission denied/);
});

test('an entry that the database refuses takes no other with it', async () => {
  const others = Array.from({ length: 3 }, () => entryOf());
  // The first is under way alone; the others wait together behind it.
  for (const entry of [entryOf(), others[0], entryOf({ model: 'a\0b' }), others[1], others[2]])
    log.keep(entry as PromptEntry);
  await eventually(
    async () => (await owner.query('SELECT 1 FROM openclawmu.prompt_log')).rowCount,
    (count) => count === 4,
  );
  await kept();
});

test('what has no room is lost and counted, and waits for nobody', async () => {
  const registry = new Registry();
  write({ keys: [oldKey], queueBytes: 1_048_576 });
  const small = new PromptLog(
    Config.load(FILE, {}),
    gateway.database,
    jobPrincipals,
    new PromptMetrics(registry),
    silentLog,
  );
  for (let i = 0; i < 3; i++) small.keep(entryOf({ request: Buffer.alloc(500_000) }));
  expect(await registry.metrics()).toContain('openclawmu_prompt_log_lost_total 1');
  await small.onApplicationShutdown();
  expect((await owner.query('SELECT 1 FROM openclawmu.prompt_log')).rowCount).toBe(2);
});

describe('what is noted until it is written', () => {
  const spools = join(folder, 'data', 'prompts');
  const ended = new Set<string>();
  const heir = { id: 'heir', hasEnded: (id: string) => Promise.resolve(ended.has(id)) };
  const stored = async (): Promise<string[]> =>
    (await owner.query<{ request_id: string }>('SELECT request_id FROM openclawmu.prompt_log')).rows.map(
      (row) => row.request_id,
    );
  const recoveryCountedIn = (registry: Registry): PromptRecovery =>
    new PromptRecovery(config, gateway.database, jobPrincipals, new PromptMetrics(registry), silentLog);
  const bytesOf = (dir: string): Buffer => Buffer.concat(readdirSync(dir).map((name) => readFileSync(join(dir, name))));

  test('is sealed, survives its process, and is written by another once that has ended', async () => {
    const registry = new Registry();
    const recovery = recoveryCountedIn(registry);
    const dying = new PromptLog(config, gateway.database, jobPrincipals, metrics, silentLog);
    dying.start({ id: 'dying' });
    const [begun, over] = [entryOf({ status: 0, isWhole: false, answer: Buffer.alloc(0), answerBytes: 0 }), entryOf()];
    dying.note(begun);
    dying.note({ ...over, status: 0, isWhole: false, answer: Buffer.alloc(0), answerBytes: 0 });
    dying.note(over);
    expect(bytesOf(join(spools, 'dying')).includes('Brightwater')).toBe(false);
    await recovery.sweep(heir);
    expect(await stored()).toEqual([]);

    ended.add('dying');
    await recovery.sweep(heir);
    expect((await stored()).sort()).toEqual([begun.requestId, over.requestId].sort());
    expect(await reading.show(admin, over.requestId)).toMatchObject({
      ...{ status: 200, whole: true, request: over.request.toString(), answer: over.answer.toString() },
    });
    expect(await reading.show(admin, begun.requestId)).toMatchObject({
      ...{ status: 0, whole: false, request: begun.request.toString(), answer: '' },
    });
    expect(existsSync(join(spools, 'dying'))).toBe(false);
    expect(await registry.metrics()).toContain('openclawmu_prompt_log_recovered_total 2');
  });

  test('a damaged file gives what stands before the damage, and what cannot be read is counted', async () => {
    const registry = new Registry();
    const recovery = recoveryCountedIn(registry);
    const dying = new PromptLog(config, gateway.database, jobPrincipals, metrics, silentLog);
    dying.start({ id: 'hurt' });
    const entries = [entryOf(), entryOf()];
    for (const entry of entries) dying.note(entry);
    const file = join(spools, 'hurt', readdirSync(join(spools, 'hurt'))[0] as string);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    writeFileSync(file, bytes);
    ended.add('hurt');
    await recovery.sweep(heir);
    expect(await stored()).toEqual([entries[0]?.requestId]);
    expect(await registry.metrics()).toContain('openclawmu_prompt_log_lost_total 1');
    expect(existsSync(join(spools, 'hurt'))).toBe(false);
  });

  test('nothing stays on disk of what is written, has no room, or is of a process that ended in order', async () => {
    const orderly = new PromptLog(config, gateway.database, jobPrincipals, metrics, silentLog);
    orderly.start({ id: 'orderly' });
    const entry = entryOf();
    orderly.keep(entry);
    expect(readRows(bytesOf(join(spools, 'orderly'))).rows).toHaveLength(1);
    await eventually(stored, (ids) => ids.includes(entry.requestId));
    await eventually(
      () => Promise.resolve(bytesOf(join(spools, 'orderly'))),
      ({ length }) => length === 0,
    );
    orderly.keep(entryOf({ request: Buffer.alloc(config.current.promptLog.queueBytes + 1) }));
    expect(bytesOf(join(spools, 'orderly'))).toHaveLength(0);
    await orderly.onApplicationShutdown();
    expect(existsSync(join(spools, 'orderly'))).toBe(false);
  });

  const row = (requestId: string, bytes = 100): PromptRow => {
    const { request: _, answer: __, ...head } = entryOf({ requestId });
    return { ...head, keyId: 'old', wrappedKey: Buffer.alloc(60), sealed: Buffer.alloc(bytes) };
  };
  const idsIn = (dir: string): string[] =>
    readdirSync(dir).flatMap((name) => readRows(readFileSync(join(dir, name))).rows.map(({ requestId }) => requestId));

  test('a call that lasts keeps one file, not all that come after it', () => {
    const dir = join(spools, 'files');
    const spool = new Spool(dir, silentLog, 1);
    spool.note(row('lasting'));
    for (const id of ['a', 'b', 'c']) {
      spool.note(row(id));
      spool.done(id);
    }
    expect(idsIn(dir)).toEqual(['lasting']);
    spool.note(row('lasting', 200));
    expect(idsIn(dir)).toEqual(['lasting']);
    spool.done('lasting');
    expect(idsIn(dir)).toEqual([]);
    spool.close();
    expect(existsSync(dir)).toBe(false);
  });

  test('a full disk is no fault of the call', () => {
    const dir = join(spools, 'full');
    mkdirSync(dir);
    symlinkSync('/dev/full', join(dir, '00000001.sealed'));
    const spool = new Spool(dir, silentLog);
    expect(spool.note(row('a'))).toBe(false);
    expect(spool.has('a')).toBe(false);
    expect(spool.note(row('b'))).toBe(true);
    expect(readRows(readFileSync(join(dir, '00000002.sealed'))).rows).toMatchObject([{ requestId: 'b' }]);
  });
});
