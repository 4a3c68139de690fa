import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, JobPrincipals, type Principal, type Tx } from '@app/platform';
import { Webhooks } from '@app/webhooks';
import type { ClaimedRun, DeliveredFiles, DeliveryRun, DeliveryStanding } from './delivery-run';
import {
  claimRun,
  extendClaim,
  failRun,
  finishRun,
  giveUpAbandoned,
  insertRun,
  lockClaims,
  releaseRun,
  selectStandings,
  type NewRun,
} from './delivery-runs.queries';
import { ClaimLost } from './delivery.errors';
import { MOST_ATTEMPTS, pauseAfterMs } from './retry';

/** How long a run stays a process's own after its last sign of life. */
export const LEASE_MS = 60_000;

/** The runs of all gateway processes: who carries out which, and how it ended. */
@Injectable()
export class DeliveryRuns {
  readonly principal: Principal;

  constructor(
    private readonly database: Database,
    private readonly webhooks: Webhooks,
    jobs: JobPrincipals,
  ) {
    this.principal = jobs.for('deliveries');
  }

  /** Of those that ever had a run. */
  standings(deliveries: readonly string[]): Promise<DeliveryStanding[]> {
    return this.inDatabase((tx) => selectStandings(tx, deliveries));
  }

  /** Several processes may add the same ones; each is there once. */
  async add(runs: readonly NewRun[]): Promise<void> {
    await this.inDatabase(async (tx) => {
      for (const run of runs) await insertRun(tx, run);
    });
  }

  /** A run for this process alone, or none. */
  claim(deliveries: readonly string[]): Promise<ClaimedRun | undefined> {
    return this.inDatabase(async (tx) => {
      await lockClaims(tx);
      for (const run of await giveUpAbandoned(tx, MOST_ATTEMPTS)) await this.announceFailed(tx, run);
      return claimRun(tx, deliveries, randomUUID(), LEASE_MS);
    });
  }

  /** @throws ClaimLost */
  async confirm(run: ClaimedRun): Promise<void> {
    if (!(await this.inDatabase((tx) => extendClaim(tx, run, LEASE_MS)))) throw new ClaimLost();
  }

  finish(run: ClaimedRun, delivered: DeliveredFiles): Promise<boolean> {
    return this.inDatabase((tx) => finishRun(tx, run, delivered));
  }

  /** To be tried again after a pause, or to be given up, which receivers outside are told. */
  fail(run: ClaimedRun, error: string): Promise<boolean> {
    const pauseMs = pauseAfterMs(run.attempts);
    return this.inDatabase(async (tx) => {
      const isOurs = await failRun(tx, run, error, pauseMs);
      if (isOurs && pauseMs === null) await this.announceFailed(tx, { ...run, error });
      return isOurs;
    });
  }

  release(run: ClaimedRun): Promise<boolean> {
    return this.inDatabase((tx) => releaseRun(tx, run));
  }

  /** Where bills go is the gateway's own affair, also where they are a tenant's. */
  private announceFailed(tx: Tx, { delivery, period, slot, attempts, error }: DeliveryRun): Promise<void> {
    const data = { delivery, period, slot: slot.toISOString(), attempts, error };
    return this.webhooks.announce(tx, { event: 'delivery.failed', tenant: null, data });
  }

  private inDatabase<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.database.platform(this.principal, work);
  }
}
