import fc from 'fast-check';
import type { Candidate } from '../route/router';
import { WIRES } from '../wire';
import { answerKey, type Question } from './answer-key';

const candidate = (id: string, provider = 'main'): Candidate => ({
  provider,
  model: { id, provider, upstreamModel: id, displayName: id, contextTokens: 1_000, maxOutputTokens: 100 },
  upstreamModel: id,
  wire: 'chat',
});

interface Asked {
  readonly tenantId: string;
  readonly wire: (typeof WIRES)[number];
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly models: readonly string[];
  readonly address: string;
  readonly rateCard: number;
  readonly policyVersion: string;
}

const PLAIN: Asked = {
  tenantId: 'alpha',
  wire: 'messages',
  path: '/v1/messages?beta=true',
  headers: { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'a,b' },
  body: '{"model":"m","messages":[]}',
  models: ['m', 'n'],
  address: 'http://a',
  rateCard: 1,
  policyVersion: '',
};

const question = ({ tenantId, wire, path, headers, body, models, address, ...rest }: Asked): Question => ({
  ...{ tenantId, request: { wire, path, headers, body: Buffer.from(body) }, ...rest },
  candidates: models.map((id) => candidate(id)),
  doorOf: () => address,
});
const idOf = (asked: Asked): string => answerKey(question(asked)).id.toString('hex');

const text = fc.string({ maxLength: 12 });
const asked: fc.Arbitrary<Asked> = fc.record({
  tenantId: fc.constantFrom('a', 'ab', 'b'),
  wire: fc.constantFrom(...WIRES),
  path: fc.constantFrom('/v1/messages', '/v1/messages?beta=true'),
  headers: fc.dictionary(fc.constantFrom('anthropic-beta', 'anthropic-version', 'accept'), text),
  body: text,
  models: fc.uniqueArray(fc.constantFrom('m', 'n', 'mn'), { minLength: 1 }),
  address: fc.constantFrom('http://a', 'http://b'),
  rateCard: fc.constantFrom(1, 12),
  policyVersion: fc.constantFrom('', '1', '2'),
});
/** What a provider would tell apart. */
const told = ({ models, ...rest }: Asked): unknown => ({ ...rest, models: [...models].sort() });

test('two questions have one key only if they agree in everything', () => {
  fc.assert(
    fc.property(asked, asked, (one, other) => {
      const same = idOf(one) === idOf(other);
      if (same) expect(told(one)).toEqual(told(other));
      else expect(told(one)).not.toEqual(told(other));
    }),
  );
});

test('a single bit of the body makes another question', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      (body, at, bit) => {
        const other = Buffer.from(body);
        other[at % body.length] = (other[at % body.length] as number) ^ (1 << bit);
        const keyOf = (bytes: Uint8Array): string =>
          answerKey({
            ...question(PLAIN),
            request: { ...question(PLAIN).request, body: Buffer.from(bytes) },
          }).id.toString('hex');
        expect(keyOf(other)).not.toBe(keyOf(body));
      },
    ),
  );
});

test.each<[string, Partial<Asked>]>([
  ['tenant', { tenantId: 'beta' }],
  ['wire', { wire: 'chat' }],
  ['path', { path: '/v1/messages' }],
  ['version', { headers: { ...PLAIN.headers, 'anthropic-version': '2023-06-01' } }],
  ['beta', { headers: { ...PLAIN.headers, 'anthropic-beta': 'a' } }],
  ['header less', { headers: {} }],
  ['body', { body: `${PLAIN.body} ` }],
  ['model', { models: ['m'] }],
  ['address', { address: 'http://b' }],
  ['rate card', { rateCard: 2 }],
  ['policy', { policyVersion: '7' }],
])('another %s makes another question', (_, change) => {
  expect(idOf({ ...PLAIN, ...change })).not.toBe(idOf(PLAIN));
});

test('who asks, how often it tried, what stays here, and which candidate comes first, do not', () => {
  for (const header of ['user-agent', 'x-stainless-retry-count', 'authorization', 'x-forwarded-for', 'cookie'])
    expect(idOf({ ...PLAIN, headers: { ...PLAIN.headers, [header]: 'x' } })).toBe(idOf(PLAIN));
  expect(idOf({ ...PLAIN, models: ['n', 'm'] })).toBe(idOf(PLAIN));
  const { 'anthropic-version': version, ...others } = PLAIN.headers;
  expect(idOf({ ...PLAIN, headers: { ...others, 'anthropic-version': version as string } })).toBe(idOf(PLAIN));
});

test('neither the name nor the key tells the other', () => {
  const { id, secret } = answerKey(question(PLAIN));
  expect([id.length, secret.length]).toEqual([32, 32]);
  expect(id.equals(secret)).toBe(false);
});
