import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import {
  CodedError,
  Config,
  Database,
  decodeCursor,
  invalidField,
  newId,
  once,
  pageOf,
  parseNanos,
  type Principal,
  type Tx,
} from '@app/platform';
import { type Amounts, formatAmount, NOTHING } from './amounts';
import {
  type BudgetKey,
  type BudgetList,
  BudgetQuery,
  type BudgetView,
  type SetBudget,
  type TopUpBudget,
} from './budget.dto';
import {
  type BudgetPlace,
  type BudgetRow,
  type BudgetStanding,
  deleteBudget,
  findHolder,
  findTenant,
  limitWindows,
  lockForSetting,
  readBudgets,
  saveBudget,
  selectBudgets,
  topUpWindow,
} from './budgets.queries';
import { Meters } from './meters';
import { beginCounting, ensureWindows } from './new-windows.queries';
import { countable } from './scopes/countable';
import { feedIdOf, isEach, ORGANISATION, type Owner, SCOPES, tenantOwner } from './scopes/scope';
import { checkThresholds } from './notices/thresholds';
import { Settlements } from './settlements.service';
import { type Meter, METERS, type Metric, METRICS, type Period, PERIODS } from './windows';

/** The largest limit, and the largest sum of top-ups: together they fit into the database's 64 bits. */
const MOST = 2n ** 62n - 1n;
const MOST_OF_THE_ORGANISATION = METERS.length;

