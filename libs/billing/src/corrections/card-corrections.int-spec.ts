import { formatNanos } from '@app/platform';
import { jobPrincipals } from '../../../../test/support/principals';
import { BillingWorld } from '../../test/billing-world';
import { LedgerFigures } from '../ledger/ledger-figures.service';
import type { LedgerRow } from '../ledger/ledger-row';
import { requestId } from '../reports/usage-record';

const HOUR_MS = 3_600_000;

describe('a rate card for a time in the past', () => {
  let world: BillingWorld;
  const job = jobPrincipals.for('rate card corrections');
  const changed: bigint[] = [];
  let start: Date;
  beforeEach(async () => {
    world = await BillingWorld.open();
    world.booking.budgets({
      recount: (_, changes) => {
        changed.push(...changes.map(({ costNanos }) => costNanos));
        return Promise.resolve();
      },
    });
    changed.length = 0;
    for (const tenant of ['alpha', 'beta']) await world.addTenant(tenant);
    start = new Date(Math.floor((Date.now() - 100 * HOUR_MS) / 1_000) * 1_000);
    world.clock.advance(start.getTime() - Date.now());
    await world.priceAt({ 'gpt-4o': ['2', '10'], other: ['1', '1'] });
    world.clock.advance(100 * HOUR_MS);
  });
  afterEach(() => world.close());

  const at = (hours: number): Date => new Date(start.getTime() + hours * HOUR_MS);
  const row = (hours: number, fields: Partial<Omit<LedgerRow, 'counts'>> = {}): LedgerRow =>
    world.row({ at: at(hours), counts: { input: 1_000, output: 0 }, ...fields });
  const dto = (hours: number, input: string) => ({
    currency: 'USD',
    effectiveAt: at(hours).toISOString(),
    correction: true,
    reason: 'The contract says so',
    prices: [{ model: 'gpt-4o', input, output: '10' }],
  });
  /** A card that was imported a second before it took effect. */
  const priceFrom = async (hours: number, input: string): Promise<void> => {
    const backMs = at(hours).getTime() - 1_000 - world.clock.now().getTime();
    world.clock.advance(backMs);
    const prices = [{ model: 'gpt-4o', input, output: '10' }];
    await world.cards.import(world.admin, { currency: 'USD', effectiveAt: at(hours).toISOString(), prices });
    await world.reload();
    world.clock.advance(-backMs);
  };
  const work = async (): Promise<void> => {
    for (const version of await world.cardCorrections.due(job)) while (await world.cardCorrections.step(job, version));
  };
  const correctAt = async (hours: number, input: string): Promise<number> => {
    const { version } = await world.cards.import(world.admin, dto(hours, input));
    await world.reload();
    await work();
    return version;
  };
  const costOf = async ({ id }: LedgerRow): Promise<string> =>
    (await world.uncertain.show(world.admin, requestId(id))).billed.cost;

  it('corrects the calls of its span by the difference, and changes no row', async () => {
    const rows = [row(1), row(11), row(12, { tenantId: 'beta' }), row(13, { model: 'other' }), row(30)];
    await world.book(...rows);
    const before = await world.asSuperuser('SELECT * FROM ledger ORDER BY at, id');
    await priceFrom(20, '4');
    await world.book(row(15));

    const version = await correctAt(10, '3');
    expect(await Promise.all(rows.map(costOf))).toEqual(['0.002', '0.003', '0.003', '0.001', '0.002']);
    expect(await world.asSuperuser("SELECT * FROM ledger WHERE status <> 'correction' ORDER BY at, id")).toEqual(
      expect.arrayContaining(before),
    );
    expect(await world.cardCorrections.show(world.admin, String(version))).toMatchObject({
      state: 'done',
      from: at(10).toISOString(),
      to: at(20).toISOString(),
      reason: 'The contract says so',
      corrected: 3,
      unchanged: 0,
      unpriced: 1,
      currency: 'USD',
      tenants: [
        { tenant: 'alpha', rows: 2, difference: '0.002' },
        { tenant: 'beta', rows: 1, difference: '0.001' },
      ],
    });
    expect(changed).toEqual([1_000_000n, 1_000_000n, 1_000_000n]);
    await work();
    expect(changed).toHaveLength(3);
    const records = await world.asSuperuser<{ line: string }>(
      "SELECT line FROM audit_records WHERE action = 'usage.corrected' ORDER BY seq",
    );
    expect(records.map(({ line }) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ target: { kind: 'rate_card', id: String(version) }, reason: 'The contract says so' }),
    ]);
  });

  it('says in a dry run what it would book, and books nothing', async () => {
    await world.book(row(11), row(12, { tenantId: 'beta' }), row(13, { model: 'other' }));
    const text = 'model,input,output\ngpt-4o,3,10\n';
    const { correction, reason, effectiveAt } = dto(10, '3');
    const file = { format: 'csv' as const, text, currency: 'USD', correction, reason, effectiveAt };
    const report = await world.files.import(world.admin, { ...file, dryRun: true });
    expect(report).toMatchObject({
      version: null,
      corrections: {
        corrected: 2,
        unpriced: 1,
        currency: 'USD',
        tenants: [
          { tenant: 'alpha', rows: 1, difference: '0.001' },
          { tenant: 'beta', rows: 1, difference: '0.001' },
        ],
      },
    });
    expect(await world.asSuperuser("SELECT * FROM ledger WHERE status = 'correction'")).toEqual([]);
    expect(await world.files.import(world.admin, file)).toMatchObject({ version: 2, corrections: null });
  });

  it('prices present calls only where no later card is in force', async () => {
    await priceFrom(49, '4');
    await correctAt(10, '3');
    expect(world.catalogue.cardAt(world.clock.now())?.version).toBe(2);
    expect(world.catalogue.cardAt(at(20))?.version).toBe(3);
    const last = await correctAt(50, '5');
    expect(world.catalogue.cardAt(world.clock.now())?.version).toBe(last);
    expect((await world.cards.inForce(world.admin)).version).toBe(last);
  });

  it('may be corrected again, and follows what is booked late', async () => {
    const early = row(11);
    await world.book(early);
    await correctAt(10, '3');
    await correctAt(10, '6');
    expect(await costOf(early)).toBe('0.006');
    const late = row(12);
    await world.book(late);
    await work();
    expect(await costOf(late)).toBe('0.006');
    expect(await costOf(early)).toBe('0.006');
    expect(changed).toEqual([1_000_000n, 3_000_000n, 4_000_000n]);
  });

  it('leaves what a person has stated, and takes on what a person has counted', async () => {
    const [stated, counted] = [row(11), row(12)];
    await world.book(stated, counted);
    const reason = 'Invoice';
    await world.corrections.correct(world.admin, requestId(stated.id), { cost: '0.5', reason });
    await world.corrections.correct(world.admin, requestId(counted.id), { tokens: { input: 500 }, reason });
    const version = await correctAt(10, '3');
    expect([await costOf(stated), await costOf(counted)]).toEqual(['0.50', '0.0015']);
    expect(await world.cardCorrections.show(world.admin, String(version))).toMatchObject({ stated: 1, corrected: 1 });
  });

  it('leaves a row in doubt about what its call used, until somebody says so', async () => {
    const doubtful = row(11, { status: 'unconfirmed', reason: 'no_answer' });
    await world.book(doubtful, row(12, { status: 'unconfirmed', reason: 'no_answer' }));
    await correctAt(10, '3');
    const waiting = async (): Promise<unknown[]> => {
      const { items } = await world.uncertain.list(world.admin, { corrected: false, limit: 50 });
      const figures = await new LedgerFigures(world.db.database, world.clock).uncertain(world.admin);
      const { unconfirmed } = await world.uncertain.counts(world.admin);
      return [items.map(({ billed }) => billed.cost), unconfirmed, Number(figures[0]?.rows ?? 0)];
    };
    expect(await waiting()).toEqual([['0.003', '0.003'], 2, 2]);
    const before = at(12).toISOString();
    const reason = 'On the invoice';
    const decision = { status: 'unconfirmed', before, as: 'billed', reason } as const;
    expect(await world.corrections.resolve(world.admin, decision)).toMatchObject({ rows: 1, difference: '0.00' });
    expect(await waiting()).toEqual([['0.003'], 1, 1]);
  });

  it('goes on where it was when several work on it, each row once', async () => {
    const many = Array.from({ length: 1_200 }, (_, n) => row(11 + n / 1_000));
    await world.book(...many);
    const { version } = await world.cards.import(world.admin, dto(10, '3'));
    await world.reload();
    await world.cardCorrections.due(job);
    expect(await world.cardCorrections.step(job, version)).toBe(true);
    await Promise.all([work(), work(), work()]);
    const [sum] = await world.asSuperuser<{ rows: string; corrected: string; cost: string }>(
      `SELECT count(*) AS rows, count(DISTINCT corrects) AS corrected, sum(cost_nanos) AS cost FROM ledger WHERE status = 'correction'`,
    );
    expect(sum).toEqual({ rows: '1200', corrected: '1200', cost: String(1_200 * 1_000_000) });
    expect(await world.cardCorrections.show(world.admin, String(version))).toMatchObject({
      corrected: 1_200,
      tenants: [{ tenant: 'alpha', rows: 1_200, difference: formatNanos(1_200n * 1_000_000n) }],
    });
  });

  it.each([
    ['a reason is missing', { reason: undefined }, 'validation_failed'],
    ['it takes effect later', { effectiveAt: '2999-01-01T00:00:00Z' }, 'validation_failed'],
    ['it is none', { correction: undefined, reason: undefined }, 'rate_card_in_past'],
    ['it is none and has a reason', { correction: undefined }, 'validation_failed'],
  ])('is refused where %s', async (_, change, code) => {
    await expect(world.cards.import(world.admin, { ...dto(10, '3'), ...change })).rejects.toMatchObject({ code });
    await expect(world.cardCorrections.show(world.admin, '1')).rejects.toMatchObject({ code: 'rate_card_not_found' });
  });
});
