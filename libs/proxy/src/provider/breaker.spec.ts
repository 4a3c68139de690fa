import fc from 'fast-check';
import { Breaker } from './breaker';

const rules = { failures: 3, openMs: 100 };

describe('a breaker', () => {
  test('opens after so many failures in a row, and not before', () => {
    const breaker = new Breaker(rules);
    breaker.failed(0);
    breaker.failed(0);
    breaker.succeeded();
    breaker.failed(0);
    breaker.failed(0);
    expect([breaker.state(0), breaker.enter(0)]).toEqual(['closed', true]);
    breaker.failed(5);
    expect([breaker.state(5), breaker.enter(50), breaker.waitMs(50)]).toEqual(['open', false, 55]);
  });

  test('lets one call try when its time is over, and goes by what becomes of it', () => {
    const breaker = new Breaker(rules);
    for (let i = 0; i < 3; i++) breaker.failed(0);
    expect([breaker.state(100), breaker.enter(100), breaker.enter(100)]).toEqual(['half_open', true, false]);
    breaker.failed(110);
    expect([breaker.state(150), breaker.waitMs(150)]).toEqual(['open', 60]);
    expect(breaker.enter(210)).toBe(true);
    breaker.abandoned();
    expect([breaker.state(211), breaker.enter(211)]).toEqual(['half_open', true]);
    breaker.succeeded();
    expect([breaker.state(212), breaker.enter(212), breaker.enter(212)]).toEqual(['closed', true, true]);
  });

  test('is not kept open by calls that began before it opened', () => {
    const breaker = new Breaker(rules);
    for (let i = 0; i < 3; i++) breaker.failed(0);
    breaker.failed(90);
    expect(breaker.waitMs(90)).toBe(10);
  });

  test('of no failures never opens', () => {
    const breaker = new Breaker({ ...rules, failures: 0 });
    for (let i = 0; i < 100; i++) breaker.failed(i);
    expect(breaker.enter(100)).toBe(true);
  });

  test('whatever happens: open it lets nobody in, half open one at a time, and it always lets somebody in again', () => {
    const steps = fc.array(
      fc.record({ ms: fc.nat(60), what: fc.constantFrom('enter', 'succeeded', 'failed', 'abandoned') }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const breaker = new Breaker(rules);
        let now = 0;
        let inside = 0;
        for (const { ms, what } of all) {
          now += ms;
          const before = breaker.state(now);
          if (what === 'enter') {
            const entered = breaker.enter(now);
            if (before === 'closed') expect(entered).toBe(true);
            if (before === 'open') expect(entered).toBe(false);
            expect(breaker.waitMs(now) === 0 || before !== 'closed').toBe(true);
            if (entered) inside++;
          } else if (inside > 0) {
            inside--;
            if (what === 'succeeded') breaker.succeeded();
            else if (what === 'abandoned') breaker.abandoned();
            else breaker.failed(now);
          }
          if (breaker.state(now) === 'half_open' && breaker.enter(now)) {
            expect(breaker.enter(now)).toBe(false);
            breaker.abandoned();
          }
        }
        breaker.abandoned();
        expect(breaker.enter(now + rules.openMs)).toBe(true);
      }),
    );
  });
});
