import { RateLimitError as AnthropicRateLimitError } from '@anthropic-ai/sdk';
import { RateLimitError } from 'openai';
import { setTimeout as delay } from 'node:timers/promises';
import { createDepartment, eventually, fakeProviders, offerFakeModels } from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { Gateway } from '../support/gateway';
import { callModel } from '../support/mixed-calls';
import { expectNothingLeft } from '../support/processes';

/** Calls a minute over two gateway processes on one database. */

let fake: FakeProvider;
let first: Gateway;
let second: Gateway;

beforeAll(async () => {
  fake = await FakeProvider.start();
  first = await Gateway.start({ providers: fakeProviders(fake) });
  second = await Gateway.start({ providers: fakeProviders(fake), place: first.place });
  await offerFakeModels(first);
});
afterAll(async () => {
  await second?.stop();
  await first.remove();
  await fake.close();
  await expectNothingLeft(first.place.folder);
});

const OPENAI = { dialect: 'openai', stream: false } as const;
const ANTHROPIC = { dialect: 'anthropic', stream: true } as const;

/** What is refused with, or null. */
const call = (gateway: Gateway, token: string, kind: typeof OPENAI | typeof ANTHROPIC = OPENAI): Promise<unknown> =>
  callModel(gateway.url, token, kind, 'fake-n2').then(
    () => null,
    (error: unknown) => error,
  );

/** A test that counts calls of one minute begins early in it. */
async function earlyInAMinute(): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 30_000) await delay(left);
}

const setLimits = (tenant: string, limits: object): Promise<unknown> =>
  first.must('PUT', `/api/v1/admin/tenants/${tenant}/limits`, limits);

test('no more calls than the limit reach the provider, whichever process is asked, and SDKs read the refusal', async () => {
  const { id, token } = await createDepartment(first);
  await setLimits(id, { requestsPerMinute: 7 });
  await earlyInAMinute();
  // Both processes know it within a second.
  await eventually(async () => {
    const answer = await second.call('POST', '/v1/chat/completions', { model: 'fake-n1' }, token);
    return answer.headers.get('x-ratelimit-limit-requests') === '7';
  });
  const earlier = fake.tally().calls;
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      call(index % 2 === 0 ? first : second, token, index % 3 === 0 ? ANTHROPIC : OPENAI),
    ),
  );
  const served = answers.filter((answer) => answer === null).length;
  expect(fake.tally().calls - earlier).toBe(served);
  expect(served).toBeLessThan(7);
  for (const refusal of answers.filter((answer) => answer !== null)) {
    const { headers, status } = refusal as { status: number; headers: Headers };
    expect(status).toBe(429);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    if (refusal instanceof RateLimitError) {
      expect(refusal).toMatchObject({ code: 'rate_limit_exceeded', type: 'requests' });
      expect(headers.get('x-ratelimit-remaining-requests')).toBe('0');
      expect(headers.get('x-ratelimit-reset-requests')).toMatch(/^\d+s$/);
    } else {
      expect(refusal).toBeInstanceOf(AnthropicRateLimitError);
      expect(headers.get('anthropic-ratelimit-requests-limit')).toBe('7');
      expect(Date.parse(headers.get('anthropic-ratelimit-requests-reset') as string)).toBeGreaterThan(Date.now());
    }
  }
  // Lifted, it holds nowhere any more.
  await setLimits(id, { requestsPerMinute: null });
  await eventually(async () => (await call(second, token)) === null);
  await eventually(async () => (await call(first, token)) === null);
}, 90_000);

test('each token has its own, of which a refused one takes nothing from the tenant', async () => {
  const { id, token, tokenId } = await createDepartment(first);
  const { token: other } = await first.must<{ token: string }>('POST', `/api/v1/admin/tenants/${id}/tokens`, {
    label: 'other',
  });
  await setLimits(id, { requestsPerMinutePerToken: 2 });
  await earlyInAMinute();
  await eventually(async () => {
    const answer = await first.call('POST', '/v1/chat/completions', { model: 'fake-n1' }, token);
    return answer.headers.get('x-ratelimit-limit-requests') === '2';
  });
  await call(first, token);
  expect(await call(first, token)).toMatchObject({ status: 429, error: { scope: 'token', limit: 2 } });
  expect(await call(first, other)).toBeNull();
  // A successor goes on where the old one is, as with budgets.
  const tokens = `/api/v1/admin/tenants/${id}/tokens`;
  const next = await first.must<{ token: string }>('POST', `${tokens}/${tokenId}/rotate`, { gracePeriodSeconds: 60 });
  expect(await call(first, next.token)).toMatchObject({ status: 429, error: { scope: 'token', limit: 2 } });
  // Only model calls are counted.
  expect((await first.call('GET', '/v1/models', undefined, token)).status).toBe(200);
}, 90_000);

test('a wrong key is told so, not that it is too fast', async () => {
  const answer = await first.call('POST', '/v1/chat/completions', { model: 'fake-n1' }, 'tk_nobody_0');
  expect(answer.status).toBe(401);
});
