import fc from 'fast-check';
import { Turnstile, type Waiter } from './turnstile';

class Call implements Waiter {
  state: 'new' | 'waiting' | 'inside' | 'turned away' | 'gone' = 'new';

  constructor(readonly tenantId: string) {}

  enter(turnstile: Turnstile): this {
    this.state = turnstile.enter(this);
    return this;
  }

  turn(isInside: boolean): void {
    this.state = isInside ? 'inside' : 'turned away';
  }
}

describe('a turnstile', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('lets in up to its limit, then whose turn it is whenever one leaves', () => {
    const turnstile = new Turnstile({ limit: 2, patienceMs: 100 });
    const calls = ['a', 'a', 'a', 'a', 'b'].map((tenant) => new Call(tenant).enter(turnstile));
    expect(calls.map(({ state }) => state)).toEqual(['inside', 'inside', 'waiting', 'waiting', 'waiting']);
    turnstile.leave();
    turnstile.leave();
    expect(calls.map(({ state }) => state)).toEqual(['inside', 'inside', 'inside', 'waiting', 'inside']);
  });

  test('turns away who has waited too long, and forgets who has left', () => {
    const turnstile = new Turnstile({ limit: 1, patienceMs: 100 });
    const [, late, left] = ['a', 'b', 'c'].map((tenant) => new Call(tenant).enter(turnstile)) as [Call, Call, Call];
    jest.advanceTimersByTime(99);
    expect([turnstile.forget(left), turnstile.forget(left)]).toEqual([true, false]);
    jest.advanceTimersByTime(1);
    expect([late.state, left.state, turnstile.waiting]).toEqual(['turned away', 'waiting', 0]);
    turnstile.leave();
    expect([turnstile.inside, jest.getTimerCount()]).toEqual([0, 0]);
  });

  test('takes another limit at once', () => {
    const turnstile = new Turnstile({ limit: 1, patienceMs: 100 });
    const calls = ['a', 'b', 'c'].map((tenant) => new Call(tenant).enter(turnstile));
    turnstile.follow({ limit: 2, patienceMs: 100 });
    expect(calls.map(({ state }) => state)).toEqual(['inside', 'inside', 'waiting']);
    turnstile.follow({ limit: 1, patienceMs: 100 });
    turnstile.leave();
    expect([turnstile.inside, new Call('d').enter(turnstile).state]).toEqual([1, 'waiting']);
  });

  test('keeps only so many waiting', () => {
    const turnstile = new Turnstile({ limit: 1, patienceMs: 100 });
    const states = Array.from({ length: 1_003 }, () => new Call('a').enter(turnstile).state);
    expect(states.slice(-3)).toEqual(['waiting', 'turned away', 'turned away']);
  });

  test('a tenant that has filled the queue makes room for others, down to as many as they have', () => {
    const turnstile = new Turnstile({ limit: 1, patienceMs: 100 });
    const loud = Array.from({ length: 1_001 }, () => new Call('loud').enter(turnstile));
    const calm = new Call('calm').enter(turnstile);
    expect([calm.state, loud[1000]?.state, loud[999]?.state]).toEqual(['waiting', 'turned away', 'waiting']);
    expect([turnstile.waiting, jest.getTimerCount()]).toEqual([1_000, 1_000]);
    const more = Array.from({ length: 600 }, () => new Call('calm').enter(turnstile));
    expect(more.filter(({ state }) => state === 'waiting')).toHaveLength(499);
    expect(loud.filter(({ state }) => state === 'waiting')).toHaveLength(500);
    expect(turnstile.forget(loud[1000] as Call)).toBe(false);
  });

  test('whatever happens: never more inside than the limit, nobody waits beside a free place, no timer is left behind', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('enter' as const), tenant: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constant('leave' as const), nth: fc.nat(20) }),
      fc.record({ kind: fc.constant('give up' as const), nth: fc.nat(20) }),
      fc.record({ kind: fc.constant('time' as const), ms: fc.nat(60) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 150 }), (limit, steps) => {
        const turnstile = new Turnstile({ limit, patienceMs: 100 });
        const calls: Call[] = [];
        const those = (state: Call['state']): Call[] => calls.filter((call) => call.state === state);
        for (const one of steps) {
          if (one.kind === 'enter') calls.push(new Call(one.tenant).enter(turnstile));
          else if (one.kind === 'time') jest.advanceTimersByTime(one.ms);
          else {
            const all = those(one.kind === 'leave' ? 'inside' : 'waiting');
            const call = all[one.nth % (all.length || 1)];
            if (!call) continue;
            if (one.kind === 'leave') turnstile.leave();
            else turnstile.forget(call);
            call.state = 'gone';
          }
          expect(turnstile.inside).toBe(those('inside').length);
          expect(turnstile.waiting).toBe(those('waiting').length);
          expect(turnstile.inside).toBeLessThanOrEqual(limit);
          expect(turnstile.waiting === 0 || turnstile.inside === limit).toBe(true);
          expect(jest.getTimerCount()).toBe(turnstile.waiting);
        }
        for (const call of those('waiting')) turnstile.forget(call);
        expect(jest.getTimerCount()).toBe(0);
      }),
    );
  });
});
