import { Inject, Injectable } from '@nestjs/common';
import { LOG, type Log, type Tx } from '@app/platform';
import { Catalogue } from '../catalogue/catalogue.service';
import { knownCards } from '../catalogue/known-cards';
import { listCost, priceOf } from '../pricing/pricing';
import type { RateCard } from '../rates/rate-card';
import {
  pauseBooking,
  sumUsed,
  sumUsedByUsers,
  type Used,
  type UsedBy,
  type UsedByUsers,
} from '../roll-up/used.queries';
import { insertRows, selectBeginning } from './ledger.queries';
import { LedgerPartitions } from './ledger-partitions.service';
import { checkRow, type LedgerRow } from './ledger-row';
import { entryText, headText, rowLine, type WrittenHead, type WrittenRows } from './row-text';

/** The append-only record of what every call used and cost. */
@Injectable()
export class Ledger {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly partitions: LedgerPartitions,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /**
   * What is to be journaled and booked of a row that this process has priced, beside its key and its head. A row that breaks a rule (see
   * `checkRow`) is written as `quarantined` and logged: it must neither be lost nor hold up the others.
   */
  textOf(row: LedgerRow): string {
    return this.written(row, this.catalogue.card(row.rateCard));
  }

  /**
   * Books rows, all in one statement, and returns the ids of those that were not booked before, or `'all'`; a repeat changes nothing.
   */
  async book(tx: Tx, rows: WrittenRows): Promise<readonly string[] | 'all'> {
    await this.partitions.ensureFor(tx, rows.timesMs);
    return insertRows(tx, rows);
  }

  /** The same with rows of other processes, which are written by the same rules first. */
  async append(tx: Tx, rows: readonly LedgerRow[]): Promise<readonly string[] | 'all'> {
    const versions = rows.map(({ rateCard }) => rateCard);
    const cards = await knownCards(tx, this.catalogue, versions);
    const heads = rows.map((row, number) => ({ number, json: headText(row) }));
    const lines = rows.map((row, at) =>
      rowLine(row, heads[at] as WrittenHead, this.written(row, cards.get(row.rateCard))),
    );
    const timesMs = rows.map(({ at }) => at.getTime());
    return this.book(tx, { rows: rows.length, lines: lines.join(''), heads, timesMs });
  }

  /** Waits for whoever is booking, and keeps others from it until the transaction ends. */
  async pauseBooking(tx: Tx): Promise<void> {
    await pauseBooking(tx);
  }

  /** When the oldest month begins that is in the ledger, if only with its late rows; `null` if there is none. */
  beginning(tx: Tx): Promise<Date | null> {
    return selectBeginning(tx);
  }

  /** What calls of that moment are billed in, ISO 4217; `null` without a rate card. */
  currency(at: Date): string | null {
    return this.catalogue.cardAt(at)?.currency ?? null;
  }

  /** What calls made from one instant up to another have used, as far as it is booked: cost, and tokens of all classes. In the order of `all`. */
  used(tx: Tx, all: readonly UsedBy[], from: Date, until: Date): Promise<Used[]> {
    return sumUsed(tx, all, from, until);
  }

  /** The same of each end user of a tenant; pauses booking, late. @param after only what was booked later; `null` for everything */
  usedByUsers(tx: Tx, tenantId: string, from: Date, until: Date, after: Date | null): Promise<UsedByUsers> {
    return sumUsedByUsers(tx, tenantId, from, until, after);
  }

  private written(row: LedgerRow, card: RateCard | undefined): string {
    const price = card && priceOf(card, row.model, row.tenantId);
    const broken = checkRow(row, price);
    if (broken === undefined) return entryText(row, price?.markup ? listCost(price, row, row.formula) : null);
    if (row.status === 'quarantined') return entryText(row);
    const { reason, message } = broken;
    this.log.error({ ledgerRow: row.id, tenant: row.tenantId, problem: message }, 'a ledger row is quarantined');
    const { counts, webSearches, serviceTier, providerRequestId, outcome } = row;
    const usage = { counts, webSearches, serviceTier };
    return entryText({ ...usage, providerRequestId, outcome, status: 'quarantined', reason });
  }
}
