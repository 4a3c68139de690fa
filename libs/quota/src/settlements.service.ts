import { Outage, type Database, type JobPrincipals, type Log } from '@app/platform';
import { type Amounts, amounts, isWithin, NOTHING } from './amounts';
import { bookAll, Refusals } from './book-all';
import type { Books } from './books';
import { GATHER_MS, gatherMsAfter } from './gather';
import type { GatewayProcess } from './gateway-process.service';
import type { Journal } from './journal';
import { Lane } from './lane';
import type { LedgerSink } from './ledger-sink';
import type { PendingRow } from './pending-row';
import type { BudgetNotices } from './notices/budget-notices.service';
import { KnownWindows } from './scopes/known-windows';
import { bookRows } from './settlements.queries';

const BATCH_ROWS = 4_000;
const RETRY_MS = 250;
/** How long a row that the database refused is left aside before it is tried again. */
const REFUSED_RETRY_MS = 30_000;
/** Rows that wait for the database; beyond this no new work is accepted, so that memory stays bounded. */
const MOST_WAITING = 20_000;

export interface SettlementFacts {
  readonly waitingRows: number;
  /** Rows the database refuses for reasons of their own; they stay in the journal and are tried again every half minute. */
  readonly refusedRows: number;
  /** How long the oldest row has waited, in ms; however long its call took before. */
  readonly waitingMs: number;
  /** Usage that no lease covered; anything but 0 is a defect, or the work of a process that had been declared dead. */
  readonly uncovered: Amounts;
}

/** Brings settled rows to the database in batches, behind the answers they belong to. */
export class Settlements {
  /** Rows are booked here one batch at a time; leases are lowered here too, because a total must not move meanwhile. */
  readonly lane = new Lane();
  readonly #windows = new KnownWindows();
  #sink: LedgerSink | null = null;
  #waiting: PendingRow[] = [];
  /** None of those waits for longer; monotonic ms. */
  #waitingSinceMs = 0;
  #refused: PendingRow[] = [];
  #refusedAtMs = 0;
  #uncovered = NOTHING;
  #gatherMs = GATHER_MS;
  #timer: NodeJS.Timeout | null = null;
  /** Whether the timer is one that rows wait for; that of refused rows is not. */
  #gathering = false;
  #flushing = false;
  #stopped = false;
  readonly #outage: Outage;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly process: GatewayProcess,
    private readonly journal: Journal,
    private readonly witnesses: { readonly log: Log; readonly notices: BudgetNotices },
  ) {
    const over = 'settled rows reach the database again';
    this.#outage = new Outage(witnesses.log, 'settled rows wait for the database', over);
  }

  /** Connects the ledger; once, before the first hold. */
  sink(sink: LedgerSink): void {
    if (this.#sink) throw new TypeError('the ledger is connected already');
    this.#sink = sink;
  }

  get ledger(): LedgerSink {
    if (!this.#sink) throw new TypeError('no ledger is connected: call settlements.sink() first');
    return this.#sink;
  }

  get books(): Books {
    return { ledger: this.ledger, notices: this.witnesses.notices };
  }

  get full(): boolean {
    return this.#waiting.length + this.#refused.length >= MOST_WAITING;
  }

  get facts(): SettlementFacts {
    return {
      waitingRows: this.#waiting.length,
      refusedRows: this.#refused.length,
      waitingMs: this.#waiting.length === 0 ? 0 : performance.now() - this.#waitingSinceMs,
      uncovered: this.#uncovered,
    };
  }

  add(row: PendingRow): void {
    const waiting = this.#waiting.push(row);
    if (waiting === 1) this.#waitingSinceMs = performance.now();
    if (this.#flushing) return;
    if (!this.#gathering) this.arm(this.#gatherMs);
    else if (waiting === BATCH_ROWS) this.arm(0);
  }

  /** Books all that waits, and what was refused before if it is due. @throws CodedError `database_unavailable` */
  flush(refusedToo = this.areRefusedDue): Promise<void> {
    return this.lane.run(() => this.bookWaiting(refusedToo, 0));
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  private arm(delayMs: number): void {
    if (this.#stopped) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.run(), delayMs).unref();
    this.#gathering = delayMs < REFUSED_RETRY_MS;
  }

  private async run(): Promise<void> {
    this.#timer = null;
    this.#gathering = false;
    this.#flushing = true;
    const beganMs = performance.now();
    let failed = false;
    try {
      // What comes in meanwhile gathers again, unless it makes a batch by itself: small ones cost as much as large ones.
      await this.lane.run(() => this.bookWaiting(this.areRefusedDue, BATCH_ROWS - 1));
      this.#outage.succeeded();
    } catch (error) {
      failed = true;
      this.#outage.failed(error, { rows: this.#waiting.length });
    }
    this.#flushing = false;
    this.#gatherMs = gatherMsAfter(performance.now() - beganMs);
    if (this.#waiting.length > 0) this.arm(failed ? RETRY_MS : this.#gatherMs);
    else if (this.#refused.length > 0) this.arm(REFUSED_RETRY_MS);
  }

  private get areRefusedDue(): boolean {
    return Date.now() - this.#refusedAtMs >= REFUSED_RETRY_MS;
  }

  /** Books batch after batch until no more than `rest` rows wait. */
  private async bookWaiting(refusedToo: boolean, rest: number): Promise<void> {
    if (this.#waiting.length === 0) this.#waitingSinceMs = performance.now();
    if (refusedToo) this.#waiting.push(...this.#refused.splice(0));
    for (let batch; (batch = this.#waiting.slice(0, BATCH_ROWS)).length > 0;) {
      const beganMs = performance.now();
      const refusals = new Refusals<PendingRow>();
      await bookAll(batch, (rows) => this.book(rows), refusals.add);
      this.leaveAside(refusals);
      this.#waiting = this.#waiting.slice(batch.length);
      // It was all there was: whatever waits now came later.
      if (batch.length < BATCH_ROWS) this.#waitingSinceMs = beganMs;
      if (this.#waiting.length <= rest) return;
    }
  }

  private async book(rows: readonly PendingRow[]): Promise<void> {
    const uncovered = await this.database.platform(this.jobs.for('settlement'), (tx) =>
      bookRows(tx, this.books, this.process.id, rows, this.#windows),
    );
    if (!isWithin(uncovered, NOTHING)) {
      this.#uncovered = amounts((metric) => this.#uncovered[metric] + uncovered[metric]);
      this.witnesses.log.error(
        { nanos: String(uncovered.cost), tokens: String(uncovered.tokens) },
        'usage was booked that no lease covered; a budget may be passed',
      );
    }
    for (const row of rows) if (row.booked()) this.journal.unpin(row);
  }

  private leaveAside(refusals: Refusals<PendingRow>): void {
    if (refusals.rows.length > 0) this.#refusedAtMs = Date.now();
    this.#refused.push(...refusals.rows);
    refusals.tell((row, facts) =>
      this.witnesses.log.error(
        { ...facts, hold: row.id },
        'a settled row cannot be booked; it stays in the journal and is tried again',
      ),
    );
  }
}
