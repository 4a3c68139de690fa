import fc from 'fast-check';
import { boundsOf, periodBefore } from './delivery-period';
import { dueSlots, nextSlot } from './due-slots';

const ZONE = 'Europe/Berlin';
const at = (text: string): Date => new Date(text);
const due = (schedule: string, grain: 'day' | 'month' | null, last: string | undefined, now: string): string[] =>
  dueSlots(schedule, ZONE, grain, last === undefined ? undefined : at(last), at(now)).map((slot) => slot.toISOString());

it('is the slot that came last, for a delivery that is new', () => {
  expect(due('0 6 * * *', 'day', undefined, '2026-11-25T12:00:00Z')).toEqual(['2026-11-25T05:00:00.000Z']);
  expect(due('0 6 1 * *', 'month', undefined, '2026-11-25T12:00:00Z')).toEqual(['2026-11-01T05:00:00.000Z']);
});

it('comes to the second, by the clock on the wall', () => {
  expect(due('0 6 * * *', 'day', '2026-03-28T05:00:00Z', '2026-03-29T03:59:59.999Z')).toEqual([]);
  expect(due('0 6 * * *', 'day', '2026-03-28T05:00:00Z', '2026-03-29T04:00:00Z')).toEqual(['2026-03-29T04:00:00.000Z']);
  expect(due('0 0 * * *', 'day', '2026-11-24T23:00:00Z', '2026-11-25T23:00:00Z')).toEqual(['2026-11-25T23:00:00.000Z']);
});

it('catches up what was missed, oldest first, and of one period only the last', () => {
  expect(due('0 6 * * *', 'day', '2026-11-22T05:00:00Z', '2026-11-25T12:00:00Z')).toEqual([
    '2026-11-23T05:00:00.000Z',
    '2026-11-24T05:00:00.000Z',
    '2026-11-25T05:00:00.000Z',
  ]);
  expect(due('0 * * * *', 'day', '2026-11-23T20:00:00Z', '2026-11-25T12:30:00Z')).toEqual([
    '2026-11-23T22:00:00.000Z',
    '2026-11-24T22:00:00.000Z',
    '2026-11-25T12:00:00.000Z',
  ]);
  expect(due('0 6 * * *', 'month', '2026-09-10T05:00:00Z', '2026-11-25T12:00:00Z')).toEqual([
    '2026-09-30T04:00:00.000Z',
    '2026-10-31T05:00:00.000Z',
    '2026-11-25T05:00:00.000Z',
  ]);
});

it('catches up statements with one run, which has them all', () => {
  expect(due('0 6 * * *', null, '2026-09-10T05:00:00Z', '2026-11-25T12:00:00Z')).toEqual(['2026-11-25T05:00:00.000Z']);
});

it('is bounded, and then the newest', () => {
  const slots = due('0 6 * * *', 'day', '2020-01-01T05:00:00Z', '2026-11-25T12:00:00Z');
  expect(slots).toHaveLength(31);
  expect(slots.at(-1)).toBe('2026-11-25T05:00:00.000Z');
});

it('delivers every day once, whenever it is looked at and whatever was missed', () => {
  const schedule = fc.constantFrom('0 6 * * *', '*/15 * * * *', '0 0 * * *', '30 2 * * *', '59 23 * * *');
  const looks = fc.array(fc.integer({ min: 1, max: 5 * 86_400 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(schedule, looks, fc.integer({ min: 0, max: 300 * 86_400 }), (cron, pauses, start) => {
      let now = Date.UTC(2026, 0, 1) + start * 1_000;
      let last = dueSlots(cron, ZONE, 'day', undefined, new Date(now)).at(-1);
      for (const pause of pauses) {
        const before: Date | undefined = last;
        now += pause * 1_000;
        for (const slot of dueSlots(cron, ZONE, 'day', last, new Date(now))) {
          expect(slot.getTime()).toBeLessThanOrEqual(now);
          const expected = periodBefore('day', ZONE, slot);
          // Of the days since the last slot none is left out.
          if (last && periodBefore('day', ZONE, last) !== expected)
            expect(boundsOf(periodBefore('day', ZONE, last), ZONE).to).toEqual(boundsOf(expected, ZONE).from);
          last = slot;
        }
        const next = nextSlot(cron, ZONE, last ?? new Date(now));
        expect(next?.getTime()).toBeGreaterThan(now);
        expect(before === undefined || (last !== undefined && last >= before)).toBe(true);
      }
    }),
    { numRuns: 15 },
  );
});
