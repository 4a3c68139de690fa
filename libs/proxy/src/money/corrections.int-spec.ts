import {
  NO_TOKENS,
  NO_USAGE,
  quote,
  totalTokens,
  unconfirmedEntry,
  type ModelPrice,
  type RateCard,
} from '@app/billing';
import { formatNanos, parseNanos, uuid7 } from '@app/platform';
import { BudgetExceeded } from '@app/quota';
import fc from 'fast-check';
import { Books, WINDOW_NAME } from '../../../../test/support/books';
import { eventually } from '../../../../test/support/department';
import { jobPrincipals, tenantPrincipal } from '../../../../test/support/principals';
import { RelayWorld } from '../../../../test/support/relay-world';
import { Attributions } from './attributions';
import type { Bill } from './bill';
import { SettledEntry, WorstCase } from './ledger-sink';

/** Money as all the books have it: ledger, budgets and statements, whatever is called and corrected in whatever order. */

const DAY_MS = 86_400_000;
const BOUNDS = { inputTokensMax: 1_000, outputTokensMax: 100, choices: 1 };

/** The last two months that are over, and a moment early in the first of them. */
const now = new Date();
const monthAgo = (months: number): Date => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 10));
const nameOf = (month: Date): string => month.toISOString().slice(0, 7);
const [FIRST, SECOND] = [monthAgo(2), monthAgo(1)];

const attributions = new Attributions();
let world: RelayWorld;
let books: Books;
let tenant = '';
let tenants = 0;

beforeAll(async () => {
  world = await RelayWorld.open({}, { m: ['local', 'm'] });
  books = await Books.open(world.billing.db.urls);
  goTo(FIRST);
  await reprice(3);
});
beforeEach(async () => newTenant());
afterAll(async () => {
  await books.close();
  await world.close();
});

const goTo = (at: Date): void => world.billing.clock.advance(at.getTime() - world.billing.clock.now().getTime());

async function newTenant(): Promise<void> {
  tenant = `corrected${(tenants += 1)}`;
  await world.billing.addTenant(tenant);
  goTo(FIRST);
  for (const metric of ['cost', 'tokens'] as const)
    for (const period of ['day', 'month'] as const) await world.limit(tenant, '1000000000', { metric, period });
}

/** Prices all calls since the first month by other prices, as a correction. */
async function reprice(input: number): Promise<void> {
  const { billing } = world;
  const prices = [{ model: 'm', input: String(input), output: '15' }];
  const card = {
    currency: 'USD',
    effectiveAt: monthAgo(3).toISOString(),
    correction: true,
    reason: 'It was so',
    prices,
  };
  const later = billing.clock.now();
  goTo(now);
  await billing.cards.import(billing.admin, card);
  goTo(later);
  await billing.reload();
  const job = jobPrincipals.for('rate card corrections');
  for (const version of await billing.cardCorrections.due(job))
    while (await billing.cardCorrections.step(job, version));
}

/** A call that held its worst case and used what is given, or of which nothing was learnt. */
async function call(
  used: { input: number; output: number } | null,
  by: { readonly tokenId: string; readonly subject: string } = { tokenId: 'tok_1', subject: 'ann' },
): Promise<string> {
  const { billing, quota } = world;
  const at = billing.clock.now();
  const card = billing.catalogue.cardAt(at) as RateCard;
  const price = card.prices.get('m') as ModelPrice;
  const worst = quote(card, price, BOUNDS);
  const { rateCard, formula } = worst;
  const head = {
    tenantId: tenant,
    ...by,
    endUser: null,
    api: 'chat' as const,
    model: 'm',
    provider: 'local',
    rateCard,
    formula,
  };
  const attribution = attributions.of(head, by.tokenId);
  const id = uuid7(at.getTime());
  const hold = await quota.holds.reserve(tenantPrincipal(tenant), worst, new WorstCase(attribution, worst.worst), id);
  const counts = used === null ? worst.worst.counts : { ...NO_TOKENS, ...used };
  const costNanos = used === null ? worst.costNanos : billing.row({ model: 'm', rateCard, counts }).costNanos;
  const told = used === null ? unconfirmedEntry(worst.worst) : { status: 'actual' as const, reason: null };
  const billed: Bill = { ...NO_USAGE, ...told, counts, costNanos, tokens: totalTokens(counts) };
  const row = new SettledEntry(hold, billed, used === null ? 'unknown' : 'completed', null);
  await hold.settle({ costNanos, tokens: billed.tokens, row });
  await quota.settlements.flush();
  return `req_${id}`;
}

