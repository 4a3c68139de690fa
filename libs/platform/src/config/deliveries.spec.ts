import { inspect } from 'node:util';
import { egressOf } from '../http/outbound';
import { Secret } from '../secret';
import { deliveries } from './deliveries';

const daily = { name: 'warehouse', report: 'daily', schedule: '0 6 * * *', to: { folder: '/srv/bills' } };
const s3 = { bucket: 'finance', region: 'eu-central-1', accessKeyId: 'AKIA', secretAccessKey: 'very-secret' };

/** Where and what is wrong with a list of deliveries. */
const problemsOf = (...list: object[]): string[] =>
  (deliveries.safeParse(list).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

it('is taken with a folder or a bucket', () => {
  expect(deliveries.parse(undefined)).toEqual([]);
  const [first, second] = deliveries.parse([
    daily,
    { ...daily, name: 'bucket', tenant: 'finance', to: { s3: { ...s3, prefix: '/llm/bills/' } } },
  ]);
  expect(first).toMatchObject({ name: 'warehouse', each: false, to: { folder: '/srv/bills' } });
  expect(second?.to.s3).toMatchObject({ prefix: 'llm/bills', forcePathStyle: false });
  expect(inspect(second, { depth: 9 })).not.toContain('very-secret');
});

it.each([
  ['every minute', '* * * * *'],
  ['a weekday by name', '0 6 * * MON-FRI'],
  ['the last day', '0 6 L * *'],
])('runs at %s', (_, schedule) => {
  expect(problemsOf({ ...daily, schedule })).toEqual([]);
});

it.each(['', 'daily', '0 6 * *', '0 0 6 * * *', '61 6 * * *', '0 6 30 2 *', '0 6 * * *; rm'])(
  'has no schedule "%s"',
  (schedule) => {
    expect(problemsOf({ ...daily, schedule })).toEqual([expect.stringMatching(/^0\.schedule: is not a schedule/)]);
  },
);

it.each([
  ['no place', { to: {} }, /name one place/],
  ['two places', { to: { folder: '/srv', s3 } }, /name one place/],
  ['a relative folder', { to: { folder: 'bills' } }, /absolute/],
  ['another report', { report: 'weekly' }, /report/],
  ['one tenant and each', { tenant: 'finance', each: true }, /not both/],
  ['a tenant that can be none', { tenant: '../x' }, /tenant/],
  ['a prefix that leaves', { to: { s3: { ...s3, prefix: 'a b' } } }, /prefix/],
  ['plain http', { to: { s3: { ...s3, endpoint: 'http://s3.example.internal' } } }, /unencrypted/],
  ['a key in the address', { to: { s3: { ...s3, endpoint: 'https://a:b@s3.example.com' } } }, /no credentials/],
  [
    'a file that is not there',
    { to: { s3: { ...s3, tls: { caFile: '/nowhere/ca.pem' } } } },
    /tls\.caFile: cannot be read/,
  ],
  ['half a client certificate', { to: { s3: { ...s3, tls: { certFile: '/x.pem' } } } }, /tls\.certFile: .*needs both/],
  [
    'no proxy',
    { to: { s3: { ...s3, proxy: 'u:very-secret@proxy' } } },
    /proxy: is not the address of a proxy.*nor "none"/,
  ],
  ['a proxy to a folder', { to: { folder: '/srv', proxy: 'none' } }, /Unrecognized/],
  ['a word nobody knows', { folder: '/srv' }, /Unrecognized/],
])('is refused with %s', (_, change, problem) => {
  const problems = problemsOf({ ...daily, ...change });
  expect(problems).toEqual([expect.stringMatching(problem)]);
  expect(problems.join()).not.toContain('very-secret');
});

it('may be plain http inside the own network', () => {
  const endpoint = 'http://s3.example.internal';
  expect(problemsOf({ ...daily, to: { s3: { ...s3, endpoint, internal: true } } })).toEqual([]);
});

it('goes through the proxy of all, unless it is inside or has its own', () => {
  const proxyTo = (settings: object): string | undefined => {
    const [delivery] = deliveries.parse([{ ...daily, to: { s3: { ...s3, ...settings } } }]);
    return egressOf(delivery!.to.s3!, { proxy: new Secret('http://proxy.example:3128') }, 1).proxy;
  };
  expect(proxyTo({})).toBe('http://proxy.example:3128');
  expect(proxyTo({ proxy: 'none' })).toBeUndefined();
  expect(proxyTo({ internal: true })).toBeUndefined();
  expect(proxyTo({ endpoint: 'http://localhost:9000' })).toBeUndefined();
  expect(proxyTo({ internal: true, proxy: 'https://u:p@own.example' })).toBe('https://u:p@own.example');
});

it('writes nothing that another one writes', () => {
  const other = { ...daily, name: 'other' };
  expect(problemsOf(daily, { ...other, to: { folder: '/srv/bills/' }, tenant: 'finance' })).toEqual([
    expect.stringMatching(/same place/),
  ]);
  expect(problemsOf(daily, { ...daily, report: 'detail' })).toEqual([expect.stringMatching(/same name/)]);
  expect(problemsOf(daily, { ...other, report: 'detail' }, { ...other, name: 'third', to: { s3 } })).toEqual([]);
});
