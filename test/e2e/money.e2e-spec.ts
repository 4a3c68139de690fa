import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { formatNanos, parseNanos } from '../../libs/platform/src/money';
import { Books, sum } from '../support/books';
import { BudgetWatch } from '../support/budget-watch';
import {
  costNanosOf,
  createDepartment,
  eventually,
  fakeProviders,
  offerFakeModels,
  type Department,
} from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { failureOf } from '../support/fake-provider/sdk-clients';
import { Gateway } from '../support/gateway';
import { CALL_KINDS, callModel, type CallKind } from '../support/mixed-calls';
import { expectNothingLeft } from '../support/processes';

/** The promise: a budget is never passed, and what is billed is what the provider was asked for, to the nano. */

interface BudgetView {
  readonly period: 'day' | 'month';
  readonly limit: string | null;
  readonly spent: string;
  readonly held: string;
  readonly resetsAt: string;
}

/** The details of a 429, in whose dialect ever. */
interface Refused {
  readonly message: string;
  readonly type: string;
  readonly code?: string;
  readonly gateway_code: string;
  readonly scope: string;
  readonly metric: string;
  readonly period: string;
  readonly limit: string;
  readonly spent: string;
  readonly held: string;
  readonly requested: string;
  readonly resetAt: string;
}

type RateLimited = InstanceType<typeof OpenAI.RateLimitError> | InstanceType<typeof Anthropic.RateLimitError>;

const CALLS = 200;
const COVERED = 50;
const kindOf = (index: number): CallKind => CALL_KINDS[index % CALL_KINDS.length] as CallKind;

/** The inside of an error body; the OpenAI SDK hands out just that, the Anthropic SDK the whole body. */
const refusedOf = (error: RateLimited): Refused =>
  (error instanceof Anthropic.APIError ? (error.error as { error: Refused }).error : error.error) as Refused;

const budgetsPath = ({ id }: Department): string => `/api/v1/admin/tenants/${id}/budgets`;
const setBudget = (gateway: Gateway, department: Department, limit: string, period = 'month') =>
  gateway.must('PUT', budgetsPath(department), { metric: 'cost', period, limit });

async function budgetOf(gateway: Gateway, { token }: Department, period = 'month'): Promise<BudgetView> {
  const { items } = await gateway.must<{ items: BudgetView[] }>('GET', '/api/v1/tenant/budgets', undefined, token);
  return items.find((item) => item.period === period) as BudgetView;
}

/**
 * What one call of `callModel` is quoted at, as a budget of nothing tells: that of another department, because a refusal
 * stands for a moment.
 */
async function quoteOf(gateway: Gateway): Promise<bigint> {
  const { token } = await createDepartment(gateway, { budget: '0' });
  const error = await failureOf(callModel(gateway.url, token, kindOf(0), 'fake-n5'));
  return parseNanos(refusedOf(error as RateLimited).requested);
}

let fake: FakeProvider;
beforeAll(async () => {
  fake = await FakeProvider.start();
});
afterAll(() => fake.close());

