import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DeliveryWorld } from '../../test/delivery-world';
import type { LedgerRow } from '../ledger/ledger-row';
import { requestId } from '../reports/usage-record';
import { verifyStatements } from '../statements/verify-statements';

const sha256 = (text = ''): string => createHash('sha256').update(text).digest('hex');
const DAY_MS = 86_400_000;

interface Manifest {
  readonly schema: string;
  readonly rows: number;
  readonly sha256: string;
  readonly asOf: string;
  readonly revision: number;
  readonly revisions: { readonly revision: number; readonly rows: number; readonly sha256: string }[];
  readonly totals: { readonly requests: number };
}

describe('deliveries', () => {
  let world: DeliveryWorld;
  beforeEach(async () => {
    world = await DeliveryWorld.open();
    await world.billing.addTenant('alpha', 'CC-1');
    await world.billing.addTenant('beta');
    await world.billing.priceAt({ 'gpt-4o': ['2.5', '10'] });
    // The wall clock is 12:00 in Berlin, so that "yesterday" is the same throughout a test.
    world.billing.clock.advance(noon().getTime() - Date.now());
  });
  afterEach(() => world.close());

  /** Noon of a day that is certainly not in the future of the database's clock. */
  const noon = (): Date => new Date(`${new Date(Date.now() - DAY_MS).toISOString().slice(0, 10)}T11:00:00Z`);
  /** The name of the day so many days before the clock's. */
  const day = (ago: number): string => new Date(noon().getTime() - ago * DAY_MS).toISOString().slice(0, 10);
  const row = (ago: number, fields: Partial<LedgerRow> = {}): LedgerRow =>
    world.billing.row({ at: new Date(noon().getTime() - ago * DAY_MS), tenantId: 'alpha', ...fields });
  const csvOf = (ago: number, tenant = ''): string =>
    `usage-daily/2/dt=${day(ago)}/${tenant}usage-daily-${day(ago)}.csv`;
  const manifestPath = (csv: string): string => csv.replace(/([^/]+)\.csv$/, '_$1.manifest.json');
  const manifestOf = async (csv: string): Promise<Manifest> =>
    JSON.parse((await world.files())[manifestPath(csv)] ?? 'null') as Manifest;

  it('writes the day that is over, with a manifest that its bytes agree with', async () => {
    await world.billing.book(row(1), row(1, { tenantId: 'beta' }), row(0), row(2));
    world.configure({});
    await world.runner.carryOutDue();
    const files = await world.files();
    expect(Object.keys(files)).toEqual([manifestPath(csvOf(1)), csvOf(1)].sort());
    const csv = files[csvOf(1)] ?? '';
    expect(csv.split('\r\n').map((line) => line.split(',').slice(0, 2).join())).toEqual([
      'day,tenant',
      `${day(1)},alpha`,
      `${day(1)},beta`,
      '',
    ]);
    expect(await manifestOf(csvOf(1))).toMatchObject({
      schema: 'usage-daily/2',
      filename: `usage-daily-${day(1)}.csv`,
      period: day(1),
      timeZone: 'Europe/Berlin',
      tenant: null,
      rows: 2,
      bytes: Buffer.byteLength(csv),
      sha256: sha256(csv),
      totals: { requests: 2 },
      revision: 1,
    });
    expect(await world.history()).toEqual([['done', day(1), 1, 0]]);
  });

  it('writes a file for each tenant where that is asked for, and for one', async () => {
    await world.billing.book(row(1), row(1, { tenantId: 'beta' }));
    world.configure({ each: true }, { name: 'one', report: 'detail', tenant: 'beta' });
    await world.runner.carryOutDue();
    const one = `usage-detail/3/dt=${day(1)}/tenant_id=beta/usage-detail-${day(1)}.csv`;
    const all = [csvOf(1, 'tenant_id=alpha/'), csvOf(1, 'tenant_id=beta/'), one];
    expect(Object.keys(await world.files())).toEqual([...all, ...all.map(manifestPath)].sort());
    expect((await world.files())[one]).not.toContain(',alpha,');
  });

  it('says that nothing was used, rather than to say nothing', async () => {
    world.configure({});
    await world.runner.carryOutDue();
    expect(await manifestOf(csvOf(1))).toMatchObject({ rows: 0, revision: 1 });
  });

  it('writes the same bytes again, whatever was booked for other days since', async () => {
    await world.billing.book(row(1));
    world.configure({});
    await world.runner.carryOutDue();
    const before = await world.files();
    await world.billing.book(row(0), row(5));
    await rm(join(world.folder, 'usage-daily'), { recursive: true });
    await world.deliveries.request(world.billing.admin, 'warehouse', { period: day(1) });
    await world.runner.carryOutDue();
    expect(await world.files()).toEqual(before);
    expect(await world.history()).toEqual([
      ['done', day(1), 1, 0],
      ['done', day(1), 1, 0],
    ]);
  });

  it('delivers a day again, as the next revision, when rows of it came late', async () => {
    await world.billing.book(row(1), row(2));
    world.configure({});
    await world.runner.carryOutDue();
    const first = await manifestOf(csvOf(1));
    // The day before was never delivered, so what comes late for it is none of this delivery's.
    await world.billing.book(row(1, { model: 'gpt-4o', costCenter: 'CC-9' } as Partial<LedgerRow>), row(2));
    world.billing.clock.advance(DAY_MS);
    await world.runner.carryOutDue();

    const csv = (await world.files())[csvOf(1)];
    const second = await manifestOf(csvOf(1));
    expect(second).toMatchObject({ revision: 2, sha256: sha256(csv), totals: { requests: 2 } });
    expect(second.revisions.map(({ revision, sha256: hash }) => [revision, hash])).toEqual([
      [1, first.sha256],
      [2, sha256(csv)],
    ]);
    expect(await manifestOf(csvOf(2))).toBeNull();
    expect(await world.history()).toEqual([
      ['done', day(1), 1, 0],
      ['done', day(0), 2, 1],
    ]);

    world.billing.clock.advance(DAY_MS);
    await world.runner.carryOutDue();
    expect((await manifestOf(csvOf(1))).revision).toBe(2);
  });

  it.each(['daily', 'detail', 'focus'] as const)(
    'delivers %s again when all that came is a correction',
    async (report) => {
      world.billing.booking.budgets({ recount: () => Promise.resolve() });
      const [called, late] = [row(40), row(40)];
      await world.billing.book(called);
      world.configure({ report });
      const period = report === 'focus' ? day(40).slice(0, 7) : day(40);
      const again = async (): Promise<unknown> => {
        await world.deliveries.request(world.billing.admin, 'warehouse', { period });
        await world.runner.carryOutDue();
        const paths = Object.entries(await world.files()).filter(([path]) => path.includes(`-${period}.manifest`));
        return JSON.parse(paths[0]?.[1] ?? 'null') as unknown;
      };
      expect(await again()).toMatchObject({ revision: 1, totals: { requests: 1 } });
      const reason = 'Invoice, line 17';
      await world.billing.corrections.correct(world.billing.admin, requestId(called.id), {
        tokens: { input: 1, output: 1 },
        reason,
      });
      expect(await again()).toMatchObject({ revision: 2, totals: { requests: 1 } });
      await world.billing.book(late);
      expect(await again()).toMatchObject({ revision: 3, totals: { requests: 2 } });
    },
  );

  it('delivers what it had in the columns of an older version anew, beside it', async () => {
    await world.billing.book(row(1));
    world.configure({});
    await world.runner.carryOutDue();
    const older = "UPDATE delivered_reports SET schema = 'usage-daily/1', sha256 = repeat('0', 64), revision = 3";
    await world.billing.asSuperuser(older);
    await world.deliveries.request(world.billing.admin, 'warehouse', { period: day(1) });
    await world.runner.carryOutDue();
    expect(await manifestOf(csvOf(1))).toMatchObject({ schema: 'usage-daily/2', rows: 1, revision: 1 });
    expect(await world.history()).toEqual([
      ['done', day(1), 1, 0],
      ['done', day(1), 1, 0],
    ]);
  });

  it('catches up the days it was down for, and those that came late for each tenant', async () => {
    world.configure({ each: true });
    await world.billing.book(row(3));
    world.billing.clock.advance(-2 * DAY_MS);
    await world.runner.carryOutDue();
    await world.billing.book(row(3, { tenantId: 'beta' }), row(2), row(1));
    world.billing.clock.advance(2 * DAY_MS);
    await world.runner.carryOutDue();
    const csvs = Object.keys(await world.files()).filter((path) => path.endsWith('.csv'));
    expect(csvs).toEqual(
      [
        csvOf(3, 'tenant_id=alpha/'),
        csvOf(3, 'tenant_id=beta/'),
        csvOf(2, 'tenant_id=alpha/'),
        csvOf(1, 'tenant_id=alpha/'),
      ].sort(),
    );
    expect(await world.history()).toEqual([
      ['done', day(3), 1, 0],
      ['done', day(2), 2, 0],
      ['done', day(1), 1, 0],
    ]);
  });

  it('carries out a run once, however many processes look', async () => {
    await world.billing.book(row(1));
    world.configure(
      {},
      { name: 'second', report: 'detail' },
      { name: 'third', report: 'focus', schedule: '0 0 1 * *' },
    );
    const processes = [world.runner, world.process(), world.process()];
    await Promise.all(processes.map((each) => each.carryOutDue()));
    const { items } = await world.deliveries.runs(world.billing.admin, { limit: 200 });
    expect(items.map(({ delivery, state, attempts }) => [delivery, state, attempts]).sort()).toEqual([
      ['second', 'done', 1],
      ['third', 'done', 1],
      ['warehouse', 'done', 1],
    ]);
  });

  it('takes over a run whose process is gone, and not one that lives', async () => {
    world.configure({});
    await world.billing.book(row(1));
    await world.runs.add([{ delivery: 'warehouse', slot: noon(), period: day(1), requestedBy: null }]);
    const dead = await world.runs.claim(['warehouse']);
    expect(dead).toMatchObject({ delivery: 'warehouse', attempts: 1 });
    await world.runner.carryOutDue();
    expect(await world.history()).toEqual([['running', day(1), 0, 0]]);

    await world.billing.asSuperuser("UPDATE report_deliveries SET claimed_until = now() - interval '1 second'");
    await world.runner.carryOutDue();
    expect(await world.history()).toEqual([['done', day(1), 1, 0]]);
    // Were it only slow, it would learn before its file appears that it is no longer wanted.
    await expect(world.runs.confirm(dead as NonNullable<typeof dead>)).rejects.toThrow();
  });

  it('gives up a run whose process is gone each time, and tells so once', async () => {
    world.configure({});
    await world.runs.add([{ delivery: 'warehouse', slot: noon(), period: day(1), requestedBy: null }]);
    for (let n = 0; n < 10; n += 1) {
      await world.runs.claim(['warehouse']);
      await world.billing.asSuperuser(
        "UPDATE report_deliveries SET claimed_until = now() - interval '1 second' WHERE state = 'running'",
      );
    }
    expect(await world.history()).toEqual([['failed', day(1), 0, 0]]);
    expect(await world.notices()).toMatchObject([
      {
        type: 'delivery.failed',
        data: { delivery: 'warehouse', period: day(1), slot: noon().toISOString(), attempts: 8 },
      },
    ]);
  });

  it('lists what failed and why, tries again, and makes it good', async () => {
    world.configure({ to: { folder: join(world.folder, 'share') } });
    await world.billing.book(row(1));
    await world.runner.carryOutDue();
    const { items } = await world.deliveries.runs(world.billing.admin, { limit: 10, state: 'retrying' });
    const error = `${join(world.folder, 'share')} does not exist: make the folder, or mount what it is a share of`;
    expect(items).toMatchObject([{ period: day(1), attempts: 1, error }]);
    expect(Date.parse(items[0]?.nextAttemptAt ?? '')).toBeGreaterThan(Date.now());
    expect((await world.deliveries.list(world.billing.admin)).items).toMatchObject([
      { failing: 1, lastSuccessAt: null },
    ]);
    expect(world.runner.standings).toMatchObject([{ delivery: 'warehouse', failing: 1 }]);

    expect(await world.notices()).toEqual([]);
    await mkdir(join(world.folder, 'share'));
    await world.runner.carryOutDue();
    expect(await world.history()).toEqual([['retrying', day(1), 0, 0]]);
    await world.billing.asSuperuser('UPDATE report_deliveries SET attempt_at = now()');
    await world.runner.carryOutDue();
    expect(await world.history()).toEqual([['done', day(1), 1, 0]]);
    expect((await world.deliveries.list(world.billing.admin)).items).toMatchObject([{ failing: 0 }]);
  });

  it('gives up in the end, and goes on with the next day', async () => {
    world.configure({ to: { folder: join(world.folder, 'share') } });
    await world.runner.carryOutDue();
    for (let n = 0; n < 10; n += 1) {
      await world.billing.asSuperuser('UPDATE report_deliveries SET attempt_at = now()');
      await world.runner.carryOutDue();
    }
    expect(await world.history()).toEqual([['failed', day(1), 0, 0]]);
    expect(await world.notices()).toMatchObject([
      {
        type: 'delivery.failed',
        data: {
          tenant: null,
          delivery: 'warehouse',
          period: day(1),
          attempts: 8,
          error: expect.stringContaining('does not exist') as string,
        },
      },
    ]);
    await mkdir(join(world.folder, 'share'));
    world.billing.clock.advance(DAY_MS);
    await world.runner.carryOutDue();
    expect(await world.history()).toEqual([
      ['failed', day(1), 0, 0],
      ['done', day(0), 1, 0],
    ]);
    expect(world.runner.standings).toMatchObject([{ failing: 1 }]);
    await world.deliveries.request(world.billing.admin, 'warehouse', { period: day(1) });
    await world.runner.carryOutDue();
    expect(world.runner.standings).toMatchObject([{ failing: 0 }]);
  });

  it('leaves what was delivered as it is when the ledger can no longer make it', async () => {
    world.configure({});
    await world.billing.book(row(1), row(1));
    await world.runner.carryOutDue();
    const before = await world.files();
    await world.billing.asSuperuser('DELETE FROM ledger');
    await world.deliveries.request(world.billing.admin, 'warehouse', { period: day(1) });
    await world.runner.carryOutDue();
    await world.billing.book(row(1));
    await world.deliveries.request(world.billing.admin, 'warehouse', { period: day(1) });
    await world.runner.carryOutDue();
    expect(await world.files()).toEqual(before);
    const { items } = await world.deliveries.runs(world.billing.admin, { limit: 10, state: 'retrying' });
    expect(items.map(({ error }) => /rows of the ledger are gone or altered/.test(error ?? ''))).toEqual([true, true]);
  });

  it('delivers what it can when something else can no longer be made, and says what', async () => {
    world.configure({ report: 'detail' }, { name: 'closed', report: 'statement', each: true });
    const { billing } = world;
    await billing.book(row(1), row(1), row(40, { tenantId: 'beta' }));
    await world.runner.carryOutDue();
    await billing.asSuperuser('DELETE FROM ledger');
    await billing.book(row(1), row(0));
    for (const tenant of ['alpha', 'beta'])
      await billing.statements.close(billing.admin, { period: '2026-02', tenant });
    await billing.asSuperuser("UPDATE statements SET sha256 = repeat('0', 64) WHERE tenant_id = 'alpha'");
    billing.clock.advance(DAY_MS);
    await world.runner.carryOutDue();
    const written = Object.keys(await world.files()).filter((path) => !/\/_[^/]*$/.test(path));
    expect(written).toEqual([
      'statement/2/period=2026-02/tenant_id=beta/statement-2026-02.csv',
      ...[day(1), day(0)].map((each) => `usage-detail/3/dt=${each}/usage-detail-${each}.csv`),
    ]);
    const { items } = await world.deliveries.runs(billing.admin, { limit: 10, state: 'retrying' });
    expect(items.map(({ delivery, error }) => [delivery, error])).toEqual([
      ['warehouse', expect.stringContaining(`usage-detail-${day(1)}.csv was delivered`)],
      ['closed', expect.stringContaining('2026-02-alpha')],
    ]);
  });

  it('delivers statements that are new, with all that verifying takes', async () => {
    world.configure({ name: 'closed', report: 'statement', each: true, schedule: '* * * * *' });
    const close = (period: string, tenant?: string) =>
      world.billing.statements.close(world.billing.admin, { period, ...(tenant && { tenant }) });
    await world.billing.book(world.billing.row({ at: new Date('2026-02-10T12:00:00Z'), tenantId: 'alpha' }));
    for (const period of ['2026-01', '2026-02']) await close(period, 'alpha');
    await close('2026-02');
    await world.runner.carryOutDue();
    const folder = 'statement/2/period=2026-02/tenant_id=alpha/';
    const files = await world.files();
    expect(Object.keys(files)).toEqual([
      `${folder}_statement-2026-02.digests.csv`,
      `${folder}_statement-2026-02.manifest.json`,
      `${folder}_statement-2026-02.rate-cards.json`,
      `${folder}statement-2026-02.csv`,
    ]);
    const text = (name: string): string => files[`${folder}${name}`] ?? '';
    const verdicts = await verifyStatements([
      {
        manifest: JSON.parse(text('_statement-2026-02.manifest.json')) as never,
        rateCards: JSON.parse(text('_statement-2026-02.rate-cards.json')) as never,
        bill: () => only(text('statement-2026-02.csv')),
        digests: () => only(text('_statement-2026-02.digests.csv')),
      },
    ]);
    expect(verdicts).toMatchObject([{ ok: true, rows: 1, recomputed: 1 }]);

    await close('2026-03', 'alpha');
    await close('2026-03', 'beta');
    world.billing.clock.advance(120_000);
    await world.runner.carryOutDue();
    const bills = Object.keys(await world.files()).filter((path) => /\/statement[^/]*\.csv$/.test(path));
    expect(bills).toEqual([
      `${folder}statement-2026-02.csv`,
      'statement/2/period=2026-03/tenant_id=alpha/statement-2026-03.csv',
      'statement/2/period=2026-03/tenant_id=beta/statement-2026-03.csv',
    ]);
    await rm(join(world.folder, 'statement'), { recursive: true });
    await world.deliveries.request(world.billing.admin, 'closed', { period: '2026-01' });
    await world.runner.carryOutDue();
    expect(Object.keys(await world.files())).toHaveLength(4);
  });

  it('leaves out no statement that was closed since its first run, though none of its tenant was delivered before', async () => {
    world.configure({
      ...{ name: 'closed', report: 'statement', each: true, schedule: '* * * * *' },
      to: { folder: join(world.folder, 'share') },
    });
    const close = (period: string, tenant: string) =>
      world.billing.statements.close(world.billing.admin, { period, tenant });
    for (const period of ['2026-01', '2026-02']) await close(period, 'alpha');
    await world.runner.carryOutDue();
    expect(await world.history()).toEqual([['retrying', null, 0, 0]]);
    await close('2026-03', 'alpha');
    for (const period of ['2026-02', '2026-03']) await close(period, 'beta');
    await mkdir(join(world.folder, 'share'));
    world.billing.clock.advance(120_000);
    await world.runner.carryOutDue();
    const bills = Object.keys(await world.files()).filter((path) => /\/statement[^/]*\.csv$/.test(path));
    expect(bills.map((path) => path.replace(/.*period=(.*)\/tenant_id=(.*)\/.*/, '$1 $2'))).toEqual([
      ...['2026-02 alpha', '2026-02 beta', '2026-03 alpha', '2026-03 beta'],
    ]);
  });

  it('delivers a statement that is older than one somebody asked for, once', async () => {
    world.configure({ name: 'closed', report: 'statement' });
    const close = (period: string) => world.billing.statements.close(world.billing.admin, { period });
    for (const period of ['2025-12', '2026-01']) await close(period);
    await world.runner.carryOutDue();
    for (const period of ['2026-02', '2026-03']) await close(period);
    await world.deliveries.request(world.billing.admin, 'closed', { period: '2026-03' });
    await world.runner.carryOutDue();
    const asked = Object.keys(await world.files());
    expect(asked.filter((path) => path.endsWith('.manifest.json'))).toEqual(
      ['2026-01', '2026-03'].map((month) => `statement/2/period=${month}/_statement-${month}.manifest.json`),
    );
    await rm(join(world.folder, 'statement'), { recursive: true });
    for (let n = 0; n < 2; n += 1) {
      world.billing.clock.advance(DAY_MS);
      await world.runner.carryOutDue();
    }
    const [folder, ...others] = new Set(Object.keys(await world.files()).map((path) => dirname(path)));
    expect([folder, others]).toEqual(['statement/2/period=2026-02', []]);
  });

  it('stops in the middle, and hands over what it had begun', async () => {
    await world.billing.book(row(1));
    world.configure({});
    const stopped = world.process();
    await stopped.onModuleDestroy();
    await stopped.carryOutDue();
    await world.runner.carryOutDue();
    expect(await world.history()).toEqual([['done', day(1), 1, 0]]);
  });

  it('refuses a period that is not over, is none, or is not of its kind', async () => {
    world.configure({}, { name: 'months', report: 'period', schedule: '0 6 1 * *' });
    const request = (name: string, period: string) => world.deliveries.request(world.billing.admin, name, { period });
    for (const [name, period] of [
      ['warehouse', day(0)],
      ['warehouse', '2026-11'],
      ['warehouse', '2026-02-30'],
      ['months', '2026-13'],
      ['months', '2026-01-01'],
      ['months', '2999-01'],
    ] as const)
      await expect(request(name, period)).rejects.toMatchObject({ code: 'validation_failed' });
    await expect(request('nobody', '2026-01')).rejects.toMatchObject({ code: 'delivery_not_found' });
    expect(await world.history()).toEqual([]);
  });

  it('removes what a killed process has left of a file, and of no other', async () => {
    world.configure({});
    await world.billing.book(row(1));
    const folder = join(world.folder, `usage-daily/2/dt=${day(1)}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `.usage-daily-${day(1)}.csv.0.part`), 'half a li');
    await writeFile(join(folder, 'notes.txt'), 'theirs');
    await world.runner.carryOutDue();
    expect(Object.keys(await world.files()).map((path) => path.split('/').at(-1))).toEqual([
      `_usage-daily-${day(1)}.manifest.json`,
      'notes.txt',
      `usage-daily-${day(1)}.csv`,
    ]);
  });
});

async function* only(text: string): AsyncGenerator<string> {
  yield await Promise.resolve(text);
}