/** Sets limits on what may be used. They take effect in every gateway process within a second. */
@Injectable()
export class BudgetsService {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly meters: Meters,
    private readonly settlements: Settlements,
    private readonly config: Config,
  ) {}

  /** @throws CodedError `tenant_not_found`, `token_not_found`, `cursor_invalid`, `validation_failed` */
  list(principal: Principal, tenantId: string, query = new BudgetQuery()): Promise<BudgetList> {
    return this.database.platform(principal, async (tx) => {
      await findTenant(tx, tenantId);
      return this.page(tx, tenantId, query);
    });
  }

  /** The tenant's own. @throws CodedError `token_not_found`, `cursor_invalid`, `validation_failed` */
  listOwn(principal: Principal, query = new BudgetQuery()): Promise<BudgetList> {
    return this.database.tenant(principal, (tx) => this.page(tx, principal.tenantId as string, query));
  }

  listOrganisation(principal: Principal): Promise<BudgetList> {
    return this.database.platform(principal, async (tx) => {
      const rows = await selectBudgets(tx, null, { limit: MOST_OF_THE_ORGANISATION });
      return { items: await this.read(tx, null, rows), nextCursor: null };
    });
  }

  /**
   * @param tenantId `null` for a budget of the organisation
   * @throws CodedError `tenant_not_found`, `tenant_state`, `token_not_found`, `validation_failed`
   */
  async set(principal: Principal, tenantId: string | null, dto: SetBudget): Promise<BudgetView> {
    const meant = this.countable(tenantId, dto);
    const { metric, period, limit, thresholds } = dto;
    if (thresholds) checkThresholds(thresholds);
    const amount = parseAmount('limit', metric, limit);
    return this.change(principal, tenantId, async (tx) => {
      const owner = await lockForSetting(tx, meant);
      const now = this.meters.now();
      const place = this.place(owner, { metric, period }, now);
      const before = await this.readOne(tx, place);
      await saveBudget(tx, newId('bud'), place, amount, thresholds, now);
      await beginCounting(tx, owner, place.meter, this.settlements.books);
      await this.limit(tx, place);
      const after = await this.readOne(tx, place);
      await this.audit.record(tx, {
        action: 'budget.set',
        ...subjectOf(place),
        before: before.limit === null ? undefined : before,
        after,
      });
      tx.announce('budget', feedIdOf(owner));
      return after;
    });
  }

  /**
   * @param tenantId `null` for a budget of the organisation
   * @throws CodedError `tenant_not_found`, `tenant_state`, `token_not_found`, `budget_not_found`, `validation_failed`
   */
  async remove(principal: Principal, tenantId: string | null, key: BudgetKey): Promise<void> {
    const meant = ownerOf(tenantId, key);
    return this.change(principal, tenantId, async (tx) => {
      const owner = await lockForSetting(tx, meant);
      const place = this.place(owner, key, this.meters.now());
      const before = await this.readOne(tx, place);
      if (!(await deleteBudget(tx, place))) throw new CodedError('budget_not_found');
      await this.limit(tx, place);
      await this.audit.record(tx, { action: 'budget.removed', ...subjectOf(place), before });
      tx.announce('budget', feedIdOf(owner));
    });
  }

  /**
   * Adds to the limit of the period under way, and of no other, or takes back what was added. A limit that is changed later keeps it.
   * @param tenantId `null` for a budget of the organisation
   * @throws CodedError `tenant_not_found`, `tenant_state`, `token_not_found`, `budget_not_found`, `validation_failed`,
   *   `idempotency_conflict`
   */
  async topUp(
    principal: Principal,
    tenantId: string | null,
    dto: TopUpBudget,
    idempotencyKey?: string,
  ): Promise<BudgetView> {
    const meant = this.countable(tenantId, dto);
    const { metric, period, reason } = dto;
    if (isEach(meant)) throw invalidField('target', `must name one ${meant.scope}; a top-up is for one`);
    const amount = parseAmount('amount', metric, dto.amount);
    return this.change(principal, tenantId, (tx) =>
      once(tx, idempotencyKey, { topUp: 'budget', tenantId, ...dto }, async () => {
        const owner = await lockForSetting(tx, meant);
        const place = this.place(owner, { metric, period }, this.meters.now());
        await ensureWindows(tx, owner, [place.meter], this.settlements.books);
        const before = await this.readOne(tx, place);
        const topUp = parseAmount('topUp', metric, before.topUp) + amount;
        if (topUp > MOST)
          throw invalidField('amount', `makes top-ups of more than ${formatAmount(metric, MOST)} together`);
        if (topUp < 0n) throw invalidField('amount', `takes back more than was added, which is ${before.topUp}`);
        const topped = await topUpWindow(tx, place, amount);
        if (topped === null)
          throw new CodedError('budget_not_found', 'There is no limit that a top-up could add to; set one first.');
        const { ledger, notices } = this.settlements.books;
        if (amount < 0n) await notices.reached(tx, ledger, [topped]);
        const after = await this.readOne(tx, place);
        await this.audit.record(tx, { action: 'budget.topped_up', ...subjectOf(place), before, after, reason });
        tx.announce('budget', feedIdOf(owner));
        return after;
      }),
    );
  }

  /** This process obeys when it is done; the others, when they hear of it. */
  private async change<T>(principal: Principal, tenantId: string | null, work: (tx: Tx) => Promise<T>): Promise<T> {
    const changed = await this.database.platform(principal, work);
    await this.settlements.budgets.catchUp(feedIdOf({ tenantId }));
    return changed;
  }

  /** Has the limit take effect that is in force now, of this budget or of one that takes its place, and tells thresholds that are below what is used. */
  private async limit(tx: Tx, place: BudgetPlace): Promise<void> {
    const { ledger, notices } = this.settlements.books;
    await notices.reached(tx, ledger, await limitWindows(tx, place));
  }

  /** The whole tenant's come first, on the first page, and beside its limit. */
  private async page(tx: Tx, tenantId: string, { scope, target, limit, cursor }: BudgetQuery): Promise<BudgetList> {
    if (target !== undefined) {
      const owner = await findHolder(tx, this.countable(tenantId, { scope, target }));
      return { items: await this.limiting(tx, owner), nextCursor: null };
    }
    const after = cursor === undefined ? undefined : readCursor(cursor);
    const whole = after === undefined && (scope ?? 'tenant') === 'tenant' ? METERS : [];
    const rows = scope === 'tenant' ? [] : await selectBudgets(tx, tenantId, { scope, after, limit: limit + 1 });
    const { items, nextCursor } = pageOf(
      rows,
      limit,
      (row) => [row.scope, row.target, row.metric, row.period],
      (row) => row,
    );
    const wholes = await this.standings(tx, tenantId, this.placesOf(tenantOwner(tenantId), whole));
    return { items: [...(await this.withUsed(tx, wholes)), ...(await this.read(tx, tenantId, items))], nextCursor };
  }

  /** Of one token or end user, or of one model or pattern: by what limits it, of its own or of each. */
  private async limiting(tx: Tx, owner: Owner): Promise<BudgetView[]> {
    const standings = await this.standings(tx, owner.tenantId, this.placesOf(owner, METERS));
    return this.withUsed(
      tx,
      standings.filter(({ view }) => view.limit !== null),
    );
  }

  /** What has no window, because nothing limits it, or because it has made no call since something does, has used what the ledger says. */
  private async withUsed(tx: Tx, standings: readonly BudgetStanding[]): Promise<BudgetView[]> {
    const used = new Map<Period, Amounts | undefined>();
    const views: BudgetView[] = [];
    for (const { place, view, isCounted } of standings) {
      const { metric, period, window } = place.meter;
      if (!isCounted && !used.has(period))
        used.set(period, (await this.settlements.ledger.used(tx, [place.owner], window))[0]);
      const { [metric]: spent } = used.get(period) ?? NOTHING;
      views.push(isCounted ? view : { ...view, spent: formatAmount(metric, spent) });
    }
    return views;
  }

  private async read(tx: Tx, tenantId: string | null, rows: readonly BudgetRow[]): Promise<BudgetView[]> {
    const now = this.meters.now();
    const places = rows.map(({ scope, target, metric, period }) =>
      this.place({ tenantId, scope, target }, { metric, period }, now),
    );
    return (await this.standings(tx, tenantId, places)).map(({ view }) => view);
  }

  private async readOne(tx: Tx, place: BudgetPlace): Promise<BudgetView> {
    const [standing] = await this.standings(tx, place.owner.tenantId, [place]);
    if (!standing) throw new TypeError('a budget that is asked for is told');
    return standing.view;
  }

  private standings(tx: Tx, tenantId: string | null, places: readonly BudgetPlace[]): Promise<BudgetStanding[]> {
    return readBudgets(tx, tenantId, places, this.settlements.books.ledger.currency(this.meters.now()));
  }

  private countable(tenantId: string | null, key: Pick<BudgetKey, 'scope' | 'target'>): Owner {
    return countable(ownerOf(tenantId, key), this.config.current.routes);
  }

  private placesOf(owner: Owner, meters: readonly Meter[]): BudgetPlace[] {
    return this.meters.at(this.meters.now(), meters).map((meter) => ({ owner, meter }));
  }

  private place(owner: Owner, meter: Meter, now: Date): BudgetPlace {
    const [window] = this.meters.at(now, [meter]);
    if (!window) throw new TypeError('a meter has a window at any time');
    return { owner, meter: window };
  }
}