const correct = (requestId: string, tokens: { input: number; output: number }, cost?: string) =>
  world.billing.corrections
    .correct(world.billing.admin, requestId, { tokens, cost, reason: 'It was so' })
    .catch((error: { code?: string }) => {
      if (error.code !== 'correction_empty') throw error;
    });

const close = (month: Date) => world.billing.statements.close(world.billing.admin, { period: nameOf(month), tenant });

/** Every window of every tenant says what its calls and their corrections add up to. */
async function expectBalance(): Promise<void> {
  const balances = await books.balances();
  expect(balances.length).toBeGreaterThan(0);
  expect(balances.filter(({ spent, ledger }) => spent !== ledger)).toEqual([]);
}

const ledgerSum = async (): Promise<bigint> => {
  const [row] = await books.query('SELECT coalesce(sum(cost_nanos), 0) AS sum FROM ledger WHERE tenant_id = $1', [
    tenant,
  ]);
  return BigInt(row?.['sum'] as string);
};

it('gives back to budgets what a call did not use, and takes what it used beyond', async () => {
  await world.limit(tenant, '1.00');
  const id = await call(null);
  const [day, month] = await books.windows(tenant);
  await correct(id, { input: 10, output: 1 });
  const after = await books.windows(tenant);
  expect(after.map(({ spent }) => spent)).toEqual([45_000n, 45_000n]);
  expect(month?.spent).toBe(day?.spent);
  // More than is left, and more than the limit: what was used was used, so no lease has to cover it.
  await correct(id, { input: 1_000_000, output: 0 });
  const raised = (await books.windows(tenant)).find(({ period }) => period === 'month');
  expect(raised).toMatchObject({ spent: 3_000_000_000n, limit: 1_000_000_000n });
  await expect(call(null)).rejects.toMatchObject({ code: 'budget_exceeded' });
  expect(world.quota.quota.facts().uncoveredNanos).toBe(0n);
  await correct(id, { input: 0, output: 0 });
  // A refusal is remembered for a moment, or until the process hears that there is room again.
  await eventually(() =>
    call({ input: 1, output: 1 }).catch((error: Error) => {
      if (error instanceof BudgetExceeded) return null;
      throw error;
    }),
  );
  await expectBalance();
});

/** Budgets of all that a call may count in beside its tenant. */
const PARTS = [
  { scope: 'model', target: 'm' },
  { scope: 'model', target: 'm*' },
  { scope: 'token', target: '*' },
  { scope: 'user', target: '*' },
  { scope: 'user', target: 'ann', metric: 'tokens', period: 'day' },
] as const;

async function limitParts(): Promise<void> {
  await world.limit(null, '1000000.00');
  for (const part of PARTS) await world.limit(tenant, '1000000', part);
}

/** Of the tenant and the organisation. */
async function spentByWindow(): Promise<Map<string, bigint>> {
  const rows = await books.query(
    `SELECT ${WINDOW_NAME} AS name, spent FROM budget_windows w WHERE tenant_id = $1 OR tenant_id IS NULL`,
    [tenant],
  );
  return new Map(rows.map(({ name, spent }) => [name as string, BigInt(spent as string)]));
}