describe.each([[1], [3]])('200 concurrent calls against a budget for 50, over %i gateway process(es)', (processes) => {
  let gateways: Gateway[];
  let first: Gateway;
  let books: Books;

  beforeAll(async () => {
    first = await Gateway.start({ providers: fakeProviders(fake) });
    await offerFakeModels(first);
    gateways = [first];
    while (gateways.length < processes)
      gateways.push(await Gateway.start({ providers: fakeProviders(fake), place: first.place }));
    books = await Books.open(first.place.database);
  });
  afterAll(async () => {
    await books.close();
    await Promise.all(gateways.slice(1).map((gateway) => gateway.kill()));
    await first.remove();
    await expectNothingLeft(first.place.folder);
  });

  const gatewayOf = (index: number): Gateway => gateways[index % processes] as Gateway;

  /** Sends all calls at once; resolves with the errors of those that were not served. */
  async function wave(department: Department, modelOf: (index: number) => string): Promise<RateLimited[]> {
    const calls = Array.from({ length: CALLS }, (_, index) =>
      callModel(gatewayOf(index).url, department.token, kindOf(index), modelOf(index)),
    );
    const failures = (await Promise.allSettled(calls)).flatMap((call) =>
      call.status === 'rejected' ? [call.reason as RateLimited] : [],
    );
    for (const error of failures) expect(error).toMatchObject({ status: 429 });
    return failures;
  }

  const nothingLeased = (department: Department) =>
    eventually(
      () => books.windows(department.id),
      (windows) => windows.every(({ leased }) => leased === 0n),
      30_000,
    );

  test('held back at the provider, 50 of them hold the whole budget and the others are refused', async () => {
    const department = await createDepartment(first);
    const quote = await quoteOf(first);
    const limit = quote * BigInt(COVERED);
    await setBudget(first, department, formatNanos(limit));
    const atProvider = () => fake.requests.filter(({ model, paused }) => model.endsWith(MODEL) && paused).length;
    const MODEL = `fake-n5-o1000-i${processes}-silent`;

    let refused = 0;
    const watch = await BudgetWatch.start(first, department);
    const calls = Array.from({ length: CALLS }, (_, index) =>
      callModel(gatewayOf(index).url, department.token, kindOf(index), MODEL).catch((error: unknown) => {
        expect(error).toMatchObject({ status: 429 });
        refused++;
      }),
    );
    await eventually(
      () => [atProvider(), refused] as const,
      ([held, turnedAway]) => held + turnedAway === CALLS,
      25_000,
    );
    const held = atProvider();
    // Headroom that other processes keep at hand may cost a call or two its place, never give one too many.
    expect(held).toBeLessThanOrEqual(COVERED);
    expect(held).toBeGreaterThanOrEqual(COVERED - (processes - 1));
    const [month] = (await books.windows(department.id)).filter(({ period }) => period === 'month');
    expect(month).toMatchObject({ spent: 0n, limit });
    // Those near the boundary are held at what the provider counted: a little less than the worst case, together not one call's worth.
    expect(month?.leased).toBeGreaterThan(quote * BigInt(held - 1));
    expect(month?.leased).toBeLessThanOrEqual(limit);

    for (const request of fake.requests) if (request.model.endsWith(MODEL) && isCall(request)) request.resume();
    await Promise.all(calls);
    const served = CALLS - refused;
    expect(served).toBe(held);
    await nothingLeased(department);
    expect(await watch.stop()).toEqual({ overdrawn: [], limits: [limit], sampled: true });
    const booked = await eventually(
      () => books.calls(department.id),
      (rows) => rows.length >= served,
    );
    expect(booked).toHaveLength(served);
    expect(sum(booked.map(({ costNanos }) => costNanos))).toBe(
      costNanosOf(fake.tally((request) => request.model.endsWith(MODEL)).tokens),
    );
    expect((await budgetOf(first, department)).held).toBe('0.00');
  }, 90_000);

  test('answered as they come, they never pass it, and the ledger is what the provider counted', async () => {
    const department = await createDepartment(first);
    const limit = (await quoteOf(first)) * BigInt(COVERED);
    await setBudget(first, department, formatNanos(limit));
    const mark = `i3${processes}`;
    const modelOf = (index: number): string =>
      ['openai', 'anthropic'].indexOf(kindOf(index).dialect) === 0
        ? `fake-n5-g2-o900-${mark}-c11-r40`
        : `fake-n4-g3-o950-${mark}-c5-w7-v3`;
    const ours = ({ model }: { model: string }) => model.includes(`-${mark}-`);

    const watch = await BudgetWatch.start(first, department);
    const refused = await wave(department, modelOf);
    const served = CALLS - refused.length;
    expect(served).toBeGreaterThanOrEqual(COVERED - (processes - 1));
    expect(refused.length).toBeGreaterThan(0);
    await nothingLeased(department);
    expect(await watch.stop()).toEqual({ overdrawn: [], limits: [limit], sampled: true });

    const tally = fake.tally(ours);
    expect(tally).toMatchObject({ calls: served, completed: served });
    const booked = await eventually(
      () => books.calls(department.id),
      (rows) => rows.length >= served,
    );
    expect(booked.map(({ status }) => status)).toEqual(Array<string>(served).fill('actual'));
    expect(new Set(booked.map(({ providerRequestId }) => providerRequestId))).toEqual(
      new Set(fake.requests.filter((each) => ours(each) && isCall(each)).map(({ requestId }) => requestId)),
    );
    const spent = sum(booked.map(({ costNanos }) => costNanos));
    expect(spent).toBe(costNanosOf(tally.tokens));
    expect(spent).toBeLessThanOrEqual(limit);
    for (const { spent: figure } of await books.windows(department.id)) expect(figure).toBe(spent);
    expect(await budgetOf(first, department)).toMatchObject({ spent: formatNanos(spent), held: '0.00' });

    for (const error of refused) {
      const { headers } = error;
      expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(refusedOf(error)).toMatchObject({
        gateway_code: 'budget_exceeded',
        scope: 'tenant',
        metric: 'cost',
        period: 'month',
        limit: formatNanos(limit),
      });
      const { spent: seen, held, requested } = refusedOf(error);
      const worst = limit / BigInt(COVERED);
      // Where the provider has counted the tokens, the worst case is smaller.
      if (error instanceof OpenAI.RateLimitError) expect(requested).toBe(formatNanos(worst));
      else expect(parseNanos(requested)).toBeLessThanOrEqual(worst);
      expect(parseNanos(seen) + parseNanos(held)).toBeLessThanOrEqual(limit);
      // What is only held may come back in a moment.
      const isOnlyHeld = parseNanos(seen) + parseNanos(requested) <= limit;
      expect(headers.get('x-should-retry')).toBe(String(isOnlyHeld));
    }
    expect(refused.filter((error) => error instanceof OpenAI.RateLimitError).length).toBeGreaterThan(0);
    expect(refused.filter((error) => error instanceof Anthropic.RateLimitError).length).toBeGreaterThan(0);
  }, 90_000);
});

