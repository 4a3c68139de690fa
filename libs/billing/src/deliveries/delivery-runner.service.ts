import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock, Config, LOG, maskKeys, type DeliveryConfig, type Log } from '@app/platform';
import { ClaimLost } from './delivery.errors';
import { grainOf, periodBefore } from './delivery-period';
import type { ClaimedRun, DeliveredFiles, DeliveryStanding } from './delivery-run';
import { DeliveryRuns, LEASE_MS } from './delivery-runs.service';
import { DeliveryWork } from './delivery-work.service';
import { dueSlots } from './due-slots';

const TICK_MS = 10_000;

/** Carries out what is due, one run after the other. Every gateway process has one; each run is one process's alone. */
@Injectable()
export class DeliveryRunner implements OnModuleDestroy {
  #timer: NodeJS.Timeout | null = null;
  #turn: Promise<void> | null = null;
  #wanted = false;
  readonly #stop = new AbortController();
  #standings: readonly DeliveryStanding[] = [];

  constructor(
    private readonly runs: DeliveryRuns,
    private readonly work: DeliveryWork,
    private readonly config: Config,
    private readonly clock: Clock,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** As of the last look; of deliveries that are configured. */
  get standings(): readonly DeliveryStanding[] {
    return this.#standings;
  }

  start(): void {
    this.config.onReload(() => this.poke());
    this.#timer = setInterval(() => this.poke(), TICK_MS).unref();
    this.poke();
  }

  /** Looks for work now rather than in some seconds. */
  poke(): void {
    this.#wanted = true;
    this.#turn ??= this.turns().finally(() => (this.#turn = null));
  }

  /** Gives back what is under way, for another process or the next start. */
  async onModuleDestroy(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#stop.abort(new Error('the gateway stops'));
    await this.#turn;
  }

  /** Carries out all that is due by now. */
  async carryOutDue(): Promise<void> {
    const { deliveries, timezone } = this.config.current;
    if (deliveries.length === 0) {
      this.#standings = [];
      return;
    }
    const names = deliveries.map(({ name }) => name);
    const lastSlots = new Map((await this.runs.standings(names)).map((each) => [each.delivery, each.lastSlot]));
    const now = this.clock.now();
    const due = deliveries.flatMap(({ name, schedule, report }) => {
      const grain = grainOf(report);
      return dueSlots(schedule, timezone, grain, lastSlots.get(name) ?? undefined, now).map((slot) => ({
        delivery: name,
        slot,
        period: grain && periodBefore(grain, timezone, slot),
        requestedBy: null,
      }));
    });
    if (due.length > 0) await this.runs.add(due);
    while (!this.#stop.signal.aborted) {
      const run = await this.runs.claim(names);
      if (!run) break;
      await this.carryOut(run, deliveries.find(({ name }) => name === run.delivery) as DeliveryConfig);
    }
    this.#standings = await this.runs.standings(names);
  }

  private async turns(): Promise<void> {
    while (this.#wanted && !this.#stop.signal.aborted) {
      this.#wanted = false;
      await this.carryOutDue().catch((error: unknown) =>
        this.log.warn({ err: error }, 'deliveries could not be looked after; trying again'),
      );
    }
  }

  private async carryOut(run: ClaimedRun, delivery: DeliveryConfig): Promise<void> {
    const { delivery: name, slot, period, attempts } = run;
    const facts = { delivery: name, slot, period, attempts };
    const lost = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, lost.signal]);
    const signs = this.signsOfLife(run, lost);
    try {
      const delivered: DeliveredFiles = await this.work.carryOut(delivery, run, signal);
      await this.runs.finish(run, delivered);
      this.log.info({ ...facts, ...delivered }, 'delivered');
    } catch (error) {
      if (this.#stop.signal.aborted) await this.runs.release(run);
      else if (error instanceof ClaimLost || lost.signal.aborted) this.log.warn(facts, 'a delivery was taken over');
      else {
        this.log.error({ ...facts, err: error }, 'a delivery failed');
        await this.runs.fail(run, maskKeys(reasonOf(error)));
      }
    } finally {
      clearInterval(signs);
    }
  }

  /** Keeps the claim while the run goes on, and breaks it off when it can be somebody else's. */
  private signsOfLife(run: ClaimedRun, lost: AbortController): NodeJS.Timeout {
    let confirmedAt = performance.now();
    return setInterval(() => {
      this.runs.confirm(run).then(
        () => (confirmedAt = performance.now()),
        (error: unknown) => {
          if (error instanceof ClaimLost || performance.now() - confirmedAt > LEASE_MS) lost.abort(error);
        },
      );
    }, LEASE_MS / 4).unref();
  }
}

/** For the list of runs; the log has the whole of it. */
function reasonOf(error: unknown): string {
  const { name, message } = error as Error;
  const text = message || name || 'unknown';
  return (name && name !== 'Error' && !text.includes(name) ? `${name}: ${text}` : text).slice(0, 1_000);
}