it('moves each window that the call counts in, of whatever it is, once, and no other', async () => {
  await limitParts();
  const id = await call(null);
  await call({ input: 5, output: 5 }, { tokenId: 'tok_2', subject: 'bob' });
  const before = await spentByWindow();
  await correct(id, { input: 10, output: 1 });
  const moved = [...(await spentByWindow())].flatMap(([name, spent]) => {
    const by = spent - (before.get(name) ?? 0n);
    return by === 0n ? [] : [[name.replace(`${tenant} `, ''), by] as const];
  });
  const [cost, tokens] = [45_000n - before.get(`${tenant} token tok_1 cost month`)!, 11n - 1_100n];
  expect(Object.fromEntries(moved)).toEqual({
    ...{ 'cost day': cost, 'cost month': cost, 'tokens day': tokens, 'tokens month': tokens },
    ...{ 'organisation cost month': cost, 'model m cost month': cost, 'model m* cost month': cost },
    ...{ 'token tok_1 cost month': cost, 'user ann cost month': cost, 'user ann tokens day': tokens },
  });
  await expectBalance();
});

it('counts against the windows of the call, not those of today', async () => {
  const id = await call(null);
  goTo(SECOND);
  await call({ input: 1, output: 1 });
  const before = await books.windows(tenant);
  await correct(id, { input: 0, output: 0 });
  const after = await books.windows(tenant);
  expect(after.map(({ spent }, index) => spent === before[index]?.spent)).toEqual([false, false, true, true]);
  await expectBalance();
});

it('never counts less than nothing', async () => {
  const id = await call(null);
  await world.billing.asSuperuser('UPDATE budget_windows SET spent = 1 WHERE tenant_id = $1', [tenant]);
  await correct(id, { input: 0, output: 0 });
  expect((await books.windows(tenant)).map(({ spent }) => spent)).toEqual([0n, 0n]);
});

type Step =
  | { readonly do: 'call'; readonly used: { input: number; output: number } | null }
  | {
      readonly do: 'correct';
      readonly which: number;
      readonly tokens: { input: number; output: number };
      readonly cost?: string;
    }
  | { readonly do: 'wait'; readonly days: number }
  | { readonly do: 'reprice'; readonly input: number }
  | { readonly do: 'close' };

const tokens = fc.record({ input: fc.nat({ max: 900 }), output: fc.nat({ max: 90 }) });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('call' as const), used: fc.option(tokens) }) },
    {
      weight: 4,
      arbitrary: fc.record(
        {
          do: fc.constant('correct' as const),
          which: fc.nat(),
          tokens,
          cost: fc.bigInt({ min: 0n, max: 10n ** 9n }).map(formatNanos),
        },
        { requiredKeys: ['do', 'which', 'tokens'] },
      ),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 12 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reprice' as const), input: fc.integer({ min: 1, max: 9 }) }) },
    { weight: 1, arbitrary: fc.constant({ do: 'close' as const }) },
  ),
  { minLength: 3, maxLength: 14 },
);

it('adds up to the same in ledger, budgets and statements after any calls and corrections', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      await newTenant();
      await limitParts();
      const ids: string[] = [];
      let waited = 0;
      for (const step of all) {
        if (step.do === 'call') ids.push(await call(step.used));
        else if (step.do === 'correct' && ids.length > 0)
          await correct(ids[step.which % ids.length] as string, step.tokens, step.cost);
        // Not into the month under way, which cannot be closed.
        else if (step.do === 'wait' && waited + step.days < 45) {
          waited += step.days;
          goTo(new Date(FIRST.getTime() + waited * DAY_MS));
        } else if (step.do === 'reprice') await reprice(step.input);
        else if (step.do === 'close') await close(FIRST);
      }
      await expectBalance();
      const statements = [await close(FIRST), await close(SECOND)];
      const sum = statements.reduce((total, { totals }) => total + parseNanos(totals.cost), 0n);
      expect(sum).toBe(await ledgerSum());
      expect(statements.reduce((rows, { totals }) => rows + totals.requests, 0)).toBe(ids.length);
    }),
    { numRuns: 15, endOnFailure: true },
  );
}, 120_000);
