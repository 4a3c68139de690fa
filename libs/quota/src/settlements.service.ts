import { Outage, type Database, type JobPrincipals, type Log } from '@app/platform';
import { type Amounts, amounts, isWithin, NOTHING } from './amounts';
import { bookAll, Refusals } from './book-all';
import type { Books } from './books';
import { GATHER_MS, gatherMsAfter } from './gather';
import type { GatewayProcess } from './gateway-process.service';
import type { Journal } from './journal';
import { Lane } from './lane';
import type { LedgerSink } from './ledger-sink';
import type { BudgetNotices } from './notices/budget-notices.service';
import type { BudgetDirectory } from './scopes/budget-directory.service';
import { KnownWindows } from './scopes/known-windows';
import { bookRows } from './settlements.queries';
import { type Ended, Sheaf } from './sheaf';

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
  /** What comes in. */
  #open: Sheaf | null = null;
  /** What came in before, in its order. */
  readonly #closed: Sheaf[] = [];
  /** Of one row each. */
  #refused: Sheaf[] = [];
  /** Who waits for rows, by their ids. */
  readonly #awaited = new Map<string, () => void>();
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
    private readonly around: {
      readonly log: Log;
      readonly notices: BudgetNotices;
      readonly budgets: BudgetDirectory;
    },
  ) {
    const over = 'settled rows reach the database again';
    this.#outage = new Outage(around.log, 'settled rows wait for the database', over);
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
    return { ledger: this.ledger, notices: this.around.notices };
  }

  /** What this process knows of budgets. */
  get budgets(): BudgetDirectory {
    return this.around.budgets;
  }

  get full(): boolean {
    return this.waitingRows + this.#refused.length >= MOST_WAITING;
  }

  get facts(): SettlementFacts {
    const oldest = this.#closed[0] ?? this.#open;
    return {
      waitingRows: this.waitingRows,
      refusedRows: this.#refused.length,
      waitingMs: oldest ? performance.now() - oldest.sinceMs : 0,
      uncovered: this.#uncovered,
    };
  }

  /** @param line a `settledLine` of the hold's, which has ended */
  add(line: string, hold: Ended, used: Amounts): void {
    const isBatch = this.put(line, hold, used);
    if (this.#flushing) return;
    if (!this.#gathering) this.arm(this.#gatherMs);
    else if (isBatch) this.arm(0);
  }

  /** Resolves when a settled row is in the database. */
  arrival(id: string): Promise<void> {
    const isWaiting = [...this.#closed, ...this.#refused, ...(this.#open ? [this.#open] : [])].some((sheaf) =>
      sheaf.has(id),
    );
    return isWaiting ? new Promise((resolve) => this.#awaited.set(id, resolve)) : Promise.resolve();
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
      this.#outage.failed(error, { rows: this.waitingRows });
    }
    this.#flushing = false;
    this.#gatherMs = gatherMsAfter(performance.now() - beganMs);
    if (this.waitingRows > 0) this.arm(failed ? RETRY_MS : this.#gatherMs);
    else if (this.#refused.length > 0) this.arm(REFUSED_RETRY_MS);
  }

  private get areRefusedDue(): boolean {
    return Date.now() - this.#refusedAtMs >= REFUSED_RETRY_MS;
  }

  private get waitingRows(): number {
    let rows = this.#open?.rows ?? 0;
    for (const sheaf of this.#closed) rows += sheaf.rows;
    return rows;
  }

  /** @returns whether they are a batch now */
  private readonly put = (line: string, hold: Ended, used: Amounts): boolean => {
    const sheaf = (this.#open ??= new Sheaf());
    sheaf.add(line, hold, used);
    const isBatch = sheaf.rows === BATCH_ROWS;
    if (isBatch) this.close();
    return isBatch;
  };

  /** What comes in from here on is of another batch. */
  private close(): void {
    if (this.#open) this.#closed.push(this.#open);
    this.#open = null;
  }

  /** Books batch after batch until no more than `rest` rows wait. */
  private async bookWaiting(refusedToo: boolean, rest: number): Promise<void> {
    if (refusedToo) for (const row of this.#refused.splice(0)) row.each(this.put);
    do {
      this.close();
      const refusals = new Refusals<Sheaf>();
      try {
        await bookAll(this.#closed, (sheaf) => this.book(sheaf), refusals.add);
      } finally {
        this.leaveAside(refusals);
      }
    } while (this.waitingRows > rest);
  }

  private async book(sheaf: Sheaf): Promise<void> {
    const { uncovered, unforeseen } = await this.process.commit((counted) =>
      this.database.platform(this.jobs.for('settlement'), (tx) =>
        bookRows(tx, this.books, this.process.id, sheaf, this.#windows, counted),
      ),
    );
    if (!isWithin(uncovered, NOTHING)) {
      this.#uncovered = amounts((metric) => this.#uncovered[metric] + uncovered[metric]);
      this.around.log.error(
        { nanos: String(uncovered.cost), tokens: String(uncovered.tokens) },
        'usage was booked that no lease covered; a budget may be passed',
      );
    }
    // Its calls were made before; or it has not heard of them, and would go on as if there were none.
    if (unforeseen) void this.budgets.catchUp();
    for (const [segment, rows] of sheaf.booked()) this.journal.unpin(segment, rows);
    if (this.#awaited.size > 0) this.tell(sheaf.ids);
  }

  private tell(ids: readonly string[]): void {
    for (const id of ids) {
      this.#awaited.get(id)?.();
      this.#awaited.delete(id);
    }
  }

  private leaveAside(refusals: Refusals<Sheaf>): void {
    if (refusals.rows.length > 0) this.#refusedAtMs = Date.now();
    this.#refused.push(...refusals.rows);
    refusals.tell((row, facts) =>
      this.around.log.error(
        { ...facts, hold: row.firstId },
        'a settled row cannot be booked; it stays in the journal and is tried again',
      ),
    );
  }
}