/** Near the edge of a budget the provider is asked to count, too. */
const isCall = ({ path }: { path: string }): boolean => !path.endsWith('/count_tokens');

describe('a budget', () => {
  let gateway: Gateway;
  let books: Books;
  let department: Department;
  let quote: bigint;

  beforeAll(async () => {
    gateway = await Gateway.start({ providers: fakeProviders(fake) });
    await offerFakeModels(gateway);
    books = await Books.open(gateway.place.database);
  });
  afterAll(async () => {
    await books.close();
    await gateway.remove();
    await expectNothingLeft(gateway.place.folder);
  });
  beforeEach(async () => {
    department = await createDepartment(gateway);
    quote = await quoteOf(gateway);
  });

  const ask = (kind = kindOf(0), model = 'fake-n5-o1000') => callModel(gateway.url, department.token, kind, model);
  const served = async (): Promise<boolean> => (await statusOf(ask())) === 200;
  const settled = (calls: number) =>
    eventually(
      () => books.calls(department.id),
      (rows) => rows.length === calls,
    );

  test.each(CALL_KINDS)('that is used up is told in the words of $dialect (stream: $stream)', async (kind) => {
    // By a hair for the one; of the other the provider counts the tokens, and a call that then fits is let through.
    const limit = kind.dialect === 'openai' ? quote - 1n : 1n;
    await setBudget(gateway, department, formatNanos(limit));
    const error = (await failureOf(ask(kind))) as RateLimited;
    expect(error).toBeInstanceOf(kind.dialect === 'openai' ? OpenAI.RateLimitError : Anthropic.RateLimitError);
    const refused = refusedOf(error);
    expect(refused).toMatchObject({
      ...(kind.dialect === 'openai'
        ? { type: 'insufficient_quota', code: 'insufficient_quota' }
        : { type: 'billing_error' }),
      gateway_code: 'budget_exceeded',
      scope: 'tenant',
      metric: 'cost',
      period: 'month',
      limit: formatNanos(limit),
      spent: '0.00',
      held: '0.00',
      requested: formatNanos(quote),
      resetAt: (await budgetOf(gateway, department)).resetsAt,
    });
    expect(refused.message).toContain(refused.resetAt);
    expect(error.headers.get('x-should-retry')).toBe('false');
    const secondsLeft = (Date.parse(refused.resetAt) - Date.parse(String(error.headers.get('date')))) / 1000;
    expect(Math.abs(Number(error.headers.get('retry-after')) - secondsLeft)).toBeLessThanOrEqual(2);
  });

  test('that is raised, lowered or removed takes effect at once and forgets nothing that was spent', async () => {
    await setBudget(gateway, department, formatNanos(quote));
    expect(await served()).toBe(true);
    const [call] = await settled(1);
    const spent = call?.costNanos as bigint;
    expect(await served()).toBe(false);

    await setBudget(gateway, department, formatNanos(spent + quote));
    await eventually(served);
    await settled(2);
    expect(await served()).toBe(false);
    expect(await budgetOf(gateway, department)).toMatchObject({ spent: formatNanos(spent * 2n) });

    await setBudget(gateway, department, formatNanos(spent));
    expect(await served()).toBe(false);
    expect(await budgetOf(gateway, department)).toMatchObject({
      limit: formatNanos(spent),
      spent: formatNanos(spent * 2n),
    });

    expect((await gateway.call('DELETE', `${budgetsPath(department)}?metric=cost&period=month`)).status).toBe(204);
    await eventually(served);
    await settled(3);
    expect(await budgetOf(gateway, department)).toMatchObject({ limit: null, spent: formatNanos(spent * 3n) });
  });

  test('lowered while headroom is at hand binds the next call', async () => {
    await setBudget(gateway, department, formatNanos(quote * 1_000n));
    expect(await served()).toBe(true);
    await settled(1);
    await setBudget(gateway, department, '0.000000001');
    await eventually(async () => !(await served()));
    expect(await served()).toBe(false);
  });

  test('of a day and one of a month are both kept', async () => {
    const refusedPeriod = (): Promise<string> =>
      ask().then(
        () => 'none',
        (error: RateLimited) => refusedOf(error).period,
      );
    await setBudget(gateway, department, formatNanos(quote * 10n), 'month');
    await setBudget(gateway, department, formatNanos(quote), 'day');
    expect(await served()).toBe(true);
    await settled(1);
    expect(await refusedPeriod()).toBe('day');
    await setBudget(gateway, department, formatNanos(quote * 10n), 'day');
    await setBudget(gateway, department, formatNanos(quote), 'month');
    await eventually(refusedPeriod, (period) => period === 'month');
    await setBudget(gateway, department, formatNanos(quote * 3n), 'month');
    await eventually(served);
  });
});

