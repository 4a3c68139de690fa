import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, Outage, type Database, type JobPrincipals, type Log } from '@app/platform';
import { bookAll, Refusals } from './book-all';
import { type FoundRow, FoundRows } from './found-rows';
import { replay, type Replay } from './journal-replay';
import type { Charge } from './journal-line';
import { returnAll } from './leases.queries';
import { answers, removeSocket } from './liveness-socket';
import { inPlaceOf } from './process-lock';
import type { RecoveredWindows } from './recovered-windows';
import { KnownWindows } from './scopes/known-windows';
import { lineagesOf } from './scopes/lineages.queries';
import { bookRows } from './settlements.queries';
import type { Settlements } from './settlements.service';

export const PROCESS_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Ends the name of a journal that was set aside. */
export const DAMAGED = '.damaged';
const BATCH_ROWS = 500;
const SWEEP_MS = 3_000;

export interface RecoveryPlace {
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** Holds one folder per process, named by its id. */
  readonly journals: string;
  /** This process's own. */
  readonly processId: string;
}

/**
 * Settles the affairs of processes that died: their settled requests are booked, their open ones too at their worst case,
 * then what they had leased goes back.
 */
export class Recovery {
  #timer: NodeJS.Timeout | null = null;
  #sweeping: Promise<void> = Promise.resolve();
  readonly #outage: Outage;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly settlements: Settlements,
    private readonly log: Log,
    private readonly around: { readonly place: RecoveryPlace; readonly windows: RecoveredWindows },
  ) {
    const over = 'journals of dead processes can be looked at again';
    this.#outage = new Outage(log, 'journals of dead processes could not be looked at', over);
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#sweeping = this.sweep()
        .then(
          () => this.#outage.succeeded(),
          (error: unknown) => this.#outage.failed(error),
        )
        .finally(() => {
          if (this.#timer) this.start();
        });
    }, SWEEP_MS).unref();
  }

  async stop(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#sweeping;
  }

  /** Looks once at every journal on this machine; one that cannot be dealt with keeps no others waiting. @throws CodedError `database_unavailable` */
  async sweep(): Promise<void> {
    const names = await readdir(this.around.place.journals).catch(() => []);
    for (const processId of names.filter((name) => PROCESS_ID.test(name) && name !== this.around.place.processId)) {
      try {
        if (await answers(this.around.place.dataDir, processId)) continue;
        await inPlaceOf(this.around.place.databaseUrl, processId, () => this.settleAffairs(processId));
      } catch (error) {
        if (error instanceof CodedError) throw error;
        this.log.error({ err: error, process: processId }, 'the journal of a dead process cannot be dealt with');
      }
    }
  }

  private async settleAffairs(processId: string): Promise<void> {
    const folder = join(this.around.place.journals, processId);
    // Between looking for the lock and having it, the owner may have shown up, or another heir been here.
    if (await answers(this.around.place.dataDir, processId)) return;
    const found = await readJournal(folder);
    if (found === null) return;

    const refused = await this.book(processId, found);
    if (found.damaged.length > 0 || refused > 0) {
      // What cannot be read may be money: its lease stays counted, and the process shows as lost until somebody decides.
      await rename(folder, `${folder}${DAMAGED}`);
      this.log.error(
        { process: processId, damaged: found.damaged.slice(0, 20), refused },
        'the journal of a dead process is damaged; what could be read is booked, the rest stays counted as used',
      );
      return;
    }
    await this.database.platform(this.jobs.for('recovery'), async (tx) => {
      await returnAll(tx, processId);
      await tx.query(
        `UPDATE gateway_processes SET ended_at = now(), ended_how = 'recovered' WHERE id = $1 AND ended_at IS NULL`,
        [processId],
      );
    });
    await rm(folder, { recursive: true, force: true });
    await removeSocket(this.around.place.dataDir, processId);
    this.log.warn(
      { process: processId, settled: found.settled.length, unconfirmed: found.open.length },
      'settled the affairs of a gateway process that died',
    );
  }

  /** @returns how many rows the database would not take */
  private async book(processId: string, { settled, open }: Replay): Promise<number> {
    const { ledger } = this.settlements;
    const lineageOf = await this.database.platform(this.jobs.for('recovery'), (tx) =>
      lineagesOf(
        tx,
        [...settled, ...open].map(({ attribution }) => attribution.facts.tokenId),
      ),
    );
    const charged = (entry: Charge) => chargedOf(entry, lineageOf(entry.attribution.facts.tokenId));
    const windows = new KnownWindows();
    const rows = await this.around.windows.of(
      [
        ...settled.map((entry) => ({ ...charged(entry), row: entry.row })),
        ...open.map((entry) => {
          const charge = charged(entry);
          const { row, tokens } = ledger.unconfirmed(entry.draft);
          return { ...charge, used: { ...charge.used, tokens: BigInt(tokens) }, row };
        }),
      ] satisfies FoundRow[],
      this.settlements.books,
      windows,
    );
    const batches: FoundRows[] = [];
    for (let from = 0; from < rows.length; from += BATCH_ROWS)
      batches.push(new FoundRows(rows.slice(from, from + BATCH_ROWS)));
    const refusals = new Refusals<FoundRows>();
    await bookAll(
      batches,
      async (batch) => {
        await this.database.platform(this.jobs.for('recovery'), (tx) =>
          bookRows(tx, this.settlements.books, processId, batch, windows),
        );
      },
      refusals.add,
    );
    refusals.tell((row, facts) =>
      this.log.error({ ...facts, hold: row.firstId, process: processId }, 'a row of a dead process cannot be booked'),
    );
    return refusals.rows.length;
  }
}

async function readJournal(folder: string): Promise<Replay | null> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (names === null) return null;
  const segments = [];
  for (const name of names.sort()) segments.push({ name, bytes: await readFile(join(folder, name)) });
  return replay(segments);
}

const chargedOf = ({ id, atMs, attribution, amount, windows }: Charge, lineage: string) => ({
  id,
  atMs,
  lastMs: atMs,
  tenantId: attribution.tenantId,
  attribution,
  call: { ...attribution.call, lineage },
  costNanos: amount.cost,
  used: amount,
  windowIds: windows === '' ? [] : windows.split(','),
});
