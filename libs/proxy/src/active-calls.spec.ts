import type { KnownToken, TokenDirectory } from '@app/tenancy';
import type { CodedError } from '@app/platform';
import { Registry } from 'prom-client';
import { ActiveCalls, type Cuttable } from './active-calls';

/** The two things a directory is asked for here. */
class Directory {
  readonly ended = new Set<string>();
  user: unknown;
  onEnded(user: unknown): void {
    this.user = user;
  }
  hasEnded(tokenId: string): boolean {
    return this.ended.has(tokenId);
  }
}

class Call implements Cuttable {
  readonly cuts: CodedError[] = [];
  readonly summary = {
    dialect: 'openai' as const,
    provider: 'p',
    upstreamModel: 'm',
    outcome: 'completed' as const,
    firstByteMs: 5,
    totalMs: 9,
  };
  constructor(readonly tokenId: string) {}
  cut(error: CodedError): void {
    this.cuts.push(error);
  }
}

const open = () => {
  const directory = new Directory();
  const registry = new Registry();
  return { directory, registry, calls: new ActiveCalls(directory as unknown as TokenDirectory, registry) };
};
const token = (tokenId: string): KnownToken => ({ tokenId }) as KnownToken;
const added = (calls: ActiveCalls, ...all: Call[]): void => all.forEach((call) => calls.add(call));

describe('the calls in flight', () => {
  test('hear of the end of their own token, and of no other', () => {
    const { calls, directory } = open();
    expect(directory.user).toBe(calls);
    const [a, b, other] = [new Call('a'), new Call('a'), new Call('b')];
    added(calls, a, b, other);
    expect([calls.count, calls.uses('a'), calls.uses('c')]).toEqual([3, true, false]);
    calls.ended(token('a'), 'revoked' as never);
    expect([a, b].map(({ cuts }) => cuts.map(({ code }) => code))).toEqual([
      ['credentials_invalid'],
      ['credentials_invalid'],
    ]);
    expect(other.cuts).toEqual([]);
    calls.ended(token('b'), 'tenant_suspended');
    expect(other.cuts[0]?.code).toBe('tenant_suspended');
  });

  test('are forgotten once, and their token with the last of them', () => {
    const { calls } = open();
    const [a, b] = [new Call('a'), new Call('a')];
    added(calls, a, b);
    calls.remove(a);
    calls.remove(a);
    expect([calls.count, calls.uses('a')]).toEqual([1, true]);
    calls.remove(b);
    expect([calls.count, calls.uses('a')]).toEqual([0, false]);
  });

  test('a token that ended while the body was uploaded lets nothing in', () => {
    const { calls, directory } = open();
    directory.ended.add('a');
    expect(() => calls.add(new Call('a'))).toThrow(expect.objectContaining({ code: 'credentials_invalid' }));
    expect([calls.count, calls.uses('a')]).toEqual([0, false]);
  });

  test('are counted once each in the metrics', async () => {
    const { calls, registry } = open();
    const call = new Call('a');
    calls.add(call);
    expect(await registry.metrics()).toContain('openclawmu_active_calls 1');
    calls.remove(call);
    calls.remove(call);
    const metrics = await registry.metrics();
    expect(metrics).toContain('openclawmu_active_calls 0');
    expect(metrics).toContain('openclawmu_calls_total{dialect="openai",provider="p",outcome="completed"} 1');
    expect(metrics).toContain('openclawmu_first_byte_seconds_sum{provider="p"} 0.005');
  });
});

describe('a shutdown', () => {
  test('without calls is over at once, and lets nothing in', async () => {
    const { calls } = open();
    await calls.drain(60_000);
    expect(calls.draining).toBe(true);
    expect(() => calls.add(new Call('a'))).toThrow(
      expect.objectContaining({ code: 'draining', headers: { 'retry-after': '1', connection: 'close' } }),
    );
  });

  test('waits for the last call', async () => {
    const { calls } = open();
    const [a, b] = [new Call('a'), new Call('b')];
    added(calls, a, b);
    let over = false;
    const drained = calls.drain(60_000).then(() => (over = true));
    calls.remove(a);
    await new Promise(setImmediate);
    expect([over, b.cuts.length]).toEqual([false, 0]);
    calls.remove(b);
    await drained;
  });

  test('cuts what is still open when its patience ends', async () => {
    const { calls } = open();
    const call = new Call('a');
    calls.add(call);
    const drained = calls.drain(1);
    while (call.cuts.length === 0) await new Promise((later) => setTimeout(later, 1));
    expect(call.cuts[0]?.code).toBe('draining');
    calls.remove(call);
    await drained;
  });
});

test('the first calls are there until V8 has seen enough of them', async () => {
  const { calls } = open();
  const seen: WeakRef<Call>[] = [];
  const make = (count: number): void => {
    for (let made = 0; made < count; made++) {
      const call = new Call('t');
      seen.push(new WeakRef(call));
      calls.add(call);
      calls.remove(call);
    }
  };
  const left = async (): Promise<number> => {
    await new Promise((later) => setImmediate(later));
    collectGarbage();
    return seen.filter((call) => call.deref() !== undefined).length;
  };
  make(7);
  expect(await left()).toBe(7);
  make(1);
  expect(await left()).toBe(0);
});
