import { Client } from 'pg';
import { Audit } from '@app/audit';
import { Clock, CodedError, SystemClock, type Database } from '@app/platform';
import { openGatewayDatabase, silentLog, type GatewayDatabase } from '../../../../test/support/gateway-database';
import { adminPrincipal, jobPrincipals } from '../../../../test/support/principals';
import { TenantLifecycle } from '../tenants/tenant-lifecycle';
import { TenantsService } from '../tenants/tenants.service';
import { tokenHash } from '../tokens/token-text';
import { TokensService } from '../tokens/tokens.service';
import type { KnownToken } from './known-token';
import { TokenDirectory } from './token-directory.service';
import { TokenLookup } from './token-lookup.service';

/** Changes are made through this process's services; the directory under test lives in another one. */
const admin = adminPrincipal();
let gateway: GatewayDatabase;
let tenants: TenantsService;
let tokens: TokensService;
const closing: (() => unknown)[] = [];

class ShiftedClock extends Clock {
  aheadMs = 0;
  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }
}

/** Counts the statements that reach the database, which are real all the same. */
class CountingLookup extends TokenLookup {
  statements = 0;
  /** Runs once between reading a token and answering. */
  holdBack: (() => Promise<void>) | null = null;

  constructor(db: Database) {
    super(
      {
        platform: (...call: Parameters<Database['platform']>) => {
          this.statements++;
          return db.platform(...call);
        },
      } as Database,
      jobPrincipals,
    );
  }

  /** Whether tokens that changed can be read again. */
  rereads = true;
  /** Runs once between reading changed tokens and answering. */
  holdBackRereading: (() => Promise<unknown>) | null = null;

  override async byIds(tokenIds: readonly string[]): ReturnType<TokenLookup['byIds']> {
    if (!this.rereads) throw new CodedError('database_unavailable');
    const facts = await super.byIds(tokenIds);
    const { holdBackRereading } = this;
    this.holdBackRereading = null;
    await holdBackRereading?.();
    return facts;
  }

  override async byHash(tenantId: string, hash: string): ReturnType<TokenLookup['byHash']> {
    const facts = await super.byHash(tenantId, hash);
    const { holdBack } = this;
    this.holdBack = null;
    await holdBack?.();
    return facts;
  }
}

