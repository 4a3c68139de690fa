import { hostname } from 'node:os';
import { CodedError, type Database, dashed, type JobPrincipals, type Log, type Tx, uuid7 } from '@app/platform';
import { LivenessSocket } from './liveness-socket';
import { lockIsFree, ProcessLock } from './process-lock';

const HEARTBEAT_MS = 2_000;

/** Where a process lives, and whose days it follows. */
export interface ProcessPlace {
  readonly databaseUrl: string;
  /** Absolute path. */
  readonly dataDir: string;
  /** IANA name. */
  readonly timezone: string;
}

/** Processes that disagree about when a day ends would each count it by themselves, and its budget could be spent once in each. */
export class TimezonesDiffer extends Error {
  override readonly name = 'TimezonesDiffer';

  constructor(own: string, others: string) {
    super(
      `The setting timezone is ${own} here, and ${others} in a gateway process that runs on the same database. Budgets hold only where ` +
        'all processes follow the same days: correct the setting, or stop all of them before the first starts with another.',
    );
  }
}

/**
 * Who this process is to the others. It proves to be alive twice, by a lock in the database and by a socket on this
 * machine; its leases and its journal are taken over only when both are gone.
 */
export class GatewayProcess {
  /** UUID in its canonical text; a new one for every start. */
  readonly id = dashed(uuid7());
  readonly #lock: ProcessLock;
  readonly #socket: LivenessSocket;
  #timer: NodeJS.Timeout | null = null;
  #fenced = false;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly log: Log,
    private readonly place: ProcessPlace,
  ) {
    this.#lock = new ProcessLock(place.databaseUrl, this.id, log);
    this.#socket = new LivenessSocket(place.dataDir, this.id);
  }

  /** Another process has declared this one dead and settled its affairs: it may not take on anything any more. */
  get fenced(): boolean {
    return this.#fenced;
  }

  /** @throws TimezonesDiffer */
  async start(): Promise<void> {
    await this.#socket.listen();
    await this.#lock.hold();
    try {
      await this.database.platform(this.jobs.for('start'), (tx) => this.enter(tx));
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#timer = setInterval(() => void this.look(), HEARTBEAT_MS).unref();
  }

  /** Whether another one has ended and nothing of its money is open. @throws CodedError `database_unavailable` */
  async hasEnded(id: string): Promise<boolean> {
    const found = await this.database.platform(this.jobs.for('recovery'), (tx) =>
      tx.query('SELECT 1 FROM gateway_processes WHERE id::text = $1 AND ended_at IS NOT NULL', [id]),
    );
    return found.length > 0;
  }

  /** Takes note of having been declared dead; the error is for the request in hand. */
  fence(): CodedError {
    if (!this.#fenced)
      this.log.fatal({ process: this.id }, 'another gateway process has declared this one dead; restart it');
    this.#fenced = true;
    return new CodedError(
      'database_unavailable',
      'This gateway process was declared dead by another one and takes no work until it is restarted.',
    );
  }

  /** Lets go of both proofs of life. What remains in the database and on disk is then for others to settle. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#socket.close();
    await this.#lock.release();
  }

  /** One at a time, so that of two with different time zones the later sees the earlier. */
  private async enter(tx: Tx): Promise<void> {
    const { timezone } = this.place;
    await tx.query("SELECT pg_advisory_xact_lock(hashtext('gateway process enters'))");
    const [other] = await tx.query<{ timezone: string }>(
      `SELECT p.timezone FROM gateway_processes p
       WHERE p.ended_at IS NULL AND p.timezone <> $1 AND NOT ${lockIsFree('p.id')} LIMIT 1`,
      [timezone],
    );
    if (other) throw new TimezonesDiffer(timezone, other.timezone);
    await tx.query('INSERT INTO gateway_processes (id, host, pid, timezone) VALUES ($1, $2, $3, $4)', [
      this.id,
      hostname(),
      process.pid,
      timezone,
    ]);
  }

  private async look(): Promise<void> {
    try {
      const [row] = await this.database.platform(this.jobs.for('heartbeat'), (tx) =>
        tx.query<{ ended_at: Date | null }>('SELECT ended_at FROM gateway_processes WHERE id = $1', [this.id]),
      );
      if (row === undefined || row.ended_at !== null) this.fence();
    } catch {
      // no database, no verdict: leases stay valid, and nobody else can end them without it either
    }
  }
}
