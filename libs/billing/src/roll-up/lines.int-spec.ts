import fc from 'fast-check';
import { uuid7, type Tx } from '@app/platform';
import { tenantPrincipal } from '../../../../test/support/principals';
import { BillingWorld } from '../../test/billing-world';
import {
  rawByCostCenter,
  rawByModel,
  rawByToken,
  rawCharges,
  rawModelsInUse,
  rawTenants,
  rawUsage,
  rawUsed,
  rawUsedByUsers,
} from '../../test/raw-sums';
import { selectModelsInUse } from '../catalogue/models.queries';
import { addBooked, keepQuarters, selectRollUp } from './roll-up.queries';
import type { Selection } from '../ledger/selection';
import {
  selectByCostCenter,
  selectByModel,
  selectByToken,
  selectCharges,
  selectTenants,
} from '../reports/report.queries';
import { daysOf, type Day } from '../reports/period';
import { selectUsage, type UsageGroup } from '../reports/usage.queries';
import { cutHours, HOUR_MS } from './cut-hours';
import { sumUsed, sumUsedByUsers, type UsedBy } from './used.queries';

/** Ten days around the hour that Berlin skips and Lord Howe's half hour that comes again. */
const FROM = Date.parse('2026-03-28T00:00:00Z');
const TO = Date.parse('2026-04-07T00:00:00Z');
const TEN_DAYS = { from: new Date(FROM), to: new Date(TO) };
const DAY_MS = 24 * HOUR_MS;
const TENANTS = ['alpha', 'beta'] as const;
const KEYS = ['tenant', 'model', 'token', 'day', 'subject', 'endUser', 'costCenter', 'api'] as const;
const ZONES = ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'Asia/Kathmandu', 'America/St_Johns', 'Australia/Lord_Howe'];

interface Booked {
  readonly at: number;
  /** Between call and booking. */
  readonly delayMs: number;
  readonly tenant: (typeof TENANTS)[number];
  readonly costCenter: string | null;
  readonly token: string;
  readonly model: string;
  readonly tier: string | null;
  readonly status: 'actual' | 'correction';
  readonly cost: number;
  readonly saved: number | null;
}

/** Instants of which many are on a day of UTC or on the hour, or a millisecond beside it. */
const instant = fc.oneof(
  fc.integer({ min: 0, max: (TO - FROM) / DAY_MS }).map((days) => FROM + days * DAY_MS),
  fc.integer({ min: FROM, max: TO }),
  fc
    .tuple(fc.integer({ min: 0, max: (TO - FROM) / (HOUR_MS / 2) }), fc.integer({ min: -1, max: 1 }))
    .map(([halves, ms]) => FROM + (halves * HOUR_MS) / 2 + ms),
);
const booked: fc.Arbitrary<Booked> = fc.record({
  at: instant,
  delayMs: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 96 * HOUR_MS })),
  tenant: fc.constantFrom(...TENANTS),
  costCenter: fc.constantFrom('CC-1', null),
  token: fc.constantFrom('tok_1', 'tok_2', 'tok_3'),
  model: fc.constantFrom('gpt-4o', 'claude'),
  tier: fc.constantFrom(null, 'flex'),
  status: fc.constantFrom('actual', 'actual', 'actual', 'correction'),
  cost: fc.integer({ min: 1, max: 1_000_000 }),
  saved: fc.option(fc.integer({ min: 0, max: 1_000_000 })),
});

/** All that budgets are of, in the tenant `alpha` and everywhere. */
const BUDGETED: readonly UsedBy[] = [
  {},
  { model: 'gpt-4o' },
  { tenantId: 'alpha' },
  { tenantId: 'beta' },
  { tenantId: 'nobody' },
  ...['gpt-4o', 'gpt-*', '*'].map((model) => ({ tenantId: 'alpha', model })),
  { tenantId: 'alpha', lineage: 'tok_1' },
  { tenantId: 'alpha', user: 'user-1' },
  { tenantId: 'beta', user: 'user-1' },
  { tenantId: 'alpha', user: 'customer-1' },
  { tenantId: 'alpha', user: 'nobody' },
];

/** Sums over nothing are null, sums that cancel each other out are zero: both mean that there are no rows. */
const unlabelled = ({ label: _, ...group }: UsageGroup): object =>
  Object.fromEntries(Object.entries(group).map(([name, value]) => [name, name === 'key' ? value : (value ?? 0n)]));

async function eachDay<Row>(days: readonly Day[], read: (day: Day) => Promise<Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [day, span] of days.entries()) rows.push(...(await read(span)).map((row) => ({ day, ...row })));
  return rows;
}