/** An exact model name, or a prefix ending in `*`. */
const MODEL_PATTERN = /^[\x21-\x29\x2b-\x7e]{0,199}(?:[\x21-\x29\x2b-\x7e]|\*)$/;

/** Whose budget is meant. @throws CodedError `validation_failed` */
function ownerOf(tenantId: string | null, { scope = 'tenant', target }: Pick<BudgetKey, 'scope' | 'target'>): Owner {
  if (tenantId === null) return ORGANISATION;
  if (scope === 'tenant') {
    if (target !== undefined) throw invalidField('target', 'is for scopes other than tenant');
    return tenantOwner(tenantId);
  }
  if (target === undefined) throw invalidField('target', `must name the ${scope}`);
  if (scope === 'model' && !MODEL_PATTERN.test(target))
    throw invalidField('target', 'must be a model, or the beginning of models that ends in "*"');
  return { tenantId, scope, target };
}

/** @throws CodedError `validation_failed` */
function parseAmount(field: string, metric: Metric, text: string): bigint {
  if (metric === 'tokens' && text.includes('.'))
    throw invalidField(field, 'must be a whole number of tokens in quotes, such as "2000000"');
  const amount = metric === 'cost' ? parseNanos(text) : BigInt(text);
  if (amount > MOST) throw invalidField(field, `must not exceed ${formatAmount(metric, MOST)}`);
  return amount;
}

/** How audit records call a budget: `cost/month`, and what it is a budget of if not of the whole tenant. */
export function subjectOf({ owner: { tenantId, scope, target }, meter: { metric, period } }: BudgetPlace) {
  const part = scope === 'tenant' ? '' : `/${scope}${target === '' ? '' : `:${target}`}`;
  return { tenant: tenantId, target: { kind: 'budget', id: `${metric}/${period}${part}` } };
}

/** @throws CodedError `cursor_invalid` */
function readCursor(cursor: string): readonly string[] {
  const parts = decodeCursor(cursor, 4);
  const [scope, target = '', metric, period] = parts;
  const isOurs = SCOPES.some((each) => each === scope) && METRICS.some((each) => each === metric);
  if (!isOurs || !PERIODS.some((each) => each === period) || target.includes('\0'))
    throw new CodedError('cursor_invalid');
  return parts;
}
