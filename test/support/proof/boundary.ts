import { setTimeout as delay } from 'node:timers/promises';
import { formatNanos, parseNanos } from '../../../libs/platform/src/money';
import { createDepartment, type Department } from '../department';
import type { Gateway } from '../gateway';
import type { Caller } from './caller';
import type { Chance } from './chance';
import type { Fleet } from './fleet';
import { Onlooker } from './onlooker';
import type { ProofOptions } from './options';
import { MAX_TOKENS, type MaxTokens } from './scenario';

const PAUSE_MS = 100;

/** The worst case of a call by its output limit, in nano-units. */
export type Quotes = Readonly<Record<MaxTokens, bigint>>;

/** The promise was broken before the run had begun. */
export class BrokenPromise extends Error {}

/** What calls are quoted at, learnt from the gateway's own refusals by a department that may spend nothing. */
export async function learnQuotes(gateway: Gateway, caller: Caller): Promise<Quotes> {
  const { token } = await createDepartment(gateway, { id: 'nobody', budget: '0' });
  const quotes: Partial<Record<MaxTokens, bigint>> = {};
  for (const maxTokens of MAX_TOKENS) {
    const call = { number: 0, dialect: 'openai', stream: false, model: 'fake/c0/fake-n1', honest: true } as const;
    const { text, status } = await caller.call(gateway.url, token, { ...call, maxTokens, leavesAfterMs: null });
    if (status === 200) throw new BrokenPromise('a department that may spend nothing was served');
    const { error } = JSON.parse(text) as { error: { requested: string } };
    quotes[maxTokens] = parseNanos(error.requested);
  }
  return quotes as Quotes;
}

/**
 * Departments whose budgets are always nearly used up: as soon as one is, it is raised a little, so that most of a run takes
 * place at the boundary. Limits are never lowered, for a lowered limit may rightly be below what is spent.
 */
export class Boundary {
  raises = 0;
  private stopping = false;
  private running: Promise<void> | undefined;

  private constructor(
    readonly departments: readonly Department[],
    private readonly fleet: Fleet,
    private readonly room: bigint,
    private readonly chance: Chance,
  ) {}

  /**
   * All have a monthly budget, every second one a daily budget as well. There is room for a third of the calls that are
   * made at once, so that the others are refused.
   */
  static async create(
    fleet: Fleet,
    quotes: Quotes,
    { tenants, calls }: ProofOptions,
    chance: Chance,
  ): Promise<Boundary> {
    const departments: Department[] = [];
    const limit = quotes[1_000] * BigInt(Math.max(4, Math.round(calls / tenants / 3)));
    const boundary = new Boundary(departments, fleet, limit, chance);
    for (let index = 0; index < tenants; index++) {
      const gateway = fleet.alive[0] as Gateway;
      const department = await createDepartment(gateway, { id: `proof${index}` });
      departments.push(department);
      await setLimit(gateway, department.id, 'month', limit);
      if (index % 2 === 1) await setLimit(gateway, department.id, 'day', limit);
    }
    return boundary;
  }

  start(superuserUrl: string): void {
    this.running = this.raise(new Onlooker(superuserUrl));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async raise(onlooker: Onlooker): Promise<void> {
    while (!this.stopping) {
      const short = await onlooker.query<{ tenant: string; period: 'day' | 'month'; ceiling: string }>(
        `SELECT tenant_id AS tenant, period, limit_amount::text AS ceiling FROM budget_windows
          WHERE limit_amount > 0 AND limit_amount - spent < $1 AND now() >= starts_at AND now() < ends_at`,
        [String(this.room / 3n)],
      );
      for (const { tenant, period, ceiling } of short ?? []) {
        const [gateway] = this.fleet.alive;
        const limit = BigInt(ceiling) + (this.room * BigInt(this.chance.whole(20, 150))) / 100n;
        if (gateway && (await setLimit(gateway, tenant, period, limit).then(isDone, isRefused))) this.raises++;
      }
      await delay(PAUSE_MS);
    }
    await onlooker.close();
  }
}

const isDone = (): boolean => true;
/** The gateway or its database has just been killed; the next round tries again. */
const isRefused = (): boolean => false;

const setLimit = (gateway: Gateway, tenant: string, period: 'day' | 'month', limit: bigint): Promise<unknown> =>
  gateway.must('PUT', `/api/v1/admin/tenants/${tenant}/budgets`, {
    metric: 'cost',
    period,
    limit: formatNanos(limit),
  });
