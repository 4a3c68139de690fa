import { Inject, Injectable } from '@nestjs/common';
import {
  Config,
  Database,
  JobPrincipals,
  LOG,
  Outage,
  type GatewayConfig,
  type Log,
  type WebhookConfig,
} from '@app/platform';
import {
  buryEndpoints,
  buryUnclaimed,
  claimDue,
  countOpen,
  deleteDelivered,
  recordOutcome,
  type DeliveryRow,
} from './deliveries.queries';
import { judge } from './outcome';
import { ATTEMPT_MS, send } from './sender';

const POLL_MS = 1_000;
const TIDY_MS = 15_000;
/** An attempt is over by then, whatever happens. */
const LEASE_MS = 3 * ATTEMPT_MS;
/** At one endpoint at a time, so that one that hangs keeps the others' notices waiting as little as its own process. */
const MOST_UNDER_WAY = 4;
/** Other processes may have read a newer configuration: within this time one of them claims what we do not know. */
const UNKNOWN_FOR_MS = 300_000;
const KEPT_DAYS = 30;
/** How long a stopping process waits for answers. */
const LINGER_MS = 5_000;

export interface WebhookFacts {
  /** As counted a few seconds ago, of all processes. */
  readonly pending: number;
  readonly dead: number;
  /** By this process, since its start. */
  readonly delivered: number;
}

/**
 * Carries notices to their receivers, in every gateway process. A row is claimed in one transaction and its outcome recorded in
 * another; while the receiver is asked, none is open. A process that dies in between leaves a row that is due again soon.
 */
@Injectable()
export class WebhookDeliverer {
  readonly #stop = new AbortController();
  readonly #underWay = new Map<string, number>();
  readonly #attempts = new Set<Promise<void>>();
  #known: readonly string[] = [];
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #tidiedAtMs = -Infinity;
  #stopped = false;
  readonly #outage: Outage;
  #facts: WebhookFacts = { pending: 0, dead: 0, delivered: 0 };

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    @Inject(LOG) private readonly log: Log,
  ) {
    this.#outage = new Outage(log, 'notices wait for the database', 'notices go out again');
  }

  get facts(): WebhookFacts {
    return this.#facts;
  }

  start(): void {
    this.#known = this.names;
    this.config.onReload(() => void this.reloaded());
    this.schedule(0);
  }

  /** Claims nothing more and waits a little for attempts under way; what they leave undone is due again later. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#round;
    const giveUp = setTimeout(() => this.#stop.abort(), LINGER_MS);
    await Promise.all(this.#attempts);
    clearTimeout(giveUp);
  }

  private get names(): readonly string[] {
    return this.config.current.webhooks.map(({ name }) => name);
  }

  private schedule(delayMs: number): void {
    if (!this.#stopped)
      this.#timer = setTimeout(() => {
        this.#round = this.round();
      }, delayMs).unref();
  }

  private async round(): Promise<void> {
    try {
      const { webhooks, egress } = this.config.current;
      for (const endpoint of webhooks) await this.serve(endpoint, egress);
      if (performance.now() - this.#tidiedAtMs >= TIDY_MS) await this.tidy();
      this.#outage.succeeded();
    } catch (error) {
      this.#outage.failed(error);
    }
    this.schedule(POLL_MS);
  }

  private async serve(endpoint: WebhookConfig, egress: GatewayConfig['egress']): Promise<void> {
    const room = MOST_UNDER_WAY - (this.#underWay.get(endpoint.name) ?? 0);
    if (room <= 0 || this.#stopped) return;
    const rows = await this.database.platform(this.jobs.for('webhooks'), (tx) =>
      claimDue(tx, endpoint.name, room, LEASE_MS),
    );
    for (const row of rows) {
      const attempt = this.attempt(endpoint, egress, row).finally(() => this.#attempts.delete(attempt));
      this.#attempts.add(attempt);
    }
  }

  private async attempt(endpoint: WebhookConfig, egress: GatewayConfig['egress'], row: DeliveryRow): Promise<void> {
    this.count(endpoint.name, 1);
    const answer = await send(endpoint, row, egress, this.#stop.signal);
    const outcome = judge(answer, row.attempts, new Date(), Math.random());
    try {
      await this.database.platform(this.jobs.for('webhooks'), (tx) => recordOutcome(tx, row, outcome));
      if (outcome.state === 'delivered') this.#facts = { ...this.#facts, delivered: this.#facts.delivered + 1 };
      else this.log.warn({ delivery: row.id, endpoint: row.endpoint, ...outcome }, 'a notice was not delivered');
    } catch (error) {
      this.log.warn({ err: error, delivery: row.id }, 'what became of a notice was not recorded; it is sent again');
    }
    this.count(endpoint.name, -1);
  }

  private count(endpoint: string, change: 1 | -1): void {
    this.#underWay.set(endpoint, (this.#underWay.get(endpoint) ?? 0) + change);
  }

  private async tidy(): Promise<void> {
    const counts = await this.database.platform(this.jobs.for('webhooks'), async (tx) => {
      await buryUnclaimed(tx, this.names, UNKNOWN_FOR_MS);
      await deleteDelivered(tx, KEPT_DAYS);
      return countOpen(tx);
    });
    this.#facts = { ...this.#facts, ...counts };
    this.#tidiedAtMs = performance.now();
  }

  private async reloaded(): Promise<void> {
    const gone = this.#known.filter((name) => !this.names.includes(name));
    this.#known = this.names;
    if (gone.length === 0) return;
    await this.database
      .platform(this.jobs.for('webhooks'), (tx) => buryEndpoints(tx, gone))
      .catch((error: unknown) => this.log.warn({ err: error }, 'notices of removed webhooks stay pending for a while'));
  }
}
