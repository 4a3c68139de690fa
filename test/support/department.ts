import { inspect } from 'node:util';
import type { FakeProvider, Tokens } from './fake-provider';
import type { Gateway } from './gateway';

/** A tenant with a token, ready to call. */
export interface Department {
  readonly id: string;
  readonly token: string;
  readonly tokenId: string;
}

let count = 0;

/** Creates a tenant and a token through the API. @param budget monthly cost limit, e.g. `'25.00'` */
export async function createDepartment(
  gateway: Gateway,
  options: { id?: string; budget?: string; role?: 'owner' | 'member' } = {},
): Promise<Department> {
  const id = options.id ?? `dept${++count}`;
  await gateway.must('POST', '/api/v1/admin/tenants', { id, name: `Department ${id}` });
  if (options.budget)
    await gateway.must('PUT', `/api/v1/admin/tenants/${id}/budgets`, {
      metric: 'cost',
      period: 'month',
      limit: options.budget,
    });
  const created = await gateway.must<{ id: string; token: string }>('POST', `/api/v1/admin/tenants/${id}/tokens`, {
    label: 'test',
    role: options.role ?? 'owner',
  });
  return { id, token: created.token, tokenId: created.id };
}

/** `fake-…` in the OpenAI dialect and `claude/fake-…` in the Anthropic one, at 3 in, 15 out, 0.3 cached per million tokens. */
const FAKE_MODELS = { 'fake*': 'fake-openai', 'claude/fake*': 'fake-anthropic' };

/** Settings of two providers behind one fake. @param timeouts in ms, see openclawmu.yaml */
export function fakeProviders(fake: FakeProvider, timeouts: Record<string, number> = {}): Record<string, unknown> {
  const common = { baseUrl: fake.url, apiKey: fake.apiKey, internal: true, timeouts };
  return {
    'fake-openai': { dialect: 'openai', responses: true, ...common },
    'fake-anthropic': { dialect: 'anthropic', ...common },
  };
}

const FREE = { input: '0', output: '0', cacheRead: '0', cacheWrite5m: '0', cacheWrite1h: '0' };
const PRICES = { input: '3', output: '15', cacheRead: '0.3', cacheWrite5m: '3.75', cacheWrite1h: '6' };

/** A whole price list, for a card has no price of what it leaves out. @param models names or patterns of the fake's */
export const fakePrices = (
  models: readonly string[] = Object.keys(FAKE_MODELS),
): ({ model: string } & typeof PRICES)[] => [
  ...models.map((model) => ({ model, ...PRICES })),
  { ...FREE, model: 'local/demo' },
];

/** Puts the fake's models into the catalogue and prices them. @param models name → provider */
export async function offerFakeModels(gateway: Gateway, models: Record<string, string> = FAKE_MODELS): Promise<void> {
  for (const [pattern, provider] of Object.entries(models)) {
    await gateway.must('PUT', `/api/v1/admin/models/${encodeURIComponent(pattern)}`, {
      provider,
      upstreamModel: '*',
      displayName: pattern,
      contextTokens: 200_000,
      maxOutputTokens: 1_000,
    });
  }
  const prices = fakePrices(Object.keys(models));
  await gateway.must('POST', '/api/v1/admin/rate-cards', { currency: 'USD', note: 'test prices', prices });
}

/** What those prices make of a provider's own counts, in nano-units. Reasoning is a part of the output. */
export const costNanosOf = ({ input, output, cacheRead, cacheWrite5m, cacheWrite1h }: Tokens): bigint =>
  BigInt(input * 3_000 + output * 15_000 + cacheRead * 300 + cacheWrite5m * 3_750 + cacheWrite1h * 6_000);

/** Waits for what is bound to happen soon; fails with the last error or value when it does not. */
export async function eventually<T>(
  probe: () => Promise<T> | T,
  isDone: (value: T) => boolean = Boolean,
  withinMs = 10_000,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const value = await probe();
    if (isDone(value)) return value;
    if (Date.now() > end)
      throw new Error(
        `it did not happen within ${withinMs} ms; last seen: ${inspect(value, { depth: 4, maxArrayLength: 20, breakLength: Infinity })}`,
      );
    await new Promise((later) => setTimeout(later, 20));
  }
}
