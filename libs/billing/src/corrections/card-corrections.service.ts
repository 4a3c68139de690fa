import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import { CodedError, Database, formatNanos, type Principal, type Tx } from '@app/platform';
import { Catalogue } from '../catalogue/catalogue.service';
import { knownCards } from '../catalogue/known-cards';
import type { RateCard } from '../rates/rate-card';
import { selectNextCardAt } from '../rates/rate-cards.queries';
import { refuseArchivedRows } from '../ledger/archives.queries';
import { selectBookedUpTo } from '../ledger/ledger.queries';
import { CorrectionBooking } from './booking.service';
import {
  beginPass,
  endPass,
  noteProgress,
  selectCardCorrection,
  selectCardCorrections,
  selectDifferences,
  type CardCorrection,
  type CardCorrectionCounts,
  type TenantDifference,
} from './card-corrections.queries';
import type { CardCorrectionView, CardCorrectionPreview } from './card-correction.dto';
import { lockCorrections, selectBatch, type Batch, type CorrectableRow } from './corrections.queries';
import { addCounts, differencesOf, NO_COUNTS, repriceRows } from './repricing';
import { repricingReason } from './undecided';

const BATCH = 500;
const FOREVER = new Date('9999-12-31T00:00:00Z');

/**
 * What follows from a rate card that should have been in force earlier: each call of its span that was priced by another
 * is corrected by the difference. One pass takes the rows that are booked when it begins, in batches, each of which is
 * one transaction with the note of how far it came; so a pass that dies goes on where it was, wherever. Rows that are
 * booked later with the former price, such as those of a journal found late, are the next pass's.
 */
@Injectable()
export class CardCorrections {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly catalogue: Catalogue,
    private readonly booking: CorrectionBooking,
  ) {}

  /** @throws CodedError `rate_card_not_found` for what is no correction */
  show(principal: Principal, version: string): Promise<CardCorrectionView> {
    return this.database.platform(principal, async (tx) => {
      const job = /^\d{1,9}$/.test(version) ? await selectCardCorrection(tx, Number(version)) : undefined;
      if (!job) throw new CodedError('rate_card_not_found', `There is no correction by a rate card ${version}.`);
      return jobView(job, await selectDifferences(tx, job.version));
    });
  }

  /** What a card would correct if it were imported. Reads in short transactions, and books nothing. */
  async preview(principal: Principal, card: RateCard): Promise<CardCorrectionPreview> {
    const to = await this.database.platform(principal, (tx) => selectNextCardAt(tx, card.effectiveAt));
    let counts = NO_COUNTS;
    let differences: TenantDifference[] = [];
    let after: CorrectableRow | null = null;
    for (;;) {
      const batch: Batch = { from: card.effectiveAt, to: to ?? FOREVER, after, limit: BATCH };
      const rows: CorrectableRow[] = await this.database.platform(principal, (tx) =>
        selectBatch(tx, batch, 'true', []),
      );
      const repricing = repriceRows(rows, card);
      counts = addCounts(counts, repricing.counts);
      differences = differencesOf(repricing, differences);
      after = rows.at(-1) ?? null;
      if (rows.length < BATCH)
        return { ...countsView(counts), currency: card.currency, tenants: differences.map(differenceView) };
    }
  }

  /** The cards whose corrections are to be booked; begins a pass of those that have had none for a while. */
  due(principal: Principal): Promise<number[]> {
    return this.database.platform(principal, async (tx) => {
      await lockCorrections(tx);
      const jobs = await selectCardCorrections(tx);
      if (jobs.length === 0) return [];
      const upTo = await selectBookedUpTo(tx);
      for (const { version, passUpTo } of jobs) if (passUpTo === null) await beginPass(tx, version, upTo);
      return jobs.map(({ version }) => version);
    });
  }

  /**
   * Books one batch. @returns whether the pass goes on
   * @throws CodedError `ledger_month_archived` when the first pass lacks rows, because a month was taken out since the import
   */
  step(principal: Principal, version: number): Promise<boolean> {
    return this.database.platform(principal, async (tx) => {
      await lockCorrections(tx);
      const job = await selectCardCorrection(tx, version);
      if (!job?.passUpTo) return false;
      const last = job.isSuperseded ? undefined : await this.bookBatch(tx, job, job.passUpTo);
      if (!last) await endPass(tx, version);
      return last !== undefined;
    });
  }

  /** @returns the last row of the batch; undefined when none is left */
  private async bookBatch(tx: Tx, job: CardCorrection, upTo: Date): Promise<{ at: Date; id: string } | undefined> {
    const { version, effectiveAt, endsAt, doneUpTo, after } = job;
    const card = (await knownCards(tx, this.catalogue, [version])).get(version);
    if (!card) throw new Error(`rate card ${version} is not there`);
    const batch = { from: effectiveAt, to: endsAt ?? FOREVER, after, limit: BATCH };
    const rows = await selectBatch(tx, batch, PRICED_BY_ANOTHER, [
      version,
      upTo.toISOString(),
      doneUpTo?.toISOString() ?? null,
    ]);
    if (doneUpTo === null) await refuseArchivedRows(tx, { from: effectiveAt, to: endsAt ?? upTo });
    const last = rows.at(-1);
    if (!last) return undefined;
    const repricing = repriceRows(rows, card);
    await this.booking.book(
      tx,
      repricing.changed.map((change) => ({ ...change, reason: repricingReason(version, job.reason) })),
    );
    const differences = differencesOf(repricing);
    await noteProgress(tx, version, last, repricing.counts, differences);
    if (repricing.counts.corrected > 0)
      await this.audit.record(tx, {
        action: 'usage.corrected',
        tenant: null,
        target: { kind: 'rate_card', id: String(version) },
        before: { from: rows[0]?.at, to: last.at },
        after: { ...repricing.counts, tenants: differences.map(differenceView) },
        reason: job.reason,
      });
    return last;
  }
}

const PRICED_BY_ANOTHER = `l.rate_card <> $5 AND l.booked_at <= $6 AND ($7::timestamptz IS NULL OR l.booked_at > $7)`;

const countsView = ({ corrected, unchanged, unpriced, stated }: CardCorrectionCounts): CardCorrectionCounts => ({
  corrected,
  unchanged,
  unpriced,
  stated,
});

const differenceView = ({ tenant, rows, differenceNanos }: TenantDifference) => ({
  tenant,
  rows,
  difference: formatNanos(differenceNanos),
});

const jobView = (job: CardCorrection, differences: readonly TenantDifference[]): CardCorrectionView => ({
  version: job.version,
  state: job.doneUpTo === null && !job.isSuperseded ? 'running' : 'done',
  reason: job.reason,
  from: job.effectiveAt.toISOString(),
  to: job.endsAt?.toISOString() ?? null,
  ...countsView(job.counts),
  currency: job.currency,
  tenants: differences.map(differenceView),
  createdAt: job.createdAt.toISOString(),
  createdBy: job.createdBy,
});
