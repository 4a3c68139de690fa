import fc from 'fast-check';
import { FairQueue } from './fair-queue';

interface Waiter {
  readonly tenant: string;
  readonly number: number;
}

const drain = (queue: FairQueue<Waiter>): Waiter[] => {
  const all: Waiter[] = [];
  for (let next = queue.shift(); next; next = queue.shift()) all.push(next);
  return all;
};

describe('a fair queue', () => {
  test('serves tenants in turns: a burst of one keeps no other waiting', () => {
    const queue = new FairQueue<Waiter>();
    for (let number = 0; number < 50; number++) queue.push('loud', { tenant: 'loud', number });
    for (let number = 0; number < 2; number++) queue.push('calm', { tenant: 'calm', number });
    const order = drain(queue).map(({ tenant, number }) => `${tenant} ${number}`);
    expect(order.slice(0, 5)).toEqual(['loud 0', 'calm 0', 'loud 1', 'calm 1', 'loud 2']);
    expect(order).toHaveLength(52);
  });

  const tenant = fc.constantFrom('a', 'b', 'c', 'd');
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('push' as const), tenant }),
      fc.record({ kind: fc.constant('shift' as const) }),
      fc.record({ kind: fc.constant('remove' as const), nth: fc.nat(40) }),
    ),
    { maxLength: 300 },
  );

  test('serves everybody who stays once, a tenant in its order, and nobody twice before another that waits', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const queue = new FairQueue<Waiter>();
        const waiting: Waiter[] = [];
        /** Who was served since a tenant that waits was served, or began to wait. */
        const since = new Map<string, string[]>();
        let number = 0;
        for (const step of all) {
          if (step.kind === 'push') {
            const waiter = { tenant: step.tenant, number: number++ };
            if (!waiting.some((other) => other.tenant === step.tenant)) since.set(step.tenant, []);
            waiting.push(waiter);
            queue.push(step.tenant, waiter);
          } else if (step.kind === 'shift') {
            const served = queue.shift();
            expect(served === undefined).toBe(waiting.length === 0);
            if (!served) continue;
            expect(served).toBe(waiting.find((other) => other.tenant === served.tenant));
            waiting.splice(waiting.indexOf(served), 1);
            for (const [name, others] of since) if (name !== served.tenant) others.push(served.tenant);
            since.set(served.tenant, []);
            for (const name of since.keys()) if (!waiting.some((other) => other.tenant === name)) since.delete(name);
            for (const others of since.values()) expect(new Set(others).size).toBe(others.length);
          } else {
            const [gone] = waiting.splice(step.nth % (waiting.length || 1), 1);
            if (!gone) continue;
            expect(queue.remove(gone.tenant, gone)).toBe(true);
            expect(queue.remove(gone.tenant, gone)).toBe(false);
            if (!waiting.some((other) => other.tenant === gone.tenant)) since.delete(gone.tenant);
          }
          expect(queue.length).toBe(waiting.length);
        }
        expect(new Set(drain(queue))).toEqual(new Set(waiting));
      }),
    );
  });
});
