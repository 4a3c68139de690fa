import type { ChangeFeed, Database, JobPrincipals, Log } from '@app/platform';
import type { GatewayProcess } from './gateway-process.service';
import type { Holds } from './holds.service';
import type { Journal } from './journal';
import { returnAll } from './leases.queries';
import type { Leases } from './leases.service';
import type { OldWindows } from './old-windows.service';
import type { Recovery } from './recovery.service';
import type { Settlements } from './settlements.service';

/** What an operator wants to see of this process's money, at one moment. */
export interface QuotaFacts {
  readonly openHolds: number;
  readonly heldNanos: bigint;
  readonly journalBytes: number;
  readonly journalWritable: boolean;
  /** Settled, and not in the database yet. */
  readonly unflushedRows: number;
  /** For how long the oldest of those has been settled, in ms. */
  readonly lagMs: number;
  readonly refusedRows: number;
  /** Usage that no lease covered. Both must read 0. */
  readonly uncoveredNanos: bigint;
  readonly uncoveredTokens: bigint;
  /** Why it takes no work until it is restarted; null where it does. */
  readonly fenced: string | null;
  /** What it has committed and the database does not know, because that has become an older copy. */
  readonly missingCommits: number;
}

/** The parts that live and end together. */
export interface QuotaParts {
  readonly process: GatewayProcess;
  readonly journal: Journal;
  readonly leases: Leases;
  readonly settlements: Settlements;
  readonly holds: Holds;
  readonly recovery: Recovery;
  readonly oldWindows: OldWindows;
}

/** Brings the money of one gateway process to life and to an end. */
export class Quota {
  #started = false;

  constructor(
    private readonly parts: QuotaParts,
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly changes: ChangeFeed,
    private readonly log: Log,
  ) {}

  /**
   * To be called once the schema is up to date and `settlements.sink` has been. Settles the affairs of processes that died
   * before holds can be made, so that they find budgets as they are.
   * @throws CodedError `database_unavailable`
   */
  async start(): Promise<void> {
    const { process, journal, leases, recovery, oldWindows } = this.parts;
    await process.start();
    this.#started = true;
    journal.open();
    await recovery.sweep();
    await leases.start(this.changes);
    recovery.start();
    oldWindows.start();
  }

  /**
   * The orderly end, to be called when no request is in flight any more: everything is booked, everything leased goes back.
   * What cannot be, because the database is away or holds are open, stays in the journal for the next start.
   */
  async drain(): Promise<void> {
    const { process, journal, leases, settlements, holds } = this.parts;
    holds.drain();
    if (!this.#started) return;
    try {
      await settlements.flush(true);
      await leases.giveBackAll();
      const { open } = holds.facts;
      const { waitingRows, refusedRows } = settlements.facts;
      if (open + waitingRows + refusedRows > 0) {
        this.log.warn({ open, waitingRows, refusedRows }, 'left unsettled requests to the next start');
        return await this.close();
      }
      await this.stop();
      await this.database.platform(this.jobs.for('drain'), async (tx) => {
        // An older copy may lack what was booked: the journal may still have some of that, for the next start.
        await process.mustBeInOffice(tx);
        await returnAll(tx, process.id);
        await tx.query(
          `UPDATE gateway_processes SET ended_at = now(), ended_how = 'drained' WHERE id = $1 AND ended_at IS NULL`,
          [process.id],
        );
      });
      journal.remove();
    } catch (error) {
      this.log.warn({ err: error }, 'could not settle with the database at the end; the next start will');
    }
    await this.close();
  }

  /** Ends at once; whatever is unsettled stays in the journal for the next start. */
  async close(): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    this.parts.holds.drain();
    await this.stop();
    this.parts.journal.close();
    await this.parts.process.stop();
  }

  facts(): QuotaFacts {
    const { process, journal, settlements, holds } = this.parts;
    const { waitingRows, refusedRows, waitingMs, uncovered } = settlements.facts;
    const { open, heldNanos } = holds.facts;
    return {
      openHolds: open,
      heldNanos,
      journalBytes: journal.bytes,
      journalWritable: journal.writable,
      unflushedRows: waitingRows,
      lagMs: waitingMs,
      refusedRows,
      uncoveredNanos: uncovered.cost,
      uncoveredTokens: uncovered.tokens,
      fenced: process.fenced?.detail ?? null,
      missingCommits: Number(process.fenced?.missing ?? 0n),
    };
  }

  private async stop(): Promise<void> {
    const { leases, settlements, recovery, oldWindows } = this.parts;
    leases.stop();
    settlements.stop();
    await oldWindows.stop();
    await recovery.stop();
  }
}
