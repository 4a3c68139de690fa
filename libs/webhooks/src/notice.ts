import { matchesPattern, type WebhookConfig } from '@app/platform';

/** Everything that is ever told. A closed list, so that receivers can rely on it. */
export const WEBHOOK_EVENTS = ['budget.threshold', 'budget.refused', 'delivery.failed', 'webhook.test'] as const;

export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** Something that happened, for receivers outside. */
export interface Notice {
  readonly event: WebhookEvent;
  /** Whose affairs it concerns; `null` for the gateway's own. */
  readonly tenant: string | null;
  /** Facts as JSON; amounts and instants as text. Never a secret: receivers and administrators read it. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Whether an endpoint is to hear of it. One that names tenants hears nothing of the gateway's own affairs. */
export const wants = ({ events, tenants }: Pick<WebhookConfig, 'events' | 'tenants'>, notice: Notice): boolean =>
  events.some((pattern) => matchesPattern(pattern, notice.event)) &&
  (tenants === undefined || (notice.tenant !== null && tenants.includes(notice.tenant)));

/** The body as it is sent and signed, every time the same: https://www.standardwebhooks.com, "payload structure". */
export const bodyOf = ({ event, tenant, data }: Notice, at: Date): string =>
  JSON.stringify({ type: event, timestamp: at.toISOString(), data: { tenant, ...data } });
