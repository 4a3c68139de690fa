import fc from 'fast-check';
import { adminPrincipal } from '../../../../test/support/principals';
import { Gateways } from '../../test/gateways';
import { MONTH, reserve, settle, type TestCall } from '../../test/scoped-calls';
import type { AssembledQuota } from '../assemble';
import type { BudgetKey } from '../budget.dto';
import type { Hold } from '../hold';

const PROCESSES = 3;

/** Whatever calls are made of: few, so that they meet in the same pools. */
const call = fc.record({
  tenant: fc.constantFrom('x', 'y'),
  token: fc.constantFrom('t1', 't2'),
  model: fc.constantFrom('opus', 'opal', 'mini'),
  user: fc.constantFrom('ada', 'grace', null),
});

const part = fc.constantFrom<Partial<BudgetKey> | null>(
  {},
  { scope: 'model', target: 'op*' },
  { scope: 'model', target: 'opus' },
  { scope: 'token', target: '*' },
  { scope: 'user', target: '*' },
  { scope: 'user', target: 'ada' },
  null,
);

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('reserve' as const), call, units: fc.integer({ min: 1, max: 9 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('settle' as const), tenths: fc.integer({ min: 0, max: 10 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('give back' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('set' as const), part, limit: fc.integer({ min: 5, max: 60 }) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** One in which some pass and some are refused, whatever the others happen to be. */
const NARROW: Step[][] = [
  [{ kind: 'set', part: {}, limit: 5 }],
  [3, 3, 3].map((units) => ({
    kind: 'reserve',
    call: { tenant: 'x', token: 't1', model: 'opus', user: 'ada' },
    units,
  })),
];

interface Open {
  readonly hold: Hold;
  readonly call: TestCall;
  readonly units: number;
}

describe('pools of several processes', () => {
  let gateways: Gateways;

  beforeAll(async () => {
    gateways = await Gateways.open();
  });

  afterAll(() => gateways.close());

  /** What is wrong at this instant. */
  const faults = (): Promise<unknown[]> =>
    gateways.look(
      `SELECT w.* FROM budget_windows w WHERE spent + leased > ceiling
         OR leased <> (SELECT coalesce(sum(amount), 0) FROM leases l WHERE l.window_id = w.id)
         OR (limit_amount IS NOT NULL AND ceiling > greatest(limit_amount, spent + leased))`,
    );

  /** Windows whose spent is not what the ledger has of them. */
  const unbalanced = (): Promise<unknown[]> =>
    gateways.look(
      `SELECT w.tenant_id, w.scope, w.target, w.spent, l.sum FROM budget_windows w, LATERAL (
         SELECT coalesce(sum(l.cost_nanos), 0)::bigint AS sum FROM ledger l
         WHERE (w.tenant_id IS NULL OR l.tenant_id = w.tenant_id) AND l.at >= w.starts_at AND l.at < w.ends_at
           AND CASE w.scope WHEN 'token' THEN l.token_id = w.target WHEN 'user' THEN l.subject = w.target
             WHEN 'model' THEN l.model LIKE replace(w.target, '*', '%') ELSE true END) l
       WHERE w.metric = 'cost' AND w.spent <> l.sum`,
    );

  test('pass no ceiling and lose nothing, however calls and changes of budgets interleave', async () => {
    let run = 0;
    let [passed, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 4, maxLength: 12 }), { minLength: 3, maxLength: 6 }),
        async (rounds) => {
          run++;
          for (const tenant of ['x', 'y']) await gateways.tenant(`${tenant}${run}`);
          const processes: AssembledQuota[] = [];
          for (let i = 0; i < PROCESSES; i++) processes.push(await gateways.start({ waitMs: 20 }));
          const open: Open[] = [];
          const take = async (step: Extract<Step, { kind: 'reserve' }>, gateway: AssembledQuota): Promise<void> => {
            const mine = { ...step.call, tenant: `${step.call.tenant}${run}` };
            try {
              open.push({ hold: await reserve(gateway, mine, String(step.units)), call: mine, units: step.units });
              passed++;
            } catch (error) {
              if ((error as { code?: string }).code !== 'budget_exceeded') throw error;
              refused++;
            }
          };
          const play = async (step: Step, gateway: AssembledQuota): Promise<void> => {
            if (step.kind === 'reserve') return take(step, gateway);
            if (step.kind === 'give back') return gateway.leases.giveBackAll();
            if (step.kind === 'set') {
              const owner = step.part === null ? null : `x${run}`;
              await gateways
                .budgets()
                .set(adminPrincipal(), owner, { ...MONTH, ...step.part, limit: String(step.limit * (owner ? 1 : 50)) });
              return;
            }
            const ending = open.shift();
            if (step.kind === 'release') ending?.hold.release();
            else if (ending) await settle(ending.hold, String((ending.units * step.tenths) / 10));
          };
          for (const round of rounds) {
            await Promise.all(round.map((step, n) => play(step, processes[n % PROCESSES] as AssembledQuota)));
            expect(await faults()).toEqual([]);
          }
          for (const { hold, units } of open) await settle(hold, String(units));
          for (const { quota } of processes) await quota.drain();
          expect(await faults()).toEqual([]);
          expect(await unbalanced()).toEqual([]);
          expect(await gateways.look('SELECT 1 FROM leases WHERE amount > 0')).toEqual([]);
          for (const { quota } of processes) expect(quota.facts().uncoveredNanos).toBe(0n);
        },
      ),
      { numRuns: 6, examples: [[NARROW]], endOnFailure: true },
    );
    expect(passed).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  }, 300_000);
});