describe('sums from the roll-up', () => {
  let world: BillingWorld;
  beforeAll(async () => {
    world = await BillingWorld.open();
    for (const tenant of TENANTS) await world.addTenant(tenant);
    await world.addToken('tok_1', 'alpha', 'Laptop');
    await world.addToken('tok_3', 'alpha', 'Laptop', 'tok_1');
    await world.priceAt({ 'gpt-4o': ['2.5', '10'] });
    await world.asSuperuser(
      `SELECT ensure_ledger_partition(month::timestamptz) FROM unnest(ARRAY['2026-03-01Z', '2026-04-01Z']) month`,
    );
  });
  afterAll(() => world.close());

  async function book(rows: readonly Booked[]): Promise<void> {
    await world.asSuperuser(`DELETE FROM ledger; DELETE FROM ledger_hours; DELETE FROM ledger_days; DELETE FROM ledger_quarters; DELETE FROM ledger_cut_hours;
      UPDATE ledger_roll_up SET booked_up_to = '1970-01-01Z', days_booked_up_to = '1970-01-01Z', quarters_booked_up_to = '1970-01-01Z', reaching = '1970-01-01Z'`);
    await world.asSuperuser(
      `INSERT INTO ledger (id, at, booked_at, tenant_id, cost_center, token_id, subject, end_user, api, model, provider, rate_card, formula, status, outcome,
         input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens, cost_nanos, service_tier, saved_nanos)
       SELECT (r->>'id')::uuid, (r->>'at')::timestamptz, (r->>'bookedAt')::timestamptz, r->>'tenant', r->>'costCenter', r->>'token', r->>'subject', r->>'endUser', (r->>'api')::"char",
         r->>'model', 'openai', 1, 1, r->>'status', 'completed', 1, 2, 3, 4, 5, 6, (r->>'cost')::bigint, r->>'tier', (r->>'saved')::bigint
       FROM jsonb_array_elements($1) r`,
      [
        JSON.stringify(
          rows.map(({ at, delayMs, cost, status, ...row }, index) => ({
            ...row,
            id: uuid7(at),
            at: new Date(at),
            bookedAt: new Date(at + delayMs),
            subject: index % 2 ? `user-${index % 3}` : null,
            api: index % 4 ? 'c' : 'm',
            endUser: `customer-${index % 3}`,
            status,
            cost: status === 'correction' ? -cost : cost,
          })),
        ),
      ],
    );
  }

  /** @param zones one for each instant: from then on the hours are kept by quarters that its days cut */
  const rollUpTo = (instants: readonly number[], zones: readonly (string | undefined)[]): Promise<void> =>
    world.inPlatform(async (tx) => {
      for (const [step, at] of [...instants].sort((a, b) => a - b).entries()) {
        await tx.query('UPDATE ledger_roll_up SET reaching = $1', [new Date(at).toISOString()]);
        await addBooked(tx, await selectRollUp(tx));
        const zone = zones[step];
        if (zone !== undefined) await keepQuarters(tx, cutHours(TEN_DAYS, zone), 1_000);
      }
    });

  async function expectSame(tx: Tx, selection: Selection, timeZone: string): Promise<void> {
    for (const by of KEYS) {
      const groups = await selectUsage(tx, by, selection, timeZone, 1_000);
      expect(groups.map(unlabelled)).toEqual((await rawUsage(tx, by, selection, timeZone)).map(unlabelled));
    }
    const days = [...daysOf(selection, timeZone)];
    expect(await selectByModel(tx, selection, days)).toEqual(
      await eachDay(days, (day) => rawByModel(tx, { ...selection, ...day })),
    );
    expect(await selectCharges(tx, selection, days)).toEqual(
      await eachDay(days, (day) => rawCharges(tx, { ...selection, ...day })),
    );
    expect(await selectByCostCenter(tx, selection)).toEqual(await rawByCostCenter(tx, selection));
    expect(await selectByToken(tx, selection, ['beta'])).toEqual(await rawByToken(tx, selection, ['beta']));
    expect(await selectTenants(tx, selection)).toEqual(await rawTenants(tx, selection));
  }

  it('are those of the rows, whatever came late, however far it goes and whenever is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(booked, { maxLength: 40 }),
        fc.array(instant, { maxLength: 3 }),
        fc.array(fc.constantFrom(...ZONES, undefined), { maxLength: 3 }),
        fc.uniqueArray(instant, { minLength: 2, maxLength: 2 }),
        fc.tuple(instant, fc.constantFrom(...ZONES), fc.constantFrom(null, ...TENANTS)),
        async (rows, steps, kept, ends, [asOf, timeZone, tenant]) => {
          const [from = 0, to = 0] = [...ends].sort((a, b) => a - b);
          const selection = { from: new Date(from), to: new Date(to), asOf: new Date(asOf), tenant };
          await book(rows);
          await rollUpTo(steps, kept);
          await world.inPlatform((tx) => expectSame(tx, selection, timeZone));
          await world.db.database.tenant(tenantPrincipal('alpha'), (tx) => expectSame(tx, selection, timeZone));
          await world.inPlatform(async (tx) => {
            const raw: unknown[] = [];
            for (const by of BUDGETED) raw.push(await rawUsed(tx, by, selection));
            expect(await sumUsed(tx, BUDGETED, selection.from, selection.to)).toEqual(raw);
            for (const after of [null, selection.asOf]) {
              const { users, countedTo } = await sumUsedByUsers(tx, 'alpha', selection.from, selection.to, after);
              expect(users).toEqual(await rawUsedByUsers(tx, selection, after));
              const since = await sumUsedByUsers(tx, 'alpha', selection.from, selection.to, countedTo);
              expect(since).toEqual({ users: new Map(), countedTo });
            }
            expect(await selectModelsInUse(tx, selection.from)).toEqual(await rawModelsInUse(tx, selection.from));
          });
        },
      ),
      { numRuns: 15 },
    );
  }, 300_000);
});
