import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import {
  Clock,
  CodedError,
  Config,
  Database,
  decodeCursor,
  type DeliveryConfig,
  invalidField,
  pageOf,
  type Principal,
} from '@app/platform';
import { boundsOf, grainOf, periodBefore } from './delivery-period';
import type {
  BillDeliveryList,
  DeliveryRunPage,
  DeliveryRunsQuery,
  DeliveryRunView,
  RunDeliveryDto,
} from './delivery.dto';
import type { DeliveryRun } from './delivery-run';
import { insertRun, selectRunPage, selectStandings } from './delivery-runs.queries';
import { placeOf } from './place';
import { nextSlot } from './due-slots';

/** What admins see of deliveries, and what they may ask for. */
@Injectable()
export class Deliveries {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** Those that are configured. */
  async list(principal: Principal): Promise<BillDeliveryList> {
    const { deliveries, timezone } = this.config.current;
    const names = deliveries.map(({ name }) => name);
    const standings = await this.database.platform(principal, (tx) => selectStandings(tx, names));
    const now = this.clock.now();
    return {
      items: deliveries.map(({ name, report, tenant, each, schedule, to }) => {
        const standing = standings.find(({ delivery }) => delivery === name);
        return {
          name,
          report,
          tenant: tenant ?? null,
          each,
          schedule,
          place: placeOf(to),
          nextAt: nextSlot(schedule, timezone, now)?.toISOString() ?? null,
          lastSuccessAt: standing?.lastSuccessAt?.toISOString() ?? null,
          failing: standing?.failing ?? 0,
        };
      }),
    };
  }

  /** Newest first. @throws CodedError `cursor_invalid` */
  async runs(principal: Principal, query: DeliveryRunsQuery): Promise<DeliveryRunPage> {
    const { limit, cursor } = query;
    const after = cursor === undefined ? null : cursorOf(cursor);
    const rows = await this.database.platform(principal, (tx) => selectRunPage(tx, query, after, limit + 1));
    const page = pageOf(rows, limit, ({ slot, delivery }) => [slot.toISOString(), delivery], view);
    return { items: [...page.items], nextCursor: page.nextCursor };
  }

  /** Has a delivery made soon, by any gateway process. @throws CodedError `delivery_not_found`, `validation_failed` */
  async request(principal: Principal, name: string, { period }: RunDeliveryDto): Promise<DeliveryRunView> {
    const delivery = this.config.current.deliveries.find((each) => each.name === name);
    if (!delivery) throw new CodedError('delivery_not_found');
    const slot = this.clock.now();
    const run = {
      delivery: name,
      slot,
      period: this.periodFor(delivery, period, slot),
      requestedBy: principal.id,
    };
    return this.database.platform(principal, async (tx) => {
      const made = view(await insertRun(tx, run));
      await this.audit.record(tx, {
        action: 'delivery.requested',
        tenant: delivery.tenant ?? null,
        target: { kind: 'delivery', id: name },
        after: { period: made.period, slot: made.slot },
      });
      return made;
    });
  }

  private periodFor({ report }: DeliveryConfig, asked: string | undefined, now: Date): string | null {
    const { timezone } = this.config.current;
    const grain = grainOf(report);
    if (asked === undefined) return grain && periodBefore(grain, timezone, now);
    const wanted = grain === 'day' ? 'a day, such as 2026-11-24' : 'a month, such as 2026-11';
    if ((asked.length === 10) !== (grain === 'day') || !isDate(asked))
      throw invalidField('period', `must be ${wanted}`);
    if (boundsOf(asked, timezone).to > now) throw invalidField('period', 'must be over');
    return asked;
  }
}

/** Whether the calendar has it. */
const isDate = (text: string): boolean => {
  const date = new Date(`${text}T00:00:00Z`.replace(/^(\d{4}-\d{2})T/, '$1-01T'));
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
};

function cursorOf(cursor: string): { slot: string; delivery: string } {
  const [slot = '', delivery = ''] = decodeCursor(cursor, 2);
  if (!/^2\d{3}-\d\d-\d\dT[\d:.]{12}Z$/.test(slot) || Number.isNaN(Date.parse(slot)) || !/^[\w-]{1,32}$/.test(delivery))
    throw new CodedError('cursor_invalid');
  return { slot, delivery };
}

const view = (run: DeliveryRun): DeliveryRunView => ({
  delivery: run.delivery,
  slot: run.slot.toISOString(),
  period: run.period,
  requestedBy: run.requestedBy,
  state: run.state,
  attempts: run.attempts,
  nextAttemptAt: run.state === 'retrying' ? run.attemptAt.toISOString() : null,
  error: run.error,
  files: run.files,
  revised: run.revised,
  rows: run.rows,
  finishedAt: run.finishedAt?.toISOString() ?? null,
});
