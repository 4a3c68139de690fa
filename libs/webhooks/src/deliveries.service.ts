import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import {
  Clock,
  CodedError,
  Config,
  Database,
  decodeCursor,
  pageOf,
  type Principal,
  type WebhookConfig,
} from '@app/platform';
import { findDelivery, insertDeliveries, listDeliveries, reviveDelivery, type DeliveryRow } from './deliveries.queries';
import { bodyOf } from './notice';
import type { DeliveryDetails, DeliveryPage, DeliveryQuery, DeliveryView, WebhookList } from './webhook.dto';

/** What administrators see of notices, and do about them. */
@Injectable()
export class DeliveriesService {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly clock: Clock,
  ) {}

  endpoints(): WebhookList {
    return {
      items: this.config.current.webhooks.map(({ name, url, events, tenants, internal, secrets }) => {
        const { origin, pathname } = new URL(url);
        return { name, url: origin + pathname, events, tenants: tenants ?? null, internal, secrets: secrets.length };
      }),
    };
  }

  /** Newest first. @throws CodedError `cursor_invalid` */
  async list(principal: Principal, query: DeliveryQuery): Promise<DeliveryPage> {
    const [before] = query.cursor === undefined ? [] : decodeCursor(query.cursor, 1);
    if (before !== undefined && !/^\w{1,64}$/.test(before)) throw new CodedError('cursor_invalid');
    const rows = await this.database.platform(principal, (tx) => listDeliveries(tx, query, before, query.limit + 1));
    const { items, nextCursor } = pageOf(rows, query.limit, ({ id }) => [id], viewOf);
    return { items: [...items], nextCursor };
  }

  /** @throws CodedError `webhook_delivery_not_found` */
  async show(principal: Principal, id: string): Promise<DeliveryDetails> {
    const row = await this.database.platform(principal, (tx) => findDelivery(tx, id));
    if (!row) throw new CodedError('webhook_delivery_not_found');
    return { ...viewOf(row), body: row.body };
  }

  /** Sends a notice again at once. @throws CodedError `webhook_delivery_not_found`, `webhook_delivered`, `webhook_not_found` */
  retry(principal: Principal, id: string): Promise<DeliveryView> {
    return this.database.platform(principal, async (tx) => {
      const before = await findDelivery(tx, id, 'FOR UPDATE');
      if (!before) throw new CodedError('webhook_delivery_not_found');
      if (before.state === 'delivered') throw new CodedError('webhook_delivered');
      this.endpoint(before.endpoint);
      const after = await reviveDelivery(tx, id);
      await this.audit.record(tx, {
        action: 'webhook.retried',
        tenant: before.tenant_id,
        target: { kind: 'webhook_delivery', id },
        before: viewOf(before),
        after: viewOf(after),
      });
      return viewOf(after);
    });
  }

  /** Sends a notice of no meaning to one endpoint, whatever events it wants. @throws CodedError `webhook_not_found` */
  async test(principal: Principal, name: string): Promise<DeliveryView> {
    this.endpoint(name);
    const notice = { event: 'webhook.test', tenant: null, data: { endpoint: name, sentBy: principal.id } } as const;
    return this.database.platform(principal, async (tx) => {
      const [id] = await insertDeliveries(tx, [name], { ...notice, body: bodyOf(notice, this.clock.now()) });
      const after = viewOf((await findDelivery(tx, id as string)) as DeliveryRow);
      const target = { kind: 'webhook', id: name };
      await this.audit.record(tx, { action: 'webhook.tested', tenant: null, target, after });
      return after;
    });
  }

  private endpoint(name: string): WebhookConfig {
    const endpoint = this.config.current.webhooks.find((one) => one.name === name);
    if (!endpoint) throw new CodedError('webhook_not_found');
    return endpoint;
  }
}

const viewOf = (row: DeliveryRow): DeliveryView => ({
  id: row.id,
  endpoint: row.endpoint,
  event: row.event,
  tenant: row.tenant_id,
  state: row.state,
  attempts: row.attempts,
  createdAt: row.created_at.toISOString(),
  dueAt: row.state === 'pending' ? row.due_at.toISOString() : null,
  endedAt: row.ended_at?.toISOString() ?? null,
  lastStatus: row.last_status,
  lastError: row.last_error,
});
