import { hostname } from 'node:os';
import { CodedError, type Database, dashed, type JobPrincipals, type Log, uuid7 } from '@app/platform';
import { LivenessSocket } from './liveness-socket';
import { ProcessLock } from './process-lock';

const HEARTBEAT_MS = 2_000;

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
    databaseUrl: string,
    dataDir: string,
  ) {
    this.#lock = new ProcessLock(databaseUrl, this.id, log);
    this.#socket = new LivenessSocket(dataDir, this.id);
  }

  /** Another process has declared this one dead and settled its affairs: it may not take on anything any more. */
  get fenced(): boolean {
    return this.#fenced;
  }

  async start(): Promise<void> {
    await this.#socket.listen();
    await this.#lock.hold();
    await this.database.platform(this.jobs.for('start'), (tx) =>
      tx.query('INSERT INTO gateway_processes (id, host, pid) VALUES ($1, $2, $3)', [this.id, hostname(), process.pid]),
    );
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
