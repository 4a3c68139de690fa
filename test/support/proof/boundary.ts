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
    const { text, status } = await caller.call(gateway.url, token, {
      ...call,
      maxTokens,
      user: null,
      leavesAfterMs: null,
    });
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
  /** How many calls a minute `hasty` may make. */
  perMinute = 0;
  private stopping = false;
  private running: Promise<void> | undefined;

  private constructor(
    readonly departments: readonly Department[],
    private readonly fleet: Fleet,
    private readonly room: bigint,
    private readonly chance: Chance,
  ) {}

  /**
   * All have a monthly budget, every second one a daily budget as well, and each one of a part of itself: its end users, its
   * models or its token. All together have one too. There is room for a third of the calls that are made at once, so that
   * the others are refused.
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
      const whole = { tenant: department.id, scope: 'tenant', target: '', period: 'month' } as const;
      await setLimit(gateway, whole, limit);
      if (index % 2 === 1) await setLimit(gateway, { ...whole, period: 'day' }, limit);
      const [part, share] = partsOf(department)[index % 3] as [Part, bigint];
      await setLimit(gateway, { ...whole, ...part }, (limit * share) / 10n);
    }
    const all = (limit * BigInt(tenants) * 8n) / 10n;
    await setLimit(
      fleet.alive[0] as Gateway,
      { tenant: null, scope: 'organisation', target: '', period: 'month' },
      all,
    );
    // So many that it is used up, and that the budget is too.
    boundary.perMinute = Math.max(30, Math.round(calls / 2));
    const [gateway] = fleet.alive;
    await gateway?.must('PUT', `/api/v1/admin/tenants/${boundary.hasty}/limits`, {
      requestsPerMinute: boundary.perMinute,
    });
    return boundary;
  }

  /** The one department that may not call as fast as it likes. */
  get hasty(): string {
    return (this.departments[0] as Department).id;
  }

  start(superuserUrl: string): void {
    this.running = this.raise(new Onlooker(superuserUrl));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  /** For corrections that make calls dearer: those may pass a limit, and would hide a call that did. */
  async makeRoom(superuserUrl: string, amount: bigint): Promise<void> {
    const onlooker = new Onlooker(superuserUrl);
    const limited = await onlooker.query<Limited & { ceiling: string }>(
      `SELECT ${LIMITED} FROM budget_windows WHERE limit_amount > 0 AND now() >= starts_at AND now() < ends_at`,
    );
    for (const { ceiling, ...window } of limited ?? [])
      await setLimit(this.fleet.alive[0] as Gateway, window, BigInt(ceiling) + amount);
    await onlooker.close();
  }

  private async raise(onlooker: Onlooker): Promise<void> {
    while (!this.stopping) {
      const short = await onlooker.query<Limited & { ceiling: string }>(
        `SELECT ${LIMITED} FROM budget_windows
          WHERE limit_amount > 0 AND limit_amount - spent < $1 AND now() >= starts_at AND now() < ends_at`,
        [String(this.room / 3n)],
      );
      for (const { ceiling, ...window } of short ?? []) {
        const [gateway] = this.fleet.alive;
        const limit = BigInt(ceiling) + (this.room * BigInt(this.chance.whole(20, 150))) / 100n;
        if (gateway && (await setLimit(gateway, window, limit).then(isDone, isRefused))) this.raises++;
      }
      await delay(PAUSE_MS);
    }
    await onlooker.close();
  }
}

/** SQL: the members of `Limited`, and the limit in force. */
const LIMITED = 'tenant_id AS tenant, scope, target, period, limit_amount::text AS ceiling';

const isDone = (): boolean => true;
/** The gateway or its database has just been killed; the next round tries again. */
const isRefused = (): boolean => false;

/** Whose budget, and of which period. */
interface Limited {
  readonly tenant: string | null;
  readonly scope: string;
  readonly target: string;
  readonly period: 'day' | 'month';
}

type Part = Pick<Limited, 'scope' | 'target'>;

/** A part of a department, and the tenths of its budget that it may use. Each end user begins with what all have. */
const partsOf = ({ tokenId }: Department): (readonly [Part, bigint])[] => [
  [{ scope: 'user', target: '*' }, 4n],
  [{ scope: 'model', target: 'fake*' }, 6n],
  [{ scope: 'token', target: tokenId }, 9n],
];

const setLimit = (gateway: Gateway, { tenant, scope, target, period }: Limited, limit: bigint): Promise<unknown> =>
  gateway.must('PUT', tenant === null ? '/api/v1/admin/budgets' : `/api/v1/admin/tenants/${tenant}/budgets`, {
    metric: 'cost',
    period,
    ...(tenant === null || scope === 'tenant' ? {} : { scope, target }),
    limit: formatNanos(limit),
  });
