import { dateIn, startOfDay, startOfMonth } from './local-time';
import { daysOf, periodOf } from './period';

const now = new Date('2026-11-22T10:30:00Z');

describe('periodOf', () => {
  it('is the current month if nothing is chosen, as the gateway’s calendar has it', () => {
    expect(periodOf({}, 'UTC', now)).toEqual({
      from: new Date('2026-11-01T00:00:00Z'),
      to: new Date('2026-12-01T00:00:00Z'),
    });
    const lastNight = new Date('2026-10-31T23:30:00Z');
    expect(periodOf({}, 'Europe/Berlin', lastNight)).toEqual({
      from: new Date('2026-10-31T23:00:00Z'),
      to: new Date('2026-11-30T23:00:00Z'),
    });
  });

  it('follows daylight saving at both ends of a month', () => {
    expect(periodOf({ period: '2026-03' }, 'Europe/Berlin', now)).toEqual({
      from: new Date('2026-02-28T23:00:00Z'),
      to: new Date('2026-03-31T22:00:00Z'),
    });
    expect(periodOf({ period: '2026-12' }, 'Pacific/Auckland', now).to).toEqual(new Date('2026-12-31T11:00:00Z'));
  });

  it('takes two instants, or one until now', () => {
    const from = '2026-11-01T02:00:00+02:00';
    expect(periodOf({ from, to: '2026-11-02T00:00:00Z' }, 'UTC', now)).toEqual({
      from: new Date('2026-11-01T00:00:00Z'),
      to: new Date('2026-11-02T00:00:00Z'),
    });
    expect(periodOf({ from }, 'UTC', now).to).toEqual(now);
  });

  it.each([
    [{ period: '2026-11', from: '2026-11-01T00:00:00Z' }, 'period'],
    [{ to: '2026-11-01T00:00:00Z' }, 'from'],
    [{ from: '2026-11-02T00:00:00Z', to: '2026-11-02T00:00:00Z' }, 'to'],
    [{ from: '2000-01-01T00:00:00Z' }, 'to'],
  ])('refuses %j', (choice, field) => {
    expect(() => periodOf(choice, 'UTC', now)).toThrow(
      expect.objectContaining({ code: 'validation_failed', details: { fields: [expect.objectContaining({ field })] } }),
    );
  });
});

describe('daysOf', () => {
  it('cuts a period into calendar days without gap or overlap, whatever the clock does', () => {
    for (const zone of [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kathmandu',
      'America/Santiago',
      'Pacific/Apia',
    ]) {
      const year = { from: startOfMonth(zone, 2026, 1), to: startOfMonth(zone, 2027, 1) };
      const days = [...daysOf(year, zone)];
      expect(days).toHaveLength(365);
      expect(days[0]?.from).toEqual(year.from);
      expect(days.at(-1)?.to).toEqual(year.to);
      for (const [index, { from, date }] of days.entries()) {
        expect(dateIn(zone, from)).toBe(date);
        expect(dateIn(zone, new Date(from.getTime() - 1))).not.toBe(date);
        if (index > 0) expect(from).toEqual(days[index - 1]?.to);
      }
    }
  });

  it('cuts the first and the last day to the period', () => {
    const days = [...daysOf({ from: now, to: new Date('2026-11-23T01:00:00Z') }, 'UTC')];
    expect(days).toEqual([
      { date: '2026-11-22', from: now, to: new Date('2026-11-23T00:00:00Z') },
      { date: '2026-11-23', from: new Date('2026-11-23T00:00:00Z'), to: new Date('2026-11-23T01:00:00Z') },
    ]);
  });
});

it('begins a day without midnight when its clock starts', () => {
  // Chile's clocks went from 24:00 to 01:00 that night.
  expect(startOfDay('America/Santiago', 2026, 9, 6)).toEqual(new Date('2026-09-06T04:00:00Z'));
});
