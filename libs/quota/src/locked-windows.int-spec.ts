import { randomUUID } from 'node:crypto';
import type { Database, Tx } from '@app/platform';
import { PLANS } from '../../../test/support/plans';
import { adminPrincipal, jobPrincipals } from '../../../test/support/principals';
import { Gateways } from '../test/gateways';
import { MONTH, reserve, settle } from '../test/scoped-calls';
import { tenantOwner } from './scopes/scope';
import { KnownWindows } from './scopes/known-windows';
import { lockChargedWindows } from './settlements.queries';
import { Calendar, METERS } from './windows';
import { lockWindows } from './windows.queries';

const AT_ONCE = 5;
const TIMES = 20;
const CALL = { tenant: 'a', token: 'tok_1', model: 'opus', user: 'alice' };

/**
 * A statement that locks rows waits for whoever has them, and then looks at each once more. What it joins them with it does not read again;
 * with some plans it does not find it again either, leaves the row out without a word, and what was to be counted there would be lost.
 */
describe('whatever plan the database makes, and however many want them at once', () => {
  let gateways: Gateways;
  let database: Database;
  const now = new Date();

  beforeAll(async () => {
    gateways = await Gateways.open();
    await gateways.tenant('a');
    const parts = [
      { scope: 'model', target: 'op*' },
      { scope: 'token', target: '*' },
      { scope: 'user', target: 'alice' },
    ] as const;
    for (const part of parts) await gateways.budgets().set(adminPrincipal(), 'a', { ...MONTH, ...part, limit: '1000' });
    await gateways.budgets().set(adminPrincipal(), null, { ...MONTH, limit: '1000' });
    const gateway = await gateways.start();
    await settle(await reserve(gateway, CALL, '1', 1), '1', 1);
    await gateway.quota.drain();
    ({ database } = await gateways.db.otherProcess());
  });
  afterAll(() => gateways.close());

  const windows = async (): Promise<{ all: bigint[]; own: bigint[] }> => {
    const found = await gateways.look<{ id: bigint; scope: string }>(
      'SELECT id, scope FROM budget_windows ORDER BY id',
    );
    return { all: found.map(({ id }) => id), own: found.flatMap(({ id, scope }) => (scope === 'tenant' ? [id] : [])) };
  };

  /** Has windows locked by several at once, each again and again. @returns which were, each different answer once */
  async function locked(off: readonly string[], lock: (tx: Tx) => Promise<readonly bigint[]>): Promise<bigint[][]> {
    const answers = new Map<string, bigint[]>();
    const again = async (): Promise<void> => {
      for (let time = 0; time < TIMES; time++)
        await database.platform(jobPrincipals.for('lock'), async (tx) => {
          for (const way of off) await tx.query(`SET LOCAL enable_${way} = off`);
          const ids = [...(await lock(tx))].sort((a, b) => Number(a - b));
          answers.set(ids.join(), ids);
          await tx.query('UPDATE budget_windows SET spent = spent + 1');
        });
    };
    await Promise.all(Array.from({ length: AT_ONCE }, again));
    return [...answers.values()];
  }

  describe.each(PLANS.map((off) => ({ off, without: off.join(', ') || 'nothing' })))('without $without', ({ off }) => {
    test('all windows are locked that a call counts in', async () => {
      const { all, own } = await windows();
      expect(all).toHaveLength(own.length + 4);
      const call = { tenantId: CALL.tenant, lineage: CALL.token, model: CALL.model, user: CALL.user };
      const row = {
        id: randomUUID(),
        atMs: now.getTime(),
        lastMs: now.getTime(),
        call,
        used: { cost: 1n, tokens: 1n },
        windowIds: own.map(String),
      };
      const charged = async (tx: Tx): Promise<bigint[]> =>
        (await lockChargedWindows(tx, [row], new KnownWindows())).charge([row]).map(({ windowId }) => BigInt(windowId));
      expect(await locked(off, charged)).toEqual([all]);
    });

    test("all of an owner's are locked", async () => {
      const calendar = new Calendar('UTC');
      const meters = METERS.map((meter) => ({ ...meter, window: calendar.windowOf(meter.period, now.getTime()) }));
      const own = async (tx: Tx): Promise<bigint[]> =>
        (await lockWindows(tx, tenantOwner('a'), meters)).map(({ id }) => id);
      expect(await locked(off, own)).toEqual([(await windows()).own]);
    });
  });
});
