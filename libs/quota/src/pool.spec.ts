import { type Amounts, NOTHING } from './amounts';
import { Pool, setAside } from './pool';
import { tenantOwner } from './scopes/scope';
import { WindowLease } from './window-lease';
import { METERS } from './windows';

const of = (cost: bigint): Amounts => ({ cost, tokens: 0n });

describe('what a pool sets aside', () => {
  const open = (): { pool: Pool; lease: WindowLease } => {
    const [pool, lease] = [new Pool('a', tenantOwner('a'), METERS), new WindowLease(1n, 'cost', 0, 100)];
    [lease.free, lease.total] = [10n, 10n];
    pool.enter([lease], METERS);
    return { pool, lease };
  };

  test('is taken by no hold, and stays leased until it is let go of', () => {
    const { pool, lease } = open();
    const taken = pool.take(of(4n), 50);
    setAside(pool);
    expect(pool.take(of(1n), 50)).toBeNull();
    setAside(pool);
    expect(lease).toMatchObject({ free: 0n, leaving: 6n, total: 10n, inUse: 4n });
    expect(pool.uncertain).toBe(false);
    taken?.putBack(of(4n), NOTHING);
    expect(pool.take(of(3n), 50)).not.toBeNull();
    expect(pool.dropFree()).toBe(true);
    expect(lease).toMatchObject({ free: 0n, leaving: 0n, total: 3n, inUse: 3n });
    expect(pool.uncertain).toBe(true);
  });

  test('keeps the pool from being forgotten', () => {
    const { pool } = open();
    setAside(pool);
    expect(pool.idle).toBe(false);
    pool.dropFree();
    pool.settleUp();
    expect(pool.idle).toBe(true);
  });
});
