import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import { answered, Database, once, type Principal } from '@app/platform';
import { formatAmount } from '../amounts';
import { subjectOf } from '../budgets.service';
import { Meters } from '../meters';
import { feedIdOf, keyOf } from '../scopes/scope';
import { Settlements } from '../settlements.service';
import type { BudgetCheckResult, BudgetDifference, BudgetRepairResult, RepairBudgets } from './budget-check.dto';
import { type CheckedWindow, differenceOf, type WindowDifference } from './checked-window';
import {
  BEFORE_TENANTS,
  lockWindow,
  type NamedWindow,
  type Place,
  seeOneInstant,
  selectWindows,
  setSpent,
} from './checked-windows.queries';

/** So many windows are compared at one instant. */
const PAGE = 2_000;
const MOST_SHOWN = 1_000;

/** Compares what the budgets' windows under way have counted with the ledger, and puts right what differs. */
@Injectable()
export class BudgetCheck {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly meters: Meters,
    private readonly settlements: Settlements,
  ) {}

  async check(principal: Principal): Promise<BudgetCheckResult> {
    let [windows, differences] = [0, 0];
    const items: BudgetDifference[] = [];
    for await (const page of this.pages(principal)) {
      windows += page.windows;
      differences += page.differing.length;
      const shown = page.differing.slice(0, MOST_SHOWN - items.length);
      items.push(...shown.map((difference) => this.view(page.named, difference)));
    }
    return { ok: differences === 0, windows, differences, items };
  }

  /**
   * Each window is put right, told of and recorded in a transaction of its own, so that whoever books waits for one at a time. Where it
   * ends early, doing it again does the rest.
   * @throws CodedError `validation_failed`, `idempotency_conflict`
   */
  async repair(principal: Principal, { reason }: RepairBudgets, key?: string): Promise<BudgetRepairResult> {
    const request = { repair: 'budgets', reason };
    const first = await this.database.platform(principal, (tx) => answered<BudgetRepairResult>(tx, key, request));
    if (first) return first;
    let [windows, repaired] = [0, 0];
    const items: BudgetDifference[] = [];
    for await (const page of this.pages(principal)) {
      windows += page.windows;
      for (const { id, owner } of page.differing) {
        const found = await this.repairOne(principal, page.named, { id, owner }, reason);
        if (!found) continue;
        repaired++;
        if (items.length < MOST_SHOWN) items.push(found);
      }
    }
    const result = { windows, repaired, items };
    return this.database.platform(principal, (tx) => once(tx, key, request, () => Promise.resolve(result)));
  }

  /** @returns the window as it was; `null` if it agrees with the ledger by now, or is gone */
  private repairOne(
    principal: Principal,
    named: NamedWindow,
    { id, owner }: Pick<CheckedWindow, 'id' | 'owner'>,
    reason: string,
  ): Promise<BudgetDifference | null> {
    const { ledger, notices } = this.settlements.books;
    return this.database.platform(principal, async (tx) => {
      // Everybody has the ledger before a window. What is read here is also at hand when it is read again, while others wait.
      await ledger.used(tx, [owner], named.window);
      const window = await lockWindow(tx, id);
      // Whoever counts in it waits for us, and has not committed its rows either.
      const [used] = await ledger.used(tx, [owner], named.window);
      const difference = window && used ? differenceOf(window, used) : null;
      if (!difference) return null;
      const { metric, due } = difference;
      await setSpent(tx, id, due);
      await notices.reached(tx, ledger, [id]);
      const before = this.view(named, difference);
      const after = this.view(named, { ...difference, spent: due });
      const subject = subjectOf({ owner, meter: { metric, ...named } });
      await this.audit.record(tx, { action: 'budget.repaired', ...subject, before, after, reason });
      tx.announce('budget', feedIdOf(owner));
      return before;
    });
  }

  private async *pages(principal: Principal): AsyncGenerator<Page> {
    const underWay = this.meters.at(this.meters.now());
    for (const { period, window } of new Map(underWay.map((meter) => [meter.period, meter])).values()) {
      let place: Place | null | undefined = null;
      while (place !== undefined) {
        const page: Page = await this.page(principal, { period, window }, place);
        yield page;
        place = place === null ? BEFORE_TENANTS : page.next;
      }
    }
  }

  private page(principal: Principal, named: NamedWindow, after: Place | null): Promise<Page> {
    return this.database.platform(principal, async (tx) => {
      await seeOneInstant(tx);
      const windows = await selectWindows(tx, named, after, PAGE);
      const owners = new Map(windows.map(({ owner }) => [keyOf(owner), owner]));
      const sums = await this.settlements.ledger.used(tx, [...owners.values()], named.window);
      const used = new Map([...owners.keys()].map((key, index) => [key, sums[index]]));
      const differing = windows.flatMap((window) => {
        const sum = used.get(keyOf(window.owner));
        return (sum && differenceOf(window, sum)) ?? [];
      });
      const last = windows[PAGE - 1];
      return { named, windows: windows.length, differing, next: last && placeOf(last) };
    });
  }

  private view(
    { period, window }: NamedWindow,
    { owner, metric, spent, writtenOff, ledger, due }: WindowDifference,
  ): BudgetDifference {
    const { tenantId, scope, target } = owner;
    return {
      tenantId,
      scope,
      target: target === '' ? null : target,
      metric,
      currency: metric === 'cost' ? this.settlements.ledger.currency(this.meters.now()) : null,
      period,
      startsAt: new Date(window.startsAtMs).toISOString(),
      spent: formatAmount(metric, spent),
      writtenOff: formatAmount(metric, writtenOff),
      ledger: formatAmount(metric, ledger),
      difference: formatAmount(metric, spent - due),
    };
  }
}

interface Page {
  readonly named: NamedWindow;
  /** How many were compared. */
  readonly windows: number;
  readonly differing: readonly WindowDifference[];
  readonly next: Place | undefined;
}

const placeOf = ({ owner: { tenantId, scope, target }, metric }: CheckedWindow): Place => [
  tenantId ?? '',
  scope,
  target,
  metric,
];