describe('prices', () => {
  let gateway: Gateway;
  let books: Books;
  let department: Department;

  beforeAll(async () => {
    gateway = await Gateway.start({ providers: fakeProviders(fake) });
    await offerFakeModels(gateway);
    books = await Books.open(gateway.place.database);
  });
  afterAll(async () => {
    await books.close();
    await gateway.remove();
    await expectNothingLeft(gateway.place.folder);
  });
  beforeEach(async () => {
    department = await createDepartment(gateway, { budget: '100.00' });
  });

  const importCard = (input: string) =>
    gateway.must<{ version: number }>('POST', '/api/v1/admin/rate-cards', {
      currency: 'USD',
      prices: [
        { model: 'fake*', input, output: '15' },
        { model: 'claude/fake*', input, output: '15' },
      ],
    });

  test('that change while a call runs do not change the call', async () => {
    const before = await importCard('3');
    const running = callModel(gateway.url, department.token, kindOf(0), 'fake-n5-i100-silent');
    const held = await fake.waitForRequest('fake-n5-i100-silent');
    const after = await importCard('30');
    await eventually(async () => {
      await callModel(gateway.url, department.token, kindOf(0), 'fake-n5-i200');
      return (await books.calls(department.id)).some(({ rateCard }) => rateCard === after.version);
    });
    held.resume();
    await running;
    const call = await eventually(async () =>
      (await books.calls(department.id)).find(({ model }) => model === held.model),
    );
    expect(call).toMatchObject({ rateCard: before.version, costNanos: 100n * 3_000n + 5n * 15_000n });
    const [later] = (await books.calls(department.id)).filter(({ rateCard }) => rateCard === after.version);
    expect(later).toMatchObject({ costNanos: 200n * 30_000n + 5n * 15_000n });
  });

  test('that are missing keep a model from being called at all', async () => {
    const model = { provider: 'fake-openai', upstreamModel: 'fake', displayName: 'Unpriced' };
    await gateway.must('PUT', '/api/v1/admin/models/unpriced', { ...model, contextTokens: 1_000, maxOutputTokens: 10 });
    const sent = fake.requests.length;
    const body = { model: 'unpriced', messages: [{ role: 'user', content: 'Hello!' }] };
    const refused = await eventually(
      () => gateway.call('POST', '/v1/chat/completions', body, department.token),
      ({ status }) => status !== 404,
    );
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ error: { gateway_code: 'model_not_priced' } });
    expect(fake.requests).toHaveLength(sent);
    expect(await books.calls(department.id)).toEqual([]);
  });

  test('and counts give the same sums in usage, in every layout of the CSV and in the budget', async () => {
    const models = ['fake-n5-i10-c3', 'fake-n7', 'fake-n9-i7-r4', 'fake-e400'];
    const count = models.length * CALL_KINDS.length;
    await Promise.all(
      models.flatMap((model) =>
        CALL_KINDS.map((kind) => callModel(gateway.url, department.token, kind, model).catch(() => undefined)),
      ),
    );
    const rows = await eventually(
      () => books.calls(department.id),
      (booked) => booked.length === count,
    );
    const spent = sum(rows.map(({ costNanos }) => costNanos));
    expect(spent).toBeGreaterThan(0n);

    for (const period of ['day', 'month'])
      expect((await budgetOf(gateway, department, period)).spent).toBe(formatNanos(spent));
    for (const by of ['model', 'token', 'day']) {
      const usage = await gateway.must<Usage>('GET', `/api/v1/tenant/usage?by=${by}`, undefined, department.token);
      expect(usage.totals).toMatchObject({ requests: count, cost: formatNanos(spent) });
      expect(sum(usage.items.map(({ cost }) => parseNanos(cost)))).toBe(spent);
    }
    for (const layout of ['detail', 'daily', 'period', 'chargeback']) {
      const query = `layout=${layout}&tenant=${department.id}`;
      const report = await gateway.call('GET', `/api/v1/admin/billing/report.csv?${query}`);
      expect(report.status).toBe(200);
      const lines = cellsOf(report.text);
      expect(sum(lines.map(({ cost }) => parseNanos(cost as string)))).toBe(spent);
      expect(lines.reduce((total, { requests }) => total + Number(requests ?? 1), 0)).toBe(count);
      const own = `/api/v1/tenant/billing/report.csv?layout=${layout}&asOf=${report.headers.get('x-report-as-of')}`;
      expect((await gateway.call('GET', own, undefined, department.token)).text).toBe(report.text);
    }
  });
});

interface Usage {
  readonly totals: { readonly requests: number; readonly cost: string };
  readonly items: readonly { readonly cost: string }[];
}

/** 200, or the status with which the call failed. */
const statusOf = (call: Promise<unknown>): Promise<number> =>
  call.then(
    () => 200,
    (error: { status: number }) => error.status,
  );

/** Lines by column name. The names in these tests need no quotes, so a comma is always a separator. */
function cellsOf(csv: string): Record<string, string>[] {
  const [header = '', ...lines] = csv.trimEnd().split('\r\n');
  const names = header.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, index) => [names[index] as string, cell])));
}
