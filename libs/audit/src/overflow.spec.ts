import { Overflow } from './overflow';

const at = (second: number) => new Date(Date.UTC(2026, 10, 22, 10, 0, second));

describe('Overflow', () => {
  it('loses no count, however many callers there are', () => {
    const overflow = new Overflow();
    for (let n = 0; n < 1_000; n++)
      overflow.add(
        { principal: null, ip: `10.0.${n >> 8}.${n & 255}`, code: n % 2 ? 'credentials_invalid' : 'permission_denied' },
        at(n % 60),
      );
    const view = overflow.view() as { count: number; codes: Record<string, number>; callers: Record<string, number> };
    expect(view.count).toBe(1_000);
    expect(view.codes).toEqual({ credentials_invalid: 500, permission_denied: 500 });
    expect(Object.keys(view.callers)).toHaveLength(51);
    expect(view.callers.others).toBe(950);
  });

  it('adds up with a later one', () => {
    const first = new Overflow();
    first.add({ principal: null, ip: '10.0.0.1', code: 'route_not_found' }, at(1));
    const later = new Overflow();
    later.add({ principal: null, ip: '10.0.0.1', code: 'route_not_found' }, at(9));
    expect(first.merge(later).view()).toEqual({
      count: 2,
      since: at(1),
      until: at(9),
      codes: { route_not_found: 2 },
      callers: { 'anonymous from 10.0.0.1': 2 },
    });
  });
});