beforeAll(async () => {
  gateway = await openGatewayDatabase();
  const clock = new SystemClock();
  tenants = new TenantsService(gateway.database, clock, new Audit(), new TenantLifecycle());
  tokens = new TokensService(gateway.database, clock, new Audit());
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(() => gateway.close());

/** Runs SQL as the superuser, whom nothing of ours stops or notices. */
async function asSuperuser(...statements: string[]): Promise<number | null> {
  const superuser = new Client({ connectionString: gateway.urls.superuserUrl });
  await superuser.connect();
  try {
    let rowCount: number | null = 0;
    for (const sql of statements) ({ rowCount } = await superuser.query(sql));
    return rowCount;
  } finally {
    await superuser.end();
  }
}

let serial = 0;
async function newTenant(): Promise<string> {
  const id = `t${++serial}`;
  await tenants.create(admin, { id });
  return id;
}

async function startDirectory() {
  const { database, changes } = await gateway.otherProcess();
  const clock = new ShiftedClock();
  const lookup = new CountingLookup(database);
  const directory = new TokenDirectory(lookup, changes, clock, silentLog);
  directory.onModuleInit();
  closing.push(() => directory.onModuleDestroy());
  const ended: string[] = [];
  directory.onEnded({ uses: () => false, ended: ({ tokenId }, reason) => void ended.push(`${tokenId} ${reason}`) });
  const find = (text: string, tenantId: string): ReturnType<TokenDirectory['find']> =>
    directory.find(tenantId, tokenHash(text));
  return { directory, clock, lookup, database, changes, ended, find };
}

/** The promise of the product: within a second. Twice that before we say it is broken, because test machines are slow. */
async function soon(check: () => unknown): Promise<void> {
  const deadline = Date.now() + 2_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within two seconds: ${check.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('finds a token, once in the database and then synchronously in memory', async () => {
  const tenant = await newTenant();
  await tenants.change(admin, tenant, {
    allowedModels: ['claude-*'],
    settings: { clampOutput: true, cacheSeconds: 60 },
  });
  const made = await tokens.create(admin, tenant, { label: 'ci', role: 'owner', allowedModels: ['claude-x', 'gpt-5'] });
  const { find, lookup } = await startDirectory();
  const first = find(made.token, tenant);
  expect(first).toBeInstanceOf(Promise);
  const known: KnownToken = {
    tokenId: made.id,
    lineage: made.id,
    tenantId: tenant,
    label: 'ci',
    role: 'owner',
    allowedModels: ['claude-x'],
    clampsOutput: true,
    keepsPrompts: false,
    cacheSeconds: 60,
    expiresAt: null,
    tenantStatus: 'active',
  };
  expect(await first).toEqual(known);
  expect(find(made.token, tenant)).toEqual(known);
  expect(lookup.statements).toBe(1);
});

test('a token is not found under another tenant’s name, before and after it is known', async () => {
  const [a, b] = [await newTenant(), await newTenant()];
  const made = await tokens.create(admin, a, { label: 'a' });
  const { find } = await startDirectory();
  expect(await find(made.token, b)).toBeUndefined();
  expect(await find(made.token, a)).toMatchObject({ tenantId: a });
  expect(find(made.token, b)).toBeUndefined();
  expect(find(made.token, a)).toMatchObject({ tenantId: a });
});

test('many requests with one new token cost one statement', async () => {
  const tenant = await newTenant();
  const made = await tokens.create(admin, tenant, { label: 'x' });
  const { find, lookup } = await startDirectory();
  const found = await Promise.all(Array.from({ length: 100 }, async () => find(made.token, tenant)));
  expect(found.every((token) => token?.tokenId === made.id)).toBe(true);
  expect(lookup.statements).toBe(1);
});

test('a flood of made-up tokens is few statements, the second time none, and good tokens stay', async () => {
  const tenant = await newTenant();
  const made = await tokens.create(admin, tenant, { label: 'x' });
  const { find, lookup } = await startDirectory();
  await find(made.token, tenant);
  const flood = Array.from({ length: 4_000 }, (_, i) => [`tk_t_${i}`, i % 2 ? tenant : `nobody${i}`] as const);
  const before = lookup.statements;
  const answers = await Promise.all(flood.map(async ([text, claimed]) => find(text, claimed)));
  expect(answers.every((answer) => answer === undefined)).toBe(true);
  expect(lookup.statements - before).toBeLessThanOrEqual(10);
  const after = lookup.statements;
  for (const [text, claimed] of flood) expect(find(text, claimed)).toBeUndefined();
  expect(find(made.token, tenant)).toMatchObject({ tokenId: made.id });
  expect(lookup.statements).toBe(after);
});

test('hears of every change another process makes', async () => {
  const tenant = await newTenant();
  const made = await tokens.create(admin, tenant, { label: 'x' });
  const { find, ended } = await startDirectory();
  await find(made.token, tenant);

  await tenants.change(admin, tenant, { allowedModels: ['gpt-*'] });
  await soon(async () => (await find(made.token, tenant))?.allowedModels?.[0] === 'gpt-*');
  expect(ended).toEqual([]);

  await tenants.suspend(admin, tenant);
  await soon(() => ended.length === 1);
  expect(await find(made.token, tenant)).toMatchObject({ tenantStatus: 'suspended' });
  await tenants.resume(admin, tenant);
  await soon(async () => (await find(made.token, tenant))?.tenantStatus === 'active');

  await tokens.revoke(admin, tenant, made.id);
  await soon(() => ended.length === 2);
  expect(await find(made.token, tenant)).toBeUndefined();
  expect(ended).toEqual([`${made.id} tenant_suspended`, `${made.id} token_revoked`]);
});

test('hears that a tenant is deleted, for all of its tokens', async () => {
  const tenant = await newTenant();
  const made = [await tokens.create(admin, tenant, { label: '1' }), await tokens.create(admin, tenant, { label: '2' })];
  const { find, ended } = await startDirectory();
  for (const { token } of made) await find(token, tenant);
  await tenants.delete(admin, tenant);
  await soon(() => ended.length === 2);
  expect(ended.sort()).toEqual(made.map(({ id }) => `${id} tenant_deleted`).sort());
});

test('a new token works at once, although it was asked for before it existed', async () => {
  const tenant = await newTenant();
  const { find } = await startDirectory();
  expect(await find('tk_x', tenant)).toBeUndefined();
  const made = await tokens.create(admin, tenant, { label: 'new' });
  expect(await find(made.token, tenant)).toMatchObject({ tokenId: made.id });
});

test('rotation without grace ends the old token; with grace it ends when that is over', async () => {
  const tenant = await newTenant();
  const first = await tokens.create(admin, tenant, { label: 'x' });
  const { find, ended, clock } = await startDirectory();
  await find(first.token, tenant);
  const second = await tokens.rotate(admin, tenant, first.id, {});
  await soon(() => ended.length === 1);
  await find(second.token, tenant);

  await tokens.rotate(admin, tenant, second.id, { gracePeriodSeconds: 3_600 });
  await soon(async () => (await find(second.token, tenant))?.expiresAt !== null);
  expect(ended).toEqual([`${first.id} token_revoked`]);
  clock.aheadMs = 3_601_000;
  expect(await find(second.token, tenant)).toBeUndefined();
  await soon(() => ended.length === 2);
  expect(ended[1]).toBe(`${second.id} token_revoked`);
});

test('an expiry that passes is noticed by the next request at once, and told to those with something open', async () => {
  const tenant = await newTenant();
  const made = await tokens.create(admin, tenant, {
    label: 'x',
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
  });
  const { find, ended, clock } = await startDirectory();
  await find(made.token, tenant);
  expect(find(made.token, tenant)).toMatchObject({ tokenId: made.id });
  clock.aheadMs = 60_001;
  expect(await find(made.token, tenant)).toBeUndefined();
  await soon(() => ended.length === 1);
  expect(ended).toEqual([`${made.id} token_expired`]);
});

test('a change is noticed though its notification was lost with the connection', async () => {
  const tenant = await newTenant();
  const made = await tokens.create(admin, tenant, { label: 'x' });
  const { find, ended } = await startDirectory();
  await find(made.token, tenant);
  const cut = await asSuperuser(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%change_counters%'`,
  );
  expect(cut).toBeGreaterThan(0);
  await tokens.revoke(admin, tenant, made.id);
  await soon(() => ended.length === 1);
  expect(await find(made.token, tenant)).toBeUndefined();
});

test('a notification that never comes is made up for by the counters', async () => {
  const tenant = await newTenant();
  const made = await tokens.create(admin, tenant, { label: 'x' });
  const { find, ended } = await startDirectory();
  await find(made.token, tenant);
  await asSuperuser(
    `UPDATE openclawmu.tokens SET revoked_at = now() WHERE id = '${made.id}'`,
    "UPDATE openclawmu.change_counters SET n = n + 1 WHERE kind = 'token'",
  );
  await soon(() => ended.length === 1);
  expect(await find(made.token, tenant)).toBeUndefined();
});

test('without the database known tokens go on working and unknown ones are answered as unavailable', async () => {
  const tenant = await newTenant();
  const known = await tokens.create(admin, tenant, { label: '1' });
  const unknown = await tokens.create(admin, tenant, { label: '2' });
  const { find } = await startDirectory();
  await find(known.token, tenant);
  await asSuperuser(
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 0', current_database()); END $$",
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  try {
    await expect(find(unknown.token, tenant)).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(find(known.token, tenant)).toMatchObject({ tokenId: known.id });
  } finally {
    await asSuperuser(
      "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT -1', current_database()); END $$",
    );
  }
  expect(await find(unknown.token, tenant)).toMatchObject({ tokenId: unknown.id });
});

test('a token known to have changed lets nobody in before it was read again', async () => {
  const tenant = await newTenant();
  const made = await tokens.create(admin, tenant, { label: 'x' });
  const { lookup, find, ended } = await startDirectory();
  await find(made.token, tenant);
  lookup.rereads = false;
  await tokens.revoke(admin, tenant, made.id);
  await soon(() => find(made.token, tenant) === undefined || find(made.token, tenant) instanceof Promise);
  expect(await find(made.token, tenant)).toBeUndefined();
  expect(ended).toEqual([`${made.id} token_revoked`]);
});

test('a request that began before its token ended can ask whether it still may', async () => {
  const tenant = await newTenant();
  const made = await tokens.create(admin, tenant, { label: 'x' });
  const { directory, find, ended } = await startDirectory();
  await find(made.token, tenant);
  expect(directory.hasEnded(made.id)).toBe(false);
  await tenants.suspend(admin, tenant);
  await soon(() => ended.length === 1);
  expect(directory.hasEnded(made.id)).toBe(true);
  await tenants.resume(admin, tenant);
  await soon(() => !directory.hasEnded(made.id));
});

test('what was read before a change does not outlive it', async () => {
  const tenant = await newTenant();
  const made = await tokens.create(admin, tenant, { label: 'x' });
  const { lookup, changes, find, ended } = await startDirectory();
  const heard = new Promise<void>((resolve) =>
    changes.on('token', { changed: (id) => id === made.id && resolve(), reset: () => undefined }),
  );
  lookup.holdBack = async () => {
    await tokens.revoke(admin, tenant, made.id);
    await heard;
  };
  expect(await find(made.token, tenant)).toBeUndefined();
  expect(find(made.token, tenant)).toBeUndefined();
  expect(ended).toEqual([]);
});

test('a revocation among more changes than are remembered is told all the same', async () => {
  const { lookup, changes, ended, find } = await startDirectory();
  const tenant = await newTenant();
  const made = await tokens.create(admin, tenant, { label: 'one of many' });
  expect(await find(made.token, tenant)).toMatchObject({ tokenId: made.id });
  const heard = new Set<string>();
  changes.on('token', { changed: (id) => void heard.add(id), reset: () => undefined });
  lookup.holdBackRereading = async () => {
    await asSuperuser(
      'SET search_path = openclawmu',
      `SELECT announce_change('token', 'tok_other' || n) FROM generate_series(1, 1001) n`,
    );
    await soon(() => heard.has('tok_other1001'));
  };
  await tokens.revoke(admin, tenant, made.id);
  await soon(() => ended.includes(`${made.id} token_revoked`));
});
